"""Value: a number that records how it was made."""

from __future__ import annotations

import operator
import sys
from typing import TYPE_CHECKING, Any, NoReturn, SupportsFloat

from microgradlib._support.lookup import check_keywords
from microgradlib._support.number import as_float
from microgradlib.core import protocols
from microgradlib.core.autodiff import grad_table
from microgradlib.core.backward import (
    LEAVES_WITH_FUNCTIONS,
    accumulate,
    refuse_wrong_grads,
    run_leaf_functions,
)
from microgradlib.core.changes import COUNT, become_leaf
from microgradlib.core.hand_made import BackwardFunction, describe
from microgradlib.core.kinks import check_gradients
from microgradlib.core.lost_derivatives import READS_IN_USE, note_read
from microgradlib.core.modes import MODES_IN_USE, finish, is_compiling, is_watching, refuse_unknown
from microgradlib.core.node import Node
from microgradlib.core.peer_names import PeerNames
from microgradlib.core.protocols import (
    comparison,
    refused,
)  # fmt: skip
from microgradlib.ops import ZERO, Op, derivative_graph, selection

__all__ = ["Value", "as_node"]


class Value(PeerNames):
    """A number that records how it was made, and so can be differentiated.

    `data`: the number, a float. `grad`: ∂output/∂self after `output.backward()`, 0 before. `op`: the op that made it,
    None for a leaf. `parents`: the op's inputs. `local_derivatives`: ∂self/∂parent for each parent, recorded when the
    node is made. `label`: a name for drawings. `Value(data, parents, local_derivatives)` and `Value(data, parents,
    "tanh")` make a node by hand, as programs for other engines do: see `core.hand_made`. `bool(value)` is that of the
    number, as with every number, not True for every object; `==` and `hash` go by identity, but in a function that is
    being differentiated (by `grad`, …) `==` compares numbers. Raises `TypeError` for what is not one real number, a
    Value included: `v.detach()` is a leaf with the same number.

    >>> x = Value(3.0, label="x")
    >>> y = x * x + 1
    >>> y.data, y.op.symbol, y.parents[0].local_derivatives
    (10.0, '+', (3.0, 3.0))
    >>> y.backward()
    >>> x.grad
    6.0
    """

    __slots__ = ("__weakref__", "_assignments", "_float", "_left_derivative", "_right_derivative", "grad")
    _fields = ("_float", "grad", "op", "_left", "_right", "_left_derivative", "_right_derivative", "label")

    _assignments: int  # see core.changes
    _float: float
    _left_derivative: Any  # the tuple of all, unless there are one or two parents; None for a result of `no_grad`
    _right_derivative: float
    grad: float

    if not TYPE_CHECKING:  # its arguments are typed in PeerNames

        def __init__(self, data: SupportsFloat, *description: Any, **named: Any) -> None:
            self._float = data if data.__class__ is float else as_float(data)
            self.grad = ZERO
            self.op = self._left = self._right = None
            self._left_derivative = ()
            self.label = ""
            if description or named:
                describe(self, description, named)

    @staticmethod
    def __apply_op__(op: Op, inputs: tuple[Any, ...]) -> Any:
        """Make the node op(*inputs): its value and its local derivatives, by the op's record."""
        parents: tuple[Value, ...] = inputs
        if not {Value}.issuperset(map(type, inputs)):
            for x in reversed(inputs):  # Symbols come behind their weights
                if not protocols.is_operand(x):
                    is_unknown = isinstance(x, Node) and not isinstance(x, Value)
                    return x.__apply_op__(op, inputs) if is_unknown else NotImplemented
            parents = tuple([x if isinstance(x, Value) else Value(x) for x in inputs])
        node: Value = object.__new__(Value)
        node._float, node.local_derivatives = op.record([parent._float for parent in parents])
        node.grad = ZERO
        node.op = op
        node._left, node._right = parents if len(parents) == 2 else (parents[0] if len(parents) == 1 else parents, None)
        node.label = ""
        return finish(node) if MODES_IN_USE else node

    @property
    def data(self) -> float:
        """The number; assign to it to change a leaf, as in `p.data -= rate * p.grad`.

        What was computed from a leaf before can no longer be differentiated, if its derivative is another now:
        `ChangedDataError`; `core.changes` states the rule, also for nodes that are no leaves. Raises
        `SymbolHasNoValueError` for a parameter, or a result of one, while a function is compiled.
        """
        if MODES_IN_USE:
            refuse_unknown(self)
        if READS_IN_USE:
            note_read(self, sys._getframe(1))
        return self._float

    @data.setter
    def data(self, number: SupportsFloat) -> None:
        if number.__class__ is not float:
            number = as_float(number)
        if self._left is not None:
            become_leaf(self, number)
        self._float = number
        self._assignments = COUNT["ASSIGNMENTS"] = COUNT["ASSIGNMENTS"] + 1

    @property
    def local_derivatives(self) -> tuple[float, ...]:
        """∂self/∂parent for each parent, in order."""
        left: Any = self._left_derivative
        if self._right is not None:
            return left, self._right_derivative
        if left.__class__ is BackwardFunction:
            return tuple(left.local_derivatives())
        return left if left.__class__ is tuple else () if left is None else (left,)

    @local_derivatives.setter
    def local_derivatives(self, derivatives: tuple[float, ...]) -> None:
        self._left_derivative = derivatives[0] if len(derivatives) in (1, 2) else tuple(derivatives)
        if len(derivatives) == 2:
            self._right_derivative = derivatives[1]
        self._assignments = COUNT["ASSIGNMENTS"]

    def backward(self, seed: float = 1.0, **options: NoReturn) -> None:
        """Set `grad` of every node below this one to ∂self/∂node, as `grad_table` computes it (Algorithm 6.2).

        It is added to the `grad` of leaves (None, as PyTorch's programs write, counts as 0), so that several calls sum
        the gradients of several losses; it replaces that of inner nodes. `seed` is ∂L/∂self if self is not itself the
        loss L. After Ctrl-C in the middle, sums are incomplete: set the `grad` of the leaves to 0, and call it again.
        """
        if options:
            check_keywords(options, ["seed"], "backward")
        seed = as_float(seed)
        if MODES_IN_USE and is_watching():
            check_gradients(grad_table(self, seed))
        try:
            accumulate(self, seed)
        except TypeError:
            refuse_wrong_grads(self)
            raise
        if LEAVES_WITH_FUNCTIONS:
            run_leaf_functions(self)

    def detach(self) -> Value:
        """Return a leaf with the same number, through which no gradient flows."""
        return derivative_graph.detach(self) if is_compiling() else Value(self._float, self.label)

    _without_history = protocols.without_history
    __lt__ = comparison(selection.less, operator.lt)
    __le__ = comparison(selection.less_equal, operator.le)
    __gt__ = comparison(selection.greater, operator.gt)
    __ge__ = comparison(selection.greater_equal, operator.ge)
    __eq__, __hash__ = protocols.equal, object.__hash__
    __float__, __int__, __bool__ = protocols.to_float, protocols.to_int, protocols.to_bool
    __round__, __format__ = protocols.rounded, protocols.formatted
    if not TYPE_CHECKING:  # type checkers then refuse range(value)
        __index__ = protocols.refuse_index
    __floor__, __ceil__, __trunc__ = refused("floor"), refused("ceil"), refused("trunc")

    def __repr__(self) -> str:
        op = f", op={str(self.op)!r}" if self.op is not None else ""
        label = f", label={self.label!r}" if self.label else ""
        return f"Value(data={self._float!r}, grad={self.grad!r}{op}{label})"


def as_node(number: Any) -> Any:
    """Return a number as a leaf Value, a Value or Symbol unchanged."""
    return number if isinstance(number, Node) else Value(number)


Node.constant = staticmethod(as_node)

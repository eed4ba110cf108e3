"""Symbol: a number not known yet. Computing with it builds a graph and computes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from microgradlib._support.shown import shown
from microgradlib.core.lost_derivatives import TRANSFORMS
from microgradlib.core.modes import MODES_IN_USE, finish, is_compiling
from microgradlib.core.node import Node
from microgradlib.core.operators import operator
from microgradlib.core.protocols import is_left_to_others, refuse, refuse_float, refused_property, without_history
from microgradlib.core.value import Value, as_node
from microgradlib.ops import Op, derivative_graph, selection

__all__ = ["Symbol"]


class Symbol(Node):
    """A number not known yet, by the name `label`. A Value met by a Symbol gives a Symbol.

    `evaluate(output, {x: 2.0})` computes; `gradients(output, [x])` differentiates before any number is known. A
    comparison gives a Symbol that will be 0 or 1, to be used in `where`. Reading `.data`, or using a Symbol as a truth
    value or a float, raises `SymbolHasNoValueError`.

    >>> from microgradlib import evaluate, where
    >>> x = Symbol("x")
    >>> ramp = where(x > 0, x, 0.0)
    >>> ramp, evaluate(ramp, {x: -2.0})
    (Symbol(op='where'), 0.0)
    """

    __slots__ = ("__weakref__",)
    _fields: ClassVar[tuple[str, ...]] = ("op", "_left", "_right", "label")

    def __init__(self, label: str) -> None:
        if not isinstance(label, str) or not label.strip():
            message = f'a Symbol needs a name, as in Symbol("x"), got {shown(label)}'
            raise TypeError(message)
        self.op = None
        self._left = self._right = None
        self.label = label

    @staticmethod
    def __apply_op__(op: Op, inputs: tuple[Any, ...]) -> Any:
        """Make the node op(*inputs): the op and its inputs, nothing computed."""
        parents = inputs
        if not _NODES.issuperset(map(type, inputs)):
            if any(map(is_left_to_others, inputs)):
                return NotImplemented
            parents = tuple(map(as_node, inputs))
        node = object.__new__(Symbol)
        node.op = op
        node.label = ""
        node._left, node._right = parents if len(parents) == 2 else (parents[0] if len(parents) == 1 else parents, None)
        return finish(node) if MODES_IN_USE else node

    data = refused_property(
        "has no number yet: evaluate(output, {symbol: 2.0}) computes, define_op makes a rule of your own an op"
    )
    grad = refused_property("has no gradient stored: gradients(output, [symbol]) gives it as an expression")
    local_derivatives = refused_property("has no local derivatives in numbers: gradients(output, [symbol]) has them")
    backward = refused_property("cannot run backward: gradients(output, [symbol]) gives derivatives as expressions")

    def detach(self) -> Symbol:
        """Return a Symbol of the same value, through which no gradient flows."""
        return derivative_graph.detach(self)

    _without_history = without_history

    __lt__ = operator(selection.less)
    __le__ = operator(selection.less_equal)
    __gt__ = operator(selection.greater)
    __ge__ = operator(selection.greater_equal)

    def __eq__(self, other: object) -> Any:
        """Return whether both are one node. In compiled or differentiated functions, raise: == compares numbers."""
        if (is_compiling() or TRANSFORMS.get()) and isinstance(other, (Node, float, int)):
            refuse(
                self,
                "cannot be compared by == yet, as its number is not known: write where(abs(x - k) < 0.5, a, b) for an "
                "if on a label, or take a cost from microgradlib.costs, which take labels",
            )
        return self is other

    __hash__ = object.__hash__

    def __bool__(self) -> NoReturn:  # noqa: PLE0304  it always raises
        refuse(self, "has no truth value yet: write where(condition, a, b) for if/else, maximum(a, b) for max(a, b)")

    if not TYPE_CHECKING:  # type checkers then refuse float(symbol), and see that value + symbol is a Symbol

        def __index__(self) -> NoReturn:  # noqa: PLE0305  it always raises
            refuse(
                self,
                "cannot be an index or a count, as its number is not known yet: look rows up by nn.Embedding, and give "
                "labels to a cost from microgradlib.costs",
            )

        def __format__(self, specification: str) -> str:
            if specification:
                refuse(self, "has no number to be written in a format yet: evaluate(x, {…}) gives one")
            return repr(self)

        def _refuse_logic(self, *_: object) -> NoReturn:
            refuse(
                self,
                "cannot be joined by &, | or ~: of conditions, which are 0 or 1, write a * b for both, maximum(a, b) "
                "for either, 1 - a for not",
            )

        __and__ = __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = __invert__ = _refuse_logic

        __float__ = __int__ = __floor__ = __ceil__ = __trunc__ = __round__ = refuse_float

    def __repr__(self) -> str:
        return f"Symbol({self.label!r})" if self.op is None else f"Symbol(op={str(self.op)!r})"


_NODES = frozenset({Symbol, Value})

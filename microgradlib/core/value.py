"""Value: a number that remembers how it was made."""

from __future__ import annotations

from operator import mul
from typing import TYPE_CHECKING, Any

from microgradlib._support.number import PLAIN_NUMBERS, as_float, is_array, is_foreign
from microgradlib.core.autodiff import accumulate, grad_table
from microgradlib.core.graph import topological_sort
from microgradlib.core.known_number import KnownNumber, is_other_node
from microgradlib.core.modes import check_gradients, check_value, current_mode, is_compiling, refuse_unknown, users_line
from microgradlib.core.node import Node
from microgradlib.ops import Op, activations, arithmetic, reductions, selection

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["NO_HISTORY", "Value", "as_node", "weighted_sum"]

_new = object.__new__
_add, _mul, _relu, _dot = arithmetic.add, arithmetic.mul, activations.relu, reductions.dot
_ONES = (1.0, 1.0)


class _NoHistory(tuple):  # type: ignore[type-arg]  # always empty
    __slots__ = ()

    def __reduce__(self) -> str:
        return "NO_HISTORY"


NO_HISTORY = _NoHistory()
"""The local derivatives of a result computed under `no_grad()`, by which it is told from a leaf that the user made."""


class Value(KnownNumber):
    """A number that remembers how it was made, and so can be differentiated.

    `data`: the number, a float. `grad`: ∂output/∂self after `output.backward()`. `op`: the op that made it, None for a
    leaf. `parents`: the op's inputs. `local_derivatives`: ∂self/∂parent for each parent, recorded when the node is
    made. `label`: a name for drawings. Raises `TypeError` for what is not one real number.

    >>> x = Value(3.0, label="x")
    >>> y = x * x + 1
    >>> y.data, y.op.symbol, y.parents[0].local_derivatives
    (10.0, '+', (3.0, 3.0))
    >>> y.backward()
    >>> x.grad
    6.0
    """

    __slots__ = ("__weakref__", "grad", "local_derivatives")
    _fields = ("_data", "grad", "op", "parents", "local_derivatives", "label")

    _data: float
    grad: float
    local_derivatives: tuple[float, ...]
    parents: tuple[Value, ...]

    def __init__(self, data: Any, label: str = "") -> None:
        self._data = data if data.__class__ is float else as_float(data)
        if label.__class__ is not str:
            message = f"a label is text, got {label!r}; parents and ops are recorded by operations"
            raise TypeError(message)
        self.grad = 0.0
        self.op = None
        self.parents = ()
        self.local_derivatives = ()
        self.label = label

    @property
    def data(self) -> float:
        """The number; assign to it to change a leaf, as in `p.data -= rate * p.grad`."""
        if current_mode() is not None:
            refuse_unknown(self)
        return self._data

    @data.setter
    def data(self, number: Any) -> None:
        self._data = number if number.__class__ is float else as_float(number)

    @staticmethod
    def __apply_op__(op: Op, inputs: tuple[Any, ...]) -> Any:
        """Make the node op(*inputs): its value and its local derivatives, by the op's record."""
        parents: tuple[Value, ...] = inputs
        for x in inputs:
            if x.__class__ is not Value:
                if any(_is_for_others(x) for x in inputs):
                    return NotImplemented
                parents = tuple([x if isinstance(x, Value) else Value(x) for x in inputs])
                break
        data, local_derivatives = op.record([parent._data for parent in parents])
        mode = current_mode()
        if mode is not None:
            if mode.watching:
                check_value(op, data, parents)
            if not mode.recording and mode.unknown is not None and op is not selection.detach:
                return selection.detach(_node(data, op, parents, local_derivatives))
            if not mode.recording and mode.unknown is None:
                node = Value(data)
                node.local_derivatives = NO_HISTORY
                return node
        node = _node(data, op, parents, local_derivatives)
        if mode is not None and mode.tracing:
            mode.lines[node] = users_line()
        return node

    # Hot paths: what __apply_op__ does for +, * and relu, and (weighted_sum, below) for dot, spelt out for speed
    # when no mode is on. A test holds each to the table, bit for bit.

    def __add__(self, other: Any) -> Value:
        """Return self + other."""
        if other.__class__ is not Value or current_mode() is not None:
            plain = other.__class__ in PLAIN_NUMBERS and current_mode() is None
            return self + Value(other) if plain else Node.__add__(self, other)
        node: Value = _new(Value)
        node._data = self._data + other._data
        node.grad = 0.0
        node.op = _add
        node.parents = (self, other)
        node.local_derivatives = _ONES
        node.label = ""
        return node

    def __mul__(self, other: Any) -> Value:
        """Return self × other."""
        if other.__class__ is not Value or current_mode() is not None:
            plain = other.__class__ in PLAIN_NUMBERS and current_mode() is None
            return self * Value(other) if plain else Node.__mul__(self, other)
        node: Value = _new(Value)
        data, factor = self._data, other._data
        node._data = data * factor
        node.grad = 0.0
        node.op = _mul
        node.parents = (self, other)
        node.local_derivatives = (factor, data)
        node.label = ""
        return node

    def __radd__(self, other: Any) -> Value:
        """Return other + self; 0 + x, with which Python's `sum` begins, is x itself."""
        if other.__class__ is int and other == 0:
            mode = current_mode()
            if mode is None or mode.recording:
                return self
        return Value(other) + self if other.__class__ in PLAIN_NUMBERS else Node.__radd__(self, other)

    def __rmul__(self, other: Any) -> Value:
        """Return other × self."""
        return Value(other) * self if other.__class__ in PLAIN_NUMBERS else Node.__rmul__(self, other)

    def relu(self) -> Value:
        """Return max(0, x)."""
        data = self._data
        if data > 0:
            if current_mode() is None:
                return _node(data, _relu, (self,), (1.0,))
        elif data < 0 and current_mode() is None:
            return _node(0.0, _relu, (self,), (0.0,))
        return Node.relu(self)

    def backward(self, seed: float = 1.0) -> None:
        """Set `grad` of every node below this one to ∂self/∂node, by a fresh `grad_table` (Algorithm 6.2).

        Leaves add the new gradient to what they hold, so that losses may be summed by several calls; inner nodes show
        this pass alone. `seed` is ∂L/∂self if self is not itself the loss.
        """
        seed = as_float(seed)
        mode = current_mode()
        if mode is not None and mode.watching:
            check_gradients(grad_table(self, seed), mode.lines)
        order = topological_sort(self)
        for node in order:
            if node.parents:
                node.grad = 0.0
        self.grad = seed if self.parents else self.grad + seed
        accumulate(order)

    def detach(self) -> Value:
        """Return a leaf with the same number: gradients stop there."""
        if is_compiling():
            return selection.detach(self)
        return Value(self._data, self.label)

    @staticmethod
    def constant(number: float | Node) -> Any:
        """Return a number as a leaf Value; a node stays itself."""
        return as_node(number)

    def __format__(self, specification: str) -> str:
        return format(self._data, specification) if specification else repr(self)

    def __repr__(self) -> str:
        op = f", op={str(self.op)!r}" if self.op is not None else ""
        label = f", label={self.label!r}" if self.label else ""
        return f"Value(data={self._data!r}, grad={self.grad!r}{op}{label})"


_ALL_VALUES = {Value}


def _node(data: float, op: Op, parents: tuple[Value, ...], local_derivatives: tuple[float, ...]) -> Value:
    node: Value = _new(Value)
    node._data = data
    node.grad = 0.0
    node.op = op
    node.parents = parents
    node.local_derivatives = local_derivatives
    node.label = ""
    return node


def as_node(number: Any) -> Any:
    """Return a number as a leaf Value; a Value or Symbol stays itself."""
    return number if isinstance(number, Node) else Value(number)


def weighted_sum(weights: Sequence[Any], inputs: Sequence[Any], bias: Any = None) -> Any:
    """Return Σ wᵢ xᵢ (+ b) as one node: the op dot, with a hot path for Values. Lengths are the caller's to check."""
    terms = (*weights, *inputs) if bias is None else (*weights, *inputs, bias)
    if current_mode() is not None or set(map(type, terms)) != _ALL_VALUES:
        return _dot(*terms)
    w = [weight._data for weight in weights]
    x = [number._data for number in inputs]
    if bias is None:
        return _node(sum(map(mul, w, x)), _dot, terms, (*x, *w))
    return _node(sum(map(mul, w, x), bias._data), _dot, terms, (*x, *w, 1.0))


def _is_for_others(thing: Any) -> bool:
    """Say whether an op with this input is not a Value's to make: arrays, Symbols, and classes we do not know."""
    if thing.__class__ is Value or thing.__class__ in PLAIN_NUMBERS:
        return False
    return is_array(thing) or is_other_node(thing) or is_foreign(thing)

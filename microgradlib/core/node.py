"""Node: what Values and Symbols share, operators and methods. Each builds a node by an op of the table."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from microgradlib._support.number import PLAIN_NUMBERS, as_float, is_foreign
from microgradlib.core.copying import copy_graph, fields_of, rebuild, reduce_graph
from microgradlib.ops import activations, arithmetic, exponential, selection, trigonometric

if TYPE_CHECKING:
    from typing_extensions import Self

    from microgradlib.ops import Op

__all__ = ["Node"]

S = TypeVar("S", bound="Node")


def _operator(op: Op, left: Any, right: Any, node: S, other: Any) -> S:
    """Apply a binary operator by the node's own class, by the op (arrays, mixed nodes), or let an unknown class try."""
    result: S = node.__apply_op__(op, (left, right))
    if result is NotImplemented and not is_foreign(other):
        result = op(left, right)
    return result


class Node:
    """A node of a computation graph: one number, known (`Value`) or not yet (`Symbol`), and how it was made.

    `op` is None for a leaf; `parents` are the op's inputs in order, repeats kept. `==` and `hash` go by identity.
    """

    __slots__ = ("label", "op", "parents")
    __array_ufunc__ = None  # NumPy's scalars and arrays then leave the operators to us

    _fields: ClassVar[tuple[str, ...]]
    op: Op | None
    parents: tuple[Node, ...]
    label: str

    @staticmethod
    def __apply_op__(op: Op, inputs: tuple[Any, ...]) -> Any:
        """Make the node op(*inputs), or return NotImplemented if another class should."""
        raise NotImplementedError

    @property
    def data(self) -> float:
        """The number."""
        raise NotImplementedError

    @staticmethod
    def constant(number: float | Node) -> Any:
        """Return a number as a leaf that may stand in a graph with this node."""
        raise NotImplementedError

    def _apply(self, op: Op) -> Self:
        node: Self = self.__apply_op__(op, (self,))
        return node

    def __add__(self, other: Any) -> Self:
        return _operator(arithmetic.add, self, other, self, other)

    def __radd__(self, other: Any) -> Self:
        return _operator(arithmetic.add, other, self, self, other)

    def __sub__(self, other: Any) -> Self:
        return _operator(arithmetic.sub, self, other, self, other)

    def __rsub__(self, other: Any) -> Self:
        return _operator(arithmetic.sub, other, self, self, other)

    def __mul__(self, other: Any) -> Self:
        return _operator(arithmetic.mul, self, other, self, other)

    def __rmul__(self, other: Any) -> Self:
        return _operator(arithmetic.mul, other, self, self, other)

    def __truediv__(self, other: Any) -> Self:
        return _operator(arithmetic.div, self, other, self, other)

    def __rtruediv__(self, other: Any) -> Self:
        return _operator(arithmetic.div, other, self, self, other)

    def __pow__(self, other: Any) -> Self:
        if other.__class__ in PLAIN_NUMBERS or isinstance(other, Real):  # part of the op, as in **2, and no parent
            return self._apply(arithmetic.pow.bind(as_float(other)))
        return _operator(arithmetic.pow, self, other, self, other)

    def __rpow__(self, other: Any) -> Self:
        return _operator(arithmetic.pow, other, self, self, other)

    def __neg__(self) -> Self:
        return self._apply(arithmetic.neg)

    def __pos__(self) -> Self:
        return self

    def __abs__(self) -> Self:
        return self._apply(selection.abs)

    def abs(self) -> Self:
        """Return |x|."""
        return self._apply(selection.abs)

    def exp(self) -> Self:
        """Return eˣ."""
        return self._apply(exponential.exp)

    def log(self) -> Self:
        """Return ln x; −inf at 0, nan below."""
        return self._apply(exponential.log)

    def sqrt(self) -> Self:
        """Return √x; nan below 0."""
        return self._apply(exponential.sqrt)

    def sin(self) -> Self:
        """Return sin x, x in radians."""
        return self._apply(trigonometric.sin)

    def cos(self) -> Self:
        """Return cos x, x in radians."""
        return self._apply(trigonometric.cos)

    def tan(self) -> Self:
        """Return tan x, x in radians."""
        return self._apply(trigonometric.tan)

    def tanh(self) -> Self:
        """Return tanh x."""
        return self._apply(trigonometric.tanh)

    def sigmoid(self) -> Self:
        """Return σ(x) = 1/(1 + e⁻ˣ)."""
        return self._apply(activations.sigmoid)

    def relu(self) -> Self:
        """Return max(0, x)."""
        return self._apply(activations.relu)

    def leaky_relu(self, slope: float = 0.01) -> Self:
        """Return max(0, x) + slope · min(0, x)."""
        return activations.leaky_relu(self, slope)

    def elu(self, scale: float = 1.0) -> Self:
        """Return x above 0 and scale · (eˣ − 1) below."""
        return activations.elu(self, scale)

    def softplus(self) -> Self:
        """Return ln(1 + eˣ)."""
        return self._apply(activations.softplus)

    def clip(self, low: float, high: float) -> Self:
        """Return min(max(x, low), high)."""
        return selection.clip(self, low, high)

    def __copy__(self) -> Self:
        return rebuild(type(self), None, fields_of(self))

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return copy_graph(self, memo)

    def __reduce_ex__(self, _protocol: Any) -> tuple[Any, ...]:
        return reduce_graph(self)

    # What programs written for micrograd's Value read, as in its graph-tracing notebook.
    @property
    def _prev(self) -> tuple[Node, ...]:
        return self.parents

    @property
    def _op(self) -> str:
        return str(self.op) if self.op is not None else ""

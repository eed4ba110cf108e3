"""Node: the operators and methods that Value and Symbol share. Each makes a node by an op of the table.

For Value, `core.hot_paths` replaces the most used of them by faster ones with the same results.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, SupportsFloat

from microgradlib.core.absent_attributes import ABSENT, add_absent_attributes
from microgradlib.core.copying import copy_graph, copy_node
from microgradlib.core.graph import GraphNode
from microgradlib.core.modes import is_recording
from microgradlib.core.operators import (
    div_mod,
    matrix_product,
    method,
    operator,
    positive,
    power_of,
    reflected,
    reflected_div_mod,
)
from microgradlib.core.pickling import reduce_graph
from microgradlib.core.ufuncs import add_object_methods, array_function, array_ufunc
from microgradlib.ops import Op, activations, arithmetic, exponential, selection, trigonometric

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Self

__all__ = ["Node"]


class Node(GraphNode):
    """A node of a computation graph: one number, known (`Value`) or not yet (`Symbol`), and the op that made it.

    `op` is None for a leaf; `parents` are the op's inputs in order, repeats kept. `==` and `hash` go by identity.
    """

    __slots__ = ("label", "op")
    __array_ufunc__ = array_ufunc  # NumPy's functions on nodes
    __array_function__ = array_function

    _fields: ClassVar[tuple[str, ...]]
    """The slots that copies and pickles keep."""
    constant: Callable[[Any], Any]
    """constant(x) returns a number as a leaf Value, a node unchanged. Set in `core.value`."""
    op: Op | None
    label: str
    data: float
    local_derivatives: tuple[float, ...]

    @staticmethod
    def __apply_op__(op: Op, inputs: tuple[Any, ...]) -> Any:
        """Return the node op(*inputs), or NotImplemented for inputs that another class has to take."""
        raise NotImplementedError

    __add__ = operator(arithmetic.add)
    __sub__ = operator(arithmetic.sub)
    __rsub__ = reflected(arithmetic.sub)
    __mul__ = operator(arithmetic.mul)
    __rmul__ = reflected(arithmetic.mul)
    __truediv__ = operator(arithmetic.div)
    __rtruediv__ = reflected(arithmetic.div)
    __mod__ = operator(arithmetic.mod)
    __rmod__ = reflected(arithmetic.mod)
    __floordiv__ = operator(arithmetic.floordiv)
    __rfloordiv__ = reflected(arithmetic.floordiv)
    __divmod__, __rdivmod__ = div_mod, reflected_div_mod
    __pow__ = power_of
    __rpow__ = reflected(arithmetic.pow)
    __pos__ = positive
    if not TYPE_CHECKING:  # type checkers then refuse value @ value
        __matmul__ = __rmatmul__ = matrix_product
    __neg__ = method(arithmetic.neg)
    __abs__ = abs = method(selection.abs)
    exp = method(exponential.exp)
    log = method(exponential.log)
    sqrt = method(exponential.sqrt)
    sin = method(trigonometric.sin)
    cos = method(trigonometric.cos)
    tan = method(trigonometric.tan)
    tanh = method(trigonometric.tanh)
    sigmoid = method(activations.sigmoid)
    relu = method(activations.relu)
    softplus = method(activations.softplus)

    def __radd__(self, other: SupportsFloat | Self) -> Self:
        """Return other + self; 0 + x, with which Python's `sum` begins, is x itself."""
        if other.__class__ is int and other == 0 and is_recording():
            return self
        return reflected(arithmetic.add)(self, other)

    def leaky_relu(self, slope: float = 0.01) -> Self:
        """Return max(0, x) + slope · min(0, x)."""
        return activations.leaky_relu(self, slope)

    def elu(self, scale: float = 1.0) -> Self:
        """Return x if x > 0, else scale · (eˣ − 1)."""
        return activations.elu(self, scale)

    def clip(self, low: float, high: float) -> Self:
        """Return min(max(x, low), high)."""
        return selection.clip(self, low, high)

    __copy__, __deepcopy__, __reduce_ex__ = copy_node, copy_graph, reduce_graph

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if name not in ABSENT]


add_object_methods(Node)
add_absent_attributes(Node)

"""How ops are called, for type checkers: floats give a float, Values a Value, Symbols a Symbol, arrays an array."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, SupportsFloat, SupportsIndex, TypeAlias, TypeVar, overload

from microgradlib.ops.record import Op

if TYPE_CHECKING:
    from fractions import Fraction

__all__ = [
    "Binary", "PlainNumber", "SupportsArray", "SupportsIsInteger", "SupportsOps", "Ternary", "Unary", "Variadic",
    "WithSetting",
]  # fmt: skip


class SupportsOps(Protocol):
    """A node, of a class that makes nodes by the ops of the table."""

    @staticmethod
    def __apply_op__(op: Any, inputs: tuple[Any, ...], /) -> Any:
        """Make the node op(*inputs), or return NotImplemented."""


class SupportsArray(Protocol):
    """A NumPy array, or what NumPy takes for one: ops work on its elements."""

    def __array__(self) -> Any:
        """Return the NumPy array."""


class SupportsIsInteger(Protocol):
    """A float or a NumPy scalar: what nodes and arrays are not."""

    def is_integer(self) -> bool:
        """Return whether the number is whole."""


PlainNumber: TypeAlias = "float | SupportsIndex | SupportsIsInteger | Fraction"
"""A number of Python's or NumPy's, no node: where a list of them gives a float, a list with a Value gives a Value."""

N = TypeVar("N", bound=SupportsOps)


class Unary(Op):
    """An op of one input."""

    if TYPE_CHECKING:

        @overload
        def __call__(self, x: N, /) -> N: ...
        @overload
        def __call__(self, x: float, /) -> float: ...
        @overload
        def __call__(self, x: SupportsArray, /) -> Any: ...
        @overload
        def __call__(self, x: SupportsFloat, /) -> float: ...
        def __call__(self, x: Any, /) -> Any: ...  # noqa: D102


class Binary(Op):
    """An op of two inputs."""

    if TYPE_CHECKING:

        @overload
        def __call__(self, x: N, y: N | float, /) -> N: ...
        @overload
        def __call__(self, x: float, y: N, /) -> N: ...
        @overload
        def __call__(self, x: float, y: float, /) -> float: ...
        @overload
        def __call__(self, x: SupportsArray, y: N | SupportsArray | SupportsFloat, /) -> Any: ...
        @overload
        def __call__(self, x: N | SupportsFloat, y: SupportsArray, /) -> Any: ...
        @overload
        def __call__(self, x: N, y: SupportsFloat, /) -> N: ...
        @overload
        def __call__(self, x: SupportsFloat, y: N, /) -> N: ...
        @overload
        def __call__(self, x: SupportsFloat, y: SupportsFloat, /) -> float: ...
        def __call__(self, x: Any, y: Any, /) -> Any: ...  # noqa: D102


class WithSetting(Op):
    """An op of one input and a number that may be left out, as the slope of `leaky_relu`."""

    if TYPE_CHECKING:

        @overload
        def __call__(self, x: N, setting: N | SupportsFloat = ..., /) -> N: ...
        @overload
        def __call__(self, x: float, setting: float = ..., /) -> float: ...
        @overload
        def __call__(self, x: SupportsFloat, setting: N, /) -> N: ...
        @overload
        def __call__(self, x: SupportsArray, setting: N | SupportsArray | SupportsFloat = ..., /) -> Any: ...
        @overload
        def __call__(self, x: SupportsFloat, setting: SupportsFloat = ..., /) -> float: ...
        def __call__(self, x: Any, setting: Any = ..., /) -> Any: ...  # noqa: D102


class Ternary(Op):
    """An op of three inputs."""

    if TYPE_CHECKING:

        @overload
        def __call__(self, x: N | SupportsFloat, y: N | SupportsFloat, z: N, /) -> N: ...
        @overload
        def __call__(self, x: N | SupportsFloat, y: N, z: N | SupportsFloat, /) -> N: ...
        @overload
        def __call__(self, x: N, y: N | SupportsFloat, z: N | SupportsFloat, /) -> N: ...
        @overload
        def __call__(self, x: SupportsFloat, y: SupportsFloat, z: SupportsFloat, /) -> float: ...
        @overload
        def __call__(self, x: Any, y: Any, z: SupportsArray, /) -> Any: ...
        @overload
        def __call__(self, x: Any, y: SupportsArray, z: Any, /) -> Any: ...
        @overload
        def __call__(self, x: SupportsArray, y: Any, z: Any, /) -> Any: ...
        def __call__(self, x: Any, y: Any, z: Any, /) -> Any: ...  # noqa: D102


class Variadic(Op):
    """An op of any number of inputs."""

    if TYPE_CHECKING:

        @overload
        def __call__(self, /, *xs: PlainNumber) -> float: ...
        @overload
        def __call__(self, /, *xs: N | PlainNumber) -> N: ...
        @overload
        def __call__(self, /, *xs: N | PlainNumber | SupportsArray) -> Any: ...
        def __call__(self, /, *xs: Any) -> Any: ...  # noqa: D102

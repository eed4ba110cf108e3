"""Types of the arguments of optimisers: parameters, learning rates, gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

if TYPE_CHECKING:
    from microgradlib.core.value import Value

__all__ = ["Array", "ArrayT", "Gradient", "Parameters", "Rate", "Schedule", "UpdateRule"]


class Array(Protocol):
    """The attributes of a NumPy array that are used: NumPy is optional, so its types are not imported."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis."""

    @property
    def size(self) -> int:
        """The number of elements."""

    @property
    def dtype(self) -> Any:
        """The type of the elements."""

    def tolist(self) -> Any:
        """Return the elements as nested lists of Python numbers."""

    def __setitem__(self, key: Any, value: Any, /) -> None: ...


ArrayT = TypeVar("ArrayT", bound=Array)

Parameters: TypeAlias = "Value | Array | Iterable[Value | Mapping[str, Any]]"
"""Leaf Values, as `model.parameters()` gives them, or one NumPy array of floats, or groups: dicts with "params"."""

Schedule: TypeAlias = Callable[[int], float]
"""A learning rate that changes: a function of the step number 0, 1, 2, …"""

Rate: TypeAlias = float | Schedule
"""A learning rate."""

Gradient: TypeAlias = Sequence[float] | Array
"""One number for each parameter, in their order; for an array of parameters, an array of the same shape."""


class UpdateRule(Protocol):
    """What the parts of an optimiser use of it: its rule, its settings, and how a group is set."""

    maximize: bool

    @property
    def lr(self) -> Rate:
        """The learning rate of groups that have none of their own."""

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of groups that have none of their own."""

    @property
    def param_groups(self) -> Any:
        """The groups as mappings."""

    def configure(self, group: Any, own: Mapping[str, Any]) -> None:
        """Set the learning rate and settings of a group."""

    def update(self, xp: Any, t: int, lr: float, p: Any, g: Any, *buffers: Any, **_: Any) -> tuple[Any, ...]:
        """Return the new parameter, then the new buffers."""

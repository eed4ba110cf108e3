"""Types of the arguments of `fit` and `score`: examples, losses, optimizers, callbacks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

if TYPE_CHECKING:
    from microgradlib.core.node import Node
    from microgradlib.core.value import Value
    from microgradlib.nn import Module
    from microgradlib.training.history import History

__all__ = ["Callback", "LabelledData", "Loss", "ModelT", "OneOrMore", "OptimizerLike", "Rows", "SupportsStep"]

ModelT = TypeVar("ModelT", bound="Module")
T = TypeVar("T")


class Rows(Protocol):
    """One entry for each example: a list, a tuple or a NumPy array."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Any]: ...

    def __getitem__(self, index: int, /) -> Any: ...


class LabelledData(Protocol):
    """A data set with inputs and targets, such as `data.Dataset`."""

    @property
    def inputs(self) -> Rows:
        """The inputs, one for each example."""

    @property
    def targets(self) -> Rows:
        """The targets, one for each input."""


class SupportsStep(Protocol):
    """An optimizer: `step()` updates its parameters by their `grad`."""

    def step(self) -> object:
        """Update the parameters."""


OptimizerLike: TypeAlias = "SupportsStep | Callable[[list[Value]], SupportsStep]"
"""An optimizer, or a function of the model's parameters that makes one, such as the class `Adam`."""

Loss: TypeAlias = "Callable[[Any, Any], Node | float]"
"""L(output, target), the cost of one example."""

Callback: TypeAlias = "Callable[[ModelT, History], object]"
"""A function called with the model and the history before the first epoch and after each; True ends the training."""

OneOrMore: TypeAlias = T | Sequence[T] | None
"""One function, a list of them, or none."""

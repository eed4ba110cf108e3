"""The signatures of costs, for type checkers: floats give a float, Values a Value, Symbols a Symbol."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, TypedDict, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Never, Unpack

    from microgradlib.core.symbol import Symbol
    from microgradlib.core.value import Value
    from microgradlib.nn.vectors import Number, Vector
    from microgradlib.ops.signatures import PlainNumber

    Floats = PlainNumber
    Values = Value | PlainNumber  # at least one Value, among the outputs or the targets
    Symbols = Symbol | Value | PlainNumber  # at least one Symbol, among the outputs

__all__ = [
    "ClassCost", "Cost", "CostOfPairs", "LogitCost", "SoftmaxCost", "as_class_cost", "as_cost", "as_cost_of_pairs",
    "as_logit_cost", "as_softmax_cost",
]  # fmt: skip

T = TypeVar("T")

Outputs: TypeAlias = T | Collection[T | Collection[T]]
"""The output of an example, a number or several, or a list of outputs, one for each example of a batch."""

Vectors: TypeAlias = Collection[T | Collection[T]]
"""The output of an example, several numbers, or a list of outputs, one for each example of a batch."""

Pair: TypeAlias = tuple[T | Collection[T], T | Collection[T]]
Pairs: TypeAlias = Pair[T] | list[Pair[T]]
"""The pair (mean, precision) of an example, each a number or a list with one for each component; a list is a batch."""

Untyped: TypeAlias = "Collection[Collection[Never]]"
"""A list, or list of lists, of outputs of type Any, such as a Module's; no other type matches. Their cost is Any."""

Targets: TypeAlias = "Number | Vector | Collection[Vector]"
"""The target of an example, a number or several, or a list of targets, one for each example of a batch."""

Weights: TypeAlias = "Collection[float] | None"
"""One number for each class."""

Reduced: TypeAlias = Literal["sum", "mean"] | None
"""The reductions that return one cost."""

Unreduced: TypeAlias = Literal["none"]
"""The reduction that returns a list of costs."""


class Cost(Protocol):
    """A cost computed component by component."""

    @overload
    def __call__(self, output: Untyped, target: Targets, *, reduction: Reduced | Unreduced = None) -> Any: ...
    @overload
    def __call__(self, output: Outputs[Floats], target: Outputs[Floats], *, reduction: Reduced = None) -> float: ...
    @overload
    def __call__(self, output: Outputs[Floats], target: Outputs[Floats], *, reduction: Unreduced) -> list[float]: ...
    @overload
    def __call__(self, output: Outputs[Values], target: Targets, *, reduction: Reduced = None) -> Value: ...
    @overload
    def __call__(self, output: Outputs[Values], target: Targets, *, reduction: Unreduced) -> list[Value]: ...
    @overload
    def __call__(self, output: Outputs[Symbols], target: Targets, *, reduction: Reduced = None) -> Symbol: ...
    @overload
    def __call__(self, output: Outputs[Symbols], target: Targets, *, reduction: Unreduced) -> list[Symbol]: ...


class LogitCost(Protocol):
    """A cost of logits of two classes."""

    @overload
    def __call__(
        self, output: Untyped, target: Targets, *, pos_weight: float = 1.0, reduction: Reduced | Unreduced = None
    ) -> Any: ...
    @overload
    def __call__(
        self, output: Outputs[Floats], target: Outputs[Floats], *, pos_weight: float = 1.0, reduction: Reduced = None
    ) -> float: ...
    @overload
    def __call__(
        self, output: Outputs[Floats], target: Outputs[Floats], *, pos_weight: float = 1.0, reduction: Unreduced
    ) -> list[float]: ...
    @overload
    def __call__(
        self, output: Outputs[Values], target: Targets, *, pos_weight: float = 1.0, reduction: Reduced = None
    ) -> Value: ...
    @overload
    def __call__(
        self, output: Outputs[Values], target: Targets, *, pos_weight: float = 1.0, reduction: Unreduced
    ) -> list[Value]: ...
    @overload
    def __call__(
        self, output: Outputs[Symbols], target: Targets, *, pos_weight: float = 1.0, reduction: Reduced = None
    ) -> Symbol: ...
    @overload
    def __call__(
        self, output: Outputs[Symbols], target: Targets, *, pos_weight: float = 1.0, reduction: Unreduced
    ) -> list[Symbol]: ...


class ClassCost(Protocol):
    """A cost of outputs with one number for each class."""

    @overload
    def __call__(
        self, output: Untyped, target: Targets, *, weight: Weights = None, reduction: Reduced | Unreduced = None
    ) -> Any: ...
    @overload
    def __call__(
        self, output: Vectors[Floats], target: Outputs[Floats], *, weight: Weights = None, reduction: Reduced = None
    ) -> float: ...
    @overload
    def __call__(
        self, output: Vectors[Floats], target: Outputs[Floats], *, weight: Weights = None, reduction: Unreduced
    ) -> list[float]: ...
    @overload
    def __call__(
        self, output: Vectors[Values], target: Targets, *, weight: Weights = None, reduction: Reduced = None
    ) -> Value: ...
    @overload
    def __call__(
        self, output: Vectors[Values], target: Targets, *, weight: Weights = None, reduction: Unreduced
    ) -> list[Value]: ...
    @overload
    def __call__(
        self, output: Vectors[Symbols], target: Targets, *, weight: Weights = None, reduction: Reduced = None
    ) -> Symbol: ...
    @overload
    def __call__(
        self, output: Vectors[Symbols], target: Targets, *, weight: Weights = None, reduction: Unreduced
    ) -> list[Symbol]: ...


class SoftmaxOptions(TypedDict, total=False):
    """The options of a `SoftmaxCost` but for its reduction."""

    weight: Weights
    label_smoothing: float
    ignore_index: int | None


class SoftmaxCost(Protocol):
    """A cost of the logits of a softmax."""

    @overload
    def __call__(
        self, output: Untyped, target: Targets, *, reduction: Reduced | Unreduced = None, **o: Unpack[SoftmaxOptions]
    ) -> Any: ...
    @overload
    def __call__(
        self,
        output: Vectors[Floats],
        target: Outputs[Floats],
        *,
        reduction: Reduced = None,
        **o: Unpack[SoftmaxOptions],
    ) -> float: ...
    @overload
    def __call__(
        self, output: Vectors[Floats], target: Outputs[Floats], *, reduction: Unreduced, **o: Unpack[SoftmaxOptions]
    ) -> list[float]: ...
    @overload
    def __call__(
        self, output: Vectors[Values], target: Targets, *, reduction: Reduced = None, **o: Unpack[SoftmaxOptions]
    ) -> Value: ...
    @overload
    def __call__(
        self, output: Vectors[Values], target: Targets, *, reduction: Unreduced, **o: Unpack[SoftmaxOptions]
    ) -> list[Value]: ...
    @overload
    def __call__(
        self, output: Vectors[Symbols], target: Targets, *, reduction: Reduced = None, **o: Unpack[SoftmaxOptions]
    ) -> Symbol: ...
    @overload
    def __call__(
        self, output: Vectors[Symbols], target: Targets, *, reduction: Unreduced, **o: Unpack[SoftmaxOptions]
    ) -> list[Symbol]: ...


class CostOfPairs(Protocol):
    """A cost of pairs (mean, precision)."""

    @overload
    def __call__(self, output: Untyped, target: Targets, *, reduction: Reduced | Unreduced = None) -> Any: ...
    @overload
    def __call__(self, output: Pairs[Floats], target: Outputs[Floats], *, reduction: Reduced = None) -> float: ...
    @overload
    def __call__(self, output: Pairs[Floats], target: Outputs[Floats], *, reduction: Unreduced) -> list[float]: ...
    @overload
    def __call__(self, output: Pairs[Values], target: Targets, *, reduction: Reduced = None) -> Value: ...
    @overload
    def __call__(self, output: Pairs[Values], target: Targets, *, reduction: Unreduced) -> list[Value]: ...
    @overload
    def __call__(self, output: Pairs[Symbols], target: Targets, *, reduction: Reduced = None) -> Symbol: ...
    @overload
    def __call__(self, output: Pairs[Symbols], target: Targets, *, reduction: Unreduced) -> list[Symbol]: ...


def as_cost(function: Callable[..., Any]) -> Cost:
    """Return the function itself, typed as a `Cost`."""
    typed: Cost = function
    return typed


def as_logit_cost(function: Callable[..., Any]) -> LogitCost:
    """Return the function itself, typed as a `LogitCost`."""
    typed: LogitCost = function
    return typed


def as_class_cost(function: Callable[..., Any]) -> ClassCost:
    """Return the function itself, typed as a `ClassCost`."""
    typed: ClassCost = function
    return typed


def as_softmax_cost(function: Callable[..., Any]) -> SoftmaxCost:
    """Return the function itself, typed as a `SoftmaxCost`."""
    typed: SoftmaxCost = function
    return typed


def as_cost_of_pairs(function: Callable[..., Any]) -> CostOfPairs:
    """Return the function itself, typed as a `CostOfPairs`."""
    typed: CostOfPairs = function
    return typed

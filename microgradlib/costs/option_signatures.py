"""The signatures of costs with options of their own, for type checkers: as `Cost`, with further keywords."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, TypedDict, overload

from microgradlib.costs.signatures import Outputs, Reduced, Targets, Unreduced, Untyped, Vectors, Weights

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Unpack

    from microgradlib.core.symbol import Symbol
    from microgradlib.core.value import Value
    from microgradlib.costs.signatures import Floats, Symbols, Values

__all__ = [
    "NLL", "Huber", "KLDiv", "PoissonNLL", "SmoothL1", "as_huber", "as_kl_div", "as_nll", "as_poisson_nll",
    "as_smooth_l1",
]  # fmt: skip


BatchMean: TypeAlias = Literal["batchmean"]
"""The reduction of `kl_div` to the mean over the examples, by PyTorch's name."""


class NLLOptions(TypedDict, total=False):
    """The options of `NLL`."""

    weight: Weights
    ignore_index: int | None


class NLL(Protocol):
    """A negative log-likelihood of log-probabilities, one for each class."""

    @overload
    def __call__(
        self, output: Untyped, target: Targets, *, reduction: Reduced | Unreduced = None, **o: Unpack[NLLOptions]
    ) -> Any: ...
    @overload
    def __call__(
        self, output: Vectors[Floats], target: Outputs[Floats], *, reduction: Reduced = None, **o: Unpack[NLLOptions]
    ) -> float: ...
    @overload
    def __call__(
        self, output: Vectors[Floats], target: Outputs[Floats], *, reduction: Unreduced, **o: Unpack[NLLOptions]
    ) -> list[float]: ...
    @overload
    def __call__(
        self, output: Vectors[Values], target: Targets, *, reduction: Reduced = None, **o: Unpack[NLLOptions]
    ) -> Value: ...
    @overload
    def __call__(
        self, output: Vectors[Values], target: Targets, *, reduction: Unreduced, **o: Unpack[NLLOptions]
    ) -> list[Value]: ...
    @overload
    def __call__(
        self, output: Vectors[Symbols], target: Targets, *, reduction: Reduced = None, **o: Unpack[NLLOptions]
    ) -> Symbol: ...
    @overload
    def __call__(
        self, output: Vectors[Symbols], target: Targets, *, reduction: Unreduced, **o: Unpack[NLLOptions]
    ) -> list[Symbol]: ...


class HuberOptions(TypedDict, total=False):
    """The options of `Huber`."""

    delta: float


class Huber(Protocol):
    """A Huber cost."""

    @overload
    def __call__(
        self, output: Untyped, target: Targets, *, reduction: Reduced | Unreduced = None, **o: Unpack[HuberOptions]
    ) -> Any: ...
    @overload
    def __call__(
        self, output: Outputs[Floats], target: Outputs[Floats], *, reduction: Reduced = None, **o: Unpack[HuberOptions]
    ) -> float: ...
    @overload
    def __call__(
        self, output: Outputs[Floats], target: Outputs[Floats], *, reduction: Unreduced, **o: Unpack[HuberOptions]
    ) -> list[float]: ...
    @overload
    def __call__(
        self, output: Outputs[Values], target: Targets, *, reduction: Reduced = None, **o: Unpack[HuberOptions]
    ) -> Value: ...
    @overload
    def __call__(
        self, output: Outputs[Values], target: Targets, *, reduction: Unreduced, **o: Unpack[HuberOptions]
    ) -> list[Value]: ...
    @overload
    def __call__(
        self, output: Outputs[Symbols], target: Targets, *, reduction: Reduced = None, **o: Unpack[HuberOptions]
    ) -> Symbol: ...
    @overload
    def __call__(
        self, output: Outputs[Symbols], target: Targets, *, reduction: Unreduced, **o: Unpack[HuberOptions]
    ) -> list[Symbol]: ...


class SmoothL1Options(TypedDict, total=False):
    """The options of `SmoothL1`."""

    beta: float


class SmoothL1(Protocol):
    """A smooth L1 cost."""

    @overload
    def __call__(
        self, output: Untyped, target: Targets, *, reduction: Reduced | Unreduced = None, **o: Unpack[SmoothL1Options]
    ) -> Any: ...
    @overload
    def __call__(
        self,
        output: Outputs[Floats],
        target: Outputs[Floats],
        *,
        reduction: Reduced = None,
        **o: Unpack[SmoothL1Options],
    ) -> float: ...
    @overload
    def __call__(
        self, output: Outputs[Floats], target: Outputs[Floats], *, reduction: Unreduced, **o: Unpack[SmoothL1Options]
    ) -> list[float]: ...
    @overload
    def __call__(
        self, output: Outputs[Values], target: Targets, *, reduction: Reduced = None, **o: Unpack[SmoothL1Options]
    ) -> Value: ...
    @overload
    def __call__(
        self, output: Outputs[Values], target: Targets, *, reduction: Unreduced, **o: Unpack[SmoothL1Options]
    ) -> list[Value]: ...
    @overload
    def __call__(
        self, output: Outputs[Symbols], target: Targets, *, reduction: Reduced = None, **o: Unpack[SmoothL1Options]
    ) -> Symbol: ...
    @overload
    def __call__(
        self, output: Outputs[Symbols], target: Targets, *, reduction: Unreduced, **o: Unpack[SmoothL1Options]
    ) -> list[Symbol]: ...


class PoissonNLLOptions(TypedDict, total=False):
    """The options of `PoissonNLL`."""

    log_input: bool
    full: bool
    eps: float


class PoissonNLL(Protocol):
    """A Poisson negative log-likelihood."""

    @overload
    def __call__(
        self, output: Untyped, target: Targets, *, reduction: Reduced | Unreduced = None, **o: Unpack[PoissonNLLOptions]
    ) -> Any: ...
    @overload
    def __call__(
        self,
        output: Outputs[Floats],
        target: Outputs[Floats],
        *,
        reduction: Reduced = None,
        **o: Unpack[PoissonNLLOptions],
    ) -> float: ...
    @overload
    def __call__(
        self, output: Outputs[Floats], target: Outputs[Floats], *, reduction: Unreduced, **o: Unpack[PoissonNLLOptions]
    ) -> list[float]: ...
    @overload
    def __call__(
        self, output: Outputs[Values], target: Targets, *, reduction: Reduced = None, **o: Unpack[PoissonNLLOptions]
    ) -> Value: ...
    @overload
    def __call__(
        self, output: Outputs[Values], target: Targets, *, reduction: Unreduced, **o: Unpack[PoissonNLLOptions]
    ) -> list[Value]: ...
    @overload
    def __call__(
        self, output: Outputs[Symbols], target: Targets, *, reduction: Reduced = None, **o: Unpack[PoissonNLLOptions]
    ) -> Symbol: ...
    @overload
    def __call__(
        self, output: Outputs[Symbols], target: Targets, *, reduction: Unreduced, **o: Unpack[PoissonNLLOptions]
    ) -> list[Symbol]: ...


class KLDivOptions(TypedDict, total=False):
    """The options of `KLDiv`."""

    log_target: bool


class KLDiv(Protocol):
    """A Kullback–Leibler divergence."""

    @overload
    def __call__(
        self,
        output: Untyped,
        target: Targets,
        *,
        reduction: Reduced | BatchMean | Unreduced = None,
        **o: Unpack[KLDivOptions],
    ) -> Any: ...
    @overload
    def __call__(
        self,
        output: Outputs[Floats],
        target: Outputs[Floats],
        *,
        reduction: Reduced | BatchMean = None,
        **o: Unpack[KLDivOptions],
    ) -> float: ...
    @overload
    def __call__(
        self, output: Outputs[Floats], target: Outputs[Floats], *, reduction: Unreduced, **o: Unpack[KLDivOptions]
    ) -> list[float]: ...
    @overload
    def __call__(
        self,
        output: Outputs[Values],
        target: Targets,
        *,
        reduction: Reduced | BatchMean = None,
        **o: Unpack[KLDivOptions],
    ) -> Value: ...
    @overload
    def __call__(
        self, output: Outputs[Values], target: Targets, *, reduction: Unreduced, **o: Unpack[KLDivOptions]
    ) -> list[Value]: ...
    @overload
    def __call__(
        self,
        output: Outputs[Symbols],
        target: Targets,
        *,
        reduction: Reduced | BatchMean = None,
        **o: Unpack[KLDivOptions],
    ) -> Symbol: ...
    @overload
    def __call__(
        self, output: Outputs[Symbols], target: Targets, *, reduction: Unreduced, **o: Unpack[KLDivOptions]
    ) -> list[Symbol]: ...


def as_nll(function: Callable[..., Any]) -> NLL:
    """Return the function itself, typed as `NLL`."""
    typed: NLL = function
    return typed


def as_huber(function: Callable[..., Any]) -> Huber:
    """Return the function itself, typed as `Huber`."""
    typed: Huber = function
    return typed


def as_smooth_l1(function: Callable[..., Any]) -> SmoothL1:
    """Return the function itself, typed as `SmoothL1`."""
    typed: SmoothL1 = function
    return typed


def as_poisson_nll(function: Callable[..., Any]) -> PoissonNLL:
    """Return the function itself, typed as `PoissonNLL`."""
    typed: PoissonNLL = function
    return typed


def as_kl_div(function: Callable[..., Any]) -> KLDiv:
    """Return the function itself, typed as `KLDiv`."""
    typed: KLDiv = function
    return typed

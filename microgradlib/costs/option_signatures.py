"""The signatures of costs with options of their own, for type checkers: as `Cost`, with one or two keywords more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, overload

from microgradlib.costs.signatures import Outputs, Reduced, Targets, Unreduced, Untyped

if TYPE_CHECKING:
    from collections.abc import Callable

    from microgradlib.core.symbol import Symbol
    from microgradlib.core.value import Value
    from microgradlib.costs.signatures import Floats, Symbols, Values

__all__ = [
    "Huber", "KLDiv", "PoissonNLL", "SmoothL1", "as_huber", "as_kl_div", "as_poisson_nll", "as_smooth_l1",
]  # fmt: skip


class Huber(Protocol):
    """A Huber cost."""

    @overload
    def __call__(
        self, output: Untyped, target: Targets, *, delta: float = 1.0, reduction: Reduced | Unreduced = None
    ) -> Any: ...
    @overload
    def __call__(
        self, output: Outputs[Floats], target: Outputs[Floats], *, delta: float = 1.0, reduction: Reduced = None
    ) -> float: ...
    @overload
    def __call__(
        self, output: Outputs[Floats], target: Outputs[Floats], *, delta: float = 1.0, reduction: Unreduced
    ) -> list[float]: ...
    @overload
    def __call__(
        self, output: Outputs[Values], target: Targets, *, delta: float = 1.0, reduction: Reduced = None
    ) -> Value: ...
    @overload
    def __call__(
        self, output: Outputs[Values], target: Targets, *, delta: float = 1.0, reduction: Unreduced
    ) -> list[Value]: ...
    @overload
    def __call__(
        self, output: Outputs[Symbols], target: Targets, *, delta: float = 1.0, reduction: Reduced = None
    ) -> Symbol: ...
    @overload
    def __call__(
        self, output: Outputs[Symbols], target: Targets, *, delta: float = 1.0, reduction: Unreduced
    ) -> list[Symbol]: ...


class SmoothL1(Protocol):
    """A smooth L1 cost."""

    @overload
    def __call__(
        self, output: Untyped, target: Targets, *, beta: float = 1.0, reduction: Reduced | Unreduced = None
    ) -> Any: ...
    @overload
    def __call__(
        self, output: Outputs[Floats], target: Outputs[Floats], *, beta: float = 1.0, reduction: Reduced = None
    ) -> float: ...
    @overload
    def __call__(
        self, output: Outputs[Floats], target: Outputs[Floats], *, beta: float = 1.0, reduction: Unreduced
    ) -> list[float]: ...
    @overload
    def __call__(
        self, output: Outputs[Values], target: Targets, *, beta: float = 1.0, reduction: Reduced = None
    ) -> Value: ...
    @overload
    def __call__(
        self, output: Outputs[Values], target: Targets, *, beta: float = 1.0, reduction: Unreduced
    ) -> list[Value]: ...
    @overload
    def __call__(
        self, output: Outputs[Symbols], target: Targets, *, beta: float = 1.0, reduction: Reduced = None
    ) -> Symbol: ...
    @overload
    def __call__(
        self, output: Outputs[Symbols], target: Targets, *, beta: float = 1.0, reduction: Unreduced
    ) -> list[Symbol]: ...


class PoissonNLL(Protocol):
    """A Poisson negative log-likelihood."""

    @overload
    def __call__(
        self,
        output: Untyped,
        target: Targets,
        *,
        log_input: bool = True,
        full: bool = False,
        eps: float = 1e-8,
        reduction: Reduced | Unreduced = None,
    ) -> Any: ...
    @overload
    def __call__(
        self,
        output: Outputs[Floats],
        target: Outputs[Floats],
        *,
        log_input: bool = True,
        full: bool = False,
        eps: float = 1e-8,
        reduction: Reduced = None,
    ) -> float: ...
    @overload
    def __call__(
        self,
        output: Outputs[Floats],
        target: Outputs[Floats],
        *,
        log_input: bool = True,
        full: bool = False,
        eps: float = 1e-8,
        reduction: Unreduced,
    ) -> list[float]: ...
    @overload
    def __call__(
        self,
        output: Outputs[Values],
        target: Targets,
        *,
        log_input: bool = True,
        full: bool = False,
        eps: float = 1e-8,
        reduction: Reduced = None,
    ) -> Value: ...
    @overload
    def __call__(
        self,
        output: Outputs[Values],
        target: Targets,
        *,
        log_input: bool = True,
        full: bool = False,
        eps: float = 1e-8,
        reduction: Unreduced,
    ) -> list[Value]: ...
    @overload
    def __call__(
        self,
        output: Outputs[Symbols],
        target: Targets,
        *,
        log_input: bool = True,
        full: bool = False,
        eps: float = 1e-8,
        reduction: Reduced = None,
    ) -> Symbol: ...
    @overload
    def __call__(
        self,
        output: Outputs[Symbols],
        target: Targets,
        *,
        log_input: bool = True,
        full: bool = False,
        eps: float = 1e-8,
        reduction: Unreduced,
    ) -> list[Symbol]: ...


class KLDiv(Protocol):
    """A Kullback–Leibler divergence."""

    @overload
    def __call__(
        self, output: Untyped, target: Targets, *, log_target: bool = False, reduction: Reduced | Unreduced = None
    ) -> Any: ...
    @overload
    def __call__(
        self, output: Outputs[Floats], target: Outputs[Floats], *, log_target: bool = False, reduction: Reduced = None
    ) -> float: ...
    @overload
    def __call__(
        self, output: Outputs[Floats], target: Outputs[Floats], *, log_target: bool = False, reduction: Unreduced
    ) -> list[float]: ...
    @overload
    def __call__(
        self, output: Outputs[Values], target: Targets, *, log_target: bool = False, reduction: Reduced = None
    ) -> Value: ...
    @overload
    def __call__(
        self, output: Outputs[Values], target: Targets, *, log_target: bool = False, reduction: Unreduced
    ) -> list[Value]: ...
    @overload
    def __call__(
        self, output: Outputs[Symbols], target: Targets, *, log_target: bool = False, reduction: Reduced = None
    ) -> Symbol: ...
    @overload
    def __call__(
        self, output: Outputs[Symbols], target: Targets, *, log_target: bool = False, reduction: Unreduced
    ) -> list[Symbol]: ...


def as_huber(function: Callable[..., Any]) -> Huber:
    """Return the function itself, typed as a `Huber`."""
    typed: Huber = function
    return typed


def as_smooth_l1(function: Callable[..., Any]) -> SmoothL1:
    """Return the function itself, typed as a `SmoothL1`."""
    typed: SmoothL1 = function
    return typed


def as_poisson_nll(function: Callable[..., Any]) -> PoissonNLL:
    """Return the function itself, typed as a `PoissonNLL`."""
    typed: PoissonNLL = function
    return typed


def as_kl_div(function: Callable[..., Any]) -> KLDiv:
    """Return the function itself, typed as a `KLDiv`."""
    typed: KLDiv = function
    return typed

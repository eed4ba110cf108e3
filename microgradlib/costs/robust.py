"""Costs that grow like the square of small errors and like the size of large ones: Huber and smooth L1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from microgradlib._support.checks import non_negative, positive
from microgradlib.core.recorded_calls import recorded
from microgradlib.core.scopes import Function
from microgradlib.costs.option_signatures import as_huber, as_smooth_l1
from microgradlib.costs.reduction import is_batch, per_component, reduce_costs
from microgradlib.costs.regression import checked_target, distance
from microgradlib.ops import selection

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["huber", "smooth_l1"]


@as_huber
@recorded(Function("Huber cost", "H(ŷ − y)", ("sub", 1)))
def huber(output: Any, target: Any, *, delta: float = 1.0, reduction: str | None = None) -> Any:
    """Return L = Σ_k H(ŷ_k − y_k), H(d) = ½d² for |d| ≤ δ and δ(|d| − ½δ) beyond; ∂L/∂ŷ_k is d within [−δ, δ].

    The minimiser lies between mean (δ → ∞) and median (δ → 0), and an outlier's gradient has at most the size δ.
    Computed as c (d − ½c) with c = clip(d, −δ, δ). `delta` is δ > 0, and PyTorch's `huber_loss` has the same value for
    its reductions; the other arguments and errors are those of `squared_error`. (P. J. Huber, 1964.)

    >>> huber(0.5, 0.0), huber(3.0, 0.0), huber([3.0, 0.0], [0.0, 1.0], delta=2.0)
    (0.125, 2.5, 4.5)
    """
    cost = _of_difference(positive(delta, "delta", example=1.0), 1.0)
    return reduce_costs(per_component(cost), output, target, batch=is_batch(output), reduction=reduction)


def _of_difference(width: float, scale: float) -> Callable[[Any, Any], Any]:
    """Return the cost H(ŷ − y)/scale; c is divided first, so that nothing underflows for a small δ."""

    def cost(y_hat: Any, y: Any) -> Any:
        d = y_hat - checked_target(y)
        bounded = selection.clip(d, -width, width)
        return (bounded if scale == 1 else bounded / scale) * (d - 0.5 * bounded)

    return cost


@as_smooth_l1
@recorded(Function("smooth L1", "S(ŷ − y)", ("sub", 1)))
def smooth_l1(output: Any, target: Any, *, beta: float = 1.0, reduction: str | None = None) -> Any:
    """Return L = Σ_k S(ŷ_k − y_k), S(d) = ½d²/β for |d| ≤ β and |d| − ½β beyond: `huber` with δ = β, divided by β.

    `beta` is β ≥ 0, and 0 gives `absolute_error`, as in PyTorch's `smooth_l1_loss`; the other arguments and errors are
    those of `squared_error`. (R. Girshick, 2015.)

    >>> smooth_l1(0.5, 0.0, beta=2.0), smooth_l1(3.0, 0.0), smooth_l1(3.0, 0.0, beta=0)
    (0.0625, 2.5, 3.0)
    """
    width = non_negative(beta, "beta", example=1.0)
    cost = _of_difference(width, width) if width else distance
    return reduce_costs(per_component(cost), output, target, batch=is_batch(output), reduction=reduction)

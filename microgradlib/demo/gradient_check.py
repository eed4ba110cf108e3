"""Compare a network's gradients with numeric derivatives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from microgradlib.numeric.differences import numeric_gradient

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from microgradlib.nn import MLP

__all__ = ["largest_difference"]


def largest_difference(model: MLP, cost: Callable[[Any, Any], Any], x: Sequence[float], target: int) -> float:
    """Return max |g − n| over all parameters, for one example: g by `backward()`, n by numeric differentiation."""
    parameters = model.parameters()
    before = [p.data for p in parameters]

    def loss_at(*numbers: float) -> Any:
        for p, number in zip(parameters, numbers, strict=True):
            p.data = number
        return cost(model(x), target).data

    try:
        numeric = numeric_gradient(loss_at, before)
    finally:
        for p, number in zip(parameters, before, strict=True):
            p.data = number
    model.zero_grad()
    cost(model(x), target).backward()
    return max(abs(p.grad - slope) for p, slope in zip(parameters, numeric, strict=True))

"""Stochastic gradient descent, with optional momentum."""

# ruff: noqa: PLR0917  update rules name all their arguments; the order of settings is PyTorch's

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from microgradlib._support.calling import in_plain_words
from microgradlib.optim.optimiser import Optimiser

if TYPE_CHECKING:
    from microgradlib.optim.types import Parameters, Rate

__all__ = ["SGD"]


class SGD(Optimiser):
    """Stochastic gradient descent, with optional momentum.

        g ← g + λ p                            weight decay λ: the gradient of (λ/2) p²
        v ← μ v + (1 − d) g                    momentum μ, dampening d; at the first step v ← g
        p ← p − η v                            or, with nesterov, p ← p − η (g + μ v)

    η is `lr`. Without momentum, p ← p − η g. (*Deep Learning*, 8.3.1 to 8.3.3, where v has the opposite sign and
    contains η.) With `maximize`, g ← −g before anything else. Raises `ValueError` for Nesterov momentum without
    momentum or with dampening, as PyTorch does.

    `weight_decay` acts on every parameter of its group, biases too: Ω = (λ/2) Σ p², of which the gradient is λ p (the
    λ∇Ω of *Deep Learning*, Algorithm 6.4). `regularisers.L2` leaves biases out by default, and is part of
    the loss. To decay the weights alone, make two groups:

    >>> from microgradlib.nn import MLP
    >>> model = MLP([2, 3, 1], rng=0)
    >>> biases = [p for name, p in model.named_parameters() if name.endswith("b")]
    >>> weights = [p for p in model.parameters() if p not in set(biases)]
    >>> SGD([{"params": weights, "weight_decay": 0.01}, {"params": biases}], lr=0.1)
    SGD(13 parameters in 2 groups, lr=0.1, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False)

    >>> from microgradlib import Value
    >>> w = Value(3.0)
    >>> optimiser = SGD([w], lr=0.1)
    >>> (w * w).backward()
    >>> optimiser.step()
    >>> w.data
    2.4
    """

    momentum: float
    dampening: float
    weight_decay: float
    nesterov: bool

    @in_plain_words
    def __init__(
        self,
        parameters: Parameters,
        lr: Rate = 0.001,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            parameters,
            lr,
            momentum=momentum,
            dampening=dampening,
            weight_decay=weight_decay,
            nesterov=nesterov,
            maximize=maximize,
        )

    def _checked(self, settings: dict[str, Any]) -> dict[str, Any]:
        checked = super()._checked(settings)
        if checked["nesterov"] and (not checked["momentum"] or checked["dampening"]):
            raise ValueError("nesterov=True needs momentum above 0 and dampening 0, as in momentum=0.9, nesterov=True")
        return checked

    def buffer_starts(self) -> dict[str, float]:
        """Return the initial velocity, if there is momentum."""
        return {"velocity": 0.0} if self.momentum else {}

    def update(self, xp: Any, t: int, lr: float, p: Any, g: Any, v: Any = None) -> tuple[Any, ...]:
        """Return the new p, and the new v if there is momentum."""
        if self.weight_decay:
            g = g + self.weight_decay * p
        if not self.momentum:
            return (p - lr * g,)
        first, v = g, self.momentum * v + (1 - self.dampening) * g
        if self.dampening:  # else v is g at the first step, as it was 0
            v = xp.where(t == 1, first, v)
        direction = g + self.momentum * v if self.nesterov else v
        return p - lr * direction, v

"""Early stopping against weight decay on a quadratic (*Deep Learning*, 7.8; lecture 8 on regularising, document 002).

J(w) = ½ Σ_i a_i (w_i − w*_i)², descended from w = 0 with rate η: w_τ = (1 − (1 − ηa)^τ) w*. With decay ½λ Σ w² the
minimum is a/(a + λ) w*. Both leave flat directions, a ≪ λ, near 0 and take steep ones to w*: τη plays the part of 1/λ.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from microgradlib import Value, grad_table, sum as total
from microgradlib.regularisers import l2_norm

CURVATURES, OPTIMUM = (1.0, 0.1, 0.01), (1.0, 1.0, 1.0)  # a and w*, one for each direction
RATE = 0.05


class Row(NamedTuple):
    """One stopping time τ beside the decay λ = 1/(τη)."""

    steps: int
    decay: float
    stopped: list[float]
    decayed: list[float]


def cost(w: Sequence[Any], a: Sequence[float] = CURVATURES, w_star: Sequence[float] = OPTIMUM) -> Any:
    """Return J(w) = ½ Σ_i a_i (w_i − w*_i)²."""
    return total(0.5 * a_i * (w_i - w_star_i) ** 2 for a_i, w_i, w_star_i in zip(a, w, w_star))


def descended(steps: int, rate: float = RATE, decay: float = 0.0) -> list[float]:
    """Return w after so many steps w ← w − η ∂J/∂w from 0, J with ½λ Σ w² added if `decay` is above 0."""
    w = [Value(0.0, label=f"w{i}") for i in range(len(CURVATURES))]
    for _ in range(steps):
        table = grad_table(cost(w) + l2_norm(w, decay))
        for w_i in w:
            w_i.data -= rate * table[w_i]
    return [w_i.data for w_i in w]


def stopped(steps: int, rate: float = RATE) -> list[float]:
    """Return w_τ = (1 − (1 − ηa)^τ) w*: the closed form of `descended(steps)`."""
    return [(1 - (1 - rate * a) ** steps) * w_star for a, w_star in zip(CURVATURES, OPTIMUM)]


def decayed(decay: float) -> list[float]:
    """Return a/(a + λ) w*, where J + ½λ Σ w² is least."""
    return [a / (a + decay) * w_star for a, w_star in zip(CURVATURES, OPTIMUM)]


def equivalent_decay(a: float, steps: int, rate: float = RATE) -> float:
    """Return the λ with a/(a + λ) = 1 − (1 − ηa)^τ exactly: a q/(1 − q), q = (1 − ηa)^τ; near 1/(τη) for ηaτ ≪ 1."""
    q = (1 - rate * a) ** steps
    return a * q / (1 - q)


def table(stops: Sequence[int] = (5, 20, 100, 500, 2000), rate: float = RATE) -> list[Row]:
    """Return, for each τ, w stopped there by gradient descent and w decayed with λ = 1/(τη)."""
    return [Row(t, 1 / (t * rate), descended(t, rate), decayed(1 / (t * rate))) for t in stops]


def main() -> None:
    """Print both w for each τ, and how near the equivalent decay comes to 1/(τη)."""
    print(f"curvatures a = {CURVATURES}, w* = {OPTIMUM}, rate η = {RATE}")
    print("   τ   λ = 1/(τη)   stopped at τ               decayed with λ             λτη for the flattest")
    for steps, decay, early, late in table():
        product = equivalent_decay(CURVATURES[-1], steps) * steps * RATE
        print(f"{steps:4}   {decay:10.4f}   {_row(early)}   {_row(late)}   {product:.4f}")


def _row(numbers: Sequence[float]) -> str:
    return "  ".join(f"{number:.5f}" for number in numbers)


if __name__ == "__main__":
    main()

"""Early stopping against weight decay on a quadratic (*Deep Learning*, 7.8; lecture 8 on regularising, document 002).

Gradient descent on J(w) = ½ Σ_i a_i (w_i − w*_i)² from w = 0 with rate η gives w_τ = (1 − (1 − ηa)^τ) w* after τ steps.
With decay ½λ Σ w² the minimum is a/(a + λ) w*. Both keep w near 0 in flat directions, a ≪ λ, and bring it near w* in
steep ones, a ≫ λ: τη corresponds to 1/λ.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from microgradlib import Value, grad_table, sum as total
from microgradlib.regularisers import l2_norm

CURVATURES, OPTIMUM = (1.0, 0.1, 0.01), (1.0, 1.0, 1.0)  # a and w*, one for each direction
RATE = 0.05


class Row(NamedTuple):
    """A number of steps τ, the decay λ = 1/(τη), and the weights with each."""

    steps: int
    decay: float
    stopped: list[float]
    decayed: list[float]


def cost(w: Sequence[Any], a: Sequence[float] = CURVATURES, w_star: Sequence[float] = OPTIMUM) -> Any:
    """Return J(w) = ½ Σ_i a_i (w_i − w*_i)²."""
    return total(0.5 * a_i * (w_i - w_star_i) ** 2 for a_i, w_i, w_star_i in zip(a, w, w_star))


def gradient_descent(steps: int, rate: float = RATE, decay: float = 0.0) -> list[float]:
    """Return w after `steps` steps w ← w − η ∂/∂w [J + ½λ Σ w²] from w = 0, where λ is `decay`."""
    w = [Value(0.0, label=f"w{i}") for i in range(len(CURVATURES))]
    for _ in range(steps):
        table = grad_table(cost(w) + l2_norm(w, decay))
        for w_i in w:
            w_i.data -= rate * table[w_i]
    return [w_i.data for w_i in w]


def closed_form(steps: int, rate: float = RATE) -> list[float]:
    """Return w_τ = (1 − (1 − ηa)^τ) w*: the closed form of `gradient_descent(steps)`."""
    return [(1 - (1 - rate * a) ** steps) * w_star for a, w_star in zip(CURVATURES, OPTIMUM)]


def decayed_minimum(decay: float) -> list[float]:
    """Return a/(a + λ) w*, the minimiser of J + ½λ Σ w²."""
    return [a / (a + decay) * w_star for a, w_star in zip(CURVATURES, OPTIMUM)]


def equivalent_decay(a: float, steps: int, rate: float = RATE) -> float:
    """Return the λ with a/(a + λ) = 1 − (1 − ηa)^τ exactly: a q/(1 − q), q = (1 − ηa)^τ; near 1/(τη) for ηaτ ≪ 1."""
    q = (1 - rate * a) ** steps
    return a * q / (1 - q)


def table(stops: Sequence[int] = (5, 20, 100, 500, 2000), rate: float = RATE) -> list[Row]:
    """Return, for each τ, w after τ steps of gradient descent, and the minimiser with decay λ = 1/(τη)."""
    return [Row(t, 1 / (t * rate), gradient_descent(t, rate), decayed_minimum(1 / (t * rate))) for t in stops]


def main() -> None:
    """Print both w for each τ, and the ratio of the equivalent decay to 1/(τη)."""
    print(f"curvatures a = {CURVATURES}, w* = {OPTIMUM}, rate η = {RATE}")
    print("   τ   λ = 1/(τη)   stopped at τ               decayed with λ             λτη for the flattest")
    for steps, decay, stopped, decayed in table():
        product = equivalent_decay(CURVATURES[-1], steps) * steps * RATE
        print(f"{steps:4}   {decay:10.4f}   {_row(stopped)}   {_row(decayed)}   {product:.4f}")


def _row(numbers: Sequence[float]) -> str:
    return "  ".join(f"{number:.5f}" for number in numbers)


if __name__ == "__main__":
    main()

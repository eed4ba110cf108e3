"""Non-convex loss surfaces (document 004): the 1-1-1 network ŷ = σ(w_2 σ(w_1 x)), squared error and cross-entropy.

Where the Hessian has a negative eigenvalue, the loss curves downwards along its eigenvector: on a segment in that
direction, the loss at the midpoint is above the chord, which is impossible for a convex function. There is one example,
x = 1, y = 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any, NamedTuple

from microgradlib import hessian, sigmoid
from microgradlib.costs import binary_cross_entropy, squared_error

Loss = Callable[[Sequence[Any]], Any]
X, Y = 1.0, 1.0


def predicted(w: Sequence[Any], x: float = X) -> Any:
    """Return ŷ = σ(w_2 σ(w_1 x))."""
    return sigmoid(w[1] * sigmoid(w[0] * x))


LOSSES: dict[str, Loss] = {
    "squared error": lambda w: squared_error(predicted(w), Y),
    "cross-entropy": lambda w: binary_cross_entropy(predicted(w), Y),
}


class Curvature(NamedTuple):
    """A point w, the Hessian at w, its eigenvalues in ascending order, and the unit eigenvector of the smaller one."""

    w: tuple[float, float]
    hessian: list[list[float]]
    eigenvalues: tuple[float, float]
    direction: tuple[float, float]


def curvature(loss: Loss, w: tuple[float, float]) -> Curvature:
    """Return the Hessian [[p, q], [q, r]] of the loss at w, with eigenvalues ½(p + r) ∓ √(¼(p − r)² + q²)."""
    h = hessian(loss)(list(w))
    (p, q), (_, r) = h
    middle, radius = (p + r) / 2, math.hypot((p - r) / 2, q)
    angle = (math.atan2(2 * q, p - r) + math.pi) / 2  # perpendicular to the eigenvector of the larger one
    return Curvature(w, h, (middle - radius, middle + radius), (math.cos(angle), math.sin(angle)))


def most_indefinite(loss: Loss, reach: int = 5) -> Curvature:
    """Return the point with the most negative eigenvalue, of all integer weights from −reach to reach.

    Only points with an indefinite Hessian are considered: one eigenvalue below 0 and one above.
    """
    grid = [float(w) for w in range(-reach, reach + 1)]
    points = [curvature(loss, w) for w in product(grid, grid)]
    return min((p for p in points if p.eigenvalues[0] < 0 < p.eigenvalues[1]), key=lambda p: p.eigenvalues[0])


def loss_along(loss: Loss, at: Curvature, steps: Sequence[float]) -> list[float]:
    """Return the loss at w + t v for each t, where v is the eigenvector of the smaller eigenvalue."""
    return [loss([w + t * v for w, v in zip(at.w, at.direction)]) for t in steps]


def height_above_chord(loss: Loss, at: Curvature, t: float = 1.0) -> float:
    """Return L(w) − ½(L(w − t v) + L(w + t v)), which is at most 0 for a convex loss."""
    left, middle, right = loss_along(loss, at, (-t, 0.0, t))
    return middle - (left + right) / 2


def surface(loss: Loss, weights: Sequence[float]) -> list[list[float]]:
    """Return the loss over a grid, one row for each w_1 and one column for each w_2, as plotted in the document."""
    return [[loss([w_1, w_2]) for w_2 in weights] for w_1 in weights]


def main() -> None:
    """Print, for both losses, an indefinite Hessian and a segment whose midpoint is above its chord."""
    for name, loss in LOSSES.items():
        at = most_indefinite(loss)
        (p, q), (_, r) = at.hessian
        print(f"{name}: at w = ({at.w[0]:g}, {at.w[1]:g})")
        print(f"  Hessian [[{p:+.4f}, {q:+.4f}], [{q:+.4f}, {r:+.4f}]], eigenvalues {_row(at.eigenvalues)}")
        left, middle, right = loss_along(loss, at, (-1.0, 0.0, 1.0))
        print(f"  along v = ({_row(at.direction)}): L = {left:.4f}, {middle:.4f}, {right:.4f} at t = −1, 0, 1")
        print(f"  the midpoint lies {height_above_chord(loss, at):.4f} above the chord: not convex")


def _row(numbers: Sequence[float]) -> str:
    return ", ".join(f"{number:+.4f}" for number in numbers)


if __name__ == "__main__":
    main()

"""Non-convex loss surfaces (document 004): the 1-1-1 network ŷ = σ(w_2 σ(w_1 x)), squared error and cross-entropy.

Where the Hessian has a negative eigenvalue the surface bends down along its eigenvector, so a segment in that direction
lies, in its middle, above its own chord: no convex function does. One example, x = 1, y = 1.
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


class Bend(NamedTuple):
    """A point w, the Hessian there, its eigenvalues in order, and the unit eigenvector of the lowest."""

    w: tuple[float, float]
    hessian: list[list[float]]
    eigenvalues: tuple[float, float]
    direction: tuple[float, float]


def bend(loss: Loss, w: tuple[float, float]) -> Bend:
    """Return the Hessian [[p, q], [q, r]] of the loss at w, with eigenvalues ½(p + r) ∓ √(¼(p − r)² + q²)."""
    h = hessian(loss)(list(w))
    (p, q), (_, r) = h
    middle, radius = (p + r) / 2, math.hypot((p - r) / 2, q)
    angle = (math.atan2(2 * q, p - r) + math.pi) / 2  # across the direction of the largest
    return Bend(w, h, (middle - radius, middle + radius), (math.cos(angle), math.sin(angle)))


def saddle_shaped(loss: Loss, reach: int = 5) -> Bend:
    """Return, of the whole numbers −reach … reach for both weights, the point of most negative eigenvalue.

    Only points are looked at whose Hessian is indefinite: one eigenvalue below 0 and one above.
    """
    grid = [float(w) for w in range(-reach, reach + 1)]
    bends = [bend(loss, w) for w in product(grid, grid)]
    return min((b for b in bends if b.eigenvalues[0] < 0 < b.eigenvalues[1]), key=lambda b: b.eigenvalues[0])


def along(loss: Loss, at: Bend, steps: Sequence[float]) -> list[float]:
    """Return the loss at w + t v for each t, v the direction of the lowest eigenvalue."""
    return [loss([w + t * v for w, v in zip(at.w, at.direction)]) for t in steps]


def above_chord(loss: Loss, at: Bend, t: float = 1.0) -> float:
    """Return L(w) − ½(L(w − t v) + L(w + t v)): above 0, where a convex loss has 0 or less."""
    left, middle, right = along(loss, at, (-t, 0.0, t))
    return middle - (left + right) / 2


def surface(loss: Loss, weights: Sequence[float]) -> list[list[float]]:
    """Return the loss over a grid, one row for each w_1 and one column for each w_2: what the document draws."""
    return [[loss([w_1, w_2]) for w_2 in weights] for w_1 in weights]


def main() -> None:
    """Print, for both losses, an indefinite Hessian and a segment above its chord."""
    for name, loss in LOSSES.items():
        at = saddle_shaped(loss)
        (p, q), (_, r) = at.hessian
        print(f"{name}: at w = ({at.w[0]:g}, {at.w[1]:g})")
        print(f"  Hessian [[{p:+.4f}, {q:+.4f}], [{q:+.4f}, {r:+.4f}]], eigenvalues {_row(at.eigenvalues)}")
        left, middle, right = along(loss, at, (-1.0, 0.0, 1.0))
        print(f"  along v = ({_row(at.direction)}): L = {left:.4f}, {middle:.4f}, {right:.4f} at t = −1, 0, 1")
        print(f"  the middle lies {above_chord(loss, at):.4f} above the chord: not convex")


def _row(numbers: Sequence[float]) -> str:
    return ", ".join(f"{number:+.4f}" for number in numbers)


if __name__ == "__main__":
    main()

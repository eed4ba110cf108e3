"""Tangent propagation: a derivative inside the cost (lecture 8 on invariances, document 002; *Deep Learning*, 7.14).

The class of a point on one of two circles is invariant to rotation about the origin. A rotation moves x along the
tangent t(x) = (−x_2, x_1), so the penalty ½λ (∂ŷ/∂x · t)² penalises outputs that change as x is rotated. Trained on few
points with much noise, a network with this penalty varies far less along the circle than one without, and is at least
as accurate on new points.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

from microgradlib import jvp, no_grad, sigmoid
from microgradlib.costs import binary_cross_entropy_with_logits
from microgradlib.data import Dataset, circles
from microgradlib.metrics import accuracy
from microgradlib.nn import MLP
from microgradlib.optim import Adam
from microgradlib.regularisers import TangentPropagation
from microgradlib.training import fit

COST = binary_cross_entropy_with_logits
NOISE, ANGLES = 0.15, 12


class Result(NamedTuple):
    """The accuracies after training, and measures of how the output changes as a point is rotated."""

    train_accuracy: float
    test_accuracy: float
    slope: float
    spread: float


def tangent(x: Sequence[Any]) -> list[Any]:
    """Return t(x) = (−x_2, x_1), the derivative of x rotated by φ with respect to φ at φ = 0."""
    return [-x[1], x[0]]


def rotated(x: Sequence[float], phi: float) -> list[float]:
    """Return x rotated by φ about the origin."""
    return [x[0] * math.cos(phi) - x[1] * math.sin(phi), x[0] * math.sin(phi) + x[1] * math.cos(phi)]


def slope_along(model: Any, points: Sequence[Sequence[float]]) -> float:
    """Return the root mean square over the points of ∂ŷ/∂x · t, where ŷ is the logit, by one `jvp` for each point."""
    slopes = [jvp(model, (list(x),), (tangent(x),))[1] for x in points]
    return math.sqrt(math.fsum(s * s for s in slopes) / len(slopes))


def spread_along(model: Any, points: Sequence[Sequence[float]]) -> float:
    """Return the standard deviation of σ(ŷ) over 12 rotations of a point, averaged over the points."""
    spreads = []
    with no_grad():
        for x in points:
            p = [sigmoid(model(rotated(x, math.tau * k / ANGLES))).data for k in range(ANGLES)]
            mean = math.fsum(p) / ANGLES
            spreads.append(math.sqrt(math.fsum((p_k - mean) ** 2 for p_k in p) / ANGLES))
    return math.fsum(spreads) / len(spreads)


def accuracy_on(model: Any, data: Dataset) -> float:
    """Return the fraction of the examples that the model classifies correctly."""
    with no_grad():
        return accuracy([int(model(x).data > 0) for x in data.inputs], data.targets)


def train_and_evaluate(coefficient: float, rng: int = 0, points: int = 40, epochs: int = 100) -> Result:
    """Train a network with λ = `coefficient`, 0 for no penalty, and return its measures."""
    train, test = circles(points, NOISE, rng), circles(200, NOISE, rng + 100)
    model = MLP([2, 8, 1], activation="tanh", rng=rng)
    penalty = [TangentPropagation(tangent, coefficient)] if coefficient else []
    fit(
        model, COST, train.inputs, train.targets, epochs=epochs, batch_size=8,
        optimizer=partial(Adam, lr=0.03), penalty=penalty, rng=rng, progress=False,
    )  # fmt: skip
    points_along = test.inputs[::10]
    return Result(
        accuracy_on(model, train),
        accuracy_on(model, test),
        slope_along(model, points_along),
        spread_along(model, points_along),
    )


def main(seeds: Sequence[int] = range(3), epochs: int = 100) -> None:
    """Print the accuracies, and the variation along the circle, without and with the penalty."""
    print(f"40 points, noise {NOISE}\n              accuracy            along the circle")
    print("  λ   seed   train    test   slope of ŷ   spread of σ(ŷ)")
    for coefficient in (0.0, 0.1, 1.0):
        for rng in seeds:
            r = train_and_evaluate(coefficient, rng, epochs=epochs)
            accuracies = f"{r.train_accuracy:6.1%}  {r.test_accuracy:6.1%}"
            print(f"{coefficient:4}  {rng:4}  {accuracies}  {r.slope:11.2f}  {r.spread:15.3f}")


if __name__ == "__main__":
    main()

"""Tangent propagation: a derivative inside the cost (lecture 8 on invariances, document 002; *Deep Learning*, 7.14).

The class of a point on one of two circles does not change as it is turned about the origin. Turning moves x along the
tangent t(x) = (−x_2, x_1), so the penalty ½λ (∂ŷ/∂x · t)² asks for an output that stays as x is turned. Trained on few
points with much noise, a network that is told so varies far less along the circle, and is as good on new points or
better.
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
NOISE, TURNS = 0.15, 12


class Result(NamedTuple):
    """What came of a training: accuracies, and how the output changes as a point is turned."""

    train_accuracy: float
    test_accuracy: float
    slope: float
    spread: float


def tangent(x: Sequence[Any]) -> list[Any]:
    """Return t(x) = ∂(x turned by φ)/∂φ at φ = 0: (−x_2, x_1)."""
    return [-x[1], x[0]]


def turned(x: Sequence[float], phi: float) -> list[float]:
    """Return x turned by φ about the origin."""
    return [x[0] * math.cos(phi) - x[1] * math.sin(phi), x[0] * math.sin(phi) + x[1] * math.cos(phi)]


def slope_along(model: Any, points: Sequence[Sequence[float]]) -> float:
    """Return the root mean square of ∂ŷ/∂x · t, ŷ the logit, over the points: one forward sweep each."""
    slopes = [jvp(model, (list(x),), (tangent(x),))[1] for x in points]
    return math.sqrt(math.fsum(s * s for s in slopes) / len(slopes))


def spread_along(model: Any, points: Sequence[Sequence[float]]) -> float:
    """Return how much σ(ŷ) varies as a point goes round: the standard deviation over 12 turns, mean over the points."""
    spreads = []
    with no_grad():
        for x in points:
            p = [sigmoid(model(turned(x, math.tau * k / TURNS))).data for k in range(TURNS)]
            mean = math.fsum(p) / TURNS
            spreads.append(math.sqrt(math.fsum((p_k - mean) ** 2 for p_k in p) / TURNS))
    return math.fsum(spreads) / len(spreads)


def told(model: Any, data: Dataset) -> float:
    """Return the share of the examples that the model tells rightly."""
    with no_grad():
        return accuracy([int(model(x).data > 0) for x in data.inputs], data.targets)


def result(coefficient: float, rng: int = 0, points: int = 40, epochs: int = 100) -> Result:
    """Return what a training with λ = `coefficient` comes to; λ = 0 is one without the penalty."""
    train, test = circles(points, NOISE, rng), circles(200, NOISE, rng + 100)
    model = MLP([2, 8, 1], activation="tanh", rng=rng)
    penalty = [TangentPropagation(tangent, coefficient)] if coefficient else []
    fit(
        model, COST, train.inputs, train.targets, epochs=epochs, batch_size=8,
        optimizer=partial(Adam, lr=0.03), penalty=penalty, rng=rng, progress=False,
    )  # fmt: skip
    some = test.inputs[::10]
    return Result(told(model, train), told(model, test), slope_along(model, some), spread_along(model, some))


def main(seeds: Sequence[int] = range(3), epochs: int = 100) -> None:
    """Print accuracies and variation along the circle, without and with the penalty."""
    print(f"40 points, noise {NOISE}\n              accuracy            along the circle")
    print("  λ   seed   train    test   slope of ŷ   spread of σ(ŷ)")
    for coefficient in (0.0, 0.1, 1.0):
        for rng in seeds:
            r = result(coefficient, rng, epochs=epochs)
            shares = f"{r.train_accuracy:6.1%}  {r.test_accuracy:6.1%}"
            print(f"{coefficient:4}  {rng:4}  {shares}  {r.slope:11.2f}  {r.spread:15.3f}")


if __name__ == "__main__":
    main()

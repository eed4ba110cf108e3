"""Depth and width (*Deep Learning*, 6.4.1; document 000; lecture 8, 2, document 002).

A network with one hidden layer of tanh units and a linear output approximates any continuous function on an interval to
any accuracy, given enough units: here the largest error decreases with the width. A unit |z| folds the input space: the
network is the same function on both sides of the fold. So a network of d layers with one unit |2h − 1| each has 2^d
linear pieces, one layer of d units only d + 1.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

from microgradlib import grad, no_grad
from microgradlib.costs import squared_error
from microgradlib.nn import MLP
from microgradlib.optim import Adam, linear
from microgradlib.training import fit

LOW, HIGH = -2.0, 2.0


def target(x: float) -> float:
    """Return sin 3x, the function to be approximated on [−2, 2]."""
    return math.sin(3 * x)


def points(n: int) -> list[float]:
    """Return n evenly spaced points of [−2, 2], ends included."""
    return [LOW + (HIGH - LOW) * i / (n - 1) for i in range(n)]


def tanh_network(width: int, rng: int) -> MLP:
    """Return MLP([1, width, 1]) in which unit k is initially 0 at the midpoint of interval k of `width` equal ones."""
    generator = random.Random(rng)
    model = MLP([1, width, 1], activation="tanh", rng=generator)
    for k, neuron in enumerate(model.layers[0].neurons):
        slope = generator.choice([-1, 1]) * generator.uniform(1, 3)
        neuron.w[0].data, neuron.b.data = slope, -slope * (LOW + (HIGH - LOW) * (k + 0.5) / width)
    return model


def largest_error(model: Any, f: Callable[[float], float] = target) -> float:
    """Return max |model(x) − f(x)| over 201 points of [−2, 2], most of which are not training points."""
    with no_grad():
        return max(abs(float(model([x])) - f(x)) for x in points(201))


def error_after_training(width: int, rng: int = 0, epochs: int = 250) -> float:
    """Return the largest error of a network of this width after training on 41 points."""
    model, xs, batch = tanh_network(width, rng), points(41), 8
    rate = linear(start=0.05, end=0.0, steps=epochs * math.ceil(len(xs) / batch))
    fit(
        model, squared_error, [[x] for x in xs], [target(x) for x in xs],
        epochs=epochs, batch_size=batch, optimizer=partial(Adam, lr=rate), progress=False,
    )  # fmt: skip
    return largest_error(model)


def folding_network(depth: int) -> MLP:
    """Return `depth` layers of one unit h ← |2h − 1|, each of which maps both halves of [0, 1] onto [0, 1]."""
    model = MLP([1] * (depth + 1), activation="abs", output="abs")
    for layer in model.layers:
        layer.neurons[0].w[0].data, layer.neurons[0].b.data = 2.0, -1.0
    return model


def shallow_network(units: int) -> MLP:
    """Return one layer of units |x − (k + ½)/units| and a linear output with random weights."""
    model = MLP([1, units, 1], activation="abs", rng=0)
    for k, neuron in enumerate(model.layers[0].neurons):
        neuron.w[0].data, neuron.b.data = 1.0, -(k + 0.5) / units
    return model


def linear_pieces(model: Any, resolution: int = 1024) -> int:
    """Return the number of linear pieces of the output on [0, 1]: one more than the number of changes of ∂ŷ/∂x."""
    slope = grad(lambda x: model([x]))
    slopes = [slope((i + 0.5) / resolution) for i in range(resolution)]
    return 1 + sum(not math.isclose(a, b, abs_tol=1e-9) for a, b in pairwise(slopes))


def main(widths: Sequence[int] = (1, 2, 4, 8, 16)) -> None:
    """Print the largest error for each width, and the number of linear pieces for each depth."""
    print("sin 3x on [−2, 2]\nwidth  largest error, the smaller of two runs")
    for width in widths:
        print(f"{width:5}  {min(error_after_training(width, rng) for rng in range(2)):.3f}")
    print("\nunits  linear pieces: one in each layer   all in one layer")
    for units in range(1, 7):
        print(f"{units:5}  {linear_pieces(folding_network(units)):33}  {linear_pieces(shallow_network(units)):17}")


if __name__ == "__main__":
    main()

"""A network of one convolution and one subsampling layer (lecture 8 on invariances, document 002; LeCun et al., 1998).

Every unit of a feature map sees its own 3 × 3 pixels by the same weights, so the maps of a moved image are the moved
maps, and a mean over 2 × 2 of them changes little. Few weights know what a dense layer must learn for each place: of
handwritten digits of 8 × 8 pixels it tells more rightly than a dense network of as many parameters, and of digits moved
by one pixel more than a linear layer of half as many parameters again. Needs scikit-learn, for the digits.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

from microgradlib import no_grad
from microgradlib.costs import cross_entropy, decision_of
from microgradlib.data import as_image, digits
from microgradlib.metrics import accuracy
from microgradlib.nn import AvgPool2d, Conv2d, Flatten, Layer, Sequential
from microgradlib.optim import Adam
from microgradlib.training import fit

Image = list[list[list[float]]]
MOVES = ((-1, 0), (1, 0), (0, -1), (0, 1))  # up, down, left, right


class Result(NamedTuple):
    """What came of a training: how many parameters, and the accuracies on new images, as they are and moved by one."""

    parameters: int
    accuracy: float
    moved: float


def convolutional(rng: int = 0) -> Sequential:
    """Return four 3 × 3 feature maps, subsampled by 2 × 2 means, and ten logits: 40 + 370 parameters."""
    generator = random.Random(rng)
    maps = Conv2d(1, 4, 3, activation="relu", rng=generator)
    return Sequential(maps, AvgPool2d(2), Flatten(), Layer(4 * 3 * 3, 10, "linear", rng=generator, init="fan_in"))


def dense(rng: int = 0) -> Sequential:
    """Return five ReLU units that each see all 64 pixels, and ten logits: 325 + 60 parameters."""
    generator = random.Random(rng)
    hidden = Layer(64, 5, "relu", rng=generator, init="he")
    return Sequential(Flatten(), hidden, Layer(5, 10, "linear", rng=generator, init="fan_in"))


def linear(rng: int = 0) -> Sequential:
    """Return ten logits of all 64 pixels, without hidden layer: 650 parameters."""
    return Sequential(Flatten(), Layer(64, 10, "linear", rng=rng, init="fan_in"))


def images(start: int, stop: int) -> tuple[list[Image], Sequence[int]]:
    """Return some of the digits as [channel][row][column], and which digits they are."""
    data = digits()
    return [as_image(row) for row in data.inputs[start:stop]], data.targets[start:stop]


def moved(image: Image, down: int, right: int) -> Image:
    """Return the image moved by so many pixels; 0 comes in at the edges."""
    [rows] = image
    height, width = range(len(rows)), range(len(rows[0]))

    def pixel(r: int, c: int) -> float:
        return rows[r][c] if r in height and c in width else 0.0

    return [[[pixel(r - down, c - right) for c in width] for r in height]]


def told(model: Any, xs: Sequence[Image], targets: Sequence[int]) -> float:
    """Return the share of the images that the model tells rightly."""
    decide: Any = decision_of(cross_entropy)
    with no_grad():
        return accuracy([decide(model(x)) for x in xs], targets)


def result(model: Sequential, examples: int = 300, tests: int = 200, epochs: int = 12, rng: int = 0) -> Result:
    """Return what training on the first digits comes to, tested on images from the thousandth on."""
    fit(
        model, cross_entropy, *images(0, examples),
        epochs=epochs, batch_size=10, optimizer=partial(Adam, lr=0.01), rng=rng, progress=False,
    )  # fmt: skip
    xs, targets = images(1000, 1000 + tests)
    shares = [told(model, [moved(x, *move) for x in xs], targets) for move in MOVES]
    return Result(len(model.parameters()), told(model, xs, targets), sum(shares) / len(shares))


def main(examples: int = 300, tests: int = 200, epochs: int = 12) -> None:
    """Print the accuracies of both networks."""
    print(f"{examples} digits, {epochs} epochs\n                parameters   new images   moved by a pixel")
    for make in (convolutional, dense, linear):
        r = result(make(), examples, tests, epochs)
        print(f"{make.__name__:14}  {r.parameters:10}   {r.accuracy:10.1%}   {r.moved:16.1%}")


if __name__ == "__main__":
    main()

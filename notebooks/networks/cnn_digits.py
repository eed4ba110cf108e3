"""A network of one convolution and one subsampling layer (lecture 8 on invariances, document 002; LeCun et al., 1998).

All units of a feature map apply the same weights, each to its own 3 × 3 pixels, so a shifted image gives shifted maps,
and means over 2 × 2 units change little. A dense layer has to learn the same feature for each position separately: on
handwritten digits of 8 × 8 pixels the convolutional network is more accurate than a dense network with about as many
parameters, and on digits shifted by one pixel more accurate than a linear layer with 1.6 times as many. Needs
scikit-learn, for the digits.
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
SHIFTS = ((-1, 0), (1, 0), (0, -1), (0, 1))  # up, down, left, right


class Result(NamedTuple):
    """The number of parameters, and the accuracies after training on new images, original and shifted by one pixel."""

    parameters: int
    accuracy: float
    shifted_accuracy: float


def convolutional(rng: int = 0) -> Sequential:
    """Return a network of four 3 × 3 feature maps, 2 × 2 mean pooling, and ten logits: 40 + 370 parameters."""
    generator = random.Random(rng)
    maps = Conv2d(1, 4, 3, activation="relu", rng=generator)
    return Sequential(maps, AvgPool2d(2), Flatten(), Layer(4 * 3 * 3, 10, "linear", rng=generator, init="fan_in"))


def dense(rng: int = 0) -> Sequential:
    """Return a network of five ReLU units, each connected to all 64 pixels, and ten logits: 325 + 60 parameters."""
    generator = random.Random(rng)
    hidden = Layer(64, 5, "relu", rng=generator, init="he")
    return Sequential(Flatten(), hidden, Layer(5, 10, "linear", rng=generator, init="fan_in"))


def linear(rng: int = 0) -> Sequential:
    """Return a network without hidden layer, ten logits of all 64 pixels: 650 parameters."""
    return Sequential(Flatten(), Layer(64, 10, "linear", rng=rng, init="fan_in"))


def images(start: int, stop: int) -> tuple[list[Image], Sequence[int]]:
    """Return the digits start to stop − 1 as images [channel][row][column], and their classes."""
    data = digits()
    return [as_image(row) for row in data.inputs[start:stop]], data.targets[start:stop]


def shifted(image: Image, down: int, right: int) -> Image:
    """Return the image shifted by `down` and `right` pixels, with 0 for pixels from outside."""
    [rows] = image
    height, width = range(len(rows)), range(len(rows[0]))

    def pixel(r: int, c: int) -> float:
        return rows[r][c] if r in height and c in width else 0.0

    return [[[pixel(r - down, c - right) for c in width] for r in height]]


def accuracy_on(model: Any, xs: Sequence[Image], targets: Sequence[int]) -> float:
    """Return the fraction of the images that the model classifies correctly."""
    decide: Any = decision_of(cross_entropy)
    with no_grad():
        return accuracy([decide(model(x)) for x in xs], targets)


def train_and_evaluate(
    model: Sequential, examples: int = 300, tests: int = 200, epochs: int = 12, rng: int = 0
) -> Result:
    """Train the model on the first digits; return its accuracies on `tests` digits from number 1000 on."""
    fit(
        model, cross_entropy, *images(0, examples),
        epochs=epochs, batch_size=10, optimizer=partial(Adam, lr=0.01), rng=rng, progress=False,
    )  # fmt: skip
    xs, targets = images(1000, 1000 + tests)
    accuracies = [accuracy_on(model, [shifted(x, *shift) for x in xs], targets) for shift in SHIFTS]
    return Result(len(model.parameters()), accuracy_on(model, xs, targets), sum(accuracies) / len(accuracies))


def main(examples: int = 300, tests: int = 200, epochs: int = 12) -> None:
    """Print the accuracies of the three networks."""
    print(f"{examples} digits, {epochs} epochs\n                parameters   new images   shifted by a pixel")
    for make in (convolutional, dense, linear):
        r = train_and_evaluate(make(), examples, tests, epochs)
        print(f"{make.__name__:14}  {r.parameters:10}   {r.accuracy:10.1%}   {r.shifted_accuracy:18.1%}")


if __name__ == "__main__":
    main()

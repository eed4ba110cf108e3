"""The problems of the demo: data, network, cost and training settings of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from microgradlib.costs import binary_cross_entropy_with_logits, cross_entropy
from microgradlib.data import Dataset, iris, moons, split, standardise, xor

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

__all__ = ["PROBLEMS", "Problem"]


@dataclass(frozen=True)
class Problem:
    """One problem: a network of tanh units, trained by mini-batch gradient descent.

    `parts(rng)` returns the examples to train on and those to evaluate on, which `checked_on` describes. `sizes` are
    those of the network's layers. `cost` is that of one example, from the net inputs of the last layer. `rate` is the
    initial learning rate, which falls linearly to 0. `batch` is the number of examples in a mini-batch.
    """

    name: str
    parts: Callable[[random.Random], tuple[Dataset, Dataset]]
    checked_on: str
    sizes: tuple[int, ...]
    cost: Callable[[Any, Any], Any]
    epochs: int
    rate: float
    batch: int


def _iris_parts(rng: random.Random) -> tuple[Dataset, Dataset]:
    return standardise(*split(iris(), held_out=0.2, rng=rng))


def _moons_parts(rng: random.Random) -> tuple[Dataset, Dataset]:
    return standardise(*split(moons(200, noise=0.1, rng=rng), held_out=0.25, rng=rng))


def _xor_parts(rng: random.Random) -> tuple[Dataset, Dataset]:  # noqa: ARG001  the four points are fixed
    return xor(), xor()


PROBLEMS = {
    problem.name: problem
    for problem in (
        Problem("iris", _iris_parts, "held-out flowers", (4, 8, 3), cross_entropy, epochs=50, rate=0.2, batch=8),
        Problem(
            "xor",
            _xor_parts,
            "points, all there are",
            (2, 8, 1),
            binary_cross_entropy_with_logits,
            epochs=500,
            rate=1.0,
            batch=4,
        ),
        Problem(
            "moons",
            _moons_parts,
            "held-out points",
            (2, 16, 1),
            binary_cross_entropy_with_logits,
            epochs=40,
            rate=1.0,
            batch=8,
        ),
    )
}
"""The problems by their names."""

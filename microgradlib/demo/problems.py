"""What the demo can learn: each problem's data, network, loss and pace."""

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

    `parts(rng)` draws the training part and the part to check on, named by `checked_on`; `sizes` are
    those of the network's layers; `cost` is that of one example, from the net inputs of the last layer;
    `rate` is the learning rate at the start, falling in a line to 0.
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


def _xor_parts(rng: random.Random) -> tuple[Dataset, Dataset]:  # noqa: ARG001  nothing is drawn: four points are all
    return xor(), xor()


_LOGIT_COST = binary_cross_entropy_with_logits

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
"""The problems by name."""

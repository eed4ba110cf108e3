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

    `load(rng)` returns the training set and the evaluation set; `evaluated_on` describes the latter in reports. `sizes`
    are the numbers of units of the network's layers. `cost(net_inputs, target)` is the cost of one example, from the
    net inputs of the last layer. `learning_rate` is the initial one; it decreases linearly to 0.
    """

    name: str
    load: Callable[[random.Random], tuple[Dataset, Dataset]]
    evaluated_on: str
    sizes: tuple[int, ...]
    cost: Callable[[Any, Any], Any]
    epochs: int
    learning_rate: float
    batch_size: int


def _load_iris(rng: random.Random) -> tuple[Dataset, Dataset]:
    return standardise(*split(iris(), held_out=0.2, rng=rng))


def _load_moons(rng: random.Random) -> tuple[Dataset, Dataset]:
    return standardise(*split(moons(200, noise=0.1, rng=rng), held_out=0.25, rng=rng))


def _load_xor(rng: random.Random) -> tuple[Dataset, Dataset]:  # noqa: ARG001  the four points are fixed
    return xor(), xor()


PROBLEMS = {
    problem.name: problem
    for problem in (
        Problem(
            "iris", _load_iris, "held-out flowers", (4, 8, 3), cross_entropy, epochs=50, learning_rate=0.2, batch_size=8
        ),
        Problem(
            "xor",
            _load_xor,
            "points, the whole data set",
            (2, 8, 1),
            binary_cross_entropy_with_logits,
            epochs=500,
            learning_rate=1.0,
            batch_size=4,
        ),
        Problem(
            "moons",
            _load_moons,
            "held-out points",
            (2, 16, 1),
            binary_cross_entropy_with_logits,
            epochs=40,
            learning_rate=1.0,
            batch_size=8,
        ),
    )
}
"""The problems by name."""

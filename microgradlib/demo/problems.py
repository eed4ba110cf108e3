"""What the demo can learn: each problem's data, network, loss and pace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from microgradlib.data import Dataset, iris, moons, split, standardise, xor
from microgradlib.ops.activations import softplus
from microgradlib.reductions import log_softmax

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from microgradlib.value import Value

__all__ = ["PROBLEMS", "Problem", "class_of", "loss_of"]


@dataclass(frozen=True)
class Problem:
    """One problem: a network of tanh units, trained by mini-batch gradient descent.

    `parts(rng)` draws the training part and the part to check on, named by `checked_on`; `sizes` are
    those of the network's layers; `rate` is the learning rate at the start, falling in a line to 0.
    """

    name: str
    parts: Callable[[random.Random], tuple[Dataset, Dataset]]
    checked_on: str
    sizes: tuple[int, ...]
    epochs: int
    rate: float
    batch: int


def _iris_parts(rng: random.Random) -> tuple[Dataset, Dataset]:
    return standardise(*split(iris(), held_out=0.2, rng=rng))


def _moons_parts(rng: random.Random) -> tuple[Dataset, Dataset]:
    return standardise(*split(moons(200, noise=0.1, rng=rng), held_out=0.25, rng=rng))


def _xor_parts(rng: random.Random) -> tuple[Dataset, Dataset]:  # noqa: ARG001  nothing is drawn: four points are all
    return xor(), xor()


PROBLEMS = {
    problem.name: problem
    for problem in (
        Problem("iris", _iris_parts, "held-out flowers", (4, 8, 3), epochs=50, rate=0.2, batch=8),
        Problem("xor", _xor_parts, "points, all there are", (2, 8, 1), epochs=500, rate=1.0, batch=4),
        Problem("moons", _moons_parts, "held-out points", (2, 16, 1), epochs=40, rate=1.0, batch=8),
    )
}
"""The problems by name."""


def loss_of(outputs: Any, target: int) -> Value:
    """Return −ln p(target), the cross-entropy in nats, from the net inputs of the last layer.

    Several outputs: p = softmax(outputs), so the loss is −log_softmax(outputs)[target].
    One output z: p(1) = σ(z), so the loss is softplus(z) for class 0, softplus(−z) for class 1.

    >>> from microgradlib import Value
    >>> loss_of([Value(0.0), Value(0.0)], 1).data == loss_of(Value(0.0), 1).data
    True
    """
    if isinstance(outputs, list):
        loss: Value = -log_softmax(outputs)[target]
    else:
        loss = softplus(-outputs if target else outputs)
    return loss


def class_of(outputs: Any) -> int:
    """Return the most probable class.

    >>> from microgradlib import Value
    >>> class_of([Value(0.5), Value(2.0), Value(1.0)]), class_of(Value(-0.5))
    (1, 0)
    """
    if isinstance(outputs, list):
        return max(range(len(outputs)), key=lambda k: outputs[k].data)
    return int(outputs.data > 0.0)

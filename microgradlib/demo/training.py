"""Train a network, count what it gets right, and hold its gradients to numeric ones."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from microgradlib.demo.problems import class_of, loss_of
from microgradlib.modes import no_grad
from microgradlib.numeric.differences import numeric_gradient
from microgradlib.reductions import mean

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Sequence

    from microgradlib.data import Dataset
    from microgradlib.demo.problems import Problem
    from microgradlib.nn import MLP

__all__ = ["correct", "largest_difference", "mean_loss", "trained"]


def trained(model: MLP, problem: Problem, train: Dataset, epochs: int, rng: random.Random) -> Iterator[float]:
    """Yield the mean loss over `train` before training, then after each of the epochs.

    Mini-batch gradient descent, p ← p − rate · ∂L/∂p, over the examples in a new order each epoch.
    """
    parameters = model.parameters()
    order = list(range(len(train)))
    yield mean_loss(model, train)
    for epoch in range(epochs):
        rate = problem.rate * (1.0 - epoch / epochs)
        rng.shuffle(order)
        for start in range(0, len(order), problem.batch):
            chosen = order[start : start + problem.batch]
            loss = mean([loss_of(model(train.inputs[i]), train.targets[i]) for i in chosen])
            model.zero_grad()
            loss.backward()
            for p in parameters:
                p.data -= rate * p.grad
        yield mean_loss(model, train)


def mean_loss(model: MLP, dataset: Dataset) -> float:
    """Return the mean cross-entropy, in nats."""
    with no_grad():
        losses = [loss_of(model(x), target).data for x, target in zip(dataset.inputs, dataset.targets, strict=True)]
    return math.fsum(losses) / len(losses)


def correct(model: MLP, dataset: Dataset) -> int:
    """Count the examples whose class the model names rightly."""
    with no_grad():
        return sum(class_of(model(x)) == target for x, target in zip(dataset.inputs, dataset.targets, strict=True))


def largest_difference(model: MLP, x: Sequence[float], target: int) -> float:
    """Return max |g − n| over all parameters, for one example: g by `backward()`, n by numeric differentiation."""
    parameters = model.parameters()
    before = [p.data for p in parameters]

    def loss_at(*numbers: float) -> float:
        for p, number in zip(parameters, numbers, strict=True):
            p.data = number
        return loss_of(model(x), target).data

    try:
        numeric = numeric_gradient(loss_at, before)
    finally:
        for p, number in zip(parameters, before, strict=True):
            p.data = number
    model.zero_grad()
    loss_of(model(x), target).backward()
    return max(abs(p.grad - slope) for p, slope in zip(parameters, numeric, strict=True))

"""EagerSteps: the evaluations and epochs of a training run, computed example by example."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from microgradlib.core.modes import recording
from microgradlib.metrics import accuracy
from microgradlib.nn.module import evaluation_mode
from microgradlib.ops import ZERO
from microgradlib.optim import clip_grad_norm, clip_grad_value
from microgradlib.training.diagnostics import SAMPLE_SIZE, dead_relus, gradient_norms
from microgradlib.training.task import Epoch, Task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.training.examples import Examples

__all__ = ["EagerSteps"]


class EagerSteps:
    """The steps of a task on its Values, one example's graph at a time."""

    description = "example by example"

    def __init__(self, task: Task) -> None:
        self.task = task

    def evaluate(self, examples: Examples) -> tuple[float, float | None]:
        """Return the mean cost and the accuracy, None if the cost does not classify, in evaluation mode."""
        loss, outputs = self.task.risk.evaluate(examples)
        return loss, self._accuracy(outputs, [y for _, y in examples.labels()])

    def epoch(self) -> Epoch:
        """Make one step for each batch of the training examples, in a random order."""
        costs, outputs, targets, norms = [], list[Any](), list[Any](), []
        for positions in self.task.batches():
            batch = self.task.batch(positions)
            cost, batch_outputs, batch_norms = self._step(batch)
            norms.append(batch_norms)
            costs.append(cost * len(batch))
            outputs += batch_outputs
            targets += [y for _, y in batch.labels()]
        means = {name: math.fsum(norm[name] for norm in norms) / len(norms) for name in self.task.layers}
        return Epoch(math.fsum(costs) / len(outputs), self._accuracy(outputs, targets), means)

    def _step(self, batch: Examples) -> tuple[float, list[Any], dict[str, float]]:
        """Make one update: differentiate, check, clip, step. Return the mean cost, the outputs, the norms."""
        task = self.task
        for p in task.parameters:
            p.grad = ZERO
        cost, outputs = task.risk.backward(batch)
        norms = gradient_norms(task.layers)
        task.check_finite(cost, list(norms.values()), lambda: batch)
        if task.clip_value is not None:
            clip_grad_value(task.parameters, task.clip_value)
        if task.clip_norm is not None:
            clip_grad_norm(task.parameters, task.clip_norm)
        task.step(task.optimizer.step)
        return cost, outputs, norms

    def settle(self) -> None:
        """Do nothing: the Values have their numbers already."""

    def dead_relus(self) -> float | None:
        """Return the fraction of rectifiers that are 0 at the first training examples, None without any."""
        task = self.task
        inputs = [x for _, x, _ in task.train.subset(list(range(min(SAMPLE_SIZE, len(task.train))))).rows()]
        with evaluation_mode(task.model), recording():
            return dead_relus(task.model, inputs)

    def _accuracy(self, outputs: Sequence[Any], targets: Sequence[Any]) -> float | None:
        decision = self.task.decision
        return accuracy([decision(output) for output in outputs], targets) if decision else None

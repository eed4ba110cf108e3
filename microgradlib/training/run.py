"""One training run: its evaluations and epochs, and the quantities it records of them."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from microgradlib._support.interrupts import at_once

if TYPE_CHECKING:
    from microgradlib.training.examples import Examples
    from microgradlib.training.task import Epoch, Task

__all__ = ["Run", "Steps"]


class Steps(Protocol):
    """What evaluates and steps: `EagerSteps` or `CompiledSteps`."""

    @property
    def description(self) -> str:
        """How the steps are computed, in one line."""

    def evaluate(self, examples: Examples) -> tuple[float, float | None]:
        """Return the mean cost without any Ω, and the accuracy or None, in evaluation mode."""

    def epoch(self) -> Epoch:
        """Make one step for each batch of the training examples, in a random order."""

    def settle(self) -> None:
        """Give the Values the numbers that they have by now, as others are going to look at them."""

    def dead_relus(self) -> float | None:
        """Return the fraction of rectifiers that are 0 at the first training examples, None without any."""


class Run:
    """The steps of a task, and their history."""

    def __init__(self, task: Task, steps: Steps) -> None:
        self.task, self.steps = task, steps

    def evaluate_initial(self) -> None:
        """Evaluate all examples before any update, and record epoch 0."""
        loss, accuracy = self.steps.evaluate(self.task.train)
        self._record(loss, accuracy, dict.fromkeys(self.task.layers, math.nan))

    def epoch(self) -> None:
        """Go through the training examples once, then record the epoch."""
        self._record(*self.steps.epoch())

    def _record(self, loss: float, accuracy: float | None, norms: dict[str, float]) -> None:
        """Add an epoch to the history. All its numbers are computed first, and added at once."""
        history, task = self.task.history, self.task
        record: list[tuple[list[float], Any]] = [(history.loss, loss), (history.accuracy, accuracy)]
        if task.validation is not None:
            validation_loss, validation_accuracy = self.steps.evaluate(task.validation)
            record.append((history.validation_loss, validation_loss))
            record.append((history.validation_accuracy, validation_accuracy))
        if history.dead_relus or not history.loss:  # a model without rectifiers at epoch 0 has none later
            record.append((history.dead_relus, self.steps.dead_relus()))
        record += [(history.gradient_norms.setdefault(name, []), norm) for name, norm in norms.items()]
        at_once(partial(series.append, number) for series, number in record if number is not None)

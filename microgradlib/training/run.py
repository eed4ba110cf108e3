"""One training under way: its epochs, its steps, and the numbers it takes note of."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from microgradlib.core.modes import recording
from microgradlib.core.value import Value
from microgradlib.costs import decision_of
from microgradlib.errors import DivergedError
from microgradlib.metrics import accuracy
from microgradlib.optim import clip_grad_norm, clip_grad_value
from microgradlib.training.diagnostics import dead_relus, gradient_norms, layers_of, origin_of_nan
from microgradlib.training.examples import Examples
from microgradlib.training.history import History
from microgradlib.training.risk import Risk, evaluating

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence

    from microgradlib.nn import Module

__all__ = ["Run", "trained_parameters"]


@dataclass
class Run:
    """The risk to be lowered, by what, on which examples, and the history of it. `fit` explains the fields."""

    risk: Risk
    optimizer: Any
    parameters: list[Value]
    train: Examples
    held_out: Examples | None
    rng: random.Random
    batch_size: int
    augment: Callable[[Any, random.Random], Any] | None = None
    clip_norm: float | None = None
    clip_value: float | None = None
    history: History = field(default_factory=History)

    def __post_init__(self) -> None:
        """Find the layers, and the rule by which the cost names classes."""
        self.model = self.risk.model
        self.layers = layers_of(self.model)
        self.decision = decision_of(self.risk.loss)

    def look_first(self) -> None:
        """Evaluate all examples before anything changes, and begin the history with it."""
        loss, outputs = self.risk.evaluate(self.train)
        self._note(loss, outputs, self.train.targets, dict.fromkeys(self.layers, math.nan))

    def epoch(self) -> None:
        """Go through the training examples once, then take the numbers of the epoch."""
        costs, outputs, targets, norms = [], list[Any](), list[Any](), []
        for batch in self.train.batches(self.batch_size, self.rng):
            cost, batch_outputs, batch_norms = self._step(batch)
            norms.append(batch_norms)
            costs.append(cost * len(batch))
            outputs += batch_outputs
            targets += batch.targets
        mean_norms = {name: math.fsum(norm[name] for norm in norms) / len(norms) for name in self.layers}
        self._note(math.fsum(costs) / len(self.train), outputs, targets, mean_norms)

    def _step(self, batch: Examples) -> tuple[float, list[Any], dict[str, float]]:
        """Make one update: gradient, check, clip, step."""
        if self.augment:
            batch = Examples([self.augment(x, self.rng) for x in batch.inputs], batch.targets, batch.indices)
        for p in self.parameters:
            p.grad = 0.0
        cost, outputs = self.risk.backward(batch)
        norms = gradient_norms(self.layers)
        self._refuse_nan(cost, math.hypot(*norms.values()), batch)
        if self.clip_value is not None:
            clip_grad_value(self.parameters, self.clip_value)
        if self.clip_norm is not None:
            clip_grad_norm(self.parameters, self.clip_norm)
        self.optimizer.step()
        self.history.steps += 1
        return cost, outputs, norms

    def _refuse_nan(self, cost: float, norm: float, batch: Examples) -> None:
        if math.isfinite(cost) and math.isfinite(norm):
            return
        what = f"the loss is {cost}" if not math.isfinite(cost) else f"the gradient has norm {norm}"
        where = origin_of_nan(self.risk.plain, batch)
        step, epoch = self.history.steps + 1, self.history.epochs + 1
        message = (
            f"step {step}, in epoch {epoch}: {what}; {where}. The model has the parameters it had before this step; "
            "a lower learning rate, clip_norm=1.0 or a cost from logits may help"
        )
        raise DivergedError(message, self.history)

    def _note(self, loss: float, outputs: Sequence[Any], targets: Sequence[Any], norms: dict[str, float]) -> None:
        """Add an epoch to the history: all of its numbers, or none if something interrupts."""
        history = self.history
        accuracies = [(history.accuracy, self._accuracy(outputs, targets))]
        validation = []
        if self.held_out is not None:
            held_out_loss, outputs = self.risk.evaluate(self.held_out)
            validation.append((history.validation_loss, held_out_loss))
            accuracies.append((history.validation_accuracy, self._accuracy(outputs, self.held_out.targets)))
        dead = None
        if history.dead_relus or not history.loss:  # where there were none before training, none will come
            with evaluating(self.model), recording():
                dead = dead_relus(self.model, self.train.inputs)
        gradients = [(history.gradient_norms.setdefault(name, []), norm) for name, norm in norms.items()]
        for record, number in ((history.loss, loss), *validation, *accuracies, (history.dead_relus, dead), *gradients):
            if number is not None:
                record.append(number)

    def _accuracy(self, outputs: Sequence[Any], targets: Sequence[Any]) -> float | None:
        return accuracy([self.decision(output) for output in outputs], targets) if self.decision else None


def trained_parameters(model: Module, optimizer: Any) -> list[Value]:
    """Return the model's parameters and those that only the optimizer holds, such as a learned scale of the loss.

    Raises `ValueError` where the optimizer holds no parameter of the model.
    """
    own = model.parameters()
    held = [p for p in getattr(optimizer, "parameters", []) if isinstance(p, Value)]
    if held and not set(held) & set(own):
        message = "the optimizer holds no parameter of this model: make it of this very model's parameters()"
        raise ValueError(message)
    return list(dict.fromkeys([*own, *held]))

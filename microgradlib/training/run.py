"""One training run: its steps, its epochs, and the quantities it records."""

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
from microgradlib.training.diagnostics import dead_relus, gradient_norms, origin_of_nan, parameters_by_layer
from microgradlib.training.examples import Examples
from microgradlib.training.history import History
from microgradlib.training.risk import Risk, evaluation_mode

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence

    from microgradlib.nn import Module
    from microgradlib.training.types import SupportsStep

__all__ = ["Run", "trained_parameters"]


@dataclass
class Run:
    """The risk to minimise, the optimizer, the examples, and the history. `fit` documents the fields."""

    risk: Risk
    optimizer: SupportsStep
    parameters: list[Value]
    train: Examples
    validation: Examples | None
    rng: random.Random
    batch_size: int
    augment: Callable[[Any, random.Random], Any] | None = None
    clip_norm: float | None = None
    clip_value: float | None = None
    history: History = field(default_factory=History)

    def __post_init__(self) -> None:
        """Set the parameters by layer, and the cost's decision rule, None if it does not classify."""
        self.model = self.risk.model
        self.layers = parameters_by_layer(self.model)
        self.decision = decision_of(self.risk.loss)

    def evaluate_initial(self) -> None:
        """Evaluate all examples before any update, and record epoch 0."""
        loss, outputs = self.risk.evaluate(self.train)
        self._record(loss, outputs, self.train.targets, dict.fromkeys(self.layers, math.nan))

    def epoch(self) -> None:
        """Go through the training examples once, then record the epoch."""
        costs, outputs, targets, norms = [], list[Any](), list[Any](), []
        for batch in self.train.batches(self.batch_size, self.rng):
            cost, batch_outputs, batch_norms = self._step(batch)
            norms.append(batch_norms)
            costs.append(cost * len(batch))
            outputs += batch_outputs
            targets += batch.targets
        mean_norms = {name: math.fsum(norm[name] for norm in norms) / len(norms) for name in self.layers}
        self._record(math.fsum(costs) / len(self.train), outputs, targets, mean_norms)

    def _step(self, batch: Examples) -> tuple[float, list[Any], dict[str, float]]:
        """Make one update: augment, differentiate, check, clip, step. Return the mean cost, the outputs, the norms."""
        if self.augment:
            batch = Examples([self.augment(x, self.rng) for x in batch.inputs], batch.targets, batch.indices)
        for p in self.parameters:
            p.grad = 0.0
        cost, outputs = self.risk.backward(batch)
        norms = gradient_norms(self.layers)
        self._check_finite(cost, math.hypot(*norms.values()), batch)
        if self.clip_value is not None:
            clip_grad_value(self.parameters, self.clip_value)
        if self.clip_norm is not None:
            clip_grad_norm(self.parameters, self.clip_norm)
        self.optimizer.step()
        self.history.steps += 1
        return cost, outputs, norms

    def _check_finite(self, cost: float, norm: float, batch: Examples) -> None:
        """Raise `DivergedError`, naming the example and the op, unless the cost and the gradient are finite."""
        if math.isfinite(cost) and math.isfinite(norm):
            return
        what = f"the loss is {cost}" if not math.isfinite(cost) else f"the gradient has norm {norm}"
        where = origin_of_nan(self.risk.eager, batch)
        step, epoch = self.history.steps + 1, self.history.epochs + 1
        message = (
            f"step {step}, in epoch {epoch}: {what}; {where}. The model has the parameters it had before this step; "
            "a lower learning rate, clip_norm=1.0 or a cost from logits may help"
        )
        raise DivergedError(message, self.history)

    def _record(self, loss: float, outputs: Sequence[Any], targets: Sequence[Any], norms: dict[str, float]) -> None:
        """Add an epoch to the history. All its numbers are computed first, so an interrupt cannot add only some."""
        history = self.history
        accuracies = [(history.accuracy, self._accuracy(outputs, targets))]
        validation = []
        if self.validation is not None:
            validation_loss, outputs = self.risk.evaluate(self.validation)
            validation.append((history.validation_loss, validation_loss))
            accuracies.append((history.validation_accuracy, self._accuracy(outputs, self.validation.targets)))
        dead = None
        if history.dead_relus or not history.loss:  # a model without rectifiers at epoch 0 has none later
            with evaluation_mode(self.model), recording():
                dead = dead_relus(self.model, self.train.inputs)
        gradients = [(history.gradient_norms.setdefault(name, []), norm) for name, norm in norms.items()]
        for series, number in ((history.loss, loss), *validation, *accuracies, (history.dead_relus, dead), *gradients):
            if number is not None:
                series.append(number)

    def _accuracy(self, outputs: Sequence[Any], targets: Sequence[Any]) -> float | None:
        return accuracy([self.decision(output) for output in outputs], targets) if self.decision else None


def trained_parameters(model: Module, optimizer: SupportsStep) -> list[Value]:
    """Return the parameters of the model, then the optimizer's further ones, such as a learned scale of the loss.

    Raises `ValueError` if the optimizer lists parameters, but none of the model's.
    """
    of_model = model.parameters()
    of_optimizer = [p for p in getattr(optimizer, "parameters", []) if isinstance(p, Value)]
    if of_optimizer and not set(of_optimizer) & set(of_model):
        message = "the optimizer has no parameter of this model: construct it with this model's parameters()"
        raise ValueError(message)
    return list(dict.fromkeys([*of_model, *of_optimizer]))

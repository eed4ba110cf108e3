"""Task: what a training run works on, the same whether its steps are compiled or not."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from microgradlib._support.interrupts import Hold
from microgradlib.core.value import Value
from microgradlib.costs import decision_of
from microgradlib.data.checks import transformed_row
from microgradlib.errors import DivergedError
from microgradlib.nn.by_layer import parameters_by_layer
from microgradlib.training.diagnostics import origin_of_nan
from microgradlib.training.examples import Examples
from microgradlib.training.history import History
from microgradlib.training.order import random_order
from microgradlib.training.risk import Risk

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator

    from microgradlib.nn import Module
    from microgradlib.training.types import SupportsStep

__all__ = ["Epoch", "Task", "trained_parameters"]


class Epoch(NamedTuple):
    """The mean cost over an epoch, the fraction of examples classified correctly, the mean gradient norm by layer."""

    loss: float
    accuracy: float | None
    norms: dict[str, float]


@dataclass
class Task:
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
    interrupts: Hold = field(default_factory=Hold)

    def __post_init__(self) -> None:
        """Set the parameters by layer, and the cost's decision rule, None if it does not classify."""
        self.model = self.risk.model
        self.layers = parameters_by_layer(self.model)
        self.decision = decision_of(self.risk.loss)

    def batches(self) -> Iterator[list[int]]:
        """Yield the positions of the training examples in a random order, `batch_size` at a time, the last fewer."""
        order = random_order(len(self.train), self.rng)
        for start in range(0, len(order), self.batch_size):
            yield order[start : start + self.batch_size]

    def batch(self, positions: list[int]) -> Examples:
        """Return the training examples at these positions, augmented."""
        batch = self.train.subset(positions)
        if self.augment is None:
            return batch
        return Examples(
            [transformed_row(self.augment, "augment", x, self.rng) for _, x, _ in batch.rows()],
            batch.targets,
            batch.indices,
        )

    def step(self, update: Callable[..., object], *gradient: Any) -> None:
        """Make one update and count it: Ctrl-C comes before or after both. An error of the update ends the run."""
        self.interrupts.is_open = False
        update(*gradient)
        self.history.steps += 1
        self.interrupts.open()

    def check_finite(self, cost: float, norms: list[float], batch: Callable[[], Examples]) -> None:
        """Raise `DivergedError`, naming the example and the op, unless the cost and the gradient are finite."""
        if math.isfinite(cost) and all(map(math.isfinite, norms)):
            return
        what = f"the loss is {cost}" if not math.isfinite(cost) else f"the gradient has norm {math.hypot(*norms)}"
        where = origin_of_nan(self.risk, batch())
        step, epoch = self.history.steps + 1, self.history.epochs + 1
        message = (
            f"step {step}, in epoch {epoch}: {what}; {where}. The model has the parameters it had before this step; "
            "a lower learning rate, clip_norm=1.0 or a cost from logits may help"
        )
        raise DivergedError(message, self.history)


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

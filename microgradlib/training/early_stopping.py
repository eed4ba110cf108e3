"""Early stopping: end when the watched loss no longer falls, and keep the best parameters."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from microgradlib.nn import Module

__all__ = ["EarlyStopping"]


@dataclass
class EarlyStopping:
    """Stop after `patience` epochs in which the loss was not `min_delta` below the best; keep the best parameters.

    It watches the validation loss, or the training loss where there is none. Like weight decay it keeps weights small:
    on a quadratic cost, τ steps of rate η are like a coefficient λ with τη ~ 1/λ. (*Deep Learning*, 7.8.)

    Raises `ValueError` for a patience below 1 or a `min_delta` below 0.

    >>> from microgradlib.nn import Neuron
    >>> watch, model = EarlyStopping(patience=2), Neuron(1, init="zeros")
    >>> [watch.ends(epoch, loss, model) for epoch, loss in enumerate([3.0, 1.0, 2.0, 1.5])], watch.best_epoch
    ([False, False, False, True], 1)
    """

    patience: int = 10
    min_delta: float = 0.0
    best_epoch: int = field(default=-1, init=False)
    best_loss: float = field(default=math.inf, init=False)
    _best: dict[str, float] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        """Refuse settings that could never stop, or never go on."""
        if self.patience < 1 or not self.min_delta >= 0:
            message = f"patience is 1 or more and min_delta 0 or more, got {self.patience} and {self.min_delta}"
            raise ValueError(message)

    def ends(self, epoch: int, loss: float, model: Module) -> bool:
        """Take note of an epoch's loss, keep the parameters if it is the best, and say whether to stop."""
        if loss < self.best_loss - self.min_delta or self.best_epoch < 0:
            self.best_epoch, self.best_loss, self._best = epoch, loss, model.state_dict()
        return epoch - self.best_epoch >= self.patience

    def restore(self, model: Module) -> None:
        """Give the model its best parameters back."""
        if self.best_epoch >= 0:
            model.load_state_dict(self._best)

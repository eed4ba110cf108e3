"""Early stopping: end training when the loss no longer improves, and keep the best parameters."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from microgradlib._support.checks import non_negative, whole_number

if TYPE_CHECKING:
    from microgradlib.nn import Module

__all__ = ["EarlyStopping"]


@dataclass
class EarlyStopping:
    """Stop after `patience` epochs in which the loss was not `min_delta` below the best; keep the best parameters.

    The loss is the validation loss, or the training loss if there are no validation examples. Like weight decay, early
    stopping keeps the weights small: on a quadratic cost, τ steps of rate η act like a coefficient λ with τη ~ 1/λ.
    (*Deep Learning*, 7.8.)

    Raises `TypeError` for a patience that is not a whole number, `ValueError` for a patience below 1 or a `min_delta`
    that is negative, infinite or nan.

    >>> from microgradlib.nn import Neuron
    >>> rule, model = EarlyStopping(patience=2), Neuron(1, init="zeros")
    >>> [rule.ends(epoch, loss, model) for epoch, loss in enumerate([3.0, 1.0, 2.0, 1.5])], rule.best_epoch
    ([False, False, False, True], 1)
    """

    patience: int = 10
    min_delta: float = 0.0
    best_epoch: int = field(default=-1, init=False)
    best_loss: float = field(default=math.inf, init=False)
    _best_state: dict[str, float] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        """Check the settings."""
        self.patience = whole_number(self.patience, "patience", reason="the epochs to wait", example=10)
        self.min_delta = non_negative(self.min_delta, "min_delta", example=0.0)

    def ends(self, epoch: int, loss: float, model: Module) -> bool:
        """Record the loss of an epoch, save the parameters if it is the best so far, and return whether to stop."""
        if loss < self.best_loss - self.min_delta or self.best_epoch < 0:
            self.best_epoch, self.best_loss, self._best_state = epoch, loss, model.state_dict()
        return epoch - self.best_epoch >= self.patience

    def restore(self, model: Module) -> None:
        """Set the model's parameters to those of the best epoch."""
        if self.best_epoch >= 0:
            model.load_state_dict(self._best_state)

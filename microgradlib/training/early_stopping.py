"""Early stopping: end training when the loss or error rate no longer improves, and keep the best parameters."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from microgradlib._support.calling import call, in_plain_words
from microgradlib._support.checks import check_class, non_negative, whole_number
from microgradlib._support.number import as_float
from microgradlib._support.shown import shown
from microgradlib.core.node import Node
from microgradlib.nn import Module
from microgradlib.training.history import History

__all__ = ["EarlyStopping"]


@in_plain_words
@dataclass
class EarlyStopping:
    """Stop after `patience` epochs in which the quantity was not `min_delta` below the best; keep the best parameters.

    The quantity is that of the validation examples, or of the training examples if there are none:

        monitor="loss"          the mean cost without regularisers
        monitor="error_rate"    1 − accuracy: the fraction of examples classified wrongly
        monitor=f               the number that f(model, history) returns after each epoch; the lower, the better

    An error rate takes few values: an equal one is no improvement, so give some patience. Like weight decay, early
    stopping keeps the weights small: on a quadratic cost, τ steps of rate η act like a coefficient λ with τη ~ 1/λ.
    (*Deep Learning*, 7.8.)

    Raises `TypeError` for a patience that is not a whole number, `ValueError` for a patience below 1, a `min_delta`
    that is negative, infinite or nan, or another `monitor`; `fit` raises `ValueError` where the error rate is to be
    watched but the cost does not classify.

    >>> from microgradlib.nn import Neuron
    >>> rule, model = EarlyStopping(patience=2), Neuron(1, init="zeros")
    >>> [rule.ends(epoch, loss, model) for epoch, loss in enumerate([3.0, 1.0, 2.0, 1.5])], rule.best_epoch
    ([False, False, False, True], 1)
    """

    patience: int = 10
    min_delta: float = 0.0
    monitor: Literal["loss", "error_rate"] | Callable[[Any, History], float] = "loss"
    best_epoch: int = field(default=-1, init=False)
    best_loss: float = field(default=math.inf, init=False)
    _best_state: dict[str, float] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        """Check the settings."""
        self.patience = whole_number(self.patience, "patience", reason="the epochs to wait", example=10)
        self.min_delta = non_negative(self.min_delta, "min_delta", example=0.0)
        if not callable(self.monitor) and self.monitor not in ("loss", "error_rate"):
            message = f"monitor must be 'loss', 'error_rate' or a function (model, history), got {shown(self.monitor)}"
            raise ValueError(message)

    @property
    def name(self) -> str:
        """What is watched, in words."""
        if callable(self.monitor):
            return str(getattr(self.monitor, "__name__", type(self.monitor).__name__)).replace("_", " ")
        return self.monitor.replace("_", " ")

    def watched(self, model: Module, history: History) -> float:
        """Return the quantity after the last epoch of the history.

        Raises `TypeError` if a function given as `monitor` returns no number, and for anything but a Module and a
        History, `ValueError` for a history without the quantity.
        """
        check_class(model, Module, "model", "such as nn.MLP")
        check_class(history, History, "history", "as fit returns it")
        if callable(self.monitor):
            number: Any = call(self.monitor, "monitor(model, history)", model, history)
            try:
                return as_float(number.data if isinstance(number, Node) else number)
            except TypeError as error:
                message = f"the function that early stopping watches must return a number: {error}"
                raise TypeError(message) from None
        is_loss = self.monitor == "loss"
        series = history.validation_loss or history.loss
        if not is_loss:
            series = history.validation_accuracy or history.accuracy
        if not series:
            message = f"this history has no {self.monitor.replace('_', ' ')} to watch yet"
            raise ValueError(message)
        return series[-1] if is_loss else 1 - series[-1]

    def ends(self, epoch: int, loss: float, model: Module) -> bool:
        """Record the quantity of an epoch, save the parameters if it is the best, and return whether to stop.

        Raises `TypeError` or `ValueError` for an epoch that is no whole number, a loss that is no number, and anything
        but a Module.
        """
        epoch, loss = whole_number(epoch, "epoch", 0), as_float(loss)
        check_class(model, Module, "model", "such as nn.MLP")
        none_yet = self.best_epoch < 0 or (math.isnan(self.best_loss) and not math.isnan(loss))
        if none_yet or loss < self.best_loss - self.min_delta:
            self.best_epoch, self.best_loss, self._best_state = epoch, loss, model.state_dict()
        return epoch - self.best_epoch >= self.patience

    def restore(self, model: Module) -> None:
        """Set the model's parameters to those of the best epoch. Raises `TypeError` for anything but a Module."""
        check_class(model, Module, "model", "such as nn.MLP")
        if self.best_epoch >= 0:
            model.load_state_dict(self._best_state)

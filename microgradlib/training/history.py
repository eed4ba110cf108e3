"""The history of a training run: one number for each epoch and quantity, and their plots."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from microgradlib._support import display
from microgradlib._support.absent import lacking
from microgradlib._support.calling import in_plain_words
from microgradlib._support.other_names import ADVICE_ON_HISTORIES
from microgradlib._support.shown import shown
from microgradlib.viz import line_chart
from microgradlib.viz.captions import Language, captions

if TYPE_CHECKING:
    from microgradlib.viz import Chart

__all__ = ["History"]

PLOTS = {
    "loss": ("Training", "mean cost"),
    "accuracy": ("Accuracy", "fraction of examples classified correctly"),
    "gradient_norms": ("Gradients by layer", "norm of the gradient"),
    "dead_relus": ("Dead rectifiers", "fraction of units that are 0 at every example"),
}


@in_plain_words
@lacking(ADVICE_ON_HISTORIES)
@dataclass(repr=False)
class History(display.ShowsItself):
    """The quantities recorded by `fit`. Index e of every list is epoch e; index 0 is before training.

    - `loss`: the mean cost of the training examples, without regularisers; from epoch 1 on computed batch by batch,
      each with the parameters before the batch's update.
    - `validation_loss`: the mean cost of the validation examples after the epoch.
    - `accuracy`, `validation_accuracy`: 0 to 1; empty if the cost does not classify.
    - `gradient_norms`: for each layer, the mean over the epoch's steps of ‖∂R/∂(its parameters)‖, before any clipping;
      nan at index 0.
    - `dead_relus`: the fraction, 0 to 1, of rectifiers that are 0 at every one of up to 64 training examples after the
      epoch; empty if the model has none.
    - `stopped`: why training ended early, or "".
    - `best_epoch`: with early stopping, the epoch whose parameters were kept.
    - `steps`: the number of updates.
    - `engine`: how the updates were computed, by a compiled program or example by example.
    """

    loss: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)
    validation_accuracy: list[float] = field(default_factory=list)
    gradient_norms: dict[str, list[float]] = field(default_factory=dict)
    dead_relus: list[float] = field(default_factory=list)
    stopped: str = ""
    best_epoch: int | None = None
    steps: int = 0
    engine: str = ""

    @property
    def epochs(self) -> int:
        """The number of epochs completed."""
        return max(len(self.loss) - 1, 0)

    @in_plain_words
    def plot(self, what: str = "loss", *, lang: Language = "en") -> Chart:
        """Return a chart of "loss", "accuracy", "gradient_norms" or "dead_relus" by epoch; Jupyter displays it.

        The epoch whose parameters early stopping kept is marked. Captions are in English or, with lang="zh", Chinese.

        Raises `ValueError` for another name or language, and for a quantity that was not recorded.

        >>> chart = History(loss=[1.0, 0.5], validation_loss=[1.1, 0.7]).plot()
        >>> print(chart.text)
        Training
          training: 2 numbers, from 1 to 0.5, lowest 0.5, highest 1
          validation: 2 numbers, from 1.1 to 0.7, lowest 0.7, highest 1.1
        """
        say = captions(lang)
        curves, label = self.curves(what)
        kept = {} if self.best_epoch is None else {say("kept: epoch {epoch}", epoch=self.best_epoch): self.best_epoch}
        return line_chart(
            {say(name): numbers for name, numbers in curves.items()},
            title=say(PLOTS[what][0]),
            x_label=say("epoch"),
            y_label=say(label),
            marks=kept,
        )

    def curves(self, what: str) -> tuple[dict[str, list[float]], str]:
        """Return the curves of a plot by their names, and the name of the quantity. Raises as `plot` does.

        >>> History(loss=[1.0, 0.5]).curves("loss")
        ({'training': [1.0, 0.5]}, 'mean cost')
        """
        if not isinstance(what, str) or what not in PLOTS:
            message = f"a history can plot {', '.join(map(repr, PLOTS))}, got {shown(what)}"
            raise ValueError(message)
        all_curves = {
            "loss": {"training": self.loss, "validation": self.validation_loss},
            "accuracy": {"training": self.accuracy, "validation": self.validation_accuracy},
            "gradient_norms": self.gradient_norms,
            "dead_relus": {"dead": self.dead_relus},
        }
        curves = {name: numbers for name, numbers in all_curves[what].items() if numbers}
        if not curves:
            message = f"this history has no {what} to plot"
            raise ValueError(message)
        return curves, PLOTS[what][1]

    def line(self) -> str:
        """Return the last epoch's numbers as one line of text, as the progress bar shows it.

        >>> History(loss=[1.0, 0.5], validation_loss=[1.1, 0.7]).line()
        'loss 0.5000, validation 0.7000'
        """
        quantities = [f"loss {_cost(self.loss[-1])}"] if self.loss else []
        quantities += [f"accuracy {self.accuracy[-1]:.1%}"] if self.accuracy else []
        quantities += [f"validation {_cost(self.validation_loss[-1])}"] if self.validation_loss else []
        quantities += [f"accuracy {self.validation_accuracy[-1]:.1%}"] if self.validation_accuracy else []
        return ", ".join(quantities)

    def __repr__(self) -> str:
        ended = f", stopped: {self.stopped}" if self.stopped else ""
        return f"<History of {self.epochs} epochs: {self.line()}{ended}>"


def _cost(number: float) -> str:
    """Write a cost with four decimals, a smaller one with as many digits as tell it from 0."""
    return f"{number:.4f}" if not number or abs(number) >= 1e-3 else f"{number:.1e}"

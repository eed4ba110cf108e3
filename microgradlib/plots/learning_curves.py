"""plot_history: the quantities of a training run by epoch."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal

from microgradlib._support.shown import shown
from microgradlib.plots.axes import CLASS_COLOURS, axes_of, caption_text, closing_on_error, label_plainly
from microgradlib.viz.captions import Language, captions

__all__ = ["draw_curves", "plot_history"]


@closing_on_error
def plot_history(
    history: Any,
    what: str = "loss",
    *,
    scale: Literal["auto", "log", "linear"] = "auto",
    lang: Language = "en",
    ax: Any = None,
) -> Any:
    """Plot "loss", "accuracy", "gradient_norms" or "dead_relus" of a `History` by epoch, and return the Axes.

    The axis is logarithmic for a loss or a gradient that is greater than 0 throughout ("auto"), as the loss of a
    converging run falls by a constant factor from epoch to epoch; or as `scale` says. The epoch whose parameters early
    stopping kept is marked. Captions are in English or, with lang="zh", Chinese. Without matplotlib, `history.plot()`
    draws the same as a chart of this library.

    Raises:
        MissingExtraError: matplotlib is not installed.
        TypeError: `history` is not what `fit` returns.
        ValueError: an unknown quantity, scale or language, a quantity that was not recorded, or a log scale for numbers
            that are not greater than 0.

    >>> from microgradlib.training import History
    >>> axes = plot_history(History(loss=[1.0, 0.1, 0.01], validation_loss=[1.1, 0.2, 0.1]))
    >>> axes.get_yscale(), [line.get_label() for line in axes.lines]
    ('log', ['training', 'validation'])
    """
    if not hasattr(history, "curves") or not hasattr(history, "best_epoch"):
        message = f"plot_history takes the History that fit returns, got {shown(history)}"
        raise TypeError(message)
    if scale not in ("auto", "log", "linear"):
        message = f"scale must be 'auto', 'log' or 'linear', got {shown(scale)}"
        raise ValueError(message)
    say = captions(lang)
    curves, label = history.curves(what)
    positive = all(number > 0 for numbers in curves.values() for number in numbers if not math.isnan(number))
    if scale == "log" and not positive:
        message = f"{what} has numbers that are not greater than 0, which a log axis cannot show; use scale='linear'"
        raise ValueError(message)
    axes = axes_of(ax, "plot_history")
    log = scale == "log" or (scale == "auto" and positive and what in ("loss", "gradient_norms"))
    draw_curves(axes, curves, label, say, log=log)
    if history.best_epoch is not None:
        kept = say("kept: epoch {epoch}", epoch=history.best_epoch)
        axes.axvline(history.best_epoch, color="grey", linewidth=1, linestyle=":", label=kept)
        axes.legend(fontsize="small")
    return axes


def draw_curves(ax: Any, curves: dict[str, list[float]], label: str, say: Callable[..., str], *, log: bool) -> None:
    """Draw curves by epoch into `ax`, which is assumed to be empty, with captions as `say` has them."""
    for k, (name, numbers) in enumerate(curves.items()):
        dashes = {"linestyle": "--"} if k % 2 else {}
        marker = "o" if sum(map(math.isfinite, numbers)) == 1 else None  # a line of one point is not seen
        colour = CLASS_COLOURS[k % len(CLASS_COLOURS)]
        ax.plot(range(len(numbers)), numbers, label=caption_text(say(name)), color=colour, marker=marker, **dashes)
    ax.set(xlabel=say("epoch"), ylabel=say(label), yscale="log" if log else "linear")
    if log:
        label_plainly(ax.yaxis)
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.legend(fontsize="small")

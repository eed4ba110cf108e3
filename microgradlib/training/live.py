"""The figure that `fit(live=True)` draws of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from microgradlib.plots.examples import Points, points_of
from microgradlib.plots.live import LiveFigure

if TYPE_CHECKING:
    from microgradlib.training.examples import Examples
    from microgradlib.training.history import History
    from microgradlib.training.run import Steps

__all__ = ["finish", "live_figure", "refresh"]


def live_figure(model: Any, examples: Examples) -> LiveFigure:
    """Return a figure of the loss and, if the examples are rows of one or two numbers, of what the model decides.

    Raises `MissingExtraError` without matplotlib.
    """
    return LiveFigure(model, _points(examples))


def refresh(figure: LiveFigure | None, steps: Steps, history: History) -> None:
    """Draw the run as it stands, if there is a figure and it is time for another picture."""
    if figure is not None and figure.is_due():
        steps.settle()
        figure.draw(history)


def finish(figure: LiveFigure | None, history: History) -> None:
    """Draw the run as it ended, if there is a figure."""
    if figure is not None and history.loss:
        figure.draw(history)


def _points(examples: Examples) -> Points | None:
    try:
        points = points_of((examples.inputs, examples.targets), "fit(live=True)")
    except (TypeError, ValueError):  # texts, nested rows, targets that are lists: no points of a plane
        return None
    return points if points.inputs.shape[1] <= 2 else None

"""LiveFigure: a figure in a notebook that shows a training run while it goes on."""

from __future__ import annotations

import base64
import io
import time
from typing import TYPE_CHECKING, Any, Final

from microgradlib._support.notebook import ChangingOutput
from microgradlib._support.optional import import_optional
from microgradlib.plots.decision_boundary import draw_boundary, sensible_threshold
from microgradlib.plots.evaluation import Evaluator
from microgradlib.plots.learning_curves import draw_curves
from microgradlib.viz.captions import captions

if TYPE_CHECKING:
    from collections.abc import Callable

    from microgradlib.plots.examples import Points

__all__ = ["LiveFigure"]

SHARE: Final = 0.1
"""The largest share of the time since the start that drawing takes, besides the picture at the end."""
_FIRST_COST: Final = 0.15
"""Seconds that the first picture is taken to cost."""
_RESOLUTION: Final = 60
_INCHES: Final = 4.6
"""The width of one of the two plots."""


class LiveFigure:
    """The loss by epoch and, for a model of one or two inputs, its decision boundary, in one output of the cell.

    Pictures are drawn only as often as keeps their cost at `SHARE` of the time since the start; the last one always is.

    Args:
        model: the model in training.
        points: its training examples, None if they are not rows of one or two numbers.
        clock: returns the time in seconds; for tests.

    """

    def __init__(
        self, model: Callable[[Any], Any], points: Points | None, *, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        import_optional("matplotlib.figure", "fit(live=True)")
        self.points, self.clock = points, clock
        self.evaluate = Evaluator(model) if points is not None else None
        self.spent, self.cost, self.drawn = 0.0, _FIRST_COST, 0
        self.output = ChangingOutput()
        self.start = clock()

    def is_due(self) -> bool:
        """Return whether another picture would keep the cost of all at their share of the time."""
        return self.spent + self.cost <= SHARE * (self.clock() - self.start)

    def draw(self, history: Any) -> None:
        """Draw and show the run as it stands; the parameters' Values must have their present numbers."""
        before = self.clock()
        encoded = base64.b64encode(self.picture(history)).decode()
        self.output.show({"image/png": encoded, "text/plain": f"training: {history.line()}"})
        self.cost = self.clock() - before
        self.spent += self.cost
        self.drawn += 1

    def picture(self, history: Any) -> bytes:
        """Return the picture as the bytes of a PNG file."""
        figure_module = import_optional("matplotlib.figure", "fit(live=True)")
        width = _INCHES * (1 if self.evaluate is None else 2)
        figure = figure_module.Figure(figsize=(width, _INCHES * 0.74))
        # Fixed places: a layout by the sizes of texts would take more time than all else.
        loss = figure.add_axes((0.75 / width, 0.16, 3.7 / width, 0.74))
        curves, label = history.curves("loss")
        positive = all(number > 0 for numbers in curves.values() for number in numbers)
        draw_curves(loss, curves, label, captions("en"), log=positive)
        loss.set_title(f"epoch {history.epochs}", fontsize="medium")
        if self.evaluate is not None and self.points is not None:
            threshold = sensible_threshold(self.evaluate(self.points.inputs), self.points)
            plane = figure.add_axes((5.35 / width, 0.16, 3.7 / width, 0.74))
            draw_boundary(plane, self.evaluate, self.points, threshold, _RESOLUTION, say=captions("en"))
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=80)
        return buffer.getvalue()

"""Draw curves, such as losses during training, as an SVG line chart."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from microgradlib._support.printable import one_line
from microgradlib.viz.charts.axis import Axis
from microgradlib.viz.charts.curves import Curves, Run
from microgradlib.viz.numbers import counted, number
from microgradlib.viz.picture import Picture, file_svg, page_html

_MAX_MAGNITUDE: Final = 1e300
"""Larger numbers are treated as gaps, so that the arithmetic of the axis cannot overflow."""
_MAX_POINTS: Final = 1200
"""The largest number of points of one curve: more could not be distinguished at the width of the chart."""


class Chart(Picture):
    """A line chart: `svg` and `html` are the picture, `text` a summary in words.

    Made by `line_chart`. Jupyter displays it; `.save("loss.svg")` writes it to a file.
    """

    __slots__ = ("_canvas",)

    def __init__(self, canvas: Curves) -> None:
        self._canvas = canvas

    @property
    def svg(self) -> str:
        """The chart as SVG text."""
        return file_svg(self._canvas, "light")

    @property
    def html(self) -> str:
        """The chart as HTML, light or dark as the page is."""
        return page_html([self._canvas])

    @property
    def text(self) -> str:
        """The chart in words: one line per series."""
        return self._canvas.text

    @property
    def _title(self) -> str:
        return self._canvas.title

    def __repr__(self) -> str:
        return f"<Chart: {self._title}>"


def line_chart(
    series: Mapping[str, Sequence[float]], *, title: str = "", x_label: str = "step", y_label: str = ""
) -> Chart:
    """Draw one curve for each series, over the positions 0, 1, 2, … of its numbers.

    A nan or an infinity is a gap in the curve; a number between two gaps, or the only number of a series, is a dot.
    Of a long series, the lowest and the highest number of each interval are drawn, so that spikes remain visible.

    Args:
        series: numbers by name; the legend lists the names in this order.
        title: the heading of the chart.
        x_label: what the positions count.
        y_label: what the numbers measure, with its unit.

    Raises:
        TypeError: `series` is not a mapping, or a series holds something other than numbers.
        ValueError: there is no series.

    >>> chart = line_chart({"training": [1.0, 0.5, 0.25], "validation": [1.1, 0.7, 0.6]}, title="Loss")
    >>> print(chart.text)
    Loss
      training: 3 numbers, from 1 to 0.25, lowest 0.25, highest 1
      validation: 3 numbers, from 1.1 to 0.6, lowest 0.6, highest 1.1
    """
    numbers = {one_line(str(name)): _numbers(name, values) for name, values in _checked_series(series).items()}
    drawn = {name: _runs(values) for name, values in numbers.items()}
    points = [value for runs in drawn.values() for run in runs for _, value in run]
    y = Axis.over(points)
    longest = max(map(len, numbers.values()))
    x = Axis.over([0.0, longest - 1.0] if longest > 1 else [0.0], marks=6, tight=longest > 1, whole=True)
    text = "\n".join([title or "Line chart", *(_summary(name, values) for name, values in numbers.items())])
    return Chart(Curves(drawn, x, y, (title, x_label, y_label), text))


def _checked_series(series: Any) -> Mapping[str, Sequence[float]]:
    if not isinstance(series, Mapping):
        given = type(series).__name__
        message = f"series must be a mapping from names to numbers, such as {{'loss': [1.0, 0.5]}}; got {given}"
        raise TypeError(message)
    if not series:
        message = "there is no series to draw; give at least one, such as {'loss': [1.0, 0.5]}"
        raise ValueError(message)
    return series


def _numbers(name: object, values: Any) -> list[float]:
    message = f"the series {name!r} must be a sequence of numbers, got {values!r:.80}"
    try:
        numbers = list(values)
        floats = [float(value) for value in numbers]
    except (TypeError, ValueError, OverflowError) as error:
        raise TypeError(message) from error
    if isinstance(values, (str, bytes)) or any(isinstance(value, (str, bytes)) for value in numbers):
        raise TypeError(message)  # float("3") is 3.0, but text among numbers is a mistake
    return floats


def _runs(values: list[float]) -> list[Run]:
    """Return the runs of drawable numbers between gaps, thinned to at most about `_MAX_POINTS` points."""
    runs: list[Run] = []
    inside = False
    for position, value in enumerate(values):
        drawable = abs(value) <= _MAX_MAGNITUDE  # false for nan
        if drawable and not inside:
            runs.append([])
        if drawable:
            runs[-1].append((position, value))
        inside = drawable
    points_per_kept = math.ceil(len(values) / _MAX_POINTS)
    return [_thinned(run, points_per_kept) for run in runs] if points_per_kept > 1 else runs


def _thinned(run: Run, points_per_kept: int) -> Run:
    """Keep the ends of a run, and the lowest and the highest of every `2 * points_per_kept` points."""
    kept: dict[int, float] = dict(run[:1])
    width = 2 * points_per_kept
    for start in range(0, len(run), width):
        part = run[start : start + width]
        extremes = (min(part, key=lambda point: point[1]), max(part, key=lambda point: point[1]))
        kept.update(sorted(extremes))
    kept.update(run[-1:])
    return sorted(kept.items())


def _summary(name: str, values: list[float]) -> str:
    finite = [value for value in values if math.isfinite(value)]
    gaps = f", {len(values) - len(finite)} not finite" if len(finite) < len(values) else ""
    count = counted(len(values), "number")
    if not finite:
        return f"  {name}: {count}{gaps}"
    ends = f", from {number(values[0])} to {number(values[-1])}"
    return f"  {name}: {count}{ends}, lowest {number(min(finite))}, highest {number(max(finite))}{gaps}"

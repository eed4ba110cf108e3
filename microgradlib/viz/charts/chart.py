"""Draw curves, such as losses during training, as an SVG line chart."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, Literal, get_args

from microgradlib._support.calling import in_plain_words
from microgradlib._support.checks import check_class
from microgradlib._support.printable import one_line
from microgradlib._support.shown import shown
from microgradlib.viz.charts.axis import Axis
from microgradlib.viz.charts.curves import Curves, Run
from microgradlib.viz.numbers import counted, number
from microgradlib.viz.picture import Picture, file_svg, page_html

Scale = Literal["linear", "log"]
"""How an axis places its numbers."""
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
        check_class(canvas, Curves, "canvas", "as line_chart makes it")
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


@in_plain_words
def line_chart(
    series: Mapping[str, Sequence[float]],
    *,
    x: Sequence[float] | None = None,
    title: str = "",
    x_label: str = "step",
    y_label: str = "",
    x_scale: Scale = "linear",
    y_scale: Scale = "linear",
    marks: Mapping[str, float] | None = None,
) -> Chart:
    """Draw one curve for each series, over the positions `x` or, without them, over 0, 1, 2 and so on.

    A nan or an infinity is a gap in the curve, on a logarithmic scale also a number that is not greater than 0; a
    number between two gaps, or the only number of a series, is a dot. Of a long series, the lowest and the highest
    number of each interval are drawn, so that spikes remain visible.

    Args:
        series: numbers by name; the legend lists the names in this order.
        x: the positions of the numbers, in ascending order, for all series alike.
        title: the heading of the chart.
        x_label: what the positions are.
        y_label: what the numbers measure, with its unit.
        x_scale: `"linear"` or `"log"`.
        y_scale: `"linear"` or `"log"`.
        marks: positions by name, each a vertical line, as for the epoch of the best parameters.

    Raises:
        TypeError: `series` or `marks` is not a mapping, or something in them, or in `x`, is no number.
        ValueError: there is no series; a scale has another name; `x` is not finite and ascending, has a number for
            which a logarithmic scale has no place, or another length than a series.

    >>> chart = line_chart({"training": [1.0, 0.5, 0.25], "validation": [1.1, 0.7, 0.6]}, title="Loss")
    >>> print(chart.text)
    Loss
      training: 3 numbers, from 1 to 0.25, lowest 0.25, highest 1
      validation: 3 numbers, from 1.1 to 0.6, lowest 0.6, highest 1.1
    >>> steps = [10.0**-k for k in range(8, 0, -1)]
    >>> chart = line_chart({"ε²": [step**2 for step in steps]}, x=steps, x_scale="log", y_scale="log", x_label="ε")
    """
    numbers = {one_line(str(name)): _numbers(name, values) for name, values in _checked_series(series).items()}
    for name, scale in (("x_scale", x_scale), ("y_scale", y_scale)):
        if scale not in get_args(Scale):
            message = f"{name} must be 'linear' or 'log', got {shown(scale)}"
            raise ValueError(message)
    longest = max(map(len, numbers.values()))
    positions = list(map(float, range(longest))) if x is None else _positions(x, numbers, x_scale)
    lines = _checked_marks(marks, x_scale)
    drawn = {name: _runs(positions, values, y_scale) for name, values in numbers.items()}
    points = [value for runs in drawn.values() for run in runs for _, value in run]
    y = Axis.over_decades(points) if y_scale == "log" else Axis.over(points)
    if x_scale == "log":
        x_axis = Axis.over_decades([p for p in [*positions, *lines.values()] if p > 0], tight=True)
    else:
        ends = [*positions[:1], *positions[-1:], *lines.values()]
        x_axis = Axis.over(ends or [0.0], marks=6, tight=len(set(ends)) > 1, whole=x is None)
    text = "\n".join([title or "Line chart", *(_summary(name, values) for name, values in numbers.items())])
    text += "".join(f"\n  {name}: at {number(position)}" for name, position in lines.items())
    return Chart(Curves(drawn, x_axis, y, (title, x_label, y_label), text, lines))


def _positions(x: Any, series: Mapping[str, list[float]], scale: Scale) -> list[float]:
    positions = _numbers("x", x)
    for name, values in series.items():
        if len(values) != len(positions):
            message = f"x has {len(positions)} positions, the series {name!r} has {len(values)} numbers"
            raise ValueError(message)
    if not all(abs(position) <= _MAX_MAGNITUDE for position in positions) or any(
        later <= earlier for earlier, later in pairwise(positions)
    ):
        message = f"x must be finite and ascending, each position greater than the one before, got {shown(positions)}"
        raise ValueError(message)
    if scale == "log" and positions and positions[0] <= 0:
        message = f"a logarithmic scale needs positions greater than 0, got x from {positions[0]:g}"
        raise ValueError(message)
    return positions


def _checked_marks(marks: Any, scale: Scale) -> dict[str, float]:
    if marks is None:
        return {}
    if not isinstance(marks, Mapping):
        message = f"marks must be a mapping from names to positions, such as {{'kept': 12}}, got {shown(marks)}"
        raise TypeError(message)
    lines = {one_line(str(name)): _numbers(name, [position])[0] for name, position in marks.items()}
    for name, position in lines.items():
        if not abs(position) <= _MAX_MAGNITUDE or (scale == "log" and position <= 0):
            message = f"the mark {name!r} is at {position:g}, which has no place on a {scale} scale"
            raise ValueError(message)
    return lines


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
    message = f"the series {name!r} must be a sequence of numbers, got {shown(values)}"
    try:
        numbers = list(values)
        floats = [float(value) for value in numbers]
    except (TypeError, ValueError, OverflowError) as error:
        raise TypeError(message) from error
    if isinstance(values, (str, bytes)) or any(isinstance(value, (str, bytes)) for value in numbers):
        raise TypeError(message)  # float("3") is 3.0, but text among numbers is a mistake
    return floats


def _runs(positions: list[float], values: list[float], scale: Scale) -> list[Run]:
    """Return the runs of drawable numbers between gaps, thinned to at most about `_MAX_POINTS` points."""
    runs: list[Run] = []
    inside = False
    for position, value in zip(positions, values):
        drawable = abs(value) <= _MAX_MAGNITUDE and (scale == "linear" or value > 0)  # false for nan
        if drawable and not inside:
            runs.append([])
        if drawable:
            runs[-1].append((position, value))
        inside = drawable
    points_per_kept = math.ceil(len(values) / _MAX_POINTS)
    return [_thinned(run, points_per_kept) for run in runs] if points_per_kept > 1 else runs


def _thinned(run: Run, points_per_kept: int) -> Run:
    """Keep the ends of a run, and the lowest and the highest of every `2 * points_per_kept` points."""
    kept: dict[float, float] = dict(run[:1])
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

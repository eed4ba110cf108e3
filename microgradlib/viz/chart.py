"""Draw curves, such as losses during training, as an SVG line chart."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from microgradlib.viz import theme
from microgradlib.viz.axis import Axis
from microgradlib.viz.markup import clean, coordinate, element, escape, page, title
from microgradlib.viz.picture import Picture
from microgradlib.viz.typography import mono_width, number, sans_width, shorten

_WIDTH: Final = 640.0
_PLOT_HEIGHT: Final = 260.0
_MARGIN: Final = 22.0
_SIZE: Final = 11.0
_TITLE_SIZE: Final = 15.0
_LEGEND_ROW: Final = 20.0
_MAX_MAGNITUDE: Final = 1e300
"""Larger numbers are treated as gaps, so that the arithmetic of the axis cannot overflow."""
_MAX_POINTS: Final = 1200
"""The largest number of points of one curve: more could not be distinguished at the width of the chart."""

Run = list[tuple[int, float]]
"""Consecutive points of a curve without a gap, as pairs of position and number."""


class Chart(Picture):
    """A line chart: `svg` is its SVG text, `text` a summary in words.

    Made by `line_chart`. Jupyter displays it; `.save("loss.svg")` writes it to a file.
    """

    __slots__ = ("_svg", "_text")

    def __init__(self, svg: str, text: str) -> None:
        self._svg = svg
        self._text = text

    @property
    def svg(self) -> str:
        """The chart as SVG text."""
        return self._svg

    @property
    def text(self) -> str:
        """The chart in words: one line per series."""
        return self._text

    def __repr__(self) -> str:
        return f"<Chart: {self._text.splitlines()[0]}>"


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
    numbers = {clean(str(name)): _numbers(name, values) for name, values in _checked_series(series).items()}
    drawn = {name: _runs(values) for name, values in numbers.items()}
    points = [value for runs in drawn.values() for run in runs for _, value in run]
    y = Axis.over(points)
    longest = max(map(len, numbers.values()))
    x = Axis.over([0.0, longest - 1.0] if longest > 1 else [0.0], marks=6, tight=longest > 1, whole=True)
    text = "\n".join([title or "Line chart", *(_summary(name, values) for name, values in numbers.items())])
    return Chart(_svg(drawn, x, y, (title, x_label, y_label), text), text)


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
    count = f"{len(values)} number{'s' * (len(values) != 1)}"
    if not finite:
        return f"  {name}: {count}{gaps}"
    ends = f", from {number(values[0])} to {number(values[-1])}"
    return f"  {name}: {count}{ends}, lowest {number(min(finite))}, highest {number(max(finite))}{gaps}"


@dataclass(frozen=True)
class _Frame:
    """Two axes and the rectangle that they span, in pixels."""

    x: Axis
    y: Axis
    left: float
    right: float
    top: float
    bottom: float

    def x_of(self, position: float) -> float:
        return self.left + self.x.fraction(position) * (self.right - self.left)

    def y_of(self, value: float) -> float:
        return self.bottom - self.y.fraction(value) * (self.bottom - self.top)


def _svg(drawn: Mapping[str, list[Run]], x: Axis, y: Axis, labels: tuple[str, str, str], text: str) -> str:
    heading, x_label, y_label = labels
    head = _MARGIN + (_TITLE_SIZE + 14.0 if heading else 0.0)
    legend, legend_height = _legend(list(drawn), _MARGIN, head)
    left = _MARGIN + max(mono_width(mark, _SIZE) for _, mark in y.marks) + 8.0 + (20.0 if y_label else 0.0)
    top = head + legend_height
    right, bottom = _WIDTH - _MARGIN, top + _PLOT_HEIGHT
    frame = _Frame(x, y, left, right, top, bottom)
    height = bottom + 24.0 + (20.0 if x_label else 0.0) + _MARGIN / 2
    elements = [
        element("rect", x=0.5, y=0.5, width=_WIDTH - 1, height=height - 1, rx=10, fill=theme.PAPER, stroke=theme.FRAME),
        _label(heading, _MARGIN, _MARGIN + _TITLE_SIZE * 0.8, font_size=_TITLE_SIZE, fill=theme.INK, font_weight="600"),
        legend,
        _grid(frame),
        _label(x_label, (left + right) / 2, bottom + 38.0, text_anchor="middle"),
        _rotated_label(y_label, _MARGIN + 6.0, (top + bottom) / 2),
        *(_curve(name, runs, _colour(index), frame) for index, (name, runs) in enumerate(drawn.items())),
    ]
    return page(_WIDTH, height, "\n".join(filter(None, elements)), name="mgchart", summary=text)


def _colour(index: int) -> str:
    return theme.SERIES[index % len(theme.SERIES)]


def _label(text: str, x: float, y: float, **more: str | float) -> str:
    style: dict[str, str | float] = {"font_size": _SIZE + 1, "fill": theme.MUTED, **more}
    return element("text", escape(text), x=x, y=y, **style) if text else ""


def _rotated_label(text: str, x: float, y: float) -> str:
    return _label(text, x, y, text_anchor="middle", transform=f"rotate(-90 {coordinate(x)} {coordinate(y)})")


def _legend(names: list[str], left: float, top: float) -> tuple[str, float]:
    elements = []
    x, row = left, 0
    for index, name in enumerate(names):
        shown = shorten(name, 40)
        width = 24.0 + sans_width(shown, _SIZE + 1) + 18.0
        if x > left and x + width > _WIDTH - _MARGIN:
            x, row = left, row + 1
        y = top + row * _LEGEND_ROW + 6.0
        elements.append(element("rect", x=x, y=y - 2, width=16, height=4, rx=2, fill=_colour(index)))
        elements.append(_label(shown, x + 24.0, y + 4.0, fill=theme.INK))
        x += width
    return "".join(elements), (row + 1) * _LEGEND_ROW + 10.0


def _grid(frame: _Frame) -> str:
    level = f"H{coordinate(frame.right)}"
    elements = []
    for position, text in frame.y.marks:
        y = frame.y_of(position)
        elements.append(element("path", d=f"M{coordinate(frame.left)} {coordinate(y)}{level}", stroke=theme.GRID))
        elements.append(_tick_label(text, frame.left - 8.0, y + 4.0, "end"))
    elements.append(
        element("path", d=f"M{coordinate(frame.left)} {coordinate(frame.bottom)}{level}", stroke=theme.LINE)
    )
    for position, text in frame.x.marks:
        x = frame.x_of(position)
        elements.append(element("path", d=f"M{coordinate(x)} {coordinate(frame.bottom)}v5", stroke=theme.LINE))
        elements.append(_tick_label(text, x, frame.bottom + 18.0, "middle"))
    return "".join(elements)


def _tick_label(text: str, x: float, y: float, anchor: str) -> str:
    return _label(text, x, y, font_size=_SIZE, text_anchor=anchor, font_family=theme.MONO)


def _curve(name: str, runs: list[Run], colour: str, frame: _Frame) -> str:
    elements = [title(name)] if name else []
    for run in runs:
        points = [(frame.x_of(position), frame.y_of(value)) for position, value in run]
        if len(points) == 1:
            elements.append(element("circle", cx=points[0][0], cy=points[0][1], r=3, fill=colour))
            continue
        path = "M" + "L".join(f"{coordinate(x)} {coordinate(y)}" for x, y in points)
        elements.append(element("path", d=path, fill="none", stroke=colour, stroke_width=2, stroke_linejoin="round"))
    return element("g", "".join(elements))

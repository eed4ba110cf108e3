"""Paint curves over two axes, with a heading, a legend and a grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from microgradlib.viz import math_text
from microgradlib.viz.markup import coordinate, element, tooltip
from microgradlib.viz.painting.glyphs import set_text
from microgradlib.viz.painting.measure import shown
from microgradlib.viz.theme import MONO, SERIES
from microgradlib.viz.typography import mono_width

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from microgradlib.viz.charts.axis import Axis

Run = list[tuple[float, float]]
"""Consecutive points of a curve without a gap, as pairs of position and number."""

_WIDTH: Final = 640.0
_PLOT_HEIGHT: Final = 260.0
_MARGIN: Final = 22.0
_SIZE: Final = 11.0
_TITLE_SIZE: Final = 15.0
_LEGEND_ROW: Final = 20.0
_LONGEST_NAME: Final = 40


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


@dataclass(frozen=True)
class Curves:
    """A chart as a canvas: curves by name over two axes, with a heading and the names of the axes."""

    drawn: Mapping[str, list[Run]]
    x: Axis
    y: Axis
    labels: tuple[str, str, str]
    text: str
    marks: Mapping[str, float]

    width = _WIDTH

    @property
    def title(self) -> str:
        """The heading, or what it is."""
        return self.text.splitlines()[0]

    @property
    def height(self) -> float:
        """Its natural height, in pixels."""
        return self._frame.bottom + 24.0 + (20.0 if self.labels[1] else 0.0) + _MARGIN / 2

    @property
    def _head(self) -> float:
        return _MARGIN + (_TITLE_SIZE + 14.0 if self.labels[0] else 0.0)

    @property
    def _frame(self) -> _Frame:
        left = _MARGIN + max(mono_width(mark, _SIZE) for _, mark in self.y.marks) + 8.0
        left += 20.0 if self.labels[2] else 0.0
        rows = 1 + max(row for _, _, row in _legend_places(self.drawn))
        top = self._head + rows * _LEGEND_ROW + 10.0
        return _Frame(self.x, self.y, left, _WIDTH - _MARGIN, top, top + _PLOT_HEIGHT)

    def markup(self, colour: Callable[[str], str], prefix: str) -> str:
        """Return the markup of the chart in the colours of a theme. It has no ids, so the prefix is not used."""
        del prefix
        heading, x_label, y_label = self.labels
        frame = self._frame
        pen = _Pen(colour)
        middle = (frame.left + frame.right) / 2
        elements = [
            element("rect", width=_WIDTH, height=self.height, fill=colour("paper")),
            pen.heading(heading),
            pen.legend(self.drawn, self._head),
            pen.grid(frame),
            pen.x_label(x_label, middle, frame.bottom + 38.0),
            pen.y_label(y_label, _MARGIN + 6.0, (frame.top + frame.bottom) / 2),
            *(pen.mark(name, frame.x_of(at), frame, row) for row, (name, at) in enumerate(self.marks.items())),
            *(_curve(name, runs, pen.of(index), frame) for index, (name, runs) in enumerate(self.drawn.items())),
        ]
        return "\n".join(filter(None, elements))


def _legend_places(drawn: Mapping[str, list[Run]]) -> list[tuple[str, float, int]]:
    """Return the text, the left end and the row of each entry of the legend."""
    places = []
    x, row = _MARGIN, 0
    for name in drawn:
        text = shown(name, _LONGEST_NAME)
        width = 24.0 + math_text.width(text, _SIZE + 1) + 18.0
        if x > _MARGIN and x + width > _WIDTH - _MARGIN:
            x, row = _MARGIN, row + 1
        places.append((text, x, row))
        x += width
    return places


def _fitted(text: str, size: float, room: float) -> str:
    """Return a text without as much of its middle as is too wide for the room."""
    limit = len(text)
    while limit > 1 and math_text.width(text, size) > room:
        limit = min(limit - 1, int(limit * room / math_text.width(text, size)))
        text = shown(text, limit)
    return text


@dataclass(frozen=True)
class _Pen:
    """Writes labels and lines in the colours of a theme."""

    colour: Callable[[str], str]

    def of(self, index: int) -> str:
        return self.colour(SERIES[index % len(SERIES)])

    def label(self, text: str, x: float, y: float, **more: str | float) -> str:
        style: dict[str, str | float] = {"font_size": _SIZE + 1, "fill": self.colour("muted"), **more}
        return element("text", set_text(text, float(style["font_size"])), x=x, y=y, **style) if text else ""

    def heading(self, text: str) -> str:
        fitted = _fitted(text, _TITLE_SIZE, _WIDTH - 2 * _MARGIN)
        bold: dict[str, str | float] = {"font_size": _TITLE_SIZE, "fill": self.colour("ink"), "font_weight": "600"}
        return self.label(fitted, _MARGIN, _MARGIN + _TITLE_SIZE * 0.8, **bold)

    def x_label(self, text: str, x: float, y: float) -> str:
        return self.label(_fitted(text, _SIZE + 1, 2 * (_WIDTH - x)), x, y, text_anchor="middle")

    def y_label(self, text: str, x: float, y: float) -> str:
        turned = f"rotate(-90 {coordinate(x)} {coordinate(y)})"
        return self.label(_fitted(text, _SIZE + 1, _PLOT_HEIGHT), x, y, text_anchor="middle", transform=turned)

    def mark(self, name: str, x: float, frame: _Frame, row: int) -> str:
        """Return a vertical line, its name beside it, on the side that has more room; each name on a row of its own."""
        right = x < (frame.left + frame.right) / 2
        line = element(
            "path",
            d=f"M{coordinate(x)} {coordinate(frame.top)}V{coordinate(frame.bottom)}",
            stroke=self.colour("muted"),
            stroke_dasharray="4 3",
        )
        end = "start" if right else "end"
        text = _fitted(name, _SIZE + 1, (frame.right - frame.left) / 2)
        return line + self.label(text, x + (6.0 if right else -6.0), frame.top + 10.0 + 15.0 * row, text_anchor=end)

    def tick_label(self, text: str, x: float, y: float, anchor: str) -> str:
        return self.label(text, x, y, font_size=_SIZE, text_anchor=anchor, font_family=MONO)

    def legend(self, drawn: Mapping[str, list[Run]], top: float) -> str:
        elements = []
        for index, (text, x, row) in enumerate(_legend_places(drawn)):
            y = top + row * _LEGEND_ROW + 6.0
            elements.append(element("rect", x=x, y=y - 2, width=16, height=4, rx=2, fill=self.of(index)))
            elements.append(self.label(text, x + 24.0, y + 4.0, fill=self.colour("ink")))
        return "".join(elements)

    def grid(self, frame: _Frame) -> str:
        left, bottom = coordinate(frame.left), coordinate(frame.bottom)
        level = f"H{coordinate(frame.right)}"
        elements = []
        for position, text in frame.y.marks:
            y = frame.y_of(position)
            elements.append(element("path", d=f"M{left} {coordinate(y)}{level}", stroke=self.colour("rule")))
            elements.append(self.tick_label(text, frame.left - 8.0, y + 4.0, "end"))
        elements.append(element("path", d=f"M{left} {bottom}{level}", stroke=self.colour("line")))
        for position, text in frame.x.marks:
            x = frame.x_of(position)
            elements.append(element("path", d=f"M{coordinate(x)} {bottom}v5", stroke=self.colour("line")))
            elements.append(self.tick_label(text, x, frame.bottom + 18.0, "middle"))
        return "".join(elements)


def _curve(name: str, runs: list[Run], colour: str, frame: _Frame) -> str:
    elements = [tooltip(name)]
    for run in runs:
        points = [(frame.x_of(position), frame.y_of(value)) for position, value in run]
        if len(points) == 1:
            elements.append(element("circle", cx=points[0][0], cy=points[0][1], r=3, fill=colour))
            continue
        path = "M" + "L".join(f"{coordinate(x)} {coordinate(y)}" for x, y in points)
        elements.append(element("path", d=path, fill="none", stroke=colour, stroke_width=2, stroke_linejoin="round"))
    return element("g", "".join(elements))

"""Place the columns of a network picture from left to right, with the lines of the weights between them."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from microgradlib.viz.markup import element
from microgradlib.viz.networks.body import Body
from microgradlib.viz.networks.columns import CIRCLES, body_of
from microgradlib.viz.networks.legend import MARGIN, legend_marks
from microgradlib.viz.networks.marks import Arrow, Circle, Line, LineRole, Mark, Squares, Words, mark_markup
from microgradlib.viz.numbers import number
from microgradlib.viz.typography import sans_width

if TYPE_CHECKING:
    from collections.abc import Callable

    from microgradlib.viz.networks.network import Column, Network

_HEADER: Final = 44.0
_FIGURES: Final = 12
"""Up to so many weights between two layers are written on their lines."""
_FEW_COLUMNS: Final = 6
"""There is room for figures between so many columns."""
_LEAST: Final = 420.0
_COMFORTABLE: Final = 900.0
"""Wider pictures have narrower gaps, down to the least one: a notebook's cell has 960 pixels."""
_LEAST_GAP: Final = 36.0


@dataclass(frozen=True)
class NetworkPicture:
    """The marks of a network picture in the order of painting, its size in pixels, and what it shows in words.

    `title` is one sentence for screen readers, `text` several lines.
    """

    marks: tuple[Mark, ...]
    width: float
    height: float
    title: str
    text: str

    def markup(self, colour: Callable[[str], str], _prefix: str = "") -> str:
        """Return the SVG of the marks on paper, which has no ids; `colour` gives the colour of a role."""
        paper = element("rect", width=self.width, height=self.height, fill=colour("paper"))
        return paper + "".join(mark_markup(mark, colour) for mark in self.marks)


def network_picture(network: Network) -> NetworkPicture:
    """Return the picture of a network: its columns from left to right, under their titles, and a legend.

    Layers of up to 16 units are circles, joined by a line for each weight: its sign is the colour and the dash, its
    size the width. Larger layers, which would be a thicket of lines, show the weights as squares: a row for each unit,
    as in a matrix, or an image for each unit that reads an image.

    >>> from microgradlib.viz.networks.network import Column, Network, Unit
    >>> inputs = Column("inputs", "1", "input", (Unit("x", 0.5),))
    >>> neuron = Column("neuron", "1 tanh", "output", (Unit(value=0.46, bias=0.0, weights=(1.0,)),))
    >>> [type(mark).__name__ for mark in network_picture(Network("Neuron", (inputs, neuron), 2)).marks][:3]
    ['Line', 'Words', 'Words']
    """
    columns = network.columns
    few = len(columns) <= _FEW_COLUMNS and all(_count(a, b) <= _FIGURES for a, b in pairwise(columns))
    bodies = [body_of(column, before, figures=few) for column, before in zip(columns, [None, *columns])]
    widths = [max(body.width, _title_width(column)) for body, column in zip(bodies, columns)]
    height = max(body.height for body in bodies)
    middle = MARGIN + _HEADER + height / 2
    lines: list[Mark] = []
    content: list[Mark] = []
    left = MARGIN
    placed: list[Body] = []
    gaps = [_gap(before, body, few=few) for before, body in pairwise(bodies)]
    narrower = max(1.0, (sum(widths) + sum(gaps)) / _COMFORTABLE)
    for k, (body, column, width) in enumerate(zip(bodies, columns, widths)):
        if k:
            left += min(gaps[k - 1], max(gaps[k - 1] / narrower, _LEAST_GAP))
        moved = _moved(body, left + (width - body.width) / 2, middle)
        if k:
            lines += _lines(column, placed[-1], moved, middle, few=few)
        content += [*_title(column, left + width / 2), *moved.marks]
        placed.append(moved)
        left += width
    right = left + MARGIN
    uses = set().union(*(body.uses for body in bodies), *(_shown(mark) for mark in content))
    signs: set[str] = {mark.role for mark in lines if isinstance(mark, Line)}
    legend, bottom, wide = legend_marks(uses, signs, network.note, middle + height / 2 + 14, max(right, _LEAST))
    marks = (*lines, *content, *legend)
    return NetworkPicture(marks, max(right, wide), bottom, network.summary, network.text)


def _shown(mark: Mark) -> set[str]:
    """Return how the numbers of squares are shown: by the colour of their sign, or by the strength of ink."""
    if not isinstance(mark, Squares):
        return set()
    numbers = [x for row in mark.numbers for x in row if x]
    signed = not mark.shades or any(x < 0 for x in numbers)
    return ({"squares"} if signed else {"shades"}) if numbers else set()


def _count(before: Column, column: Column) -> int:
    """Return how many lines lead from one column to the next; more than can have figures where there are none."""
    shown = before.units and not before.image and max(len(before.units), len(column.units)) <= CIRCLES
    return sum(len(unit.weights) + len(unit.reads) for unit in column.units) if shown else _FIGURES + 1


def _gap(before: Body, body: Body, *, few: bool) -> float:
    if body.arrow:
        return 52.0
    return 120.0 if few else min(max(0.42 * max(before.height, body.height), 110.0), 210.0)


def _title_width(column: Column) -> float:
    return max(sans_width(column.title, 12.0), sans_width(column.caption, 10.5))


def _title(column: Column, x: float) -> list[Mark]:
    return [
        Words(x, MARGIN + 8, column.title, 12.0, "muted", "middle", bold=True),
        Words(x, MARGIN + 23, column.caption, 10.5, "muted", "middle", italic=True),
    ]


def _moved(body: Body, x: float, y: float) -> Body:
    marks = [_moved_mark(mark, x, y) for mark in body.marks]
    return dataclasses.replace(body, marks=marks, circles=[(cx + x, cy + y, r) for cx, cy, r in body.circles])


def _moved_mark(mark: Mark, x: float, y: float) -> Mark:
    if isinstance(mark, (Line, Arrow)):
        return dataclasses.replace(mark, x1=mark.x1 + x, x2=mark.x2 + x, y1=mark.y1 + y, y2=mark.y2 + y)
    return dataclasses.replace(mark, x=mark.x + x, y=mark.y + y)


def _extent(body: Body) -> tuple[float, float]:
    """Return how far the marks of a placed column reach to the left and to the right."""
    lefts, rights = [], []
    for mark in body.marks:
        if isinstance(mark, Squares):
            lefts.append(mark.x)
            rights.append(mark.x + mark.width)
        elif isinstance(mark, Circle):
            lefts.append(mark.x - mark.r)
            rights.append(mark.x + mark.r)
    return min(lefts, default=0.0), max(rights, default=0.0)


def _lines(column: Column, before: Body, body: Body, middle: float, *, few: bool) -> list[Mark]:
    """Return the lines into a column: one for each weight, or one arrow for all."""
    if body.arrow:
        return [Arrow(_extent(before)[1] + 8, middle, _extent(body)[0] - 8, middle)]
    weights = [(abs(w), i, j) for j, unit in enumerate(column.units) for i, w in enumerate(unit.weights)]
    finite = [size for size, _, _ in weights if math.isfinite(size)]
    largest = max(finite, default=0.0) or 1.0
    plain = [(i, j) for j, unit in enumerate(column.units) for i in unit.reads]
    marks: list[Mark] = [_between(before.circles[i], body.circles[j], "line", 1.4) for i, j in plain]
    crowded, fading = len(weights) > 60, 1.0 + len(weights) / 128
    for size, i, j in sorted(weights, key=lambda found: (_known(found[0]), found[2], found[1])):
        share = min(_known(size) / largest, 1.0)
        w = column.units[j].weights[i]
        line = _between(before.circles[i], body.circles[j], "minus" if w < 0 else "plus", 0.0)
        width = 0.5 + (2.6 if crowded else 4.2) * share
        opacity = 0.07 + 0.88 * share**fading if crowded else 0.35 + 0.6 * share
        marks.append(dataclasses.replace(line, width=width, opacity=opacity, tip=f"w {number(w)}"))
    return marks + (_figures(column, before, body) if few else [])


def _known(size: float) -> float:
    """Return a size to sort by, infinite for nan."""
    return math.inf if math.isnan(size) else size


def _between(start: tuple[float, float, float], end: tuple[float, float, float], role: LineRole, width: float) -> Line:
    (x1, y1, r1), (x2, y2, r2) = start, end
    length = math.hypot(x2 - x1, y2 - y1) or 1.0
    dx, dy = (x2 - x1) / length, (y2 - y1) / length
    return Line(x1 + dx * r1, y1 + dy * r1, x2 - dx * r2, y2 - dy * r2, role, width)


_PLACES: Final = (0.5, 0.42, 0.58, 0.34, 0.66, 0.27, 0.73, 0.2, 0.8)


def _figures(column: Column, before: Body, body: Body) -> list[Mark]:
    """Return the weights as numbers on their lines, each where it covers no other number and few other lines."""
    ways = [
        (j, i, w, _between(before.circles[i], body.circles[j], "line", 1.0))
        for j, unit in enumerate(column.units)
        for i, w in enumerate(unit.weights)
    ]
    taken: list[tuple[float, float, float]] = []
    written: list[Mark] = []
    for _, _, w, line in ways:
        others = [other for *_, other in ways if other is not line]
        words = Words(0, 0, number(w, 2), 10.5, "plus" if w >= 0 else "minus", "middle", mono=True, patch=True)
        half = words.width / 2 + 3

        def cost(t: float, line: Line = line, half: float = half, others: list[Line] = others) -> float:
            x, y = _along(line, t)
            covered = sum(abs(x - a) < half + b and abs(y - c) < 14 for a, c, b in taken)
            crossed = sum(abs(_height_at(other, x) - y) < 9 for other in others)
            return 10 * covered + crossed + abs(t - 0.5)

        x, y = _along(line, min(_PLACES, key=cost))
        taken.append((x, y, half))
        written.append(dataclasses.replace(words, x=x, y=y + 3.7))
    return written


def _along(line: Line, t: float) -> tuple[float, float]:
    return line.x1 + (line.x2 - line.x1) * t, line.y1 + (line.y2 - line.y1) * t


def _height_at(line: Line, x: float) -> float:
    """Return where a line is at x; far away if it does not reach so far."""
    if not min(line.x1, line.x2) <= x <= max(line.x1, line.x2):
        return math.inf
    return line.y1 + (line.y2 - line.y1) * (x - line.x1) / ((line.x2 - line.x1) or 1.0)

"""The marks of a network picture: circles, lines, squares and texts with places and roles, and their SVG."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from microgradlib.viz.markup import coordinate, element, tooltip
from microgradlib.viz.painting.glyphs import Anchor, text
from microgradlib.viz.painting.squares import squares_markup
from microgradlib.viz.typography import mono_width, sans_width

if TYPE_CHECKING:
    from collections.abc import Callable

    Colour = Callable[[str], str]

LineRole: TypeAlias = Literal["plus", "minus", "line"]
"""The sign of a weight; or a plain line."""

DASH = "7 3"
"""Lines of negative weights are dashed, so that the sign is seen without colours."""


@dataclass(frozen=True)
class Line:
    """The line of one weight, or a plain one: role "line"."""

    x1: float
    y1: float
    x2: float
    y2: float
    role: LineRole
    width: float
    opacity: float = 1.0
    tip: str = ""


@dataclass(frozen=True)
class Arrow:
    """A thick line that stands for many, from left to right."""

    x1: float
    y1: float
    x2: float
    y2: float


@dataclass(frozen=True)
class Circle:
    """A unit; `look` is the role of its fill."""

    x: float
    y: float
    r: float
    look: str
    tip: str = ""


@dataclass(frozen=True)
class Squares:
    """Numbers as squares in rows.

    See `painting.squares.squares_markup`; they stand on a `ground`, perhaps with an `edge`, which are roles of colours.
    """

    x: float
    y: float
    cell: float
    numbers: tuple[tuple[float | None, ...], ...]
    largest: float
    shades: bool = False
    ground: str = "cell"
    edge: str = ""
    tip: str = ""

    @property
    def width(self) -> float:
        """In pixels."""
        return self.cell * max((len(row) for row in self.numbers), default=0)

    @property
    def height(self) -> float:
        """In pixels."""
        return self.cell * len(self.numbers)


@dataclass(frozen=True)
class Words:
    """A line of text whose baseline is at y; with `patch`, on a patch of paper that hides the lines behind it."""

    x: float
    y: float
    text: str
    size: float
    role: str
    anchor: Anchor = "start"
    mono: bool = False
    bold: bool = False
    italic: bool = False
    halo: bool = False
    patch: bool = False

    @property
    def width(self) -> float:
        """An upper estimate, in pixels."""
        return (mono_width if self.mono else sans_width)(self.text, self.size)

    @property
    def left(self) -> float:
        """Where it begins."""
        return self.x - self.width * {"start": 0.0, "middle": 0.5, "end": 1.0}[self.anchor]


Mark: TypeAlias = "Line | Arrow | Circle | Squares | Words"


def mark_markup(mark: Mark, colour: Colour) -> str:
    """Return the SVG of a mark in the colours of a theme.

    >>> mark_markup(Line(0, 0, 10, 5, "minus", 2.0), str)
    '<path d="M0 0L10 5" stroke="minus" stroke-width="2" fill="none" stroke-dasharray="7 3"/>'
    """
    if isinstance(mark, Line):
        return _line(mark, colour)
    if isinstance(mark, Arrow):
        return _arrow(mark, colour)
    if isinstance(mark, Circle):
        edge = colour(f"{mark.look}_edge")
        style: dict[str, str | float] = {"stroke": edge, "stroke_width": 2.2 if mark.look == "output" else 1.4}
        return element("circle", tooltip(mark.tip), cx=mark.x, cy=mark.y, r=mark.r, fill=colour(mark.look), **style)
    if isinstance(mark, Squares):
        return _squares(mark, colour)
    return _words(mark, colour)


def _words(mark: Words, colour: Colour) -> str:
    patch = {"x": mark.left - 1, "y": mark.y - 0.78 * mark.size, "width": mark.width + 2, "height": mark.size, "rx": 3}
    return (element("rect", **patch, fill=colour("paper")) if mark.patch else "") + text(
        mark.x,
        mark.y,
        mark.text,
        mark.size,
        colour(mark.role),
        anchor=mark.anchor,
        mono=mark.mono,
        bold=mark.bold,
        italic=mark.italic,
        halo=colour("paper") if mark.halo else "",
    )


def _line(mark: Line, colour: Colour) -> str:
    way = f"M{coordinate(mark.x1)} {coordinate(mark.y1)}L{coordinate(mark.x2)} {coordinate(mark.y2)}"
    style: dict[str, str | float] = {"stroke_opacity": mark.opacity} if mark.opacity < 1 else {}
    style |= {"stroke_dasharray": DASH} if mark.role == "minus" else {}
    return element(
        "path",
        tooltip(mark.tip),
        d=way,
        stroke=colour(mark.role),
        stroke_width=mark.width,
        fill="none",
        **style,
    )


def _arrow(mark: Arrow, colour: Colour) -> str:
    bend = (mark.x2 - mark.x1) / 2
    tip = mark.x2 - 9
    way = (
        f"M{coordinate(mark.x1)} {coordinate(mark.y1)}C{coordinate(mark.x1 + bend)} {coordinate(mark.y1)} "
        f"{coordinate(tip - bend)} {coordinate(mark.y2)} {coordinate(tip)} {coordinate(mark.y2)}"
    )
    head = f"M{coordinate(mark.x2)} {coordinate(mark.y2)}l-10 -5.5v11z"
    line = element("path", d=way, stroke=colour("line"), stroke_width=3.0, fill="none")
    return line + element("path", d=head, fill=colour("line"))


def _squares(mark: Squares, colour: Colour) -> str:
    edge: dict[str, str | float] = {"stroke": colour(mark.edge), "stroke_width": 1.2} if mark.edge else {}
    ground = element("rect", x=mark.x, y=mark.y, width=mark.width, height=mark.height, fill=colour(mark.ground), **edge)
    squares = squares_markup(mark.numbers, (mark.x, mark.y), mark.cell, mark.largest, colour, shades=mark.shades)
    return element("g", tooltip(mark.tip) + ground + squares)

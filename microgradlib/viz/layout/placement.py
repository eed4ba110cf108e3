"""Places in a drawing: the sizes and distances that a layout is given, and the rectangles and lines that it returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from microgradlib.viz.boxes.diagram import Arrow

Direction = Literal["right", "down"]


@dataclass(frozen=True)
class Size:
    """The size of a box in pixels, and where lines meet it; these places are measured along the side that they meet.

    Args:
        width, height: the least size; a layout may give a box more, never less.
        ports: where an arrow with `port` i enters: to the right, the middle of row i, from the top of the box; down,
            the middle of column i of its table, from the left. Empty: arrows share the whole side.
        exits: likewise where an arrow with `tail_port` i leaves.

    """

    width: float
    height: float
    ports: tuple[float, ...] = ()
    exits: tuple[float, ...] = ()


@dataclass(frozen=True)
class Spacing:
    """All distances of a layout, in pixels.

    *Along* is the direction of the arrows, *across* the other one: in a drawing to the right, x and y.

    Args:
        gap: between two boxes or frames, across.
        lane: between a line and the lines or boxes beside it, across.
        bend, longest_bend: the least and the largest length, along, in which a line changes its place across.
        climb: how many pixels across one pixel more of `bend` is given for.
        port: between two lines with texts that enter one box.
        tight: between two lines without texts that enter one box.
        most_texts: a box that more arrows enter shows none of their texts.
        head: the length of an arrowhead.
        frame: between a frame and what it holds, and between it and a line that passes it.
        bar: the height of a frame's title bar.
        sheet: how far each of the two sheets behind a folded frame is shifted.
        text_height: of a text on a line.
        title_height: of a frame's title.
        bus: the thickness of a bar in which lines meet.
        row: between two rows of a wrapped drawing.
        most_cut: a row may break where at most so many sources have lines.

    """

    gap: float = 14.0
    lane: float = 7.0
    bend: float = 24.0
    longest_bend: float = 70.0
    climb: float = 9.0
    port: float = 14.0
    tight: float = 8.0
    most_texts: int = 9
    head: float = 7.0
    frame: float = 12.0
    bar: float = 24.0
    sheet: float = 5.0
    text_height: float = 12.0
    title_height: float = 15.0
    bus: float = 6.0
    row: float = 40.0
    most_cut: int = 2


class Rect(NamedTuple):
    """A rectangle: its top left corner and its size, in pixels."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class FramePlace:
    """Where a frame stands, and in it its title and its formula, if there is room for it that no line crosses."""

    rect: Rect
    title: Rect
    formula: Rect | None = None


@dataclass(frozen=True)
class Route:
    """The way of an arrow's line.

    Args:
        arrow: the arrow.
        start: the point on the side of its tail where it begins.
        steps: from there, one after another: a point (x, y) to which a straight line goes, or three points
            (x1, y1, x2, y2, x, y), the two control points and the end of a cubic Bézier curve. The last step is
            straight, in the direction of the drawing, at least as long as an arrowhead, and ends at the head's side.
        text: the box of its text, in the middle of its last straight part; None if it has no text, or no room for it.

    """

    arrow: Arrow
    start: tuple[float, float]
    steps: tuple[tuple[float, ...], ...]
    text: Rect | None = None

    @property
    def end(self) -> tuple[float, float]:
        """The point at which it meets its head."""
        return (self.steps[-1][-2], self.steps[-1][-1])


@dataclass(frozen=True)
class Layout:
    """The places of all parts of a diagram, in a drawing of `width` × `height` pixels without a margin.

    Args:
        boxes: the rectangle of each box by id, bars (of kind "bus") among them.
        frames: the place of each frame by id.
        routes: the lines, in the order of the diagram's arrows.
        width, height: of the whole drawing.
        direction: of its arrows.
        crossings: how many pairs of lines cross; a stretch that several lines share counts once.
        foreign: how many lines pass through a frame that neither of their ends belongs to.
        rows: the number of rows; more than 1 if the drawing was wrapped.
        returns: how many lines go from the end of one row to the beginning of the next.

    """

    boxes: Mapping[str, Rect]
    frames: Mapping[str, FramePlace]
    routes: tuple[Route, ...]
    width: float
    height: float
    direction: Direction
    crossings: int = 0
    foreign: int = 0
    rows: int = 1
    returns: int = 0

"""Layered layout: the coordinates of the boxes and lines of a diagram, from left to right or from top to bottom.

The steps are those of a layered graph drawing (Sugiyama, Tagawa and Toda 1981): columns and their order (`ordering`),
vertical positions (`spacing`), and here the coordinates. Between two columns there is a strip in which lines bend and a
strip in which they are horizontal, so that texts stand above straight lines. A downward diagram is laid out to the
right, with the widths and heights of its boxes exchanged, and then transposed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from microgradlib.viz.ordering import Grid, arrange
from microgradlib.viz.spacing import vertical_positions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from microgradlib.viz.diagram import Arrow, Diagram

PORT: Final = 17.0
"""Pixels between two incoming lines that carry texts."""
TIGHT_PORT: Final = 7.0
"""Pixels between two incoming lines that do not."""
TEXT_RISE: Final = 4.0
"""Pixels from a line up to the baseline of its text."""
MARGIN: Final = 20.0
"""Empty pixels around the drawing."""
HEAD: Final = 8.0
"""Length of an arrowhead, in pixels."""
_BETWEEN_BOXES: Final = 22.0
_LANE_HEIGHT: Final = 6.0
_BEND: Final = 40.0
_MAX_BEND: Final = 150.0


@dataclass(frozen=True)
class Rect:
    """A box's rectangle: its top left corner and its size, in pixels."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Route:
    """A line: horizontal runs (from x, to x, y), joined by smooth bends; the last run ends at the head.

    In a downward diagram, runs are (from y, to y, x). `text_at` is the right end of the text's baseline.
    """

    arrow: Arrow
    runs: tuple[tuple[float, float, float], ...]
    text_at: tuple[float, float]


@dataclass(frozen=True)
class Layout:
    """The rectangles of all boxes by id, the routes of all arrows in order, and the size of the drawing."""

    rects: Mapping[str, Rect]
    routes: tuple[Route, ...]
    width: float
    height: float


def ports_height(lines: int, *, texts: bool) -> float:
    """Return the height, in pixels, that a box needs so that `lines` arrows can enter it side by side.

    >>> ports_height(2, texts=True)
    38.0
    """
    return lines * (PORT if texts else TIGHT_PORT) + 4.0


def layout(diagram: Diagram, sizes: Mapping[str, tuple[float, float]], text_width: Callable[[str], float]) -> Layout:
    """Lay out a diagram.

    Args:
        diagram: what to draw.
        sizes: width and height of each box by id; boxes are widened to the width of their column or, in a downward
            diagram, made as tall as their row.
        text_width: returns the width of an arrow's text.

    Raises:
        ValueError: the arrows form a cycle.

    >>> from microgradlib.viz.diagram import Arrow, Box, Diagram
    >>> pair = Diagram((Box("n0", "leaf"), Box("n1", "output")), (Arrow("n0", "n1", "2"),))
    >>> rects = layout(pair, {"n0": (80, 40), "n1": (80, 40)}, len).rects
    >>> rects["n0"]
    Rect(x=20.0, y=20.0, width=80, height=40)
    >>> rects["n1"].x > 100
    True
    """
    if not diagram.down:
        return _to_the_right(diagram, sizes, text_width)
    plan = _to_the_right(diagram, {name: (height, width) for name, (width, height) in sizes.items()}, text_width)
    rects = {name: Rect(rect.y, rect.x, rect.height, rect.width) for name, rect in plan.rects.items()}
    return Layout(rects, plan.routes, plan.height, plan.width)


def _to_the_right(
    diagram: Diagram, sizes: Mapping[str, tuple[float, float]], text_width: Callable[[str], float]
) -> Layout:
    index = {box.id: number for number, box in enumerate(diagram.boxes)}
    grid = arrange(len(diagram.boxes), [(index[arrow.tail], index[arrow.head]) for arrow in diagram.arrows])
    heights = [sizes[box.id][1] for box in diagram.boxes]
    heights += [_LANE_HEIGHT] * (len(grid.column_of) - grid.boxes)
    ports = _ports(diagram, grid, heights)
    middles = [MARGIN + middle for middle in vertical_positions(grid, heights, ports, _BETWEEN_BOXES)]
    columns = _columns(diagram, grid, sizes, middles, text_width)
    rects = {}
    for box, cell in zip(diagram.boxes, range(grid.boxes), strict=True):
        column = columns[grid.column_of[cell]]
        rects[box.id] = Rect(column.x, middles[cell] - heights[cell] / 2, column.width, heights[cell])
    routes = _routes(diagram, grid, middles, ports, columns)
    width = columns[-1].x + columns[-1].width + MARGIN if columns else 2 * MARGIN
    bottom = max((middle + height / 2 for middle, height in zip(middles, heights, strict=True)), default=MARGIN)
    return Layout(rects, routes, width, bottom + MARGIN)


@dataclass(frozen=True)
class _Column:
    x: float
    width: float
    level: float  # lines are horizontal between this x coordinate and `x`


def _ports(diagram: Diagram, grid: Grid, heights: list[float]) -> list[list[float]]:
    """Return for each cell the offsets from its middle at which its lines enter, ordered so that they do not cross."""
    position = [0] * len(heights)
    for column in grid.columns:
        for i, cell in enumerate(column):
            position[cell] = i
    ports = []
    for cell, tails in enumerate(grid.before):
        step = 0.0
        if len(tails) > 1 and cell < grid.boxes:
            texts = any(map(diagram.shown_text, diagram.arrows_into(diagram.boxes[cell].id)))
            step = min(PORT if texts else TIGHT_PORT, (heights[cell] - 16.0) / (len(tails) - 1))
        entry = [0.0] * len(tails)
        for i, line in enumerate(sorted(range(len(tails)), key=[position[tail] for tail in tails].__getitem__)):
            entry[line] = (i - (len(tails) - 1) / 2) * step
        ports.append(entry)
    return ports


def _columns(
    diagram: Diagram,
    grid: Grid,
    sizes: Mapping[str, tuple[float, float]],
    middles: list[float],
    text_width: Callable[[str], float],
) -> list[_Column]:
    columns: list[_Column] = []
    x = MARGIN
    for cells in grid.columns:
        boxes = [diagram.boxes[cell].id for cell in cells if cell < grid.boxes]
        if columns:
            texts = [diagram.shown_text(arrow) for name in boxes for arrow in diagram.arrows_into(name)]
            rise = max(
                (abs(middles[cell] - middles[tail]) for cell in cells for tail in grid.before[cell]), default=0.0
            )
            bend = min(_MAX_BEND, _BEND + rise / 8)
            x += bend
            level = x
            x += max(map(text_width, texts), default=0.0) + HEAD + 6.0
        else:
            level = x
        width = max((sizes[name][0] for name in boxes), default=0.0)
        columns.append(_Column(x, width, level))
        x += width
    return columns


def _routes(
    diagram: Diagram, grid: Grid, middles: list[float], ports: list[list[float]], columns: list[_Column]
) -> tuple[Route, ...]:
    routes = []
    lines_used = [0] * grid.boxes
    for arrow, path in zip(diagram.arrows, grid.paths, strict=True):
        tail, head = path[0], path[-1]
        start = columns[grid.column_of[tail]]
        runs = [(start.x + start.width, start.x + start.width, middles[tail])]
        for lane in path[1:-1]:
            column = columns[grid.column_of[lane]]
            runs.append((column.level, column.x + column.width, middles[lane]))
        end = columns[grid.column_of[head]]
        y = middles[head] + ports[head][lines_used[head]]
        lines_used[head] += 1
        runs.append((end.level, end.x, y))
        routes.append(Route(arrow, tuple(runs), (end.x - HEAD - 2.0, y - TEXT_RISE)))
    return tuple(routes)

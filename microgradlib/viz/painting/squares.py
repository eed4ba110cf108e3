"""Numbers as squares, by sign and size: strips of them in boxes, images, and the weights of networks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from microgradlib.viz.markup import coordinate, element, escape
from microgradlib.viz.typography import sans_width

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from microgradlib.viz.boxes.diagram import Strip

_NAME: Final = 10.5
_LABEL: Final = sans_width("gradient", _NAME) + 5.0
"""The least room for a name, so that the strips of a box begin below one another."""
_MOST: Final = 256
"""Of more numbers, this many are drawn and the rest is counted."""
_IMAGE: Final = 72.0
"""The width of an image, about, in pixels."""
_SHADES: Final = 16
"""The number of strengths of a colour that readers distinguish."""
_LEAST: Final = 1.2
"""The least side of a square, so that it is seen."""


def strip_size(strip: Strip) -> tuple[float, float]:
    """Return the width and height of a strip in pixels, the space below it included.

    >>> from microgradlib.viz.boxes.diagram import Strip
    >>> strip_size(Strip("value", (1.0,) * 64, image=True))
    (72.0, 77.0)
    """
    count = len(strip.numbers)
    if strip.image:
        side = math.isqrt(count)
        return side * _pixel(side), side * _pixel(side) + 5.0
    columns, cell = _grid(count)
    lines = -(-min(count, _MOST) // columns)
    rest = sans_width(_rest(count), _NAME) if count > _MOST else 0.0
    return (
        _label_width(strip) + max(columns * cell, rest),
        max(lines * cell, _NAME + 2.0) + 4.0 + (_NAME + 4.0) * (count > _MOST),
    )


def strip_markup(strip: Strip, x: float, y: float, colour: Callable[[str], str]) -> str:
    """Return the markup of a strip whose top left corner is (x, y); `colour` gives the colour of a role."""
    known = [abs(v) for v in strip.numbers if v is not None and math.isfinite(v)]
    largest = max(known, default=0.0) or 1.0
    if strip.image:
        return _image(strip.numbers, x, y, largest, colour)
    columns, cell = _grid(len(strip.numbers))
    left, numbers = x + _label_width(strip), strip.numbers[:_MOST]
    rows = [numbers[k : k + columns] for k in range(0, len(numbers), columns)]
    places = [(left + k % columns * cell, y + k // columns * cell, value) for k, value in enumerate(numbers)]
    parts = [
        element("text", escape(strip.name), x=x, y=y + 8.5, font_size=_NAME, fill=colour(_name_colour(strip)))
        if strip.name
        else "",
        _path([_square(cx, cy, cell - 1.0) for cx, cy, v in places if v is not None], fill=colour("cell")),
        _path(
            [_square(cx + 0.5, cy + 0.5, cell - 2.0) for cx, cy, v in places if v is None],
            fill="none",
            stroke=colour("frame_edge"),
            stroke_width=0.6,
        ),
        squares_markup(rows, (left - 0.5, y - 0.5), cell, largest, colour),
    ]
    if len(strip.numbers) > _MOST:
        below = y + _MOST // columns * cell + _NAME
        rest = escape(_rest(len(strip.numbers)))
        parts.append(element("text", rest, x=left, y=below, font_size=_NAME, fill=colour("muted")))
    return "".join(parts)


def squares_markup(
    rows: Sequence[Sequence[float | None]],
    corner: tuple[float, float],
    cell: float,
    largest: float,
    colour: Callable[[str], str],
    *,
    shades: bool = False,
) -> str:
    """Return the markup of numbers as squares, their sign as colour; nan and infinities are crosses.

    Args:
        rows: the numbers; nothing is drawn for None and for 0.
        corner: x and y of the top left corner, in pixels.
        cell: the side of the place of each number.
        largest: the size that fills its place; larger ones do not exceed it.
        colour: from a role to its colour.
        shades: all squares fill their places, and the size of a number is the strength of its colour, which is ink if
            none is negative; otherwise the size is the area.

    """
    signed = not shades or any(value is not None and value < 0 for row in rows for value in row)
    squares: dict[tuple[str, int], list[str]] = {}
    crosses: list[str] = []
    for i, row in enumerate(rows):
        for j, value in enumerate(row):
            left, top = corner[0] + j * cell, corner[1] + i * cell
            if value is not None and not math.isfinite(value):
                crosses.append(_cross(left, top, cell))
            elif value:
                share = min(abs(value) / largest, 1.0)
                shade = round(_SHADES * share) if shades else _SHADES
                side = cell if shades else max((cell - 1.0) * math.sqrt(share), _LEAST)
                role, gap = "ink" if not signed else "plus" if value > 0 else "minus", (cell - side) / 2
                if shade:
                    squares.setdefault((role, shade), []).append(_square(left + gap, top + gap, side))
    edges: dict[str, str | float] = {"shape_rendering": "crispEdges"} if shades else {}
    parts = [
        _path(found, fill=colour(role), **({"fill_opacity": shade / _SHADES} if shade < _SHADES else {}), **edges)
        for (role, shade), found in sorted(squares.items())
    ]
    return "".join(parts) + _path(crosses, fill="none", stroke=colour("stale"), stroke_width=1.4)


def _name_colour(strip: Strip) -> str:
    return "grad" if strip.name in ("grad", "gradient", "δ") else "muted"


def _label_width(strip: Strip) -> float:
    return max(_LABEL, sans_width(strip.name, _NAME) + 5.0) if strip.name else 0.0


def _grid(count: int) -> tuple[int, float]:
    """Return the number of columns and the width of a cell."""
    if count <= 10:
        return max(count, 1), 11.0
    return (16, 11.0) if count <= 64 else (32, 6.0)


def _rest(count: int) -> str:
    return f"and {count - _MOST:,} more"


def _pixel(side: int) -> float:
    return float(min(max(round(_IMAGE / max(side, 1)), 2), 12))


def _image(numbers: Sequence[float | None], x: float, y: float, largest: float, colour: Callable[[str], str]) -> str:
    side = math.isqrt(len(numbers))
    pixel = _pixel(side)
    ground = element("rect", x=x, y=y, width=side * pixel, height=side * pixel, fill=colour("card"))
    rows = [numbers[i * side : (i + 1) * side] for i in range(side)]
    return ground + squares_markup(rows, (x, y), pixel, largest, colour, shades=True)


def _square(x: float, y: float, side: float) -> str:
    length = coordinate(side)
    return f"M{coordinate(x)} {coordinate(y)}h{length}v{length}h-{length}z"


def _cross(x: float, y: float, cell: float) -> str:
    """Return the lines of ×, which stands for nan and infinity."""
    side = max(cell - 4.0, 2.0)
    gap, length = (cell - side) / 2, coordinate(side)
    return f"M{coordinate(x + gap)} {coordinate(y + gap)}l{length} {length}m0 -{length}l-{length} {length}"


def _path(parts: list[str], **attributes: str | float) -> str:
    return element("path", d="".join(parts), **attributes) if parts else ""

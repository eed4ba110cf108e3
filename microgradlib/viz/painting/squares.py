"""Numbers as squares, sign as colour and size as the root of the size; square numbers of inputs as an image."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from microgradlib.viz.markup import coordinate, element, escape
from microgradlib.viz.typography import sans_width

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from microgradlib.viz.boxes.diagram import Strip

_NAME: Final = 9.5
_LABEL: Final = sans_width("gradient", _NAME) + 5.0
"""The least room for a name, so that the strips of a box begin below one another."""
_MOST: Final = 256
"""Of more numbers, this many are drawn and the rest is counted."""
_IMAGE: Final = 72.0
"""The width of an image, about, in pixels."""
_SHADES: Final = 16


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
    left = x + _label_width(strip)
    squares: dict[str, list[str]] = {"cell": [], "none": [], "plus": [], "minus": [], "stale": []}
    for k, value in enumerate(strip.numbers[:_MOST]):
        column, line = k % columns, k // columns
        cx, cy = left + column * cell, y + line * cell
        side = cell - 1.0
        if value is None:
            squares["none"].append(_square(cx + 0.5, cy + 0.5, side - 1.0))
            continue
        squares["cell"].append(_square(cx, cy, side))
        if not math.isfinite(value):
            squares["stale"].append(_cross(cx, cy, side))
        elif value:
            inner = max(side * math.sqrt(abs(value) / largest), 1.2)
            squares["plus" if value > 0 else "minus"].append(
                _square(cx + (side - inner) / 2, cy + (side - inner) / 2, inner)
            )
    parts = [
        element("text", escape(strip.name), x=x, y=y + 8.5, font_size=_NAME, fill=colour(_name_colour(strip)))
        if strip.name
        else "",
        _path(squares["cell"], fill=colour("cell")),
        _path(squares["none"], fill="none", stroke=colour("frame_edge"), stroke_width=0.6),
        _path(squares["plus"], fill=colour("plus")),
        _path(squares["minus"], fill=colour("minus")),
        _path(squares["stale"], fill="none", stroke=colour("stale"), stroke_width=1.4),
    ]
    if len(strip.numbers) > _MOST:
        below = y + _MOST // columns * cell + _NAME
        rest = escape(_rest(len(strip.numbers)))
        parts.append(element("text", rest, x=left, y=below, font_size=_NAME, fill=colour("muted")))
    return "".join(parts)


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


def _image(numbers: Iterable[float | None], x: float, y: float, largest: float, colour: Callable[[str], str]) -> str:
    values = [0.0 if value is None or not math.isfinite(value) else value for value in numbers]
    side = math.isqrt(len(values))
    pixel = _pixel(side)
    signed = min(values, default=0.0) < 0
    shades: dict[tuple[str, int], list[str]] = {}
    for k, value in enumerate(values[: side * side]):
        shade = round(_SHADES * abs(value) / largest)
        if shade:
            role = "ink" if not signed else "plus" if value > 0 else "minus"
            shades.setdefault((role, shade), []).append(_square(x + k % side * pixel, y + k // side * pixel, pixel))
    ground = element("rect", x=x, y=y, width=side * pixel, height=side * pixel, fill=colour("card"))
    return ground + "".join(
        _path(squares, fill=colour(role), fill_opacity=shade / _SHADES, shape_rendering="crispEdges")
        for (role, shade), squares in sorted(shades.items())
    )


def _square(x: float, y: float, side: float) -> str:
    return f"M{coordinate(x)} {coordinate(y)}h{coordinate(side)}v{coordinate(side)}h{coordinate(-side)}z"


def _cross(x: float, y: float, side: float) -> str:
    """Return the lines of ×, which stands for nan and infinity."""
    a, b = x + 1.5, y + 1.5
    length = coordinate(side - 3.0)
    return f"M{coordinate(a)} {coordinate(b)}l{length} {length}m0 -{length}l-{length} {length}"


def _path(parts: list[str], **attributes: str | float) -> str:
    return element("path", d="".join(parts), **attributes) if parts else ""

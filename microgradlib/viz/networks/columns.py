"""One column of a network picture as marks around its middle: circles, with weights at their left if there are many."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from microgradlib._support.printable import shorten
from microgradlib.viz.networks.body import Body, cell_of, glyph_of, largest_of, look_of, pooling, side_of, tip
from microgradlib.viz.networks.marks import Circle, Line, Squares, Words
from microgradlib.viz.networks.squares import image, maps, matrix, strip, tiles
from microgradlib.viz.numbers import number
from microgradlib.viz.typography import mono_width, sans_width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.viz.networks.network import Column, Unit

CIRCLES: Final = 16
"""Up to so many units of a layer are circles; of more, squares."""
_NAME: Final = 11.5
_NOTE: Final = 10.0
_LEAST: Final = 9.0
"""The least size of the numbers in circles."""


def body_of(column: Column, before: Column | None, *, figures: bool) -> Body:
    """Return the marks of a column.

    Args:
        column: what to draw.
        before: the column before it; None for the first.
        figures: whether biases are written as numbers, as in small networks.

    """
    if column.maps:
        return maps(column, before)
    if column.image:
        return image(column)
    if before is None:
        return _circles(column, figures=figures) if len(column.units) <= CIRCLES else strip(column)
    if before.units and not before.image and max(len(before.units), len(column.units)) <= CIRCLES:
        return _circles(column, figures=figures)
    side = side_of(before)
    if len(column.units) <= CIRCLES:
        return _circles_with_weights(column, side)
    return tiles(column, side) if side else matrix(column)


def fitted(values: Sequence[float | None], width: float) -> tuple[list[str], float]:
    """Return numbers as texts with as many digits, up to 3, as let all of them fit into a width; and their font size.

    If not even one digit fits, numbers near a whole one are rounded to it, with ≈.

    >>> fitted([0.5, -0.1234], 34.0), fitted([0.998, -0.00123], 22.0)
    ((['0.5', '−0.123'], 9.2), (['≈1', '≈0'], 11.0))
    """
    known = [value for value in values if value is not None]
    for digits in (3, 2, 1):
        texts = {value: number(value, digits) for value in known}
        if digits == 1:
            texts = {
                value: text if mono_width(text, _LEAST) <= width else _rough(value) for value, text in texts.items()
            }
        longest = max((mono_width(text, 1.0) for text in texts.values()), default=1.0)
        size = min(11.0, math.floor(10 * width / longest) / 10)
        if size >= _LEAST:
            break
    return [texts.get(value, "") if value is not None else "" for value in values], size


def _rough(value: float) -> str:
    return (
        f"≈{number(float(round(value)))}" if abs(value - round(value)) < 0.05 and abs(value) < 1e3 else number(value, 1)
    )


def _radius(count: int) -> tuple[float, float]:
    """Return the radius of the circles of so many units, and the distance of their middles."""
    return (19.0, 62.0) if count <= 8 else (17.0, 54.0) if count <= 12 else (16.0, 47.0)


def _circles(column: Column, *, figures: bool) -> Body:
    body = Body()
    r, pitch = _radius(len(column.units))
    _add_circles(body, column, r, [pitch] * len(column.units), figures=figures)
    return body


def _add_circles(
    body: Body, column: Column, r: float, pitches: Sequence[float], *, figures: bool, left: float = 0.0
) -> None:
    """Add the circles of a column, with what stands beside or below each, to the right of `left`."""
    look = look_of(column)
    names = [shorten(unit.name, 24) for unit in column.units] if column.kind == "input" else []
    beside = max((Words(0, 0, name, _NAME, "ink").width for name in names), default=-8.0) + 8.0
    with_delta = any(unit.delta is not None for unit in column.units)
    x = left + beside + r
    top = -sum(pitches) / 2
    right = x + r
    texts, size = fitted([unit.value for unit in column.units], 2 * r - 6)
    for k, (unit, pitch) in enumerate(zip(column.units, pitches)):
        y = top + pitch / 2
        top += pitch
        body.marks.append(Circle(x, y, r, look, tip(k, unit, column)))
        body.circles.append((x, y, r))
        if texts[k]:
            body.marks.append(Words(x, y + 0.36 * size, texts[k], size, "ink", "middle", mono=True))
            body.uses.add("value")
        if names:
            body.marks.append(Words(x - r - 8, y + 4, names[k], _NAME, "input_text", "end", bold=True))
        notes = _notes(unit, body, figures=figures, with_delta=with_delta)
        right = max(right, _add_notes(body, notes, x, y, r, beside_circle=column.kind == "output"))
    body.width, body.height = right, sum(pitches) + (6.0 if with_delta or figures else 0.0)


def _notes(unit: Unit, body: Body, *, figures: bool, with_delta: bool) -> list[tuple[str, str]]:
    """Return what stands with a circle, as roles and texts: its bias, and its δ if any unit of the layer has one."""
    notes = []
    if figures and unit.bias is not None:
        notes.append(("parameter_text", f"b {number(unit.bias, 2)}"))
        body.uses.add("bias")
    if with_delta:
        notes.append(("grad", f"δ {number(unit.delta, 2)}"))
        body.uses.add("delta")
    return notes


def _add_notes(body: Body, notes: list[tuple[str, str]], x: float, y: float, r: float, *, beside_circle: bool) -> float:
    """Write the notes below a circle in one line, or to its right in several; return how far right they reach."""
    if beside_circle:
        lines = [Words(x + r + 7, 0, text, 11.0, role) for role, text in notes]
        for k, line in enumerate(lines):
            body.marks.append(Words(line.x, y + 4 + (k - (len(lines) - 1) / 2) * 13, line.text, 11.0, line.role))
        return max((line.x + line.width for line in lines), default=x + r)
    widths = [sans_width(text, _NOTE) for _, text in notes]
    left = x - (sum(widths) + 7.0 * (len(widths) - 1)) / 2
    for (role, text), width in zip(notes, widths):
        body.marks.append(Words(left, y + r + 11.5, text, _NOTE, role, halo=True))
        left += width + 7.0
    return x + r


def _circles_with_weights(column: Column, side: int) -> Body:
    """Return circles, each with the weights that lead to it at its left: a row of squares, or an image of them."""
    body = Body(arrow=True, uses={"tiles" if side else "rows"} | pooling(len(column.units[0].weights), side))
    has_notes = column.kind != "output" and any(unit.delta is not None for unit in column.units)
    r, pitch = 16.0, 47.0 if has_notes else 41.0
    glyphs = [glyph_of(unit, side) for unit in column.units]
    largest = largest_of(row for glyph in glyphs for row in glyph)
    cell = cell_of(glyphs[0], side)
    height = cell * len(glyphs[0])
    width = cell * len(glyphs[0][0])
    pitch = max(pitch, height + 8)
    _add_circles(body, column, r, [pitch] * len(column.units), figures=False, left=width + 26)
    for (x, y, _), glyph in zip(list(body.circles), glyphs):
        body.marks.append(Squares(0, y - height / 2, cell, glyph, largest, shades=bool(side)))
        body.marks.append(Line(width + 3, y, x - r, y, "line", 1.2))
    return body

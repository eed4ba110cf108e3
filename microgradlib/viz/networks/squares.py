"""Columns of a network picture whose weights or numbers are squares: images, matrices, and feature maps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from microgradlib.viz.networks.body import (
    LONGEST_ROW,
    Body,
    cell_of,
    largest_of,
    look_of,
    pooled,
    pooling,
    tip,
    weight_image,
)
from microgradlib.viz.networks.marks import Line, Squares, Words

if TYPE_CHECKING:
    from microgradlib.viz.networks.network import Column, FeatureMap

_ROWS: Final = (24, 8)
"""Of more units than their sum, so many are shown at the beginning and at the end."""
_MOST_SQUARES: Final = 4_000
_MAPS: Final = 8
_KERNELS: Final = 4
"""Of more kernels of a map, the first are shown."""
_SMALL: Final = 9.5


def image(column: Column) -> Body:
    """Return inputs that are the pixels of a square image."""
    side = math.isqrt(len(column.units))
    cell = float(min(max(round(96 / side), 3), 12))
    numbers = tuple(tuple(unit.value for unit in column.units[i * side : (i + 1) * side]) for i in range(side))
    grid = Squares(
        0, -side * cell / 2, cell, numbers, largest_of(numbers), shades=True, ground="card", edge="input_edge"
    )
    return Body([grid], grid.width, grid.height)


def strip(column: Column) -> Body:
    """Return many inputs as squares, from top to bottom; of more than 256, the first."""
    rows = 32
    numbers = [unit.value for unit in column.units[: rows * 8]]
    columns = -(-len(numbers) // rows)
    grid = tuple(tuple(numbers[i::rows][:columns]) for i in range(min(rows, len(numbers))))
    marks = Squares(0, -len(grid) * 5.5, 11.0, grid, largest_of(grid), edge="input_edge")
    body = Body([marks], marks.width, marks.height)
    if len(column.units) > len(numbers):
        rest = f"and {len(column.units) - len(numbers):,} more"
        body.marks.append(Words(marks.width / 2, marks.height / 2 + 14, rest, 10.0, "muted", "middle", italic=True))
        body.height += 36
    return body


def tiles(column: Column, side: int) -> Body:
    """Return many units that read an image: for each the image of its weights, its value and δ beside it."""
    first = weight_image(column.units[0].weights, side)
    most = max(6, _MOST_SQUARES // max(len(first) * len(first[0]), 1))
    units = column.units[:most]
    glyphs = [weight_image(unit.weights, side) for unit in units]
    cell = cell_of(first, side)
    tile = cell * len(first)
    columns = min(max(math.ceil(math.sqrt(len(units) / 2)), 1), 8)
    scale = largest_of(row for glyph in glyphs for row in glyph)
    values, deltas = largest_of([[u.value for u in column.units]]), largest_of([[u.delta for u in column.units]])
    with_delta = any(unit.delta is not None for unit in column.units)
    rows = -(-len(units) // columns)
    across, down = tile + 22.0, tile + 9.0
    body = Body(
        arrow=True,
        width=columns * across - 8.0,
        height=rows * down,
        uses={"tiles"} | pooling(len(column.units[0].weights), side),
    )
    for k, (unit, glyph) in enumerate(zip(units, glyphs)):
        x, y = k % columns * across, k // columns * down - body.height / 2 + 4.5
        body.marks.append(Squares(x, y, cell, glyph, scale, shades=True, tip=tip(k, unit, column)))
        if unit.value is not None:
            body.marks.append(Squares(x + tile + 2, y, 11.0, ((unit.value,),), values, edge="op_edge"))
            body.uses.add("value of tile")
        if with_delta:
            body.marks.append(Squares(x + tile + 2, y + 14, 11.0, ((unit.delta,),), deltas, edge="grad"))
            body.uses.add("δ of tile")
    _add_rest(body, len(column.units) - len(units))
    return body


def _add_rest(body: Body, rest: int) -> None:
    if rest > 0:
        text = f"… {rest:,} more"
        body.marks.append(Words(body.width / 2, body.height / 2 + 14, text, 11.0, "muted", "middle", italic=True))
        body.height += 36


def matrix(column: Column) -> Body:
    """Return many units as squares, and the matrix of their weights at the left: a row for each unit."""
    units = list(column.units)
    first, last = _ROWS
    cut = len(units) > first + last
    parts = [units[:first], units[-last:]] if cut else [units]
    rows = [[pooled(unit.weights, LONGEST_ROW) for unit in part] for part in parts]
    scale = largest_of(row for part in rows for row in part)
    values, deltas = largest_of([[u.value for u in units]]), largest_of([[u.delta for u in units]])
    biases = largest_of([[u.bias for u in units]])
    cell = 10.0
    width = cell * len(rows[0][0])
    height = cell * sum(map(len, parts)) + (26.0 if cut else 0.0)
    body = Body(arrow=True, height=height + 30.0, uses={"matrix"} | pooling(len(units[0].weights), 0))
    heads = [("W", width / 2, "muted"), ("b", width + 9, "parameter_text"), ("value", width + 33, "ink")]
    with_delta = any(unit.delta is not None for unit in units)
    heads += [("δ", width + 57, "grad")] if with_delta else []
    body.marks += [Words(x, -height / 2 - 5, word, _SMALL, role, "middle") for word, x, role in heads]
    y = -height / 2
    for part, of_part in zip(parts, rows):
        body.marks.append(Squares(0, y, cell, tuple(of_part), scale, edge="rule"))
        strips = [
            (width + 4, [u.bias for u in part], biases, "parameter", "parameter_edge"),
            (width + 28, [u.value for u in part], values, "cell", f"{look_of(column)}_edge"),
        ]
        strips += [(width + 52, [u.delta for u in part], deltas, "cell", "grad")] if with_delta else []
        for x, numbers, largest, ground, edge in strips:
            body.marks.append(Squares(x, y, cell, tuple((v,) for v in numbers), largest, ground=ground, edge=edge))
        y += cell * len(part) + 26.0
    if cut:
        rest = f"⋮ {len(units) - first - last:,} more"
        middle = -height / 2 + cell * first + 17
        body.marks.append(Words(width / 2, middle, rest, 11.0, "muted", "middle", italic=True))
    body.width = width + (62.0 if with_delta else 38.0)
    return body


def maps(column: Column, before: Column | None) -> Body:
    """Return feature maps one below the other, each with its kernels at the left."""
    maps = column.maps if len(column.maps) <= _MAPS else (*column.maps[:5], *column.maps[-2:])
    cut = len(column.maps) - len(maps)
    scale = largest_of(row for found in maps for kernel in found.kernels for row in kernel)
    brightest = largest_of(row for found in maps for row in found.values or ())
    shape = next(((len(found.values), len(found.values[0])) for found in maps if found.values), (4, 4))
    cell = float(min(max(round(72 / max(shape)), 2), 9)) if shape[0] > 1 else float(min(max(220 // shape[1], 3), 9))
    kernels = [_kernel_marks(found, scale) for found in maps]
    left = max((part[1] for part in kernels), default=0.0)
    left += 22.0 if left else 0.0
    pitch = max([cell * shape[0], *(part[2] for part in kernels)]) + 14.0
    height = pitch * len(maps) + (22.0 if cut else 0.0)
    body = Body(arrow=before is not None, width=left + cell * shape[1], height=height)
    top = -height / 2
    for k, (found, (marks, wide, tall)) in enumerate(zip(maps, kernels)):
        if cut and k == 5:
            words = f"⋮ {cut:,} more"
            body.marks.append(Words(left + 8, top + 14, words, 11.0, "muted", italic=True))
            top += 22.0
        middle = top + pitch / 2
        body.marks += [_moved(mark, left - 22.0 - wide, middle - tall / 2) for mark in marks]
        if marks:
            body.marks.append(Line(left - 17, middle, left - 5, middle, "line", 1.2))
            body.uses |= {"kernels", "some kernels"} if len(found.kernels) > _KERNELS else {"kernels"}
        grid = found.values or ((None,) * shape[1],) * shape[0]
        corner = (left, middle - cell * shape[0] / 2)
        edge = f"{look_of(column)}_edge"
        body.marks.append(Squares(*corner, cell, grid, brightest, shades=True, ground="card", edge=edge))
        top += pitch
    return body


def _kernel_marks(found: FeatureMap, scale: float) -> tuple[list[Squares], float, float]:
    """Return a map's kernels side by side, their width and their height; of many, the first four."""
    marks = []
    x = 0.0
    for kernel in found.kernels[:_KERNELS]:
        cell = float(min(max(30 // max(len(kernel), len(kernel[0])), 4), 10))
        marks.append(Squares(x, 0, cell, kernel, scale, shades=True, edge="parameter_edge"))
        x += marks[-1].width + 4.0
    return marks, max(x - 4.0, 0.0), max((mark.height for mark in marks), default=0.0)


def _moved(mark: Squares, x: float, y: float) -> Squares:
    return Squares(mark.x + x, mark.y + y, mark.cell, mark.numbers, mark.largest, mark.shades, mark.ground, mark.edge)

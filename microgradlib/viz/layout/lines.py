"""The ways of lines: straight along the columns, with a smooth bend between two columns where their places differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from microgradlib.viz.layout.along import Along
from microgradlib.viz.layout.grid import Grid
from microgradlib.viz.layout.spacing import Across
from microgradlib.viz.layout.wrapping import Rows, Turn

_STRAIGHT: Final = 0.05
"""Differences across, in pixels, that are no bend."""
_RADIUS: Final = 6.0
"""Of the corners of a line that goes to the next row."""

Point = tuple[float, float]
Step = tuple[float, ...]
"""A point to which a straight line goes, or two control points and the end of a curve; along before across."""


def line_of(
    grid: Grid, line: int, *, along: Along, across: Across, rows: Rows, lengths: Sequence[float]
) -> tuple[Point, list[Step]]:
    """Return the start of a line, and its steps, in coordinates along and across.

    Args:
        grid: columns in order, ports assigned.
        line: its number.
        along, across: the places of cells.
        rows: the rows into which the drawing is wrapped.
        lengths: of each box.

    """
    path, last = grid.paths[line], grid.links[grid.last[line]]
    first = last if len(path) == 2 else grid.links[grid.before[path[1]][0]]
    row = rows.row_of[grid.column_of[path[1 if path[0] in rows.moved else 0]]]
    begin, middle = rows.place_of(path[0], grid, along, across)
    place = middle + first.leaves
    start = (begin + lengths[path[0]], place)
    steps: list[Step] = []
    at = start[0]
    for cell in path[1:]:
        number = grid.column_of[cell]
        there = across.middles[cell] + rows.across[rows.row_of[number]] + (last.enters if cell == path[-1] else 0.0)
        level = along.columns[number].level + rows.along[rows.row_of[number]]
        if rows.row_of[number] != row:
            steps += _turn(rows.turns[(path[0], last.trunk), row], place, there)
            row = rows.row_of[number]
        elif abs(there - place) >= _STRAIGHT:
            out = max(at, along.columns[number - 1].out + rows.along[row])
            if out > at:
                steps.append((out, place))
            middle = (out + level) / 2
            steps.append((middle, place, middle, there, level, there))
        else:
            continue
        at, place = level, there
    steps.append((along.boxes[path[-1]] + rows.along[row], place))
    return start, steps


def _turn(turn: Turn, place: float, there: float) -> list[Step]:
    """Return the way from one row to the next, with round corners; it ends at the left of the next row."""
    r = _RADIUS
    return [
        (turn.out - r, place),
        (turn.out, place, turn.out, place, turn.out, place + r),
        (turn.out, turn.between - r),
        (turn.out, turn.between, turn.out, turn.between, turn.out - r, turn.between),
        (turn.back + r, turn.between),
        (turn.back, turn.between, turn.back, turn.between, turn.back, turn.between + r),
        (turn.back, there - r),
        (turn.back, there, turn.back, there, turn.back + r, there),
    ]

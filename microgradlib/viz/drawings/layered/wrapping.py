"""Wrap a long drawing that goes to the right into rows; lines go from the end of a row to the next like a carriage."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from microgradlib.viz.drawings.layered.along import Along, Column
from microgradlib.viz.drawings.layered.grid import Grid
from microgradlib.viz.drawings.layered.spacing import Across
from microgradlib.viz.drawings.placement import Spacing

_MARGIN: Final = 12.0
"""Pixels between a row and the nearest line that returns beside it."""
_LEAST_COLUMNS: Final = 2
"""No row has fewer columns, so that no box stands alone."""

Trunk = tuple[int, Hashable]


class Turn(NamedTuple):
    """A line's way from one row to the next: across at `out`, back at `between`, and across again at `back`."""

    out: float
    between: float
    back: float


@dataclass(frozen=True)
class Rows:
    """The row of each column, the shifts of each row, and the turns of the trunks that go from a row to the next."""

    row_of: Sequence[int]
    along: Sequence[float]
    across: Sequence[float]
    length: float
    breadth: float
    turns: dict[tuple[Trunk, int], Turn] = field(default_factory=dict)


def one_row(along: Along, across: Across) -> Rows:
    """Return the rows of a drawing that is not wrapped."""
    return Rows([0] * len(along.columns), [0.0], [0.0], along.length, across.breadth)


def wrap(grid: Grid, along: Along, across: Across, spacing: Spacing, length: float) -> Rows:
    """Return the rows of a drawing that should be at most `length` long; one row if it cannot be broken.

    A row may begin before a column where no frame, and at most `spacing.most_cut` sources, have parts on both sides.
    The rows are the fewest possible, and of these the ones most alike in length.
    """
    cuts = _cuts(grid, spacing.most_cut)
    starts = _breaks(along.columns, cuts, spacing, length)
    if len(starts) == 1:
        return one_row(along, across)
    bounds = [*starts, len(along.columns)]
    row_of = [row for row in range(len(starts)) for _ in range(bounds[row], bounds[row + 1])]
    extents = _extents(grid, across, row_of)
    shift_across, shift_along, between = [], [], []
    place = longest = 0.0
    for row, (begin, end) in enumerate(extents):
        shift_across.append(place - begin)
        before = _beside(cuts.get(starts[row], ()), spacing) if row else 0.0
        shift_along.append(before - along.columns[starts[row]].level)
        longest = max(longest, along.columns[bounds[row + 1] - 1].out + shift_along[-1])
        place += end - begin
        between.append(place)
        place += max(spacing.row, 2 * _MARGIN + spacing.tight * len(cuts.get(bounds[row + 1], ())))
    turns: dict[tuple[Trunk, int], Turn] = {}
    for row in range(len(starts) - 1):
        cut = _in_order(grid, across, cuts[bounds[row + 1]], bounds[row + 1])
        for i, trunk in enumerate(cut):  # the upper line turns farther out and lower down, so that none cross
            rest = len(cut) - 1 - i
            turns[trunk, row] = Turn(
                longest + _MARGIN + rest * spacing.tight,
                between[row] + _MARGIN + rest * spacing.tight,
                _MARGIN / 2 + rest * spacing.tight,
            )
    most = max(len(cuts[start]) for start in starts[1:])
    length = longest + _MARGIN + (most - 1) * spacing.tight + _MARGIN / 2
    return Rows(row_of, shift_along, shift_across, length, between[-1], turns)


def _beside(cut: Sequence[Trunk], spacing: Spacing) -> float:
    return _MARGIN + spacing.tight * len(cut)


def _cuts(grid: Grid, most: int) -> dict[int, list[Trunk]]:
    """Return the trunks that a row's beginning would cut, for each column at which a row may begin."""
    columns = len(grid.columns)
    cuts: dict[int, dict[Trunk, None]] = {column: {} for column in range(_LEAST_COLUMNS, columns - _LEAST_COLUMNS + 1)}
    for low, high in grid.span:
        for column in range(low + 1, high + 1):
            cuts.pop(column, None)
    for path, last in zip(grid.paths, grid.last, strict=True):
        for cell in path[1:]:
            trunks = cuts.get(grid.column_of[cell])
            if trunks is not None:
                trunks[path[0], grid.links[last].trunk] = None
                if len(trunks) > most:
                    del cuts[grid.column_of[cell]]
    return {column: list(trunks) for column, trunks in cuts.items()}


def _breaks(columns: Sequence[Column], cuts: dict[int, list[Trunk]], spacing: Spacing, length: float) -> list[int]:
    """Return the first column of each row: the least total excess, then the fewest rows, then the most even ones."""
    legal = [0, *sorted(cuts), len(columns)]
    best: dict[int, tuple[tuple[float, int, float], int]] = {0: ((0.0, 0, 0.0), 0)}
    for i, end in enumerate(legal[1:], 1):
        for start in reversed(legal[:i]):
            if end - start < _LEAST_COLUMNS:
                continue
            size = columns[end - 1].out - columns[start].level
            size += _beside(cuts[start], spacing) if start else 0.0
            size += _beside(cuts[end], spacing) if end < len(columns) else 0.0
            if start in best:
                (excess, rows, squares), _ = best[start]
                cost = (excess + max(0.0, size - length), rows + 1, squares + size * size)
                if end not in best or cost < best[end][0]:
                    best[end] = (cost, start)
            if size > 2 * length and end in best:
                break
    starts = [len(columns)]
    while starts[-1]:
        starts.append(best[starts[-1]][1])
    return starts[:0:-1]


def _extents(grid: Grid, across: Across, row_of: Sequence[int]) -> list[tuple[float, float]]:
    begins, ends = [float("inf")] * (row_of[-1] + 1), [float("-inf")] * (row_of[-1] + 1)
    for cell, middle in enumerate(across.middles):
        row = row_of[grid.column_of[cell]]
        begins[row] = min(begins[row], middle - grid.breadths[cell] / 2)
        ends[row] = max(ends[row], middle + grid.breadths[cell] / 2)
    for frame, (low, high) in enumerate(grid.span):
        if high >= 0:
            begins[row_of[low]] = min(begins[row_of[low]], across.begins[frame])
            ends[row_of[low]] = max(ends[row_of[low]], across.ends[frame])
    return list(zip(begins, ends, strict=True))


def _in_order(grid: Grid, across: Across, trunks: Sequence[Trunk], column: int) -> list[Trunk]:
    """Return the trunks from top to bottom at the end of a row."""
    place: dict[Trunk, float] = {}
    for path, last in zip(grid.paths, grid.last, strict=True):
        trunk = (path[0], grid.links[last].trunk)
        if trunk in trunks:
            for ahead in path[:-1]:
                if grid.column_of[ahead] == column - 1:
                    place[trunk] = across.middles[ahead]
    return sorted(trunks, key=lambda trunk: (place[trunk], trunk[0], repr(trunk[1])))

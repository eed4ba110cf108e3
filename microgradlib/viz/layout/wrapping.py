"""Wrap a long drawing that goes to the right into rows; lines lead from the end of a row to the start of the next."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from microgradlib.viz.layout.along import Along, Column
from microgradlib.viz.layout.grid import Grid
from microgradlib.viz.layout.placement import Spacing
from microgradlib.viz.layout.spacing import Across

_MARGIN: Final = 12.0
"""Pixels between a row and the nearest line that returns beside it."""
_CLEAR: Final = 7.0
"""Pixels between a leaf that moves into a row and the lines and boxes beside it."""
_EQUAL: Final = 1e-6
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
    moved: dict[int, tuple[float, float]] = field(default_factory=dict)  # leaves, their beginnings and middles

    def place_of(self, box: int, grid: Grid, along: Along, across: Across) -> tuple[float, float]:
        """Return where a box begins, along, and its middle across."""
        if box in self.moved:
            return self.moved[box]
        row = self.row_of[grid.column_of[box]]
        return along.boxes[box] + self.along[row], across.middles[box] + self.across[row]


def one_row(along: Along, across: Across) -> Rows:
    """Return the rows of a drawing that is not wrapped."""
    return Rows([0] * len(along.columns), [0.0], [0.0], along.length, across.breadth)


def wrap(
    grid: Grid, along: Along, across: Across, spacing: Spacing, *, length: float, lengths: Sequence[float]
) -> Rows:
    """Return the rows of a drawing that should be at most `length` long; one row if it cannot be broken.

    A row may begin before a column where no frame, and at most `spacing.most_cut` sources, have parts on both sides.
    Leaves that only the new row uses move into it. The rows are the fewest possible, and of these the most even ones.

    Args:
        grid: columns in order, ports assigned.
        along, across: the places in one row.
        spacing: the distances.
        length: the most that a row should have.
        lengths: of each box.

    """
    leaves = _leaves(grid)
    cuts = _cuts(grid, leaves, spacing.most_cut)
    room = {
        column: _beside(cut, spacing)
        + max([lengths[leaf] + spacing.bend for leaf in leaves.get(column, ())], default=0.0)
        for column, cut in cuts.items()
    }
    starts = _breaks(along.columns, cuts, room, spacing, length)
    if len(starts) == 1:
        return one_row(along, across)
    bounds = [*starts, len(along.columns)]
    row_of = [row for row in range(len(starts)) for _ in range(bounds[row], bounds[row + 1])]
    moved = {leaf: start for start in starts[1:] for leaf in leaves.get(start, ())}
    shift_along = [(room[start] if start else 0.0) - along.columns[start].level for start in starts]
    longest = max(along.columns[bounds[row + 1] - 1].out + shift for row, shift in enumerate(shift_along))
    middles: dict[int, float] = {}
    for start in starts[1:]:
        middles.update(_middles_of_moved(grid, across, leaves.get(start, ()), cuts[start], start))
    shift_across, between, place = [], [], 0.0
    for row, (begin, end) in enumerate(_extents(grid, across, row_of, moved, middles)):
        shift_across.append(place - begin)
        place += end - begin
        between.append(place)
        place += max(spacing.row, 2 * _MARGIN + spacing.tight * len(cuts.get(bounds[row + 1], ())))
    turns: dict[tuple[Trunk, int], Turn] = {}
    for row in range(len(starts) - 1):
        cut = _in_order(grid, across, cuts[bounds[row + 1]], bounds[row + 1])
        for i, trunk in enumerate(reversed(cut)):  # the upper line turns farther out and lower down, so that none cross
            aside = _MARGIN + i * spacing.tight
            turns[trunk, row] = Turn(longest + aside, between[row] + aside, aside - _MARGIN / 2)
    most = max(len(cuts[start]) for start in starts[1:])
    places = {
        leaf: (
            room[start] - spacing.bend - lengths[leaf],
            middles[leaf] + shift_across[row_of[start]],
        )
        for leaf, start in moved.items()
    }
    total = longest + _MARGIN + max(0, most - 1) * spacing.tight + _MARGIN / 2
    return Rows(row_of, shift_along, shift_across, total, between[-1], turns, places)


def _leaves(grid: Grid) -> dict[int, list[int]]:
    """Return for each column the leaves, outside of all frames, that only this column uses."""
    leaves: dict[int, list[int]] = {}
    for box in range(grid.boxes):
        heads = [grid.links[number].head for number in grid.after[box]]
        if heads and not grid.before[box] and not grid.frames_of[box] and not any(map(grid.is_lane, heads)):
            leaves.setdefault(grid.column_of[box] + 1, []).append(box)
    return leaves


def _middles_of_moved(
    grid: Grid, across: Across, leaves: Sequence[int], cut: Sequence[Trunk], start: int
) -> dict[int, float]:
    """Return the middles of the leaves that move into a row, clear of the lines that return there and of each other."""
    taken = []
    for path, last in zip(grid.paths, grid.last, strict=True):
        if (path[0], grid.links[last].trunk) in cut:
            for cell in path[1:]:
                if grid.column_of[cell] == start:
                    line = across.middles[cell] + (grid.links[last].enters if cell == path[-1] else 0.0)
                    taken.append((line, line))
    middles = {}
    for leaf in leaves:
        half = grid.breadths[leaf] / 2
        wish = across.middles[leaf]
        clear = [wish, *(place for low, high in taken for place in (low - half - _CLEAR, high + half + _CLEAR))]
        clear.sort(key=lambda place: abs(place - wish))
        middles[leaf] = next(
            place
            for place in clear
            if all(
                place + half + _CLEAR <= low + _EQUAL or high + _CLEAR <= place - half + _EQUAL for low, high in taken
            )
        )
        taken.append((middles[leaf] - half, middles[leaf] + half))
    return middles


def _beside(cut: Sequence[Trunk], spacing: Spacing) -> float:
    return _MARGIN + spacing.tight * len(cut)


def _cuts(grid: Grid, leaves: Mapping[int, Sequence[int]], most: int) -> dict[int, list[Trunk]]:
    """Return the trunks that a row's beginning would cut, for each column at which a row may begin."""
    columns = len(grid.columns)
    cuts: dict[int, dict[Trunk, None]] = {column: {} for column in range(_LEAST_COLUMNS, columns - _LEAST_COLUMNS + 1)}
    for low, high in grid.span:
        for column in range(low + 1, high + 1):
            cuts.pop(column, None)
    moving = {leaf for column in leaves.values() for leaf in column}
    for path, last in zip(grid.paths, grid.last, strict=True):
        for cell in path[1:] if path[0] not in moving else ():
            trunks = cuts.get(grid.column_of[cell])
            if trunks is not None:
                trunks[path[0], grid.links[last].trunk] = None
                if len(trunks) > most:
                    del cuts[grid.column_of[cell]]
    return {column: list(trunks) for column, trunks in cuts.items()}


def _breaks(
    columns: Sequence[Column],
    cuts: Mapping[int, Sequence[Trunk]],
    room: Mapping[int, float],
    spacing: Spacing,
    length: float,
) -> list[int]:
    """Return the first column of each row: the least total excess, then the fewest rows, then the most even ones."""
    legal = [0, *sorted(cuts), len(columns)]
    best: dict[int, tuple[tuple[float, int, float], int]] = {0: ((0.0, 0, 0.0), 0)}
    for i, end in enumerate(legal[1:], 1):
        for start in reversed(legal[:i]):
            if end - start < _LEAST_COLUMNS:
                continue
            size = columns[end - 1].out - columns[start].level
            size += room.get(start, 0.0)
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


def _extents(
    grid: Grid,
    across: Across,
    row_of: Sequence[int],
    moved: Mapping[int, int],
    middles: Mapping[int, float],
) -> list[tuple[float, float]]:
    begins, ends = [float("inf")] * (row_of[-1] + 1), [float("-inf")] * (row_of[-1] + 1)
    for cell, column in enumerate(grid.column_of):
        row = row_of[moved.get(cell, column)]
        middle = middles.get(cell, across.middles[cell])
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

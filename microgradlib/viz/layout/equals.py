"""Equal frames are ordered alike: those that hold the same boxes and lines get one order inside."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

from microgradlib.viz.layout.crossings import crossings
from microgradlib.viz.layout.grid import Grid

_TRIED: Final = 3
"""So many of the orders that equal frames have are tried for all; the one with the fewest crossings is taken."""

Order = tuple[tuple[int, ...], ...]


def order_alike(grid: Grid) -> None:
    """Give equal frames the same order of cells in all their columns, inner frames first, in place.

    Two frames are equal if their cells have the same sizes, columns, frames and lines, each from the frame's beginning.
    """
    members: list[list[int]] = [[] for _ in grid.parent]
    for cell, around in enumerate(grid.frames_of):
        for frame in around:
            members[frame].append(cell)
    classes: dict[Hashable, list[int]] = {}
    for frame in sorted(range(len(grid.parent)), key=lambda frame: (-len(grid.around[frame]), frame)):
        if len(members[frame]) > 1:
            classes.setdefault(_signature(grid, frame, members[frame]), []).append(frame)
    for frames in classes.values():
        orders = list(dict.fromkeys(_order(grid, frame, members[frame]) for frame in frames))
        if len(orders) == 1:
            continue
        best: tuple[int, Order] | None = None
        for order in orders[:_TRIED]:
            for frame in frames:
                _apply(grid, frame, members[frame], order)
            count = crossings(grid)
            if best is None or count < best[0]:
                best = (count, order)
        if best is not None:
            for frame in frames:
                _apply(grid, frame, members[frame], best[1])


def _signature(grid: Grid, frame: int, members: list[int]) -> Hashable:
    low = grid.span[frame][0]
    place = {cell: i for i, cell in enumerate(members)}
    depth = len(grid.around[frame])
    inner: dict[int, int] = {}
    cells = []
    for cell in members:
        frames = tuple(inner.setdefault(f, len(inner)) for f in grid.frames_of[cell][depth:])
        lines = []
        for number in grid.before[cell]:
            link = grid.links[number]
            ends = (None if link.free_exit else link.leaves, None if link.free_entry else link.enters)
            lines.append((place.get(link.tail, -1), ends))
        out = sum(grid.links[number].head not in place for number in grid.after[cell])
        cells.append((grid.column_of[cell] - low, grid.breadths[cell], cell < grid.boxes, frames, tuple(lines), out))
    return tuple(cells)


def _order(grid: Grid, frame: int, members: list[int]) -> Order:
    place = {cell: i for i, cell in enumerate(members)}
    low, high = grid.span[frame]
    return tuple(
        tuple(place[cell] for cell in grid.columns[column] if cell in place) for column in range(low, high + 1)
    )


def _apply(grid: Grid, frame: int, members: list[int], order: Order) -> None:
    low = grid.span[frame][0]
    inside = set(members)
    for column, places in enumerate(order, low):
        cells = grid.columns[column]
        first = next(i for i, cell in enumerate(cells) if cell in inside)
        cells[first : first + len(places)] = [members[place] for place in places]

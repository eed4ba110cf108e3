"""Count the crossings of lines between neighbouring columns."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from typing import Final

from microgradlib.viz.layout.grid import Grid

_PORT_SPAN: Final = 0.9
"""The part of a cell's place over which the ports of its side are spread."""


def crossings(grid: Grid) -> int:
    """Count the pairs of links between neighbouring columns that cross.

    Links that end side by side in a free port count as ordered, since ports are chosen so that they do not cross.
    """
    index = [0] * len(grid.breadths)
    for column in grid.columns:
        for place, cell in enumerate(column):
            index[cell] = place
    return sum(crossings_after(grid, column, index) for column in grid.columns)


def crossings_after(grid: Grid, column: Sequence[int], index: Sequence[int]) -> int:
    """Count the pairs of links that leave a column and cross; `index` is the place of each cell in its column."""
    ends = []
    for cell in column:
        for number in grid.after[cell]:
            link = grid.links[number]
            ends.append(
                (index[cell] + shift(grid, cell, link.leaves), index[link.head] + shift(grid, link.head, link.enters))
            )
    ends.sort()
    count = first = 0
    seen: list[float] = []
    while first < len(ends):
        behind = first
        while behind < len(ends) and ends[behind][0] == ends[first][0]:
            count += len(seen) - bisect_right(seen, ends[behind][1])
            behind += 1
        for _, end in ends[first:behind]:
            insort(seen, end)
        first = behind
    return count


def shift(grid: Grid, cell: int, offset: float) -> float:
    """Return the place of a port within the place of its cell, −0.45 … 0.45."""
    return _PORT_SPAN * offset / grid.breadths[cell] if offset else 0.0

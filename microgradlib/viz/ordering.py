"""Which column every box stands in, and in which order from top to bottom.

Columns are longest paths from the leaves. An arrow that skips columns passes each of them
in a *lane*, an invisible cell of its own; arrows from one box share their lanes, so a value
used in many places draws one line that branches. The order within columns is improved by
barycentre sweeps (Sugiyama, Tagawa and Toda 1981), keeping the order with fewest crossings.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_WORK: Final = 24_000
_MOST_SWEEPS: Final = 12


@dataclass(frozen=True)
class Grid:
    """Boxes and lanes in their columns.

    Cells are numbered: boxes first, in the order given, then lanes.

    Args:
        boxes: how many of the cells are boxes.
        columns: cells from top to bottom, for each column from left to right.
        column_of: the column of each cell.
        before: for each cell, its neighbours one column to the left, one per line.
        after: for each cell, its neighbours one column to the right, one per line.
        paths: for each arrow the cells it visits, from tail to head.

    """

    boxes: int
    columns: tuple[tuple[int, ...], ...]
    column_of: tuple[int, ...]
    before: tuple[tuple[int, ...], ...]
    after: tuple[tuple[int, ...], ...]
    paths: tuple[tuple[int, ...], ...]


def arrange(boxes: int, arrows: Sequence[tuple[int, int]]) -> Grid:
    """Put `boxes` boxes, joined by arrows (tail, head), into ordered columns.

    Raises:
        ValueError: the arrows run in a circle.

    >>> grid = arrange(4, [(0, 1), (0, 2), (1, 3), (2, 3)])
    >>> grid.columns
    ((0,), (1, 2), (3,))
    """
    ranks = rank(boxes, arrows)
    column_of, before, after, paths = _with_lanes(ranks, arrows)
    columns: list[list[int]] = [[] for _ in range(max(column_of, default=-1) + 1)]
    for cell, column in enumerate(column_of):
        columns[column].append(cell)
    best = _sweep(columns, before, after)
    return Grid(
        boxes,
        tuple(map(tuple, best)),
        tuple(column_of),
        tuple(map(tuple, before)),
        tuple(map(tuple, after)),
        tuple(map(tuple, paths)),
    )


def rank(boxes: int, arrows: Sequence[tuple[int, int]]) -> list[int]:
    """Find the column of each box: its longest path from a leaf, then further right where that shortens lines.

    A box moves right up to its first use if it has more lines out than in, or if everything
    it is computed from serves it alone (leaves aside) and so can follow.

    Raises:
        ValueError: the arrows run in a circle.

    >>> rank(4, [(0, 1), (1, 2), (3, 2)])
    [0, 1, 2, 1]
    """
    heads: list[list[int]] = [[] for _ in range(boxes)]
    waiting = [0] * boxes
    for tail, head in arrows:
        heads[tail].append(head)
        waiting[head] += 1
    inputs = tuple(waiting)
    loose = [True] * boxes
    ranks = [0] * boxes
    ready = [box for box in range(boxes) if not waiting[box]]
    for box in ready:  # grows while it is walked
        for head in heads[box]:
            loose[head] &= not inputs[box] or (loose[box] and len(heads[box]) == 1)
            ranks[head] = max(ranks[head], ranks[box] + 1)
            waiting[head] -= 1
            if not waiting[head]:
                ready.append(head)
    if len(ready) < boxes:
        message = (
            f"{boxes - len(ready)} boxes lie on or behind a circle of arrows; a drawing needs arrows without circles"
        )
        raise ValueError(message)
    for box in reversed(ready):
        if heads[box] and (loose[box] or len(heads[box]) > inputs[box]):
            ranks[box] = min(ranks[head] for head in heads[box]) - 1
    return ranks


def _with_lanes(
    ranks: list[int], arrows: Sequence[tuple[int, int]]
) -> tuple[list[int], list[list[int]], list[list[int]], list[list[int]]]:
    column_of = list(ranks)
    before: list[list[int]] = [[] for _ in ranks]
    after: list[list[int]] = [[] for _ in ranks]
    trunks: list[list[int]] = [[box] for box in range(len(ranks))]
    paths = []
    for tail, head in arrows:
        trunk = trunks[tail]
        while column_of[trunk[-1]] < ranks[head] - 1:
            lane = len(column_of)
            column_of.append(column_of[trunk[-1]] + 1)
            before.append([trunk[-1]])
            after[trunk[-1]].append(lane)
            after.append([])
            trunk.append(lane)
        path = trunk[: ranks[head] - ranks[tail]]
        before[head].append(path[-1])
        after[path[-1]].append(head)
        paths.append([*path, head])
    return column_of, before, after, paths


def _sweep(columns: list[list[int]], before: list[list[int]], after: list[list[int]]) -> list[list[int]]:
    position = [0.0] * len(before)
    for column in columns:
        _number(column, position)
    best, fewest = [list(column) for column in columns], _crossings(columns, after, position)
    # Fewer sweeps over a larger drawing: nobody can follow its lines anyway.
    sweeps = max(2, min(_MOST_SWEEPS, _WORK // (len(before) + 1)))
    for sweep in range(sweeps):
        if not fewest:
            break
        leftwards = sweep % 2 == 0
        neighbours = after if leftwards else before
        for column in reversed(columns) if leftwards else columns:
            _reorder(column, neighbours, position)
        count = _crossings(columns, after, position)
        if count < fewest:
            best, fewest = [list(column) for column in columns], count
    return best


def _reorder(column: list[int], neighbours: list[list[int]], position: list[float]) -> None:
    wish = {}
    for cell in column:
        near = neighbours[cell]
        wish[cell] = sum([position[other] for other in near]) / len(near) if near else position[cell]
    column.sort(key=wish.__getitem__)
    _number(column, position)


def _number(column: list[int], position: list[float]) -> None:
    # Places in 0..1, so that a column's wishes can be compared with the places of cells without neighbours.
    for place, cell in enumerate(column):
        position[cell] = (place + 0.5) / len(column)


def _crossings(columns: list[list[int]], after: list[list[int]], position: list[float]) -> int:
    count = 0
    for column in columns:
        seen: list[float] = []
        for cell in column:
            ends = sorted([position[other] for other in after[cell]])
            for end in ends:
                count += len(seen) - bisect_right(seen, end)
            for end in ends:
                insort(seen, end)
    return count

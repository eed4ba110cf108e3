"""Assign the boxes of a diagram to columns, and order each column from top to bottom.

The column of a box is the length of the longest path from a leaf. An arrow that skips columns passes each of them in a
*lane*, an invisible cell (a dummy node in the terms of Sugiyama, Tagawa and Toda 1981); arrows from one box share
their lanes, so a value with many uses is drawn as one line that branches. The order within columns is improved by
barycentre sweeps, and the order with the fewest crossings is kept.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_MAX_WORK: Final = 24_000
"""Limit on sweeps times cells: larger diagrams get fewer sweeps, to bound the time."""
_MAX_SWEEPS: Final = 12


@dataclass(frozen=True)
class Grid:
    """The cells of a diagram, boxes and lanes, in columns.

    Cells are numbered: boxes first, in the order given, then lanes.

    Args:
        boxes: the number of boxes.
        columns: cells from top to bottom, for each column from left to right.
        column_of: the column of each cell.
        before: for each cell, its neighbours in the column to the left, one per line.
        after: for each cell, its neighbours in the column to the right, one per line.
        paths: for each arrow, the cells that it passes, from tail to head.

    """

    boxes: int
    columns: tuple[tuple[int, ...], ...]
    column_of: tuple[int, ...]
    before: tuple[tuple[int, ...], ...]
    after: tuple[tuple[int, ...], ...]
    paths: tuple[tuple[int, ...], ...]


def arrange(boxes: int, arrows: Sequence[tuple[int, int]]) -> Grid:
    """Arrange boxes numbered from 0, joined by arrows (tail, head), in ordered columns.

    Raises:
        ValueError: the arrows form a cycle.

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
    """Return the column of each box: the length of its longest path from a leaf, or more if that shortens lines.

    A box is moved right, next to its first use, if it has more outgoing than incoming lines, or if no other box uses
    its inputs (leaves aside), which can then be moved too.

    Raises:
        ValueError: the arrows form a cycle.

    >>> rank(4, [(0, 1), (1, 2), (3, 2)])
    [0, 1, 2, 1]
    """
    heads: list[list[int]] = [[] for _ in range(boxes)]
    pending = [0] * boxes
    for tail, head in arrows:
        heads[tail].append(head)
        pending[head] += 1
    inputs = tuple(pending)
    movable = [True] * boxes
    ranks = [0] * boxes
    ready = [box for box in range(boxes) if not pending[box]]
    for box in ready:  # the list grows during the iteration
        for head in heads[box]:
            movable[head] &= not inputs[box] or (movable[box] and len(heads[box]) == 1)
            ranks[head] = max(ranks[head], ranks[box] + 1)
            pending[head] -= 1
            if not pending[head]:
                ready.append(head)
    if len(ready) < boxes:
        message = f"{boxes - len(ready)} boxes lie on or behind a cycle of arrows; remove one of them"
        raise ValueError(message)
    for box in reversed(ready):
        if heads[box] and (movable[box] or len(heads[box]) > inputs[box]):
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
        _set_positions(column, position)
    best, fewest = [list(column) for column in columns], _crossings(columns, after, position)
    sweeps = max(2, min(_MAX_SWEEPS, _MAX_WORK // (len(before) + 1)))
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
    barycentres = {}
    for cell in column:
        near = neighbours[cell]
        barycentres[cell] = sum([position[other] for other in near]) / len(near) if near else position[cell]
    column.sort(key=barycentres.__getitem__)
    _set_positions(column, position)


def _set_positions(column: list[int], position: list[float]) -> None:
    # Positions in 0..1, so that the barycentres of a column compare with the positions of cells without neighbours.
    for i, cell in enumerate(column):
        position[cell] = (i + 0.5) / len(column)


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

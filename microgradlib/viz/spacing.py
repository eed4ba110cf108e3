"""Heights for cells whose order is fixed: near their neighbours, and never overlapping."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.viz.ordering import Grid

_WORK: Final = 24_000
_MOST_SWEEPS: Final = 16
_STRAIGHTNESS: Final = (1.0, 3.0, 8.0)
"""How hard a line pulls its ends level: between two boxes, box and lane, two lanes (Gansner et al. 1993)."""
_SIDEWAYS: Final = 0.2
"""How much weaker a shorter branch pulls on the longest path, which so stays straight."""
_ALONE: Final = 4.0
"""The same for the only line between two boxes that have no other on that side."""


def spread(grid: Grid, heights: Sequence[float], ports: Sequence[Sequence[float]], gap: float) -> list[float]:
    """Find the middle of every cell, in pixels downwards from the drawing's top edge.

    Args:
        grid: cells in ordered columns.
        heights: the height of each cell.
        ports: for each cell, where its incoming lines enter, relative to its middle, one per line.
        gap: free space between two boxes of a column; lanes take half.

    """
    middles = [0.0] * len(heights)
    room = [
        [_distance(grid, heights, gap, above, below) for above, below in pairwise(column)] for column in grid.columns
    ]
    for column, distances in zip(grid.columns, room, strict=True):
        _stack(column, distances, middles)
    left, right = _pulls(grid, ports)
    sweeps = max(4, min(_MOST_SWEEPS, _WORK // (len(heights) + 1)))
    order = list(range(len(grid.columns)))
    for sweep in range(sweeps):
        # The last sweeps look both ways, so that no side wins merely for having come last.
        sides = (left, right) if sweep >= sweeps - 2 else (left,) if sweep % 2 else (right,)
        for index in order if sweep % 2 else reversed(order):
            _relax(grid.columns[index], room[index], sides, middles)
    top = min((middles[cell] - heights[cell] / 2 for cell in range(len(heights))), default=0.0)
    return [middle - top for middle in middles]


def settle(wishes: Sequence[float], weights: Sequence[float], distances: Sequence[float]) -> list[float]:
    """Find the places closest to `wishes` that keep their order and at least the given distances.

    Minimises Σ weightᵢ (placeᵢ − wishᵢ)² subject to placeᵢ₊₁ − placeᵢ ≥ distanceᵢ, exactly,
    by pooling adjacent violators (isotonic regression after shifting by the distances).

    >>> settle([0.0, 0.0], [1.0, 1.0], [10.0])
    [-5.0, 5.0]
    """
    shifts = [0.0]
    for distance in distances:
        shifts.append(shifts[-1] + distance)
    pools: list[tuple[float, float, int]] = []  # mean, weight, how many cells
    for wish, weight, shift in zip(wishes, weights, shifts, strict=True):
        mean, total, size = wish - shift, weight, 1
        while pools and pools[-1][0] >= mean:
            other, other_weight, other_size = pools.pop()
            mean = (mean * total + other * other_weight) / (total + other_weight)
            total += other_weight
            size += other_size
        pools.append((mean, total, size))
    means = [mean for mean, _, size in pools for _ in range(size)]
    return [mean + shift for mean, shift in zip(means, shifts, strict=True)]


def _distance(grid: Grid, heights: Sequence[float], gap: float, above: int, below: int) -> float:
    free = gap if above < grid.boxes and below < grid.boxes else gap / 2
    return (heights[above] + heights[below]) / 2 + free


def _stack(column: Sequence[int], distances: Sequence[float], middles: list[float]) -> None:
    place = -sum(distances) / 2
    for cell, step in zip(column, [*distances, 0.0], strict=True):
        middles[cell] = place
        place += step


_Pull = tuple[int, float, float]


def _depths(grid: Grid) -> list[int]:
    """Measure the longest path to each cell, which its column hides where it has been moved right."""
    depths = [0] * len(grid.before)
    for column in grid.columns:
        for cell in column:
            depths[cell] = max((depths[tail] + 1 for tail in grid.before[cell]), default=0)
    return depths


def _pulls(grid: Grid, ports: Sequence[Sequence[float]]) -> tuple[list[list[_Pull]], list[list[_Pull]]]:
    """List for each cell its neighbours on either side: which, how far from level, how strongly."""
    left: list[list[_Pull]] = [[] for _ in grid.before]
    right: list[list[_Pull]] = [[] for _ in grid.before]
    depths = _depths(grid)
    for head, tails in enumerate(grid.before):
        for tail, port in zip(tails, ports[head], strict=True):
            weight = _STRAIGHTNESS[(tail >= grid.boxes) + (head >= grid.boxes)]
            uses = len(grid.after[tail])
            if uses == len(tails) == 1:
                weight = max(weight, _ALONE)
            if depths[tail] + 1 < depths[head]:
                weight *= _SIDEWAYS
            weight /= uses  # a box stands by what it alone uses, rather than by what everybody uses
            left[head].append((tail, -port, weight))
            right[tail].append((head, port, weight))
    return left, right


def _relax(
    column: Sequence[int], distances: Sequence[float], sides: Sequence[list[list[_Pull]]], middles: list[float]
) -> None:
    wishes, weights = [], []
    for cell in column:
        pulled = total = 0.0
        for side in sides:
            for other, offset, weight in side[cell]:
                pulled += weight * (middles[other] + offset)
                total += weight
        wishes.append(pulled / total if total else middles[cell])
        weights.append(total or 0.01)
    for cell, place in zip(column, settle(wishes, weights, distances), strict=True):
        middles[cell] = place

"""Compute vertical positions of cells in a given order: close to their neighbours, without overlaps."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.viz.ordering import Grid

_MAX_WORK: Final = 24_000
"""Limit on sweeps times cells: larger diagrams get fewer sweeps, to bound the time."""
_MAX_SWEEPS: Final = 16
_STRAIGHTNESS: Final = (1.0, 3.0, 8.0)
"""Weights that keep lines horizontal: between two boxes, a box and a lane, two lanes (Gansner et al. 1993)."""
_SHORT_BRANCH: Final = 0.2
"""Factor on the weight of a line from a shorter branch into the longest path: it keeps the longest path straight."""
_ONLY_LINE: Final = 4.0
"""The least weight of a line that is the only one out of its tail and the only one into its head."""


def vertical_positions(
    grid: Grid, heights: Sequence[float], ports: Sequence[Sequence[float]], gap: float
) -> list[float]:
    """Return the middle of every cell, in pixels downwards from the drawing's top edge.

    Args:
        grid: cells in ordered columns.
        heights: the height of each cell.
        ports: for each cell, where its incoming lines enter it, relative to its middle, one per line.
        gap: the space between two boxes of a column; half of it where one is a lane.

    """
    middles = [0.0] * len(heights)
    distances_of = [
        [_distance(grid, heights, gap, above, below) for above, below in pairwise(column)] for column in grid.columns
    ]
    for column, distances in zip(grid.columns, distances_of, strict=True):
        _centre(column, distances, middles)
    left, right = _neighbours(grid, ports)
    sweeps = max(4, min(_MAX_SWEEPS, _MAX_WORK // (len(heights) + 1)))
    order = list(range(len(grid.columns)))
    for sweep in range(sweeps):
        # The last sweeps use both sides, so that the result does not favour the side of the last sweep.
        sides = (left, right) if sweep >= sweeps - 2 else (left,) if sweep % 2 else (right,)
        for index in order if sweep % 2 else reversed(order):
            _relax(grid.columns[index], distances_of[index], sides, middles)
    top = min((middles[cell] - heights[cell] / 2 for cell in range(len(heights))), default=0.0)
    return [middle - top for middle in middles]


def least_squares_positions(
    targets: Sequence[float], weights: Sequence[float], distances: Sequence[float]
) -> list[float]:
    """Return the positions closest to `targets` that keep their order and at least the given distances.

    Minimises Σ weightᵢ (positionᵢ − targetᵢ)² subject to positionᵢ₊₁ − positionᵢ ≥ distanceᵢ, exactly, by pooling
    adjacent violators (isotonic regression after shifting by the distances).

    >>> least_squares_positions([0.0, 0.0], [1.0, 1.0], [10.0])
    [-5.0, 5.0]
    """
    shifts = [0.0]
    for distance in distances:
        shifts.append(shifts[-1] + distance)
    pools: list[tuple[float, float, int]] = []  # mean, weight, number of cells
    for target, weight, shift in zip(targets, weights, shifts, strict=True):
        mean, total, size = target - shift, weight, 1
        while pools and pools[-1][0] >= mean:
            other, other_weight, other_size = pools.pop()
            mean = (mean * total + other * other_weight) / (total + other_weight)
            total += other_weight
            size += other_size
        pools.append((mean, total, size))
    means = [mean for mean, _, size in pools for _ in range(size)]
    return [mean + shift for mean, shift in zip(means, shifts, strict=True)]


def _distance(grid: Grid, heights: Sequence[float], gap: float, above: int, below: int) -> float:
    between = gap if above < grid.boxes and below < grid.boxes else gap / 2
    return (heights[above] + heights[below]) / 2 + between


def _centre(column: Sequence[int], distances: Sequence[float], middles: list[float]) -> None:
    middle = -sum(distances) / 2
    for cell, step in zip(column, [*distances, 0.0], strict=True):
        middles[cell] = middle
        middle += step


_Neighbour = tuple[int, float, float]
"""A neighbour of a cell: its number, the offset from its middle at which the cell's middle makes the line horizontal,
and the weight of the line."""


def _depths(grid: Grid) -> list[int]:
    """Return the length of the longest path to each cell, which is less than its column if the cell was moved right."""
    depths = [0] * len(grid.before)
    for column in grid.columns:
        for cell in column:
            depths[cell] = max((depths[tail] + 1 for tail in grid.before[cell]), default=0)
    return depths


def _neighbours(grid: Grid, ports: Sequence[Sequence[float]]) -> tuple[list[list[_Neighbour]], list[list[_Neighbour]]]:
    """Return the neighbours of each cell on the left and on the right."""
    left: list[list[_Neighbour]] = [[] for _ in grid.before]
    right: list[list[_Neighbour]] = [[] for _ in grid.before]
    depths = _depths(grid)
    for head, tails in enumerate(grid.before):
        for tail, port in zip(tails, ports[head], strict=True):
            weight = _STRAIGHTNESS[(tail >= grid.boxes) + (head >= grid.boxes)]
            uses = len(grid.after[tail])
            if uses == len(tails) == 1:
                weight = max(weight, _ONLY_LINE)
            if depths[tail] + 1 < depths[head]:
                weight *= _SHORT_BRANCH
            weight /= uses  # a box goes beside inputs that it alone uses, rather than beside shared ones
            left[head].append((tail, -port, weight))
            right[tail].append((head, port, weight))
    return left, right


def _relax(
    column: Sequence[int], distances: Sequence[float], sides: Sequence[list[list[_Neighbour]]], middles: list[float]
) -> None:
    """Move the cells of a column towards the weighted means of their neighbours, as far as the distances allow."""
    targets, weights = [], []
    for cell in column:
        weighted = total = 0.0
        for side in sides:
            for other, offset, weight in side[cell]:
                weighted += weight * (middles[other] + offset)
                total += weight
        targets.append(weighted / total if total else middles[cell])
        weights.append(total or 0.01)
    for cell, middle in zip(column, least_squares_positions(targets, weights, distances), strict=True):
        middles[cell] = middle

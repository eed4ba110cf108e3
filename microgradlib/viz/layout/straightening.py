"""Straighten lines after everything has its place: lanes move within their slack, and ends of lines by a few pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from microgradlib.viz.layout.grid import Grid
from microgradlib.viz.layout.placement import Spacing
from microgradlib.viz.layout.spacing import Across, Edge, free_distance

_PASSES: Final = 2
_NUDGE: Final = 5.0
"""The end of a line moves along the side of its box by at most so many pixels, if that makes the line straight."""
_MARGIN: Final = 8.0
"""Pixels between the end of a side and the nearest line."""
_EQUAL: Final = 1e-6


def straighten(grid: Grid, across: Across, spacing: Spacing, edges: Sequence[Edge], pitches: Sequence[float]) -> None:
    """Move the lanes of each trunk to as few different places as their slack allows, in place.

    The first lanes go straight on from the tail as far as they can, the last ones straight to the head.

    Args:
        grid: columns in order, ports assigned; ends of lines are changed.
        across: places of cells and frames; lanes are moved.
        spacing: the distances.
        edges: the room that each frame needs.
        pitches: for each box, pixels between two free lines that enter it.

    """
    trunks = _trunks(grid)
    trunks.sort(key=lambda lanes: (-len(lanes), lanes[0]))
    index = {cell: place for column in grid.columns for place, cell in enumerate(column)}
    for _ in range(_PASSES):
        for lanes in trunks:
            slack = [_slack(grid, across, spacing, edges, (lane, index[lane])) for lane in lanes]
            places = _fewest_places(slack, *_ends(grid, across, lanes), [across.middles[lane] for lane in lanes])
            for lane, place in zip(lanes, places, strict=True):
                across.middles[lane] = place
    _nudge(grid, across, pitches)


def _trunks(grid: Grid) -> list[list[int]]:
    """Return the lanes of each trunk, from its tail on."""
    trunks: dict[tuple[int, object], dict[int, None]] = {}
    for path, last in zip(grid.paths, grid.last, strict=True):
        if len(path) > 2:
            trunks.setdefault((path[0], grid.links[last].trunk), {}).update(dict.fromkeys(path[1:-1]))
    return [sorted(lanes, key=grid.column_of.__getitem__) for lanes in trunks.values()]


def _ends(grid: Grid, across: Across, lanes: Sequence[int]) -> tuple[float, float]:
    """Return the places at which the trunk leaves its tail, and at which it would be straight into its last heads."""
    first = grid.links[grid.before[lanes[0]][0]]
    heads = [grid.links[number] for number in grid.after[lanes[-1]]]
    wishes = sorted(across.middles[link.head] + link.enters for link in heads)
    return across.middles[first.tail] + first.leaves, wishes[len(wishes) // 2]


def _slack(
    grid: Grid, across: Across, spacing: Spacing, edges: Sequence[Edge], lane_and_index: tuple[int, int]
) -> tuple[float, float]:
    """Return the first and the last place where a lane can be, between its neighbours and within its frames."""
    lane, index = lane_and_index
    frames = grid.frames_of[lane]
    column = grid.columns[grid.column_of[lane]]
    half = grid.breadths[lane] / 2
    low, high = half, across.breadth - half
    if frames:
        if any(edges[frame].title and grid.span[frame][0] == grid.column_of[lane] for frame in frames):
            return across.middles[lane], across.middles[lane]  # the title's room depends on it
        low = across.begins[frames[-1]] + edges[frames[-1]].before + half
        high = across.ends[frames[-1]] - edges[frames[-1]].behind - half
    if index:
        low = max(low, _edge(grid, across, spacing, edges, (lane, column[index - 1]), side=1) + half)
    if index + 1 < len(column):
        high = min(high, _edge(grid, across, spacing, edges, (lane, column[index + 1]), side=-1) - half)
    return (low, high) if low <= high else (across.middles[lane], across.middles[lane])


def _edge(
    grid: Grid,
    across: Across,
    spacing: Spacing,
    edges: Sequence[Edge],
    lane_and_other: tuple[int, int],
    *,
    side: int,
) -> float:
    """Return how near a lane may come to a neighbour, or to the outermost frame around that but not around the lane."""
    lane, other = lane_and_other
    for depth, frame in enumerate(grid.frames_of[other]):
        if grid.frames_of[lane][depth : depth + 1] != (frame,):
            if side > 0:
                return across.ends[frame] + edges[frame].sheets + spacing.frame
            return across.begins[frame] - spacing.frame
    distance = grid.breadths[other] / 2 + free_distance(grid, spacing, lane, other)
    return across.middles[other] + side * distance


def _fewest_places(
    slack: Sequence[tuple[float, float]], tail: float, head: float, present: Sequence[float]
) -> list[float]:
    """Return places within the slack: the tail's for the first lanes, the head's for the last, few for the others.

    >>> _fewest_places([(0.0, 9.0), (0.0, 9.0), (5.0, 9.0)], 3.0, 7.0, [1.0, 2.0, 6.0])
    [3.0, 3.0, 7.0]
    """
    count = len(slack)
    first = 0
    while first < count and slack[first][0] - _EQUAL <= tail <= slack[first][1] + _EQUAL:
        first += 1
    last = count
    while last > first and slack[last - 1][0] - _EQUAL <= head <= slack[last - 1][1] + _EQUAL:
        last -= 1
    places = [tail] * first
    while len(places) < last:
        start = end = len(places)
        low, high = slack[start]
        while end < last and max(low, slack[end][0]) <= min(high, slack[end][1]):
            low, high = max(low, slack[end][0]), min(high, slack[end][1])
            end += 1
        wish = sorted(present[start:end])[(end - start) // 2]
        places += [max(low, min(wish, high))] * (end - start)
    return places + [head] * (count - last)


def _nudge(grid: Grid, across: Across, pitches: Sequence[float]) -> None:
    """Shift the free ends of all lines into a box together, so that one of them that is nearly straight becomes so."""
    for box in range(grid.boxes):
        links = [grid.links[number] for number in grid.before[box]]
        if not links or not all(link.free_entry for link in links):
            continue
        off = [across.middles[link.tail] + link.leaves - across.middles[box] - link.enters for link in links]
        step = min(off, key=abs)
        half = grid.breadths[box] / 2 - max(_MARGIN, pitches[box] / 2)
        if _EQUAL < abs(step) <= _NUDGE and all(abs(link.enters + step) <= half for link in links):
            for link in links:
                link.enters += step

"""Keep lines out of foreign frames: what is joined by lines beside a frame stays on one side of it.

A line passes through a frame that neither of its ends belongs to only where it changes from one side to the other
between two columns that the frame spans. So the cells that such lines join form one cluster for that frame, and a
cluster stands above the frame or below it as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from microgradlib.viz.layout.grid import Grid

_MOST: Final = 20_000
"""Larger diagrams are ordered without this rule, to bound the time."""


class Crossing(NamedTuple):
    """A link that would cross a frame if its ends stood on different sides of it."""

    link: int
    frame: int


class Sides(NamedTuple):
    """For each cell, the frames that it must stay below, and those that it must stay above."""

    below: Sequence[Sequence[int]]
    above: Sequence[Sequence[int]]

    def bounded(self, cell: int, wish: float, keys: Sequence[float]) -> float:
        """Return the place nearest to `wish` at which the cell is on the right side of all frames, if there is one."""
        if not self.below:
            return wish
        low = max([keys[frame] for frame in self.below[cell]], default=-1.0)
        high = min([keys[frame] for frame in self.above[cell]], default=2.0)
        if low >= high:
            return wish
        if wish <= low:
            return low + min(1e-6, (high - low) / 4)
        if wish >= high:
            return high - min(1e-6, (high - low) / 4)
        return wish


def foreign_crossings(grid: Grid) -> tuple[Crossing, ...]:
    """Return the links that could cross a frame, with the frame; frames within such a frame are left out."""
    if not grid.parent:
        return ()
    spanning: list[list[int]] = [[] for _ in grid.columns]  # frames that span a column and the next
    for frame, (low, high) in enumerate(grid.span):
        for column in range(low, high):
            spanning[column].append(frame)
    found = []
    for number, link in enumerate(grid.links):
        near = {*grid.frames_of[link.tail], *grid.frames_of[link.head]}
        for frame in spanning[grid.column_of[link.tail]]:
            parent = grid.parent[frame]
            if frame not in near and (parent < 0 or parent in near):
                found.append(Crossing(number, frame))
        if len(found) > _MOST:
            return ()
    return tuple(found)


class Cluster(NamedTuple):
    """Cells that lines join beside a frame: those that stand next to it, and those within other frames, or outside."""

    frame: int
    direct: Sequence[int]
    fixed: Sequence[int]


def clusters_of(grid: Grid, foreign: Sequence[Crossing]) -> list[Cluster]:
    """Return the clusters of all frames."""
    by_frame: dict[int, list[int]] = {}
    for crossing in foreign:
        by_frame.setdefault(crossing.frame, []).append(crossing.link)
    clusters = []
    for frame, links in by_frame.items():
        for cells in _joined(grid, links):
            direct = [cell for cell in cells if _level(grid, cell) == grid.parent[frame]]
            fixed = [cell for cell in cells if _level(grid, cell) != grid.parent[frame]]
            clusters.append(Cluster(frame, direct, fixed))
    return clusters


def sides_of(grid: Grid, clusters: Sequence[Cluster], place: Sequence[float], keys: Sequence[float]) -> Sides:
    """Choose the side of each cluster: that of the frames in it, else the one where the mean of its cells stands."""
    below: list[list[int]] = [[] for _ in place]
    above: list[list[int]] = [[] for _ in place]
    for frame, direct, fixed in clusters:
        votes = [_stands_at(grid, cell, frame, place, keys) - keys[frame] for cell in fixed or direct]
        side = above if sum(votes) < 0 else below
        for cell in direct:
            side[cell].append(frame)
    return Sides(below, above)


def _joined(grid: Grid, links: Sequence[int]) -> list[list[int]]:
    """Return the sets of cells that the links join, each in ascending order."""
    root: dict[int, int] = {}

    def find(cell: int) -> int:
        root.setdefault(cell, cell)
        while root[cell] != cell:
            root[cell] = root[root[cell]]
            cell = root[cell]
        return cell

    for number in links:
        one, other = find(grid.links[number].tail), find(grid.links[number].head)
        root[max(one, other)] = min(one, other)
    clusters: dict[int, list[int]] = {}
    for cell in sorted(root):
        clusters.setdefault(find(cell), []).append(cell)
    return list(clusters.values())


def _level(grid: Grid, cell: int) -> int:
    """Return the innermost frame around a cell, or −1."""
    frames = grid.frames_of[cell]
    return frames[-1] if frames else -1


def _stands_at(grid: Grid, cell: int, frame: int, place: Sequence[float], keys: Sequence[float]) -> float:
    """Return where a cell, or the frame around it that stands beside `frame`, is in the order of its column."""
    for around in grid.frames_of[cell]:
        if grid.parent[around] == grid.parent[frame]:
            return keys[around]
    return place[cell]

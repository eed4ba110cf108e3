"""Places across, frame by frame: inner frames first; each then moves as one block, so that equal frames look alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

from microgradlib.viz.layout.grid import Grid
from microgradlib.viz.layout.placement import Spacing
from microgradlib.viz.layout.ports import path_lengths
from microgradlib.viz.layout.separation import Pull, place_things

_STRAIGHTNESS: Final = (1.0, 3.0, 8.0)
"""Weights that keep lines straight: between two boxes, a box and a lane, two lanes (Gansner et al. 1993)."""
_SHORT_BRANCH: Final = 1e-4
"""Factor on the weight of a line from a shorter branch into a box with two: the longest path stays straight."""
_ONLY_LINE: Final = 4.0
"""The least weight of a line that is the only one out of its tail and the only one into its head."""
_BESIDE_TITLE: Final = 8.0
"""Pixels between a title and the nearest line through its bar."""


class Edge(NamedTuple):
    """What a frame needs across: room before and behind its contents, room for sheets behind it, and for its title.

    The title counts only where it stands across, in a drawing that goes down.
    """

    before: float
    behind: float
    sheets: float = 0.0
    title: float = 0.0


@dataclass(frozen=True)
class Across:
    """The middle of each cell, the beginning and the end of each frame, and the breadth of the drawing."""

    middles: list[float]
    begins: list[float]
    ends: list[float]
    breadth: float


def free_distance(grid: Grid, spacing: Spacing, above: int, below: int) -> float:
    """Return the least free space between two neighbours of a column; −1 stands for a frame."""
    kinds = {_slimness(grid, above), _slimness(grid, below)}
    if 2 in kinds:
        return 0.0
    if 1 in kinds:
        return spacing.frame if -1 in {above, below} else spacing.lane
    return spacing.gap


def _slimness(grid: Grid, cell: int) -> int:
    return 0 if cell < grid.boxes else 1 if grid.is_lane(cell) else 2


def place_across(grid: Grid, spacing: Spacing, edges: Sequence[Edge]) -> Across:
    """Return the places across of all cells and frames.

    Args:
        grid: columns in order, ports assigned.
        spacing: the distances.
        edges: for each frame, the room that it needs.

    """
    solver = _Solver(grid, spacing, edges)
    inner_first = sorted(range(len(edges)), key=lambda frame: (-len(grid.around[frame]), frame))
    for frame in inner_first:
        solver.solve(frame)
    breadth = solver.solve(-1)
    begins, ends = [0.0] * len(edges), [0.0] * len(edges)
    for frame in reversed(inner_first):
        if solver.members[frame]:
            middle = sum([solver.rest[solver.cells + outer] for outer in grid.around[frame]])
            size = solver.size[solver.cells + frame]
            begins[frame], ends[frame] = middle - size / 2, middle + size / 2 - edges[frame].sheets
    return Across(solver.shift, begins, ends, breadth)


class _Solver:
    """Solves level after level; a level is a frame, or −1 for the outside.

    The things of a level are cells, by number, and frames, by the number of cells + the frame.
    """

    def __init__(self, grid: Grid, spacing: Spacing, edges: Sequence[Edge]) -> None:
        self.grid, self.spacing, self.edges = grid, spacing, edges
        self.cells = len(grid.breadths)
        self.shift = [0.0] * self.cells  # of a cell, from the middle of the outermost frame solved so far
        self.size = [*grid.breadths, *(0.0 for _ in edges)]
        self.rest: dict[int, float] = {}  # the middle of each thing, from the middle of the frame around it
        self.members: list[list[int]] = [[] for _ in edges]
        for cell, frames in enumerate(grid.frames_of):
            for frame in frames:
                self.members[frame].append(cell)
        self.chains = _chains(grid)
        self.links = _links_by_level(grid)
        self.depths = path_lengths(grid)

    def solve(self, level: int) -> float:
        """Place the things of a level whose frames are all solved; return its breadth."""
        chains = self.chains.get(level, [])
        things = sorted({thing for chain in chains for thing in chain})
        if not things:
            return 0.0
        pulls = self._pulls(level, things)
        place = place_things(chains, self._gap, pulls)
        begin = min([place[thing] - self.size[thing] / 2 for thing in things])
        end = max([place[thing] + self.size[thing] / 2 for thing in things])
        middle = begin
        if level >= 0:
            edge = self.edges[level]
            begin, end = begin - edge.before, end + edge.behind
            begin -= self._missing_for_title(level, place, begin, end)
            end += edge.sheets
            middle = (begin + end) / 2
            self.size[self.cells + level] = end - begin
        for thing in things:
            self.rest[thing] = place[thing] - middle
            for cell in self.members[thing - self.cells] if thing >= self.cells else (thing,):
                self.shift[cell] += self.rest[thing]
        return end - begin

    def _gap(self, above: int, below: int) -> float:
        one, other = (-1 if thing >= self.cells else thing for thing in (above, below))
        return (self.size[above] + self.size[below]) / 2 + free_distance(self.grid, self.spacing, one, other)

    def _pulls(self, level: int, things: Sequence[int]) -> dict[int, list[Pull]]:
        grid, depths = self.grid, self.depths
        pulls: dict[int, list[Pull]] = {thing: [] for thing in things}
        for number, tail, head in self.links.get(level, ()):
            link = grid.links[number]
            weight = _STRAIGHTNESS[(link.tail >= grid.boxes) + (link.head >= grid.boxes)]
            uses = len(grid.after[link.tail])
            if uses == len(grid.before[link.head]) == 1:
                weight = max(weight, _ONLY_LINE)
            weight /= uses**0.5  # a box goes beside inputs that it alone uses, rather than beside shared ones
            short = depths[link.tail] + (link.tail < grid.boxes) < depths[link.head]
            if short and len(grid.before[link.head]) == 2:
                weight *= _SHORT_BRANCH
            offset = self.shift[link.tail] + link.leaves - self.shift[link.head] - link.enters
            pulls[head].append(Pull(tail, offset, weight, before=True))
            pulls[tail].append(Pull(head, -offset, weight, before=False))
        return pulls

    def _missing_for_title(self, level: int, place: Mapping[int, float], begin: float, end: float) -> float:
        """Return how much earlier a frame must begin so that its title stands where no line enters through its bar."""
        title = self.edges[level].title
        if not title:
            return 0.0
        grid = self.grid
        depth = len(grid.around[level])
        lines = []
        for cell in self.members[level]:
            if grid.column_of[cell] == grid.span[level][0]:
                frames = grid.frames_of[cell]
                thing = self.cells + frames[depth] if len(frames) > depth else cell
                lines += [place[thing] + self.shift[cell] + grid.links[i].enters for i in grid.before[cell]]
        need = title + 2 * _BESIDE_TITLE
        stops = [begin, *sorted(lines), end]
        if any(behind - ahead >= need for ahead, behind in pairwise(stops)):
            return 0.0
        return need - (stops[1] - begin)


def _chains(grid: Grid) -> dict[int, list[list[int]]]:
    """Return for each level what stands in each column, in order."""
    cells = len(grid.breadths)
    chains: dict[int, list[list[int]]] = {}
    for column in grid.columns:
        here: dict[int, list[int]] = {}
        for cell in column:
            level = -1
            for frame in grid.frames_of[cell]:
                chain = here.setdefault(level, [])
                if not chain or chain[-1] != cells + frame:
                    chain.append(cells + frame)
                level = frame
            here.setdefault(level, []).append(cell)
        for level, chain in here.items():
            chains.setdefault(level, []).append(chain)
    return chains


def _links_by_level(grid: Grid) -> dict[int, list[tuple[int, int, int]]]:
    """Return the links of each level: their numbers, and the two things that they join there."""
    cells = len(grid.breadths)
    levels: dict[int, list[tuple[int, int, int]]] = {}
    for number, link in enumerate(grid.links):
        one, other = grid.frames_of[link.tail], grid.frames_of[link.head]
        k = 0
        while k < min(len(one), len(other)) and one[k] == other[k]:
            k += 1
        tail = cells + one[k] if k < len(one) else link.tail
        head = cells + other[k] if k < len(other) else link.head
        levels.setdefault(one[k - 1] if k else -1, []).append((number, tail, head))
    return levels

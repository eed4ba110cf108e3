"""The columns of a grid while they are being ordered: places, keys of frames, sweeps, and what an order costs."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Final

from microgradlib.viz.layout.crossings import crossings_after, shift
from microgradlib.viz.layout.grid import Grid
from microgradlib.viz.layout.sides import Cluster, Crossing, Sides, clusters_of, foreign_crossings, sides_of

DISORDER: Final = 1.5
"""The cost of two equal boxes out of their own order."""
_FRAME_DISORDER: Final = 5.0
_FOREIGN: Final = 20.0
_STAIR: Final = 8.0
"""The cost of each frame in a row of frames, each below the one before, that need not be so long."""
_FREE_STAIRS: Final = 5
"""So many frames may stand one below the other, beginning each where the one before has begun, as time steps do."""


@dataclass(frozen=True)
class Found:
    """An order of all columns, the keys of the frames, and its cost."""

    columns: tuple[tuple[int, ...], ...]
    keys: tuple[float, ...]
    cost: float


@dataclass
class OrderState:
    """The columns of a grid while they are being ordered; `place` of a cell is its place in its column, in 0..1."""

    grid: Grid
    kin: Sequence[Hashable | None]
    place: list[float] = field(init=False)
    index: list[int] = field(init=False)
    keys: list[float] = field(init=False)
    outer: list[list[int]] = field(init=False)  # for each frame, its links to cells outside it
    members: list[list[int]] = field(init=False)
    neighbours: list[tuple[int, int]] = field(init=False)  # frames of one frame that stand in one column, in order
    most_abreast: int = field(init=False)  # frames of one frame in one column
    foreign: tuple[Crossing, ...] = field(init=False)
    clusters: list[Cluster] = field(init=False)
    sides: Sides = field(init=False)

    def __post_init__(self) -> None:
        grid = self.grid
        self.place = [0.0] * len(grid.breadths)
        self.index = [0] * len(grid.breadths)
        self.keys = [0.0] * len(grid.parent)
        self.members = [[] for _ in grid.parent]
        self.outer = [[] for _ in grid.parent]
        for cell, frames in enumerate(grid.frames_of):
            for frame in frames:
                self.members[frame].append(cell)
        for number, link in enumerate(grid.links):
            for cell, other in ((link.tail, link.head), (link.head, link.tail)):
                for frame in grid.frames_of[cell]:
                    if frame not in grid.frames_of[other]:
                        self.outer[frame].append(number)
        self.neighbours = [
            (one, other)
            for other in range(len(grid.parent))
            for one in range(other)
            if grid.parent[one] == grid.parent[other] and self.overlap(one, other)
        ]
        abreast: dict[tuple[int, int], int] = {}
        for frame, (low, high) in enumerate(grid.span):
            for column in range(low, high + 1):
                abreast[grid.parent[frame], column] = abreast.get((grid.parent[frame], column), 0) + 1
        self.most_abreast = max(abreast.values(), default=0)
        self.foreign = foreign_crossings(grid)
        self.clusters = clusters_of(grid, self.foreign)
        self.sides = Sides((), ())

    def number(self, column: Sequence[int]) -> None:
        """Set the places of a column's cells from their order."""
        for i, cell in enumerate(column):
            self.place[cell] = (i + 0.5) / len(column)
            self.index[cell] = i

    def number_all(self) -> None:
        """Set the places of all cells from the order of their columns."""
        for column in self.grid.columns:
            self.number(column)

    def set_own_keys(self) -> None:
        """Let the frames of each frame stand in their own order."""
        inside: dict[int, list[int]] = {}
        for frame, parent in enumerate(self.grid.parent):
            inside.setdefault(parent, []).append(frame)
        for frames in inside.values():
            for i, frame in enumerate(frames):
                self.keys[frame] = (i + 0.5) / len(frames)
        self.set_sides()

    def set_keys(self, *, outside: bool = False) -> None:
        """Give each frame the mean place of its cells, or of the cells outside that its lines come from or go to."""
        grid, place = self.grid, self.place
        for frame, cells in enumerate(self.members):
            if outside and self.outer[frame]:
                ends = [grid.links[number] for number in self.outer[frame]]
                others = [e.tail if frame not in grid.frames_of[e.tail] else e.head for e in ends]
            else:
                others = cells
            self.keys[frame] = sum([place[cell] for cell in others]) / max(1, len(others))
        self.set_sides()

    def set_sides(self) -> None:
        """Choose the side of each frame on which cells must stay, from the present places."""
        if self.foreign:
            self.sides = sides_of(self.grid, self.clusters, self.place, self.keys)

    def sort(self, column: list[int], wishes: Sequence[float]) -> None:
        """Sort a column by the cells' wishes, each frame in one piece; ties keep the present order."""
        if not self.grid.parent:
            column.sort(key=wishes.__getitem__)
        else:
            frames_of, keys, place = self.grid.frames_of, self.keys, self.place
            bounded = self.sides.bounded
            column.sort(
                key=lambda cell: (
                    *((keys[frame], float(frame)) for frame in frames_of[cell]),
                    (bounded(cell, wishes[cell], keys), 1e6 + place[cell]),
                )
            )
        self.number(column)

    def sort_all(self) -> None:
        """Sort all columns by the present places and the keys of the frames."""
        for column in self.grid.columns:
            self.sort(column, self.place)

    def sweep(self, *, backwards: bool) -> None:
        """Sort every column by the mean places of the neighbours in the column after it, or before it."""
        grid, links = self.grid, self.grid.links
        wishes = list(self.place)
        for column in reversed(grid.columns) if backwards else grid.columns:
            for cell in column:
                near = grid.after[cell] if backwards else grid.before[cell]
                if near:
                    ends = [
                        self._end(links[i].head, links[i].enters)
                        if backwards
                        else self._end(links[i].tail, links[i].leaves)
                        for i in near
                    ]
                    wishes[cell] = sum(ends) / len(ends)
                else:
                    wishes[cell] = self.place[cell]
            self.sort(column, wishes)

    def _end(self, cell: int, offset: float) -> float:
        if not offset:
            return self.place[cell]
        return self.place[cell] + shift(self.grid, cell, offset) / len(self.grid.columns[self.grid.column_of[cell]])

    def cost(self) -> float:
        """Return the cost of the present order."""
        grid = self.grid
        crossed = sum(crossings_after(grid, column, self.index) for column in grid.columns)
        frames = sum([self.keys[one] > self.keys[other] for one, other in self.neighbours])
        stairs = max(0, self.stairs() - max(self.most_abreast, _FREE_STAIRS))
        cost = crossed + DISORDER * self.disorder() + _FRAME_DISORDER * frames
        return cost + _STAIR * stairs + _FOREIGN * self.count_foreign()

    def stairs(self) -> int:
        """Return the length of the longest row of frames each of which must stand below the one before."""
        length = [1] * len(self.keys)
        above: dict[int, list[int]] = {}
        for one, other in self.neighbours:
            upper, lower = (one, other) if (self.keys[one], one) < (self.keys[other], other) else (other, one)
            above.setdefault(lower, []).append(upper)
        for frame in sorted(above, key=lambda frame: (self.keys[frame], frame)):
            length[frame] = 1 + max([length[upper] for upper in above[frame]])
        return max(length, default=0)

    def disorder(self) -> int:
        """Count the pairs of equal boxes of one column that stand in another order than their own."""
        count = 0
        for column in self.grid.columns:
            seen: dict[Hashable, list[int]] = {}
            for cell in column:
                key = self.kin[cell] if cell < self.grid.boxes else None
                if key is not None:
                    kin = seen.setdefault(key, [])
                    count += len(kin) - bisect_left(kin, cell)
                    insort(kin, cell)
        return count

    def count_foreign(self) -> int:
        """Count the links that change from one side of a frame to the other while it lasts."""
        if not self.foreign:
            return 0
        tops: dict[tuple[int, int], int] = {}
        for number, column in enumerate(self.grid.columns):
            for place, cell in enumerate(column):
                for frame in self.grid.frames_of[cell]:
                    tops.setdefault((frame, number), place)
        count = 0
        for crossing in self.foreign:
            link = self.grid.links[crossing.link]
            begin = self.grid.column_of[link.tail]
            above = self.index[link.tail] < tops[crossing.frame, begin]
            count += above != (self.index[link.head] < tops[crossing.frame, begin + 1])
        return count

    def snapshot(self) -> Found:
        """Return the present order."""
        return Found(tuple(map(tuple, self.grid.columns)), tuple(self.keys), self.cost())

    def restore(self, found: Found) -> None:
        """Take an order again."""
        self.grid.columns = [list(column) for column in found.columns]
        self.keys = list(found.keys)
        self.number_all()
        self.set_sides()

    def overlap(self, one: int, other: int) -> bool:
        """Whether two frames stand in one column."""
        (low, high), (least, most) = self.grid.span[one], self.grid.span[other]
        return low <= most and least <= high

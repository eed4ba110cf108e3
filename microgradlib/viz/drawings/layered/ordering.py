"""Order the cells of each column so that few lines cross, with frames in one piece and in the same order everywhere.

Barycentre sweeps (Sugiyama, Tagawa and Toda 1981): a cell goes to the mean place of its neighbours in the column
before or after. A frame has one key for all columns, so frames stand in the same order in each. After the sweeps,
neighbours in a column, and neighbouring frames, change places as long as that removes crossings. The best order seen is
kept: crossings count 1, pairs of equal boxes out of their own order 1.5, of neighbouring frames 5, lines through a
foreign frame 20.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Final

from microgradlib.viz.drawings.layered.grid import Grid
from microgradlib.viz.drawings.layered.sides import Crossing, Sides, foreign_crossings, sides_of

_MOST_WORK: Final = 24_000
"""Limit on sweeps times cells: larger diagrams get fewer sweeps, to bound the time."""
_MOST_SWEEPS: Final = 16
_DISORDER: Final = 1.5
_FRAME_DISORDER: Final = 5.0
_FOREIGN: Final = 20.0
_PORT_SPAN: Final = 0.9
"""The part of a cell's place over which the ports of its side are spread, when crossings are counted."""


def order_columns(grid: Grid, kin: Sequence[Hashable | None]) -> None:
    """Order the columns of a grid, in place.

    Args:
        grid: its columns stand in an order to begin with, which ties keep.
        kin: for each box, a key that equal boxes share, such as inputs of one frame; None for boxes without kin.

    >>> from microgradlib.viz.drawings.layered.grid import Line, make_grid
    >>> lines = [Line(0, 5), Line(1, 4), Line(2, 3)]
    >>> grid = make_grid([40.0] * 6, [0, 0, 0, 1, 1, 1], [()] * 6, [], lines)
    >>> order_columns(grid, [None] * 6)
    >>> grid.columns, crossings(grid)
    ([[2, 1, 0], [3, 4, 5]], 0)
    """
    state = _State(grid, kin)
    state.number_all()
    if grid.parent:
        state.set_keys()
        state.sort_all()
    best = state.snapshot()
    sweeps = max(2, min(_MOST_SWEEPS, _MOST_WORK // (len(grid.breadths) + 1)))
    for sweep in range(sweeps):
        if not best.cost:
            break
        state.sweep(backwards=sweep % 2 == 0)
        if grid.parent:
            state.set_keys(outside=sweep % 3 == 2)
            state.sort_all()
        best = min(best, state.snapshot(), key=lambda found: found.cost)
    state.restore(best)
    if best.cost:
        state.exchange_frames()
        state.exchange_cells()


def crossings(grid: Grid) -> int:
    """Count the pairs of links between neighbouring columns that cross.

    Links that end side by side in a free port count as ordered, since ports are chosen so that they do not cross.
    """
    index = [0] * len(grid.breadths)
    for column in grid.columns:
        for place, cell in enumerate(column):
            index[cell] = place
    return sum(_crossings_after(grid, column, index) for column in grid.columns)


def _crossings_after(grid: Grid, column: Sequence[int], index: Sequence[int]) -> int:
    ends = []
    for cell in column:
        for number in grid.after[cell]:
            link = grid.links[number]
            ends.append((index[cell] + _shift(grid, cell, link.leaves), index[link.head] + _entry(grid, number)))
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


def _shift(grid: Grid, cell: int, offset: float) -> float:
    return _PORT_SPAN * offset / grid.breadths[cell] if offset else 0.0


def _entry(grid: Grid, number: int) -> float:
    link = grid.links[number]
    return _shift(grid, link.head, link.enters)


@dataclass(frozen=True)
class _Found:
    """An order of all columns, the keys of the frames, and its cost."""

    columns: tuple[tuple[int, ...], ...]
    keys: tuple[float, ...]
    cost: float


@dataclass
class _State:
    """The columns of a grid while they are being ordered; `place` of a cell is its place in its column, in 0..1."""

    grid: Grid
    kin: Sequence[Hashable | None]
    place: list[float] = field(init=False)
    index: list[int] = field(init=False)
    keys: list[float] = field(init=False)
    outer: list[list[int]] = field(init=False)  # for each frame, its links to cells outside it
    members: list[list[int]] = field(init=False)
    neighbours: list[tuple[int, int]] = field(init=False)  # frames of one frame that stand in one column, in order
    foreign: tuple[Crossing, ...] = field(init=False)
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
            if grid.parent[one] == grid.parent[other] and self._overlap(one, other)
        ]
        self.foreign = foreign_crossings(grid)
        self.sides = Sides((), ())

    # Places and keys

    def number(self, column: Sequence[int]) -> None:
        """Set the places of a column's cells from their order."""
        for i, cell in enumerate(column):
            self.place[cell] = (i + 0.5) / len(column)
            self.index[cell] = i

    def number_all(self) -> None:
        for column in self.grid.columns:
            self.number(column)

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
            self.sides = sides_of(self.grid, self.foreign, self.place, self.keys)

    # Sorting

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
        shift = _shift(self.grid, cell, offset)
        return self.place[cell] + (shift / len(self.grid.columns[self.grid.column_of[cell]]) if shift else 0.0)

    # Costs

    def cost(self) -> float:
        grid = self.grid
        crossed = sum(_crossings_after(grid, column, self.index) for column in grid.columns)
        frames = sum([self.keys[one] > self.keys[other] for one, other in self.neighbours])
        return crossed + _DISORDER * self.disorder() + _FRAME_DISORDER * frames + _FOREIGN * self.count_foreign()

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
            column = self.grid.column_of[link.tail]
            above = self.index[link.tail] < tops[crossing.frame, column]
            count += above != (self.index[link.head] < tops[crossing.frame, column + 1])
        return count

    def snapshot(self) -> _Found:
        return _Found(tuple(map(tuple, self.grid.columns)), tuple(self.keys), self.cost())

    def restore(self, found: _Found) -> None:
        self.grid.columns = [list(column) for column in found.columns]
        self.keys = list(found.keys)
        self.number_all()
        self.set_sides()

    # Exchanges

    def exchange_frames(self) -> None:
        """Exchange neighbouring frames of one frame where that makes the order better."""
        grid = self.grid
        inside: dict[int, list[int]] = {}
        for frame, parent in enumerate(grid.parent):
            inside.setdefault(parent, []).append(frame)
        budget = _MOST_WORK // (len(grid.breadths) + 1)
        best = self.snapshot()
        for frames in inside.values():
            frames.sort(key=lambda frame: (self.keys[frame], frame))
            for i in range(len(frames) - 1):
                budget -= 1
                if budget < 0 or not best.cost:
                    self.restore(best)
                    return
                one, other = frames[i], frames[i + 1]
                if not self._overlap(one, other):
                    continue
                self.keys[one], self.keys[other] = self.keys[other], self.keys[one]
                if self.keys[one] == self.keys[other]:
                    self.keys[one] += 1e-9
                self.set_sides()
                self.sort_all()
                found = self.snapshot()
                if found.cost < best.cost:
                    best = found
                    frames[i], frames[i + 1] = other, one
                self.restore(best)

    def _overlap(self, one: int, other: int) -> bool:
        (low, high), (least, most) = self.grid.span[one], self.grid.span[other]
        return low <= most and least <= high

    def exchange_cells(self) -> None:
        """Exchange neighbouring cells of one frame as long as that removes crossings or puts kin in order."""
        grid = self.grid
        rounds = max(1, min(8, _MOST_WORK // (len(grid.breadths) + 1)))
        for _ in range(rounds):
            changed = False
            for column in grid.columns:
                for i in range(len(column) - 1):
                    one, other = column[i], column[i + 1]
                    if grid.frames_of[one] == grid.frames_of[other] and self._gain(one, other) > 0:
                        column[i], column[i + 1] = other, one
                        self.index[one], self.index[other] = i + 1, i
                        changed = True
            if not changed:
                break
        self.number_all()

    def _gain(self, one: int, other: int) -> float:
        """Return by how much the cost falls if `other`, now right below `one`, is put above it."""
        grid = self.grid
        gain = 0.0
        for links, before in ((grid.before, True), (grid.after, False)):
            if links[one] and links[other]:
                above = sorted(self._far_end(i, before=before) for i in links[one])
                below = sorted(self._far_end(i, before=before) for i in links[other])
                gain += _pairs(above, below) - _pairs(below, above)
        if max(one, other) < grid.boxes and self.kin[one] is not None and self.kin[one] == self.kin[other]:
            gain += _DISORDER if one > other else -_DISORDER
        return gain

    def _far_end(self, number: int, *, before: bool) -> float:
        link = self.grid.links[number]
        if before:
            return self.index[link.tail] + _shift(self.grid, link.tail, link.leaves)
        return self.index[link.head] + _shift(self.grid, link.head, link.enters)


def _pairs(above: Sequence[float], below: Sequence[float]) -> int:
    """Count the pairs that cross: ends of the upper cell that lie below ends of the lower one; both are sorted."""
    return sum(len(above) - bisect_right(above, end) for end in below)

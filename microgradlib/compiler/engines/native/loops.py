"""Loop nests over the entries of views, a vector of them at a time, for blocks of examples and for a single one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from microgradlib.compiler.engines.native.kernel import LANE_SUMS, Layout
from microgradlib.compiler.instructions import BATCHED
from microgradlib.compiler.llvm.ir import Function, Number, Real

__all__ = ["Place", "View", "nest"]


class View(NamedTuple):
    """Entries of a space, from the row in the argument `start` on: entry (i, j, …) is i·steps[0] + j·steps[1] … on.

    One that is `kept` is loaded before the loops in which it does not change: nothing in the nest may write there. Of a
    `table`, the entries are rows, and it starts at that place of the tables.
    """

    space: int
    start: str
    steps: tuple[int, ...]
    kept: bool = False
    table: bool = False


@dataclass
class Place:
    """Where a view is at one position of a nest: a number for each lane of a vector, or if `is_alike` one for all.

    In a table, `rows` are a space's pointer and how many numbers a row has: there are its numbers.
    """

    f: Function
    real: Real
    pointer: str
    is_alike: bool
    rows: tuple[str, int | str] | None = None
    kept: Number | None = None
    """What stands there, if it was loaded for all positions to come."""

    def load(self, offset: int | str = 0) -> Number:
        """Return what stands so many numbers behind it; of a table, the numbers in its rows."""
        f, real, vector = self.f, self.real, "poison"
        if self.kept is not None:
            return self.kept
        if self.rows is None:
            return (f.broadcast if self.is_alike else f.load)(real, f.address(real, self.pointer, offset))
        if self.is_alike:
            return self.found().load()
        for lane in range(real.lanes):
            number = f.load(real.one, self.found(lane).pointer)
            vector = f.emit(f"insertelement {real.text} {vector}, {real.scalar} {number.name}, i64 {lane}")
        return Number(f, real, vector)

    def store(self, number: Number, offset: int | str = 0) -> None:
        """Write so many numbers behind it."""
        self.f.store(number, self.f.address(self.real, self.pointer, offset))

    def moved(self, offset: int | str) -> Place:
        """Return the place so many numbers, or entries of the table, behind it."""
        if offset == 0:
            return self
        unit = self.real if self.rows is None else Real("i32", 1)
        return replace(self, pointer=self.f.address(unit, self.pointer, offset))

    def found(self, lane: int = 0) -> Place:
        """Return the place where the numbers are: of a table, that of the row, or of the row of a lane."""
        if self.rows is None:
            return self
        pointer, unit = self.rows
        row = self.f.address(self.real, pointer, self.f.mul(self.f.integer(self.pointer, lane), unit))
        return Place(self.f, self.real, row, self.is_alike)


Stores = Sequence[tuple[Place, Number]]
Body = Callable[[Real, list[Place]], Stores]
"""Emits the code of one position, with the type of its numbers and the place of each view; returns what is stored."""

Axis = tuple[int, tuple[int, ...]]
"""A size, and the step of each view in rows."""


def nest(f: Function, layout: Layout, sizes: Sequence[int], views: Sequence[View], body: Body) -> None:
    """Emit loops over all entries of views with axes of these sizes, in an order of the nest's own.

    Vectors lie along the examples of a block, and along an axis too that is contiguous with them; without a batch axis
    along one that is contiguous in the first view, and in each of the others or not changing. What is left over behind
    the last whole vector is computed in a vector that overlaps it: first, but stored last. So results may be exactly
    what is read.
    """
    axes = [(size, tuple(own)) for size, *own in zip(sizes, *[view.steps for view in views])]
    axes = _collapsed(sorted(axes, key=lambda axis: -abs(axis[1][0])))
    has_batch = not layout.is_single and any(view.space == BATCHED for view in views)
    along: Axis = (1, tuple([int(has_batch and view.space == BATCHED) for view in views]))
    if has_batch:
        if axes and axes[-1][1] == along[1] and not any(view.table for view in views):
            along = axes.pop()
    elif even := [axis for axis in axes if axis[1][0] == 1 and {0, 1}.issuperset(axis[1])]:
        along = max(even)
        axes.remove(along)
    lanes = layout.real.lanes if has_batch else min(layout.real.lanes, 1 << (along[0].bit_length() - 1))
    _Nest(f, layout, views, body, axes, along, Real(layout.real.scalar, lanes), has_batch).emit()


def _collapsed(axes: Sequence[Axis]) -> list[Axis]:
    """Return axes without those of size 1, neighbours that lie evenly in all views as one.

    >>> _collapsed([(2, (3, 0)), (3, (1, 0)), (1, (9, 9))]), _collapsed([(2, (3, 1)), (3, (1, 2))])
    ([(6, (1, 0))], [(2, (3, 1)), (3, (1, 2))])
    """
    found: list[Axis] = []
    for size, steps in axes:
        if found and all(outer == size * inner for outer, inner in zip(found[-1][1], steps)):
            found.append((found.pop()[0] * size, steps))
        elif size > 1:
            found.append((size, steps))
    return found


class _Nest(NamedTuple):
    """A nest with its loops, the outermost first, and the axis `along` which vectors lie."""

    f: Function
    layout: Layout
    views: Sequence[View]
    body: Body
    axes: list[Axis]
    along: Axis
    real: Real
    has_batch: bool

    def emit(self) -> None:
        """Write everything."""
        f, places, units = self.f, list[Place](), list[int | str]()
        for view, moves in zip(self.views, self.along[1]):
            rows, is_alike = self.layout.rows(view.space), not moves and view.space != LANE_SUMS
            pointer, unit = ("%t", 1) if view.table else rows
            place = Place(f, self.real, pointer, is_alike, rows if view.table else None)
            places.append(place.moved(f.mul(view.start, unit)))
            units.append(unit)
        known = {
            key: f.mul(*key) for key in dict.fromkeys([key for _, steps in self.axes for key in zip(steps, units)])
        }
        self._level([(size, [known[key] for key in zip(steps, units)]) for size, steps in self.axes], places)

    def _level(self, levels: list[tuple[int, list[int | str]]], places: list[Place]) -> None:
        """Write the loops from some level on, each with how many numbers it moves each place."""
        for k, (view, place) in enumerate(zip(self.views, places)):
            if view.kept and place.is_alike and all(strides[k] == 0 for _, strides in levels):
                place.kept = place.load()
        if not levels:
            self._innermost(places)
            return
        (size, strides), *inner = levels
        with self.f.turns(size) as index:
            self._level(inner, [place.moved(self.f.mul(index, stride)) for place, stride in zip(places, strides)])

    def _innermost(self, places: list[Place]) -> None:
        """Write the loop over vectors."""
        size, lanes, rest = self.along[0], self.real.lanes, list[tuple[Place, Number]]()
        if self.has_batch:
            places, end = [place.found() for place in places], self.f.mul(size, "%B")
        else:
            rest, end = list(self._at(places, size - lanes)) if size % lanes else [], size - size % lanes
        with self.f.turns(end, lanes) as index:
            for place, number in self._at(places, index):
                place.store(number)
        for place, number in rest:
            place.store(number)

    def _at(self, places: list[Place], index: int | str) -> Stores:
        moved = [place.moved(index) if moves else place for place, moves in zip(places, self.along[1])]
        return self.body(self.real, moved)

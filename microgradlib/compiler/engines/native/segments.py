"""Segments as native code: loops over segments, over vectors of examples, and over the entries of a segment."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from functools import reduce
from typing import Any

from microgradlib.compiler.engines.native.elementwise import number_of
from microgradlib.compiler.engines.native.kernel import Kernel, Layout, kernel_function
from microgradlib.compiler.instructions import BATCHED
from microgradlib.compiler.llvm.closed import closed_at_minus_zero
from microgradlib.compiler.llvm.functions import FUNCTIONS
from microgradlib.compiler.llvm.ir import Number
from microgradlib.compiler.llvm.polynomials import with_inverse
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.planning.segments import Place, SegmentLink, Segments, side_by_side

__all__ = ["segments_kernel"]

JOINED: dict[str, tuple[Any, float]] = {
    "maximum": (FUNCTIONS.maximum, -math.inf),
    "minimum": (FUNCTIONS.minimum, math.inf),
}
SUM: tuple[Any, float] = operator.add, -0.0
"""What joins a total and an entry, and the total of none: −0 + x is x, for −0 too."""


def segments_kernel(segments: Segments, layout: Layout) -> Kernel:
    """Return the kernel of steps that are computed segment by segment.

    What is the same for all entries of a segment is in registers, with its inverse: so a segment that is divided by its
    total needs one division. What an entry has is stored where a later loop, or a later step, reads it.
    """
    links = segments.links
    places = list(dict.fromkeys([place for link in links for place in (*link.operands, link.results)]))
    starts = [place.rows(segments.bounds) if place.key.table else place.key.start for place in places]
    writer = _Writer(segments, layout, places)
    return Kernel(writer.f, (*starts, numpy().array(writer.firsts, "int32")))


class _Writer:
    """The function under construction, and the numbers that are known of each of the segments that are side by side."""

    def __init__(self, segments: Segments, layout: Layout, places: Sequence[Place]) -> None:
        self.f, self.layout, self.real = kernel_function(len(places) + 1), layout, layout.real
        self.links, self.starts = segments.links, {place: f"%a{k}" for k, place in enumerate(places)}
        f, (size, self.firsts) = self.f, side_by_side(numpy().diff(segments.bounds).tolist())
        with f.turns(len(self.firsts) - 1) as group, f.turns("%B", self.real.lanes) as self.example:
            table, index = f.add(f"%a{len(places)}", group), 0
            first, end = [f.integer("%t", f.add(table, ahead)) for ahead in (0, 1)]
            self.count = f.emit(f"sub i64 {end}, {first}")
            self.segments = [f.add(f.mul(group, size), k) for k in range(size)]
            self.entries = [f.add(f.mul(first, size), f.mul(self.count, k)) for k in range(size)]
            self.numbers: list[dict[Place, Number]] = [{} for _ in range(size)]
            while index < len(self.links):
                index = self._write(index)

    def _write(self, index: int) -> int:
        """Write a step on segments, or a loop over entries for as many steps as can be; return the next step."""
        results, end = set[Place](), index
        for link in self.links[index:]:
            is_on_segment = link.results.of_segments and not link.is_total
            if is_on_segment or not results.isdisjoint(link.operands):
                break
            results |= {link.results} if link.is_total else set()
            end += 1
        if end > index:
            self._write_loop(range(index, end))
            return end
        self._load(self.links[index], self.numbers, self.segments)
        self._keep(index, [_computed(self.links[index], numbers) for numbers in self.numbers])
        return index + 1

    def _write_loop(self, steps: range) -> None:
        """Write a loop over the entries; what joins these is known behind it."""
        f, links, last = self.f, self.links, dict[Place, int]()
        for k in steps:
            self._load(links[k], self.numbers, self.segments, of_segments=True)
        joins = {k: JOINED.get(_name(links[k]), SUM) for k in steps if links[k].is_total}
        with f.loop(self.count) as loop:
            totals = {
                k: [loop.carry(f.number(none, self.real)) for _ in self.entries] for k, (_, none) in joins.items()
            }
            entries, numbers = [f.add(first, loop.index) for first in self.entries], list(map(dict, self.numbers))
            for k in steps:
                self._load(links[k], numbers, entries)
                if k in joins:
                    read = [reduce(operator.mul, [own[place] for place in links[k].operands]) for own in numbers]
                    before, totals[k] = totals[k], list(map(joins[k][0], totals[k], read))
                    for total, following in zip(before, totals[k]):
                        loop.update(total, following)
                else:
                    last[links[k].results] = k
                    for own in numbers:
                        own[links[k].results] = _computed(links[k], own)
            for place, k in last.items():
                for own, entry in zip(numbers, entries if k + links[k].flow.reach >= steps.stop else ()):
                    f.store(own[place], self._address(place, entry))
        for k, found in totals.items():
            self._keep(k, list(map(self._mean, found)) if _name(links[k]) == "mean" else found)

    def _mean(self, total: Number) -> Number:
        """Return a total divided by how many entries the segment has."""
        f, one = self.f, self.real.one
        return total / f.splat(Number(f, one, f.emit(f"uitofp i64 {self.count} to {one.scalar}")), self.real)

    def _keep(self, index: int, found: Sequence[Number]) -> None:
        """Keep what segments have, for steps to come; it is stored if later ones read it."""
        place, is_read = self.links[index].results, index + self.links[index].flow.reach >= len(self.links)
        for known, number, segment in zip(self.numbers, found, self.segments):
            known[place] = with_inverse(number)
            if is_read:
                self.f.store(number, self._address(place, segment))

    def _load(self, link: SegmentLink, numbers: Any, at: Sequence[Any], *, of_segments: bool = False) -> None:
        """Load those operands of a step that are not known yet; or only what a segment has for all entries."""
        for place in [place for place in link.operands if place.of_segments or not of_segments]:
            for known, entry in zip(numbers, at if place not in numbers[0] else ()):
                load = self.f.load if place.key.space == BATCHED else self.f.broadcast
                number = load(self.real, self._address(place, entry))
                known[place] = with_inverse(number) if place.of_segments else number

    def _address(self, place: Place, at: Any) -> str:
        """Return the address of what an entry, or a segment, has in a place."""
        f, key = self.f, place.key
        pointer, unit = self.layout.rows(key.space)
        start, step = self.starts[place], (*key.steps, 0)[0]
        row = f.integer("%t", f.add(start, at)) if key.table else f.add(start, f.mul(at, step))
        return f.address(self.real, pointer, f.mul(row, unit), self.example if key.space == BATCHED else 0)


def _name(link: SegmentLink) -> str:
    return link.step.instruction.op.name  # type: ignore[union-attr]


def _computed(link: SegmentLink, numbers: dict[Place, Number]) -> Number:
    """Return what a step gives for an entry, or for a segment."""
    i, read = link.step.instruction, [numbers[place] for place in link.operands]
    read = [
        x if x.closed is not None or not closes else closed_at_minus_zero(x)
        for x, closes in zip(read, link.flow.closes)
    ]
    return number_of(read, i.op, i.wrt, i.reads) if i else read[0]

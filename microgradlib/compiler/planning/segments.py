"""Segments: steps on the entries of segments, and on whole segments, that are computed segment by segment.

A softmax of many lists is so: the largest entry of each, the exponentials, their total, the quotients.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, groupby
from math import gcd
from typing import Any, NamedTuple

from microgradlib.compiler.instructions import BATCHED
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.planning.data import Plan, Step
from microgradlib.compiler.planning.fusion import FUSED, MOST_TOGETHER, Flow, Key, common_sizes, link_of

__all__ = ["Place", "SegmentLink", "Segments", "segments_of", "side_by_side"]


MOST_SIDE_BY_SIDE = 4
"""So many segments are added up side by side at most."""

NO_FLOW = Flow(0, ())
"""In the place of what is not asked for."""


class Place(NamedTuple):
    """Rows that are read or written for each entry, or each segment; the same place is the same rows in that order."""

    key: Key
    of_segments: bool

    def rows(self, bounds: Any) -> Any:
        """Return its rows."""
        return self.key.rows((len(bounds) - 1 if self.of_segments else int(bounds[-1]),)).astype("int32")


class SegmentLink(NamedTuple):
    """A step, the places of its results and operands, and its flow."""

    step: Step
    results: Place
    operands: tuple[Place, ...]
    flow: Flow

    @property
    def is_total(self) -> bool:
        """Whether it adds up, or compares, the entries of each segment."""
        return self.step.kind == "segment_reduce"


class Segments(NamedTuple):
    """Steps that are computed segment by segment; segment i has the entries from bounds[i] to before bounds[i + 1]."""

    bounds: Any
    links: list[SegmentLink]


def segments_of(plan: Plan, flows: Sequence[Flow]) -> dict[int, Segments]:
    """Return the steps of the batch that are computed so, those of one kernel by the index of the first of them.

    There are steps on entries among them, and one that adds up segments or reads a row for each.
    """
    found, behind = dict[int, Segments](), 0
    for index, step in enumerate(plan.steps):
        bounds = _bounds(step) if index >= behind and _is_batched(step) else None
        if bounds is None:
            continue
        first = index
        while first > behind and _link(plan.steps[first - 1], flows[first - 1], bounds):
            first -= 1
        start, links, touched = first, list[SegmentLink](), _Touched(plan.rows[BATCHED])
        for k in range(first, len(plan.steps)):
            link = _link(plan.steps[k], flows[k], bounds)
            may_follow = link and len(links) < MOST_TOGETHER and touched.allows(link, bounds)
            if link and not may_follow and k <= index:
                start, links, touched = k, [], _Touched(plan.rows[BATCHED])
                may_follow = touched.allows(link, bounds)
            if not link or not may_follow:
                break
            links.append(link)
        if start <= index < start + len(links) and not all(link.results.of_segments for link in links):
            found[start], behind = Segments(bounds, links), start + len(links)
    return found


def _is_batched(step: Step) -> bool:
    return step.phase == "batch" and step.results.space == BATCHED


def _bounds(step: Step) -> Any:
    """Return the bounds of the segments that a step adds up, or of each of which it reads one row; None of others."""
    if step.kind == "segment_reduce":
        i: Any = step.instruction
        return numpy().array([0, *accumulate(i.counts)], "int32") if i.width == 1 else None
    sizes = common_sizes([step]) if step.kind == "elementwise" else ()
    if len(sizes) != 1:
        return None
    np, [size], found = numpy(), sizes, [numpy().array([0, *sizes])]
    for key in link_of(step, NO_FLOW, sizes).operands:
        starts = np.flatnonzero(np.diff(key.rows(sizes))) + 1 if key.table else np.arange(size)
        found += [starts] if len(starts) < size // 2 else []
    bounds = np.unique(np.concatenate(found)).astype("int32")
    return bounds if len(found) > 1 and len(bounds) <= size // 2 + 1 else None


def _link(step: Step, flow: Flow, bounds: Any) -> SegmentLink | None:
    """Return the link of a step that is computed segment by segment; None of others."""
    entries, count = (int(bounds[-1]),), (len(bounds) - 1,)
    if not _is_batched(step):
        return None
    if step.kind == "segment_reduce":
        its_bounds = _bounds(step)
        if its_bounds is None or not numpy().array_equal(its_bounds, bounds):
            return None
        results, operands = link_of(step, flow, count).results, link_of(step, flow, entries).operands
        places = [_place(key, bounds, of_segments=False) for key in operands]
        return SegmentLink(step, Place(results, of_segments=True), tuple(places), flow)
    sizes = common_sizes([step]) if step.kind in FUSED else ()
    if sizes not in (entries, count):
        return None
    link = link_of(step, flow, sizes)
    places = [_place(key, bounds, of_segments=sizes == count) for key in (link.results, *link.operands)]
    return SegmentLink(step, places[0], tuple(places[1:]), flow)


def _place(key: Key, bounds: Any, *, of_segments: bool) -> Place:
    """Return a place; rows of a table that are the same for all entries of a segment, or evenly spaced, as such."""
    place, np = Place(key, of_segments), numpy()
    if not key.table:
        return place
    rows = place.rows(bounds)
    if not of_segments and np.array_equal(np.repeat(rows[bounds[:-1]], np.diff(bounds)), rows):
        rows, of_segments = rows[bounds[:-1]], True
    gaps = np.unique(np.diff(rows)).tolist()
    even = Key(key.space, int(rows[0]), tuple(gaps) or (0,))
    return Place(even if len(gaps) < 2 else Key(key.space, 0, (1,), rows.tobytes()), of_segments)


def side_by_side(counts: Sequence[int]) -> tuple[int, list[int]]:
    """Return how many segments a group has, and for each group, and behind the last, the first term over that size.

    >>> side_by_side([1, 1, 2, 2, 2, 2]), side_by_side([5, 7])
    ((2, [0, 1, 3, 5]), (1, [0, 5, 12]))
    """
    common = gcd(*[len(list(run)) for _, run in groupby(counts)])
    size = max(size for size in range(1, MOST_SIDE_BY_SIDE + 1) if common % size == 0)
    return size, [0, *accumulate(counts[::size])]


class _Touched:
    """The rows that steps read and write: for each, by which place; −1 is none, −2 several."""

    def __init__(self, rows: int) -> None:
        self.numbers: dict[Any, int] = {}
        self.read, self.written = numpy().full((2, rows), -1)

    def allows(self, link: SegmentLink, bounds: Any) -> bool:
        """Add a link; say whether it may be computed with those before, segment by segment and entry by entry.

        So what one writes and the other reads or writes must be the same place.
        """
        np = numpy()
        for place in (*link.operands, link.results):
            if place.key.space == BATCHED:
                rows, is_result = place.rows(bounds), place is link.results
                number = self.numbers.setdefault((place.of_segments, rows.tobytes()), len(self.numbers))
                before = [self.written[rows], *[self.read[rows]] * is_result]
                if not all(np.isin(numbers, (-1, number)).all() for numbers in before):
                    return False
                if is_result:
                    self.written[rows] = number
                else:
                    self.read[rows] = np.where(np.isin(self.read[rows], (-1, number)), number, -2)
        return True

"""Fusion: which elementwise steps and gathers are computed entry by entry in one nest, and what of them is stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, chain, groupby, pairwise
from math import prod
from operator import mul
from typing import Any, NamedTuple

from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.planning.data import Plan, Rows, Step, StridedView

__all__ = ["Chain", "Key", "Link", "chains_of", "contiguous", "fusible", "last_reads"]

FUSED = {"elementwise", "gather"}

MOST_TOGETHER = 32
"""So many neighbours are looked at together: more numbers than that do not stay in registers."""


class Key(NamedTuple):
    """What a step reads or writes, on the axes of its chain; or a table of rows. The same key is the same view."""

    space: int
    start: int
    steps: tuple[int, ...]
    table: bytes = b""

    def bounds(self, sizes: Sequence[int]) -> tuple[int, int]:
        """Return the first and the last of its rows."""
        if self.table:
            rows = self.rows(sizes)
            return int(rows.min()), int(rows.max())
        spans = [(size - 1) * step for size, step in zip(sizes, self.steps)]
        return self.start + sum([s for s in spans if s < 0]), self.start + sum([s for s in spans if s > 0])

    def rows(self, sizes: Sequence[int]) -> Any:
        """Return all its rows, in the order of the entries."""
        if self.table:
            return numpy().frombuffer(self.table, "int32")
        rows = numpy().array([self.start])
        for size, step in zip(sizes, self.steps):
            rows = (rows[:, None] + numpy().arange(size) * step).ravel()
        return rows


class Link(NamedTuple):
    """A step of a chain: the keys of its results and operands, and whether its results are read after the chain."""

    step: Step
    results: Key
    operands: tuple[Key, ...]
    is_needed: bool

    def may_follow(self, earlier: Link, sizes: Sequence[int]) -> bool:
        """Say whether both may be computed entry by entry, instead of all of the earlier step's entries first.

        So what one writes and the other reads or writes too must be the same view: then each entry is read, or
        written over, right where it was written. A view that overlaps otherwise has other entries, before or behind.
        """
        pairs = [(earlier.results, operand) for operand in self.operands]
        pairs += [(self.results, operand) for operand in earlier.operands]
        pairs.append((self.results, earlier.results))
        return self.results.space == earlier.results.space and not any(_overlaps(x, y, sizes) for x, y in pairs)

    def touches(self, earlier: Link) -> bool:
        """Say whether it reads, or writes over, what the earlier step writes, or writes over what that reads."""
        return earlier.results in (self.results, *self.operands) or self.results in earlier.operands


class Chain(NamedTuple):
    """Steps that are computed entry by entry, on axes of these sizes."""

    sizes: tuple[int, ...]
    links: list[Link]


def fusible(plan: Plan) -> dict[int, int]:
    """Return the start and end of each run of elementwise steps and gathers with as many results, in one phase.

    Steps after the batch are not among them: their sums over the batch are finished one by one.
    """

    def likeness(step: Step) -> tuple[Any, ...]:
        return step.kind in FUSED and step.phase != "after", step.phase, prod(step.results.sizes)

    found, start = dict[int, int](), 0
    for (is_fused, *_), run in groupby(plan.steps, likeness):
        end = start + len(list(run))
        found |= {start: end} if is_fused else {}
        start = end
    return found


def last_reads(plan: Plan) -> list[int]:
    """Return for each step the index of the last step that reads what it writes; those of results are endless."""
    np, found = numpy(), [-1] * len(plan.steps)
    writers = [np.full(count, -1) for count in plan.rows]

    def read(space: int, rows: Any, reader: int) -> None:
        for writer in set(writers[space][rows].tolist()) - {-1}:
            found[writer] = reader

    for index, step in enumerate(plan.steps):
        for place in step.operands:
            read(place.space, _key(place, _sizes(place)).rows(_sizes(place)), index)
        writers[step.results.space][_key(step.results, step.results.sizes).rows(step.results.sizes)] = index
    given = [*zip(plan.program.outputs, plan.output_rows), *zip(plan.program.cotangents, plan.cotangent_rows)]
    for operand, rows in given:
        read(operand.space, rows, len(plan.steps))
    return found


def chains_of(steps: Sequence[Step], last: Sequence[int] | None = None) -> Iterator[Chain]:
    """Yield chains that together compute steps of one run; steps that nothing connects are in chains of their own.

    `last`: for each of the steps the index, counted from the first of them, of the last step that reads its results.
    """
    ends, start, links = [len(steps)] * len(steps) if last is None else last, 0, list[Link]()
    sizes: tuple[int, ...] = ()
    for index, step in enumerate(steps):
        common = sizes if sizes and _axes(step) == sizes else _common_sizes(steps[start : index + 1])
        links = links if common == sizes else [_link(each, common) for each in steps[start:index]]
        sizes, new = common, _link(step, common)
        if len(links) == MOST_TOGETHER or not _fits(new, links, sizes):
            cut = _cut(steps, start, index)
            yield from _connected([(steps[k], ends[k] >= cut) for k in range(start, cut)])
            start, sizes = cut, _common_sizes(steps[cut : index + 1])
            *links, new = [_link(each, sizes) for each in steps[cut : index + 1]]
        links.append(new)
    yield from _connected([(steps[k], ends[k] >= len(steps)) for k in range(start, len(steps))])


def _fits(new: Link, links: Sequence[Link], sizes: Sequence[int]) -> bool:
    return bool(sizes) and all(new.may_follow(link, sizes) for link in links)


def _cut(steps: Sequence[Step], start: int, index: int) -> int:
    """Return where steps are cut so that step `index` fits: if it can, before those that lead to it one after another.

    For what is closed is known only in registers.
    """
    cut = index
    while cut > start and steps[cut - 1].results in steps[cut].operands:
        cut -= 1
    while start < cut < index or (cut == start and index > start):
        sizes = _common_sizes(steps[cut : index + 1])
        *links, new = [_link(each, sizes) for each in steps[cut : index + 1]]
        if cut > start and _fits(new, links, sizes):
            break
        cut += 1
    return cut


def _connected(part: Sequence[tuple[Step, bool]]) -> Iterator[Chain]:
    """Yield chains of as few of the steps as possible: those that touch what others do are with them.

    Each step comes with whether its results are read later.
    """
    sizes = _common_sizes([step for step, _ in part])
    links = [_link(step, sizes) for step, _ in part]
    groups: list[list[int]] = []
    for index, link in enumerate(links):
        own = [group for group in groups if any(link.touches(links[k]) for k in group)]
        groups = [*[group for group in groups if group not in own], [*chain(*own), index]]
    for group in groups:
        sizes = _common_sizes([part[k][0] for k in group])
        yield Chain(sizes, [_link(part[k][0], sizes, is_needed=part[k][1]) for k in sorted(group)])


def _sizes(place: StridedView | Rows) -> tuple[int, ...]:
    return (len(place.rows),) if isinstance(place, Rows) else place.sizes


def _common_sizes(steps: Sequence[Step]) -> tuple[int, ...]:
    """Return sizes of axes of which those of each step are products of neighbours; () if there are none."""
    widths = {1}
    for step in steps:
        widths |= set(accumulate(reversed(_axes(step)), mul))
    ordered = sorted(widths, reverse=True)
    if any(outer % inner for outer, inner in pairwise(ordered)):
        return ()
    return tuple([outer // inner for outer, inner in pairwise(ordered)]) or (1,)


def _axes(step: Step) -> tuple[int, ...]:
    return _sizes(step.operands[0] if step.kind == "gather" else step.results)


def _link(step: Step, sizes: Sequence[int], *, is_needed: bool = True) -> Link:
    return Link(step, _key(step.results, sizes), tuple([_key(place, sizes) for place in step.operands]), is_needed)


def _key(place: StridedView | Rows, sizes: Sequence[int]) -> Key:
    """Return the key of a view on finer axes.

    >>> _key(StridedView(1, 7, (2, 6), (0, 1)), (2, 3, 2)).steps
    (0, 2, 1)
    """
    if isinstance(place, Rows):
        return Key(place.space, 0, contiguous(sizes), numpy().asarray(place.rows, "int32").tobytes())
    steps, axes = list[int](), list(zip(place.sizes, place.steps))
    size, step = 1, 0
    for part in reversed(sizes):
        while size == 1 and axes:
            size, step = axes.pop()
        steps.append(step if part > 1 else 0)
        size, step = size // part, step * part
    return Key(place.space, place.start, tuple(reversed(steps)))


def contiguous(sizes: Sequence[int]) -> tuple[int, ...]:
    """Return the steps of axes of rows that follow one another.

    >>> contiguous((2, 3, 4))
    (12, 4, 1)
    """
    return tuple(accumulate(reversed(sizes[1:]), mul, initial=1))[::-1]


def _overlaps(x: Key, y: Key, sizes: Sequence[int]) -> bool:
    """Say whether different views have a row in common.

    >>> _overlaps(Key(1, 0, (2,)), Key(1, 1, (2,)), (5,)), _overlaps(Key(1, 0, (2,)), Key(1, 2, (2,)), (5,))
    (False, True)
    """
    if x == y or x.space != y.space:
        return False
    (first_x, last_x), (first_y, last_y) = x.bounds(sizes), y.bounds(sizes)
    return first_x <= last_y and first_y <= last_x and bool(numpy().isin(x.rows(sizes), y.rows(sizes)).any())

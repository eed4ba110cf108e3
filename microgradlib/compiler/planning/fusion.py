"""Fusion: which elementwise steps and gathers are computed entry by entry in one nest, and what of them is stored."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import accumulate, chain, groupby, pairwise
from math import prod
from operator import mul
from typing import Any, NamedTuple

from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.planning.data import Plan, Rows, Step, StridedView, rows_of

__all__ = ["Chain", "Flow", "Key", "Link", "chains_of", "common_sizes", "contiguous", "fusible", "link_of"]

FUSED = {"elementwise", "gather"}

MOST_TOGETHER = 32
"""So many neighbours are looked at together: more numbers than that do not stay in registers."""


class Key(NamedTuple):
    """What a step reads or writes, on the axes of its chain; or a table of rows. The same key is the same view."""

    space: int
    start: int
    steps: tuple[int, ...]
    table: bytes = b""

    def rows(self, sizes: Sequence[int]) -> Any:
        """Return all its rows, in the order of the entries."""
        if self.table:
            return numpy().frombuffer(self.table, "int32")
        return rows_of(StridedView(self.space, self.start, tuple(sizes), self.steps))

    def overlaps(self, other: Key, sizes: Sequence[int]) -> bool:
        """Say whether it is another view, but has a row in common with this one.

        >>> Key(1, 0, (2,)).overlaps(Key(1, 1, (2,)), (5,)), Key(1, 0, (2,)).overlaps(Key(1, 2, (2,)), (5,))
        (False, True)
        """
        if self == other or self.space != other.space:
            return False
        (first, last), (its_first, its_last) = self._bounds(sizes), other._bounds(sizes)
        is_near = first <= its_last and its_first <= last
        return is_near and bool(numpy().isin(self.rows(sizes), other.rows(sizes)).any())

    def _bounds(self, sizes: Sequence[int]) -> tuple[int, int]:
        """Return the first and the last of its rows."""
        if self.table:
            return int(self.rows(sizes).min()), int(self.rows(sizes).max())
        spans = [(size - 1) * step for size, step in zip(sizes, self.steps)]
        return self.start + sum([min(span, 0) for span in spans]), self.start + sum([max(span, 0) for span in spans])


class Flow(NamedTuple):
    """What is known of a step's numbers."""

    reach: int
    """How many steps later its results are read for the last time; 0 if they are not."""
    closes: tuple[bool, ...]
    """Of each operand, whether a −0 there is a structural zero; for an engine that tells them apart."""
    keeps: bool = False
    """Whether an op's exponentials are kept in the rows of its operand, by it for its adjoint."""
    read: Any = None
    """Which of its results are read, a boolean array; None: all."""
    has_ones: bool = False
    """Whether the right factors of a product end with the row of ones below a column of biases; where sums over the
    batch are taken, whether with a column of ones."""


class Link(NamedTuple):
    """A step of a chain, the keys of its results and operands, and its flow."""

    step: Step
    results: Key
    operands: tuple[Key, ...]
    flow: Flow

    def may_follow(self, earlier: Link, sizes: Sequence[int]) -> bool:
        """Say whether both may be computed entry by entry, instead of all of the earlier step's entries first.

        So what one writes and the other reads or writes too must be the same view: then each entry is read, or
        written over, right where it was written. A view that overlaps otherwise has other entries, before or behind.
        """
        if self.results.space != earlier.results.space:
            return False
        written = any(earlier.results.overlaps(key, sizes) for key in (self.results, *self.operands))
        return not written and not any(self.results.overlaps(key, sizes) for key in earlier.operands)

    def touches(self, earlier: Link) -> bool:
        """Say whether it reads, or writes over, what the earlier step writes, or writes over what that reads."""
        return earlier.results in (self.results, *self.operands) or self.results in earlier.operands


class Chain(NamedTuple):
    """Steps that are computed entry by entry on axes of these sizes; and those results that are read behind them."""

    sizes: tuple[int, ...]
    links: list[Link]
    needed: set[Key]


def fusible(plan: Plan, apart: Collection[int] = ()) -> dict[int, int]:
    """Return the start and end of each run of elementwise steps and gathers with as many results, in one phase.

    Steps after the batch are not among them, as their sums over the batch are finished one by one, nor those `apart`.
    """

    def likeness(index: int) -> tuple[Any, ...]:
        step = plan.steps[index]
        is_fused = step.kind in FUSED and step.phase != "after" and index not in apart
        return is_fused, step.phase, prod(_sizes(step.results))

    found, start = dict[int, int](), 0
    for (is_fused, *_), run in groupby(range(len(plan.steps)), likeness):
        end = start + len(list(run))
        found |= {start: end} if is_fused else {}
        start = end
    return found


def chains_of(steps: Sequence[Step], flows: Sequence[Flow] = ()) -> Iterator[Chain]:
    """Yield chains that together compute steps of one run; steps that nothing connects are in chains of their own.

    Without flows, all results are stored, and nothing is closed.
    """
    flows = flows or [Flow(len(steps), (False,) * len(step.operands)) for step in steps]
    start, sizes, links = 0, tuple[int, ...](), list[Link]()
    for index, step in enumerate(steps):
        common = sizes if _axes(step) == sizes else common_sizes(steps[start : index + 1])
        if common != sizes:
            links = [link_of(*each, common) for each in zip(steps[start:index], flows[start:])]
        sizes, new = common, link_of(step, flows[index], common)
        if len(links) == MOST_TOGETHER or not sizes or not all(new.may_follow(link, sizes) for link in links):
            yield from _connected(steps[start:index], flows[start:])
            start, sizes, links = index, common_sizes([step]), []
            new = link_of(step, flows[index], sizes)
        links.append(new)
    yield from _connected(steps[start:], flows[start:])


def _connected(steps: Sequence[Step], flows: Sequence[Flow]) -> Iterator[Chain]:
    """Yield chains of as few of the steps as possible: those that touch what others do are with them."""
    sizes, groups = common_sizes(steps), list[list[int]]()
    links = [link_of(step, flow, sizes) for step, flow in zip(steps, flows)]
    for index, link in enumerate(links):
        own = [group for group in groups if any(link.touches(links[k]) for k in group)]
        groups = [*[group for group in groups if group not in own], sorted([*chain(*own), index])]
    for group in groups:
        sizes = common_sizes([steps[k] for k in group])
        own_links = {k: link_of(steps[k], flows[k], sizes) for k in group}
        last = {link.results: k for k, link in own_links.items()}
        needed = {key for key, k in last.items() if k + flows[k].reach >= len(steps)}
        yield Chain(sizes, list(own_links.values()), needed)


def _axes(step: Step) -> tuple[int, ...]:
    return _sizes(step.operands[0] if step.kind == "gather" else step.results)


def _sizes(place: StridedView | Rows) -> tuple[int, ...]:
    return (len(place.rows),) if isinstance(place, Rows) else place.sizes


def common_sizes(steps: Sequence[Step]) -> tuple[int, ...]:
    """Return sizes of axes of which those of each step are products of neighbours; () if there are none."""
    widths = {1}.union(*[accumulate(reversed(_axes(step)), mul) for step in steps])
    parts = list(pairwise(sorted(widths, reverse=True)))
    if any(outer % inner for outer, inner in parts):
        return ()
    return tuple([outer // inner for outer, inner in parts]) or (1,)


def link_of(step: Step, flow: Flow, sizes: Sequence[int]) -> Link:
    """Return the link of a step in a chain with axes of these sizes."""
    return Link(step, _key(step.results, sizes), tuple([_key(place, sizes) for place in step.operands]), flow)


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

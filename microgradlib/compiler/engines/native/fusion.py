"""Fusion: which elementwise steps and gathers are computed entry by entry in one nest, and what of them is stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, chain, groupby, pairwise
from math import prod
from operator import mul
from typing import Any, NamedTuple

from microgradlib.compiler.instructions import BATCHED, Instruction
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.planning.data import Plan, Rows, Step, StridedView

__all__ = ["PRODUCTS", "SUMS", "Chain", "Flow", "Key", "Link", "chains_of", "contiguous", "flows_of", "fusible"]

FUSED = {"elementwise", "gather"}

PRODUCTS, SUMS = {"mul", "strong_mul"}, {"add", "sum", "identity"}
"""Ops that a structural zero stops; and those in which it takes no part."""

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
    """A step of a chain: the keys of its results and operands, its `Flow.closes`, and whether it is read behind it."""

    step: Step
    results: Key
    operands: tuple[Key, ...]
    closes: tuple[bool, ...]
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


class Flow(NamedTuple):
    """What is known of a step's numbers in its plan.

    `reach`: how many steps behind it its results are read for the last time; 0 if they are not. `closes`: of each
    operand whether a −0 there is a structural zero (see `transfers.CLOSED`).
    """

    reach: int
    closes: tuple[bool, ...]


def flows_of(plan: Plan) -> list[Flow]:
    """Return the flow of each step of a plan.

    A −0 is a structural zero in seeds of a batch and in the row of 0; in adjoints, and in products with such numbers,
    as these kernels add 0 to what they compute; and in sums and copies of such numbers alone, where −0 comes of nothing
    but −0. Elsewhere it is a number: a product of matrices may round to it. What is closed is forgotten there, so that
    0 · inf behind it is nan, which the reference engine computes again, and never a wrong finite number.
    """
    np, last = numpy(), list(range(len(plan.steps)))
    writers, closes = ([np.full(count, kind) for count in plan.rows] for kind in (-1, False))
    closes[BATCHED][-1] = True
    for operand, rows in zip(plan.program.seeds, plan.seed_rows):
        closes[operand.space][rows] = operand.space == BATCHED
    flags = list[tuple[bool, ...]]()

    def read(space: int, rows: Any, reader: int) -> Any:
        for writer in set(writers[space][rows].tolist()) - {-1}:
            last[writer] = reader
        return closes[space][rows]

    for index, step in enumerate(plan.steps):
        found = [read(place.space, _key(place, _sizes(place)).rows(_sizes(place)), index) for place in step.operands]
        flags.append(tuple([bool(each.all()) for each in found]))
        space, rows = step.results.space, _key(step.results, step.results.sizes).rows(step.results.sizes)
        writers[space][rows], closes[space][rows] = index, _closes(step.instruction, flags[-1], found[0])
    given = [*zip(plan.program.outputs, plan.output_rows), *zip(plan.program.cotangents, plan.cotangent_rows)]
    for operand, rows in given:
        read(operand.space, rows, 2 * len(plan.steps))
    return [Flow(reader - index, closes) for index, (reader, closes) in enumerate(zip(last, flags))]


def _closes(i: Instruction | None, flags: tuple[bool, ...], gathered: Any) -> Any:
    """Say whether a −0 among the results of an instruction is a structural zero, for flags of its operands."""
    if i is None:
        return gathered
    if i.wrt is not None:
        return True
    if i.kind == "elementwise" and i.op.name in PRODUCTS:
        return any(flags)
    return i.op.name in SUMS and not i.sums_batch and all(flags)


def chains_of(steps: Sequence[Step], flows: Sequence[Flow] = ()) -> Iterator[Chain]:
    """Yield chains that together compute steps of one run; steps that nothing connects are in chains of their own.

    Without flows nothing is known of the steps.
    """
    flows = flows or [Flow(len(steps), (False,) * len(step.operands)) for step in steps]
    start, links, sizes = 0, list[Link](), tuple[int, ...]()
    for index, step in enumerate(steps):
        common = sizes if sizes and _axes(step) == sizes else _common_sizes(steps[start : index + 1])
        links = links if common == sizes else [_link(each, common) for each in steps[start:index]]
        sizes, new = common, _link(step, common)
        if len(links) == MOST_TOGETHER or not sizes or not all(new.may_follow(link, sizes) for link in links):
            yield from _connected(steps[start:index], flows[start:index])
            start, links, sizes = index, [], _common_sizes([step])
            new = _link(step, sizes)
        links.append(new)
    yield from _connected(steps[start:], flows[start:])


def _connected(steps: Sequence[Step], flows: Sequence[Flow]) -> Iterator[Chain]:
    """Yield chains of as few of the steps as possible: those that touch what others do are with them."""
    sizes = _common_sizes(steps)
    links = [_link(step, sizes) for step in steps]
    groups: list[list[int]] = []
    for index, link in enumerate(links):
        own = [group for group in groups if any(link.touches(links[k]) for k in group)]
        groups = [*[group for group in groups if group not in own], [*chain(*own), index]]
    for group in groups:
        sizes = _common_sizes([steps[k] for k in group])
        yield Chain(sizes, [_link(steps[k], sizes, flows[k], k + flows[k].reach >= len(steps)) for k in sorted(group)])


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


def _link(step: Step, sizes: Sequence[int], flow: Flow | None = None, is_needed: bool = True) -> Link:
    operands = tuple([_key(place, sizes) for place in step.operands])
    return Link(step, _key(step.results, sizes), operands, flow.closes if flow else (), is_needed)


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

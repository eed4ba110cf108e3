"""Gathers inlined: elementwise steps read rows in any order, not copies, for engines that compute entry by entry."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import chain, pairwise
from typing import Any

from microgradlib.compiler.instructions import BATCHED, slot_array
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.planning.data import Plan, Rows, Step, StridedView, rows_of

__all__ = ["inline_gathers"]


@dataclass(eq=False)
class _Copy:
    """A gather: the rows that it reads and writes, and by which steps the former were written."""

    source: Any
    results: Any
    written: Any
    readers: dict[tuple[int, int], None] = field(default_factory=dict)
    """The index of each step that reads it, and which operand that is."""
    is_needed: bool = False
    """Whether a step of another kind reads it, or another part of it."""
    is_written_over: bool = False
    """Whether a reader writes there."""
    is_there: bool = True
    """Whether its readers may read what it copies instead: nothing is written there before or by them."""

    @property
    def firsts(self) -> Any:
        """Which of its rows are not copies of the same row as the one before."""
        return numpy().flatnonzero(numpy().diff(self.source, prepend=-1))

    @property
    def rows(self) -> Any:
        """The rows that its readers are to read."""
        if self.is_there:
            return self.source
        lengths = numpy().diff(self.firsts, append=len(self.source))
        return numpy().repeat(self.results[self.firsts], lengths)

    def add(self, step: Step, reader: tuple[int, int], rows: Any, last: Any) -> None:
        """Add a reader of such rows; `last` has the step that wrote each row."""
        np, results = numpy(), rows_of(step.results)
        is_elementwise = step.kind == "elementwise" and np.array_equal(rows, self.results)
        is_batched = step.results.space == BATCHED
        self.readers[reader] = None
        self.is_there &= bool((last[self.source] == self.written).all())
        self.is_there &= not (is_batched and np.isin(results, self.source).any())
        self.is_written_over |= is_batched and np.isin(results, self.results).any()
        self.is_needed |= not is_elementwise

    @property
    def is_shorter(self) -> bool:
        """Whether it need not be made, or not whole."""
        few = 2 * len(self.firsts) <= len(self.source) and not self.is_written_over
        return bool(self.readers) and not self.is_needed and (self.is_there or few)


def inline_gathers(plan: Plan) -> Plan:
    """Return a plan in which elementwise steps read what is gathered for them alone where it is gathered from.

    Where that is written over before they do, neighbours that are copies of one row are copied once. So it is in the
    batched space; engines that copy whole arrays need contiguous ones.

    >>> from microgradlib.compiler.canonicalize import canonicalize
    >>> from microgradlib.compiler.planning import plan
    >>> from microgradlib.compiler.trace import trace
    >>> from microgradlib.compiler.vectorize import vectorize
    >>> traced = trace(lambda x: [x[2] * x[0], x[0] * x[3], x[1] * x[2]], [[1.0, 2.0, 3.0, 4.0]], [])
    >>> planned = plan(vectorize(canonicalize(traced)))
    >>> for each in (planned, inline_gathers(planned)):
    ...     print(*each.steps, sep="; ")
    batched[4:7] = gather batched[3 rows]; batched[4:7] = elementwise mul batched[0:3], batched[4:7]
    batched[4:7] = elementwise mul batched[0:3], batched[3 rows]
    """
    steps = list[Any](plan.steps)
    for index, copy in _copies(plan).items():
        step, firsts = plan.steps[index], copy.firsts
        results, source = copy.results[firsts], _batched(copy.source[firsts])
        steps[index] = None if copy.is_there else _written_to(results, step, source)
        for reader, place in copy.readers:
            operands = list(steps[reader].operands)
            operands[place] = _batched(copy.rows)
            steps[reader] = replace(steps[reader], operands=tuple(operands))
    steps = [step for step in steps if step]
    zeros, pairs = plan.rows[BATCHED] - 1, pairwise([None, *steps])
    return replace(plan, steps=tuple(chain(*[_moved(step, before, zeros) or [step] for before, step in pairs])))


def _moved(step: Step, before: Step | None, zeros: int) -> list[Step]:
    """Return a copy of the results of the elementwise step before it, each once, and of padding, as two steps.

    So the former is computed with these results, entry by entry: in their order. There is nothing else to be copied.
    """
    is_copy = step.kind == "gather" and step.results.space == BATCHED
    if not is_copy or before is None or before.kind != "elementwise" or before.results.space != BATCHED:
        return []
    np, results, source, given = numpy(), rows_of(step.results), rows_of(step.operands[0]), rows_of(before.results)
    order, is_padding = np.argsort(source), source == zeros
    order = order[~is_padding[order]]
    if not np.array_equal(source[order], given):
        return []
    padding = results[is_padding]
    nothing = StridedView(BATCHED, zeros, (len(padding),), (0,))
    moved = _written_to(results[order], step, before.results)
    return [moved, *[_written_to(padding, step, nothing)] * bool(len(padding))]


def _batched(rows: Any) -> Rows:
    return Rows(BATCHED, slot_array(rows))


def _written_to(rows: Any, step: Step, source: StridedView | Rows) -> Step:
    """Return a gather of other rows, which writes to rows in any order."""
    results: Any = _batched(rows)
    return replace(step, results=results, operands=(source,))


def _copies(plan: Plan) -> dict[int, _Copy]:
    """Return the gathers that need not be made, or not whole, by their indices."""
    np, found = numpy(), dict[int, _Copy]()
    last, maker = np.full((2, plan.rows[BATCHED]), -1)  # of each row, the last step that wrote it, and if a gather …
    for index, step in enumerate(plan.steps):
        for place, operand in enumerate(step.operands):
            rows = rows_of(operand) if operand.space == BATCHED else []
            for copy in np.unique(maker[rows]).tolist() if found else ():
                if copy >= 0:
                    found[copy].add(step, (index, place), rows, last)
        if step.results.space == BATCHED:
            results = rows_of(step.results)
            last[results], maker[results] = index, index if step.kind == "gather" else -1
            if step.kind == "gather":
                source = rows_of(step.operands[0])
                found[index] = _Copy(source, results, last[source])
    return {index: copy for index, copy in found.items() if copy.is_shorter}

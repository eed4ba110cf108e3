"""Buffer assignment: rows for the slots of each space, by liveness over forward and backward pass together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from microgradlib.compiler.instructions import BATCHED, UNBATCHED
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.planning.data import StridedView

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from microgradlib.compiler.instructions import ProgramData
    from microgradlib.compiler.planning.views import Draft

__all__ = ["assign_rows"]

BEFORE, ALWAYS = -1, 1 << 60
"""The times before all steps and after them; step i reads and writes at time i."""


def assign_rows(program: ProgramData, drafts: Sequence[Draft], sizes: Sequence[int]) -> tuple[Any, ...]:
    """Return for each space the row of each slot, an array; −1 for slots that nothing writes.

    A value, the slots of a leaf or the results of one step, lives from when it is written until it is read for the
    last time. Values that one strided view reads keep their distances: they are a block. An elementwise step writes
    over an operand that is read there for the last time, if both are the same view and one of them is a block of its
    own. Each block takes the lowest rows that are free when its first value is written.
    """
    return tuple([_Space(program, drafts, space, sizes[space]).rows() for space in (UNBATCHED, BATCHED)])


class _Space:
    """The values of one space and their blocks."""

    def __init__(self, program: ProgramData, drafts: Sequence[Draft], space: int, size: int) -> None:
        self.program, self.drafts, self.space = program, drafts, space
        self.leaves = program.inputs if space == BATCHED else len(program.parameter_order)
        self.values: list[Any] = []
        self.spans: list[tuple[int, int]] = []
        self.written: list[int] = []
        self.dies, self.value = numpy().full((2, size), BEFORE)
        """For each slot, when it is read for the last time, and the number of its value."""
        self._live()
        self.block = list(range(len(self.values)))
        self.members = [[value] for value in self.block]
        self.lengths = [len(slots) for slots in self.values]
        """For each block, how many rows it has."""
        self.shift = [0] * len(self.values)
        """For each value, its rows in its block minus its slots."""

    def _live(self) -> None:
        """Find the values, and when each slot is read for the last time."""
        np, program = numpy(), self.program
        alone = program.ones if self.space == BATCHED else program.constant_slots
        seeds = [operand.slots for operand in program.seeds if operand.space == self.space]
        for slots in filter(len, [np.arange(self.leaves), *np.array([alone], dtype=np.intp).T, *seeds]):
            self._add(slots, (int(slots[0]), int(slots[-1])), BEFORE)
        for time, (step, results, operands) in enumerate(self.drafts):
            for view, slots in zip(step.operands, operands):
                if view.space == self.space:
                    self.dies[slots] = time
            if step.results.space == self.space:
                self._add(results, step.results.span, time)
        kept = [slots for slots, written in zip(self.values, self.written) if written == BEFORE]
        given = [operand.slots for operand in program.outputs + program.cotangents if operand.space == self.space]
        for slots in kept + given:
            self.dies[slots[slots >= 0]] = ALWAYS

    def _add(self, slots: Any, span: tuple[int, int], time: int) -> None:
        self.value[slots], self.dies[slots] = len(self.values), time
        self.values.append(slots)
        self.spans.append(span)
        self.written.append(time)

    def rows(self) -> Any:
        """Return the row of each slot."""
        np = numpy()
        for slots in self._read_together():
            found = self.value[slots]
            for value in set(found[1:][found[1:] != found[:-1]].tolist()):
                self._unite(self.block[found[0]], self.block[value])
        self._write_over()
        blocks = sorted([self._extent(members) for members in self.members if members])
        busy = np.full(self.leaves + sum([end - start for _, _, start, end, _ in blocks]), BEFORE - 1)
        rows, top = np.full(len(self.value), -1), 0
        for is_movable, written, start, end, members in blocks:
            base = 0
            if is_movable:
                taken = np.concatenate([[-1], (busy[:top] >= written).nonzero()[0], [ALWAYS]])
                base = int(taken[(taken[1:] - taken[:-1] > end - start).argmax()]) + 1 - start
            for value in members:
                slots = self.values[value]
                found = rows[slots] = slots + (self.shift[value] + base)
                busy[found] = np.maximum(busy[found], self.dies[slots])
            top = max(top, end + base)
        return rows

    def _extent(self, members: list[int]) -> tuple[bool, int, int, int, list[int]]:
        """Return whether a block may be moved, when it is written first, its first row, the one after its last, it."""
        start = min([self.spans[value][0] + self.shift[value] for value in members])
        end = max([self.spans[value][1] + self.shift[value] for value in members]) + 1
        return start >= self.leaves, min([self.written[value] for value in members]), start, end, members

    def _read_together(self) -> Iterator[Any]:
        """Yield the slots that must keep their distances: of strided views, and gradients that lie in a run."""
        for gradients in self.program.cotangents[-1:]:
            slots = gradients.slots
            if gradients.space == self.space and len(slots) and slots[0] >= 0 and (numpy().diff(slots) == 1).all():
                yield slots
        for draft in self.drafts:
            for view, slots in zip(draft.step.operands, draft.operands):
                if view.space == self.space and isinstance(view, StridedView):
                    yield slots

    def _unite(self, block: int, other: int, shift: int = 0, shared: int = 0) -> None:
        """Make a block of two, the rows of the other `shift` higher, of which they share some."""
        if block != other:
            for value in self.members[other]:
                self.block[value] = block
                self.shift[value] += shift
            self.members[block] += self.members[other]
            self.members[other] = []
            self.lengths[block] += self.lengths[other] - shared

    def _write_over(self) -> None:
        """Let elementwise steps write over an operand."""
        for time, (step, results, operands) in enumerate(self.drafts):
            if step.kind == "elementwise" and step.results.space == self.space:
                reads = [(x, slots) for x, slots in zip(step.operands, operands) if x.space == self.space]
                for view, slots in reads:
                    is_last = view == replace(step.results, start=view.start) and (self.dies[slots] == time).all()
                    if is_last and not self._clash(view, slots, reads) and self._share(results, slots):
                        break

    def _clash(self, view: Any, slots: Any, reads: Sequence[tuple[Any, Any]]) -> bool:
        """Say whether the same step reads some of an operand's slots in another order too."""
        block = self.block[self.value[slots[0]]]
        others = [read for x, read in reads if x != view and self.block[self.value[read[0]]] == block]
        return any(numpy().isin(read, slots).any() for read in others)

    def _share(self, results: Any, slots: Any) -> bool:
        """Give the same rows to two arrays of slots, if the block of one of them has no others."""
        size, value, other = len(slots), self.value[results[0]], self.value[slots[0]]
        shift = int(results[0]) + self.shift[value] - int(slots[0]) - self.shift[other]
        block, small = self.block[value], self.block[other]
        if self.lengths[small] != size:
            block, small, shift = small, block, -shift
        if block == small or self.lengths[small] != size:
            return False
        self._unite(block, small, shift, size)
        return True

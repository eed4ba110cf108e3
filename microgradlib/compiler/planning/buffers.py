"""Buffer assignment: rows for the slots of each space, by liveness over forward and backward pass together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from microgradlib.compiler.instructions import BATCHED, UNBATCHED
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.planning.data import StridedView

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.compiler.instructions import ProgramData
    from microgradlib.compiler.planning.views import Draft

__all__ = ["assign_rows"]

BEFORE, ALWAYS = -1, 1 << 60
"""The times before all steps and after them; step i reads and writes at time i."""


def assign_rows(program: ProgramData, drafts: Sequence[Draft], sizes: Sequence[int]) -> tuple[Any, ...]:
    """Return for each space the row of each slot, an array; −1 for slots that nothing writes.

    Values that one strided view reads keep their distances: they are a block. Blocks take the lowest rows that are free
    when their first value is written. A row is free after its value is read for the last time; an elementwise step may
    write over an operand that is read there for the last time, if both are the same view.
    """
    return tuple([_Space(program, drafts, space, sizes[space]).rows() for space in (UNBATCHED, BATCHED)])


class _Space:
    """The values of one space, each the slots of a leaf or those of an instruction's results, and their blocks."""

    def __init__(self, program: ProgramData, drafts: Sequence[Draft], space: int, size: int) -> None:
        np = numpy()
        self.program, self.drafts, self.space = program, drafts, space
        self.dies = np.full(size, BEFORE)
        self.value = np.zeros(size, dtype=np.intp)
        self.leaves = program.inputs if space == BATCHED else len(program.parameter_order)
        self._live()
        self.block = list(range(len(self.values)))
        self.members = [[value] for value in self.block]
        self.lengths = [len(slots) for slots in self.values]
        self.shift = [0] * len(self.values)
        """For each value, its rows in its block minus its slots."""

    def _live(self) -> None:
        """Find when each value is written, when each slot is read for the last time, and the value that it belongs to."""
        np, program = numpy(), self.program
        alone = program.ones if self.space == BATCHED else program.constant_slots
        leaves = [range(self.leaves), *[[slot] for slot in alone]]
        leaves += [operand.slots for operand in program.seeds if operand.space == self.space]
        self.values: list[Any] = [np.asarray(slots, dtype=np.intp) for slots in leaves if len(slots)]
        self.written = [BEFORE] * len(self.values)
        self.spans = [(int(slots.min()), int(slots.max())) for slots in self.values]
        for time, draft in enumerate(self.drafts):
            for operand, slots in zip(draft.step.operands, draft.operands):
                if operand.space == self.space:
                    self.dies[slots] = time
            if draft.step.results.space == self.space:
                self.dies[draft.results] = time
                self.values.append(draft.results)
                self.written.append(time)
                self.spans.append(draft.step.results.span)
        for operand in (*program.outputs, *program.cotangents):
            if operand.space == self.space:
                self.dies[operand.slots[operand.slots >= 0]] = ALWAYS
        for number, (slots, written) in enumerate(zip(self.values, self.written)):
            self.value[slots] = number
            if written == BEFORE:
                self.dies[slots] = ALWAYS

    def rows(self) -> Any:
        """Return the row of each slot."""
        np = numpy()
        self._keep_distances()
        self._write_over()
        blocks = [(self._extent(members), members) for members in self.members if members]
        busy = np.full(sum([end - start for (_, _, start, end), _ in blocks]) + self.leaves, BEFORE - 1)
        result = np.full(len(self.value), -1)
        top = 0
        for (_, born, start, end), members in sorted(blocks):
            base = -start if start < 0 else 0
            if start >= self.leaves:
                taken = np.flatnonzero(busy[:top] >= born)
                edges = np.concatenate([[-1], taken, [ALWAYS]])
                base = int(edges[np.argmax(np.diff(edges) > end - start)]) + 1 - start
            for value in members:
                slots = self.values[value]
                rows = result[slots] = slots + (self.shift[value] + base)
                busy[rows] = np.maximum(busy[rows], self.dies[slots])
            top = max(top, end + base)
        return result

    def _extent(self, members: Sequence[int]) -> tuple[bool, int, int, int]:
        """Return whether a block may be moved, when it is written first, its first row and the one after its last."""
        start = min([self.spans[value][0] + self.shift[value] for value in members])
        end = max([self.spans[value][1] + self.shift[value] for value in members]) + 1
        return start >= self.leaves, min([self.written[value] for value in members]), start, end

    def _keep_distances(self) -> None:
        """Unite the values that one strided view reads, and gradients that lie in a run."""
        np = numpy()
        together = [
            x.slots for x in self.program.cotangents[-1:] if x.space == self.space and (np.diff(x.slots) == 1).all()
        ]
        for draft in self.drafts:
            for view, slots in zip(draft.step.operands, draft.operands):
                if view.space == self.space and isinstance(view, StridedView):
                    together.append(slots)
        for slots in together:
            found = self.value[slots]
            if (found != found[0]).any():
                first, *others = np.unique(found).tolist()
                for value in others:
                    self._unite(self.block[first], self.block[value], 0)

    def _unite(self, block: int, other: int, shift: int) -> None:
        """Make a block of two, the rows of the other `shift` rows higher; as many rows more, unless it is moved."""
        if block != other:
            for value in self.members[other]:
                self.block[value] = block
                self.shift[value] += shift
            self.members[block] += self.members[other]
            self.members[other] = []
            self.lengths[block] += self.lengths[other]

    def _write_over(self) -> None:
        """Let elementwise steps write over an operand, where one of the two is a block for itself."""
        for time, draft in enumerate(self.drafts):
            step = draft.step
            if step.instruction is None or step.instruction.kind != "elementwise" or step.results.space != self.space:
                continue
            for view, slots in zip(step.operands, draft.operands):
                if (
                    view.space == self.space
                    and isinstance(view, StridedView)
                    and self._is_free(time, draft, view, slots)
                ):
                    size = len(slots)
                    to, of = self.value[draft.results[0]], self.value[slots[0]]
                    block, other = self.block[to], self.block[of]
                    shift = (int(draft.results[0]) + self.shift[to]) - (int(slots[0]) + self.shift[of])
                    if self.lengths[other] != size:
                        block, other, shift = other, block, -shift
                    self._unite(block, other, shift)
                    self.lengths[block] -= size
                    break

    def _is_free(self, time: int, draft: Draft, view: StridedView, slots: Any) -> bool:
        """Say whether results may take the rows of an operand."""
        results = draft.step.results
        other, block = self.block[self.value[slots[0]]], self.block[self.value[draft.results[0]]]
        if (
            (view.sizes, view.steps) != (results.sizes, results.steps)
            or block == other
            or len(slots) not in (self.lengths[block], self.lengths[other])
            or (self.dies[slots] != time).any()
        ):
            return False
        for operand, read in zip(draft.step.operands, draft.operands):
            if operand.space == self.space and operand != view and self.block[self.value[read[0]]] == other:
                if numpy().isin(read, slots).any():
                    return False
        return True

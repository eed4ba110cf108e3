"""Buffer assignment: rows for the addresses of each space, by liveness over forward and backward pass together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from typing import Any

from microgradlib.compiler.instructions import BATCHED, ProgramData
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.planning.views import Draft, Reading, Views

__all__ = ["assign_rows"]

BEFORE, ALWAYS = -1, 1 << 60
"""The times before all steps and after them; step i reads and writes at time i."""


def assign_rows(program: ProgramData, views: Views, space: int) -> Any:
    """Return the row of each address of a space, an array; the last, that of `NOT_REACHED`, is the row of zeros.

    A value, the addresses of a leaf or the results of one step, lives from when it is written until it is read for the
    last time; what is made before the batch lives always, as leaves do. Values that one strided view reads keep their
    distances: they are a block, and so are the gradients. An elementwise step writes over an operand that is read there
    for the last time, if both are the same view and one of them is a block of its own. Each block takes the lowest rows
    that are free when its first value is written.
    """
    values = _Values(program, views, space)
    for gradients in program.cotangents[-1:]:
        if gradients.space == space:
            addresses = views.addresses[space][gradients.slots]
            values.keep_distances(addresses[addresses >= program.sizes[space]])
    for draft in views.drafts:
        for read in draft.operands:
            if read.space == space and read.view is not None:
                values.keep_distances(read.addresses)
    for time, draft in enumerate(views.drafts):
        if draft.instruction and draft.instruction.kind == "elementwise" and draft.results.space == space:
            reads = [read for read in draft.operands if read.space == space]
            any(values.write_over(read, draft.results, reads, time) for read in reads)
    return values.rows()


def _ends_of_runs(views: Views) -> list[int]:
    """Return when the operands of each step are free: of a copy, after the steps behind it with as many results.

    Engines compute these together, entry by entry (see `fusion`), so they may not write over what it copies.
    """
    found, end, size = list[int](), BEFORE, 0
    for time, draft in reversed(list(enumerate(views.drafts))):
        if draft.fused_size != size:
            end, size = time, draft.fused_size
        found.append(time if draft.instruction else end)
    return found[::-1]


def _ends_of_segments(views: Views) -> Any:
    """Return until when no other value takes the rows of what dies at a time: before all steps, by each, and never.

    What is computed segment by segment (see `segments`) may not be written over before all segments are done: sums of
    segments, the steps beside them on as many entries, or as many segments, and a copy of what these give, in squares.
    """
    drafts, found, end = views.drafts, list(range(len(views.drafts))), 0
    for index, draft in enumerate(drafts):
        if draft.segments and index >= end:
            is_beside = partial(Draft.is_beside, draft)
            start = index - len(list(takewhile(is_beside, reversed(drafts[:index]))))
            end = index + 1 + len(list(takewhile(is_beside, drafts[index + 1 :])))
            end += any(each.instruction is None for each in drafts[end : end + 1])
            found[start:end] = [end - 1] * (end - start)
    return numpy().array([BEFORE, *found, ALWAYS])


@dataclass(eq=False, slots=True)
class _Block:
    """Values with fixed distances: places from `start` to before `end`; the first of them is written at `written`."""

    written: int
    start: int
    end: int
    values: list[int]


class _Values:
    """The values of one space: the addresses and the block of each; of each address its value and when it dies."""

    def __init__(self, program: ProgramData, views: Views, space: int) -> None:
        np, size = numpy(), views.sizes[space]
        self.addresses: list[Any] = []
        self.blocks: list[_Block] = []
        self.dies, self.value = np.full((2, size + 1), BEFORE)
        self.place = np.arange(size + 1)
        """Of each address, in its block."""
        leaves = program.inputs if space == BATCHED else len(program.parameter_order)
        alone = program.ones if space == BATCHED else program.constant_slots
        seeds = [seed.slots for seed in program.seeds if seed.space == space]
        for addresses in filter(len, [np.arange(leaves), *np.array([alone], np.intp).T, *seeds]):
            self._add(addresses, BEFORE)
        kept = self.addresses.copy()
        last, self.until = _ends_of_runs(views), _ends_of_segments(views)
        for time, draft in enumerate(views.drafts):
            for read in draft.operands:
                if read.space == space:
                    self.dies[read.addresses] = np.maximum(self.dies[read.addresses], last[time])
            if draft.results.space == space:
                self._add(draft.results.addresses, BEFORE if draft.phase == "before" else time)
                if draft.phase == "before":
                    kept.append(draft.results.addresses)
        given = [x.slots for x in program.outputs + program.cotangents if x.space == space]
        for addresses in kept + [views.addresses[space][slots] for slots in given]:
            self.dies[addresses] = ALWAYS

    def _add(self, addresses: Any, time: int) -> None:
        value = len(self.addresses)
        self.value[addresses], self.dies[addresses] = value, time
        self.addresses.append(addresses)
        self.blocks.append(_Block(time, int(addresses.min()), int(addresses.max()) + 1, [value]))

    def _unite(self, block: _Block, other: _Block, shift: int = 0) -> None:
        """Make one block of two, the places of the other `shift` higher."""
        for value in other.values:
            self.place[self.addresses[value]] += shift
            self.blocks[value] = block
        block.values += other.values
        block.written = min(block.written, other.written)
        block.start, block.end = min(block.start, other.start + shift), max(block.end, other.end + shift)

    def block_of(self, addresses: Any) -> _Block:
        """Return the block in which addresses that are read together are."""
        return self.blocks[int(self.value[addresses[0]])]

    def keep_distances(self, addresses: Any) -> None:
        """Make one block of the values of addresses."""
        found = self.value[addresses]
        for value in set(found[1:][found[1:] != found[:-1]].tolist()):
            if self.blocks[value] is not self.block_of(addresses):
                self._unite(self.block_of(addresses), self.blocks[value])

    def write_over(self, read: Reading, results: Reading, reads: list[Reading], time: int) -> bool:
        """Put an operand into the places of a step's results, if these may be written over it; say whether they may."""
        block, own = self.block_of(results.addresses), self.block_of(read.addresses)
        if own is block or own.end - own.start > len(read.addresses) or read.view.steps != results.view.steps:
            return False
        is_read_otherwise = any(self.block_of(other.addresses) is own and other.view != read.view for other in reads)
        if is_read_otherwise or (self.dies[read.addresses] != time).any():
            return False
        self._unite(block, own, int(self.place[results.addresses[0]] - self.place[read.addresses[0]]))
        return True

    def rows(self) -> Any:
        """Return the row of each address."""
        np = numpy()
        blocks = sorted(dict.fromkeys(self.blocks), key=lambda block: (block.written, block.start))
        until = self.until.take(self.dies + 1, mode="clip")
        busy, top = np.full(sum([block.end - block.start for block in blocks]), BEFORE - 1), 0
        for block in blocks:
            taken = np.concatenate([[-1], np.flatnonzero(busy[:top] >= block.written), [ALWAYS]])
            base = int(taken[(taken[1:] - taken[:-1] > block.end - block.start).argmax()]) + 1 - block.start
            for addresses in [self.addresses[value] for value in block.values]:
                rows = self.place[addresses] = self.place[addresses] + base
                busy[rows] = np.maximum(busy[rows], until[addresses])
            top = max(top, block.end + base)
        self.place[-1] = top
        return self.place

"""Buffer assignment: rows for the slots of each space, by liveness over forward and backward pass together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from microgradlib.compiler.instructions import BATCHED, UNBATCHED
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.planning.data import BlockGather, Step, StridedView

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.compiler.instructions import ProgramData

__all__ = ["assign_rows", "slots_of"]

BEFORE, ALWAYS = -1, 1 << 60
"""The times before all steps and after them."""


def slots_of(view: StridedView | BlockGather) -> Any:
    """Return the rows of a view in order, an array of one axis.

    >>> slots_of(StridedView(0, 4, (2, 2), (10, 1)))
    array([ 4,  5, 14, 15])
    """
    np = numpy()
    if isinstance(view, BlockGather):
        return (view.start + view.width * view.places[:, None] + np.arange(view.width)).ravel()
    rows = np.array([view.start])
    for size, step in zip(view.sizes, view.steps):
        rows = (rows[:, None] + step * np.arange(size)).ravel()
    return rows


def assign_rows(program: ProgramData, steps: Sequence[Step], sizes: Sequence[int]) -> tuple[Any, Any]:
    """Return the row of each slot of each space, an array; −1 for slots that nothing uses.

    Slots that one strided view reads keep their distances. Others take rows as soon as what was in them is read for
    the last time: step i reads at time 2i and writes at 2i + 1. An elementwise step may write over an operand that is
    read there for the last time, if both are the same view.
    """
    return tuple([_Space(program, steps, space, sizes[space]).rows() for space in (UNBATCHED, BATCHED)])  # type: ignore[return-value]


class _Space:
    """The liveness of one space's slots, and the blocks of slots that keep their distances."""

    def __init__(self, program: ProgramData, steps: Sequence[Step], space: int, size: int) -> None:
        np = numpy()
        self.steps, self.space, self.size = steps, space, size
        self.born, self.dies = np.full(size, ALWAYS), np.full(size, BEFORE)
        self.value = np.zeros(size, dtype=np.intp)
        self.leaves = len(program.parameter_order) if space == UNBATCHED else program.inputs
        self._live(program)

    def _live(self, program: ProgramData) -> None:
        """Find when each slot is written and read for the last time, and the value that it belongs to."""
        np = numpy()
        pinned = [range(self.leaves)]
        pinned += [[slot] for slot in (program.constant_slots if self.space == UNBATCHED else program.ones)]
        pinned += [seeds.slots for seeds in program.seeds if seeds.space == self.space]
        self.values: list[Any] = [slots for slots in map(np.asarray, pinned) if len(slots)]
        for slots in self.values:
            self.born[slots], self.dies[slots] = BEFORE, ALWAYS
        self.reads: list[Any] = []
        for time, step in enumerate(self.steps):
            for operand in step.operands:
                if operand.space == self.space:
                    slots = slots_of(operand)
                    self.dies[slots] = np.maximum(self.dies[slots], 2 * time + 1)
                    if isinstance(operand, StridedView):
                        self.reads.append(slots)
            if step.results.space == self.space:
                slots = slots_of(step.results)
                self.born[slots] = 2 * time + 1
                self.dies[slots] = np.maximum(self.dies[slots], 2 * time + 1)
                self.values.append(slots)
        for operand in program.outputs + program.cotangents:
            if operand.space == self.space:
                self.dies[operand.slots[operand.slots >= 0]] = ALWAYS
        for number, slots in enumerate(self.values):
            self.value[slots] = number

    def rows(self) -> Any:
        np = numpy()
        result = np.full(self.size, -1)
        placed = np.zeros((0, 4), dtype=np.int64)
        blocks = [self._pieces(np.concatenate([self.values[v] for v in members])) for members in self._together()]
        for pieces in sorted(blocks, key=lambda pieces: (pieces[:, 2].min(), pieces[0, 0])):
            is_fixed = pieces[0, 0] < self.leaves
            shift = 0 if is_fixed else _lowest(placed, pieces)
            for start, end, _, _ in pieces.tolist():
                result[start:end] = np.arange(start, end) + shift
            placed = np.concatenate([placed, pieces + np.array([shift, shift, 0, 0])])
        return result

    def _together(self) -> list[list[int]]:
        """Return the sets of values that are read together, by strided views."""
        np = numpy()
        parent = list(range(len(self.values)))

        def root(v: int) -> int:
            while parent[v] != v:
                parent[v] = v = parent[parent[v]]
            return v

        for slots in self.reads:
            first, *others = np.unique(self.value[slots]).tolist()
            for v in others:
                parent[root(v)] = root(first)
        sets: dict[int, list[int]] = {}
        for v in range(len(parent)):
            sets.setdefault(root(v), []).append(v)
        return list(sets.values())

    def _pieces(self, slots: Any) -> Any:
        """Return the runs (start, end, born, dies) of neighbouring slots with one lifetime."""
        np = numpy()
        slots = np.sort(slots)
        born, dies = self.born[slots], self.dies[slots]
        cuts = np.flatnonzero((np.diff(slots) != 1) | (np.diff(born) != 0) | (np.diff(dies) != 0)) + 1
        starts, ends = np.concatenate([[0], cuts]), np.concatenate([cuts, [len(slots)]]) - 1
        return np.stack([slots[starts], slots[ends] + 1, born[starts], dies[starts]], 1)


def _lowest(placed: Any, pieces: Any) -> int:
    """Return the shift by which pieces lie lowest, without a row that another placed one has at the same time."""
    np = numpy()
    least = -int(pieces[:, 0].min())
    low, high = pieces[:, 2].min(), pieces[:, 3].max()
    others = placed[(placed[:, 2] <= high) & (placed[:, 3] >= low)]
    meet = (others[:, None, 2] <= pieces[None, :, 3]) & (others[:, None, 3] >= pieces[None, :, 2])
    first = (others[:, None, 0] - pieces[None, :, 1] + 1)[meet]  # shifts from here to `last` are forbidden
    last = (others[:, None, 1] - pieces[None, :, 0] - 1)[meet]
    order = np.argsort(first)
    reached = np.maximum.accumulate(np.concatenate([[least - 1], last[order]]))
    free = np.flatnonzero(np.append(first[order], ALWAYS) > reached + 1)
    return int(reached[free[0]]) + 1

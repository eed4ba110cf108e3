"""Views: the steps of a program on its slots; what is not evenly spaced is gathered to new slots once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from microgradlib.compiler.instructions import BATCHED, NOT_REACHED, UNBATCHED, Operand
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.planning.data import BlockGather, Step, StridedView
from microgradlib.compiler.planning.strides import common_shape, even_axes, steps_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.compiler.instructions import Instruction, ProgramData

__all__ = ["views"]

MOST_AXES = 4
"""An elementwise step or a reduction has so many axes at most."""


class Shaped(NamedTuple):
    """What an operand or the results are to be read as."""

    shape: tuple[int, ...]
    dense: int | None = None
    """The axis that must have step 1, if any."""


def views(program: ProgramData) -> tuple[tuple[Step, ...], tuple[int, int]]:
    """Return the steps, whose rows are slots still, and how many slots there are with those that are gathered to.

    >>> from microgradlib.compiler.trace import trace
    >>> from microgradlib.compiler.vectorize import vectorize
    >>> steps, _ = views(vectorize(trace(lambda x: x[0] * x[1] + x[1] * x[2], [[1.0, 2.0, 3.0]], [])))
    """
    return _Reader(program).steps()


class _Reader:
    """Collects the steps; knows the axes of each array of slots, and what is gathered already."""

    def __init__(self, program: ProgramData) -> None:
        self.program, self.sizes = program, list(program.sizes)
        self.found: list[Step] = []
        self.gathered: dict[Operand, int] = {}
        self._axes: dict[int, Any] = {}

    def steps(self) -> tuple[tuple[Step, ...], tuple[int, int]]:
        for position, instruction in enumerate(self.program.instructions):
            results, *operands = self._shapes(instruction)
            target = self._view(instruction.results, results)
            if target is None:
                raise ValueError(f"instruction {position} writes slots that are not evenly spaced: {instruction}")
            sources = [self._read(x, y, position) for x, y in zip(instruction.operands, operands)]
            self.found.append(Step(instruction, target, tuple(sources), position))
        return tuple(self.found), (self.sizes[UNBATCHED], self.sizes[BATCHED])

    def _shapes(self, instruction: Instruction) -> list[Shaped]:
        """Return what the results and each operand are read as."""
        everything = (instruction.results, *instruction.operands)
        if instruction.kind == "matmul":
            return _matrices(instruction)
        if instruction.kind == "segment_reduce":
            terms = sum(instruction.counts)
            return [
                Shaped((terms if len(x.slots) == terms * instruction.width else len(instruction.counts), instruction.width))
                for x in everything
            ]
        terms = instruction.terms if instruction.kind == "reduce" else 1
        n = max(len(x.slots) for x in everything)
        found = [(self.axes(x), 1 if len(x.slots) == n else terms) for x in everything]
        shape = common_shape(n, found, MOST_AXES, terms)
        rows = shape if instruction.kind == "elementwise" else shape if terms > 1 else (*shape, 1)
        return [Shaped(rows if len(x.slots) == n else (*rows[:-1], 1)) for x in everything]

    def axes(self, operand: Operand) -> Any:
        """Return the axes of an operand's slots, None if they are not even."""
        key = id(operand.slots)
        if key not in self._axes:
            is_padded = len(operand.slots) == 0 or int(operand.slots.min()) == NOT_REACHED
            self._axes[key] = None if is_padded else even_axes(operand.slots, MOST_AXES)
        return self._axes[key]

    def _view(self, operand: Operand, wanted: Shaped) -> StridedView | None:
        steps = steps_in(operand.slots, self.axes(operand), wanted.shape)
        if steps is None or (wanted.dense is not None and wanted.shape[wanted.dense] > 1 and steps[wanted.dense] != 1):
            return None
        return StridedView(operand.space, int(operand.slots[0]), wanted.shape, steps)

    def _read(self, operand: Operand, wanted: Shaped, position: int) -> StridedView:
        found = self._view(operand, wanted)
        if found is not None:
            return found
        source, steps = operand, _natural(wanted.shape)
        if len(wanted.shape) == 3 and wanted.dense != 2 and (wanted.dense is not None or source not in self.gathered):
            turned = Operand.of(operand.space, operand.slots.reshape(wanted.shape).swapaxes(1, 2).ravel())
            if wanted.dense is not None or turned in self.gathered:  # adjoints read what is gathered, transposed
                a, b, c = wanted.shape
                outer, inner, middle = _natural((a, c, b))
                source, steps = turned, (outer, middle, inner)
        return StridedView(operand.space, self._gather(source, position), wanted.shape, steps)

    def _gather(self, operand: Operand, position: int) -> int:
        """Return the first of the slots to which an operand is gathered, with a step that does it, if it is new."""
        if operand not in self.gathered:
            n, start = len(operand.slots), self.sizes[operand.space]
            self.sizes[operand.space] += n
            self.gathered[operand] = start
            source = BlockGather(operand.space, 0, 1, operand.slots)
            self.found.append(Step(None, StridedView(operand.space, start, (n,), (1,)), (source,), position))
        return self.gathered[operand]


def _matrices(instruction: Instruction) -> list[Shaped]:
    """Return the shapes of Z, W and X. Which axis must be dense, of what is batched: see `Step`."""
    count, rows, terms, columns = instruction.shape
    w, x = instruction.operands
    z_shape, w_shape, x_shape = (count, rows, columns), (count, rows, terms), (count, terms, columns)
    if instruction.sums_batch:
        return [
            Shaped(z_shape),
            Shaped(w_shape, 2 if w.space == BATCHED else None),
            Shaped(x_shape, 1 if x.space == BATCHED else None),
        ]
    if w.space == UNBATCHED and x.space == BATCHED:
        return [Shaped(z_shape, 2), Shaped(w_shape), Shaped(x_shape, 2)]
    return [Shaped(z_shape), Shaped(w_shape), Shaped(x_shape)]


def _natural(shape: Sequence[int]) -> tuple[int, ...]:
    """Return the steps of consecutive rows in this shape."""
    steps, step = [], 1
    for size in reversed(shape):
        steps.append(step if size > 1 else 0)
        step *= size
    return tuple(reversed(steps))

"""Views: the steps of a program on its slots; what is not evenly spaced is gathered to new slots once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from microgradlib.compiler.instructions import BATCHED, NOT_REACHED, UNBATCHED, Operand
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.planning.data import BlockGather, Step, StridedView
from microgradlib.compiler.planning.strides import common_shape, even_axes, natural_steps, steps_in

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from microgradlib.compiler.instructions import Instruction, ProgramData

__all__ = ["AxesOf", "Draft", "Shaped", "shapes", "view_of", "views"]

MOST_AXES = 4
"""An elementwise step or a reduction has so many axes at most."""


class Draft(NamedTuple):
    """A step whose views have slots for rows, and these slots in order."""

    step: Step
    results: Any
    operands: tuple[Any, ...]


class Shaped(NamedTuple):
    """What an operand or the results are to be read as."""

    shape: tuple[int, ...]
    dense: int | None = None
    """The axis that must have step 1, if any."""


class AxesOf(dict[int, Any]):
    """The axes along which the slots of operands are evenly spaced, None where they are not; each is computed once."""

    def __call__(self, operand: Operand) -> Any:
        """Return the axes of an operand."""
        slots = operand.slots
        if id(slots) not in self:
            axes = even_axes(slots, MOST_AXES)
            if axes is not None and slots[0] + sum([min(0, (size - 1) * step) for size, step in axes]) <= NOT_REACHED:
                axes = None
            self[id(slots)] = axes, slots  # which keeps them, so that no others get their id
        return self[id(slots)][0]


def shapes(instruction: Instruction, axes_of: Callable[[Operand], Any]) -> list[Shaped]:
    """Return what the results and each operand are read as; see `Step`."""
    everything = (instruction.results, *instruction.operands)
    if instruction.kind == "matmul":
        return _matrices(instruction)
    if instruction.kind == "segment_reduce":
        return [Shaped((len(x.slots) // instruction.width, instruction.width)) for x in everything]
    terms = instruction.terms if instruction.kind == "reduce" else 1
    n = max(len(x.slots) for x in everything)
    found = [(axes_of(x), 1 if len(x.slots) == n else terms) for x in everything]
    shape = common_shape(n, found, MOST_AXES, terms)
    rows = (*shape, 1) if instruction.kind == "reduce" and terms == 1 else shape
    return [Shaped(rows if len(x.slots) == n else (*rows[:-1], 1)) for x in everything]


def _matrices(instruction: Instruction) -> list[Shaped]:
    """Return the shapes of Z, W and X."""
    count, rows, terms, columns = instruction.shape
    everything = (instruction.results, *instruction.operands)
    is_mixed = [operand.space for operand in instruction.operands] == [UNBATCHED, BATCHED]
    dense = (None, 2, 1) if instruction.sums_batch else (2, None, 2) if is_mixed else (None, None, None)
    sizes = ((count, rows, columns), (count, rows, terms), (count, terms, columns))
    return [Shaped(n, axis if x.space == BATCHED else None) for x, n, axis in zip(everything, sizes, dense)]


def view_of(operand: Operand, axes: Any, wanted: Shaped) -> StridedView | None:
    """Return the view, on slots, of an operand with these axes, or None if it cannot be read so."""
    steps = None if axes is None else steps_in(axes, wanted.shape)
    if steps is None or (wanted.dense is not None and wanted.shape[wanted.dense] > 1 and steps[wanted.dense] != 1):
        return None
    return StridedView(operand.space, int(operand.slots[0]), wanted.shape, steps)


def views(program: ProgramData, axes_of: AxesOf) -> tuple[tuple[Draft, ...], tuple[int, int]]:
    """Return the steps, whose rows are slots still, and how many slots there are with those that are gathered to.

    >>> from microgradlib.compiler.trace import trace
    >>> from microgradlib.compiler.vectorize import vectorize
    >>> program = vectorize(trace(lambda x: [x[2] * x[0], x[0] * x[3], x[1] * x[2]], [[1.0, 2.0, 3.0, 4.0]], []))
    >>> drafts, sizes = views(program, AxesOf())
    >>> print(*[draft.step for draft in drafts], sep="; ")
    batched[7:10] = gather batched[3 runs of 1]; batched[4:7] = elementwise mul batched[0:3], batched[7:10]
    """
    reader = _Reader(program.sizes, axes_of)
    for position, instruction in enumerate(program.instructions):
        reader.add(position, instruction)
    return tuple(reader.drafts), (reader.sizes[UNBATCHED], reader.sizes[BATCHED])


class _Reader:
    """Collects the steps, and knows what is gathered already."""

    def __init__(self, sizes: Sequence[int], axes_of: AxesOf) -> None:
        self.sizes, self.axes_of = list(sizes), axes_of
        self.drafts: list[Draft] = []
        self.gathered: dict[Operand, Any] = {}

    def add(self, position: int, instruction: Instruction) -> None:
        """Add the step of an instruction, and before it those that gather what it reads."""
        results, *operands = shapes(instruction, self.axes_of)
        target = view_of(instruction.results, self.axes_of(instruction.results), results)
        if target is None:
            message = (
                f"the results of an instruction must be evenly spaced slots, got instruction {position}: {instruction}"
            )
            raise ValueError(message)
        read = [self._read(x, y, position) for x, y in zip(instruction.operands, operands)]
        step = Step(instruction, target, tuple([view for view, _ in read]), position)
        self.drafts.append(Draft(step, instruction.results.slots, tuple([slots for _, slots in read])))

    def _read(self, operand: Operand, wanted: Shaped, position: int) -> tuple[StridedView, Any]:
        """Return the view of an operand, and the slots that it reads; they are others where it is gathered."""
        found = view_of(operand, self.axes_of(operand), wanted)
        if found is not None:
            return found, operand.slots
        source, steps = operand, natural_steps(wanted.shape)
        if len(wanted.shape) == 3 and wanted.dense != 2 and (wanted.dense is not None or source not in self.gathered):
            turned = Operand.of(operand.space, operand.slots.reshape(wanted.shape).swapaxes(1, 2).ravel())
            if wanted.dense is not None or turned in self.gathered:  # adjoints read what is gathered, transposed
                a, b, c = wanted.shape
                outer, inner, middle = natural_steps((a, c, b))
                source, steps = turned, (outer, middle, inner)
        copy = self._gather(source, position)
        return StridedView(operand.space, int(copy[0]), wanted.shape, steps), copy

    def _gather(self, operand: Operand, position: int) -> Any:
        """Return the slots to which an operand is gathered, with a step that does it, if it is new."""
        if operand not in self.gathered:
            n, start = len(operand.slots), self.sizes[operand.space]
            self.sizes[operand.space] += n
            copy = self.gathered[operand] = numpy().arange(start, start + n)
            source = BlockGather(operand.space, 0, 1, operand.slots)
            step = Step(None, StridedView(operand.space, start, (n,), (1,)), (source,), position)
            self.drafts.append(Draft(step, copy, (operand.slots[operand.slots >= 0],)))
        return self.gathered[operand]

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

__all__ = ["AxesOf", "Draft", "readings", "views"]

MOST_AXES = 4
"""An elementwise step or a reduction has so many axes at most."""


class Draft(NamedTuple):
    """A step whose views have slots for rows, and these slots in order."""

    step: Step
    results: Any
    operands: tuple[Any, ...]


class Reading(NamedTuple):
    """How the slots of an operand, or of results, are read: as what shape, which of its axes must have step 1, if any.

    `view` has slots for rows; it is None where the slots are not even in that shape, or the axis has another step.
    """

    operand: Operand
    shape: tuple[int, ...]
    dense: int | None
    view: StridedView | None


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


def readings(instruction: Instruction, axes_of: Callable[[Operand], Any]) -> list[Reading]:
    """Return how the results and each operand are read; see `Step` for the shapes."""
    everything = (instruction.results, *instruction.operands)
    dense: tuple[int | None, ...] = (None,) * len(everything)
    if instruction.kind == "matmul":
        count, rows, terms, columns = instruction.shape
        shapes: list[tuple[int, ...]] = [(count, rows, columns), (count, rows, terms), (count, terms, columns)]
        is_mixed = [operand.space for operand in instruction.operands] == [UNBATCHED, BATCHED]
        axes = (None, 2, 1) if instruction.sums_batch else (2, None, 2) if is_mixed else dense
        dense = tuple([axis if x.space == BATCHED else None for x, axis in zip(everything, axes)])
    elif instruction.kind == "segment_reduce":
        shapes = [(len(x.slots) // instruction.width, instruction.width) for x in everything]
    else:
        terms = instruction.terms if instruction.kind == "reduce" else 1
        n = max([len(x.slots) for x in everything])
        shape = common_shape(n, [(axes_of(x), 1 if len(x.slots) == n else terms) for x in everything], MOST_AXES, terms)
        shape = (*shape, 1) if instruction.kind == "reduce" and terms == 1 else shape
        shapes = [shape if len(x.slots) == n else (*shape[:-1], 1) for x in everything]
    return [
        Reading(x, shape, axis, _view(x, axes_of(x), shape, axis)) for x, shape, axis in zip(everything, shapes, dense)
    ]


def _view(operand: Operand, axes: Any, shape: tuple[int, ...], dense: int | None) -> StridedView | None:
    steps = None if axes is None else steps_in(axes, shape)
    if steps is None or (dense is not None and shape[dense] > 1 and steps[dense] != 1):
        return None
    return StridedView(operand.space, int(operand.slots[0]), shape, steps)


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
        results, *operands = readings(instruction, self.axes_of)
        if results.view is None:
            message = f"results must be evenly spaced slots, got instruction {position}: {instruction}"
            raise ValueError(message)
        read = [
            (found.view, found.operand.slots) if found.view else self._copied(found, position) for found in operands
        ]
        step = Step(instruction, results.view, tuple([view for view, _ in read]), position)
        self.drafts.append(Draft(step, instruction.results.slots, tuple([slots for _, slots in read])))

    def _copied(self, wanted: Reading, position: int) -> tuple[StridedView, Any]:
        """Return a view of the slots to which an operand is gathered, and these."""
        source, shape, dense, _ = wanted
        steps = natural_steps(shape)
        if len(shape) == 3 and dense != 2 and (dense == 1 or source not in self.gathered):
            turned = Operand.of(source.space, source.slots.reshape(shape).swapaxes(1, 2).ravel())
            if dense == 1 or turned in self.gathered:  # adjoints read what is gathered, transposed
                outer, inner, middle = natural_steps((shape[0], shape[2], shape[1]))
                source, steps = turned, (outer, middle, inner)
        copy = self._gather(source, position)
        return StridedView(source.space, int(copy[0]), shape, steps), copy

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

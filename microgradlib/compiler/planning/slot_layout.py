"""Slot layout: results of a backward pass in the order in which they are read, so that fewer have to be gathered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from microgradlib.compiler.instructions import BATCHED, UNBATCHED, Operand, slot_array
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.planning.strides import even_axes
from microgradlib.compiler.planning.views import MOST_AXES, readings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from microgradlib.compiler.instructions import Instruction, ProgramData
    from microgradlib.compiler.planning.views import AxesOf

__all__ = ["arranged"]


def arranged(program: ProgramData, axes_of: AxesOf) -> ProgramData:
    """Return a program with some results renumbered: those of its last backward pass, and of batched matrix products.

    What would be gathered gets consecutive slots, if the results of every instruction stay evenly spaced, and none has
    its place already: first the gradients, then the factors of matrix products, those of later instructions before
    those of earlier ones, then other operands.

    >>> from microgradlib.compiler.canonicalize import canonicalize
    >>> from microgradlib.compiler.planning.views import AxesOf
    >>> from microgradlib.compiler.reverse import reverse
    >>> from microgradlib.compiler.trace import trace
    >>> from microgradlib.compiler.vectorize import vectorize
    >>> from microgradlib.nn import MLP
    >>> model = MLP(2, [2, 1])
    >>> joint = reverse(vectorize(canonicalize(trace(lambda x: model(x), [[0.0, 0.0]], model.parameters()))))
    >>> joint.cotangents, arranged(joint, AxesOf()).cotangents
    ((unbatched[12:18, 9:12],), (unbatched[9:18],))
    """
    made = {n: i for n, i in enumerate(program.instructions) if n >= _backward(program) or _is_batched_matmul(i)}
    if not made:
        return program
    tables = [_Layout(program, made, space, axes_of).table() for space in (UNBATCHED, BATCHED)]
    start = min(made)

    def moved(operand: Operand) -> Operand:
        slots = tables[operand.space][operand.slots]
        return operand if (slots == operand.slots).all() else Operand(operand.space, slot_array(slots))

    def moved_slots(slots: tuple[int, ...], space: int) -> tuple[int, ...]:
        return tuple(tables[space][list(slots)].tolist())

    renumbered = [
        replace(i, results=moved(i.results), operands=tuple(map(moved, i.operands)))
        for i in program.instructions[start:]
    ]
    return replace(
        program,
        instructions=(*program.instructions[:start], *renumbered),
        constant_slots=moved_slots(program.constant_slots, UNBATCHED),
        ones=moved_slots(program.ones, BATCHED),
        seeds=tuple(map(moved, program.seeds)),
        outputs=tuple(map(moved, program.outputs)),
        cotangents=tuple(map(moved, program.cotangents)),
        cotangent_slots=(),
    )


def _backward(program: ProgramData) -> int:
    """Return the position at which the last backward pass begins."""
    return len(program.instructions) if program.forward is None else program.forward


def _is_batched_matmul(i: Instruction) -> bool:
    return i.kind == "matmul" and all(x.space == BATCHED for x in (i.results, *i.operands))


class _Layout:
    """The places of some instructions' results in one space."""

    def __init__(self, program: ProgramData, made: dict[int, Instruction], space: int, axes_of: AxesOf) -> None:
        self.program, self.space, self.axes_of = program, space, axes_of
        self.made = {n: i for n, i in made.items() if i.space == space}
        self.maker = numpy().full(program.sizes[space] + 1, -1)
        """For each slot the number of the instruction that writes it; −1 for others, and for `NOT_REACHED`."""
        for n, i in self.made.items():
            self.maker[i.results.slots] = n

    def table(self) -> Any:
        """Return the new number of each slot, and −1 for `NOT_REACHED`.

        Where an order leaves some results uneven, it is tried again without what reads these.
        """
        np = numpy()
        readers = list(self._readers())
        while True:
            place, ordered = self._placed(readers)
            uneven = [n for n in ordered if not self._is_even(n, place)]
            if not uneven:
                break
            readers = [slots for slots in readers if not np.isin(self.maker[slots], uneven).any()]
        others = np.flatnonzero(self.maker[:-1] < 0)
        place[place >= 0] += len(others)
        place[others] = np.arange(len(others))
        return place

    def _readers(self) -> Iterator[Any]:
        """Yield the slots of operands in the order in which they should lie, by priority."""
        wanted = [x.slots[x.slots >= 0] for x in self.program.cotangents[-1:] if x.space == self.space]
        latest_first = reversed(self.program.instructions)
        uneven = [i for i in latest_first if i.kind == "matmul" or None in map(self.axes_of, i.operands)]
        for i in sorted(uneven, key=lambda i: i.kind != "matmul"):
            if any(x.space == self.space and self.maker[x.slots[0]] >= 0 for x in i.operands):
                for operand, shape, dense, view in readings(i, self.axes_of)[1:]:
                    if view is None and operand.space == self.space:
                        turned = operand.slots.reshape(shape).swapaxes(1, 2) if dense == 1 else operand.slots
                        wanted.append(turned.ravel())
        yield from (slots for slots in wanted if len(slots) and (self.maker[slots] >= 0).all())

    def _placed(self, readers: list[Any]) -> tuple[Any, set[int]]:
        """Return the place of each slot, and the instructions whose results are read in an order by readers."""
        np = numpy()
        place, ordered, size = np.full(len(self.maker), -1), set(), 0
        for slots in readers:
            if (place[slots] < 0).all():
                order = place[slots] = np.arange(size, size + len(slots))
                found = self.maker[slots]
                makers = {int(found[0]), *found[1:][found[1:] != found[:-1]].tolist()}
                if (place[slots] == order).all() and all(self._is_even(n, place) for n in makers):
                    ordered |= makers
                    size += len(slots)
                else:  # a slot is read twice, or the results of an instruction would be uneven
                    place[slots] = -1
        for i in self.made.values():
            rest = i.results.slots[place[i.results.slots] < 0]
            place[rest] = np.arange(size, size + len(rest))
            size += len(rest)
        return place, ordered

    def _is_even(self, number: int, place: Any) -> bool:
        """Say whether the results of an instruction are evenly spaced, if all have a place."""
        i = self.made[number]
        places = place[i.results.slots]
        if (places < 0).any():
            return True
        axes = even_axes(places, MOST_AXES)
        return readings(i, lambda operand: axes if operand is i.results else None)[0].view is not None

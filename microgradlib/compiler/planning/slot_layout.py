"""Slot layout: the slots of a backward pass numbered in the order in which they are read, so that fewer are gathered."""

from __future__ import annotations

from dataclasses import replace
from operator import is_
from typing import TYPE_CHECKING, Any

from microgradlib.compiler.instructions import BATCHED, UNBATCHED, Operand, slot_array
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.planning.strides import even_axes
from microgradlib.compiler.planning.views import MOST_AXES, shapes, view_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from microgradlib.compiler.instructions import Instruction, ProgramData
    from microgradlib.compiler.planning.views import AxesOf

__all__ = ["arranged"]


def arranged(program: ProgramData, axes_of: AxesOf) -> ProgramData:
    """Return a joint program with the results of its last backward pass renumbered, behind all other slots.

    Each operand gets consecutive slots, if that leaves the results of every instruction evenly spaced, and none of its
    slots is placed yet: the gradients first, then the factors of matrix products, later ones before earlier ones, then
    what would be gathered.
    """
    if program.forward is None:
        return program
    np = numpy()
    tables = []
    for space in (UNBATCHED, BATCHED):
        place = _Layout(program, space, axes_of).places()
        others = np.flatnonzero(place[:-1] < 0)
        place[:-1][place[:-1] >= 0] += len(others)
        place[others] = np.arange(len(others))
        tables.append(place)

    def moved(operand: Operand) -> Operand:
        slots = tables[operand.space][operand.slots]
        return operand if (slots == operand.slots).all() else Operand(operand.space, slot_array(slots))

    def renumbered(i: Instruction) -> Instruction:
        results, operands = moved(i.results), tuple(map(moved, i.operands))
        is_same = results is i.results and all(map(is_, operands, i.operands))
        return i if is_same else replace(i, results=results, operands=operands)

    def moved_slots(slots: tuple[int, ...], space: int) -> tuple[int, ...]:
        return tuple(tables[space][list(slots)].tolist())

    backward = [renumbered(i) for i in program.instructions[program.forward :]]
    return replace(
        program,
        instructions=(*program.instructions[: program.forward], *backward),
        constant_slots=moved_slots(program.constant_slots, UNBATCHED),
        ones=moved_slots(program.ones, BATCHED),
        seeds=tuple(map(moved, program.seeds)),
        outputs=tuple(map(moved, program.outputs)),
        cotangents=tuple(map(moved, program.cotangents)),
    )


class _Layout:
    """The places of the results of the backward pass in one space."""

    def __init__(self, program: ProgramData, space: int, axes_of: AxesOf) -> None:
        np = numpy()
        self.space, self.axes_of = space, axes_of
        self.last, self.backward = program.cotangents[-1], program.instructions[program.forward :]
        self.maker = np.full(program.sizes[space] + 1, -1)
        """For each slot the number of the instruction of the backward pass that writes it; −1 for others."""
        self.made = [n for n, i in enumerate(self.backward) if i.space == space]
        for n in self.made:
            self.maker[self.backward[n].results.slots] = n

    def places(self) -> Any:
        """Return a place for each slot made, from 0 on, −1 for others.

        Where an order leaves some results uneven, it is tried again without what reads these.
        """
        readers = list(self._readers())
        while True:
            place, ordered = self._placed(readers)
            uneven = [n for n in ordered if not self._is_even(n, place)]
            if not uneven:
                return place
            readers = [slots for slots in readers if not numpy().isin(self.maker[slots], uneven).any()]

    def _readers(self) -> Iterator[Any]:
        """Yield what is read, the slots in the order in which they should lie, by priority."""
        matmuls = [i for i in reversed(self.backward) if i.kind == "matmul"]
        others = [i for i in reversed(self.backward) if i.kind != "matmul"]
        wanted = [(self.last, self.last.slots[self.last.slots >= 0])]
        for i in matmuls:
            for operand, (shape, dense) in zip(i.operands, shapes(i, self.axes_of)[1:]):
                wanted.append(
                    (operand, operand.slots.reshape(shape).swapaxes(1, 2).ravel() if dense == 1 else operand.slots)
                )
        wanted += [(x, x.slots) for i in others for x in i.operands if self.axes_of(x) is None]
        for operand, slots in wanted:
            if operand.space == self.space and len(slots) and (self.maker[slots] >= 0).all():
                yield slots

    def _placed(self, readers: list[Any]) -> tuple[Any, set[int]]:
        """Return the places, and the instructions whose results have other orders than before."""
        np = numpy()
        place, ordered, size = np.full(len(self.maker), -1), set(), 0
        for slots in readers:
            if (place[slots] < 0).all():
                order = place[slots] = np.arange(size, size + len(slots))
                makers = self.maker[slots]
                makers = {int(makers[0]), *makers[1:][makers[1:] != makers[:-1]].tolist()}
                if (place[slots] == order).all() and all(self._is_even(n, place) for n in makers):
                    size += len(slots)
                    ordered |= makers
                else:
                    place[slots] = -1
        for n in self.made:
            rest = self.backward[n].results.slots
            rest = rest[place[rest] < 0]
            place[rest] = np.arange(size, size + len(rest))
            size += len(rest)
        return place, ordered

    def _is_even(self, number: int, place: Any) -> bool:
        """Say whether the results of an instruction are evenly spaced, if all have a place."""
        i = self.backward[number]
        places = place[i.results.slots]
        if (places < 0).any():
            return True
        axes = even_axes(places, MOST_AXES)
        shape = shapes(i, lambda operand: axes if operand is i.results else None)[0]
        return view_of(Operand(self.space, places), axes, shape) is not None

"""The gradients of one run, each in the slot of its number, and the steps that set, add and pass them on."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from microgradlib.compiler.banks import Read
from microgradlib.compiler.instructions import BATCH, FIXED, Operand
from microgradlib.compiler.loans import Loan, Loans
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.reading import Grid
from microgradlib.compiler.reductions import sum_products
from microgradlib.compiler.scattering import Scattering, runs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from microgradlib.compiler.banks import Banks, Bound
    from microgradlib.compiler.kernels import Step

    Finish = Callable[[Any, Any], list[Step]]

__all__ = ["Gradients"]

MOST_STRETCHES = 4
"""In how many stretches slots that lie anyhow are gone through; if there are more, one by one."""


class Gradients:
    """Arrays (slots, 1) and (slots, batch), and the steps of the backward pass.

    The gradient of one instruction's results as a whole is not kept there but lent: it may be the same memory as the
    gradient that it was passed on from, as that of a sum is, or a piece of memory that serves again when the
    instruction has passed it on. So the backward pass works on little memory, which stays in the cache.
    """

    def __init__(self, banks: Banks, needed: Sequence[Any], bounds: Iterable[Bound]) -> None:
        np = numpy()
        self.banks, self.needed = banks, needed
        self.arrays = [np.zeros_like(numbers) for numbers in banks.numbers]
        self.ones = np.ones((banks.batch, 1), banks.dtype)
        spans = list(map(_span, bounds))
        self.loans = Loans(spans, banks.dtype)
        self.makers = [np.zeros(len(array), int) for array in self.arrays]
        for bank, start, size in spans:
            self.makers[bank][start : start + size] += 1
        self.own_slots: Any = None
        self.start()

    def start(self) -> None:
        """Begin a new list of steps: nothing is written yet."""
        self.written = [numpy().zeros(len(array), bool) for array in self.arrays]
        self.steps: list[Step] = []
        self.loans.start()

    def is_needed(self, operand: Operand) -> bool:
        """Say whether some slot of the operand depends on what is differentiated by."""
        return bool(self.needed[operand.bank][list(operand.slots)].any())

    def shape_of(self, bound: Bound) -> tuple[int, ...] | None:
        """Return the shape of the gradient of the results, if that is lent."""
        return self.loans.shape_of(_span(bound))

    def of(self, bound: Bound, shape: tuple[int, ...]) -> Any:
        """Return the gradient of an instruction's results in this shape; None where no reader passed one on."""
        bank, start, size = span = _span(bound)
        shared = bool((self.makers[bank][start : start + size] > 1).any())  # they are an operand's slots too
        lent = self.loans.passed_on(span, shape)
        if lent is not None:
            self.own_slots = span if shared and not self.loans.memory.holds(self.loans.lender) else None
            return lent
        self._settle(bank, range(start, start + size))
        if not self.written[bank][start : start + size].any():
            return None
        self.clear_the_rest(bank, range(start, start + size))
        self.own_slots = span if shared else None
        if shared:
            self.written[bank][start : start + size] = False
        self.loans.lender = self.arrays[bank][start : start + size]
        return self.loans.lender.reshape(shape)

    def passed_on(self) -> None:
        """Say that the gradient asked for last has been passed on to all operands."""
        self.loans.finish()

    def give(
        self, read: Read, shape: tuple[int, ...], write: Callable[[Any], list[Step]], like: Sequence[Any] = ()
    ) -> None:
        """Give a gradient of this shape to what was read; `write(out)` are the steps that compute it.

        What is to be added to another lies in memory like the arrays `like`.
        """
        place, bank = read.place, read.operand.bank
        loan = self._loan(read, shape)
        if loan is not None and (read.in_place or loan.axes == sorted(loan.axes)):
            self.steps += write(self.loans.taken(loan, shape))
        elif place is not None and self._is_fresh(read) and shape == read.array.shape:
            self.steps += write(place.view(self.arrays[bank]))
            self.written[bank][list(read.operand.slots)] = True
        else:
            part = self.banks.scratch("part", shape, like)
            self.steps += write(part)
            self.add(read, part)

    def give_in_place(self, read: Read, g: Any, write: Callable[[Any], list[Step]]) -> None:
        """Give a gradient of the shape of g, the one asked for last, and write it over g where that is no other's."""
        loan = self._loan(read, g.shape)
        if loan is not None and self._may_lend(loan) and self.loans.may_overwrite(g):
            self.steps += write(g)
            self.loans.lend(loan, g, self.loans.lender)
        else:
            self.give(read, g.shape, write, [g, read.array])

    def pass_on(self, read: Read, part: Any) -> None:
        """Pass on the gradient asked for last, or a view of it; it is lent to what has none yet."""
        loan = self._loan(read, part.shape)
        if loan is not None and self._may_lend(loan):
            self.loans.lend(loan, part, self.loans.lender)
        else:
            self.add(read, part)

    def give_products(self, read: Read, a: Any, b: Any, finish: Finish | None = None) -> None:
        """Give a · b, of the shape of an operand that reads numbers over and over, summed over these.

        `finish(out, y)` are steps that change the sums by what depends on the operand's own numbers, y, alone.
        """
        place, bank = read.place, read.operand.bank
        if place is None or len(set(read.operand.slots)) < math.prod(place.once().sizes):
            part = self.banks.scratch("part", a.shape, [a, b])
            self.steps.append((numpy().multiply, (a, b, part)))
            self._scatter(read.operand, self._over_batch(bank, part), finish)
            return
        target = place.once().view(self.arrays[bank])
        fresh = not self._any(read.operand)
        out = target if fresh else self.banks.scratch("repeats", target.shape)
        self.steps.append((sum_products, (a, b, out)))
        if finish is not None:
            self.steps += finish(out, place.once().view(self.banks.numbers[bank]))
        if fresh:
            self.written[bank][list(read.operand.slots)] = True
        else:
            self._add_to(target, out, read)

    def _loan(self, read: Read, shape: tuple[int, ...]) -> Loan | None:
        """Return how a gradient of this shape can be lent: to all results of an instruction, which have none yet."""
        bank, place = read.operand.bank, read.place
        if place is None or shape != (*place.sizes, self.arrays[bank].shape[1]):
            return None
        axes = place.dense_axes()
        loan = None if axes is None else Loan((bank, place.start, len(read.operand.slots)), axes)
        return loan if loan is not None and loan.span in self.loans.spans and not self._any(read.operand) else None

    def _may_lend(self, loan: Loan) -> bool:
        """Say whether the gradient asked for last will stay where it is, though an operand has the same slots."""
        return self.own_slots is None or self.own_slots == loan.span

    def _is_fresh(self, read: Read) -> bool:
        return read.in_place and read.distinct and not self._any(read.operand)

    def add(self, read: Read, part: Any) -> None:
        """Add a computed gradient to what was read: summed over the batch for the fixed bank, and over repeats."""
        np, place, bank, slots = numpy(), read.place, read.operand.bank, read.operand.slots
        if bank == FIXED and part.shape[-1] > 1:
            if place is not None and read.distinct and not self._any(read.operand):
                self.steps.append((np.matmul, (part, self.ones, place.view(self.arrays[bank]))))
                self.written[bank][list(slots)] = True
                return
            part = self._over_batch(bank, part)
        elif bank == BATCH and part.shape[-1] == 1 != self.banks.batch:
            part = np.broadcast_to(part, (*part.shape[:-1], self.banks.batch))
        if place is None or len(set(slots)) < math.prod(place.once().sizes):
            self._scatter(read.operand, part, None)
        elif place.repeats and not self._any(read.operand):
            self.steps.append((np.add.reduce, (part, place.repeats, None, place.once().view(self.arrays[bank]), True)))
            self.written[bank][list(slots)] = True
        elif place.repeats:
            summed = self.banks.scratch("repeats", (*place.once().sizes, part.shape[-1]))
            self.steps.append((np.add.reduce, (part, place.repeats, None, summed, True)))
            self._add_to(place.once().view(self.arrays[bank]), summed, read)
        else:
            self._add_to(place.view(self.arrays[bank]), part, read)

    def _over_batch(self, bank: int, part: Any) -> Any:
        """Return a gradient summed over the batch, if it is for the fixed bank."""
        if bank == BATCH or part.shape[-1] == 1:
            return part
        summed = self.banks.scratch("summed", (*part.shape[:-1], 1))
        self.steps.append((numpy().matmul, (part, self.ones, summed)))
        return summed

    def _add_to(self, target: Any, part: Any, read: Read) -> None:
        np, bank, slots = numpy(), read.operand.bank, read.operand.slots
        steps = [] if read.place is None else self.loans.add(read.operand, read.place.once(), part)
        if steps:
            self.steps += steps
            return
        if self._any(read.operand):
            self.clear_the_rest(bank, slots)
            self.steps.append((np.add, (target, part, target)))
        else:
            self.steps.append((np.copyto, (target, part)))
        self.written[bank][list(slots)] = True

    def _any(self, operand: Operand) -> bool:
        """Say whether some slot of the operand has a gradient already."""
        return bool(self.written[operand.bank][list(operand.slots)].any()) or self.loans.overlap(operand)

    def _settle(self, bank: int, slots: Iterable[int]) -> None:
        """Copy lent gradients of these slots to their own place."""
        for (_, start, size), part in self.loans.ended(bank, slots):
            target = self.arrays[bank][start : start + size].reshape(part.shape)
            self.steps.append((numpy().copyto, (target, part)))
            self.written[bank][start : start + size] = True

    def clear_the_rest(self, bank: int, slots: Iterable[int]) -> None:
        """Set those gradients to 0 that nothing was written to yet."""
        slots = list(slots)
        self._settle(bank, slots)
        fresh = sorted({slot for slot in slots if not self.written[bank][slot]})
        if fresh:
            self.steps.append((_clear, (self.arrays[bank], numpy().array(fresh))))
            self.written[bank][fresh] = True

    def _scatter(self, operand: Operand, part: Any, finish: Finish | None) -> None:
        """Add rows to slots that lie anyhow, those of one slot summed; in stretches, if these are few."""
        bank = operand.bank
        found = Scattering(operand.slots)
        summed = self.banks.scratch("repeats", (len(found.slots), part.shape[-1]))
        self.steps.append((found.write, (part, summed)))
        if finish is not None:
            numbers = self.banks.read(Operand(bank, _tuple(found.slots)), summed.shape[:1]).array
            self.steps += finish(summed, numbers)
        stretches = runs(found.slots)
        if len(stretches) <= MOST_STRETCHES:
            for start, end in stretches:
                stretch = Operand(bank, _tuple(found.slots[start:end]))
                place = Grid(stretch.slots[0], (end - start,), (1,))
                read = Read(stretch, None, place, in_place=False)
                self._add_to(place.view(self.arrays[bank]), summed[start:end], read)
            return
        fresh = not self._any(operand)
        self.clear_the_rest(bank, () if fresh else operand.slots)
        self.steps.append((_set_rows if fresh else _add_rows, (self.arrays[bank], found.slots, summed)))
        self.written[bank][list(operand.slots)] = True


def _tuple(slots: Any) -> tuple[int, ...]:
    return tuple(slots.tolist())


def _span(bound: Bound) -> tuple[int, int, int]:
    return bound.instruction.bank, bound.instruction.start, bound.instruction.size


def _clear(bank: Any, slots: Any) -> None:
    bank[slots] = 0.0


def _add_rows(bank: Any, slots: Any, rows: Any) -> None:
    bank[slots] += rows


def _set_rows(bank: Any, slots: Any, rows: Any) -> None:
    bank[slots] = rows

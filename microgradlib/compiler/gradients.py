"""The gradients of one run, each in the slot of its number, and the steps that set, add and pass them on."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.program import BATCH, FIXED
from microgradlib.compiler.reading import blocks, viewed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from microgradlib.compiler.banks import Banks, Bound, Read
    from microgradlib.compiler.kernels import Step
    from microgradlib.compiler.program import Operand

    Span = tuple[int, int, int]

__all__ = ["Gradients"]


class Gradients:
    """Arrays (slots, 1) and (slots, batch), and the steps of the backward pass.

    A gradient that is the same as another, as that of a sum is, is borrowed rather than copied, until something is
    added to it; and one that is computed from another, for the last time that is needed, may take its place.
    `overwritten` are those that did. All this is for the results of instructions, `bounds`.
    """

    def __init__(self, banks: Banks, needed: Sequence[Any], bounds: Iterable[Bound]) -> None:
        np = numpy()
        self.banks, self.needed, self.spans = banks, needed, set(map(_span, bounds))
        self.arrays = [np.zeros_like(numbers) for numbers in banks.numbers]
        self.ones = np.ones((banks.batch, 1), banks.dtype)
        self.start()

    def start(self) -> None:
        """Begin a new list of steps: nothing is written yet."""
        self.written = [numpy().zeros(len(array), bool) for array in self.arrays]
        self.borrowed: dict[Span, Any] = {}
        self.overwritten: set[Span] = set()
        self.steps: list[Step] = []

    def is_needed(self, operand: Operand) -> bool:
        """Say whether some slot of the operand depends on what is differentiated by."""
        return bool(self.needed[operand.bank][list(operand.slots)].any())

    def shape_of(self, bound: Bound) -> tuple[int, ...] | None:
        """Return the shape of a borrowed gradient of the results, if it is one."""
        array = self.borrowed.get(_span(bound))
        return None if array is None else array.shape

    def of(self, bound: Bound, shape: tuple[int, ...]) -> Any:
        """Return the gradient of an instruction's results in this shape; None where no reader passed one on."""
        bank, start, size = span = _span(bound)
        if span in self.borrowed:
            view = viewed(self.borrowed[span], shape)
            if view is not None:
                return view
            self._settle(bank, range(start, start + size))
        if not self.written[bank][start : start + size].any():
            return None
        self.clear_the_rest(bank, range(start, start + size))
        return self.arrays[bank][start : start + size].reshape(shape)

    def give(
        self, read: Read, shape: tuple[int, ...], write: Callable[[Any], list[Step]], like: Sequence[Any] = ()
    ) -> None:
        """Give a gradient of this shape to what was read; `write(out)` are the steps that compute it.

        What is not written in its place lies in memory like the arrays `like`.
        """
        place, bank = read.place, read.operand.bank
        fresh = read.in_place and read.distinct and not self._any(read.operand)
        if place is not None and fresh and shape == read.array.shape:
            self.steps += write(place.view(self.arrays[bank]))
            self.written[bank][list(read.operand.slots)] = True
            return
        part = self.banks.scratch("part", shape, like)
        self.steps += write(part)
        self.add(read, part)

    def give_in_place(self, read: Read, bound: Bound, g: Any, write: Callable[[Any], list[Step]]) -> None:
        """Give a gradient of the shape of g, which nobody needs any more and may be overwritten if it is no other's."""
        span, slots = _span(bound), read.operand.slots
        target = (read.operand.bank, slots[0], len(slots))
        own = span not in self.borrowed or span in self.overwritten
        if own and self._may_borrow(read, g):
            self.steps += write(g)
            self.borrowed[target] = g
            self.overwritten.add(target)
        else:
            self.give(read, g.shape, write, [g, read.array])

    def pass_on(self, read: Read, part: Any) -> None:
        """Add a gradient that stays as it is; it is borrowed where it is the first and belongs to one instruction."""
        if self._may_borrow(read, part):
            self.borrowed[read.operand.bank, read.operand.slots[0], len(read.operand.slots)] = part
        else:
            self.add(read, part)

    def _may_borrow(self, read: Read, part: Any) -> bool:
        slots, bank = read.operand.slots, read.operand.bank
        alike = part.shape[-1] == self.arrays[bank].shape[1] and slots == tuple(range(slots[0], slots[0] + len(slots)))
        return alike and (bank, slots[0], len(slots)) in self.spans and not self._any(read.operand)

    def add(self, read: Read, part: Any) -> None:
        """Add a computed gradient to what was read: summed over the batch for the fixed bank, and over repeats."""
        np, place, bank, slots = numpy(), read.place, read.operand.bank, read.operand.slots
        if bank == FIXED and part.shape[-1] > 1:
            if place is not None and read.distinct and not self._any(read.operand):
                self.steps.append((np.matmul, (part, self.ones, place.view(self.arrays[bank]))))
                self.written[bank][list(slots)] = True
                return
            summed = self.banks.scratch("summed", (*part.shape[:-1], 1))
            self.steps.append((np.matmul, (part, self.ones, summed)))
            part = summed
        elif bank == BATCH and part.shape[-1] == 1 != self.banks.batch:
            part = np.broadcast_to(part, (*part.shape[:-1], self.banks.batch))
        if place is None or len(set(slots)) < math.prod(place.once().sizes):
            self._scatter(read.operand, part)
            return
        target = place.once().view(self.arrays[bank])
        if place.repeats:
            if not self._any(read.operand):
                self.steps.append((_sum_over, (part, place.repeats, target)))
                self.written[bank][list(slots)] = True
                return
            summed = self.banks.scratch("repeats", target.shape)
            self.steps.append((_sum_over, (part, place.repeats, summed)))
            part = summed
        self._add_to(target, part, read.operand)

    def _add_to(self, target: Any, part: Any, operand: Operand) -> None:
        np, bank, slots = numpy(), operand.bank, operand.slots
        other = self.borrowed.get((bank, slots[0], len(slots)))
        lent = None if other is None else viewed(other, part.shape)
        if lent is not None and len(set(slots)) == len(slots) == slots[-1] - slots[0] + 1:
            del self.borrowed[bank, slots[0], len(slots)]
            self.steps.append((np.add, (lent, part, target)))
        elif self._any(operand):
            self.clear_the_rest(bank, slots)
            self.steps.append((np.add, (target, part, target)))
        else:
            self.steps.append((np.copyto, (target, part)))
        self.written[bank][list(slots)] = True

    def _any(self, operand: Operand) -> bool:
        """Say whether some slot of the operand has a gradient already."""
        slots = operand.slots
        if self.written[operand.bank][list(slots)].any():
            return True
        first, last = min(slots), max(slots)
        near = [s for s in self.borrowed if s[0] == operand.bank and s[1] <= last and first < s[1] + s[2]]
        return any(start <= slot < start + size for _, start, size in near for slot in slots)

    def _settle(self, bank: int, slots: Iterable[int]) -> None:
        """Copy borrowed gradients of these slots to their own place."""
        wanted = set(slots)
        for span in [s for s in self.borrowed if s[0] == bank and not wanted.isdisjoint(range(s[1], s[1] + s[2]))]:
            _, start, size = span
            part = self.borrowed.pop(span)
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

    def _scatter(self, operand: Operand, part: Any) -> None:
        """Add blocks of rows to slots that lie anyhow: sorted by place, those of one place are summed first."""
        np, bank = numpy(), operand.bank
        runs = blocks(operand.slots)
        order = np.argsort(runs.places, kind="stable")
        unique, starts = np.unique(runs.places[order], return_index=True)
        rows: Any = lambda: part.reshape(len(order), -1)  # noqa: E731  read when the step runs
        fresh = not self._any(operand)
        self.clear_the_rest(bank, () if fresh else operand.slots)
        if len(unique) == len(order):
            step = partial(_set_rows if fresh else _add_rows, places=runs.places, rows=rows)
        else:
            sorted_already = bool((np.diff(order) == 1).all())
            found = None if sorted_already else order
            step = partial(_set_sums if fresh else _add_sums, places=unique, rows=rows, order=found, starts=starts)
        self.steps.append((step, (runs.view(self.arrays[bank]),)))
        self.written[bank][list(operand.slots)] = True


def _span(bound: Bound) -> Span:
    return bound.instruction.bank, bound.instruction.start, bound.instruction.size


def _sum_over(part: Any, axes: tuple[int, ...], out: Any) -> None:
    numpy().add.reduce(part, axes, None, out, keepdims=True)


def _clear(bank: Any, slots: Any) -> None:
    bank[slots] = 0.0


def _add_rows(bank: Any, *, places: Any, rows: Callable[[], Any]) -> None:
    bank[places] += rows()


def _set_rows(bank: Any, *, places: Any, rows: Callable[[], Any]) -> None:
    bank[places] = rows()


def _add_sums(bank: Any, *, places: Any, rows: Callable[[], Any], order: Any, starts: Any) -> None:
    """Add rows to the places of the bank: sorted by `order`, if given, then summed from each of `starts` on."""
    bank[places] += _sums(rows(), order, starts)


def _set_sums(bank: Any, *, places: Any, rows: Callable[[], Any], order: Any, starts: Any) -> None:
    bank[places] = _sums(rows(), order, starts)


def _sums(part: Any, order: Any, starts: Any) -> Any:
    return numpy().add.reduceat(part if order is None else part.take(order, axis=0), starts, axis=0)

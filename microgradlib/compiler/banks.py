"""The banks of one run: numbers and gradients in slots, and the steps that read, gather, set and add them."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.program import BATCH, FIXED
from microgradlib.compiler.reading import Grid, blocks, grid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from microgradlib.compiler.kernels import Step
    from microgradlib.compiler.program import Operand

__all__ = ["Banks", "Read"]


class Read:
    """An operand as an array of shape (…, batch or 1), and where its slots lie, if evenly."""

    def __init__(self, operand: Operand, array: Any, place: Grid | None) -> None:
        self.operand, self.array, self.place = operand, array, place
        self.distinct = len(set(operand.slots)) == len(operand.slots)


class Banks:
    """Arrays (slots, 1) and (slots, batch) for numbers, the same for gradients, and the steps that fill them."""

    def __init__(self, sizes: Sequence[int], batch: int, dtype: Any) -> None:
        np = numpy()
        self.batch, self.dtype = batch, dtype
        self.numbers = [np.zeros((n, width), dtype) for n, width in zip(sizes, (1, batch))]
        self.gradients = [np.zeros((n, width), dtype) for n, width in zip(sizes, (1, batch))]
        self.written = [np.zeros(n, bool) for n in sizes]
        self.needed = [np.zeros(n, bool) for n in sizes]
        self.ones = np.ones((batch, 1), dtype)
        self.gathered: dict[Any, Any] = {}
        self.forward: list[Step] = []
        self.backward: list[Step] = []

    def read(self, operand: Operand, shape: tuple[int, ...]) -> Read:
        """Return an operand in this shape, gathering it (once) if its slots do not lie evenly."""
        place = grid(operand.slots, shape)
        bank = self.numbers[operand.bank]
        if place is not None:
            return Read(operand, place.view(bank), place)
        key = (operand.bank, operand.slots)
        if key not in self.gathered:
            copy = numpy().empty((len(operand.slots), bank.shape[1]), self.dtype)
            runs = blocks(operand.slots)
            rows = copy.reshape(len(runs.places), -1)
            self.forward.append((runs.view(bank).take, (runs.places, 0, rows, "clip")))
            self.gathered[key] = copy
        return Read(operand, self.gathered[key].reshape(*shape, bank.shape[1]), None)

    def give(self, read: Read, shape: tuple[int, ...], write: Callable[[Any], list[Step]]) -> None:
        """Give a gradient of this shape to what was read; `write(out)` are the steps that compute it."""
        np, place, bank = numpy(), read.place, read.operand.bank
        if place is not None and shape == read.array.shape and read.distinct and not self._any(read.operand):
            self.backward += write(place.view(self.gradients[bank]))
            self.written[bank][list(read.operand.slots)] = True
            return
        part = np.empty(shape, self.dtype)
        self.backward += write(part)
        self.add(read, part)

    def add(self, read: Read, part: Any) -> None:
        """Add a computed gradient to what was read: summed over the batch for the fixed bank, and over repeats."""
        np, place, bank = numpy(), read.place, read.operand.bank
        if bank == FIXED and part.shape[-1] > 1:
            if place is not None and read.distinct and not self._any(read.operand):
                self.backward.append((np.matmul, (part, self.ones, place.view(self.gradients[bank]))))
                self.written[bank][list(read.operand.slots)] = True
                return
            summed = np.empty((*part.shape[:-1], 1), self.dtype)
            self.backward.append((np.matmul, (part, self.ones, summed)))
            part = summed
        elif bank == BATCH and part.shape[-1] == 1 != self.batch:
            part = np.broadcast_to(part, (*part.shape[:-1], self.batch))
        if place is None or len(set(read.operand.slots)) < math.prod(place.once().sizes):
            self._scatter(read.operand, part)
            return
        if place.repeats:
            summed = np.empty((*place.once().sizes, part.shape[-1]), self.dtype)
            self.backward.append((_sum_over, (part, place.repeats, summed)))
            part = summed
        target = place.once().view(self.gradients[bank])
        if self._any(read.operand):
            self.clear_the_rest(bank, read.operand.slots)
            self.backward.append((np.add, (target, part, target)))
        else:
            self.backward.append((np.copyto, (target, part)))
        self.written[bank][list(read.operand.slots)] = True

    def _any(self, operand: Operand) -> bool:
        return bool(self.written[operand.bank][list(operand.slots)].any())

    def is_needed(self, operand: Operand) -> bool:
        """Say whether some slot of the operand depends on a parameter."""
        return bool(self.needed[operand.bank][list(operand.slots)].any())

    def clear_the_rest(self, bank: int, slots: Iterable[int]) -> None:
        """Set those gradients to 0 that nothing was written to yet."""
        fresh = sorted({slot for slot in slots if not self.written[bank][slot]})
        if fresh:
            self.backward.append((_clear, (self.gradients[bank], numpy().array(fresh))))
            self.written[bank][fresh] = True

    def _scatter(self, operand: Operand, part: Any) -> None:
        """Add blocks of rows to slots that lie anyhow: sorted by place, those of one place are summed first."""
        np = numpy()
        self.clear_the_rest(operand.bank, operand.slots)
        runs = blocks(operand.slots)
        order = np.argsort(runs.places, kind="stable")
        unique, starts = np.unique(runs.places[order], return_index=True)
        rows: Any = lambda: part.reshape(len(order), -1)  # noqa: E731  read when the step runs
        if len(unique) == len(order):
            step = partial(_add_rows, places=runs.places, rows=rows)
        else:
            sorted_already = bool((np.diff(order) == 1).all())
            step = partial(_add_sums, places=unique, rows=rows, order=None if sorted_already else order, starts=starts)
        self.backward.append((step, (runs.view(self.gradients[operand.bank]),)))
        self.written[operand.bank][list(operand.slots)] = True


def _sum_over(part: Any, axes: tuple[int, ...], out: Any) -> None:
    numpy().add.reduce(part, axes, None, out, keepdims=True)


def _clear(bank: Any, slots: Any) -> None:
    bank[slots] = 0.0


def _add_rows(bank: Any, *, places: Any, rows: Callable[[], Any]) -> None:
    bank[places] += rows()


def _add_sums(bank: Any, *, places: Any, rows: Callable[[], Any], order: Any, starts: Any) -> None:
    """Add rows to the places of the bank: sorted by `order`, if given, then summed from each of `starts` on."""
    part = rows()
    bank[places] += numpy().add.reduceat(part if order is None else part[order], starts, axis=0)

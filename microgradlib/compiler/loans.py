"""Loans: gradients of whole instructions that are lent one another's memory, or memory that serves again and again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from microgradlib.compiler.memory import Memory
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.reading import Grid, viewed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from microgradlib.compiler.instructions import Operand
    from microgradlib.compiler.kernels import Step

    Span = tuple[int, int, int]

__all__ = ["Loan", "Loans"]


class Loan(NamedTuple):
    """A span (bank, start, size) of slots, and the axes of an operand that reads it in the order of these slots."""

    span: Span
    axes: list[int]

    def ordered(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the lengths of the axes in the order of the slots."""
        return (*[shape[axis] for axis in self.axes], shape[-1])

    def turned(self, array: Any) -> Any:
        """Return an array of the operand's shape with its axes in the order of the slots."""
        return array.transpose(*self.axes, -1)

    def turned_back(self, array: Any) -> Any:
        """Return an array in the order of the slots in the operand's shape."""
        return array.transpose(*numpy().argsort(self.axes).tolist(), -1)


class Loans:
    """For each span that has a gradient, whose memory it lies in.

    `lender` is the memory of the gradient that is just being passed on: it must stay as it is until that is done, but
    for what is computed from it last.
    """

    def __init__(self, spans: Iterable[Span], dtype: Any) -> None:
        self.spans = set(spans)
        self.memory = Memory(dtype)
        self.start()

    def start(self) -> None:
        """Begin anew, with nothing lent."""
        self._lent: dict[Span, tuple[Any, Any]] = {}
        self.lender: Any = None
        self.memory.free_all()

    def shape_of(self, span: Span) -> tuple[int, ...] | None:
        """Return the shape of the gradient of a span, if that is lent."""
        return self._lent[span][0].shape if span in self._lent else None

    def lend(self, loan: Loan, array: Any, memory: Any) -> None:
        """Say that the gradient of a span is this array, of the operand's shape, in this memory."""
        self._lent[loan.span] = loan.turned(array), memory

    def taken(self, loan: Loan, shape: tuple[int, ...]) -> Any:
        """Return an array of an operand's shape for the gradient of its span, in memory that nobody uses."""
        array, memory = self.memory.take(loan.ordered(shape))
        self._lent[loan.span] = array, memory
        return loan.turned_back(array)

    def passed_on(self, span: Span, shape: tuple[int, ...]) -> Any:
        """Return the gradient of a span in this shape and make its memory the lender; None if it cannot be had so."""
        if span not in self._lent:
            return None
        array, memory = self._lent[span]
        view = viewed(array, shape)
        if view is not None:
            del self._lent[span]
            self.lender = memory
        return view

    def finish(self) -> None:
        """Say that the gradient asked for last has been passed on to all operands."""
        lender, self.lender = self.lender, None
        self._release(lender)

    def may_overwrite(self, g: Any) -> bool:
        """Say whether the gradient asked for last is nobody else's."""
        return _is_whole(g) and self._users(self.lender) == 0

    def overlap(self, operand: Operand) -> bool:
        """Say whether some slot of the operand has a gradient that is lent."""
        slots = operand.slots
        first, last = min(slots), max(slots)
        near = [s for s in self._lent if s[0] == operand.bank and s[1] <= last and first < s[1] + s[2]]
        return any(start <= slot < start + size for _, start, size in near for slot in slots)

    def ended(self, bank: int, slots: Iterable[int]) -> Iterator[tuple[Span, Any]]:
        """End the loans of spans that these slots touch, and yield each with its gradient, which is to be copied."""
        wanted = set(slots)
        for span in [s for s in self._lent if s[0] == bank and not wanted.isdisjoint(range(s[1], s[1] + s[2]))]:
            array, memory = self._lent.pop(span)
            yield span, array
            self._release(memory)

    def add(self, operand: Operand, place: Grid, part: Any) -> list[Step]:
        """Return the steps that add to a gradient that is lent, or to a part of one; none if it is not lent so.

        It is added to in its place, or, if that is another's too, the sum goes to a new one.
        """
        bank, first, last = operand.bank, min(operand.slots), max(operand.slots)
        span = next((s for s in self._lent if s[0] == bank and s[1] <= first and last < s[1] + s[2]), None)
        if span is None:
            return []
        array, memory = self._lent[span]
        _, start, size = span
        rows = viewed(array, (size, array.shape[-1]))
        own = self._users(memory) == 1 and memory is not self.lender
        if own and rows is not None and _is_whole(rows):
            stretch = replace(place, start=place.start - start).view(rows)
            return [(numpy().add, (stretch, part, stretch))]
        axes = place.dense_axes()
        if axes is None or len(set(operand.slots)) < size:
            return []
        loan = Loan(span, axes)
        view = viewed(array, loan.ordered(part.shape))
        if view is None:
            return []
        target, piece = self.memory.take(view.shape)
        self._lent[span] = target, piece
        self._release(memory)
        return [(numpy().add, (view, loan.turned(part), target))]

    def _release(self, memory: Any) -> None:
        if memory is not self.lender and self._users(memory) == 0:
            self.memory.give_back(memory)

    def _users(self, memory: Any) -> int:
        return sum(other is memory for _, other in self._lent.values())


def _is_whole(array: Any) -> bool:
    """Say whether each entry has a place of its own in memory."""
    return all(step or size == 1 for step, size in zip(array.strides, array.shape))

"""Views: how steps read and write addresses, as evenly spaced axes; what is not evenly spaced is copied first, once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from microgradlib.compiler.instructions import BATCHED, UNBATCHED, Instruction, ProgramData
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.planning.data import StridedView

__all__ = ["Draft", "Reading", "Views", "common_shape", "cuts", "reading_of", "sizes_of"]

MAX_SPAN = 4
"""Batched results lie within fewer addresses than so many times their number, as all of these may become rows."""

MAX_DISTANCE = 16
"""Values that one view reads lie within fewer addresses than so many times their numbers; others are copied."""


class Reading(NamedTuple):
    """Addresses that a step reads or writes, in order, in a shape whose axis `dense`, if any, must have step 1."""

    space: int
    addresses: Any
    shape: tuple[int, ...]
    dense: int | None
    view: Any
    """A `StridedView` with addresses for rows; None where they are not even in that shape, or that axis is not."""


class Draft(NamedTuple):
    """A step on addresses."""

    instruction: Instruction | None
    results: Reading
    operands: tuple[Reading, ...]
    position: int
    phase: str

    @property
    def fused_size(self) -> int:
        """How many results it has, if engines compute it together with neighbours that have as many; else 0."""
        is_fused = self.instruction is None or self.instruction.kind == "elementwise"
        return len(self.results.addresses) if is_fused else 0

    @property
    def segments(self) -> tuple[int, int] | None:
        """How many entries and segments there are, if it adds up segments of batched numbers; else None."""
        i, results = self.instruction, self.results
        if i is None or i.kind != "segment_reduce" or i.width > 1 or results.space == UNBATCHED:
            return None
        return len(self.operands[0].addresses), len(results.addresses)

    def is_beside(self, other: Draft) -> bool:
        """Say whether another step is about as many entries, or segments."""
        return other.fused_size in (self.segments or ()) or other.segments == self.segments


class Views:
    """The steps of a program on addresses, which are places relative to those of the values that are read with them.

    The address of a slot is its number, but the cotangents of each backward pass lie behind all others, in the order of
    what they are cotangents of. So an adjoint reads them as evenly as its forward instruction writes its results, and
    gradients are one run. Results that would be uneven, or too far apart, keep the numbers of their slots; copies have
    addresses of their own.

    >>> from microgradlib.compiler.canonicalize import canonicalize
    >>> from microgradlib.compiler.trace import trace
    >>> from microgradlib.compiler.vectorize import vectorize
    >>> traced = trace(lambda x: [x[2] * x[0], x[0] * x[3], x[1] * x[2]], [[1.0, 2.0, 3.0, 4.0]], [])
    >>> program = vectorize(canonicalize(traced))
    >>> for draft in Views(program).drafts:
    ...     print(draft.results.addresses, *[reading.addresses for reading in draft.operands])
    [7 8 9] [1 3 0]
    [4 5 6] [0 1 2] [7 8 9]
    """

    def __init__(self, program: ProgramData) -> None:
        np = numpy()
        self.addresses = [np.append(np.arange(size), -1) for size in program.sizes]
        """For each space the address of each slot; the last is that of `NOT_REACHED`."""
        self.sizes = [*program.sizes]
        """How many addresses each space has."""
        for backward in program.cotangent_slots:
            for space, (addresses, cotangents) in enumerate(zip(self.addresses, backward)):
                reached = np.flatnonzero(cotangents >= 0)[::-1]  # the first slot with a cotangent counts
                addresses[cotangents[reached]] = self.sizes[space] + addresses[reached]
                self.sizes[space] *= 2
        for seeds in program.seeds:
            self.addresses[seeds.space][seeds.slots] = seeds.slots
        self.drafts: list[Draft] = []
        self._summed = np.zeros(1, bool)
        """Of each unbatched address, whether it is made of sums over the batch; those behind the last are not."""
        self._values: tuple[dict[int, Any], ...] = ({}, {})
        """By space, of each address that a step writes all addresses that it writes."""
        self._copies: dict[tuple[int, bytes], Any] = {}
        for position, instruction in enumerate(program.instructions):
            self._add(position, instruction)

    def _add(self, position: int, i: Instruction) -> None:
        """Add the step of an instruction, and before it those that copy what it reads."""
        np, (results, *operands) = numpy(), self._readings(i)
        is_sparse = i.space == BATCHED and np.ptp(results.addresses) >= MAX_SPAN * i.size
        if results.view is None or is_sparse:
            self.addresses[i.space][i.results.slots] = i.results.slots
            results, *operands = self._readings(i)
            if results.view is None:
                message = f"results must be evenly spaced slots, got instruction {position}: {i}"
                raise ValueError(message)
        read = tuple([self._copied(x, position) if x.view is None or self._is_scattered(x) else x for x in operands])
        self._append(i, results, read, position)

    def _append(self, i: Instruction | None, results: Reading, operands: tuple[Reading, ...], position: int) -> None:
        """Add a step, in its phase (see `Step`)."""
        is_summed = any(x.space == UNBATCHED and self._summed.take(x.addresses, mode="clip").any() for x in operands)
        phase = "batch" if results.space == BATCHED or (i and i.sums_batch) else "after" if is_summed else "before"
        if results.space == UNBATCHED and phase != "before":
            missing = int(results.addresses.max()) + 2 - len(self._summed)
            self._summed = numpy().append(self._summed, numpy().zeros(max(0, missing), bool))
            self._summed[results.addresses] = True
        self._values[results.space].update(dict.fromkeys(results.addresses.tolist(), results.addresses))
        self.drafts.append(Draft(i, results, operands, position, phase))

    def _is_scattered(self, reading: Reading) -> bool:
        """Whether a view reads several values that lie far apart: the places between would be kept for these."""
        addresses = reading.addresses
        far = MAX_DISTANCE * len(addresses)
        if (span := int(addresses.max() - addresses.min())) < far:
            return False
        values = [self._values[reading.space].get(address, ()) for address in addresses.tolist()]  # () for leaves
        sizes = {id(value): len(value) for value in values}
        return len(sizes) > 1 and span >= MAX_DISTANCE * sum(sizes.values())

    def _readings(self, i: Instruction) -> list[Reading]:
        """Return how the results and each operand are read; see `Step` for the shapes."""
        everything = (i.results, *i.operands)
        arrays = [self.addresses[x.space].take(x.slots) for x in everything]
        found = [None if i.kind == "matmul" and (a < 0).any() else cuts(a) for a in arrays]  # padding is gathered
        dense: list[int | None] = [None] * len(everything)
        if i.kind == "matmul":
            count, rows, terms, columns = i.shape
            shapes: list[tuple[int, ...]] = [(count, rows, columns), (count, rows, terms), (count, terms, columns)]
            if i.sums_batch:
                dense = [None, 2, 1]
            elif [x.space for x in i.operands] == [UNBATCHED, BATCHED]:
                dense = [2, None, 2]
        elif i.kind == "segment_reduce":
            shapes = [(len(addresses) // i.width, i.width) for addresses in arrays]
        else:
            n = max(map(len, arrays))
            shape = common_shape(n, [(each, n // len(a)) for each, a in zip(found, arrays)], i.terms)
            shape = (*shape, i.terms) if i.kind == "reduce" else shape or (1,)
            shapes = [shape if len(addresses) == n else (*shape[:-1], 1) for addresses in arrays]
        return [reading_of(x.space, *each) for x, *each in zip(everything, arrays, shapes, dense, found)]

    def _copied(self, reading: Reading, position: int) -> Reading:
        """Return a reading of a copy that is contiguous; adjoints read what is copied already, transposed or not."""
        np, (space, addresses, shape, dense, _) = numpy(), reading
        entries = np.arange(len(addresses)).reshape(shape)
        orders = [entries.ravel()] if dense != 1 else []
        if len(shape) == 3 and dense != 2:
            orders.append(entries.swapaxes(1, 2).ravel())
        keys = [(space, addresses[order].tobytes()) for order in orders]
        chosen = next((k for k, key in enumerate(keys) if key in self._copies), 0)
        key, order = keys[chosen], orders[chosen]
        if key not in self._copies:
            copy = self._copies[key] = np.arange(self.sizes[space], self.sizes[space] + len(order))
            self.sizes[space] += len(order)
            source = Reading(space, addresses[order], (len(order),), None, None)
            self._append(None, reading_of(space, copy, (len(order),)), (source,), position)
        copied = np.empty_like(addresses)
        copied[order] = self._copies[key]
        return reading_of(space, copied, shape, dense, cuts(copied))


def reading_of(
    space: int, addresses: Any, shape: tuple[int, ...], dense: int | None = None, found: Any = ()
) -> Reading:
    """Return the reading of addresses with these cuts in a shape; its view is None where they do not fit."""
    width, widths, steps = len(addresses), set[int](), list[int]()
    for size in shape:
        width //= size
        widths.add(width)
        steps.append(int(addresses[width] - addresses[0]) if size > 1 else 0)
    is_even = found is not None and widths.issuperset(found)
    if not is_even or (dense is not None and shape[dense] > 1 and steps[dense] != 1):
        return Reading(space, addresses, shape, dense, None)
    return Reading(space, addresses, shape, dense, StridedView(space, int(addresses[0]), shape, tuple(steps)))


def cuts(numbers: Any) -> tuple[int, ...] | None:
    """Return the fewest widths such that numbers are evenly spaced along axes so many entries apart; None if uneven.

    The innermost axis, of width 1, is not among them.

    >>> array = numpy().array
    >>> cuts(array([4, 5, 6])), cuts(array([4, 5, 6, 14, 15, 16])), cuts(array([4, 4, 4])), cuts(array([4, 5, 7, 6]))
    ((), (3,), (), None)
    """
    found, entries = [1], numbers
    while len(entries) > 1:
        gaps = entries[1:] - entries[:-1]
        differs = gaps != gaps[0]
        width = int(differs.argmax()) + 1  # 1 if none differs
        if width == 1:
            break
        if len(entries) % width or (numpy().flatnonzero(differs) % width != width - 1).any():
            return None
        found.append(found[-1] * width)
        entries = entries[::width]
    return tuple(found[1:])


def common_shape(n: int, found: Sequence[tuple[Sequence[int] | None, int]], terms: int = 1) -> tuple[int, ...]:
    """Return a shape for n / terms entries in which as many arrays as possible are even, the first of them first.

    `found` has the cuts of each array and how many of n entries stand for one of its, 1 or `terms`. An array whose
    cuts are at odds with those before it is left out.

    >>> common_shape(6, [((), 1), ((3,), 1)]), common_shape(12, [((), 4), ((), 1)], terms=4)
    ((2, 3), (3,))
    """
    widths = sorted({terms, n})
    for own, scale in found:
        more = sorted({*widths, *[scale * width for width in own or ()]})
        if more[0] == terms and not any(b % a for a, b in pairwise(more)):
            widths = more
    return sizes_of(widths)


def sizes_of(widths: Sequence[int]) -> tuple[int, ...]:
    """Return the sizes of axes that are so many entries apart, the innermost first, and end with all entries.

    >>> sizes_of([1, 3, 6])
    (2, 3)
    """
    return tuple([b // a for a, b in pairwise(widths)][::-1])

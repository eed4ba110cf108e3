"""The instructions of a backward pass as they are written, and for each slot the slot that holds its cotangent."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from typing import Any

from microgradlib.compiler.instructions import BATCHED, NOT_REACHED, UNBATCHED, Instruction, Operand, ProgramData
from microgradlib.compiler.numpy_functions import grouped, numpy
from microgradlib.ops import TABLE

__all__ = ["Cotangents", "Writer"]

ADD, IDENTITY, SUM = (TABLE[name] for name in ("add", "identity", "sum"))


class Writer:
    """Appends instructions to a program. `sizes` are the numbers of slots so far."""

    def __init__(self, program: ProgramData, instructions: list[Instruction]) -> None:
        self.program, self.instructions = program, instructions
        self.sizes = list(program.sizes)
        self.constants = dict(zip(program.constant_slots, program.constants))
        self._constant_slots = {repr(number): slot for slot, number in self.constants.items()}  # 0 is not -0

    def new(self, space: int, count: int) -> Operand:
        """Return `count` slots that nothing has yet."""
        start = self.sizes[space]
        self.sizes[space] += count
        return Operand.of(space, numpy().arange(start, start + count))

    def write(self, kind: str, op: Any, space: int, size: int, operands: list[Operand], **fields: Any) -> Operand:
        """Append an instruction; return its results."""
        results = self.new(space, size)
        self.instructions.append(Instruction(kind, op, results, tuple(operands), **fields))
        return results

    def constant(self, number: float, count: int) -> Operand:
        """Return an operand that reads a number `count` times."""
        key = repr(number)
        if key not in self._constant_slots:
            self._constant_slots[key] = int(self.new(UNBATCHED, 1).slots[0])
            self.constants[self._constant_slots[key]] = number
        return Operand.of(UNBATCHED, numpy().full(count, self._constant_slots[key]))

    def finished(self, **fields: Any) -> ProgramData:
        """Return the program with the instructions written so far."""
        return replace(
            self.program,
            instructions=tuple(self.instructions),
            constants=tuple(self.constants.values()),
            constant_slots=tuple(self.constants),
            unbatched_size=self.sizes[UNBATCHED],
            batched_size=self.sizes[BATCHED],
            **fields,
        )


class Cotangents(Writer):
    """The backward pass of a program: a slot's cotangent is the sum of the shares of all that read it.

    `needed[space][slot]` says whether a slot depends on what is differentiated by; no other gets a cotangent.
    `slots[space][slot]` is the slot of a slot's cotangent, in the same space; `NOT_REACHED` where there is none.
    """

    def __init__(self, program: ProgramData, needed: tuple[Any, Any]) -> None:
        super().__init__(program, list(program.instructions))
        self.needed = needed
        self.slots = [numpy().full(size + 1, NOT_REACHED) for size in program.sizes]

    def accumulate(self, target: Operand, share: Operand) -> None:
        """Add a share to the cotangent of each slot of `target`: summed over the batch for unbatched slots.

        A slot may be there several times. The sum over several shares is an "elementwise" add of two, one after
        another; those over repeated slots are a "reduce" or "segment_reduce".
        """
        keep = self.needed[target.space][target.slots]
        slots, cotangents = target.slots[keep], share.slots[keep]
        if len(slots) == 0:
            return
        if share.space != target.space:
            cotangents = self._moved(target.space, slots, Operand(share.space, cotangents))
        slots, cotangents = self._summed(target.space, slots, cotangents)
        known = self.slots[target.space]
        again = known[slots] != NOT_REACHED
        known[slots[~again]] = cotangents[~again]
        if again.any():
            both = [Operand.of(target.space, part[again]) for part in (known[slots], cotangents)]
            of = Operand.of(target.space, slots[again])
            known[of.slots] = self.write("elementwise", ADD, target.space, len(of.slots), both, cotangent_of=of).slots

    def _moved(self, space: int, slots: Any, share: Operand) -> Any:
        """Return a share summed over the batch, or repeated for each example, in the space of its target."""
        unique, order, counts = grouped(share.slots)
        read, of = Operand.of(share.space, unique), Operand.of(space, slots[order[numpy().cumsum(counts) - counts]])
        kind, op = ("reduce", SUM) if space == UNBATCHED else ("elementwise", IDENTITY)
        moved = self.write(kind, op, space, len(unique), [read], cotangent_of=of).slots
        return moved[numpy().searchsorted(unique, share.slots)]

    def _summed(self, space: int, slots: Any, cotangents: Any) -> tuple[Any, Any]:
        """Return each slot once, with the slot of the sum of what is given to it."""
        np = numpy()
        if (slots[1:] > slots[:-1]).all():  # distinct, as in most cases
            return slots, cotangents
        width = _width(slots)
        unique, order, counts = grouped(slots[::width])
        if len(unique) * width == len(slots):
            return slots, cotangents
        terms = cotangents.reshape(-1, width)[order]
        targets = (unique[:, None] + np.arange(width)).ravel()
        of = Operand.of(space, targets)
        if (counts == counts[0]).all():  # a "reduce": the terms of each number together
            terms = terms.reshape(len(unique), -1, width).swapaxes(1, 2)
            kind, fields = "reduce", dict[str, Any](terms=int(counts[0]))
        else:
            kind, fields = "segment_reduce", {"counts": tuple(counts.tolist()), "width": width}
        read = Operand.of(space, terms.ravel())
        return targets, self.write(kind, SUM, space, len(targets), [read], cotangent_of=of, **fields).slots


def _width(slots: Any) -> int:
    """Return the length of the longest runs of consecutive slots that slots consist of, each run whole or not at all.

    >>> _width(numpy().array([5, 6, 9, 10, 5, 6])), _width(numpy().array([5, 6, 6, 7]))
    (2, 1)
    """
    np = numpy()
    cuts = [0, *(np.flatnonzero(np.diff(slots) != 1) + 1).tolist(), len(slots)]
    longest = math.gcd(*[end - start for start, end in pairwise(cuts)])
    divisors = (width for width in range(longest, 0, -1) if longest % width == 0)
    return next(width for width in divisors if (slots[::width] % width == slots[0] % width).all())

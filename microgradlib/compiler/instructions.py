"""The program as data: instructions on vectors of scalars, each scalar an SSA value in a numbered slot."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

from microgradlib.compiler.numpy_functions import numpy
from microgradlib.ops import Op

Slots = Any
"""A read-only NumPy array of slot numbers, one axis."""

__all__ = ["BATCHED", "NOT_REACHED", "UNBATCHED", "Instruction", "Operand", "ProgramData", "slot_array"]

UNBATCHED: Final = 0
"""The space of numbers that are the same for every example: parameters, constants, and what is made of them alone."""
BATCHED: Final = 1
"""The space of numbers that each example of a batch has for itself."""
NOT_REACHED: Final = -1
"""In the place of a slot: the number 0 that stops inf and nan, padding of a matrix or a cotangent that none reaches."""

MOST_RUNS: Final = 6
"""So many runs of slots are shown at most."""


def slot_array(slots: Iterable[int]) -> Slots:
    """Return slots as a read-only array."""
    np = numpy()
    array = np.array(slots if isinstance(slots, np.ndarray) else list(slots), dtype=np.intp)
    array.setflags(write=False)
    return array


@dataclass(frozen=True, slots=True, eq=False)
class Operand:
    """Slots of one space that are read, in order.

    >>> Operand.of(BATCHED, [0, 1, 2, 5, 5])
    batched[0:3, 5, 5]
    """

    space: int
    slots: Slots

    @classmethod
    def of(cls, space: int, slots: Iterable[int]) -> Operand:
        """Return an operand of these slots."""
        return cls(space, slot_array(slots))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Operand) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    @property
    def key(self) -> tuple[int, bytes]:
        """What operands that read the same slots have in common."""
        return self.space, self.slots.tobytes()

    def __repr__(self) -> str:
        slots, np = self.slots, numpy()
        cuts = [0, *(np.flatnonzero(np.diff(slots) != 1) + 1).tolist(), len(slots)]
        runs = [str(slots[a]) if b - a == 1 else f"{slots[a]}:{slots[b - 1] + 1}" for a, b in pairwise(cuts) if b > a]
        shown = runs if len(runs) <= MOST_RUNS else [*runs[: MOST_RUNS - 1], f"… {len(slots)} slots"]
        return f"{'batched' if self.space == BATCHED else 'unbatched'}[{', '.join(shown)}]"


@dataclass(frozen=True, slots=True)
class Instruction:
    """One operation on vectors: it writes the slots of `results`, which nothing else writes.

    `kind` says how the operands belong to the results:

    - "elementwise": operand i holds argument i of each result.
    - "reduce": the first operand (the first two for ops of pairs: dot, weighted cross-entropy) has `terms` arguments of
      the first result, then those of the second …
    - "segment_reduce": as "reduce", but result k has `counts[k]` terms, and each term and each result is a run of
      `width` numbers, added (or compared) number by number. Only for sum, mean, dot, maximum, minimum; `width` above 1
      for sum alone.
    - "matmul": Z = W X for each of `shape[0]` pairs of matrices, with shape (count, rows, terms, columns); all are
      written row by row, one pair after another. `NOT_REACHED` in an operand is padding with 0.

    Results without a batch axis that are made of operands with one are summed over the batch; only "matmul" and the
    "reduce" of `sum` are so.

    An adjoint has the `op` of its forward instruction and `wrt`, the operand by which that is differentiated. Its first
    operand holds the cotangents of the forward results; the others are, of an "elementwise" op, those of (output,
    inputs …) with the numbers in `reads`: adjoint = cotangent · op.derivatives[wrt](xp, output, *inputs). Of a "reduce"
    they are the output and all operands, and there is a result for each term of operand `wrt`.
    """

    kind: str
    op: Op
    results: Operand
    operands: tuple[Operand, ...]
    terms: int = 1
    shape: tuple[int, int, int, int] = (1, 1, 1, 1)
    counts: tuple[int, ...] = ()
    width: int = 1
    wrt: int | None = None
    reads: tuple[int, ...] = ()
    forward: int | None = None
    """Of an adjoint, the position of its forward instruction in the program, if it is there."""
    cotangent_of: Operand | None = field(default=None, compare=False)
    """The slots whose cotangents, or shares of them, the results are: for printing. None in a forward pass."""

    @property
    def space(self) -> int:
        """The space of the results."""
        return self.results.space

    @property
    def size(self) -> int:
        """How many results there are."""
        return len(self.results.slots)

    @property
    def sums_batch(self) -> bool:
        """Whether it adds up what the examples of a batch have each for itself."""
        return self.space == UNBATCHED and any(operand.space == BATCHED for operand in self.operands)

    def __str__(self) -> str:
        name = self.op.name + "".join(f" {setting:g}" for setting in self.op.settings)
        adjoint = f" adjoint {self.wrt}" if self.wrt is not None else ""
        counts = f" of {min(self.counts)} to {max(self.counts)}" if self.counts else ""
        sizes = {"reduce": f" of {self.terms}", "matmul": " {} of {}×{}×{}".format(*self.shape)}.get(self.kind, counts)
        return f"{self.results!r} = {self.kind} {name}{adjoint}{sizes} {', '.join(map(repr, self.operands))}"


@dataclass(frozen=True)
class ProgramData:
    """Instructions in an order in which they can be executed, with the leaves that they read and what they give.

    Leaves: the first slots of the unbatched space are the parameters, slot i parameter `parameter_order[i]`; the first
    slots of the batched space are the inputs of an example, slot i its number `input_order[i]`. `constants` stand in
    the unbatched slots `constant_slots`; each batched slot of `ones` holds 1: a row of ones below X makes W X + b one
    product, [W b] [X; 1].

    `vectorize` gives the forward program, with an operand of one slot in `outputs` for each number that the function
    returns. `reverse` adds the backward pass: `forward` is then the number of instructions before it, `seeds` are the
    leaves that hold the cotangents of what is differentiated, one for each slot, and the new last operand of
    `cotangents` has those of the leaves `wrt`, in the order of their slots, `NOT_REACHED` where there is none.
    Unbatched cotangents are sums over the batch.
    """

    instructions: tuple[Instruction, ...]
    outputs: tuple[Operand, ...]
    shape: Any
    """What the function returns, with None in the place of each number."""
    input_order: tuple[int, ...]
    parameter_order: tuple[int, ...]
    constants: tuple[float, ...]
    constant_slots: tuple[int, ...]
    unbatched_size: int
    batched_size: int
    ones: tuple[int, ...] = ()
    seeds: tuple[Operand, ...] = ()
    cotangents: tuple[Operand, ...] = ()
    forward: int | None = None
    wrt: str = ""
    """Of a joint program, the leaves by which it is differentiated: "parameters" or "inputs"."""
    cotangent_slots: tuple[tuple[Slots, ...], ...] = field(default=(), compare=False)
    """Of each backward pass, by space: for each slot before it, that of its cotangent. For the order in memory, and for
    printing."""
    parameter_names: tuple[str, ...] = field(default=(), compare=False)
    arguments: tuple[tuple[str, tuple[int, ...]], ...] = field(default=(), compare=False)
    """The arguments of the function, each with its name and the lengths of one row's axes."""

    @property
    def inputs(self) -> int:
        """How many numbers an example has."""
        return len(self.input_order)

    @property
    def sizes(self) -> tuple[int, int]:
        """How many slots each space has."""
        return self.unbatched_size, self.batched_size

    def listing(self) -> str:
        """Return the instructions as text, one per line."""
        lines = [f"{position:>4}  {instruction}" for position, instruction in enumerate(self.instructions)]
        returned = ", ".join(map(repr, self.outputs + self.cotangents))
        return "\n".join([*lines, f"      return {returned}"])

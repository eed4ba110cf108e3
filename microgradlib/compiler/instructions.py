"""The rolled program as data: instructions on vectors of scalars, each scalar in a slot of one of two banks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from microgradlib.ops import Op

__all__ = ["BATCH", "FIXED", "Instruction", "Operand", "ProgramData"]

FIXED, BATCH = 0, 1
"""The banks: numbers that are the same for every example (parameters, constants and what is made of them alone), and
numbers that each example of the batch has for itself."""


@dataclass(frozen=True, slots=True)
class Operand:
    """Slots to be read: `bank` and the positions in it, in order."""

    bank: int
    slots: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Instruction:
    """One operation on vectors: slots `start` to `start + size` of `bank` are written.

    `kind` says how the operands belong to them:
    - "map": operand i holds the i-th argument of each result.
    - "reduce": one operand (two for dot: weights and inputs; then perhaps a bias) with `terms` arguments of the first
      result, then those of the second …
    - "segments": as "reduce", but the results have different numbers of terms, `counts`.
    - "product": Z = W X + b with W of `rows` × `terms` and X of `terms` × columns; all are written row by row, and b,
      if there is one, has an entry for each result.
    """

    kind: str
    op: Op
    bank: int
    start: int
    size: int
    operands: tuple[Operand, ...]
    terms: int = 1
    rows: int = 1
    counts: tuple[int, ...] = ()


@dataclass(frozen=True)
class ProgramData:
    """What `roll` makes of a trace; `Program` adds how it is printed and drawn.

    Slots of the batch bank: first the inputs in the order `input_order`, then the results; those of `ones` hold 1: a
    row of ones below X makes W X + b one product, [W b] [X; 1]. Slots of the fixed bank: first the parameters in the
    order `parameter_order`, then the constants, then the results.
    """

    instructions: tuple[Instruction, ...]
    outputs: tuple[Operand, ...]
    shape: Any
    input_order: tuple[int, ...]
    parameter_order: tuple[int, ...]
    constants: tuple[float, ...]
    fixed_size: int
    batch_size: int
    ones: tuple[int, ...] = ()
    parameter_names: tuple[str, ...] = field(default=(), compare=False)
    arguments: tuple[tuple[str, tuple[int, ...]], ...] = field(default=(), compare=False)
    """The arguments of the function, each with its name and the lengths of one row's axes."""

    @property
    def inputs(self) -> int:
        """How many numbers an example has."""
        return len(self.input_order)

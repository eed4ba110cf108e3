"""The plan as data: a joint program whose values have rows of buffers, read as strided views."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from microgradlib.compiler.instructions import Instruction, ProgramData

__all__ = ["BlockGather", "Plan", "Repeat", "Step", "StridedView"]


@dataclass(frozen=True, slots=True)
class StridedView:
    """Rows of a space that lie evenly along several axes: entry (i, j, …) is row start + i·steps[0] + j·steps[1] ….

    A step of 0 reads the same row again.
    """

    space: int
    start: int
    sizes: tuple[int, ...]
    steps: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class BlockGather:
    """Rows in any order, in runs of `width`: run i is the rows start + width · places[i] and those after it."""

    space: int
    start: int
    width: int
    places: Any
    """A read-only array of whole numbers."""


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction with the places of its operands and results. All views of one step have the same axes:

    - "elementwise": results (…), operands (…), the same sizes; what is read again has a step of 0.
    - "reduce": reduced operands (…, terms), results and other operands (…, 1); of an adjoint, the results are as the
      terms.
    - "segment_reduce": operands (terms, width), results (segments, width); of a dot with a width of 1.
    - "matmul": (count, rows, terms), (count, terms, columns), (count, rows, columns). Of a product with one operand
      without a batch axis, in each batched view the columns have step 1 (or there is one), so that columns and batch
      are one axis; likewise the axis that is summed where the batch is summed too.
    - "gather": `instruction` is None; the operand is a `BlockGather`, the results (rows,).
    """

    instruction: Instruction | None
    results: StridedView
    operands: tuple[StridedView | BlockGather, ...]
    position: int
    """The position of the instruction in the program; of a gather, that of the instruction it is for."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """Steps `start` to `start + times · length` are `times` runs of `length` steps, alike but for their rows."""

    start: int
    length: int
    times: int


@dataclass(frozen=True)
class Plan:
    """A program ready to be executed, the same for all batch sizes.

    `rows` of each space, of which the last holds 0 and is never written: `NOT_REACHED` is gathered from it. Leaves have
    their first rows: parameters, inputs; then `constants`, `ones` and `seeds` by their rows. A row is used for several
    values, one after another, unless its number is `preset`: leaves, and gradients that nothing writes, which are 0.
    """

    program: ProgramData
    steps: tuple[Step, ...]
    rows: tuple[int, int]
    constant_rows: tuple[int, ...]
    one_rows: tuple[int, ...]
    seed_rows: tuple[Any, ...]
    """For each operand of `program.seeds`, its rows, an array."""
    output_rows: tuple[Any, ...]
    """For each operand of `program.outputs`, its rows, an array."""
    cotangent_rows: tuple[Any, ...]
    """For each operand of `program.cotangents`, its rows, an array; the row of zeros where nothing is reached."""
    forward: int
    """How many steps the forward pass has."""
    chains: tuple[tuple[int, int], ...]
    """(start, end) of runs of elementwise steps over the same rows, which may be fused."""
    repeats: tuple[Repeat, ...]

"""The plan as data: steps on rows of buffers, read as strided views, and the repeats among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from microgradlib.compiler.instructions import BATCHED, UNBATCHED, Instruction, ProgramData
from microgradlib.compiler.numpy_functions import numpy

__all__ = ["Plan", "Repeat", "Rows", "Step", "StridedView", "repeats_of", "rows_of"]

FEWEST_TIMES = 3
"""So often at least must steps be repeated."""

SPACES = {UNBATCHED: "unbatched", BATCHED: "batched"}


@dataclass(frozen=True, slots=True)
class StridedView:
    """Rows of a space that lie evenly along several axes: entry (i, j, …) is row start + i·steps[0] + j·steps[1] ….

    A step of 0 reads the same row again. It prints as a range, or as the first row + size × step of each axis.

    >>> print(StridedView(BATCHED, 10, (4,), (1,)), StridedView(BATCHED, 10, (2, 1, 3), (100, 0, -1)))
    batched[10:14] batched[10 + 2×100 + 3×-1]
    """

    space: int
    start: int
    sizes: tuple[int, ...]
    steps: tuple[int, ...]

    def __str__(self) -> str:
        axes = [(size, step) for size, step in zip(self.sizes, self.steps) if size > 1]
        if [step for _, step in axes] == [1]:
            return f"{SPACES[self.space]}[{self.start}:{self.start + axes[0][0]}]"
        return f"{SPACES[self.space]}[{' + '.join([str(self.start), *[f'{size}×{step}' for size, step in axes]])}]"


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Rows of a space in any order, a read-only array."""

    space: int
    rows: Any

    def __str__(self) -> str:
        return f"{SPACES[self.space]}[{len(self.rows)} rows]"


def rows_of(place: StridedView | Rows) -> Any:
    """Return the rows of a view, in the order of its entries.

    >>> rows_of(StridedView(0, 5, (2, 3), (10, 1))).tolist()
    [5, 6, 7, 15, 16, 17]
    """
    if isinstance(place, Rows):
        return place.rows
    rows = numpy().array([place.start])
    for size, step in zip(place.sizes, place.steps):
        rows = (rows[:, None] + numpy().arange(size) * step).ravel()
    return rows


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction with the places of its operands and results. All views of one step have the same axes.

    - "elementwise": results (…), operands (…), the same sizes; what is read again has a step of 0. The results may be
      exactly the view of an operand, which is then written over.
    - "reduce": reduced operands (…, terms), results and other operands (…, 1); of an adjoint, the results are as the
      terms.
    - "segment_reduce": operands (terms, width), results (segments, width).
    - "matmul": (count, rows, terms), (count, terms, columns), (count, rows, columns). Of a product with one operand
      without a batch axis, in each batched view the columns have step 1 (or there is one), so that columns and batch
      are one axis; likewise the axis that is summed where the batch is summed too.
    - "gather": no instruction. The operand, `Rows` or a view with axes of its own, is copied to the results, (rows,).
      Where `inline_gathers` was, elementwise steps have operands that are `Rows` too, and gathers such results.
    """

    instruction: Instruction | None
    results: StridedView
    operands: tuple[StridedView | Rows, ...]
    position: int
    """The position of the instruction in the program; of a gather, that of the instruction it is for."""
    phase: str = "batch"
    """"before": made of numbers without a batch axis alone, so it may be run once, before all blocks of a batch;
    "after": made of sums over the batch, so after them; else "batch"."""

    @property
    def kind(self) -> str:
        """The kind of the instruction, or "gather"."""
        return self.instruction.kind if self.instruction else "gather"

    @property
    def likeness(self) -> Any:
        """What it has in common with steps that do the same to other rows."""
        i = self.instruction
        views = [(view.space, getattr(view, "sizes", None)) for view in (self.results, *self.operands)]
        return i and (i.kind, i.op.name, i.op.settings, i.wrt, i.counts), tuple(views)

    def __str__(self) -> str:
        i = self.instruction
        what = f"{i.kind} {i.op.name}{'' if i.wrt is None else f' adjoint {i.wrt}'}" if i else "gather"
        return f"{self.results} = {what} {', '.join(map(str, self.operands))}"


class Repeat(NamedTuple):
    """Steps `start` to `start + times · length` are `times` runs of `length` steps, alike but for their rows."""

    start: int
    length: int
    times: int


@dataclass(frozen=True)
class Plan:
    """A program ready to be executed, the same for all batch sizes.

    `rows` of each space, of which the last holds 0 and is never written: `NOT_REACHED` is gathered from it, and the
    cotangents of what is not reached have it. The leaves have rows that nothing else takes: the first ones the
    parameters and the inputs, others the constants, ones and seeds. Any other row is used for several values, one after
    another. Seeds, outputs and cotangents have an array of rows for each operand of `program`.
    """

    program: ProgramData
    steps: tuple[Step, ...]
    rows: tuple[int, int]
    constant_rows: tuple[int, ...]
    one_rows: tuple[int, ...]
    seed_rows: tuple[Any, ...]
    output_rows: tuple[Any, ...]
    cotangent_rows: tuple[Any, ...]

    @cached_property
    def repeats(self) -> tuple[Repeat, ...]:
        """The longest periodic runs of steps that are alike but for their rows, in order: time steps, for example."""
        numbers: dict[Any, int] = {}
        return repeats_of([numbers.setdefault(step.likeness, len(numbers)) for step in self.steps])

    def __str__(self) -> str:
        times = {run.start: f"  {run.times} times {run.length} steps" for run in self.repeats}
        lines = [f"{n:>4}  {step}{times.get(n, '')}" for n, step in enumerate(self.steps)]
        return "\n".join([f"{self.rows[0]} unbatched rows, {self.rows[1]} batched rows", *lines])


def repeats_of(numbers: Sequence[int]) -> tuple[Repeat, ...]:
    """Return the longest runs of numbers that are repeated three times or more, without overlaps, in their order.

    >>> repeats_of([7, 1, 2, 1, 2, 1, 2, 5])
    (Repeat(start=1, length=2, times=3),)
    """
    np = numpy()
    array, found = np.array(numbers), []
    for length in range(1, len(array) // FEWEST_TIMES + 1):
        same = np.concatenate([[False], array[length:] == array[:-length], [False]])
        for start, end in np.flatnonzero(same[1:] != same[:-1]).reshape(-1, 2).tolist():
            if end - start >= (FEWEST_TIMES - 1) * length:
                found.append(Repeat(start, length, (end - start) // length + 1))
    free, kept = np.ones(len(array), bool), []
    for run in sorted(found, key=lambda run: (-run.length * run.times, run.length)):
        span = slice(run.start, run.start + run.length * run.times)
        if free[span].all():
            free[span] = False
            kept.append(run)
    return tuple(sorted(kept))

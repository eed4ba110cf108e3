"""The plan as data: steps on rows of buffers, read as strided views, with the chains and the repeats among them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from microgradlib.compiler.instructions import BATCHED
from microgradlib.compiler.numpy_functions import numpy

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from microgradlib.compiler.instructions import Instruction, ProgramData

__all__ = ["BlockGather", "Plan", "Repeat", "Step", "StridedView"]

FEWEST_TIMES = 3
"""So often at least must steps be repeated."""

MOST_LENGTHS = 8
"""So many lengths of a repeat are tried: the most frequent distances from a step to the next one that is alike."""


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

    @property
    def span(self) -> tuple[int, int]:
        """The lowest and the highest row.

        >>> StridedView(BATCHED, 10, (2, 3), (100, -1)).span
        (8, 110)
        """
        ends = [(size - 1) * step for size, step in zip(self.sizes, self.steps)]
        return self.start + sum([min(0, end) for end in ends]), self.start + sum([max(0, end) for end in ends])

    def __str__(self) -> str:
        axes = [(size, step) for size, step in zip(self.sizes, self.steps) if size > 1]
        if [step for _, step in axes] == [1]:
            return f"{_space(self)}[{self.start}:{self.start + axes[0][0]}]"
        return f"{_space(self)}[{' + '.join([str(self.start), *[f'{size}×{step}' for size, step in axes]])}]"


@dataclass(frozen=True, slots=True, eq=False)
class BlockGather:
    """Rows in any order, in runs of `width`: run i is the rows start + width · places[i] and those after it."""

    space: int
    start: int
    width: int
    places: Any
    """A read-only array of whole numbers."""

    def __str__(self) -> str:
        return f"{_space(self)}[{len(self.places)} runs of {self.width}]"


def _space(view: StridedView | BlockGather) -> str:
    return "batched" if view.space == BATCHED else "unbatched"


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
    - "gather": no instruction. The operand, a `BlockGather` or a view with axes of its own, is copied to the results,
      (rows,).
    """

    instruction: Instruction | None
    results: StridedView
    operands: tuple[StridedView | BlockGather, ...]
    position: int
    """The position of the instruction in the program; of a gather, that of the instruction it is for."""

    @property
    def kind(self) -> str:
        """The kind of the instruction, or "gather"."""
        return self.instruction.kind if self.instruction else "gather"

    def __str__(self) -> str:
        i = self.instruction
        what = [self.kind, i.op.name if i else "", f"adjoint {i.wrt}" if i and i.wrt is not None else ""]
        return f"{self.results} = {' '.join(filter(None, what))} {', '.join(map(str, self.operands))}"


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
    """The program with some slots renumbered, and without what is for printing."""
    steps: tuple[Step, ...]
    rows: tuple[int, int]
    constant_rows: tuple[int, ...]
    one_rows: tuple[int, ...]
    seed_rows: tuple[Any, ...]
    output_rows: tuple[Any, ...]
    cotangent_rows: tuple[Any, ...]
    forward: int
    """How many steps the forward pass has."""

    @cached_property
    def chains(self) -> tuple[tuple[int, int], ...]:
        """(start, end) of each run of two or more elementwise steps, each of which reads what the one before writes.

        As they have as many results, in one order, they may be computed one after another without going to memory.
        """
        found: list[tuple[int, int]] = []
        for end, step in enumerate(self.steps[1:], 1):
            before = self.steps[end - 1]
            if before.kind == step.kind == "elementwise" and before.results in step.operands:
                start = found.pop()[0] if found and found[-1][1] == end else end - 1
                found.append((start, end + 1))
        return tuple(found)

    @cached_property
    def repeats(self) -> tuple[Repeat, ...]:
        """The longest periodic runs of steps that are alike but for their rows, in order: time steps, for example."""
        return _repeats(self.steps)

    def __str__(self) -> str:
        times = {run.start: f"  {run.times} times {run.length} steps" for run in self.repeats}
        lines = [f"{n:>4}  {step}{times.get(n, '')}" for n, step in enumerate(self.steps)]
        return "\n".join([f"{self.rows[0]} unbatched rows, {self.rows[1]} batched rows", *lines])


def _repeats(steps: Sequence[Step]) -> tuple[Repeat, ...]:
    """Return the longest periodic runs of steps, without overlaps, in their order."""
    np = numpy()
    numbers: dict[Any, int] = {}
    alike = np.array([numbers.setdefault(_likeness(step), len(numbers)) for step in steps], dtype=int)
    order = np.argsort(alike, kind="stable")
    distances = Counter(np.diff(order)[np.diff(alike[order]) == 0].tolist())
    found = [run for length, _ in distances.most_common(MOST_LENGTHS) for run in _periodic(alike, length)]
    free = np.ones(len(alike), bool)
    kept = []
    for run in sorted(found, key=lambda run: (-run.length * run.times, run.length)):
        span = slice(run.start, run.start + run.length * run.times)
        if free[span].all():
            free[span] = False
            kept.append(run)
    return tuple(sorted(kept))


def _likeness(step: Step) -> Any:
    """Return what steps that are alike have in common."""
    i = step.instruction
    views = [(view.space, getattr(view, "sizes", None)) for view in (step.results, *step.operands)]
    return i and (i.kind, i.op.name, i.op.settings, i.wrt, i.counts), tuple(views)


def _periodic(alike: Any, length: int) -> Iterator[Repeat]:
    """Yield the runs in which each step is like the one `length` steps before."""
    np = numpy()
    same = np.concatenate([[False], alike[length:] == alike[:-length], [False]])
    for start, end in np.flatnonzero(np.diff(same)).reshape(-1, 2).tolist():
        times = (end - start) // length + 1
        if times >= FEWEST_TIMES:
            yield Repeat(start, length, times)

"""Reductions as native code: loops over the terms of each result, by the kernel table's statements or an op's rule."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any, NamedTuple

from microgradlib.compiler.engines.native.elementwise import adjoint_of, contiguous
from microgradlib.compiler.engines.native.functions import run_rule
from microgradlib.compiler.engines.native.ir import Function, Number, Real
from microgradlib.compiler.engines.native.kernel import Kernel, Layout, NotNativeError, kernel_function
from microgradlib.compiler.engines.native.loops import LANE_SUMS, Place, Stores, View, nest
from microgradlib.compiler.engines.native.statements import Evaluation, formula_of
from microgradlib.compiler.instructions import BATCHED, Instruction
from microgradlib.compiler.planning.data import Step

__all__ = ["reduce_kernel", "segment_reduce_kernel"]

MOST_INPUTS = 64
"""A rule of any number of inputs is written out for at most so many."""


class _Read(NamedTuple):
    """The results or an operand of a reduction: where they lie along the outer axes, and from one term to the next."""

    view: View
    step: int


def reduce_kernel(step: Step, layout: Layout) -> Kernel:
    """Return the kernel of a "reduce" step, of its adjoint, or of a sum over the batch, which adds to lane sums.

    Raises `NotNativeError` for many inputs of an op that has no statements in the kernel table.
    """
    i, views = _instruction(step), [step.results, *step.operands]
    sizes = step.results.sizes[:-1]
    reads = []
    for k, view in enumerate(views):
        is_kept = k > 0 and view.sizes[-1] == 1  # type: ignore[union-attr]
        reads.append(_Read(View(view.space, f"%a{k}", view.steps[:-1], is_kept), view.steps[-1]))  # type: ignore[union-attr]
    if i.sums_batch:
        reads[0] = _Read(View(LANE_SUMS, "%a0", contiguous(sizes)), 0)
    f = kernel_function(len(views))
    scratch = _Reduction(f, layout, i, i.terms, reads).write(sizes)
    starts = [view.start for view in views]  # type: ignore[union-attr]
    return Kernel(f, (0 if i.sums_batch else starts[0], *starts[1:]), scratch)


def segment_reduce_kernel(step: Step, layout: Layout) -> Kernel:
    """Return the kernel of a "segment_reduce" step: a nest for each run of segments with as many terms."""
    i, views, f = _instruction(step), [step.results, *step.operands], kernel_function(1 + len(step.operands))
    width, segment, scratch = step.results.sizes[1], 0, 0
    for count, run in groupby(i.counts):
        many, term = len(list(run)), sum(i.counts[:segment])
        reads = []
        for k, view in enumerate(views):
            per_segment, along = view.steps  # type: ignore[union-attr]
            row = f.add(f"%a{k}", (segment if k == 0 else term) * per_segment)
            steps = (per_segment if k == 0 else per_segment * count, along)
            reads.append(_Read(View(view.space, str(row), steps), per_segment))
        scratch = max(scratch, _Reduction(f, layout, i, count, reads).write((many, width)))
        segment += many
    return Kernel(f, tuple([view.start for view in views]), scratch)  # type: ignore[union-attr]


def _instruction(step: Step) -> Instruction:
    if step.instruction is None:
        message = f"a reduction is a step with an instruction, got {step}"
        raise ValueError(message)
    return step.instruction


class _Reduction:
    """An instruction over so many terms, with where it reads and writes; the results are the first of `reads`."""

    def __init__(self, f: Function, layout: Layout, i: Instruction, terms: int, reads: Sequence[_Read]) -> None:
        self.f, self.layout, self.i, self.terms, self.reads = f, layout, i, terms, reads
        self.names = "gzxy" if i.wrt is not None else "xy"
        """The names of the operands in statements."""
        self.formula = formula_of(i.op, i.wrt, terms, len(reads) - (1 if i.wrt is None else 3))
        units = [layout.block if read.view.space == BATCHED else 1 for read in reads]
        self.strides = [f.mul(read.step, unit) for read, unit in zip(reads, units)]
        """How many numbers apart terms are, of the results and the operands."""
        self.scratch = 0

    def write(self, sizes: Sequence[int]) -> int:
        """Emit the nest over axes of these sizes; return how many vectors of scratch memory are used."""
        nest(self.f, self.layout, sizes, [read.view for read in self.reads], self._body)
        return self.scratch

    def _body(self, real: Real, places: list[Place]) -> Stores:
        """Emit the code of the results at one position; those of an adjoint are stored at once."""
        f, strides, to = self.f, self.strides, places[0]
        at = dict(zip(self.names, zip(places[1:], strides[1:])))

        def load(name: str, term: int | str) -> Number:
            place, stride = at[name]
            return place.load(f.mul(term, stride))

        def store(term: int | str, number: Number) -> None:
            to.store(number, f.mul(term, strides[0]))

        if self.formula is not None:
            evaluation = Evaluation(f, real, self.formula, load, store)
            found = evaluation.run()
            self.scratch = max(self.scratch, len(evaluation.kept) * self.terms)
        else:
            found = self._by_rule(load, store)
        if found is None:
            return []
        return [(to, to.load() + found if self.reads[0].view.space == LANE_SUMS else f.number(found, real))]

    def _by_rule(self, load: Any, store: Any) -> Number | None:
        """Emit the op's rule over all inputs."""
        i, inputs = (
            self.i,
            [name for name in self.names if name in "xy"][: len(self.reads) - (1 if self.i.wrt is None else 3)],
        )
        if self.terms * len(inputs) > MOST_INPUTS:
            message = f"{i.op.name} of {self.terms * len(inputs)} inputs has no native code"
            raise NotNativeError(message)
        given = [load(name, term) for name in inputs for term in range(self.terms)]
        if i.wrt is None:
            found: Number = run_rule(i.op.value, *given, *i.op.settings)
            return found
        derivatives = run_rule(i.op.differentiate, load("z", 0), *given)
        for term in range(self.terms):
            store(term, adjoint_of(load("g", 0), derivatives[i.wrt * self.terms + term]))
        return None

"""Reductions as native code: loops over the terms of each result, by the kernel table's statements or an op's rule."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from functools import partial
from itertools import accumulate, groupby
from math import gcd
from typing import Any, NamedTuple

from microgradlib.compiler.engines.native.elementwise import adjoint_of
from microgradlib.compiler.engines.native.fusion import contiguous
from microgradlib.compiler.engines.native.kernel import Kernel, Layout, NotNativeError, kernel_function
from microgradlib.compiler.engines.native.loops import LANE_SUMS, Place, Stores, View, nest, turns
from microgradlib.compiler.engines.native.statements import Evaluation, formula_of
from microgradlib.compiler.instructions import BATCHED, Instruction
from microgradlib.compiler.llvm.functions import FUNCTIONS, run_rule
from microgradlib.compiler.llvm.ir import Function, Number, Real
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.planning.data import Step

__all__ = ["reduce_kernel", "segment_reduce_kernel"]

MOST_INPUTS = 64
"""A rule of any number of inputs is written out for at most so many."""

MOST_SIDE_BY_SIDE = 4
"""So many segments are added up side by side at most."""


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
    """Return the kernel of a "segment_reduce" step: a loop over groups of neighbours with as many terms.

    All groups have as many segments, which are added up side by side. Group i begins with term size · t[i], so each of
    its segments has t[i + 1] − t[i] terms.
    """
    i, (to, *views), f = _instruction(step), [step.results, *step.operands], kernel_function(2 + len(step.operands))
    size, firsts = _groups(i.counts)
    with turns(f, len(firsts) - 1) as group:
        place = f.add(f"%a{1 + len(views)}", group)
        first, end = [f.load_index("%t", f.add(place, ahead)) for ahead in (0, 1)]
        count = f.emit(f"sub i64 {end}, {first}")
        at = [View(to.space, f.emit(f"add i64 %a0, {f.mul(group, size * to.steps[0])}"), to.steps[1:])]
        for k, view in enumerate(views, 1):
            start = f.mul(first, size * view.steps[0])  # type: ignore[union-attr]
            at.append(View(view.space, f.emit(f"add i64 %a{k}, {start}"), view.steps[1:]))  # type: ignore[union-attr]
        terms = [f.mul(view.steps[0], _unit(layout, view)) for view in (to, *views)]  # type: ignore[union-attr]
        body = partial(_segments, f=f, name=i.op.name, size=size, count=count, strides=terms)
        nest(f, layout, to.sizes[1:], at, body)
    return Kernel(f, (*[view.start for view in (to, *views)], numpy().array(firsts, "int32")))  # type: ignore[union-attr]


def _groups(counts: Sequence[int]) -> tuple[int, list[int]]:
    """Return how many segments a group has, and for each group, and behind the last, the first term over that size.

    >>> _groups([1, 1, 2, 2, 2, 2]), _groups([5, 7])
    ((2, [0, 1, 3, 5]), (1, [0, 5, 12]))
    """
    common = gcd(*[len(list(run)) for _, run in groupby(counts)])
    size = max(size for size in range(1, MOST_SIDE_BY_SIDE + 1) if common % size == 0)
    return size, [0, *accumulate(counts[::size])]


def _segments(
    _: Real, places: Sequence[Place], *, f: Function, name: str, size: int, count: str, strides: Sequence[Any]
) -> Stores:
    """Emit the code of one group of segments with `count` terms each, at one position of their rows."""
    to, *read = places
    ahead = [[f.mul(count, f.mul(k, stride)) for stride in strides[1:]] for k in range(size)]

    def value(segment: int, term: int | str) -> Number:
        numbers = [x.load(f.add(ahead[segment][k], f.mul(term, strides[1 + k]))) for k, x in enumerate(read)]
        return numbers[0] if len(numbers) == 1 else numbers[0] * numbers[1]

    is_sum = name not in {"maximum", "minimum"}
    join = operator.add if is_sum else getattr(FUNCTIONS, name)
    # −0 + x is x, for −0 too; the larger of a number and itself is that number
    totals = [f.number(-0.0, to.real) if is_sum else value(segment, 0) for segment in range(size)]
    with f.loop(count) as loop:
        carried = [loop.carry(total) for total in totals]
        totals = [join(total, value(segment, loop.index)) for segment, total in enumerate(carried)]
        for before, after in zip(carried, totals):
            loop.update(before, after)
    if name == "mean":
        number = f.splat(Number(f, to.real.one, f.emit(f"uitofp i64 {count} to {to.real.scalar}")), to.real)
        totals = [total / number for total in totals]
    return [(to.moved(f.mul(segment, strides[0])), total) for segment, total in enumerate(totals)]


def _unit(layout: Layout, view: Any) -> int | str:
    """Return how many numbers apart neighbouring rows of a view's space lie."""
    return layout.block if view.space == BATCHED else 1


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
        self.strides = [f.mul(read.step, _unit(layout, read.view)) for read in reads]
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

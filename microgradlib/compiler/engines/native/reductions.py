"""Reductions as native code: loops over the terms of each result, by the kernel table's statements or an op's rule."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from functools import partial
from typing import Any

from microgradlib.compiler.engines.formulas import formula_of
from microgradlib.compiler.engines.kernels import exponentials_of
from microgradlib.compiler.engines.native.kernel import LANE_SUMS, Kernel, Layout, kernel_function
from microgradlib.compiler.engines.native.loops import Place, Stores, View, nest
from microgradlib.compiler.engines.native.statements import Evaluation
from microgradlib.compiler.llvm.closed import adjoint_of, closed_at_minus_zero, masks_of, stated
from microgradlib.compiler.llvm.functions import FUNCTIONS, run_rule
from microgradlib.compiler.llvm.ir import Function, NotNativeError, Number, Real
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.planning.data import Step
from microgradlib.compiler.planning.fusion import Flow, contiguous
from microgradlib.compiler.planning.segments import side_by_side

__all__ = ["reduce_kernel", "segment_reduce_kernel"]

MOST_INPUTS = 64
"""A rule of any number of inputs is written out for at most so many."""


def reduce_kernel(step: Step, layout: Layout, flow: Flow | None = None) -> Kernel:
    """Return the kernel of a "reduce" step, of its adjoint, or of a sum over the batch, which adds to lane sums.

    Raises `NotNativeError` for many inputs of an op that has no statements in the kernel table.
    """
    i: Any = step.instruction
    views: list[Any] = [step.results, *step.operands]
    f, scratch, sizes = kernel_function(len(views)), 0, step.results.sizes[:-1]
    closes, keeps = flow is not None and flow.closes[0], flow is not None and flow.keeps and not layout.is_single
    names = ("xy" if i.wrt is None else "gzxy")[: len(views) - 1]
    formula = formula_of(i.op, i.wrt, names.count("x") + names.count("y"), kept=keeps and i.wrt is not None)
    strides = [f.mul(view.steps[-1], layout.rows(view.space)[1]) for view in views]

    def body(real: Real, places: list[Place]) -> Stores:
        nonlocal scratch
        to, at = places[0], dict(zip(names, zip(places[1:], strides[1:])))
        g = closed_at_minus_zero(places[1].load()) if closes else None

        def load(name: str, term: int | str) -> Number:
            return at[name][0].load(f.mul(term, at[name][1]))

        def store(term: int | str, adjoint: Number) -> None:
            to.store(stated(adjoint, masks_of(g, adjoint)), f.mul(term, strides[0]))

        def keep(term: int | str, exponential: Number) -> None:
            place, stride = at[exponentials_of(i.op)]
            place.store(exponential, f.mul(term, stride))

        if formula is None:
            found = _by_rule(i, [name for name in names if name in "xy"], load, store)
        else:
            over = keep if keeps and i.wrt is None else None
            evaluation = Evaluation(f, real, formula, i.terms, load=load, store=store, keep=over)
            found, scratch = evaluation.run(), len(evaluation.kept) * i.terms
        if i.sums_batch:
            found = to.load() + found
        return [] if found is None else [(to, f.number(found, real))]

    at = [View(x.space, f"%a{k}", x.steps[:-1], k > 0 and x.sizes[-1] == 1) for k, x in enumerate(views)]
    if i.sums_batch:
        at[0] = View(LANE_SUMS, "%a0", contiguous(sizes))
    nest(f, layout, sizes, at, body)
    return Kernel(f, tuple([view.start for view in views]), scratch)


def _by_rule(i: Any, names: Sequence[str], load: Any, store: Any) -> Any:
    """Emit an op's rule over all inputs; return the result, or None if each term has one, which is stored."""
    if i.terms * len(names) > MOST_INPUTS:
        message = f"{i.op.name} of {i.terms * len(names)} inputs has no native code"
        raise NotNativeError(message)
    given = [load(name, term) for name in names for term in range(i.terms)]
    if i.wrt is None:
        return run_rule(i.op.value, *given, *i.op.settings)
    derivatives = run_rule(i.op.differentiate, load("z", 0), *given)[i.wrt * i.terms :]
    for term in range(i.terms):
        store(term, adjoint_of(load("g", 0), derivatives[term]))
    return None


def segment_reduce_kernel(step: Step, layout: Layout) -> Kernel:
    """Return the kernel of a "segment_reduce" step: a loop over groups of neighbours with as many terms.

    All groups have as many segments, which are added up side by side. Group i begins with term size · t[i], so each of
    its segments has t[i + 1] − t[i] terms.
    """
    i: Any = step.instruction
    views: list[Any] = [step.results, *step.operands]
    f, (size, firsts) = kernel_function(1 + len(views)), side_by_side(i.counts)
    with f.turns(len(firsts) - 1) as group:
        place = f.add(f"%a{len(views)}", group)
        first, end = [f.integer("%t", f.add(place, ahead)) for ahead in (0, 1)]
        count, at = f.emit(f"sub i64 {end}, {first}"), list[View]()
        for k, view in enumerate(views):
            start = f.add(f"%a{k}", f.mul(first if k else group, size * view.steps[0]))
            at.append(View(view.space, str(start), view.steps[1:]))
        strides = [f.mul(view.steps[0], layout.rows(view.space)[1]) for view in views]
        body = partial(_segments, f=f, name=i.op.name, size=size, count=count, strides=strides)
        nest(f, layout, step.results.sizes[1:], at, body)
    return Kernel(f, (*[view.start for view in views], numpy().array(firsts, "int32")))


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

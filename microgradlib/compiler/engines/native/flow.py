"""What is known of the numbers in a plan: how long they are read, what may be kept in their rows, where −0 closes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from microgradlib.compiler.engines.formulas import formula_of
from microgradlib.compiler.engines.kernels import exponentials_of
from microgradlib.compiler.instructions import BATCHED, UNBATCHED, Instruction
from microgradlib.compiler.llvm.functions import run_rule
from microgradlib.compiler.llvm.ir import Function, Number, Real
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.planning.data import Plan, Step, StridedView, rows_of
from microgradlib.compiler.planning.fusion import Flow
from microgradlib.compiler.slopes import rule_arguments
from microgradlib.ops import ZERO, Op

__all__ = ["PRODUCTS", "SUMS", "derivative_of", "flows_of"]

PRODUCTS, SUMS = {"mul", "strong_mul"}, {"add", "sum", "identity"}
"""Ops that a structural zero stops; and those in which it takes no part."""


def flows_of(plan: Plan) -> list[Flow]:
    """Return the flow of each step of a plan.

    A −0 is a structural zero (see `closed.CLOSED`) in seeds of a batch; in adjoints and products that are closed
    somewhere, as 0 is added to what these compute; and in sums and copies of such numbers alone, in which −0 comes of
    nothing but −0. Any other −0 is a number: a product of matrices may be rounded to it, so it does not keep what is
    closed. There 0 · inf is nan, for which the reference engine is asked; a wrong finite number there is never.

    Exponentials are kept where only an op and its adjoint read the numbers that they are of.
    """
    np, closes = numpy(), list[tuple[bool, ...]]()
    last, reads = np.arange(len(plan.steps) + 1), np.zeros(len(plan.steps) + 1, int)  # of steps; at the end, of leaves
    writers, places, is_zero = ([np.full(count, unknown) for count in plan.rows] for unknown in (-1, -1, False))
    ends = np.cumsum([0, *[len(rows_of(step.results)) for step in plan.steps]])
    is_read = np.zeros(ends[-1] + 1, bool)
    for operand, rows in zip(plan.program.seeds, plan.seed_rows):
        is_zero[operand.space][rows] = operand.space == BATCHED

    def read(space: int, rows: Any, reader: int) -> Any:
        last[writers[space][rows]], is_read[places[space][rows]] = reader, True
        reads[writers[space][rows]] += 1  # once, however many rows it reads of a writer
        return is_zero[space][rows]

    forward, pairs = dict[Any, Any](), list[Any]()
    for index, step in enumerate(plan.steps):
        found = [read(place.space, rows_of(place), index) for place in step.operands]
        closes.append(tuple([bool(each.all()) for each in found]))
        for name, view, is_adjoint in _exponentials(step):
            source = writers[BATCHED][rows_of(view)]
            if not is_adjoint:
                forward[name, view] = index, source
            elif (name, view) in forward and (forward[name, view][1] == source).all():
                pairs.append((forward[name, view][0], index, source))
        space, rows = step.results.space, rows_of(step.results)
        writers[space][rows], places[space][rows] = index, np.arange(*ends[index : index + 2])
        is_zero[space][rows] = _closes(step.instruction, closes[-1]) if step.instruction else found[0]
    given = [*zip(plan.program.outputs, plan.output_rows), *zip(plan.program.cotangents, plan.cotangent_rows)]
    for operand, rows in given:
        read(operand.space, rows, 2 * len(plan.steps))
    kept = set[int]()
    for first, adjoint, source in pairs:
        if (source >= 0).all() and (reads[source] == 2).all() and (last[source] == adjoint).all():
            kept |= {first, adjoint}
    known = zip(last.tolist(), closes, np.split(is_read, ends[1:]))
    ones = [_has_ones(step, plan.one_rows) for step in plan.steps]
    return [Flow(reader - k, flags, k in kept, read, ones[k]) for k, (reader, flags, read) in enumerate(known)]


def _has_ones(step: Step, ones: Any) -> bool:
    """Say whether a product's right factors end with ones; see `Flow`."""
    if step.kind != "matmul" or step.operands[1].space != BATCHED:
        return False
    rows = rows_of(step.operands[1]).reshape(getattr(step.operands[1], "sizes", (1, 1, -1)))
    if step.results.space == UNBATCHED:
        rows = rows.swapaxes(1, 2)
    return bool(rows.shape[1] > 1 and numpy().isin(rows[:, -1], ones).all())


def _exponentials(step: Step) -> list[tuple[str, StridedView, bool]]:
    """Return the operand over which an op may write its exponentials, or its adjoint find them, and which this is."""
    i = step.instruction
    if i is None or i.kind != "reduce" or step.phase != "batch":
        return []
    names = dict(zip("xy" if i.wrt is None else "gzxy", step.operands))
    view, inputs = names.get(exponentials_of(i.op)), sum(name in names for name in "xy")
    if not isinstance(view, StridedView) or not formula_of(i.op, i.wrt, inputs, kept=i.wrt is not None):
        return []
    rows = rows_of(view)
    is_own = view.space == BATCHED and len(numpy().unique(rows)) == len(rows)
    return [(i.op.name, view, i.wrt is not None)] if is_own else []


def _closes(i: Instruction, operands: Sequence[bool]) -> bool:
    """Say whether a −0 among the results of an instruction is a structural zero, for what it is in its operands."""
    if i.wrt is not None:
        return i.kind == "reduce" or operands[0] or _may_close(i.op, i.wrt, i.reads)
    if i.op.name in PRODUCTS:
        return any(operands)
    return i.op.name in SUMS and not i.sums_batch and all(operands)


@lru_cache(4096)
def _may_close(op: Op, wrt: int, reads: tuple[int, ...]) -> bool:
    """Say whether a derivative may be `ZERO`.

    >>> from microgradlib.ops import TABLE
    >>> _may_close(TABLE["relu"], 0, (0,)), _may_close(TABLE["tanh"], 0, (1,))
    (True, False)
    """
    x = Number(Function("derivative", "double %x"), Real("double", 1), "%x")
    derivative = derivative_of(op, wrt, reads, [x] * len(reads))
    return derivative is ZERO or getattr(derivative, "closed", None) is not None


def derivative_of(op: Op, wrt: int, reads: Sequence[int], numbers: Sequence[Number]) -> Any:
    """Return an op's derivative for those numbers that it `reads` of its output and inputs; it may be `ZERO`.

    Derivatives of one op often divide by the same number. Where its inverse overflows they are nan or inf, for which
    the reference engine is asked.
    """
    given = [math.nan if x is None else x for x in rule_arguments(op, reads, numbers)]
    for x in numbers:
        x.function.divides_once = True
    try:
        return run_rule(op.derivatives[wrt], *given, *op.settings)  # type: ignore[index]
    finally:
        for x in numbers:
            x.function.divides_once = False

"""What is known of the numbers in a plan: how long they are read, and where a −0 among them is a structural zero."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from microgradlib.compiler.instructions import BATCHED, Instruction
from microgradlib.compiler.llvm.functions import run_rule
from microgradlib.compiler.llvm.ir import Function, Number, Real
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.planning.data import Plan, rows_of
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
    """
    np, closes = numpy(), list[tuple[bool, ...]]()
    last = np.arange(len(plan.steps) + 1)  # behind those of the steps, that of leaves
    writers, is_zero = ([np.full(count, unknown) for count in plan.rows] for unknown in (-1, False))
    for operand, rows in zip(plan.program.seeds, plan.seed_rows):
        is_zero[operand.space][rows] = operand.space == BATCHED

    def read(space: int, rows: Any, reader: int) -> Any:
        last[writers[space][rows]] = reader
        return is_zero[space][rows]

    for index, step in enumerate(plan.steps):
        found = [read(place.space, rows_of(place), index) for place in step.operands]
        closes.append(tuple([bool(each.all()) for each in found]))
        space, rows = step.results.space, rows_of(step.results)
        writers[space][rows] = index
        is_zero[space][rows] = _closes(step.instruction, closes[-1]) if step.instruction else found[0]
    given = [*zip(plan.program.outputs, plan.output_rows), *zip(plan.program.cotangents, plan.cotangent_rows)]
    for operand, rows in given:
        read(operand.space, rows, 2 * len(plan.steps))
    return [Flow(reader - index, flags) for index, (reader, flags) in enumerate(zip(last.tolist(), closes))]


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
    """Return an op's derivative for those numbers that it `reads` of its output and inputs; it may be `ZERO`."""
    given = [math.nan if x is None else x for x in rule_arguments(op, reads, numbers)]
    return run_rule(op.derivatives[wrt], *given, *op.settings)  # type: ignore[index]

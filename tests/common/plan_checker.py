"""A checker of plans: simulates what each step writes, and holds it to the slots that the instructions name."""

import numpy as np

from microgradlib.compiler.instructions import BATCHED, NOT_REACHED, UNBATCHED
from microgradlib.compiler.planning import Rows

NOTHING = -2
"""What a row holds before it is written: no slot."""


def rows_of(view):
    """Return the rows of a view or a list in order, an array of one axis."""
    if isinstance(view, Rows):
        return view.rows
    rows = np.array([view.start])
    for size, step in zip(view.sizes, view.steps, strict=True):
        rows = (rows[:, None] + step * np.arange(size)).ravel()
    return rows


def check_plan(plan):
    """Raise `ValueError` for a plan that would compute something else than its program.

    Two live values never share a row, leaves are never written over, all views have the axes that `Step` says. Steps
    run in their order for the whole batch; or those before the batch once, and the others for each block of examples.
    """
    steps = list(enumerate(plan.steps))
    before, others = [[one for one in steps if (one[1].phase == "before") is is_before] for is_before in (True, False)]
    _check_order(plan, steps, [])
    _check_order(plan, before, others)


def _check_order(plan, steps, repeated):
    """Simulate steps with their numbers, then those that run again and again and must keep the results of the first."""
    program, held = plan.program, _leaves(plan)
    preset = [rows != NOTHING for rows in held]
    for block in (steps, repeated):
        for number, step in block:
            what = f"step {number}, {step}"
            target, space = rows_of(step.results), step.results.space
            _require(len(np.unique(target)) == len(target), f"a row is written twice by {what}")
            _require(not preset[space][target].any(), f"leaves are written over by {what}")
            held[space][target] = _written(step, held, target, what)
        preset = [rows != NOTHING for rows in held]
    for rows, operand in zip(plan.output_rows + plan.cotangent_rows, program.outputs + program.cotangents, strict=True):
        _require(np.array_equal(held[operand.space][rows], operand.slots), f"the rows of {operand} hold something else")


def _written(step, held, target, what):
    """Return the slots whose numbers a step writes, after a look at all that it reads."""
    read = [held[view.space][rows_of(view)] for view in step.operands]
    values = read[0]
    if step.instruction is not None:
        values = step.instruction.results.slots
        for found, operand in zip(read, step.instruction.operands, strict=True):
            _require(np.array_equal(found, operand.slots), f"other slots than those of {operand} are read by {what}")
        _check_axes(step, what)
    for view in step.operands:
        apart = view.space != step.results.space or not np.intersect1d(rows_of(view), target).size
        in_place = step.kind == "elementwise" and view == step.results
        _require(apart or in_place, f"an operand is written over by {what}")
    _require(len(values) == len(target), f"{len(target)} rows for {len(values)} numbers in {what}")
    return values


def _leaves(plan):
    """Return the slot that each row of the two spaces holds before the first step."""
    program, held = plan.program, [np.full(rows, NOTHING) for rows in plan.rows]
    for rows, count in zip(held, (len(program.parameter_order), program.inputs), strict=True):
        rows[:count], rows[-1] = np.arange(count), NOT_REACHED
    held[UNBATCHED][list(plan.constant_rows)] = program.constant_slots
    held[BATCHED][list(plan.one_rows)] = program.ones
    for seeds, rows in zip(program.seeds, plan.seed_rows, strict=True):
        held[seeds.space][rows] = seeds.slots
    return held


def _check_axes(step, what):
    i, (z, *reads) = step.instruction, (step.results, *step.operands)
    of_rows = i.kind == "elementwise"  # which may read rows in any order; see `inline_gathers`
    shapes = [z.sizes if of_rows and isinstance(view, Rows) else view.sizes for view in reads]
    expected = [z.sizes] * len(shapes)
    if i.kind == "matmul":
        (w, x), (count, rows, terms, columns) = reads, i.shape
        expected = [(count, rows, terms), (count, terms, columns)]
        dense = {w: 2, x: 1} if i.sums_batch else {x: 2, z: 2} if w.space == UNBATCHED and x.space == BATCHED else {}
        for view, axis in dense.items():
            is_dense = view.space == UNBATCHED or view.sizes[axis] == 1 or view.steps[axis] == 1
            _require(is_dense, f"columns and batch are no one axis in {what}")
    elif i.kind == "reduce":
        longest = max([z.sizes, *shapes], key=np.prod)
        _require(longest[-1] == i.terms, f"the last axis is no reduction's in {what}")
        expected = [longest if len(x.slots) == np.prod(longest) else (*longest[:-1], 1) for x in i.operands]
    elif i.kind == "segment_reduce":
        expected = [(sum(i.counts), i.width)] * len(shapes)
    _require(shapes == expected, f"views of {shapes} in {what}")


def _require(condition, message):
    if not condition:
        raise ValueError(message)

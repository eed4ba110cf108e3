"""A checker of plans: that each step reads the values that its instruction names, by simulating what is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from microgradlib.compiler.instructions import BATCHED, UNBATCHED, Operand
from microgradlib.compiler.planning import BlockGather, StridedView

if TYPE_CHECKING:
    from microgradlib.compiler.planning import Plan, Step

NOTHING = -2
"""What a row holds before it is written: no slot."""


def check_plan(plan: Plan) -> None:
    """Raise `ValueError` where a row does not hold the slot it should, so that two live values share a row.

    Each row is simulated as the number of the slot whose value it holds, `NOT_REACHED` in rows that are 0 for ever.
    """
    program = plan.program
    held = [np.full(rows, NOTHING) for rows in plan.rows]
    preset = [np.zeros(rows, bool) for rows in plan.rows]
    written = [np.zeros(rows, bool) for rows in plan.rows]
    leaves = [len(program.parameter_order), program.inputs]
    for space in (UNBATCHED, BATCHED):
        held[space][: leaves[space]] = np.arange(leaves[space])
        held[space][-1] = -1
    held[UNBATCHED][list(plan.constant_rows)] = program.constant_slots
    held[BATCHED][list(plan.one_rows)] = program.ones
    for seeds, rows in zip(program.seeds, plan.seed_rows, strict=True):
        held[seeds.space][rows] = seeds.slots
    for found, values in zip(preset, held, strict=True):
        found[:] = values != NOTHING
    forward = 0
    for number, step in enumerate(plan.steps):
        forward += program.forward is None or step.position < program.forward
        _check_step(plan, number, step, held)
        target = slots_of(step.results)
        written[step.results.space][target] = True
        if preset[step.results.space][target].any():
            raise ValueError(f"step {number} writes rows that are preset")
    for rows, operand in [
        *zip(plan.output_rows, program.outputs, strict=True),
        *zip(plan.cotangent_rows, program.cotangents, strict=True),
    ]:
        zero = (operand.slots < 0) & ~written[operand.space][rows]
        if not (zero | (held[operand.space][rows] == operand.slots)).all():
            raise ValueError(f"the rows of {operand} do not hold it at the end")
    if forward != plan.forward:
        raise ValueError(f"the forward pass has {forward} steps, not {plan.forward}")


def slots_of(view: StridedView | BlockGather) -> Any:
    """Return the rows of a view in order, an array of one axis."""
    if isinstance(view, BlockGather):
        return (view.start + view.width * view.places[:, None] + np.arange(view.width)).ravel()
    rows = np.array([view.start])
    for size, step in zip(view.sizes, view.steps, strict=True):
        rows = (rows[:, None] + step * np.arange(size)).ravel()
    return rows


def _check_step(plan: Plan, number: int, step: Step, held: list[Any]) -> None:
    target = slots_of(step.results)
    if len(np.unique(target)) < len(target):
        raise ValueError(f"step {number} writes a row twice")
    for k, operand in enumerate(step.operands):
        found = held[operand.space][slots_of(operand)]
        if step.instruction is None:
            values = found
        elif not np.array_equal(found, step.instruction.operands[k].slots):
            raise ValueError(f"step {number} reads other slots than those of operand {k}: {step.instruction}")
        if operand.space == step.results.space and np.intersect1d(slots_of(operand), target).size:
            is_elementwise = step.instruction is not None and step.instruction.kind == "elementwise"
            if not (is_elementwise and operand == step.results):
                raise ValueError(f"step {number} writes over operand {k}, not in place: {step.instruction}")
    if step.instruction is not None:
        values = step.instruction.results.slots
        _check_axes(number, step)
    held[step.results.space][target] = values


def _check_axes(number: int, step: Step) -> None:
    """Check what `Step` says of the axes."""
    instruction = step.instruction
    shapes = [view.sizes for view in step.operands]
    if instruction.kind == "elementwise":
        expected = [step.results.sizes] * len(shapes)
    elif instruction.kind == "matmul":
        count, rows, terms, columns = instruction.shape
        expected = [(count, rows, terms), (count, terms, columns)]
        dense = {}
        w, x = step.operands
        if instruction.sums_batch:
            dense = {w: 2, x: 1}
        elif w.space == UNBATCHED and x.space == BATCHED:
            dense = {x: 2, step.results: 2}
        for view, axis in dense.items():
            if view.space == BATCHED and view.sizes[axis] > 1 and view.steps[axis] != 1:
                raise ValueError(f"step {number} has matrices that are not dense: {instruction}")
    elif instruction.kind == "reduce":
        longest = max([step.results.sizes, *shapes], key=np.prod)
        expected = [longest if len(o.slots) == np.prod(longest) else (*longest[:-1], 1) for o in instruction.operands]
    else:
        terms, width = sum(instruction.counts), instruction.width
        expected = [(terms, width)] * len(shapes) if instruction.wrt is None else shapes
    if shapes != expected:
        raise ValueError(f"step {number} has views of other axes: {instruction}")

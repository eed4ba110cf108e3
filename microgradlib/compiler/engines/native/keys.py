"""Keys of compiled programs: what native code is made of, so that it is made once for equal plans."""

from __future__ import annotations

import hashlib
import marshal
from dataclasses import fields
from typing import Any

from microgradlib.compiler.instructions import Instruction
from microgradlib.compiler.llvm.surroundings import surroundings
from microgradlib.compiler.planning.data import Plan, StridedView

__all__ = ["program_key"]

READ = [field.name for field in fields(Instruction) if field.name not in ("op", "results", "operands", "cotangent_of")]


def program_key(plan: Plan, *settings: Any) -> str | None:
    """Return the key of the code of a plan, for settings that can be written as text; None where there is none.

    Code is made of the steps' views, not of the slots of their instructions (which of these are padding follows from
    the views too), of the rows of leaves and results, and of the rules of the ops. The code of ops that the library
    does not define is not known by their names.
    """
    program, steps = plan.program, []
    for step in plan.steps:
        i = step.instruction
        if i is not None and not (getattr(i.op.value, "__module__", None) or "").startswith("microgradlib.ops."):
            return None
        what = i and (i.op.name, i.op.settings, *[getattr(i, name) for name in READ])
        steps.append((what, step.phase, *map(_written, (step.results, *step.operands))))
    leaves = program.input_order, program.parameter_order, program.constants, [shape for _, shape in program.arguments]
    spaces = [[o.space for o in operands] for operands in (program.seeds, program.outputs, program.cotangents)]
    rows = plan.rows, plan.constant_rows, plan.one_rows, plan.seed_rows, plan.output_rows, plan.cotangent_rows
    content = marshal.dumps((steps, leaves, spaces, rows, program.forward, repr(settings), surroundings()), 2)
    return hashlib.sha256(content).hexdigest() if surroundings() else None


def _written(view: Any) -> tuple[Any, ...]:
    if isinstance(view, StridedView):
        return view.space, view.start, view.sizes, view.steps
    return view.space, view.rows

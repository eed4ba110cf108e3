"""Planning: which rows of memory each value of a program has, and how the steps read them; the same for all batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from microgradlib.compiler.instructions import BATCHED, UNBATCHED, Operand, ProgramData, slot_array
from microgradlib.compiler.planning.buffers import assign_rows
from microgradlib.compiler.planning.data import Plan, Repeat, Rows, Step, StridedView
from microgradlib.compiler.planning.views import Reading, Views, cuts, reading_of, sizes_of

__all__ = ["Plan", "Repeat", "Rows", "Step", "StridedView", "plan"]


def plan(program: ProgramData) -> Plan:
    """Return the plan of a forward program, or of a joint one.

    Here relu takes the rows of its operand, and its adjoint those of the cotangent before it; the hidden units lie
    right before the row of ones that makes the biases a column of the weights.

    >>> from microgradlib.compiler.canonicalize import canonicalize
    >>> from microgradlib.compiler.reverse import reverse
    >>> from microgradlib.compiler.trace import trace
    >>> from microgradlib.compiler.vectorize import vectorize
    >>> from microgradlib.nn import MLP
    >>> model = MLP(2, [3, 1])
    >>> program = vectorize(canonicalize(trace(lambda x: model(x), [[0.0, 0.0]], model.parameters())))
    >>> print(plan(reverse(program)))
    27 unbatched rows, 13 batched rows
       0  batched[3:6] = matmul dot unbatched[0 + 3×3 + 3×1], batched[0:3]
       1  batched[3:6] = elementwise relu batched[3:6]
       2  batched[8] = matmul dot unbatched[9:13], batched[3:7]
       3  unbatched[22:26] = matmul dot batched[7], batched[3:7]
       4  batched[9:12] = matmul dot unbatched[9:12], batched[7]
       5  batched[9:12] = elementwise relu adjoint 0 batched[9:12], batched[3:6]
       6  unbatched[13 + 3×3 + 3×1] = matmul dot batched[9:12], batched[0:3]
    """
    views = Views(program)
    rows = [assign_rows(program, views, space) for space in (UNBATCHED, BATCHED)]
    rows_of_slots = [found[addresses] for found, addresses in zip(rows, views.addresses)]

    def rows_of(operands: Sequence[Operand]) -> tuple[Any, ...]:
        return tuple([slot_array(rows_of_slots[operand.space][operand.slots]) for operand in operands])

    def placed(reading: Reading) -> Any:
        space, view = reading.space, reading.view
        if view is not None:
            return StridedView(space, int(rows[space][view.start]), view.sizes, view.steps)
        gathered = rows[space][reading.addresses]
        found = cuts(gathered)
        if found is None:
            return Rows(space, slot_array(gathered))
        return reading_of(space, gathered, sizes_of([1, *found, len(gathered)])).view

    return Plan(
        program=program,
        steps=tuple([Step(d[0], placed(d.results), tuple(map(placed, d.operands)), *d[3:]) for d in views.drafts]),
        rows=(int(rows[UNBATCHED][-1]) + 1, int(rows[BATCHED][-1]) + 1),
        constant_rows=tuple(rows_of_slots[UNBATCHED][list(program.constant_slots)].tolist()),
        one_rows=tuple(rows_of_slots[BATCHED][list(program.ones)].tolist()),
        seed_rows=rows_of(program.seeds),
        output_rows=rows_of(program.outputs),
        cotangent_rows=rows_of(program.cotangents),
    )

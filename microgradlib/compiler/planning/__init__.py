"""Planning: which rows of memory each value of a program has, and how the steps read them; the same for all batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.planning.buffers import assign_rows
from microgradlib.compiler.planning.data import BlockGather, Plan, Repeat, Step, StridedView
from microgradlib.compiler.planning.slot_layout import arranged
from microgradlib.compiler.planning.strides import blocks, even_axes
from microgradlib.compiler.planning.views import AxesOf, views

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.compiler.instructions import Operand, ProgramData

__all__ = ["BlockGather", "Plan", "Repeat", "Step", "StridedView", "plan"]

MOST_AXES_OF_A_COPY = 5
"""What is evenly spaced along so many axes is copied as a view, not row by row: the windows of a convolution."""


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
    axes_of = AxesOf()
    program = arranged(program, axes_of)
    drafts, sizes = views(program, axes_of)
    rows = assign_rows(program, drafts, sizes)
    zeros = [int(found.max(initial=-1)) + 1 for found in rows]
    tables = [numpy().append(found, zero) for found, zero in zip(rows, zeros)]  # NOT_REACHED, −1, finds the zeros

    def rows_of(operands: Sequence[Operand]) -> tuple[Any, ...]:
        return tuple([_read_only(tables[operand.space][operand.slots]) for operand in operands])

    def placed(step: Step) -> Step:
        operands = tuple([_on_rows(view, tables) for view in step.operands])
        return Step(step.instruction, _on_rows(step.results, tables), operands, step.position)

    return Plan(
        program=program,
        steps=tuple([placed(draft.step) for draft in drafts]),
        rows=(zeros[0] + 1, zeros[1] + 1),
        constant_rows=tuple(rows[0][list(program.constant_slots)].tolist()),
        one_rows=tuple(rows[1][list(program.ones)].tolist()),
        seed_rows=rows_of(program.seeds),
        output_rows=rows_of(program.outputs),
        cotangent_rows=rows_of(program.cotangents),
        forward=sum([program.forward is None or draft.step.position < program.forward for draft in drafts]),
    )


def _on_rows(view: StridedView | BlockGather, tables: Sequence[Any]) -> Any:
    """Return a view of slots as one of rows. A gather is a view too, if the rows are evenly spaced."""
    if isinstance(view, StridedView):
        return StridedView(view.space, int(tables[view.space][view.start]), view.sizes, view.steps)
    rows = tables[view.space][view.places]
    axes = even_axes(rows, MOST_AXES_OF_A_COPY)
    if axes is not None:
        sizes, steps = zip(*axes or ((1, 0),))
        return StridedView(view.space, int(rows[0]), sizes, steps)
    start, width, places = blocks(rows)
    return BlockGather(view.space, start, width, _read_only(places))


def _read_only(array: Any) -> Any:
    array.setflags(write=False)
    return array

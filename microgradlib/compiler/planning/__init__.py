"""Planning: which rows of memory each value of a program has, and how the steps read them; the same for all batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from microgradlib.compiler.instructions import NOT_REACHED
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.planning.buffers import assign_rows
from microgradlib.compiler.planning.data import BlockGather, Plan, Step, StridedView
from microgradlib.compiler.planning.patterns import Repeat
from microgradlib.compiler.planning.slot_layout import arranged
from microgradlib.compiler.planning.strides import blocks, even_axes
from microgradlib.compiler.planning.views import AxesOf, views

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.compiler.instructions import Operand, ProgramData

__all__ = ["BlockGather", "Plan", "Repeat", "Step", "StridedView", "plan"]

MOST_AXES_OF_A_COPY = 5
"""What lies evenly along so many axes is copied rather than gathered: the windows of a convolution."""


def plan(program: ProgramData) -> Plan:
    """Return the plan of a forward program, or of a joint one.

    >>> from microgradlib.compiler.canonicalize import canonicalize
    >>> from microgradlib.compiler.trace import trace
    >>> from microgradlib.compiler.vectorize import vectorize
    >>> program = vectorize(canonicalize(trace(lambda x: (x[0] * x[1]).exp() + x[0], [[1.0, 2.0]], [])))
    """
    np = numpy()
    axes_of = AxesOf()
    program = arranged(program, axes_of)
    drafts, sizes = views(program, axes_of)
    rows = assign_rows(program, drafts, sizes)
    steps = [draft.step for draft in drafts]
    zeros = [int(found.max(initial=-1)) + 1 for found in rows]
    tables = [np.append(found, zero) for found, zero in zip(rows, zeros)]  # NOT_REACHED, −1, finds the row of zeros

    def rows_of(operands: Sequence[Operand]) -> tuple[Any, ...]:
        return tuple([_frozen(tables[operand.space][operand.slots]) for operand in operands])

    return Plan(
        program=program,
        steps=tuple([_placed(step, tables) for step in steps]),
        rows=(zeros[0] + 1, zeros[1] + 1),
        constant_rows=tuple(rows[0][list(program.constant_slots)].tolist()),
        one_rows=tuple(rows[1][list(program.ones)].tolist()),
        seed_rows=rows_of(program.seeds),
        output_rows=rows_of(program.outputs),
        cotangent_rows=rows_of(program.cotangents),
        forward=sum([program.forward is None or step.position < program.forward for step in steps]),
    )


def _frozen(array: Any) -> Any:
    array.setflags(write=False)
    return array


def _placed(step: Step, tables: Sequence[Any]) -> Step:
    """Return a step on slots as one on rows."""
    operands = [
        _gathered(operand.space, tables[operand.space][operand.places])
        if isinstance(operand, BlockGather)
        else _moved(operand, tables)
        for operand in step.operands
    ]
    return Step(step.instruction, _moved(step.results, tables), tuple(operands), step.position)


def _moved(view: StridedView, tables: Sequence[Any]) -> StridedView:
    return StridedView(view.space, int(tables[view.space][view.start]), view.sizes, view.steps)


def _gathered(space: int, rows: Any) -> StridedView | BlockGather:
    axes = even_axes(rows, MOST_AXES_OF_A_COPY)
    if axes is not None:
        return StridedView(space, int(rows[0]), tuple([size for size, _ in axes]), tuple([step for _, step in axes]))
    return BlockGather(space, *blocks(rows))

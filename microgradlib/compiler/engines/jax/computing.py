"""What computes the steps of a program, so that closed branches stop inf and nan: a cotangent behind one is −0."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from functools import cache, reduce
from typing import Any

from microgradlib.compiler.engines.jax.differentiable import slope_by_rule
from microgradlib.compiler.engines.jax.evaluation import Step
from microgradlib.compiler.engines.jax.functions import Walled, jax
from microgradlib.compiler.engines.jax.steps import forward_step, product, reduce_slopes, reduce_value
from microgradlib.compiler.instructions import BATCHED, NOT_REACHED, Operand, ProgramData
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.ops import ZERO

__all__ = ["Computing", "positive"]


class Computing:
    """Computes the steps of one evaluation of a program, forward or joint, with the table's derivatives.

    A cotangent that no open branch reaches is −0, whatever it is multiplied by, any other 0 is +0; in a product, the
    rows and columns that only closed cotangents meet count as 0. Where nothing can be closed, it is plain arithmetic.

    `is_real`, an array (batch,), says which examples are no padding: only these are summed over the batch, so that
    0 · inf of padding reaches no sum. `is_closed` says whether seeds may be −0, as what differentiates no output.
    """

    def __init__(self, program: ProgramData, is_real: Any = None, *, is_closed: bool = False) -> None:
        self._is_real = is_real
        self._first = (
            [len(slots) for slots in program.cotangent_slots[-1]] if program.cotangent_slots else program.sizes
        )
        self._perhaps = [numpy().zeros(size + 1, bool) for size in program.sizes]  # slots that may be closed
        for seeds in program.seeds[-1:]:
            self._perhaps[seeds.space][seeds.slots] = is_closed

    def __call__(self, step: Step, arrays: Sequence[Any]) -> Any:
        """Return the results of a step."""
        i, where = step.instruction, jax().numpy.where
        if i.sums_batch and self._is_real is not None:
            arrays = [where(self._is_real, x, 0.0) if o.space == BATCHED else x for x, o in zip(arrays, i.operands)]
        if i.wrt is None and not any(map(self._is_cotangent, i.operands)):
            return forward_step(step, arrays)
        closed, found = self._adjoint(step, *arrays) if i.wrt is not None else self._linear(step, arrays)
        self._perhaps[i.space][i.results.slots] = closed is not None
        return found if closed is None else where(closed, -0.0, positive(found))

    def _is_cotangent(self, operand: Operand) -> bool:
        return bool((operand.slots >= self._first[operand.space]).any())

    def _closed(self, operand: Operand, array: Any) -> Any:
        """Say where an operand's numbers are cotangents that are closed; None: nowhere."""
        if not self._perhaps[operand.space][operand.slots].any():
            return None
        return (array == 0) & jax().numpy.signbit(array)

    def _adjoint(self, step: Step, g: Any, *read: Any) -> tuple[Any, Any]:
        i = step.instruction
        closed = self._closed(i.operands[0], g)
        if i.kind == "reduce":
            slope, g = reduce_slopes(i.op, *read)[i.wrt or 0], g[:, None]
            closed = closed if closed is None else closed[:, None]
        else:
            slope = slope_by_rule(i.op, i.wrt or 0, i.reads, read)
        if slope is ZERO:
            return True, g
        if isinstance(slope, Walled):
            closed = slope.closed if closed is None else slope.closed | closed
            slope = slope.value
        return closed, slope * g

    def _linear(self, step: Step, arrays: Sequence[Any]) -> tuple[Any, Any]:
        """Return where the results are closed, and what they are elsewhere, of a step that has no rule."""
        i = step.instruction
        masks = [self._closed(*each) for each in zip(i.operands, arrays)]
        known = [mask for mask in masks if mask is not None]
        if i.kind == "matmul":
            return self._product(step, masks, arrays)
        if i.kind == "reduce":
            axes = (1, -1) if i.sums_batch else 1
            missing = (i.operands[0].slots == NOT_REACHED).reshape(*step.shapes[0], 1)
            return (known[0] | missing).all(axes) if known else None, reduce_value(step, arrays)
        if i.op.name == "mul":
            return reduce(operator.or_, known) if known else None, arrays[0] * arrays[1]
        is_known = len(known) == len(masks)  # add, of two cotangents, or identity
        return reduce(operator.and_, known) if is_known else None, sum(arrays[1:], arrays[0])

    def _product(self, step: Step, masks: Sequence[Any], arrays: Sequence[Any]) -> tuple[Any, Any]:
        """Return where W X is closed, and W X, for the cotangents W or X."""
        jnp, (w, x), closed = jax().numpy, arrays, None
        if masks[0] is not None:
            x = jnp.where(masks[0].all(1)[:, :, None], 0.0, x)
            closed = masks[0].all(2)[:, :, None]
        elif masks[1] is not None:
            unread = masks[1].all(2)[:, None]
            w = jnp.where(unread if w.shape[-1] > 1 else unread.all(-1, keepdims=True), 0.0, w)
            closed = masks[1].all(1)[:, None]
        if closed is not None and step.instruction.sums_batch:
            closed = closed.all(-1, keepdims=True)
        return closed, product(step, w, x)


@cache
def _positive() -> Any:
    function = jax().custom_jvp(lambda x: jax().numpy.where(x == 0, 0.0, x))
    function.defjvp(lambda primals, tangents: (function(*primals), *tangents))
    return function


def positive(x: Any) -> Any:
    """Return x, with +0 for −0."""
    return _positive()(x)

"""Reductions of rows of terms, (…, terms, batch) to (…, 1, batch): n-ary ops but for matrix products."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from microgradlib.compiler.numpy_functions import array_functions, numpy
from microgradlib.compiler.softmax import SOFTMAX_ADJOINTS, SOFTMAX_STEPS
from microgradlib.compiler.spread import PAIRED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.compiler.kernels import Applied, Step

__all__ = ["LARGE", "adjoint_of_terms", "reduction_steps", "sum_products"]


LARGE = 4096
"""From so many numbers on, sums of products are the quicker without the products written down."""


def reduction_steps(applied: Applied) -> list[Step]:
    """Return the steps that write the op of each row of terms into z. Of a dot, inputs are weights, inputs, bias."""
    np = numpy()
    op, inputs, z, scratch, *_ = applied
    x = inputs[0]
    if op.name == "dot":
        if x.size >= LARGE:
            steps: list[Step] = [(sum_products, (x, inputs[1], z))]
            return steps + [(np.add, (z, bias, z)) for bias in inputs[2:]]
        products = scratch("part", (*z.shape[:-2], x.shape[-2], z.shape[-1]), inputs[:2])
        steps = [(np.multiply, (x, inputs[1], products)), _reduction(np.add, products, z)]
        return steps + [(np.add, (z, bias, z)) for bias in inputs[2:]]
    if op.name == "sum":
        return [_reduction(np.add, x, z)]
    if op.name == "mean":
        return [_reduction(np.add, x, z), (np.divide, (z, float(x.shape[-2]), z))]
    if op.name in {"maximum", "minimum"}:
        return [_reduction(getattr(np, op.name), x, z)]
    if op.name in SOFTMAX_STEPS and len(inputs) == (op.name in PAIRED) + 1:
        return [*SOFTMAX_STEPS[op.name](applied), (_write_value_if_infinite, (op, inputs, z))]
    return [(_write_value, (op, inputs, z))]


def _reduction(ufunc: Any, x: Any, z: Any) -> Step:
    return ufunc.reduce, (x, -2, None, z, True)


def sum_products(x: Any, y: Any, z: Any) -> None:
    """Write Σ x y over those axes of which z has one entry only, and these have more."""
    gone = tuple([axis for axis, size in enumerate(x.shape) if z.shape[axis] < size])
    axes = list(range(x.ndim))
    numpy().einsum(x, axes, y, axes, [axis for axis in axes if axis not in gone], out=z.squeeze(gone))


def _rows(inputs: Sequence[Any]) -> list[Any]:
    return [x[..., i, :] for x in inputs for i in range(x.shape[-2])]


def _write_value(op: Any, inputs: Sequence[Any], z: Any) -> None:
    z[..., 0, :] = op.value(array_functions(), *_rows(inputs))


def _write_value_if_infinite(op: Any, inputs: Sequence[Any], z: Any) -> None:
    """Write by the table's rule what is not finite: 0 · inf of a class without weight is 0.

    The sum of squares, the quickest to compute, is infinite for large numbers too: the rule gives the same for them.
    """
    if not math.isfinite(numpy().vdot(z, z)):
        _write_value(op, inputs, z)


def adjoint_of_terms(applied: Applied, index: int, out: Any) -> list[Step]:
    """Return the steps that write the gradient of each term of input `index` into `out`, (…, terms, batch)."""
    np = numpy()
    op, inputs, _, _, g, kept = applied
    if op.name == "dot":
        spread = np.broadcast_to(g, out.shape)
        other = inputs[1 - index]
        return [(np.multiply, (spread, other, out))]
    if op.name == "mean":
        return [(np.divide, (np.broadcast_to(g, out.shape), float(out.shape[-2]), out))]
    if op.name in {"maximum", "minimum"}:
        return _shares_of_winners(applied, out)
    if op.name in SOFTMAX_ADJOINTS and kept:
        return SOFTMAX_ADJOINTS[op.name](applied, index, out)
    return [(_write_adjoints, (applied, index, out))]


def _shares_of_winners(applied: Applied, out: Any) -> list[Step]:
    """Write g/n for the n terms that equal the maximum or minimum, 0 for others; of nan, none: n = 0 makes all nan."""
    np = numpy()
    z, g = applied.z, applied.g
    count, share = applied.scratch("e", g.shape, [g]), applied.scratch("others", g.shape, [g])
    return [
        (np.equal, (applied.inputs[0], z, out)),
        (np.add.reduce, (out, -2, None, count, True)),
        (np.divide, (1.0, count, share)),
        (np.multiply, (share, g, share)),
        (np.multiply, (out, share, out)),
    ]


def _write_adjoints(applied: Applied, index: int, out: Any) -> None:
    op, inputs, z, _, g, _ = applied
    derivatives = op.differentiate(array_functions(), z[..., 0, :], *_rows(inputs))
    for i in range(out.shape[-2]):
        out[..., i, :] = derivatives[index * out.shape[-2] + i] * g[..., 0, :]

"""Reductions as NumPy calls: rows of terms, (…, terms, batch) to (…, 1, batch), and segments of different lengths."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from microgradlib.compiler.engines.softmax import SOFTMAX, softmax_calls
from microgradlib.compiler.numpy_functions import array_functions, numpy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from microgradlib.compiler.engines.buffers import Buffers
    from microgradlib.compiler.engines.kernels import Arrays, Call
    from microgradlib.compiler.instructions import Instruction

__all__ = ["REDUCTIONS", "Reduction", "reduction_calls", "segment_calls"]

LARGE = 4096
"""From so many numbers on, sums of products are the quicker without the products written down."""


class Reduction(NamedTuple):
    """How an op of many numbers is computed, and its adjoint by the terms of one operand, of (g, output, *operands)."""

    forward: Callable[[Arrays], list[Call]]
    adjoint: Callable[[Arrays, int], list[Call]]


def reduction_calls(buffers: Buffers, instruction: Instruction, position: int, arrays: Arrays) -> list[Call]:
    """Return the calls of a "reduce", or of its adjoint: of arrays (…, terms, batch) and (…, 1, batch)."""
    if instruction.sums_batch:
        return _sum_over_batch(buffers, arrays)
    op, wrt = instruction.op, instruction.wrt
    operands = len(arrays.inputs) - (0 if wrt is None else 2)
    if op.name in SOFTMAX and operands == SOFTMAX[op.name].operands:
        return softmax_calls(buffers, instruction, position, arrays)
    reduction = REDUCTIONS.get(op.name)
    if wrt is None:
        return reduction.forward(arrays) if reduction else [(_write_value, (arrays,))]
    return reduction.adjoint(arrays, wrt) if reduction else [(_write_adjoint, (arrays, wrt))]


def _write_value(k: Arrays) -> None:
    k.out[..., 0, :] = k.op.value(array_functions(), *_terms(k.inputs))


def _write_adjoint(k: Arrays, wrt: int) -> None:
    g, z, *operands = k.inputs
    derivatives = k.op.differentiate(array_functions(), z[..., 0, :], *_terms(operands))
    first = sum(operand.shape[-2] for operand in operands[:wrt])
    for i in range(k.out.shape[-2]):
        k.out[..., i, :] = derivatives[first + i] * g[..., 0, :]


def _terms(operands: Sequence[Any]) -> list[Any]:
    return [x[..., i, :] for x in operands for i in range(x.shape[-2])]


def _reduced(name: str, x: Any, out: Any) -> Call:
    return getattr(numpy(), name).reduce, (x, -2, None, out, True)


def _sum(k: Arrays) -> list[Call]:
    return [_reduced("add", k.inputs[0], k.out)]


def _sum_adjoint(k: Arrays, _wrt: int) -> list[Call]:
    return [(numpy().copyto, (k.out, k.inputs[0]))]


def _mean(k: Arrays) -> list[Call]:
    [x] = k.inputs
    return [_reduced("add", x, k.out), (numpy().divide, (k.out, float(x.shape[-2]), k.out))]


def _mean_adjoint(k: Arrays, _wrt: int) -> list[Call]:
    return [(numpy().divide, (k.inputs[0], float(k.out.shape[-2]), k.out))]


def _dot(k: Arrays) -> list[Call]:
    np, (x, y) = numpy(), k.inputs
    shape = np.broadcast_shapes(x.shape, y.shape)
    if math.prod(shape) >= LARGE:
        return [(_sum_products, (x, y, k.out))]
    products = k.scratch("products", np.broadcast_to(x if x.shape == shape else y, shape))
    return [(np.multiply, (x, y, products)), _reduced("add", products, k.out)]


def _sum_products(x: Any, y: Any, out: Any) -> None:
    axes = list(range(x.ndim))
    numpy().einsum(x, axes, y, axes, [*axes[:-2], axes[-1]], out=out[..., 0, :])


def _dot_adjoint(k: Arrays, wrt: int) -> list[Call]:
    return [(numpy().multiply, (k.inputs[0], k.inputs[3 - wrt], k.out))]


def _maximum(k: Arrays) -> list[Call]:
    return [_reduced(k.op.name, k.inputs[0], k.out)]


def _maximum_adjoint(k: Arrays, _wrt: int) -> list[Call]:
    """Write g/n for the n terms that equal the result, 0 for others; of nan, none: n = 0 makes all nan."""
    np, (g, z, x) = numpy(), k.inputs
    count, share = k.scratch("count", g), k.scratch("share", g)
    return [
        (np.equal, (x, z, k.out)),
        _reduced("add", k.out, count),
        (np.divide, (1.0, count, share)),
        (np.multiply, (share, g, share)),
        (np.multiply, (k.out, share, k.out)),
    ]


REDUCTIONS = {
    "sum": Reduction(_sum, _sum_adjoint),
    "mean": Reduction(_mean, _mean_adjoint),
    "dot": Reduction(_dot, _dot_adjoint),
    "maximum": Reduction(_maximum, _maximum_adjoint),
    "minimum": Reduction(_maximum, _maximum_adjoint),
}
"""By op; others run the table's rule, and those of `SOFTMAX` leave residuals to their adjoints."""


def _sum_over_batch(buffers: Buffers, k: Arrays) -> list[Call]:
    """Write Σ x over terms and batch, as a product with a column of ones."""
    np, [x], calls = numpy(), k.inputs, []
    if x.shape[-2] > 1:
        summed = k.scratch("summed", x[..., :1, :])
        calls.append(_reduced("add", x, summed))
        x = summed
    return [*calls, (np.matmul, (x[..., 0, :], buffers.ones, k.out[..., 0, :]))]


def segment_calls(instruction: Instruction, arrays: Arrays) -> list[Call]:
    """Return the calls of a "segment_reduce": of arrays (terms, width, batch) to (segments, width, batch)."""
    np, (x, *others), calls = numpy(), arrays.inputs, []
    counts = np.array(instruction.counts)
    if others:
        shape = np.broadcast_shapes(x.shape, others[0].shape)
        products = arrays.scratch("products", np.broadcast_to(x if x.shape == shape else others[0], shape))
        calls.append((np.multiply, (x, others[0], products)))
        x = products
    name = instruction.op.name
    ufunc = getattr(np, name) if name in {"maximum", "minimum"} else np.add
    calls.append((ufunc.reduceat, (x, np.cumsum(counts) - counts, 0, None, arrays.out)))
    if name == "mean":
        calls.append((np.divide, (arrays.out, counts[:, None, None].astype(arrays.out.dtype), arrays.out)))
    return calls

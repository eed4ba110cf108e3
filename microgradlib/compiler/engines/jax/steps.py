"""The steps of a forward pass on arrays (…, batch): values by the table's rules, reductions, products."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import Any

from microgradlib.compiler.engines.jax.differentiable import differentiable, with_derivatives
from microgradlib.compiler.engines.jax.evaluation import Step
from microgradlib.compiler.engines.jax.functions import Walled, array_functions, jax, where
from microgradlib.compiler.instructions import BATCHED, NOT_REACHED
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.ops import Op

__all__ = ["forward_step", "product", "reduce_slopes", "reduce_value"]


def forward_step(step: Step, arrays: Sequence[Any]) -> Any:
    """Compute a step that is no adjoint by a function with the table's derivatives."""
    op, kind = step.instruction.op, step.instruction.kind
    if kind == "elementwise":
        return differentiable(op)(*arrays)
    if kind == "matmul":
        return product(step, *arrays)
    if op.name in LINEAR_REDUCTIONS:
        return reduce_value(step, arrays)
    value = lambda *xs: reduce_value(step, xs)  # noqa: E731  one line is easier to read here
    return with_derivatives(value, partial(reduce_slopes, op), total=lambda products: products.sum(1))(*arrays)


def product(step: Step, w: Any, x: Any) -> Any:
    """Return W X in the highest precision, (count, rows, columns, batch), summed over the batch where the step does.

    A product of two batched matrices with padding is summed without it: 0 · inf of padding is no term.
    """
    jnp, i = jax().numpy, step.instruction
    if i.sums_batch:
        return _einsum("nrtb,ntcb->nrc", w, x)[..., None]
    if [operand.space for operand in i.operands] == [BATCHED, BATCHED]:
        present = [operand.slots.reshape(shape) != NOT_REACHED for operand, shape in zip(i.operands, step.shapes)]
        terms = w[:, :, :, None] * x[:, None]
        if i.cotangent_of is None and not all(part.all() for part in present):
            both = present[0][:, :, :, None] & present[1][:, None]
            terms = jnp.where(both[..., None], terms, 0.0)
        return terms.sum(2)
    return _einsum("nrt,ntcb->nrcb", w[..., 0], x)


def _einsum(axes: str, *arrays: Any) -> Any:
    return jax().numpy.einsum(axes, *arrays, precision=jax().lax.Precision.HIGHEST)


LINEAR_REDUCTIONS = {"sum", "mean", "dot"}


def reduce_value(step: Step, arrays: Sequence[Any]) -> Any:
    """Return the reduction of arrays (results, terms, batch): by vectors where the op is known, else by its rule."""
    jnp, op, x = jax().numpy, step.instruction.op, arrays[0]
    if op.name in LINEAR_REDUCTIONS:
        x = x * arrays[1] if len(arrays) == 2 else x
        total = x.sum((1, -1) if step.instruction.sums_batch else 1)
        if op.name != "mean":
            return total
        counts = numpy().asarray(step.counts if step.counts is not None else step.instruction.terms)
        return total / counts.reshape(-1, 1).astype(x.dtype)
    if op.name in {"maximum", "minimum"}:
        return (jnp.max if op.name == "maximum" else jnp.min)(x, 1)
    if _is_softmax(op, arrays):
        shift, _, rest = _exponentials(arrays[-1])
        logarithm = jnp.log1p(rest)
        if op.name == "logsumexp":
            return shift[:, 0] + logarithm
        if op.name == "neg_log_softmax":
            return (shift[:, 0] - x[:, 0]) + logarithm
        costs = _unless_0(x, shift - arrays[1]).sum(1)
        return costs + _unless_0(x.sum(1), logarithm)
    return op.value(array_functions(), *_terms(arrays))


def _is_softmax(op: Op, arrays: Sequence[Any]) -> bool:
    """Say whether it is an op by softmax in a form for vectors: not a cross-entropy of an odd number of inputs."""
    return op.name in {"logsumexp", "neg_log_softmax"} or (op.name == "cross_entropy" and len(arrays) == 2)


def _terms(arrays: Sequence[Any]) -> list[Any]:
    return [x[:, k] for x in arrays for k in range(x.shape[1])]


def _unless_0(weight: Any, x: Any) -> Any:
    return jax().numpy.where(jax().numpy.abs(weight) <= 0, 0.0, weight * x)


def _exponentials(x: Any) -> tuple[Any, Any, Any]:
    """Return the shift m, exp(xᵢ − m), and their total less 1, however small that is; as `ops.softmax.log_total`."""
    jnp, top = jax().numpy, jax().lax.stop_gradient(x.max(1, keepdims=True))
    shift = jnp.where(jnp.abs(top) < math.inf, top, 0.0)
    exponentials = jnp.exp(x - shift)
    ones = jnp.where(x >= shift, 1.0, 0.0).astype(x.dtype)
    return shift, exponentials, (exponentials - ones).sum(1) + (ones.sum(1) - 1)


def _shares(x: Any, z: Any) -> tuple[Any, Any]:
    """Return softmax p and 1 − p, neither as a difference; inputs of +inf share 1, as in `ops.softmax.shares`."""
    jnp, top = jax().numpy, jax().lax.stop_gradient(x.max(1, keepdims=True))
    _, e, rest = _exponentials(x)
    rest = rest[:, None]
    winners = jnp.where(x >= top, 1.0, 0.0).astype(x.dtype)
    limit = jnp.where((top > 0) & (x >= top), winners / winners.sum(1, keepdims=True), 0.0)
    limit = jnp.where(jnp.abs(z[:, None]) >= 0, limit, z[:, None])
    infinite = jnp.abs(top) >= math.inf
    return jnp.where(infinite, limit, e / (1 + rest)), jnp.where(infinite, 1 - limit, (1 - e + rest) / (1 + rest))


def reduce_slopes(op: Op, z: Any, *arrays: Any) -> tuple[Any, ...]:
    """Return ∂z/∂(each operand), arrays (results, terms, batch) or `Walled`, of z (results, batch)."""
    jnp, x = jax().numpy, arrays[0]
    if op.name in {"maximum", "minimum"}:
        sign, each = (1.0 if op.name == "maximum" else -1.0), z[:, None]
        winner = sign * x >= sign * each
        share = 1.0 / winner.sum(1, keepdims=True).astype(x.dtype)
        slope = jnp.where(winner, share, z[:, None] * math.nan)
        return (Walled(slope, sign * x < sign * each),)
    if not _is_softmax(op, arrays):
        found = op.differentiate(array_functions(), z, *_terms(arrays))
        ends = [k * x.shape[1] for k in range(len(arrays) + 1)]
        return tuple([_stacked(found[a:b], z) for a, b in pairwise(ends)])
    p, others = _shares(arrays[-1], z)
    if op.name == "logsumexp":
        return (p,)
    if op.name == "neg_log_softmax":
        return (jnp.concatenate([-others[:, :1], p[:, 1:]], 1),)
    shift, _, rest = _exponentials(arrays[1])
    top = jax().lax.stop_gradient(arrays[1].max(1, keepdims=True))
    logarithm = jnp.log1p(rest)[:, None]
    undefined = (arrays[1] - shift).sum(1, keepdims=True) * math.nan
    limit = jnp.where((top > 0) & (jnp.abs(z[:, None]) >= 0), logarithm, undefined)
    logarithm = jnp.where(jnp.abs(top) < math.inf, logarithm, limit)
    weights_of_others = x.sum(1, keepdims=True) - x
    return logarithm - (arrays[1] - shift), p * weights_of_others - x * others


def _stacked(derivatives: Sequence[Any], z: Any) -> Any:
    """Return derivatives by single terms, some perhaps walled or plain, as one array (results, terms, batch)."""
    jnp = jax().numpy
    walled = [where(True, d, d) for d in derivatives]
    is_walled = any(isinstance(d, Walled) for d in walled)
    values = jnp.stack([jnp.broadcast_to(d.value if isinstance(d, Walled) else d, z.shape) for d in walled], 1)
    if not is_walled:
        return values
    closed = [jnp.broadcast_to(d.closed if isinstance(d, Walled) else False, z.shape) for d in walled]
    return Walled(values, jnp.stack(closed, 1))

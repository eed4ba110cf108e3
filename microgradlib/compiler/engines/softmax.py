"""The reductions that use softmax, with their adjoints: logsumexp, −ln of one probability, and cross-entropy.

Rows of terms are arrays (…, terms, batch), their largest number finite: other results are computed anew by the table's
rules. As in these, the largest term is left out of the sum of exponentials where it outweighs the others, so that what
they add, or take from a probability near 1, keeps its digits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from microgradlib.compiler.engines.kernels import number_like
from microgradlib.compiler.numpy_functions import array_functions, is_finite, numpy

if TYPE_CHECKING:
    from collections.abc import Callable

    from microgradlib.compiler.engines.buffers import Buffers
    from microgradlib.compiler.engines.kernels import Arrays, Call
    from microgradlib.compiler.instructions import Instruction

    Residuals = dict[str, Any]
    """What the calls of a reduction leave to its adjoint's: exponentials, their total, the rest of it without one 1 …"""

__all__ = ["SOFTMAX", "Softmax", "softmax_calls"]

FEW = 1.5
"""Below this sum of exponentials, of which the largest is 1, those of the others are added without it."""


class Softmax(NamedTuple):
    """How many operands an op has, how it is computed, and its adjoint by the terms of one operand."""

    operands: int
    forward: Callable[[Arrays, Residuals], list[Call]]
    adjoint: Callable[[Arrays, Residuals, int], list[Call]]


def softmax_calls(buffers: Buffers, instruction: Instruction, position: int, arrays: Arrays) -> list[Call]:
    """Return the calls of such a reduction or of its adjoint, which reads what the reduction left for it.

    An adjoint of some of the results only, or of rows in another order, computes that for itself.
    """
    softmax = SOFTMAX[instruction.op.name]
    if instruction.wrt is None:
        residuals = buffers.residuals[position] = {"results": instruction.results}
        return [*softmax.forward(arrays, residuals), (_value_if_infinite, (arrays,))]
    _, z, *operands = arrays.inputs
    residuals, calls = buffers.residuals.get(instruction.forward, {}), []
    same = residuals.get("results") == instruction.operands[1]
    if not same or residuals["exponentials"].shape != operands[-1].shape:
        residuals = {}
        again = arrays._replace(inputs=operands, out=arrays.scratch("output", z))
        calls = softmax.forward(again, residuals)
    return [*calls, *softmax.adjoint(arrays, residuals, instruction.wrt)]


def _value_if_infinite(k: Arrays) -> None:
    """Write by the table's rule what is not finite: 0 · inf of a class without weight is 0."""
    if not is_finite(k.out):
        rows = [x[..., i, :] for x in k.inputs for i in range(x.shape[-2])]
        k.out[..., 0, :] = k.op.value(array_functions(), *rows)


def _exponentials(k: Arrays, x: Any, residuals: Residuals) -> list[Call]:
    """Write m = max xᵢ; keep the xᵢ − m, their exponentials, the sum of these, and the sum but for one 1."""
    np, z = numpy(), k.out
    below, e = np.empty_like(x), np.empty_like(x)  # in x's order in memory
    residuals.update(below=below, exponentials=e, total=np.empty_like(z), rest=np.empty_like(z))
    return [
        (np.maximum.reduce, (x, -2, None, z, True)),
        (np.subtract, (x, z, below)),
        (np.exp, (below, e)),
        (np.add.reduce, (e, -2, None, residuals["total"], True)),
        (_write_rest, (residuals, number_like(1.0, z))),
    ]


def _write_rest(residuals: Residuals, one: Any) -> None:
    """Write the sum of all exponentials but one of those that are 1; keep whether one of the sums is below FEW."""
    np = numpy()
    e, total, rest = residuals["exponentials"], residuals["total"], residuals["rest"]
    np.subtract(total, one, rest)
    residuals["is_few"] = is_few = np.minimum.reduce(total, None) < FEW
    if is_few:
        np.add.reduce(np.where(e == 1.0, 0.0, e), -2, None, rest, True)
        rest += np.add.reduce(e == 1.0, -2, rest.dtype, None, True) - 1.0


def _logsumexp(k: Arrays, residuals: Residuals) -> list[Call]:
    np, logarithm = numpy(), k.scratch("share", k.out)
    calls = _exponentials(k, k.inputs[0], residuals)
    return [*calls, (np.log1p, (residuals["rest"], logarithm)), (np.add, (k.out, logarithm, k.out))]


def _logsumexp_adjoint(k: Arrays, residuals: Residuals, _wrt: int) -> list[Call]:
    """Write g · softmax(x)."""
    np, g = numpy(), k.inputs[0]
    share = k.scratch("share", g)
    return [(np.divide, (g, residuals["total"], share)), (np.multiply, (residuals["exponentials"], share, k.out))]


def _neg_log_softmax(k: Arrays, residuals: Residuals) -> list[Call]:
    """Write ln Σ exp(xᵢ − m) − (x₁ − m)."""
    np, calls = numpy(), _exponentials(k, k.inputs[0], residuals)
    first = residuals["below"][..., :1, :]
    return [*calls, (np.log1p, (residuals["rest"], k.out)), (np.subtract, (k.out, first, k.out))]


def _neg_log_softmax_adjoint(k: Arrays, residuals: Residuals, _wrt: int) -> list[Call]:
    """Write g · softmax(x), but for the first term −g · (1 − softmax(x)₁), from the sum of the others."""
    np, g, e = numpy(), k.inputs[0], residuals["exponentials"]
    share, first = k.scratch("share", g), k.out[..., :1, :]
    return [
        (np.divide, (g, residuals["total"], share)),
        (np.multiply, (e, share, k.out)),
        (np.subtract, (e[..., :1, :], 1.0, first)),  # 0 where the first is the one left out
        (np.subtract, (first, residuals["rest"], first)),
        (np.multiply, (first, share, first)),
    ]


def _cross_entropy(k: Arrays, residuals: Residuals) -> list[Call]:
    """Write Σ wᵢ (ln Σ exp(zᵢ − m) − (zᵢ − m)), for weights w and logits z: no term is negative."""
    np, (w, logits) = numpy(), k.inputs
    calls = _exponentials(k, logits, residuals)
    costs, logarithm = residuals["below"], k.scratch("share", k.out)
    products = k.scratch("products", costs)
    return [
        *calls,
        (np.log1p, (residuals["rest"], logarithm)),
        (np.subtract, (logarithm, costs, costs)),
        (np.multiply, (w, costs, products)),
        (np.add.reduce, (products, -2, None, k.out, True)),
    ]


def _cross_entropy_adjoint(k: Arrays, residuals: Residuals, wrt: int) -> list[Call]:
    """Write −g ln pᵢ, which was kept, for the weights, g (pᵢ Σ wⱼ − wᵢ) for the logits, with p = softmax(z)."""
    g = k.inputs[0]
    if wrt == 0:
        return [(numpy().multiply, (g, residuals["below"], k.out))]
    return [(_write_logit_slopes, (k, residuals, k.scratch("share", g), k.scratch("products", k.out)))]


def _write_logit_slopes(k: Arrays, residuals: Residuals, share: Any, others: Any) -> None:
    np, (g, _, w, _), out = numpy(), k.inputs, k.out
    e, total, rest = residuals["exponentials"], residuals["total"], residuals["rest"]
    weight = np.add.reduce(w, -2, None, None, True)
    np.divide(g, total, share)
    if residuals["is_few"]:  # pᵢ may be near 1: pᵢ Σ_{j≠i} wⱼ − wᵢ (1 − pᵢ), with 1 − pᵢ from the sum of the others
        np.subtract(1.0, e, others)
        np.add(others, rest, others)
        np.multiply(others, w, others)
        np.subtract(weight, w, out)
        np.multiply(out, e, out)
        np.subtract(out, others, out)
        np.multiply(out, share, out)
        return
    np.multiply(share, weight, share)
    np.multiply(e, share, out)
    np.multiply(w, g, others)
    np.subtract(out, others, out)


SOFTMAX = {
    "logsumexp": Softmax(1, _logsumexp, _logsumexp_adjoint),
    "neg_log_softmax": Softmax(1, _neg_log_softmax, _neg_log_softmax_adjoint),
    "cross_entropy": Softmax(2, _cross_entropy, _cross_entropy_adjoint),
}
"""By op; of cross-entropy the operands are weights and logits."""

"""The reductions that use softmax, with their slopes: logsumexp, −ln of one probability, and cross-entropy.

Rows of terms are arrays (…, terms, batch), their largest number finite: other results are computed anew by the table's
rules. As in the op table's rules, the largest term is left out of the sum of
exponentials where it outweighs the others, so that what they add, or take from a probability near 1, keeps its digits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from microgradlib.compiler.kernels import number_like
from microgradlib.compiler.numpy_functions import numpy

if TYPE_CHECKING:
    from microgradlib.compiler.kernels import Applied, Step

__all__ = ["SOFTMAX_ADJOINTS", "SOFTMAX_STEPS"]

FEW = 1.5
"""Below this sum of exponentials, of which the largest is 1, those of the others are added without it."""


def _exponentials(applied: Applied, x: Any) -> list[Step]:
    """Write m = max xᵢ into z; keep the xᵢ − m, their exponentials, the sum of these, and the sum but for one 1."""
    np = numpy()
    z, kept = applied.z, applied.kept
    kept.update(below=np.empty_like(x), exponentials=np.empty_like(x))  # in x's order in memory
    kept.update(total=np.empty_like(z), rest=np.empty_like(z))
    return [
        (np.maximum.reduce, (x, -2, None, z, True)),
        (np.subtract, (x, z, kept["below"])),
        (np.exp, (kept["below"], kept["exponentials"])),
        (np.add.reduce, (kept["exponentials"], -2, None, kept["total"], True)),
        (_write_rest, (kept, number_like(1.0, z))),
    ]


def _write_rest(kept: dict[str, Any], one: Any) -> None:
    """Write the sum of all exponentials but one of those that are 1; keep whether one of the sums is below FEW."""
    np = numpy()
    e, total, rest = kept["exponentials"], kept["total"], kept["rest"]
    np.subtract(total, one, rest)
    kept["is_few"] = is_few = np.minimum.reduce(total, None) < FEW
    if is_few:
        np.add.reduce(np.where(e == 1.0, 0.0, e), -2, None, rest, True)
        rest += np.add.reduce(e == 1.0, -2, rest.dtype, None, True) - 1.0


def _logsumexp(applied: Applied) -> list[Step]:
    np = numpy()
    z, kept = applied.z, applied.kept
    steps = _exponentials(applied, applied.inputs[0])
    logarithm = applied.scratch("e", z.shape, [z])
    return [*steps, (np.log1p, (kept["rest"], logarithm)), (np.add, (z, logarithm, z))]


def _logsumexp_adjoint(applied: Applied, _index: int, out: Any) -> list[Step]:
    """Write g · softmax(x)."""
    np = numpy()
    g, kept = applied.g, applied.kept
    share = applied.scratch("e", g.shape, [g])
    return [(np.divide, (g, kept["total"], share)), (np.multiply, (kept["exponentials"], share, out))]


def _neg_log_softmax(applied: Applied) -> list[Step]:
    """Write ln Σ exp(xᵢ − m) − (x₁ − m)."""
    np = numpy()
    z, kept = applied.z, applied.kept
    steps = _exponentials(applied, applied.inputs[0])
    return [*steps, (np.log1p, (kept["rest"], z)), (np.subtract, (z, kept["below"][..., :1, :], z))]


def _neg_log_softmax_adjoint(applied: Applied, _index: int, out: Any) -> list[Step]:
    """Write g · softmax(x), but for the first term −g · (1 − softmax(x)₁), from the sum of the others."""
    np = numpy()
    g, kept = applied.g, applied.kept
    share, e, first = applied.scratch("e", g.shape, [g]), kept["exponentials"], out[..., :1, :]
    return [
        (np.divide, (g, kept["total"], share)),
        (np.multiply, (e, share, out)),
        (np.subtract, (e[..., :1, :], 1.0, first)),  # 0 where the first is the one left out
        (np.subtract, (first, kept["rest"], first)),
        (np.multiply, (first, share, first)),
    ]


def _cross_entropy(applied: Applied) -> list[Step]:
    """Write Σ wᵢ (ln Σ exp(zᵢ − m) − (zᵢ − m)), for weights w and logits z: no term is negative."""
    np = numpy()
    (w, logits), z, kept = applied.inputs, applied.z, applied.kept
    steps = _exponentials(applied, logits)
    costs = kept["costs"] = kept["below"]
    products, logarithm = applied.scratch("part", logits.shape, [logits]), applied.scratch("e", z.shape, [z])
    return [
        *steps,
        (np.log1p, (kept["rest"], logarithm)),
        (np.subtract, (logarithm, costs, costs)),
        (np.multiply, (w, costs, products)),
        (np.add.reduce, (products, -2, None, z, True)),
    ]


def _cross_entropy_adjoint(applied: Applied, index: int, out: Any) -> list[Step]:
    """Write −g ln pᵢ, which was kept, for the weights, g (pᵢ Σ wⱼ − wᵢ) for the logits, with p = softmax(z)."""
    np = numpy()
    (w, _), g, kept = applied.inputs, applied.g, applied.kept
    if index == 0:
        return [(np.multiply, (g, kept["costs"], out))]
    scratch = applied.scratch("e", g.shape, [g]), applied.scratch("others", out.shape, [out])
    return [(_write_logit_slopes, (w, g, kept, scratch, out))]


def _write_logit_slopes(w: Any, g: Any, kept: dict[str, Any], scratch: tuple[Any, Any], out: Any) -> None:
    np = numpy()
    share, others = scratch
    e, total, rest = kept["exponentials"], kept["total"], kept["rest"]
    weight = np.add.reduce(w, -2, None, None, True)
    np.divide(g, total, share)
    if kept["is_few"]:  # pᵢ may be near 1: pᵢ Σ_{j≠i} wⱼ − wᵢ (1 − pᵢ), with 1 − pᵢ from the sum of the others
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


SOFTMAX_STEPS = {"logsumexp": _logsumexp, "neg_log_softmax": _neg_log_softmax, "cross_entropy": _cross_entropy}
"""By op, the steps that write its result; of cross-entropy the inputs are weights and logits."""

SOFTMAX_ADJOINTS = {
    "logsumexp": _logsumexp_adjoint,
    "neg_log_softmax": _neg_log_softmax_adjoint,
    "cross_entropy": _cross_entropy_adjoint,
}
"""By op, the steps that write the gradient of one input, by the numbers that its own steps kept."""

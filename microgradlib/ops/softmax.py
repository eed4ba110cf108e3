"""Softmax inside the ops that are differentiated by it: logsumexp, and cross-entropy for one class or for several.

Probabilities near 1 are computed from the sum of the others, so that 1 − p keeps its digits: it is never a difference.
"""

from __future__ import annotations

import builtins
import math
from operator import add
from typing import TYPE_CHECKING, Any

from microgradlib.ops.define import define_op
from microgradlib.ops.rules import of_the_others

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["cross_entropy", "log_total", "neg_log_softmax", "share", "shares"]

share = define_op(
    "share",
    value=lambda xp, x, y: x / (x + y),
    derivatives=[lambda xp, z, x, y: xp.share(y, x) / (x + y), lambda xp, z, x, y: -z / (x + y)],
    written=(lambda xp, z, x, y: y / (x + y) ** 2, lambda xp, z, x, y: -x / (x + y) ** 2),
    formula="x/(x + y), derivatives y/(x + y)² and −x/(x + y)²",
    domain="positive numbers",
    sample=((0.3, 3.0),),
    notation=lambda xp, x, y: x / (x + y),
    reference=lambda mp, x, y: x / (x + y),
)


def _shift(xp: Any, xs: tuple[Any, ...]) -> tuple[Any, Any]:
    """Return the largest x, as a constant, and what is subtracted before exponentials: the same, but 0 if infinite."""
    top = xp.detach(xp.maximum(*xs))
    return top, xp.where(xp.abs(top) < math.inf, top, 0.0)  # all −inf, or one +inf: no shift helps


def log_total(xp: Any, xs: tuple[Any, ...]) -> tuple[Any, Any]:
    """Return a shift m and ln Σ exp(xᵢ − m), as ln(1 + the sum of all but the largest), however small that is."""
    exp, where = xp.exp, xp.where
    _, m = _shift(xp, xs)
    ones = [where(x >= m, 1.0, 0.0) for x in xs]  # the largest counts as 1, each of several …
    rest = [exp(x - m) - one for x, one in zip(xs, ones)]  # … and adds nothing more
    return m, xp.log1p(_total(rest) + (_total(ones) - 1))


def shares(xp: Any, xs: tuple[Any, ...], output: Any = 0.0) -> tuple[Callable[[int], Any], Callable[[int], Any]]:
    """Return the functions of i that give p and 1 − p, neither as a difference, for the softmax p of xs.

    Inputs of +inf share 1 equally, as in `maximum`; if every x is −inf, each p is 0. Where the largest x is infinite
    and `output`, of which they are derivatives, is nan, they are nan too, to every order.
    """
    exp = xp.exp
    top, m = _shift(xp, xs)
    exponentials = [exp(x - m) for x in xs]
    others = of_the_others(add, exponentials)
    infinite = xp.abs(top) >= math.inf
    if infinite is False:  # of numbers
        return (
            lambda i: xp.share(exponentials[i], others[i]),
            lambda i: xp.share(others[i], exponentials[i]),
        )
    winners = _total([xp.where(x >= top, 1.0, 0.0) for x in xs])
    each = xp.where(top > 0, xp.div(1.0, winners), 0.0)

    def limit(i: int) -> Any:
        defined = xp.where(xs[i] >= top, each, 0.0)
        return xp.where(xp.abs(output) >= 0, defined, output)

    def p(i: int) -> Any:
        return xp.where(infinite, limit(i), xp.share(exponentials[i], others[i]))

    def rest(i: int) -> Any:
        return xp.where(infinite, 1 - limit(i), xp.share(others[i], exponentials[i]))

    return p, rest


def _total(xs: Sequence[Any]) -> Any:
    return builtins.sum(xs[1:], xs[0]) if xs else 0.0


def _neg_log_of_first(xp: Any, xs: tuple[Any, ...]) -> Any:
    m, logarithm = log_total(xp, xs)
    return (m - xs[0]) + logarithm  # neither is negative, so nothing cancels


def _slopes_of_first(xp: Any, z: Any, xs: tuple[Any, ...]) -> tuple[Any, ...]:
    p, rest = shares(xp, xs, z)
    return (-rest(0), *map(p, range(1, len(xs))))


neg_log_softmax = define_op(
    "neg_log_softmax",
    value=lambda xp, *xs: _neg_log_of_first(xp, xs),
    derivatives=lambda xp, z, *xs: _slopes_of_first(xp, z, xs),
    written=lambda xp, i, z, *xs: xp.exp(xs[i] - xs[0] - z) if i else xp.exp(-z) - 1,
    formula="−ln softmax(x)₁ = ln Σ exp xᵢ − x₁, derivatives softmax(x)ᵢ, for x₁ less 1",
    reference=lambda mp, *xs: mp.log(mp.fsum([mp.exp(x - xs[0]) for x in xs])),
)


def _halves(inputs: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Split w₁ … wₙ z₁ … zₙ; of an odd number of inputs, the last z has weight 0."""
    n = len(inputs) // 2
    return inputs[:n], inputs[n:]


def _cross_entropy(xp: Any, inputs: tuple[Any, ...]) -> Any:
    w, z = _halves(inputs)
    m, logarithm = log_total(xp, z)
    return _total([_unless_0(xp, a, m - x) for a, x in zip(w, z)]) + _unless_0(xp, _total(w), logarithm)


def _unless_0(xp: Any, weight: Any, x: Any) -> Any:
    """Return weight · x, but 0 for a weight of 0 whatever x: a class without weight may have the logit −inf."""
    return xp.where(xp.abs(weight) <= 0, 0.0, weight * x)


def _cross_entropy_slopes(xp: Any, output: Any, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    w, z = _halves(inputs)
    top, m = _shift(xp, z)
    moved = [x - m for x in z]
    logarithm, finite = xp.logsumexp(*moved), xp.abs(top) < math.inf
    if finite is not True:  # of numbers
        undefined = _total(moved) * math.nan
        limit = xp.where(top > 0, xp.where(xp.abs(output) >= 0, logarithm, undefined), undefined)
        logarithm = xp.where(finite, logarithm, limit)
    weights = [*w, *[0.0] * (len(z) - len(w))]
    p, rest = shares(xp, z, output)
    by_logit = [
        p(i) * others - weight * rest(i) for i, (weight, others) in enumerate(zip(weights, of_the_others(add, weights)))
    ]
    return (*[logarithm - x for _, x in zip(w, moved)], *by_logit)


def _written_cross_entropy(xp: Any, i: int, w: tuple[Any, ...], z: tuple[Any, ...]) -> Any:
    if i < len(w):
        return xp.logsumexp(*z) - z[i]
    k = i - len(w)
    softmax = xp.exp(z[k] - xp.logsumexp(*z))
    return xp.sum(*w) * softmax - w[k] if k < len(w) else xp.sum(*w) * softmax


cross_entropy = define_op(
    "cross_entropy",
    value=lambda xp, *inputs: _cross_entropy(xp, inputs),
    derivatives=lambda xp, z, *inputs: _cross_entropy_slopes(xp, z, inputs),
    written=lambda xp, i, z, *inputs: _written_cross_entropy(xp, i, *_halves(inputs)),
    formula="−Σ wᵢ ln softmax(z)ᵢ, derivatives −ln softmax(z)ᵢ for wᵢ, Σ w · softmax(z)ᵢ − wᵢ for zᵢ",
    sample=((0.3, 3.0),),
    reference=lambda mp, *inputs: mp.fsum(
        [
            w * mp.log(mp.fsum([mp.exp(x - z) for x in inputs[len(inputs) // 2 :]]))
            for w, z in zip(inputs[: len(inputs) // 2], inputs[len(inputs) // 2 :])
        ]
    ),
)

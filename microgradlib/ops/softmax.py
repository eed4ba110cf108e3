"""Softmax inside the ops that are differentiated by it: logsumexp, and −ln of one probability, which is cross-entropy.

Probabilities near 1 are computed from the sum of the others, so that 1 − p keeps its digits: it is never a difference.
"""

from __future__ import annotations

import builtins
import math
from itertools import accumulate
from operator import add
from typing import Any

from microgradlib.ops.define import define_op

__all__ = ["log_total", "neg_log_softmax", "share", "shares"]

share = define_op(
    "share",
    value=lambda xp, x, y: x / (x + y),
    derivatives=[lambda xp, z, x, y: xp.share(y, x) / (x + y), lambda xp, z, x, y: -z / (x + y)],
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
    _, m = _shift(xp, xs)
    rest = [xp.where(x >= m, xp.expm1(x - m), xp.exp(x - m)) for x in xs]  # the largest, without its 1 …
    ones = [xp.where(x >= m, 1.0, 0.0) for x in xs]  # … which is counted here, once for each of several
    return m, xp.log1p(builtins.sum(rest[1:], rest[0]) + (builtins.sum(ones[1:], ones[0]) - 1))


def shares(xp: Any, xs: tuple[Any, ...], *, of_none: float = 0.0, complement: int | None = None) -> tuple[Any, ...]:
    """Return the softmax of xs, but p − 1 in the place `complement`.

    Inputs of +inf share 1 equally, as in `maximum`; if every x is −inf, each share is `of_none`.
    """
    top, m = _shift(xp, xs)
    exponentials = [xp.exp(x - m) for x in xs]
    winners = [xp.where(x >= top, 1.0, 0.0) for x in xs]
    each = xp.where(top > 0, xp.div(1.0, builtins.sum(winners[1:], winners[0])), of_none)
    result = []
    for i, (x, y, wins) in enumerate(zip(exponentials, _sums_of_the_others(exponentials), winners)):
        finite, infinite = (-xp.share(y, x), each * wins - 1) if i == complement else (xp.share(x, y), each * wins)
        result.append(xp.where(xp.abs(top) >= math.inf, infinite, finite))
    return tuple(result)


def _sums_of_the_others(xs: list[Any]) -> list[Any]:
    """Return, for each number, the sum of the others: prefix plus suffix sums, without subtraction."""
    if len(xs) == 1:
        return [0.0]
    before, after = list(accumulate(xs[:-1])), list(accumulate(reversed(xs[1:])))[::-1]
    return [after[0], *map(add, before, after[1:]), before[-1]]


def _neg_log_of_first(xp: Any, xs: tuple[Any, ...]) -> Any:
    m, logarithm = log_total(xp, xs)
    return (m - xs[0]) + logarithm  # neither is negative, so nothing cancels


neg_log_softmax = define_op(
    "neg_log_softmax",
    value=lambda xp, *xs: _neg_log_of_first(xp, xs),
    derivatives=lambda xp, z, *xs: shares(xp, xs, of_none=math.nan, complement=0),
    formula="−ln softmax(x)₁ = ln Σ exp xᵢ − x₁, derivatives softmax(x)ᵢ, for x₁ less 1",
    reference=lambda mp, *xs: mp.log(mp.fsum([mp.exp(x - xs[0]) for x in xs])),
)

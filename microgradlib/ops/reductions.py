"""Ops of any number of inputs, each a single node: sum, mean, product, dot product, log-sum-exp."""

from __future__ import annotations

import builtins
import math
from functools import reduce
from operator import mul
from typing import Any

from microgradlib.ops.define import define_op
from microgradlib.ops.rules import branch, of_the_others
from microgradlib.ops.softmax import log_total, shares

sum = define_op(  # noqa: A001
    "sum",
    value=lambda xp, *xs: builtins.sum(xs[1:], xs[0]),
    derivatives=lambda xp, z, *xs: (1.0,) * len(xs),
    written=lambda xp, i, z, *xs: 1.0,
    formula="Σ xᵢ, derivatives 1",
    notation=lambda xp, *xs: xp.total(xs),
    reference=lambda mp, *xs: mp.fsum(xs),
)

mean = define_op(
    "mean",
    value=lambda xp, *xs: builtins.sum(xs[1:], xs[0]) / len(xs),
    derivatives=lambda xp, z, *xs: (1 / len(xs),) * len(xs),
    written=lambda xp, i, z, *xs: xp.div(1.0, float(len(xs))),
    formula="Σ xᵢ / n, derivatives 1/n",
    notation=lambda xp, *xs: xp.total(xs) / len(xs),
    reference=lambda mp, *xs: mp.fsum(xs) / len(xs),
)


def _deviations(xp: Any, xs: tuple[Any, ...]) -> list[Any]:
    """Return each xᵢ − x̄. The first x is subtracted before the mean is taken: a common offset costs no digits."""
    shift = xp.detach(xs[0])
    moved = [x - shift for x in xs]
    mean = xp.mean(*moved)  # the op, not Python's sum, which from 3.12 on is more exact for floats than for nodes
    return [x - mean for x in moved]


def _root_mean_square(xp: Any, xs: list[Any]) -> Any:
    """Return √(Σ xᵢ²/n) without overflow. It is nan if an input was infinite, where hypot(inf, nan) is inf."""
    return xp.norm(*xs) / math.sqrt(len(xs)) + 0.0 * xs[0]


def _mean_square(xs: list[Any]) -> Any:
    squares = [x * x for x in xs]
    return builtins.sum(squares[1:], squares[0]) / len(xs)


var = define_op(
    "var",
    value=lambda xp, *xs: _mean_square(_deviations(xp, xs)),
    derivatives=lambda xp, z, *xs: tuple([x * (2 / len(xs)) for x in _deviations(xp, xs)]),
    written=lambda xp, i, z, *xs: xp.div(2.0, float(len(xs))) * (xs[i] - xp.mean(*xs)),
    formula="Σ (xᵢ − x̄)²/n, derivatives 2(xᵢ − x̄)/n",
    notation=r"\operatorname{Var}",
    reference=lambda mp, *xs: mp.fsum([(x - mp.fsum(xs) / len(xs)) ** 2 for x in xs]) / len(xs),
)

std = define_op(
    "std",
    value=lambda xp, *xs: _root_mean_square(xp, _deviations(xp, xs)),
    derivatives=lambda xp, z, *xs: tuple([xp.where(z <= 0, 0.0, x / z / len(xs)) for x in _deviations(xp, xs)]),
    written=lambda xp, i, z, *xs: (xs[i] - xp.mean(*xs)) / (float(len(xs)) * z),
    formula="√(Σ (xᵢ − x̄)²/n), derivatives (xᵢ − x̄)/(n z)",
    sample=((-3.0, -1.0), (1.0, 3.0)),
    kink=lambda *xs: len(set(xs)) == 1,
    kink_note="the derivatives of std are 0 where all inputs are equal",
    reference=lambda mp, *xs: mp.sqrt(mp.fsum([(x - mp.fsum(xs) / len(xs)) ** 2 for x in xs]) / len(xs)),
)


def _product(xs: tuple[Any, ...]) -> Any:
    result = xs[0]
    for x in xs[1:]:
        result = result * x
    return result


prod = define_op(
    "prod",
    value=lambda xp, *xs: _product(xs),
    derivatives=lambda xp, z, *xs: tuple(of_the_others(mul, xs, 1.0)),
    written=lambda xp, i, z, *xs: xp.prod(*xs[:i], *xs[i + 1 :]) if len(xs) > 1 else 1.0,
    formula="Π xᵢ, derivatives Π of the others",
    notation=lambda xp, *xs: xp.product(xs),
    reference=lambda mp, *xs: mp.fprod(xs),
)


norm = define_op(
    "norm",
    value=lambda xp, *xs: reduce(xp.hypot, xs[1:], xp.abs(xs[0])),
    derivatives=lambda xp, z, *xs: tuple([xp.unit(x, y) for x, y in zip(xs, of_the_others(xp.hypot, xs))]),
    written=lambda xp, i, z, *xs: xs[i] / z,
    formula="√(Σ xᵢ²) without overflow, derivatives xᵢ/√(Σ xᵢ²)",
    sample=((0.3, 3.0), (-3.0, 3.0)),
    kink=lambda *xs: not any(xs),
    kink_note="the derivatives of norm are 0 where every input is 0",
    notation=lambda xp, *xs: xp.pow(xp.total([x**2 for x in xs]), 0.5),
    reference=lambda mp, *xs: mp.sqrt(mp.fsum([x * x for x in xs])),
)


def _halves(inputs: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...], tuple[Any, ...]]:
    """Split the inputs of dot, w₁ … wₙ x₁ … xₙ and perhaps b, into w, x and (b,) or ()."""
    n = len(inputs) // 2
    return inputs[:n], inputs[n : 2 * n], inputs[2 * n :]


def _weighted_sum(inputs: tuple[Any, ...]) -> Any:
    w, x, bias = _halves(inputs)
    return w[0] * x[0] if len(inputs) == 2 else builtins.sum(map(mul, w, x), *bias)  # −0, not 0 + −0


def _weighted_sum_derivatives(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    w, x, bias = _halves(inputs)
    return (*x, *w, 1.0) if bias else x + w


def _written_factor(i: int, w: tuple[Any, ...], x: tuple[Any, ...], bias: tuple[Any, ...]) -> Any:
    return (*x, *w, *[1.0] * len(bias))[i]


def _written_out(xp: Any, inputs: tuple[Any, ...]) -> Any:
    w, x, bias = _halves(inputs)
    return builtins.sum(bias, xp.total(tuple(map(mul, w, x))))


dot = define_op(
    "dot",
    value=lambda xp, *inputs: _weighted_sum(inputs),
    derivatives=lambda xp, z, *inputs: _weighted_sum_derivatives(inputs),
    written=lambda xp, i, z, *inputs: _written_factor(i, *_halves(inputs)),
    formula="Σ wᵢ xᵢ (+ b), derivatives xᵢ for wᵢ, wᵢ for xᵢ, 1 for b",
    notation=lambda xp, *inputs: _written_out(xp, inputs),
    reference=lambda mp, *inputs: mp.fdot(*_halves(inputs)[:2]) + mp.fsum(_halves(inputs)[2]),
)


def _winners_shares(xp: Any, z: Any, winners: list[Any], losers: list[Any]) -> tuple[Any, ...]:
    """Return each input's share of the derivative of a max or min: the winners share it equally, losers are closed."""
    share = xp.div(1.0, builtins.sum([xp.where(winner, 1.0, 0.0) for winner in winners]))
    return tuple([branch(xp, z, winner, loser, share) for winner, loser in zip(winners, losers)])


maximum = define_op(
    "maximum",
    value=lambda xp, *xs: xp.maximum(*xs),
    derivatives=lambda xp, z, *xs: _winners_shares(xp, z, [x >= z for x in xs], [x < z for x in xs]),
    written=lambda xp, i, z, *xs: xp.where(xs[i] >= z, 1.0, 0.0),
    formula="the largest input; derivative 1 for it, 0 for the others",
    symbol="max",
    kink=lambda *xs: builtins.sum(x == max(xs) for x in xs) > 1,
    kink_note="inputs that tie for the maximum share the derivative equally",
    notation=r"\max",
    reference=lambda mp, *xs: max(xs),
)

minimum = define_op(
    "minimum",
    value=lambda xp, *xs: xp.minimum(*xs),
    derivatives=lambda xp, z, *xs: _winners_shares(xp, z, [x <= z for x in xs], [x > z for x in xs]),
    written=lambda xp, i, z, *xs: xp.where(xs[i] <= z, 1.0, 0.0),
    formula="the smallest input; derivative 1 for it, 0 for the others",
    symbol="min",
    kink=lambda *xs: builtins.sum(x == min(xs) for x in xs) > 1,
    kink_note="inputs that tie for the minimum share the derivative equally",
    notation=r"\min",
    reference=lambda mp, *xs: min(xs),
)


def _log_sum(xp: Any, xs: tuple[Any, ...]) -> Any:
    m, logarithm = log_total(xp, xs)
    return m + logarithm


logsumexp = define_op(
    "logsumexp",
    value=lambda xp, *xs: _log_sum(xp, xs),
    derivatives=lambda xp, z, *xs: tuple(map(shares(xp, xs)[0], range(len(xs)))),
    written=lambda xp, i, z, *xs: xp.exp(xs[i] - z),
    formula="ln Σ exp xᵢ, derivatives softmax(x)ᵢ",
    kink=lambda *xs: builtins.max(xs) == -math.inf,
    kink_note="the derivatives of logsumexp are 0 where every input is −inf",
    reference=lambda mp, *xs: mp.log(mp.fsum(map(mp.exp, xs))),
)

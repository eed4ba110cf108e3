"""Edge cases of the ops, each with its documented value and derivatives, for the eager and the compiled engine."""

import math
import operator
from dataclasses import dataclass
from typing import Any

import microgradlib as mg

INF, NAN = math.inf, math.nan
TINY = 2.0**-700  # its square underflows, the square of its inverse overflows


@dataclass(frozen=True)
class Case:
    """A function, the point at which it is evaluated, and the expected value and derivatives."""

    name: str
    f: Any
    at: tuple[float, ...]
    value: float
    slopes: tuple[float, ...]
    kinks: int = 0
    """The number of nodes at a kink."""


def case(name, f, at, value, slopes, *, kinks=0):
    return Case(name, f, tuple(map(float, at)), float(value), tuple(map(float, slopes)), kinks)


POWERS = [
    case("x**y at (0, 0)", operator.pow, (0, 0), 1, (0, 0), kinks=1),
    case("x**y at (0, 2)", operator.pow, (0, 2), 0, (0, 0)),
    case("x**y at (0, 1)", operator.pow, (0, 1), 0, (1, 0)),
    case("x**y at (0, -1)", operator.pow, (0, -1), INF, (-INF, -INF)),
    case("x**0 at 0", lambda x: x**0, [0], 1, [0], kinks=1),
    case("x**0 at 3", lambda x: x**0, [3], 1, [0]),
    case("x**0 at inf", lambda x: x**0, [INF], 1, [0]),
    case("x**0 at nan", lambda x: x**0, [NAN], 1, [0]),
    case("x**1 at 0", lambda x: x**1, [0], 0, [1]),
    case("x**2 at 0", lambda x: x**2, [0], 0, [0]),
    case("x**0.5 at 0", lambda x: x**0.5, [0], 0, [INF]),
    case("x**-1 at 0", lambda x: x**-1, [0], INF, [-INF]),
    case("x**-1 at -0", lambda x: x**-1, [-0.0], -INF, [-INF]),
    case("x**-2 at -0", lambda x: x**-2, [-0.0], INF, [INF]),
    case("(-2)**3 wrt both", operator.pow, (-2, 3), -8, (12, NAN)),
    case("(-2)**3 wrt base", lambda x: x**3, [-2], -8, [12]),
    case("(-2)**0.5", lambda x: x**0.5, [-2], NAN, [NAN]),
    case("(-2)**0.5 wrt both", operator.pow, (-2, 0.5), NAN, (NAN, NAN)),
    case("2**x at 3", lambda x: 2**x, [3], 8, [8 * math.log(2)]),
    case("x**2 at 1e200", lambda x: x**2, [1e200], INF, [2e200]),
    case("x*x at 1e200", lambda x: x * x, [1e200], INF, [2e200]),
    case("x**3 at -1e200", lambda x: x**3, [-1e200], -INF, [INF]),
]
ROOTS_AND_LOGARITHMS = [
    case("sqrt(0)", mg.sqrt, [0], 0, [INF]),
    case("sqrt(-1)", mg.sqrt, [-1], NAN, [NAN]),
    case("sqrt(x*x) at 0", lambda x: mg.sqrt(x * x), [0], 0, [NAN], kinks=1),
    case("sqrt(x**2) at 0", lambda x: mg.sqrt(x**2), [0], 0, [NAN], kinks=1),
    case("sqrt(x)**2 at 0", lambda x: mg.sqrt(x) ** 2, [0], 0, [NAN], kinks=1),
    case("cbrt(x)**3 at 0", lambda x: mg.cbrt(x) ** 3, [0], 0, [NAN], kinks=1),
    case("acos(x)**2 at 1", lambda x: mg.acos(x) ** 2, [1], 0, [NAN], kinks=1),
    case("cbrt(0)", mg.cbrt, [0], 0, [INF]),
    case("log(0)", mg.log, [0], -INF, [INF]),
    case("log(-1)", mg.log, [-1], NAN, [NAN]),
    case("log(inf)", mg.log, [INF], INF, [0]),
    case("log2(0)", mg.log2, [0], -INF, [INF]),
    case("log2(-1)", mg.log2, [-1], NAN, [NAN]),
    case("log10(0)", mg.log10, [0], -INF, [INF]),
    case("log10(-1)", mg.log10, [-1], NAN, [NAN]),
    case("log1p(-1)", mg.log1p, [-1], -INF, [INF]),
    case("log1p(-2)", mg.log1p, [-2], NAN, [NAN]),
    case("logit(0)", mg.logit, [0], -INF, [INF]),
    case("logit(1)", mg.logit, [1], INF, [INF]),
    case("logit(2)", mg.logit, [2], NAN, [NAN]),
    case("x*log(x) at 0", lambda x: x * mg.log(x), [0], NAN, [NAN], kinks=1),
    case("xlogy(x, x) at 0", lambda x: mg.xlogy(x, x), [0], 0, [-INF]),
    case("xlogy(0, 0)", mg.xlogy, (0, 0), 0, (-INF, 0)),
    case("xlogy(2, 0)", mg.xlogy, (2, 0), -INF, (-INF, INF)),
    case("xlogy(1, -1)", mg.xlogy, (1, -1), NAN, (NAN, NAN)),
]
KINKS = [
    case("abs(0)", abs, [0], 0, [0], kinks=1),
    case("abs(-0)", abs, [-0.0], 0, [0], kinks=1),
    case("abs(nan)", abs, [NAN], NAN, [NAN]),
    case("maximum tie", mg.maximum, (2, 2), 2, (0.5, 0.5), kinks=1),
    case("maximum tie of 4", mg.maximum, (2, 2, 1, 2, 2), 2, (0.25, 0.25, 0, 0.25, 0.25), kinks=1),
    case("maximum, a tie below the top", mg.maximum, (2, 2, 3), 3, (0, 0, 1), kinks=0),
    case("maximum of one node twice", lambda x: mg.maximum(x, x), [2], 2, [1], kinks=1),
    case("minimum tie", mg.minimum, (2, 2), 2, (0.5, 0.5), kinks=1),
    case("maximum(-inf, -inf)", mg.maximum, (-INF, -INF), -INF, (0.5, 0.5), kinks=1),
    case("relu(0)", mg.relu, [0], 0, [0], kinks=1),
    case("relu by method at 0", lambda x: x.relu(), [0], 0, [0], kinks=1),
    case("relu(-0)", mg.relu, [-0.0], -0.0, [0], kinks=1),
    case("relu by method at -0", lambda x: x.relu(), [-0.0], -0.0, [0], kinks=1),
    case("relu(x) - relu(-x) at 0", lambda x: mg.relu(x) - mg.relu(-x), [0], 0, [0], kinks=2),
    case("clip, low edge", lambda x: mg.clip(x, -1, 1), [-1], -1, [1], kinks=1),
    case("clip, high edge", lambda x: mg.clip(x, -1, 1), [1], 1, [1], kinks=1),
    case("clip, outside", lambda x: mg.clip(x, -1, 1), [1.5], 1, [0]),
    case("clip with bounds as nodes", mg.clip, (3, -1, 1), 1, (0, 0, 1)),
    case("leaky_relu(0)", lambda x: mg.leaky_relu(x, 0.1), [0], 0, [0.1], kinks=1),
    case("leaky_relu(0), default slope", mg.leaky_relu, [0], 0, [0.01], kinks=1),
    case("elu(0)", lambda x: mg.elu(x, 0.5), [0], 0, [0.5], kinks=1),
    case("elu(0), smooth", mg.elu, [0], 0, [1]),
    case("hard_tanh(1)", mg.hard_tanh, [1], 1, [0], kinks=1),
    case("hard_tanh(-1)", mg.hard_tanh, [-1], -1, [0], kinks=1),
    case("hard_sigmoid(2)", mg.hard_sigmoid, [2], 1, [0], kinks=1),
    case("hard_sigmoid(-2)", mg.hard_sigmoid, [-2], 0, [0], kinks=1),
    case("step(0)", mg.step, [0], 1, [0], kinks=1),
    case("step(-1)", mg.step, [-1], 0, [0]),
    case("step(nan)", mg.step, [NAN], NAN, [0]),
    case("sign(0)", mg.sign, [0], 0, [0], kinks=1),
    case("sign(-2)", mg.sign, [-2], -1, [0]),
    case("sign(nan)", mg.sign, [NAN], NAN, [0]),
    case("floor(1.5)", mg.floor, [1.5], 1, [0]),
    case("floor(2)", mg.floor, [2], 2, [0], kinks=1),
    case("floor(inf)", mg.floor, [INF], INF, [0]),
    case("floor(nan)", mg.floor, [NAN], NAN, [0]),
    case("ceil(1.5)", mg.ceil, [1.5], 2, [0]),
    case("ceil(-inf)", mg.ceil, [-INF], -INF, [0]),
    case("relu(nan)", mg.relu, [NAN], NAN, [NAN]),
    case("relu by method at nan", lambda x: x.relu(), [NAN], NAN, [NAN]),
    case("maximum(nan, 1)", mg.maximum, (NAN, 1), NAN, (NAN, NAN)),
    case("maximum(1, nan)", mg.maximum, (1, NAN), NAN, (NAN, NAN)),
    case("minimum(1, nan)", mg.minimum, (1, NAN), NAN, (NAN, NAN)),
    case("clip(nan)", lambda x: mg.clip(x, -1, 1), [NAN], NAN, [NAN]),
    case("leaky_relu(nan)", mg.leaky_relu, [NAN], NAN, [NAN]),
    case("hard_tanh(nan)", mg.hard_tanh, [NAN], NAN, [NAN]),
]
CHOICES = [
    case("where, unchosen log(-1)", lambda x: mg.where(x > 0, mg.log(x), 0), [-1], 0, [0]),
    case("where, unchosen log(0)", lambda x: mg.where(x > 0, mg.log(x), 0), [0], 0, [0]),
    case("where, unchosen sqrt(0)", lambda x: mg.where(x > 0, mg.sqrt(x), 0), [0], 0, [0]),
    case("where, unchosen x/x", lambda x: mg.where(x > 0, x / x, 1), [0], 1, [0]),
    case("where, chosen log", lambda x: mg.where(x > 0, mg.log(x), 0), [2], math.log(2), [0.5]),
    case("where, unchosen as 2nd branch", lambda x: mg.where(x <= 0, x, mg.log(x)), [-1], -1, [1]),
    case("0 · inf", lambda x: mg.sqrt(x) * 0.0, [0], 0, [NAN], kinks=1),
    case("relu off, before inf", lambda x: mg.relu(mg.sqrt(x) - 1), [0], 0, [0]),
    case("relu at its edge, before inf", lambda x: mg.relu(mg.sqrt(x)), [0], 0, [0], kinks=1),
    case("relu off, before nan", lambda x: mg.relu(-mg.sqrt(x * x)), [0], -0.0, [0], kinks=1),
    case("clip, outside, before inf", lambda x: mg.clip(mg.sqrt(x), 1, 2), [0], 1, [0]),
    case("clip, low > high", mg.clip, (1.5, 2.0, 1.0), 1, (0, 0, 1)),
    case("clip, low > high, bounds as numbers", lambda x: mg.clip(x, 2.0, 1.0), [1.5], 1, [0]),
    case("maximum, the loser before inf", lambda x: mg.maximum(mg.sqrt(x), 1.0), [0], 1, [0]),
    case("step, before inf", lambda x: mg.step(mg.sqrt(x)), [0], 1, [0], kinks=1),
    case("x**0, before inf", lambda x: mg.sqrt(x) ** 0, [0], 1, [0], kinks=1),
    case("where, another way to x", lambda x: mg.where(x > 0, mg.log(x), 0) + x, [-1], -1, [1]),
    case("0 · nan", lambda x: mg.log(x) * 0.0, [-1], NAN, [NAN]),
]
SATURATION = [
    case("softplus(1000)", mg.softplus, [1000], 1000, [1]),
    case("softplus(-1000)", mg.softplus, [-1000], 0, [0]),
    case("softplus(inf)", mg.softplus, [INF], INF, [1]),
    case("sigmoid(-1000)", mg.sigmoid, [-1000], 0, [0]),
    case("sigmoid(1000)", mg.sigmoid, [1000], 1, [0]),
    case("sigmoid(inf)", mg.sigmoid, [INF], 1, [0]),
    case("logsumexp(1000, 1000)", lambda x, y: mg.logsumexp([x, y]), (1000, 1000), 1000 + math.log(2), (0.5, 0.5)),
    case("logsumexp(-1000, -1000)", lambda x, y: mg.logsumexp([x, y]), (-1000, -1000), math.log(2) - 1000, (0.5, 0.5)),
    case("logsumexp(-inf, -inf)", lambda x, y: mg.logsumexp([x, y]), (-INF, -INF), -INF, (0, 0), kinks=1),
    case("logsumexp(-inf, 1)", lambda x, y: mg.logsumexp([x, y]), (-INF, 1), 1, (0, 1)),
    case("softmax(1000, 1000)", lambda x, y: mg.softmax([x, y])[0], (1000, 1000), 0.5, (0.25, -0.25)),
    case("log_softmax(0, 1000)", lambda x, y: mg.log_softmax([x, y])[0], (0, 1000), -1000, (1, -1)),
    case("tanh(1000)", mg.tanh, [1000], 1, [0]),
    case("exp(1000)", mg.exp, [1000], INF, [INF]),
    case("exp(-1000)", mg.exp, [-1000], 0, [0]),
    case("expm1(1000)", mg.expm1, [1000], INF, [INF]),
    case("sinh(1000)", mg.sinh, [1000], INF, [INF]),
    case("sinh(-1000)", mg.sinh, [-1000], -INF, [INF]),
    case("cosh(-1000)", mg.cosh, [-1000], INF, [-INF]),
    case("gamma(200)", mg.gamma, [200], INF, [INF]),
]
PLANE_AND_DIVISION = [
    case("atan2(0, 0)", mg.atan2, (0, 0), 0, (0, 0), kinks=1),
    case("atan2, tiny", mg.atan2, (3 * TINY, 4 * TINY), math.atan2(3, 4), (0.8 / 5 / TINY, -0.6 / 5 / TINY)),
    case("hypot(0, 0)", mg.hypot, (0, 0), 0, (0, 0), kinks=1),
    case("std of 0 and ∞", lambda x, y: mg.std([x, y]), (0, INF), NAN, (NAN, NAN)),
    case("std of ∞ and 0", lambda x, y: mg.std([x, y]), (INF, 0), NAN, (NAN, NAN)),
    case("std of three, one −∞", lambda x, y: mg.std([x, 1.0, y]), (0, -INF), NAN, (NAN, NAN)),
    case("hypot, huge", mg.hypot, (3 / TINY, 4 / TINY), 5 / TINY, (0.6, 0.8)),
    case("1/x at 0", lambda x: 1 / x, [0], INF, [-INF]),
    case("1/x at -0", lambda x: 1 / x, [-0.0], -INF, [-INF]),
    case("-1/x at 0", lambda x: -1 / x, [0], -INF, [INF]),
    case("x/y at (0, 0)", operator.truediv, (0, 0), NAN, (INF, NAN)),
    case("x/x at 0", lambda x: x / x, [0], NAN, [NAN]),
    case("x/x at inf", lambda x: x / x, [INF], NAN, [NAN]),
    case("inf - inf", operator.sub, (INF, INF), NAN, (1, -1)),
    case("0 · inf, a value", operator.mul, (0, INF), NAN, (INF, 0)),
    case("sin(inf)", mg.sin, [INF], NAN, [NAN]),
    case("asin(2)", mg.asin, [2], NAN, [NAN]),
    case("acos(1)", mg.acos, [1], 0, [-INF]),
    case("acosh(0)", mg.acosh, [0], NAN, [NAN]),
    case("atanh(1)", mg.atanh, [1], INF, [INF]),
    case("atanh(-1)", mg.atanh, [-1], -INF, [INF]),
    case("atanh(2)", mg.atanh, [2], NAN, [NAN]),
    case("lgamma(0)", mg.lgamma, [0], INF, [NAN]),
    case("gamma(-1)", mg.gamma, [-1], NAN, [NAN]),
    case("gamma(-0)", mg.gamma, [-0.0], -INF, [NAN]),
]
GRAPHS = [
    case("x*x", lambda x: x * x, [3], 9, [6]),
    case("x+x", lambda x: x + x, [3], 6, [2]),
    case("x-x", lambda x: x - x, [3], 0, [0]),
    case("diamond", lambda x: (x * 2) * (x + 1), [3], 24, [14]),
    case("diamond of diamonds", lambda x: (x * x) * (x * x) + x * x, [2], 20, [36]),
]
CASES = [*POWERS, *ROOTS_AND_LOGARITHMS, *KINKS, *CHOICES, *SATURATION, *PLANE_AND_DIVISION, *GRAPHS]

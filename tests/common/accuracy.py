"""Errors of an op's value and derivatives in units in the last place, against mpmath at high precision.

The exact derivative is a central difference of the op's mpmath reference whose step is 10⁻³⁰ of the input, computed
with so many digits that neither the step nor rounding shows; gamma functions have theirs in closed form.
"""

import math
import sys
from functools import partial
from itertools import product

import mpmath

from microgradlib import Value, grad_table, gradients
from microgradlib.ops import Op

__all__ = ["BOUNDS", "EXCEPTIONS", "computed", "condition", "errors", "exact", "is_exception", "points", "ulps"]

BOUNDS = (4, 16, 16)
"""The largest errors allowed to a value, a first and a second derivative, in ulps or, where larger, times the condition
number."""

SMALLEST_NORMAL = sys.float_info.min

STEP = 30
"""Decimal digits by which the step of a difference is smaller than the input, or than 1."""

ZERO_STEP = 360
"""The same where the input is 0: far below the smallest float."""

LARGEST = mpmath.mpf(sys.float_info.max)


def _psi(n: int, x):
    """Return the polygamma function; ψ₁ of negative numbers by reflection, which mpmath reaches step by step."""
    if n == 1 and x < -1:
        return (mpmath.pi / mpmath.sinpi(x)) ** 2 - mpmath.psi(1, 1 - x)
    return mpmath.psi(n, x)


def _gaussian(x):
    return 2 / mpmath.sqrt(mpmath.pi) * mpmath.exp(-x * x)


CLOSED_FORMS = {
    "gamma": {
        (0,): mpmath.gamma,
        (1,): lambda x: mpmath.gamma(x) * _psi(0, x),
        (2,): lambda x: mpmath.gamma(x) * (_psi(0, x) ** 2 + _psi(1, x)),
    },
    "lgamma": {
        (0,): lambda x: mpmath.log(abs(mpmath.gamma(x))) if x < 0 else mpmath.loggamma(x),
        (1,): lambda x: _psi(0, x),
        (2,): lambda x: _psi(1, x),
    },
    "digamma": {(n,): lambda x, n=n: _psi(n, x) for n in range(3)},
    "polygamma": {(n, 0): lambda x, order, n=n: _psi(int(order) + n, x) for n in range(3)},
    "erf": {(0,): mpmath.erf, (1,): _gaussian, (2,): lambda x: -2 * x * _gaussian(x)},
    "erfc": {(0,): mpmath.erfc, (1,): lambda x: -_gaussian(x), (2,): lambda x: 2 * x * _gaussian(x)},
    "heaviside": {(0, 1): lambda x, at_zero: mpmath.mpf(x == 0)},
    "mod": {(1, 0): lambda x, y: mpmath.mpf(1), (0, 1): lambda x, y: -mpmath.floor(x / y)},
    "fmod": {
        (1, 0): lambda x, y: mpmath.mpf(1),
        (0, 1): lambda x, y: mpmath.ceil(-x / y) if x * y >= 0 else mpmath.floor(-x / y),
    },
}
"""Values and derivatives of functions of which differences take too long, or step over a jump, by orders."""

FLAT = {"mod", "fmod", "floordiv", "floor", "ceil", "trunc", "round", "sgn", "heaviside"}
"""Functions whose derivatives are 0 but for those of `CLOSED_FORMS`: no difference may step over a jump."""

MAGNITUDES = (
    5e-324, 1e-310, 2.3e-308, 1e-300, 1e-200, 1e-160, 1e-154, 1e-120, 1e-100, 1e-50, 1e-20, 1e-16, 1e-12, 1e-9, 1e-8,
    1e-5, 1e-4, 1e-3, 0.01, 0.05, 0.0999, 0.1001, 0.25, 0.3, 0.49, 0.5, 0.51, 0.6, 0.7, 0.9, 0.99, 0.999999,
    1 - 2.0**-53, 1.0, 1 + 2.0**-52, 1.000001, 1.01, 1.1, 1.2, 1.4616321449683623, 1.5, 1.7, 2.0, 2.0000001, 2.5, 3.0,
    3.7, 5.0, 7.5, 10.0, 15.5, 20.0, 26.0, 27.2, 36.0, 37.0, 38.0, 50.0, 100.0, 171.0, 300.0, 354.0, 500.0, 700.0,
    709.0, 709.7, 710.0, 710.4, 720.0, 744.0, 746.0, 1000.0, 1023.5, 1e4, 1e5, 1e7, 1e8, 1e10, 1e15, 1e16, 1e22, 1e50,
    1e77, 1e100, 1e102, 1e150, 1.3e154, 1e160, 1e200, 1e300, 8e307, 1.7e308,
)  # fmt: skip
"""Where functions of floats lose digits: limits of the format, switches of formulas, saturation, overflow."""

PAIRED = (
    0.0, 5e-324, 1e-300, 1e-160, 1e-100, 1e-20, 1e-9, 1e-3, 0.3, 1 - 2.0**-53, 1.0, 1.7, 2.0, 3.0, 40.0, 700.0, 1e8,
    1e16, 1e100, 1e160, 1e300,
)  # fmt: skip
"""The magnitudes of ops of several inputs, all with all."""


def points(op: Op, arity: int, rng) -> list[tuple[float, ...]]:
    """Return hard points of an op: fixed magnitudes of both signs, and drawn ones over the whole range of floats."""
    signed = [s * x for x in MAGNITUDES for s in (1, -1)] + [0.0] + [_drawn(rng) for _ in range(60)]
    if op.name in {"gamma", "lgamma", "polygamma", "digamma"}:
        signed = [x for x in signed if x > -400]
    if op.name == "polygamma":
        return [(x, float(order)) for x in signed for order in range(4)]
    if arity == 1:
        return [(x,) for x in signed]
    paired = [s * x for x in PAIRED for s in (1, -1)]
    if arity > 2:
        return [tuple(rng.choice(paired) for _ in range(arity)) for _ in range(80)]
    pairs = list(product(paired, repeat=2))
    return rng.sample(pairs, 120) + [(_drawn(rng), _drawn(rng)) for _ in range(40)]


def _drawn(rng) -> float:
    """Return a float of any magnitude, half of them between 1e-3 and 1e3."""
    exponent = rng.uniform(-3, 3) if rng.random() < 0.5 else rng.uniform(-307, 308)
    return rng.choice((-1, 1)) * 10**exponent


def exact(op: Op, point, orders):
    """Return the value or derivative in mpmath's numbers; None where the function has none that is real."""
    try:
        result = _exact(op, point, orders)
    except (ValueError, ZeroDivisionError, OverflowError, mpmath.libmp.NoConvergence):
        return None
    return result if isinstance(result, mpmath.mpf) and not mpmath.isnan(result) else None


def _exact(op: Op, point, orders):
    order = sum(orders)
    size = sum(abs(math.log10(abs(x))) for x in point if x)
    exponents = min(sum(map(abs, point)), 900)  # e⁻ˣ beside 1 has as many digits more, or fewer
    form = CLOSED_FORMS.get(op.name, {}).get(tuple(orders))
    if form:
        with mpmath.workdps(int(60 + 2 * size)):
            return +form(*map(mpmath.mpf, point))
    if op.name in FLAT and order:
        return mpmath.mpf(0)
    reference = partial(op.reference, mpmath) if op.reference else getattr(mpmath, op.name)
    steps = [_step(x) for x in point]
    used = [step for step, n in zip(steps, orders) if n]
    top = max([0.0, *[math.log10(abs(x)) for x in point if x]])
    digits = int(100 + 2 * size + exponents + order * (max(used, default=0) + top))
    with mpmath.workdps(digits):
        terms = []
        for offsets, weight in _stencil(orders):
            moved = [mpmath.mpf(x) + k * mpmath.mpf(10) ** -step for x, step, k in zip(point, steps, offsets)]
            terms.append(weight * reference(*moved))
        total = mpmath.fsum(terms)
        noise = max(map(abs, terms)) * mpmath.mpf(10) ** (20 - digits)
        scale = mpmath.mpf(10) ** sum(step * n for step, n in zip(steps, orders))
        return total * scale if abs(total) > noise or not order else mpmath.mpf(0)


def _step(x: float) -> int:
    return STEP - min(0, math.floor(math.log10(abs(x)))) if x else ZERO_STEP


def _stencil(orders):
    """Return the offsets, in steps, and the weights of the central difference of these orders."""
    rows = {0: [(0, 1)], 1: [(1, mpmath.mpf(0.5)), (-1, mpmath.mpf(-0.5))], 2: [(1, 1), (0, -2), (-1, 1)]}
    for terms in product(*[rows[n] for n in orders]):
        yield [k for k, _ in terms], mpmath.fprod(weight for _, weight in terms)


def _poles(name: str, point) -> bool:
    """Return whether a function jumps or has a pole at the point, or is not defined on one side of it."""
    x, y, *_ = (*point, 1.0)
    return {
        "div": y == 0, "mod": y == 0, "fmod": y == 0, "floordiv": y == 0, "reciprocal": x == 0,
        "pow": x == 0, "pow_slope": x == 0, "pow_log": x <= 0, "share": x <= 0 or y <= 0, "xlogy": y <= 0,
        "xlog1py": y <= -1, "elu": x == 0, "selu": x == 0, "atan2": x == 0 and y < 0, "where": x == 0,
        "clip": len(point) == 3 and point[1] >= point[2], "detach": True,
    }.get(name, False)  # fmt: skip


EXCEPTIONS = {
    "overflow": "a second derivative beyond 1.8e308 may be nan instead of inf",
    "subnormal": "ops of several inputs lose digits where one is below 2.2e-308, as its reciprocal overflows",
    "pow": "where |y| < 1, x^(y-1) is exact to 2 |ln x| ulp only, as y - 1 is rounded, and overflows before y x^(y-1)",
    "prod": "a product of some of the factors may over- or underflow where that of all does not",
    "unit": "second derivatives of atan2 and unit, third ones of hypot, may be inf where 1/(x^2 + y^2) overflows",
    "std": "the second derivatives of std are exact relative to their terms, 1/(n z), which cancel for n = 2",
    "cross_entropy": "second derivatives by a weight and a logit are exact to 1e-16 only where a probability is near 1",
    "lgamma": "lgamma of negative numbers is exact to 1e-15 only near its zeros and extremes there",
    "xlog1py": "the second derivative of xlog1py by y loses digits where (1 + y)^2 over- or underflows",
}
"""Where an op may exceed the bounds, with the reason."""


def is_exception(op: Op, point, orders, got: float, true) -> str:
    """Return the name of the exception under which an error at this point falls; "" if it falls under none."""
    order, name = sum(orders), op.name
    if order == 2 and abs(true) > LARGEST and not math.isfinite(got):
        return "overflow"
    if len(point) > 1 and any(0 < abs(x) < SMALLEST_NORMAL for x in point):
        return "subnormal"
    if name in {"pow", "pow_slope", "pow_log"} and order + (name == "pow_slope"):
        x, y = point[:2]
        rounded = abs(y) < 1 and ulps(got, true) <= 2 * abs(math.log(abs(x))) * max(1, condition(op, point, orders))
        overflows = abs(y) < 1 and math.isinf(got)
        return "pow" if rounded or overflows or abs(true) < SMALLEST_NORMAL else ""
    if name == "prod" and order == 0:
        return "prod"
    if name in {"atan2", "unit"} and order == 2 and math.hypot(*point) < 1e-150:
        return "unit"
    if name == "std" and order == 2:
        n = len(point)
        return "std" if abs(got - float(true)) < 1e-13 / (n * op.compute(*point)) else ""
    if name == "cross_entropy" and order == 2 and any(orders[: len(orders) // 2]):
        return "cross_entropy" if abs(got - float(true)) < 1e-14 else ""
    if name == "lgamma" and point[0] < 0 and order == 0:
        return "lgamma" if abs(got - float(true)) < 1e-14 else ""
    if name == "xlog1py" and orders[1] == 2:
        return "xlog1py"
    return ""


def errors(op: Op, arity: int, rng):
    """Yield (orders, point, true value, error in ulps, condition number, exception) for the points of an op.

    The condition number is 1 where the error is within the bound without it.
    """
    node_count = arity - (op.name == "polygamma")
    for point in points(op, arity, rng):
        if _poles(op.name, point):
            continue
        kink = bool(op.kink and op.kink(*point))
        for orders, found in computed(op, point, node_count).items():
            order = sum(orders)
            true = None if kink and order else exact(op, point, orders)
            if true is None:
                continue
            got = max(found, key=lambda number: ulps(number, true)) if order == 2 else found
            error, magnified = ulps(got, true), 1.0
            if error > BOUNDS[order]:
                magnified = max(1.0, condition(op, point, orders))
            failed = error / magnified > BOUNDS[order]
            yield orders, point, true, error, magnified, is_exception(op, point, orders, got, true) if failed else ""


def computed(op: Op, point, node_count: int) -> dict[tuple[int, ...], float]:
    """Return the value and the derivatives that the library computes, by orders; mixed ones of order 2 come twice."""
    values = [Value(x) for x in point[:node_count]]
    out = op(*values, *point[node_count:])
    rest = (0,) * (len(point) - node_count)
    result = {(0,) * len(point): out.data}
    for i, slope in enumerate(gradients(out, values)):
        first = tuple(int(i == k) for k in range(node_count))
        result[first + rest] = slope.data
        table = grad_table(slope)
        for j, x in enumerate(values):
            second = tuple(n + int(j == k) for k, n in enumerate(first))
            result.setdefault(second + rest, []).append(table.get(x, 0.0))
    return result


def ulps(got: float, true) -> float:
    """Return the error of a float in units in the last place of the true number, an mpf; inf for a wrong nan or inf."""
    if math.isnan(got):
        return math.inf
    overflow = abs(true) > LARGEST
    unit = mpmath.mpf(2) ** 971 if overflow else mpmath.mpf(math.ulp(float(true)))
    if math.isinf(got):
        got, same = mpmath.sign(got) * mpmath.mpf(2) ** 1024, (got > 0) == (true > 0)
        if overflow and same:
            return 0.0
    with mpmath.workdps(400):
        return float(abs(mpmath.mpf(got) - true) / unit)


def condition(op: Op, point, orders) -> float:
    """Return Σ |xᵢ ∂q/∂xᵢ / q| of the value or derivative q: how much it magnifies errors of the inputs."""
    q = exact(op, point, orders)
    total = mpmath.mpf(0)
    for i, x in enumerate(point):
        if not x:
            continue
        nudge = mpmath.mpf(x) * mpmath.mpf(2) ** -80
        with mpmath.workdps(400):
            moved = exact(op, (*point[:i], mpmath.mpf(x) + nudge, *point[i + 1 :]), orders)
        if moved is None:
            return math.inf
        total += abs(moved - q) * mpmath.mpf(2) ** 80
    return float(total / abs(q)) if q else math.inf

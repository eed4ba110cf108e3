"""The ops that derivative graphs need: identity, detach, products with strong zeros, slopes of powers."""

import math
from typing import Any

from microgradlib._support.floats import FLOATS, IEEE
from microgradlib.ops.arithmetic import pow as power
from microgradlib.ops.define import define_op
from microgradlib.ops.dispatch import is_node
from microgradlib.ops.record import GRAPH
from microgradlib.ops.rules import ZERO

__all__ = ["detach", "identity", "strong_mul"]

identity = define_op(
    "identity",
    value=lambda xp, x: x,
    derivatives=[lambda xp, z, x: 1.0],
    formula="x, derivative 1",
    reference=lambda mp, x: x,
)

detach = define_op(
    "detach",
    value=lambda xp, x: xp.detach(x),
    derivatives=[lambda xp, z, x: 0.0],
    formula="x as a constant, derivative 0",
    reference=lambda mp, x: x,
)

FLOATS.closed_at_zero = IEEE.closed_at_zero = lambda x: x or ZERO  # in a product with a strong zero

strong_mul = define_op(
    "strong_mul",
    value=lambda xp, x, y: xp.where(xp.abs(x) <= 0, 0.0, x * y),
    derivatives=[lambda xp, z, x, y: y, lambda xp, z, x, y: xp.closed_at_zero(x)],
    formula="x y for a weight x, which stops everything where it is 0, inf and nan too; derivatives y and x",
    symbol="*",
    notation=lambda xp, x, y: x * y,
    reference=lambda mp, x, y: x * y,
)


def _mixed_slope(xp: Any, x: Any, y: Any, m: float) -> Any:
    """Return x^(y−1) (ln x)^(m−1) (m + y ln x), the derivative of x^y (ln x)^m by x.

    At x = 0 the sum of both terms tends to 0 for y > 1, and their product to an infinity for y ≤ 1.
    """
    terms = y * xp.pow_log(x, y - 1, m) + m * xp.pow_log(x, y - 1, m - 1)
    return xp.where(y > 1, terms, xp.pow_log(x, y - 1, m - 1) * (m + y * xp.log(x)))


pow_slope = define_op(
    "pow_slope",
    value=lambda xp, x, y: xp.where(xp.abs(y) <= 0, 0.0, y * xp.pow(x, y - 1)),
    derivatives=[
        lambda xp, z, x, y: xp.strong_mul(y, xp.pow_slope(x, y - 1)),
        lambda xp, z, x, y: _mixed_slope(xp, x, y, 1.0),
    ],
    written=(
        lambda xp, z, x, y: y * (y - 1) * xp.pow(x, y - 2),
        lambda xp, z, x, y: xp.pow(x, y - 1) * (1 + y * xp.log(x)),
    ),
    formula="y x^(y−1), 0 for y = 0, derivatives y (y−1) x^(y−2) and x^(y−1) (1 + y ln x)",
    domain="that of x^y",
    sample=((0.3, 3.0), (-2.0, 3.0)),
    notation=lambda xp, x, y: y * xp.pow(x, y - 1),
    reference=lambda mp, x, y: y * x ** (y - 1),
)


def _power_of_log(xp: Any, x: Any, y: Any, m: Any) -> Any:
    """Return (ln x)^m; 0 at x = 0 for m > 0 and y ≥ 0, where x^y outweighs it or, at y = 0, by convention."""
    at_zero = xp.where(m > 0, xp.where(y >= 0, xp.abs(x), 1.0), 1.0) <= 0
    return xp.where(at_zero, 0.0, xp.pow(xp.log(x), m))


def _times_power(xp: Any, x: Any, y: Any, factor: Any) -> Any:
    """Return x^y · factor, also where only the power overflows: 2¹⁰²⁴ ln 2 is 2¹⁰²³ · (2 ln 2)."""
    power, plain = xp.pow(x, y), xp.pow(x, y) * factor
    smaller, rest = xp.where(x > 1, y - 1, y + 1), xp.where(x > 1, x, 1 / x)
    near_1 = xp.where(x > 0.3, xp.pow(x, smaller) * (rest * factor), plain)
    return xp.where(xp.abs(power) < math.inf, plain, near_1)


def _written_power_of_log(xp: Any, x: Any, m: Any) -> Any:
    logarithm = xp.log(x)
    return logarithm if str(m) == "1" else xp.pow(logarithm, m)


pow_log = define_op(
    "pow_log",
    value=lambda xp, x, y, m: _times_power(xp, x, y, _power_of_log(xp, x, y, m)),
    derivatives=[
        lambda xp, z, x, y, m: _mixed_slope(xp, x, y, m),
        lambda xp, z, x, y, m: xp.pow_log(x, y, m + 1),
        lambda xp, z, x, y, m: z * xp.log(xp.log(x)),
    ],
    written=(
        lambda xp, z, x, y, m: xp.pow(x, y - 1) * xp.pow(xp.log(x), m - 1) * (m + y * xp.log(x)),
        lambda xp, z, x, y, m: z * xp.log(x),
        None,
    ),
    formula="x^y (ln x)^m, 0 at x = 0 for y ≥ 0, derivatives x^(y−1) (ln x)^(m−1) (m + y ln x) and x^y (ln x)^(m+1)",
    setting_count=1,
    domain="x ≥ 1, or x ≥ 0 for whole m ≥ 0",
    sample=((1.3, 3.0), (-2.0, 3.0), (1.0, 3.0)),
    notation=lambda xp, x, y, m: xp.pow(x, y) * _written_power_of_log(xp, x, m),
    reference=lambda mp, x, y, m: x**y * mp.log(x) ** m,
)


def _strong_product(x: Any, y: Any) -> Any:
    """Multiply in a derivative graph: a literal weight x of 0 gives 0, a literal 1 needs no node."""
    if isinstance(x, float) and x in (0.0, 1.0):
        return y if x else 0.0
    return x if isinstance(y, float) and y == 1 else strong_mul(x, y)


def _power(x: Any, y: Any) -> Any:
    """Raise to a power in a derivative graph: x¹ is x and x⁰ is 1."""
    if isinstance(y, float) and y in (0.0, 1.0):
        return x if y else 1.0
    return power(x, y)


def _power_slope(x: Any, y: Any) -> Any:
    """Return y x^(y−1) in a derivative graph: for a number y, by a product and a power."""
    return _strong_product(y, _power(x, y - 1)) if isinstance(y, float) else pow_slope(x, y)


def _power_log(x: Any, y: Any, m: float) -> Any:
    """Return x^y (ln x)^m in a derivative graph; without a logarithm it is a power."""
    return _power(x, y) if isinstance(m, float) and m == 0 else pow_log(x, y, m)


GRAPH.strong_mul = _strong_product
GRAPH.pow = _power
GRAPH.pow_slope = _power_slope
GRAPH.pow_log = _power_log
GRAPH.detach = lambda x: x.detach() if is_node(x) else x

"""Choices: comparisons, where, max, min, clip, and the functions made of steps."""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any

from microgradlib.ops.define import define_op
from microgradlib.ops.rules import ZERO, branch

if TYPE_CHECKING:
    from collections.abc import Callable

    from microgradlib.ops.signatures import Binary


where = define_op(
    "where",
    value=lambda xp, condition, x, y: xp.where(condition, x, y),
    derivatives=[
        lambda xp, z, condition, x, y: 0.0,
        lambda xp, z, condition, x, y: xp.where(condition, 1.0, ZERO),
        lambda xp, z, condition, x, y: xp.where(condition, ZERO, 1.0),
    ],
    written=(
        None,
        lambda xp, z, condition, x, y: xp.where(condition, 1.0, 0.0),
        lambda xp, z, condition, x, y: xp.where(condition, 0.0, 1.0),
    ),
    formula="x where the condition holds, else y; derivative 1 for the chosen one",
    sample=((1.0, 1.0), (-3.0, 3.0), (-3.0, 3.0)),
    notation=lambda xp, condition, x, y: xp.where(condition, x, y),
    reference=lambda mp, condition, x, y: x if condition else y,
)


def _comparison(name: str, symbol: str, holds: Callable[[Any, Any], Any]) -> Binary:
    return define_op(
        name,
        value=lambda xp, x, y: xp.where(holds(x, y), 1.0, 0.0),
        derivatives=[lambda xp, z, x, y: 0.0, lambda xp, z, x, y: 0.0],
        formula=f"1 if x {symbol} y, else 0; derivatives 0",
        symbol=symbol,
        kink=operator.eq,
        reference=lambda mp, x, y: mp.mpf(holds(x, y)),
        kink_note="the derivatives of a comparison are 0, at the jump too",
    )


less = _comparison("less", "<", operator.lt)
less_equal = _comparison("less_equal", "<=", operator.le)
greater = _comparison("greater", ">", operator.gt)
greater_equal = _comparison("greater_equal", ">=", operator.ge)

sign = define_op(
    "sign",
    value=lambda xp, x: xp.where(x > 0, 1.0, xp.where(x < 0, -1.0, x * 0.0)),
    derivatives=[lambda xp, z, x: 0.0],
    formula="−1, 0 or 1 as x is negative, zero or positive; derivative 0",
    kink=lambda x: x == 0,
    kink_note="sign′(0) = 0",
    notation=r"\operatorname{sign}",
)

step = define_op(
    "step",
    value=lambda xp, x: xp.where(x >= 0, 1.0, xp.where(x < 0, 0.0, math.nan)),
    derivatives=[lambda xp, z, x: 0.0],
    formula="1 if x ≥ 0, else 0 (the neuron of McCulloch and Pitts); derivative 0",
    kink=lambda x: x == 0,
    kink_note="step′(0) = 0",
    reference=lambda mp, x: mp.mpf(x >= 0),
)

floor = define_op(
    "floor",
    value=lambda xp, x: xp.floor(x),
    derivatives=[lambda xp, z, x: 0.0],
    formula="the largest whole number ≤ x; derivative 0",
    kink=lambda x: x % 1 == 0,
    kink_note="floor′ is 0 at whole numbers too",
    notation=r"\left\lfloor{<0>}\right\rfloor",
)

ceil = define_op(
    "ceil",
    value=lambda xp, x: xp.ceil(x),
    derivatives=[lambda xp, z, x: 0.0],
    formula="the smallest whole number ≥ x; derivative 0",
    kink=lambda x: x % 1 == 0,
    kink_note="ceil′ is 0 at whole numbers too",
    notation=r"\left\lceil{<0>}\right\rceil",
)

abs = define_op(  # noqa: A001
    "abs",
    value=lambda xp, x: xp.abs(x),
    derivatives=[lambda xp, z, x: xp.where(xp.abs(x) >= 0, xp.sign(x), xp.undefined(x))],
    written=(lambda xp, z, x: xp.sign(x),),
    formula="|x|, derivative sign x",
    kink=lambda x: x == 0,
    kink_note="|x|′(0) = 0",
    notation=r"\left|{<0>}\right|",
    reference=lambda mp, x: mp.fabs(x),
)


def _sign_bit(xp: Any, y: Any) -> Any:
    """Return 1 or −1 as the sign of y, which a zero has too: 1/−0 is −inf."""
    return xp.where(y < 0, -1.0, xp.where(y > 0, 1.0, xp.where(1 / y < 0, -1.0, 1.0)))


copysign = define_op(
    "copysign",
    value=lambda xp, x, y: xp.abs(x) * _sign_bit(xp, y),
    derivatives=[
        lambda xp, z, x, y: xp.where(xp.abs(x) >= 0, xp.sign(x) * _sign_bit(xp, y), xp.undefined(x)),
        lambda xp, z, x, y: 0.0,
    ],
    written=(lambda xp, z, x, y: xp.sign(x) * xp.sign(y), None),
    formula="|x| with the sign of y, derivatives sign x · sign y and 0",
    kink=lambda x, y: x == 0 or y == 0,
    kink_note="copysign has derivatives 0 at x = 0",
    reference=lambda mp, x, y: mp.fabs(x) * mp.sign(y),
)


def _clip_slope(xp: Any, x: Any, low: Any, high: Any) -> Any:
    """Return the derivative of clip by x: closed below and above, and everywhere if low > high."""
    least, most = xp.minimum(low, high), xp.maximum(low, high)
    inside = branch(xp, x + low + high, x >= least, x > most, xp.where(low > high, ZERO, 1.0))
    return xp.where(x < least, ZERO, inside)


def _low_slope(xp: Any, z: Any, x: Any, low: Any) -> Any:
    """Return the derivative of clip by low: closed unless the output z is low, as x is below it."""
    at_low = branch(xp, z, z <= low, z > low, xp.where(x >= low, ZERO, 1.0))
    return xp.where(z < low, ZERO, at_low)


clip = define_op(
    "clip",
    value=lambda xp, x, low, high: xp.minimum(xp.maximum(x, low), high),
    derivatives=[
        lambda xp, z, x, low, high: _clip_slope(xp, x, low, high),
        lambda xp, z, x, low, high: _low_slope(xp, z, x, low),
        lambda xp, z, x, low, high: branch(xp, z, xp.maximum(x, low) > high, xp.maximum(x, low) <= high),
    ],
    written=(
        lambda xp, z, x, low, high: xp.where(x >= low, 1.0, 0.0) * xp.where(x <= high, 1.0, 0.0),
        lambda xp, z, x, low, high: xp.where(x < low, 1.0, 0.0),
        lambda xp, z, x, low, high: xp.where(x > high, 1.0, 0.0),
    ),
    formula="min(max(x, low), high); derivative 1 where low ≤ x ≤ high, else 0",
    setting_count=2,
    sample=((-3.0, 3.0), (-2.0, -1.0), (1.0, 2.0)),
    kink=lambda x, low, high: low <= high and x in (low, high),
    kink_note="clip′ is 1 at both edges; for low > high it is high everywhere",
    reference=lambda mp, x, low, high: min(max(x, low), high),
)

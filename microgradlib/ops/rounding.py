"""Piecewise constant functions: sgn, heaviside, trunc and round; their derivative is 0, at the jumps too."""

import math

from microgradlib.ops.define import define_op
from microgradlib.ops.rules import ZERO

sgn = define_op(
    "sgn",
    value=lambda xp, x: xp.where(x >= 0, 1.0, xp.where(x < 0, -1.0, math.nan)),
    derivatives=[lambda xp, z, x: 0.0],
    formula="1 if x ≥ 0, else −1 (the perceptron; sign 0 is 0, sgn 0 is 1); derivative 0",
    kink=lambda x: x == 0,
    kink_note="sgn′(0) = 0",
    notation=r"\operatorname{sgn}",
    reference=lambda mp, x: mp.mpf(1 if x >= 0 else -1),
)

heaviside = define_op(
    "heaviside",
    value=lambda xp, x, at_zero: xp.where(
        x > 0, 1.0, xp.where(x < 0, 0.0, xp.where(xp.abs(x) <= 0, at_zero, math.nan))
    ),
    derivatives=[
        lambda xp, z, x, at_zero: 0.0,
        lambda xp, z, x, at_zero: xp.where(xp.abs(x) <= 0, 1.0, xp.where(xp.abs(x) > 0, ZERO, math.nan)),
    ],
    written=(None, lambda xp, z, x, at_zero: xp.where(x, 0.0, 1.0)),
    formula="0, h or 1 as x is negative, zero or positive, with h = ½; derivative 0, and I(x = 0) for h",
    defaults=(0.5,),
    setting_count=1,
    sample=((-3.0, 3.0), (0.0, 1.0)),
    kink=lambda x, at_zero: x == 0,
    kink_note="the derivative of heaviside at x = 0 is 0",
    notation=r"H_{<1>}(<0>)",
    reference=lambda mp, x, at_zero: mp.mpf(1) if x > 0 else mp.mpf(0) if x < 0 else at_zero,
)

trunc = define_op(
    "trunc",
    value=lambda xp, x: xp.where(x < 0, xp.ceil(x), xp.floor(x)),
    derivatives=[lambda xp, z, x: 0.0],
    formula="x without its fraction: the nearest whole number towards 0; derivative 0",
    kink=lambda x: x != 0 and x % 1 == 0,
    kink_note="trunc′ is 0 at whole numbers too",
    reference=lambda mp, x: mp.floor(x) if x >= 0 else mp.ceil(x),
)


# round is named for Python's and NumPy's function, which round halves to the even neighbour as well.
round = define_op(  # noqa: A001
    "round",
    value=lambda xp, x: xp.where(
        x - xp.floor(x) < 0.5,
        xp.floor(x),
        xp.where(
            x - xp.floor(x) > 0.5,
            xp.ceil(x),
            xp.where(xp.abs(xp.mod(xp.floor(x), 2.0)) <= 0, xp.floor(x), xp.ceil(x)),
        ),
    ),
    derivatives=[lambda xp, z, x: 0.0],
    formula="the nearest whole number, of two equally near the even one; derivative 0",
    kink=lambda x: x % 1 == 0.5,
    kink_note="round′ is 0 halfway between whole numbers too",
    reference=lambda mp, x: mp.nint(x),
)

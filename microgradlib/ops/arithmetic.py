"""Arithmetic: the ops behind + − × ÷ ** % //, and functions made of them."""

import math
from typing import Any

from microgradlib.ops.define import define_op

add = define_op(
    "add",
    value=lambda xp, x, y: x + y,
    derivatives=[lambda xp, z, x, y: 1.0, lambda xp, z, x, y: 1.0],
    formula="x + y, derivatives 1 and 1",
    symbol="+",
    reference=lambda mp, x, y: x + y,
)

sub = define_op(
    "sub",
    value=lambda xp, x, y: x - y,
    derivatives=[lambda xp, z, x, y: 1.0, lambda xp, z, x, y: -1.0],
    formula="x − y, derivatives 1 and −1",
    symbol="-",
    reference=lambda mp, x, y: x - y,
)

neg = define_op(
    "neg",
    value=lambda xp, x: -x,
    derivatives=[lambda xp, z, x: -1.0],
    formula="−x, derivative −1",
    symbol="-",
    reference=lambda mp, x: -x,
)

mul = define_op(
    "mul",
    value=lambda xp, x, y: x * y,
    derivatives=[lambda xp, z, x, y: y, lambda xp, z, x, y: x],
    formula="x y, derivatives y and x",
    symbol="*",
    reference=lambda mp, x, y: x * y,
)

div = define_op(
    "div",
    value=lambda xp, x, y: x / y,
    derivatives=[lambda xp, z, x, y: 1 / y, lambda xp, z, x, y: -z / y],
    written=(lambda xp, z, x, y: 1 / y, lambda xp, z, x, y: -x / y**2),
    formula="x / y, derivatives 1/y and −x/y²",
    symbol="/",
    domain="all numbers; 1/0 is inf and 0/0 is nan",
    sample=((-3.0, 3.0), (0.3, 3.0)),
    reference=lambda mp, x, y: x / y,
)

# pow is named for `xp.pow`, where the exponent is any number; `x ** 2` becomes pow bound to 2.
pow = define_op(  # noqa: A001
    "pow",
    value=lambda xp, x, y: xp.pow(x, y),
    derivatives=[
        lambda xp, z, x, y: xp.pow_slope(x, y),
        lambda xp, z, x, y: xp.pow_log(x, y, 1.0),
    ],
    written=(None, lambda xp, z, x, y: z * xp.log(x)),
    formula="x^y, derivatives y x^(y−1) and x^y ln x",
    symbol="**",
    setting_count=1,
    domain="x > 0, any y; x = 0 with its limits; x < 0 with whole y (elsewhere nan)",
    sample=((0.3, 3.0), (-2.0, 3.0)),
    kink=lambda x, y: x == 0 and y == 0,
    kink_note="both derivatives of x^y are 0 at (0, 0), and x⁰ has derivative 0 everywhere",
    infinite_note="x^y has an infinite derivative at x = 0 for y < 1: write abs(x) for (x*x)**0.5, hypot(x, y) or norm "
    "for (x*x + y*y)**0.5",
    reference=lambda mp, x, y: x**y,
)

square = define_op(
    "square",
    value=lambda xp, x: x * x,
    derivatives=[lambda xp, z, x: 2 * x],
    formula="x², derivative 2x",
    notation="<0>^{2}",
    reference=lambda mp, x: x * x,
)

reciprocal = define_op(
    "reciprocal",
    value=lambda xp, x: 1 / x,
    derivatives=[lambda xp, z, x: -z * z],
    written=(lambda xp, z, x: -1 / x**2,),
    formula="1/x, derivative −1/x²",
    domain="all numbers; 1/0 is inf",
    sample=((0.3, 3.0),),
    notation=r"\frac{1}{<0>}",
    reference=lambda mp, x: 1 / x,
)


def _whole_quotient(xp: Any, z: Any, x: Any, y: Any) -> Any:
    """Return the whole number q in x = q y + z: (x − z)/y without its rounding error."""
    return xp.floor((x - z) / y + 0.5)


def _quotient_slope(xp: Any, z: Any, x: Any, y: Any) -> Any:
    return xp.where(xp.abs(z) <= math.inf, -_whole_quotient(xp, z, x, y), xp.undefined(x + y))


mod = define_op(
    "mod",
    value=lambda xp, x, y: xp.mod(x, y),
    derivatives=[
        lambda xp, z, x, y: xp.where(xp.abs(z) <= math.inf, 1.0, xp.undefined(x + y)),
        _quotient_slope,
    ],
    written=(lambda xp, z, x, y: 1.0, lambda xp, z, x, y: -xp.floor(x / y)),
    formula="x mod y = x − y⌊x/y⌋, with the sign of y, derivatives 1 and −⌊x/y⌋",
    domain="all x and y but y = 0",
    sample=((-3.0, 3.0), (0.3, 3.0)),
    kink=lambda x, y: y != 0 and x % y == 0,
    kink_note="the derivatives of x mod y where it jumps are those to the right of the jump",
    notation=r"<0> \bmod <1>",
    reference=lambda mp, x, y: x - y * mp.floor(x / y),
)

floordiv = define_op(
    "floordiv",
    value=lambda xp, x, y: xp.where(xp.abs(y) > 0, _whole_quotient(xp, xp.mod(x, y), x, y), x / y),
    derivatives=[lambda xp, z, x, y: 0.0, lambda xp, z, x, y: 0.0],
    formula="⌊x/y⌋, derivatives 0",
    domain="all numbers; 1 // 0 is inf and 0 // 0 is nan",
    sample=((-3.0, 3.0), (0.3, 3.0)),
    kink=lambda x, y: y != 0 and x % y == 0,
    kink_note="the derivatives of ⌊x/y⌋ are 0 at whole quotients too",
    notation=r"\left\lfloor{<0> / <1>}\right\rfloor",
    reference=lambda mp, x, y: mp.floor(x / y),
)


def _truncated_remainder(xp: Any, x: Any, y: Any) -> Any:
    """Return the remainder with the sign of x, which a zero has too."""
    rest = xp.mod(xp.abs(x), xp.abs(y))
    return xp.where(x > 0, rest, xp.where(x < 0, -rest, x * (1 + rest)))


fmod = define_op(
    "fmod",
    value=_truncated_remainder,
    derivatives=[
        lambda xp, z, x, y: xp.where(xp.abs(z) <= math.inf, 1.0, xp.undefined(x + y)),
        _quotient_slope,
    ],
    written=(lambda xp, z, x, y: 1.0, lambda xp, z, x, y: -xp.trunc(x / y)),
    formula="x − y trunc(x/y), with the sign of x as in C, derivatives 1 and −trunc(x/y)",
    domain="all x and y but y = 0",
    sample=((-3.0, 3.0), (0.3, 3.0)),
    kink=lambda x, y: x != 0 and y != 0 and x % y == 0,
    kink_note="the derivatives of fmod where it jumps are those beyond the jump",
    reference=lambda mp, x, y: x - y * (mp.floor(x / y) if x * y >= 0 else mp.ceil(x / y)),
)

degrees = define_op(
    "degrees",
    value=lambda xp, x: x * (180 / math.pi),
    derivatives=[lambda xp, z, x: 180 / math.pi],
    written=(lambda xp, z, x: xp.div(180.0, math.pi),),
    formula="180 x/π: radians as degrees, derivative 180/π",
    reference=lambda mp, x: mp.degrees(x),
)

radians = define_op(
    "radians",
    value=lambda xp, x: x * (math.pi / 180),
    derivatives=[lambda xp, z, x: math.pi / 180],
    written=(lambda xp, z, x: xp.div(math.pi, 180.0),),
    formula="π x/180: degrees as radians, derivative π/180",
    reference=lambda mp, x: mp.radians(x),
)

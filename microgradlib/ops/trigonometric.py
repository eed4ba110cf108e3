"""Circular and hyperbolic functions, and the two of a point in the plane."""

import math
from functools import reduce
from typing import Any

from microgradlib.ops.define import define_op

sin = define_op(
    "sin",
    value=lambda xp, x: xp.sin(x),
    derivatives=[lambda xp, z, x: xp.cos(x)],
    formula="sin x, derivative cos x",
    domain="finite numbers",
    notation=r"\sin",
)

cos = define_op(
    "cos",
    value=lambda xp, x: xp.cos(x),
    derivatives=[lambda xp, z, x: -xp.sin(x)],
    formula="cos x, derivative −sin x",
    domain="finite numbers",
    notation=r"\cos",
)

tan = define_op(
    "tan",
    value=lambda xp, x: xp.tan(x),
    derivatives=[lambda xp, z, x: 1 + z * z],
    written=(lambda xp, z, x: 1 + z**2,),
    formula="tan x, derivative 1 + tan² x",
    domain="finite numbers",
    sample=((-1.2, 1.2),),
    notation=r"\tan",
)


_SINC_SERIES = [(2 * k + 2) / math.factorial(2 * k + 3) for k in range(11)]


def _sinc_slope(xp: Any, z: Any, x: Any) -> Any:
    """Return (cos πx − sinc x)/x; near 0, where that cancels, the power series −π²x (1/3 − (πx)²/30 + …)."""
    u = (math.pi * x) ** 2
    series = reduce(lambda total, c: c - u * total, reversed(_SINC_SERIES))
    return xp.where(xp.abs(x) < 0.5, -(math.pi**2) * x * series, (xp.cospi(x) - z) / x)


sinc = define_op(
    "sinc",
    value=lambda xp, x: xp.where(xp.abs(x) <= 0, 1.0, xp.sinpi(x) / math.pi / x),
    derivatives=[_sinc_slope],
    written=(lambda xp, z, x: (xp.cospi(x) - z) / x,),
    formula="sin(πx)/(πx), 1 at 0, as in NumPy; derivative (cos πx − sinc x)/x",
    domain="finite numbers",
    sample=((0.3, 3.0),),
    reference=lambda mp, x: mp.sincpi(x),
)

asin = define_op(
    "asin",
    value=lambda xp, x: xp.asin(x),
    derivatives=[lambda xp, z, x: 1 / xp.sqrt(xp.one_minus_square(x))],
    formula="arcsin x, derivative 1/√(1 − x²)",
    domain="−1 ≤ x ≤ 1",
    sample=((-0.8, 0.8),),
    notation=r"\arcsin",
)

acos = define_op(
    "acos",
    value=lambda xp, x: xp.acos(x),
    derivatives=[lambda xp, z, x: -1 / xp.sqrt(xp.one_minus_square(x))],
    formula="arccos x, derivative −1/√(1 − x²)",
    domain="−1 ≤ x ≤ 1",
    sample=((-0.8, 0.8),),
    notation=r"\arccos",
)

atan = define_op(
    "atan",
    value=lambda xp, x: xp.atan(x),
    derivatives=[lambda xp, z, x: (1 / xp.hypot(1.0, x)) ** 2],  # 1/(1 + x²), where x² overflows too
    written=(lambda xp, z, x: 1 / (1 + x**2),),
    formula="arctan x, derivative 1/(1 + x²)",
    notation=r"\arctan",
)

atan2 = define_op(
    "atan2",
    value=lambda xp, y, x: xp.atan2(y, x),
    # Divided by r twice rather than by r², which over- or underflows long before r does.
    derivatives=[
        lambda xp, z, y, x: xp.where(xp.hypot(x, y) <= 0, 0.0, xp.unit(x, y) / xp.hypot(x, y)),
        lambda xp, z, y, x: xp.where(xp.hypot(x, y) <= 0, 0.0, -xp.unit(y, x) / xp.hypot(x, y)),
    ],
    written=(lambda xp, z, y, x: x / (x**2 + y**2), lambda xp, z, y, x: -y / (x**2 + y**2)),
    formula="the angle of the point (x, y), called atan2(y, x), derivatives x/(x² + y²) and −y/(x² + y²)",
    sample=((0.3, 3.0), (-3.0, 3.0)),
    kink=lambda y, x: x == 0 and y == 0,
    kink_note="both derivatives of atan2 are 0 at (0, 0)",
)

sinh = define_op(
    "sinh",
    value=lambda xp, x: xp.sinh(x),
    derivatives=[lambda xp, z, x: xp.cosh(x)],
    formula="sinh x, derivative cosh x",
    notation=r"\sinh",
)

cosh = define_op(
    "cosh",
    value=lambda xp, x: xp.cosh(x),
    derivatives=[lambda xp, z, x: xp.sinh(x)],
    formula="cosh x, derivative sinh x",
    notation=r"\cosh",
)

tanh = define_op(
    "tanh",
    value=lambda xp, x: xp.tanh(x),
    derivatives=[lambda xp, z, x: xp.tanh_slope(x)],
    written=(lambda xp, z, x: 1 - z**2,),
    formula="tanh x = 2σ(2x) − 1, derivative 1 − tanh² x",
    notation=r"\tanh",
)

asinh = define_op(
    "asinh",
    value=lambda xp, x: xp.asinh(x),
    derivatives=[lambda xp, z, x: 1 / xp.hypot(1.0, x)],
    written=(lambda xp, z, x: 1 / xp.sqrt(1 + x**2),),
    formula="arsinh x, derivative 1/√(1 + x²)",
    notation=r"\operatorname{arsinh}",
)

acosh = define_op(
    "acosh",
    value=lambda xp, x: xp.acosh(x),
    # Divided twice: the terms of the second derivative are −inf at 1, where those of a product are −inf and 0 · inf.
    derivatives=[lambda xp, z, x: 1 / xp.sqrt(x - 1) / xp.sqrt(x + 1)],
    written=(lambda xp, z, x: 1 / xp.sqrt(x**2 - 1),),
    formula="arcosh x, derivative 1/√(x² − 1)",
    domain="x ≥ 1",
    sample=((1.3, 4.0),),
    notation=r"\operatorname{arcosh}",
)

atanh = define_op(
    "atanh",
    value=lambda xp, x: xp.atanh(x),
    derivatives=[lambda xp, z, x: xp.where(xp.abs(x) <= 1, 1 / xp.one_minus_square(x), xp.undefined(x))],
    formula="artanh x, derivative 1/(1 − x²)",
    domain="−1 ≤ x ≤ 1",
    sample=((-0.8, 0.8),),
    notation=r"\operatorname{artanh}",
)

hypot = define_op(
    "hypot",
    value=lambda xp, x, y: xp.hypot(x, y),
    derivatives=[
        lambda xp, z, x, y: xp.unit(x, y),
        lambda xp, z, x, y: xp.unit(y, x),
    ],
    written=(lambda xp, z, x, y: x / z, lambda xp, z, x, y: y / z),
    formula="√(x² + y²), derivatives x/√(x² + y²) and y/√(x² + y²)",
    sample=((0.3, 3.0), (-3.0, 3.0)),
    kink=lambda x, y: x == 0 and y == 0,
    kink_note="both derivatives of hypot are 0 at (0, 0)",
)

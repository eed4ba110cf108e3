"""Ops that only derivatives use: slopes whose own slopes keep their digits where formulas subtract or overflow."""

from __future__ import annotations

import math

from microgradlib.ops.define import define_op

__all__ = [
    "DERIVATIVES_ONLY", "SLOPE_OF", "cospi", "one_minus_square", "one_minus_two_sigmoid", "sigmoid_slope", "sinpi",
    "tanh_slope", "unit",
]  # fmt: skip


SLOPE_OF = {"tanh_slope": "tanh", "sigmoid_slope": "sigmoid"}
"""The ops that are the derivative of one op, and of which: where a graph has z = tanh(x), the slope is 1 − z²."""

tanh_slope = define_op(
    "tanh_slope",
    value=lambda xp, x: (1 / xp.cosh(x)) ** 2,  # the same number as 1 − tanh² x, with digits left where tanh is 1
    derivatives=[lambda xp, z, x: -2 * z * xp.tanh(x)],
    formula="1 − tanh² x, the derivative of tanh, derivative −2 tanh x (1 − tanh² x)",
    symbol="tanh′",
    notation=lambda xp, x: 1 - xp.tanh(x) ** 2,
    reference=lambda mp, x: mp.sech(x) ** 2,
)

sigmoid_slope = define_op(
    "sigmoid_slope",
    value=lambda xp, x: xp.sigmoid(x) * xp.sigmoid(-x),
    derivatives=[lambda xp, z, x: z * xp.one_minus_two_sigmoid(x)],
    formula="σ(x)(1 − σ(x)), the derivative of σ, derivative σ(x)(1 − σ(x))(1 − 2σ(x))",
    symbol="sigmoid′",
    notation=lambda xp, x: xp.sigmoid(x) * (1 - xp.sigmoid(x)),
    reference=lambda mp, x: 1 / ((1 + mp.exp(x)) * (1 + mp.exp(-x))),
)

one_minus_two_sigmoid = define_op(
    "one_minus_two_sigmoid",
    value=lambda xp, x: -xp.tanh(0.5 * x),  # the same number as 1 − 2σ(x), with digits left near 0
    derivatives=[lambda xp, z, x: -2 * xp.sigmoid_slope(x)],
    formula="1 − 2σ(x), derivative −2σ(x)(1 − σ(x))",
    notation=lambda xp, x: 1 - 2 * xp.sigmoid(x),
    reference=lambda mp, x: -mp.tanh(0.5 * x),
)

one_minus_square = define_op(
    "one_minus_square",
    value=lambda xp, x: (1 - x) * (1 + x),
    derivatives=[lambda xp, z, x: -2 * x],  # by the product rule it would be a difference of two numbers near 1
    formula="(1 − x)(1 + x), derivative −2x",
    notation=lambda xp, x: 1 - xp.pow(x, 2),
    reference=lambda mp, x: (1 - x) * (1 + x),
)

unit = define_op(
    "unit",
    value=lambda xp, x, y: xp.where(xp.hypot(x, y) <= 0, 0.0, x / xp.hypot(x, y)),
    derivatives=[
        lambda xp, z, x, y: xp.where(xp.hypot(x, y) <= 0, 0.0, xp.unit(y, x) / xp.hypot(x, y) * xp.unit(y, x)),
        lambda xp, z, x, y: xp.where(xp.hypot(x, y) <= 0, 0.0, -z * xp.unit(y, x) / xp.hypot(x, y)),
    ],
    written=(lambda xp, z, x, y: y**2 / xp.hypot(x, y) ** 3, lambda xp, z, x, y: -x * y / xp.hypot(x, y) ** 3),
    formula="x/√(x² + y²), derivatives y²/√(x² + y²)³ and −x y/√(x² + y²)³",
    sample=((0.3, 3.0), (-3.0, 3.0)),
    kink=lambda x, y: x == 0 and y == 0,
    kink_note="unit and both its derivatives are 0 at (0, 0)",
    notation=lambda xp, x, y: x / xp.hypot(x, y),
    reference=lambda mp, x, y: x / mp.hypot(x, y),
)

sinpi = define_op(
    "sinpi",
    value=lambda xp, x: xp.sin(math.pi * xp.fmod(x, 2.0)),
    derivatives=[lambda xp, z, x: math.pi * xp.cospi(x)],
    formula="sin πx, derivative π cos πx; without overflow of πx",
    domain="finite numbers",
    notation=lambda xp, x: xp.sin(math.pi * x),
)

cospi = define_op(
    "cospi",
    value=lambda xp, x: xp.cos(math.pi * xp.fmod(x, 2.0)),
    derivatives=[lambda xp, z, x: -math.pi * xp.sinpi(x)],
    formula="cos πx, derivative −π sin πx; without overflow of πx",
    domain="finite numbers",
    notation=lambda xp, x: xp.cos(math.pi * x),
)

DERIVATIVES_ONLY = frozenset(
    [op.name for op in (tanh_slope, sigmoid_slope, one_minus_two_sigmoid, one_minus_square, unit, sinpi, cospi)]
)
"""The names of all of them: nobody knows them, so drawings and formulas write out what they compute."""

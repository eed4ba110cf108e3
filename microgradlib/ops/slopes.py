"""Ops that only derivatives use: slopes whose own slopes keep their digits where formulas subtract or overflow."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from microgradlib.ops.define import define_op
from microgradlib.ops.formula import write_op
from microgradlib.ops.record import TABLE

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["cospi", "one_minus_square", "sech", "sigmoid_slope", "sinpi", "unit"]


def _called(name: str) -> Callable[[Any, Any], Any]:
    """Return the function that writes op(x) in the dialect of a formula."""
    return lambda dialect, x: write_op(dialect, TABLE[name], [dialect.convert(x)])


_cosh, _sigmoid = _called("cosh"), _called("sigmoid")

sech = define_op(
    "sech",
    value=lambda xp, x: 1 / xp.cosh(x),
    derivatives=[lambda xp, z, x: -z * xp.tanh(x)],  # no factor over- or underflows before their product does
    formula="1/cosh x, derivative −tanh x/cosh x",
    notation=lambda xp, x: 1 / _cosh(xp, x),
)

sigmoid_slope = define_op(
    "sigmoid_slope",
    value=lambda xp, x: xp.sigmoid(x) * xp.sigmoid(-x),
    derivatives=[lambda xp, z, x: -z * xp.tanh(0.5 * x)],  # σ(−x) − σ(x) = −tanh(x/2), with digits left near 0
    formula="σ(x) σ(−x), the derivative of σ, derivative −σ(x) σ(−x) tanh(x/2)",
    notation=lambda xp, x: _sigmoid(xp, x) * _sigmoid(xp, -x),
    reference=lambda mp, x: 1 / ((1 + mp.exp(x)) * (1 + mp.exp(-x))),
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
    formula="x/√(x² + y²), derivatives y²/√(x² + y²)³ and −x y/√(x² + y²)³",
    sample=((0.3, 3.0), (-3.0, 3.0)),
    kink=lambda x, y: x == 0 and y == 0,
    kink_note="unit and both its derivatives are 0 at (0, 0)",
    notation=lambda xp, x, y: x / write_op(xp, TABLE["hypot"], [x, y]),
    reference=lambda mp, x, y: x / mp.hypot(x, y),
)

sinpi = define_op(
    "sinpi",
    value=lambda xp, x: xp.sin(math.pi * xp.fmod(x, 2.0)),
    derivatives=[lambda xp, z, x: math.pi * xp.cospi(x)],
    formula="sin πx, derivative π cos πx; without overflow of πx",
    domain="finite numbers",
    notation=lambda xp, x: _called("sin")(xp, math.pi * x),
)

cospi = define_op(
    "cospi",
    value=lambda xp, x: xp.cos(math.pi * xp.fmod(x, 2.0)),
    derivatives=[lambda xp, z, x: -math.pi * xp.sinpi(x)],
    formula="cos πx, derivative −π sin πx; without overflow of πx",
    domain="finite numbers",
    notation=lambda xp, x: _called("cos")(xp, math.pi * x),
)

"""Functions for logarithms of probabilities, and digamma: logaddexp, xlog1py, digamma."""

import math
from typing import Any

from microgradlib.ops.define import define_op


def _slope_of_larger(xp: Any, z: Any, x: Any, y: Any) -> Any:
    """Return σ(x − y); where x − y is infinite or inf − inf, its limit, and for equal infinities ½ or 0."""
    of_equals = xp.where(z >= math.inf, 0.5, xp.where(z <= -math.inf, 0.0, xp.undefined(x + y)))
    limit = xp.where(x > y, 1.0, xp.where(x < y, 0.0, of_equals))
    return xp.where(xp.abs(x - y) < math.inf, xp.sigmoid(x - y), limit)


logaddexp = define_op(
    "logaddexp",
    value=lambda xp, x, y: xp.maximum(x, y) + xp.where(xp.abs(x - y) < math.inf, xp.log1p(xp.exp(-xp.abs(x - y))), 0.0),
    derivatives=[
        _slope_of_larger,
        lambda xp, z, x, y: _slope_of_larger(xp, z, y, x),
    ],
    written=(lambda xp, z, x, y: xp.exp(x - z), lambda xp, z, x, y: xp.exp(y - z)),
    formula="ln(eˣ + eʸ) without overflow, derivatives σ(x − y) and σ(y − x)",
    kink=lambda x, y: x == y == -math.inf,
    kink_note="the derivatives of logaddexp are 0 where both inputs are −inf",
    notation=r"\ln(e^{<0>} + e^{<1>})",
    reference=lambda mp, x, y: mp.log(mp.exp(x) + mp.exp(y)),
)

xlog1py = define_op(
    "xlog1py",
    value=lambda xp, x, y: xp.where(xp.abs(x) <= 0, xp.where(xp.abs(y) >= 0, 0.0, math.nan), x * xp.log1p(y)),
    derivatives=[
        lambda xp, z, x, y: xp.log1p(y),
        lambda xp, z, x, y: xp.where(y >= -1, xp.strong_mul(x, 1 / (1 + y)), xp.undefined(x + y)),
    ],
    written=(None, lambda xp, z, x, y: x / (1 + y)),
    formula="x ln(1 + y) with 0 ln 0 = 0, derivatives ln(1 + y) and x/(1 + y)",
    domain="y ≥ −1",
    sample=((-3.0, 3.0), (-0.7, 3.0)),
    notation=r"<0> \ln(1 + <1>)",
    reference=lambda mp, x, y: x * mp.log1p(y),
)

digamma = define_op(
    "digamma",
    value=lambda xp, x: xp.polygamma(x, 0.0),
    derivatives=[lambda xp, z, x: xp.polygamma(x, 1.0)],
    formula="ψ(x) = Γ′(x)/Γ(x), derivative ψ⁽¹⁾(x)",
    domain="all numbers but 0, −1, −2, …",
    sample=((0.5, 3.0),),
    notation=r"\psi",
)

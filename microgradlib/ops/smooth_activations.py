"""Activation functions of later networks: log-sigmoid, softsign, SELU, and x times a gate: SiLU, GELU, Mish."""

import math
from typing import Any

from microgradlib.ops.activations import hard_sigmoid, sigmoid
from microgradlib.ops.define import define_op

logistic, hard_logistic = sigmoid, hard_sigmoid  # further names, those of the texts on the logistic function

FLAT = 40.0
"""From |x| = 40 on, exp(−x²/2) is below the smallest float: Gaussian gates are 0 or 1, with slope 0."""

log_sigmoid = define_op(
    "log_sigmoid",
    value=lambda xp, x: xp.minimum(x, 0.0) - xp.log1p(xp.exp(-xp.abs(x))),
    derivatives=[lambda xp, z, x: xp.sigmoid(-x)],
    written=(lambda xp, z, x: 1 - xp.sigmoid(x),),
    formula="ln σ(x) = −ζ(−x) without under- or overflow, derivative σ(−x)",
    notation=r"\ln \sigma(<0>)",
    reference=lambda mp, x: -mp.log1p(mp.exp(-x)),
)

softsign = define_op(
    "softsign",
    value=lambda xp, x: xp.where(xp.abs(x) < math.inf, x / (1 + xp.abs(x)), xp.sign(x)),
    derivatives=[lambda xp, z, x: (1 / (1 + xp.abs(x))) ** 2],
    written=(lambda xp, z, x: 1 / (1 + xp.abs(x)) ** 2,),
    formula="x/(1 + |x|), derivative 1/(1 + |x|)²",
    sample=((0.3, 3.0),),  # the second derivative jumps at 0, from 2 to −2
    reference=lambda mp, x: x / (1 + mp.fabs(x)),
)

SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772
"""λ and α, for which mean 0 and variance 1 of the inputs are a fixed point (Klambauer et al., 2017)."""

selu = define_op(
    "selu",
    value=lambda xp, x: SELU_SCALE * xp.where(x > 0, x, SELU_ALPHA * xp.expm1(xp.where(x > 0, 0.0, x))),
    derivatives=[
        lambda xp, z, x: xp.where(x > 0, SELU_SCALE, SELU_SCALE * SELU_ALPHA * xp.exp(xp.where(x > 0, 0.0, x))),
    ],
    written=(lambda xp, z, x: xp.where(x > 0, SELU_SCALE, SELU_SCALE * SELU_ALPHA * xp.exp(x)),),
    formula="λ (max(0, x) + α min(0, eˣ − 1)), λ = 1.0507…, α = 1.6732…; derivative λ or λ α eˣ",
    kink=lambda x: x == 0,
    kink_note="selu′(0) = λ α",
    reference=lambda mp, x: mp.mpf(SELU_SCALE) * (x if x > 0 else mp.mpf(SELU_ALPHA) * mp.expm1(x)),
)


def _gated(xp: Any, x: Any, v: Any, gated: Any) -> Any:
    """Return `gated`, x times a gate that approaches eᵛ for v → −∞: there x eᵛ, with digits where eᵛ is subnormal."""
    half = xp.exp(xp.minimum(v, 0.0) / 2)
    return xp.where(v < -800, 0.0, xp.where(v < -700, x * half * half, gated))


silu = define_op(
    "silu",
    value=lambda xp, x: _gated(xp, x, x, x / (1 + xp.exp(-x))),
    # The two sides are equal; each is without inf · 0 at its end.
    derivatives=[
        lambda xp, z, x: xp.where(x > 0, xp.sigmoid(x) * (1 - xp.silu(-x)), xp.sigmoid(x) + z * xp.sigmoid(-x))
    ],
    written=(lambda xp, z, x: z + xp.sigmoid(x) * (1 - z),),
    formula="x σ(x), derivative σ(x) + x σ(x) σ(−x)",
    reference=lambda mp, x: x / (1 + mp.exp(-x)),
)


def _mish_slope(xp: Any, x: Any) -> Any:
    """Return x σ(x)/cosh² ζ(x), with 1/cosh² ζ as 4q/(1 + q)², q = e^(−2ζ); below the smallest float for x > 400."""
    q = xp.exp(-2 * xp.softplus(x))
    return xp.where(x > 400, 0.0, xp.silu(x) * (4 * q / (1 + q) ** 2))


mish = define_op(
    "mish",
    value=lambda xp, x: _gated(xp, x, x, x * xp.tanh(xp.softplus(x))),
    derivatives=[lambda xp, z, x: xp.tanh(xp.softplus(x)) + _mish_slope(xp, x)],
    written=(lambda xp, z, x: xp.tanh(xp.softplus(x)) + x * xp.sigmoid(x) * (1 - xp.tanh(xp.softplus(x)) ** 2),),
    formula="x tanh ζ(x), derivative tanh ζ(x) + x σ(x)/cosh² ζ(x)",
    reference=lambda mp, x: x * mp.tanh(mp.log1p(mp.exp(x))),
)


def gaussian_density(xp: Any, x: Any) -> Any:
    """Return φ(x) = exp(−x²/2)/√(2π), the density of the standard normal distribution; 0 for |x| ≥ FLAT."""
    return xp.where(xp.abs(x) >= FLAT, 0.0, xp.exp(-0.5 * x * x) / math.sqrt(2 * math.pi))


ndtr = define_op(
    "ndtr",
    value=lambda xp, x: 0.5 * xp.erfc(-math.sqrt(0.5) * x),
    derivatives=[lambda xp, z, x: gaussian_density(xp, x)],
    written=(lambda xp, z, x: xp.exp(-(x**2) / 2) / xp.sqrt(xp.mul(2.0, math.pi)),),
    formula="Φ(x) = ½ erfc(−x/√2), the normal distribution function, derivative φ(x) = e^(−x²/2)/√(2π)",
    notation=r"\Phi",
    reference=lambda mp, x: mp.erfc(-x / mp.sqrt(2)) / 2,
)

gelu = define_op(
    "gelu",
    value=lambda xp, x: xp.where(x <= -FLAT, 0.0, x * xp.ndtr(x)),
    derivatives=[
        lambda xp, z, x: xp.ndtr(x) + xp.where(xp.abs(x) >= FLAT, 0.0, x * gaussian_density(xp, x)),
    ],
    written=(lambda xp, z, x: xp.ndtr(x) + x * xp.exp(-(x**2) / 2) / xp.sqrt(xp.mul(2.0, math.pi)),),
    formula="x Φ(x) with the normal distribution function Φ, derivative Φ(x) + x φ(x)",
    reference=lambda mp, x: x * mp.erfc(-x / mp.sqrt(2)) / 2,
)

GELU_LINEAR, GELU_CUBIC = 2 * math.sqrt(2 / math.pi), 2 * math.sqrt(2 / math.pi) * 0.044715
"""The constants of Hendrycks and Gimpel (2016); ½(1 + tanh u) is σ(2u), which keeps its digits on the left."""


def _twice_u(x: Any) -> Any:
    return x * (GELU_LINEAR + GELU_CUBIC * x * x)


def _gelu_tanh_slope(xp: Any, z: Any, x: Any) -> Any:
    """Return σ(v)(1 + x v′ σ(−v)), v = 2u; on the left, where it is z (1/x + v′), by z: σ(v) may be subnormal."""
    v, slope = _twice_u(x), GELU_LINEAR + 3 * GELU_CUBIC * x * x
    middle = xp.sigmoid(v) * (1 + x * slope * xp.sigmoid(-v))
    return xp.where(x >= FLAT, 1.0, xp.where(x <= -FLAT, 0.0, xp.where(x < -10, z * (1 / x + slope), middle)))


gelu_tanh = define_op(
    "gelu_tanh",
    value=lambda xp, x: _gated(xp, x, _twice_u(x), x / (1 + xp.exp(-_twice_u(x)))),
    derivatives=[_gelu_tanh_slope],
    written=(
        lambda xp, z, x: (
            xp.sigmoid(_twice_u(x)) + z * (1 - xp.sigmoid(_twice_u(x))) * (GELU_LINEAR + 3 * GELU_CUBIC * x**2)
        ),
    ),
    formula="½ x (1 + tanh u), u = √(2/π)(x + 0.044715 x³): gelu without erf; derivative σ(2u)(1 + 2 x u′ σ(−2u))",
    reference=lambda mp, x: x / (1 + mp.exp(-2 * mp.sqrt(2 / mp.pi) * (x + mp.mpf("0.044715") * x**3))),
)

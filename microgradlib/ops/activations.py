"""Activation functions: what neurons do with their net input."""

from typing import Any

from microgradlib.ops.define import define_op
from microgradlib.ops.rules import branch

sigmoid = define_op(
    "sigmoid",
    # 1/(1 + e⁻ˣ) for x ≥ 0 and the equal eˣ/(1 + eˣ) for x < 0, so that no exponential overflows.
    value=lambda xp, x: xp.exp(xp.minimum(x, 0.0)) / (1 + xp.exp(-xp.abs(x))),
    derivatives=[lambda xp, z, x: xp.sigmoid_slope(x)],
    written=(lambda xp, z, x: z * (1 - z),),
    formula="σ(x) = 1/(1 + e⁻ˣ), derivative σ(x)(1 − σ(x))",
    notation=r"\sigma",
    reference=lambda mp, x: 1 / (1 + mp.exp(-x)),
)

logit = define_op(
    "logit",
    value=lambda xp, x: xp.log(x) - xp.log1p(-x),
    derivatives=[
        lambda xp, z, x: xp.where(x >= 0, xp.where(x <= 1, 1 / x + 1 / (1 - x), xp.undefined(x)), xp.undefined(x))
    ],
    written=(lambda xp, z, x: 1 / (x * (1 - x)),),
    formula="ln(x/(1 − x)), the inverse of σ, derivative 1/(x(1 − x))",
    domain="0 ≤ x ≤ 1",
    sample=((0.1, 0.9),),
    reference=lambda mp, x: mp.log(x / (1 - x)),
)

relu = define_op(
    "relu",
    value=lambda xp, x: xp.maximum(x, 0.0),
    derivatives=[lambda xp, z, x: branch(xp, x, x > 0, x <= 0)],
    written=(lambda xp, z, x: xp.where(x > 0, 1.0, 0.0),),
    formula="max(0, x), derivative I(x > 0)",
    kink=lambda x: x == 0,
    kink_note="relu′(0) = 0",
    reference=lambda mp, x: x if x > 0 else 0 * x,
)


def _below_zero(xp: Any, x: Any) -> Any:
    """Return min(x, 0) with the derivative from the left at 0, so that mixed second derivatives agree there."""
    return xp.where(x > 0, 0.0, x)


leaky_relu = define_op(
    "leaky_relu",
    value=lambda xp, x, slope: xp.where(x > 0, x, slope * x),  # −0 stays −0; max and min of 0 and −0 may give either
    derivatives=[
        lambda xp, z, x, slope: xp.where(x > 0, 1.0, xp.where(x <= 0, slope, xp.undefined(x + slope))),
        lambda xp, z, x, slope: xp.where(x > 0, 0.0, xp.where(x <= 0, x, xp.undefined(x + slope))),
    ],
    written=(lambda xp, z, x, slope: xp.where(x > 0, 1.0, slope), lambda xp, z, x, slope: xp.minimum(x, 0.0)),
    formula="max(0, x) + γ min(0, x), derivative 1 or γ, and min(0, x) for γ",
    defaults=(0.01,),
    setting_count=1,
    sample=((-3.0, 3.0), (0.01, 0.5)),
    kink=lambda x, slope: x == 0 and slope != 1,
    kink_note="leaky_relu′(0) = γ",
    notation=r"\operatorname{leaky\_relu}_{<1>}(<0>)",
    reference=lambda mp, x, slope: x if x > 0 else slope * x,
)

elu = define_op(
    "elu",
    value=lambda xp, x, scale: xp.where(x > 0, x, scale * xp.expm1(_below_zero(xp, x))),
    derivatives=[
        lambda xp, z, x, scale: xp.where(x > 0, 1.0, scale * xp.exp(_below_zero(xp, x))),
        lambda xp, z, x, scale: xp.expm1(_below_zero(xp, x)),
    ],
    written=(
        lambda xp, z, x, scale: xp.where(x > 0, 1.0, xp.exp(x) if str(scale) == "1" else scale * xp.exp(x)),
        lambda xp, z, x, scale: xp.where(x > 0, 0.0, xp.expm1(x)),
    ),
    formula="max(0, x) + min(0, γ(eˣ − 1)), derivative I(x > 0) + I(x ≤ 0) γeˣ",
    defaults=(1.0,),
    setting_count=1,
    sample=((-3.0, 3.0), (0.5, 2.0)),
    kink=lambda x, scale: x == 0 and scale != 1,
    kink_note="elu′(0) = γ and elu″(0) = γ, the derivatives from the left",
    notation=r"\operatorname{elu}_{<1>}(<0>)",
    reference=lambda mp, x, scale: x if x > 0 else scale * (mp.exp(x) - 1),
)

softplus = define_op(
    "softplus",
    value=lambda xp, x: xp.maximum(x, 0.0) + xp.log1p(xp.exp(-xp.abs(x))),
    derivatives=[lambda xp, z, x: xp.sigmoid(x)],
    formula="ζ(x) = ln(1 + eˣ), derivative σ(x)",
    reference=lambda mp, x: mp.log(1 + mp.exp(x)),
)

hard_sigmoid = define_op(
    "hard_sigmoid",
    value=lambda xp, x: xp.maximum(xp.minimum(0.25 * x + 0.5, 1.0), 0.0),
    derivatives=[lambda xp, z, x: branch(xp, x, xp.abs(x) < 2, xp.abs(x) >= 2, 0.25)],
    written=(lambda xp, z, x: 0.25 * xp.where(xp.abs(x) < 2, 1.0, 0.0),),
    formula="max(min(x/4 + ½, 1), 0), derivative ¼ for |x| < 2, else 0",
    kink=lambda x: abs(x) == 2,
    kink_note="hard_sigmoid′(±2) = 0",
    reference=lambda mp, x: min(max(x / 4 + 0.5, 0), 1),
)

hard_tanh = define_op(
    "hard_tanh",
    value=lambda xp, x: xp.maximum(xp.minimum(x, 1.0), -1.0),
    derivatives=[lambda xp, z, x: branch(xp, x, xp.abs(x) < 1, xp.abs(x) >= 1)],
    written=(lambda xp, z, x: xp.where(xp.abs(x) < 1, 1.0, 0.0),),
    formula="max(min(x, 1), −1), derivative 1 for |x| < 1, else 0",
    kink=lambda x: abs(x) == 1,
    kink_note="hard_tanh′(±1) = 0",
    reference=lambda mp, x: min(max(x, -1), 1),
)

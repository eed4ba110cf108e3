"""Exponentials, logarithms, roots, and the special functions that come from them."""

import math
from typing import Any

from microgradlib.ops.define import define_op

exp = define_op(
    "exp",
    value=lambda xp, x: xp.exp(x),
    derivatives=[lambda xp, z, x: z],
    formula="eˣ, derivative eˣ",
    notation=r"e^{<0>}",
)

exp2 = define_op(
    "exp2",
    value=lambda xp, x: xp.pow(2.0, x),
    derivatives=[lambda xp, z, x: xp.exp2(x - 1) * math.log(4)],  # finite at 1024, where 2ˣ overflows
    written=(lambda xp, z, x: z * xp.log(2.0),),
    formula="2ˣ, derivative 2ˣ ln 2",
    notation="2^{<0>}",
    reference=lambda mp, x: mp.mpf(2) ** x,
)

expm1 = define_op(
    "expm1",
    value=lambda xp, x: xp.expm1(x),
    derivatives=[lambda xp, z, x: xp.exp(x)],
    formula="eˣ − 1 without cancellation near 0, derivative eˣ",
    notation=r"e^{<0>} - 1",
    reference=lambda mp, x: mp.exp(x) - 1,
)

log = define_op(
    "log",
    value=lambda xp, x: xp.log(x),
    derivatives=[lambda xp, z, x: xp.where(x >= 0, 1 / x, xp.undefined(x))],
    formula="ln x, derivative 1/x",
    domain="x ≥ 0, with ln 0 = −inf",
    infinite_note="ln x has an infinite derivative at 0: write xlogy(x, y) for x*log(y)",
    sample=((0.3, 3.0),),
    notation=r"\ln",
)

log1p = define_op(
    "log1p",
    value=lambda xp, x: xp.log1p(x),
    derivatives=[lambda xp, z, x: xp.where(x >= -1, 1 / (1 + x), xp.undefined(x))],
    formula="ln(1 + x) without cancellation near 0, derivative 1/(1 + x)",
    domain="x ≥ −1",
    sample=((-0.7, 3.0),),
    notation=r"\ln(1 + <0>)",
    reference=lambda mp, x: mp.log(1 + x),
)

log2 = define_op(
    "log2",
    value=lambda xp, x: xp.log2(x),
    derivatives=[lambda xp, z, x: xp.where(x >= 0, (1 / math.log(2)) / x, xp.undefined(x))],
    written=(lambda xp, z, x: 1 / (x * xp.log(2.0)),),
    formula="log₂ x, derivative 1/(x ln 2)",
    domain="x ≥ 0",
    sample=((0.3, 3.0),),
    notation=r"\log_{2}",
    reference=lambda mp, x: mp.log(x, 2),
)

log10 = define_op(
    "log10",
    value=lambda xp, x: xp.log10(x),
    derivatives=[lambda xp, z, x: xp.where(x >= 0, (1 / math.log(10)) / x, xp.undefined(x))],
    written=(lambda xp, z, x: 1 / (x * xp.log(10.0)),),
    formula="log₁₀ x, derivative 1/(x ln 10)",
    domain="x ≥ 0",
    sample=((0.3, 3.0),),
    notation=r"\log_{10}",
)

sqrt = define_op(
    "sqrt",
    value=lambda xp, x: xp.sqrt(x),
    derivatives=[lambda xp, z, x: 0.5 / z],
    written=(lambda xp, z, x: 1 / (2 * z),),
    formula="√x, derivative 1/(2√x)",
    domain="x ≥ 0",
    infinite_note="√x has an infinite derivative at 0: write abs(x) for sqrt(x*x), "
    "hypot(x, y) or norm for sqrt(x*x + y*y)",
    sample=((0.3, 3.0),),
    notation=r"\sqrt{<0>}",
)

cbrt = define_op(
    "cbrt",
    value=lambda xp, x: xp.cbrt(x),
    derivatives=[lambda xp, z, x: 1 / (3 * z * z)],
    written=(lambda xp, z, x: 1 / (3 * z**2),),
    formula="∛x, derivative 1/(3 ∛x²)",
    sample=((0.3, 3.0),),
    notation=r"\sqrt[3]{<0>}",
)

xlogy = define_op(
    "xlogy",
    value=lambda xp, x, y: xp.where(xp.abs(y) >= 0, xp.strong_mul(x, xp.log(y)), y),  # nan for a y that is nan
    derivatives=[
        lambda xp, z, x, y: xp.log(y),
        lambda xp, z, x, y: xp.where(y > 0, x / y, xp.where(y >= 0, xp.strong_mul(x, 1 / y), xp.undefined(x + y))),
    ],
    written=(None, lambda xp, z, x, y: x / y),
    formula="x ln y with 0 ln 0 = 0, derivatives ln y and x/y",
    domain="y ≥ 0",
    sample=((-3.0, 3.0), (0.3, 3.0)),
    notation=r"<0> \ln(<1>)",
    reference=lambda mp, x, y: x * mp.log(y),
)


def _bell(xp: Any, x: Any, factor: float) -> Any:
    """Return factor · e^(−x²), whose derivatives are 0 too where x² overflows, not 0 · inf."""
    return xp.where(xp.abs(x) >= 30, 0.0, factor * xp.exp(-x * x))  # e⁻⁹⁰⁰ is below the smallest float


erf = define_op(
    "erf",
    value=lambda xp, x: xp.erf(x),
    derivatives=[lambda xp, z, x: _bell(xp, x, 2 / math.sqrt(math.pi))],
    written=(lambda xp, z, x: 2 / xp.sqrt(math.pi) * xp.exp(-(x**2)),),
    formula="erf x, derivative 2/√π e^(−x²)",
    sample=((-2.0, 2.0),),
)

erfc = define_op(
    "erfc",
    value=lambda xp, x: xp.erfc(x),
    derivatives=[lambda xp, z, x: _bell(xp, x, -2 / math.sqrt(math.pi))],
    written=(lambda xp, z, x: -2 / xp.sqrt(math.pi) * xp.exp(-(x**2)),),
    formula="1 − erf x without cancellation, derivative −2/√π e^(−x²)",
    sample=((-2.0, 2.0),),
)

gamma = define_op(
    "gamma",
    value=lambda xp, x: xp.gamma(x),
    derivatives=[lambda xp, z, x: z * xp.polygamma(x, 0.0)],
    written=(lambda xp, z, x: z * xp.digamma(x),),
    formula="Γ(x), derivative Γ(x) ψ(x)",
    domain="all numbers but −1, −2, …",
    sample=((0.5, 3.0),),
    notation=r"\Gamma",
)

lgamma = define_op(
    "lgamma",
    value=lambda xp, x: xp.lgamma(x),
    derivatives=[lambda xp, z, x: xp.polygamma(x, 0.0)],
    written=(lambda xp, z, x: xp.digamma(x),),
    formula="ln |Γ(x)|, derivative ψ(x)",
    domain="all numbers but 0, −1, −2, …",
    sample=((0.5, 3.0),),
    notation=r"\ln\left|\Gamma(<0>)\right|",
    reference=lambda mp, x: mp.loggamma(x),
)

polygamma = define_op(
    "polygamma",
    value=lambda xp, x, order: xp.polygamma(x, order),
    derivatives=[
        lambda xp, z, x, order: xp.where(order >= 0, xp.polygamma(x, order + 1), xp.undefined(x + order)),
        lambda xp, z, x, order: xp.undefined(x + order),  # defined for whole orders only
    ],
    formula="ψ⁽ⁿ⁾(x), the (n+1)-th derivative of ln Γ, derivative ψ⁽ⁿ⁺¹⁾(x)",
    symbol="polygamma",
    setting_count=1,
    domain="all numbers but 0, −1, −2, …; whole orders n ≥ 0",
    sample=((0.5, 3.0), (0.0, 0.0)),
    notation=r"\psi^{(<1>)}(<0>)",
    reference=lambda mp, x, order: mp.psi(order, x),
)

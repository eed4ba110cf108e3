"""Exponentials and logarithms in native code, within 1.6 units in the last place of the exact result.

eˣ = 2ⁿ eʳ, where n is x/ln 2 rounded to a whole number, and eʳ is a polynomial; ln x = n ln 2 + ln m, where m is near 1
and ln m a series in s = (m − 1)/(m + 1), as in Sun's fdlibm. exp, exp2, log, log2 and log10 are within 1 unit; sigmoid
is within 2.2, and the slopes, squares of quotients, within 6. Cases are told apart by selections, not by branches.
"""

from __future__ import annotations

import math

from microgradlib.compiler.engines.native.ir import Mask, Number
from microgradlib.compiler.engines.native.polynomials import Bits, bits, multiply_add, polynomial, precision

__all__ = [
    "cosh", "exp", "exp2", "expm1", "log", "log1p", "log2", "log10", "sigmoid", "sigmoid_slope", "sinh", "tanh",
    "tanh_slope",
]  # fmt: skip


def _where(condition: Mask, x: Number, y: Number | float) -> Number:
    return x.select(condition, x.function.number(y, x.real))


def absolute(x: Number) -> Number:
    """Return |x|."""
    return x.function.intrinsic("fabs", x)


def with_sign(x: Number, y: Number) -> Number:
    """Return |x| with the sign of y."""
    return x.function.intrinsic("copysign", x, y)


def _at_least(x: Number, least: float) -> Number:
    """Return x, or `least` where it is smaller; nan stays."""
    return x.function.number(least, x.real).select(x < least, x)


def _at_most(x: Number, most: float) -> Number:
    """Return x, or `most` where it is larger; nan stays."""
    return x.function.number(most, x.real).select(x > most, x)


def _reduced(x: Number) -> tuple[Bits, Number]:
    """Return n, whose multiples of ln 2 are taken from x, in the place of exponents, and what is left of x."""
    p = precision(x)
    shifted = multiply_add(x, p.log2_e[0], p.shift)
    n = shifted - p.shift
    r = multiply_add(n, -p.ln_2[0], x)
    return bits(shifted) << p.mantissa, multiply_add(n, -p.ln_2[1], r)


def _exp_near_0(r: Number) -> Number:
    return multiply_add(multiply_add(polynomial("exp", r), r, 1.0), r, 1.0)


def _exp_without_limits(x: Number) -> Number:
    """Return eˣ where it is neither infinite nor subnormal; nan stays."""
    n, r = _reduced(x)
    return _exp_near_0(r) * (n + precision(x).one).number()


LIFT = 64
"""Where a result may be subnormal, it is computed times 2 to this power, so that it is rounded once."""


def _scaled(mantissa: Number, n: Bits, is_small: Mask) -> Number:
    """Return mantissa · 2ⁿ, for a mantissa near 1; n stands in the place of exponents."""
    p = precision(mantissa)
    lift = n.constant(LIFT << p.mantissa).select(is_small, 0)
    result = (bits(mantissa) + (n + lift)).number()
    return _where(is_small, result * 2.0**-LIFT, result)


def _limited(x: Number, least: float) -> Number:
    """Return x, or `least` where it is smaller or nan."""
    return _where(x > least, x, least)


def exp(x: Number) -> Number:
    """Return eˣ."""
    p = precision(x)
    y = _limited(x, p.no_exp)
    n, r = _reduced(y)
    return _where(x <= p.most_exp, _scaled(_exp_near_0(r), n, y < p.small_exp), x + math.inf)


def exp2(x: Number) -> Number:
    """Return 2ˣ."""
    p = precision(x)
    small, least = p.small_exp2
    y = _limited(x, least)
    shifted = y + p.shift
    r = y - (shifted - p.shift)
    power = multiply_add(polynomial("exp2", r), r, 1.0)
    return _where(x < p.bias + 1, _scaled(power, bits(shifted) << p.mantissa, y < small), x + math.inf)


def _exp_of_negative(x: Number) -> Number:
    """Return eˣ for x ≤ 0; nan stays."""
    p = precision(x)
    y = _at_least(x, p.no_exp)
    is_small = y < p.small_exp
    n, r = _reduced(y)
    scale = n + n.constant(p.one + (LIFT << p.mantissa)).select(is_small, p.one)
    result = _exp_near_0(r) * scale.number()
    return _where(is_small, result * 2.0**-LIFT, result)


def sigmoid(x: Number) -> Number:
    """Return 1/(1 + e⁻ˣ), for negative x as eˣ/(1 + eˣ)."""
    e = _exp_of_negative(-absolute(x))
    return _where(x < 0, e, 1.0) / (1 + e)


def _half_sech(x: Number, limit: float) -> Number:
    """Return 1/(2 cosh x) for x ≤ 0, as eˣ/(1 + e²ˣ). Below the limit its square is 0."""
    e = _exp_without_limits(_at_least(x, limit))
    return e / multiply_add(e, e, 1.0)


def sigmoid_slope(x: Number) -> Number:
    """Return the derivative of the sigmoid, 1/(2 cosh(x/2))²."""
    half = _half_sech(absolute(x) * -0.5, precision(x).no_exp / 1.9)
    return half * half


def tanh_slope(x: Number) -> Number:
    """Return the derivative of tanh, 1/cosh² x."""
    half = _half_sech(-absolute(x), precision(x).no_exp / 1.9)
    sech = half + half
    return sech * sech


def tanh(x: Number) -> Number:
    """Return tanh x = 1 − 2/(e²ˣ + 1) with the sign of x; near 0, x + x³ p(x²)/q(x²). There is one division."""
    f, size = x.function, absolute(x)
    is_near, square = size < 0.55, x * x
    e = _exp_without_limits(_at_most(size + size, 44.0))
    above = _where(is_near, size * square * polynomial("tanh p", square), -2.0)
    below = polynomial("tanh q", square).select(is_near, e + 1.0)
    return with_sign(size.select(is_near, f.number(1.0, x.real)) + above / below, x)


def expm1(x: Number) -> Number:
    """Return eˣ − 1 without cancellation near 0."""
    p = precision(x)
    y = _limited(x, -44.0)
    n, r = _reduced(y)
    is_large = y > p.most_exp - 1
    scale = (n + n.constant(p.one - (1 << p.mantissa)).select(is_large, p.one)).number()
    first = multiply_add(scale, r, scale - 1.0)
    result = multiply_add(scale, r * r * polynomial("exp", r), first)
    result = _where(is_large, result + result, result)
    return _where(absolute(x) > 0, _where(x <= p.most_exp, result, x + math.inf), x)


def _half_exp(x: Number) -> Number:
    """Return eˣ/2 for x ≥ 0; at nan, nan."""
    p = precision(x)
    n, r = _reduced(x)
    result = (bits(_exp_near_0(r)) + (n - (1 << p.mantissa))).number()
    return _where(x <= p.most_cosh, result, x + math.inf)


def cosh(x: Number) -> Number:
    """Return (eˣ + e⁻ˣ)/2."""
    half = _half_exp(absolute(x))
    return half + 0.25 / half


def sinh(x: Number) -> Number:
    """Return (eˣ − e⁻ˣ)/2; for |x| < 1 a polynomial."""
    half = _half_exp(absolute(x))
    square = x * x
    near_0 = multiply_add(x * square, polynomial("sinh", square), x)
    return _where(absolute(x) < 1, _where(absolute(x) > 0, near_0, x), with_sign(half - 0.25 / half, x))


def _logarithm_parts(x: Number, rest: Number | None = None) -> tuple[Number, Number]:
    """Return n and m − 1, of x + rest = 2ⁿ m with √½ ≤ m < √2, for finite x > 0; x may be subnormal without a rest."""
    p, real = precision(x), x.real
    offset = 0x3FE6A09E667F3BCD if p.mantissa == 52 else 0x3F3504F3  # the bits of √½
    half_range, from_0 = 1 << (real.bits - 1), (1 << real.bits - 1 - p.mantissa) + 2.0**p.mantissa
    if rest is None:
        is_small = x < 2.0 ** (1 - p.bias)
        x = _where(is_small, x * 2.0**LIFT, x)
        shift = _where(is_small, x.function.number(from_0 + LIFT, real), from_0)
    else:
        shift = x.function.number(from_0, real)
    top = bits(x) + (half_range - offset)  # the exponent, plus half of what there can be, and the fraction
    exponent = top >> p.mantissa
    n = (exponent | ((p.bias + p.mantissa) << p.mantissa)).number() - shift
    m = ((top & ((1 << p.mantissa) - 1)) + offset).number() - 1.0
    if rest is not None:
        inverse = bits(x).constant(p.one + half_range + (1 << p.mantissa)) - (exponent << p.mantissa)  # of 2ⁿ, times 2
        m = multiply_add(rest * 0.5, inverse.number(), m)
    return n, m


def _near_1(m: Number) -> tuple[Number, Number, Number]:
    """Return s, m²/2 and r of ln(1 + m) = m − (m²/2 − s (m²/2 + r)), s = m/(2 + m)."""
    s, half = m / (2 + m), m * m * 0.5
    square = s * s
    return s, half, square * polynomial("log", square)


def _at_edges(x: Number, logarithm: Number, least: float) -> Number:
    """Return a logarithm; −inf at x = `least`, nan below, x where that is inf or nan."""
    result = _where(x > least, logarithm, -math.inf)
    result = _where(x < least, x.function.number(math.nan, x.real), result)
    return _where(absolute(x) < math.inf, result, _where(x > -math.inf, x, math.nan))


def _natural(n: Number, m: Number) -> Number:
    """Return n ln 2 + ln(1 + m)."""
    high, low = precision(n).ln_2
    s, half, r = _near_1(m)
    tail = multiply_add(s, half + r, n * low)
    return multiply_add(n, high, m - (half - tail))


def log(x: Number) -> Number:
    """Return ln x."""
    return _at_edges(x, _natural(*_logarithm_parts(x)), 0.0)


def log1p(x: Number) -> Number:
    """Return ln(1 + x) without cancellation near 0: of the sum, rounded, and what rounding took from it."""
    total = x + 1.0
    back = total - 1.0
    rest = (1.0 - (total - back)) + (x - back)
    result = _at_edges(x, _natural(*_logarithm_parts(total, rest)), -1.0)
    return _where(absolute(x) > 2.0 ** -(precision(x).mantissa + 2), result, x)


def _to_base(x: Number, factor: tuple[float, float], of_2: tuple[float, float]) -> Number:
    """Return ln x · factor, where ln 2 · factor is `of_2`; both in two parts."""
    n, m = _logarithm_parts(x)
    s, half, r = _near_1(m)
    high = m - half
    low = multiply_add(s, half + r, (m - high) - half)
    product = high * factor[0]
    error = multiply_add(high, factor[0], -product)
    whole = n * of_2[0]
    missing = multiply_add(n, of_2[0], -whole) + n * of_2[1] if of_2[1] else 0.0
    tail = multiply_add(low, factor[0], multiply_add(high, factor[1], error + missing))
    total = whole + product
    return _at_edges(x, total + (((whole - total) + product) + tail), 0.0)


def log2(x: Number) -> Number:
    """Return the logarithm to the base 2."""
    return _to_base(x, precision(x).log2_e, (1.0, 0.0))


def log10(x: Number) -> Number:
    """Return the logarithm to the base 10."""
    return _to_base(x, precision(x).log10_e, precision(x).log10_2)

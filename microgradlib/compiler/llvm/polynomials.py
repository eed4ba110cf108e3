"""Elementary functions in native code: polynomials on a small interval, to which exponents and quadrants lead.

eˣ = 2ⁿ eʳ with n = x/ln 2, rounded; ln x = n ln 2 + ln m, where ln m is a series in s = (m − 1)/(m + 1), as in Sun's
fdlibm. They err by up to 1 unit in the last place: exp, log, sin, cos, hypot; 1.6: expm1, log1p, tanh; 2.3: sigmoid;
6: the two slopes, squares of quotients. Cases are told apart by selections, so that all lanes go one way.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from microgradlib.compiler.llvm.ir import Mask, Number

__all__ = ["cos", "exp", "expm1", "hypot", "log", "log1p", "sigmoid", "sigmoid_slope", "sin", "tanh", "tanh_slope"]


class Precision(NamedTuple):
    """Constants of a type of numbers; several parts are to be added up. Polynomials were fitted by mpmath."""

    mantissa: int
    bias: int
    shift: float
    """Added to x it keeps the whole part, rounded, in the last bits."""
    ln_2: tuple[float, float]
    half_pi: tuple[float, float, float]
    limits: tuple[float, float, float]
    """Below these eˣ is 0, and may be subnormal; above the last it is infinite."""
    terms: int
    """Of the power series of sin and cos, behind x or 1 − x²/2."""
    exp: tuple[float, ...]
    """(eˣ − 1 − x)/x² for |x| ≤ ln(2)/2."""
    log: tuple[float, ...]
    """(2 artanh s − 2 s)/s³ in s² for |s| ≤ (√2 − 1)/(√2 + 1)."""
    tanh: tuple[tuple[float, ...], tuple[float, ...]]
    """(tanh x − x)/x³ as a quotient of polynomials in x², for |x| ≤ 0.55."""


DOUBLE = Precision(
    52, 1023, 1.5 * 2.0**52, (0.6931471805599453, 2.3190468138462996e-17),
    (1.5707963267948966, 6.123233995736766e-17, -1.4973849048591698e-33),
    (-746.0, -707.0, 709.782712893384), 8,
    (0.5000000000000012, 0.16666666666666471, 0.04166666666651961, 0.008333333333458688, 0.0013888888945983425,
     0.00019841269581212192, 2.480149094526278e-05, 2.7557521515472486e-06, 2.763094440640888e-07,
     2.5020165143198994e-08),
    (0.6666666666666736, 0.39999999999404445, 0.2857142874445385, 0.222221983728871, 0.18183574397652388,
     0.15313797405603524, 0.14798463505538828),
    ((-18.523696996428352, -0.9203596834323615, -0.0004726923256056994, 4.1544381958928694e-06),
     (55.571090989285075, 24.98951544600989, 1.0)),
)  # fmt: skip
SINGLE = Precision(
    23, 127, 1.5 * 2.0**23, (0.6931471824645996, -1.9046542121259336e-09),
    (1.5707963705062866, -4.371138828673793e-08, -1.7151245100058819e-15),
    (-104.0, -86.0, 88.72283172607422), 4,
    (0.49999988, 0.16666518, 0.041669652, 0.008368953, 0.0013745059), (0.66666776, 0.39977574, 0.29871237),
    ((-0.8237621, -0.0038345575), (2.4712873, 1.0)),
)  # fmt: skip


def _precision(x: Number) -> Precision:
    return DOUBLE if x.real.scalar == "double" else SINGLE


def _polynomial(x: Number, coefficients: Sequence[float]) -> Number:
    """Return Σ cᵢ xⁱ by Horner's rule; long sums in two parts, the even and the odd powers: one chain takes long."""
    if len(coefficients) > 5:
        even, odd = [_polynomial(x * x, coefficients[k::2]) for k in (0, 1)]
        return _fma(x, odd, even)
    total = x.function.number(coefficients[-1], x.real)
    for c in coefficients[-2::-1]:
        total = _fma(x, total, c)
    return total


def _fma(x: Number, y: Number | float, z: Number | float) -> Number:
    f, real = x.function, x.real
    return f.fma(x, f.number(y, real), f.number(z, real))


def _where(condition: Mask, x: Number | float, y: Number | float) -> Number:
    f, real = condition.function, condition.real
    return f.number(x, real).select(condition, f.number(y, real))


def _on_bits(word: str, x: Number, y: Number | int) -> Number:
    """Return an operation on integers, as "add", of the bits of numbers: the number that has the resulting bits."""
    f, real = x.function, x.real
    first, *other = [f.emit(f"bitcast {real.text} {z.name} to {real.integer}") for z in (x, y) if isinstance(z, Number)]
    if isinstance(y, int):
        signed = (y + (1 << real.bits - 1)) % (1 << real.bits) - (1 << real.bits - 1)
        other = [f"splat (i{real.bits} {signed})" if real.lanes > 1 else str(signed)]
    result = f.emit(f"{word} {real.integer} {first}, {other[0]}")
    return Number(f, real, f.emit(f"bitcast {real.integer} {result} to {real.text}"))


def _reduced(x: Number, shift: Number | float | None = None) -> tuple[Number, Number]:
    """Return n in the place of exponents, and x − n ln 2; n is more by what the shift given is more than p.shift."""
    p = _precision(x)
    shift = x.function.number(p.shift if shift is None else shift, x.real)
    shifted = _fma(x, 1 / p.ln_2[0], shift)
    n = shifted - shift
    return _on_bits("shl", shifted, p.mantissa), _fma(n, -p.ln_2[1], _fma(n, -p.ln_2[0], x))


def _exp_near_0(r: Number) -> Number:
    """Return eʳ for |r| ≤ ln(2)/2."""
    return _fma(_fma(_polynomial(r, _precision(r).exp), r, 1.0), r, 1.0)


def _power_of_2(n: Number) -> Number:
    """Return 2ⁿ of an n in the place of exponents."""
    return _on_bits("add", n, _precision(n).bias << _precision(n).mantissa)


LIFT = 64
"""Where a result may be subnormal, it is computed times 2 to this power, so that it is rounded once."""


def exp(x: Number) -> Number:
    """Return eˣ."""
    p = _precision(x)
    none, small, most = p.limits
    y = _where(x > none, x, none)  # of nan too
    is_small = y < small
    n, r = _reduced(y, _where(is_small, p.shift + LIFT, p.shift))
    power = _on_bits("add", _exp_near_0(r), n)
    return _where(x <= most, _where(is_small, power * 2.0**-LIFT, power), x + math.inf)


def expm1(x: Number) -> Number:
    """Return eˣ − 1 without cancellation near 0, as 2ⁿ (eʳ − 1) + (2ⁿ − 1); the half where 2ⁿ overflows."""
    p, y = _precision(x), _where(x > -44.0, x, -44.0)
    is_large = y > p.limits[2] - 1
    n, r = _reduced(y, _where(is_large, p.shift - 1, p.shift))
    power = _power_of_2(n)
    result = _fma(power, r * r * _polynomial(r, p.exp), _fma(power, r, power - 1))
    result = _where(is_large, result + result, result)  # where 1 is of no weight
    return _where(abs(x) > 0, _where(x <= p.limits[2], result, x + math.inf), x)


def sigmoid(x: Number) -> Number:
    """Return 1/(1 + e⁻ˣ), for negative x as eˣ/(1 + eˣ)."""
    e = exp(-abs(x))
    return _where(x < 0, e, 1.0) / (1 + e)


def sigmoid_slope(x: Number) -> Number:
    """Return the derivative of the sigmoid, (h/(1 + h²))² with h = e^(−|x|/2); 0 before h may be subnormal."""
    half, least = abs(x) * -0.5, _precision(x).limits[0] / 1.9
    n, r = _reduced(_where(half < least, least, half))
    h = _exp_near_0(r) * _power_of_2(n)
    root = h / _fma(h, h, 1.0)
    return root * root


def tanh_slope(x: Number) -> Number:
    """Return the derivative of tanh, four times that of the sigmoid at 2 x."""
    return sigmoid_slope(x + x) * 4


def tanh(x: Number) -> Number:
    """Return tanh x = 1 − 2/(e²ˣ + 1) with the sign of x; near 0, x + x³ p(x²)/q(x²). There is one division."""
    (above, below), size, square = _precision(x).tanh, abs(x), x * x
    is_near, twice = size < 0.55, size + size
    n, r = _reduced(_where(twice > 44.0, 44.0, twice))
    far = _fma(_exp_near_0(r), _power_of_2(n), 1.0)
    quotient = _where(is_near, size * square * _polynomial(square, above), -2.0)
    quotient = quotient / _where(is_near, _polynomial(square, below), far)
    return x.function.intrinsic("copysign", _where(is_near, size, 1.0) + quotient, x)


def log(x: Number, rest: Number | None = None) -> Number:
    """Return ln(x + rest), for a rest that is below the last place of x; −inf at x = 0, nan below.

    x + rest is 2ⁿ m with √½ ≤ m < √2. With f = m − 1 and s = f/(2 + f), ln m = f − (f²/2 − s (f²/2 + series)).
    """
    p, bits, number = _precision(x), x.real.bits, x
    offset = 0x3FE6A09E667F3BCD if bits == 64 else 0x3F3504F3  # the bits of √½
    shift: Number | float = 2.0**p.mantissa + (1 << bits - 1 - p.mantissa)
    if rest is None:  # else x is not subnormal
        is_small = x < 2.0 ** (1 - p.bias)
        x, shift = _where(is_small, x * 2.0**LIFT, x), _where(is_small, shift + LIFT, shift)
    top = _on_bits("add", x, (1 << bits - 1) - offset)  # exponents, and half of what there can be, are not negative
    exponent = _on_bits("lshr", top, p.mantissa)
    n = _on_bits("or", exponent, (p.bias + p.mantissa) << p.mantissa) - shift
    f = _on_bits("add", _on_bits("and", top, (1 << p.mantissa) - 1), offset) - 1.0
    if rest is not None:  # times 2⁻ⁿ
        negative = _on_bits("xor", _on_bits("shl", exponent, p.mantissa), -1)
        power = _on_bits("add", negative, (p.bias + 1 << p.mantissa) + (1 << bits - 1) + 1)
        f = _fma(rest * 0.5, power, f)
    s, half = f / (2 + f), f * f * 0.5
    square = s * s
    rest = half - s * (half + square * _polynomial(square, p.log))
    result = _fma(n, p.ln_2[0], f - (rest - n * p.ln_2[1]))
    result = _where(number > 0, result, _where(number < 0, math.nan, -math.inf))
    return _where(abs(number) < math.inf, result, _where(number > 0, math.inf, math.nan))


def log1p(x: Number) -> Number:
    """Return ln(1 + x) without cancellation near 0: of the sum, rounded, and what rounding took from it."""
    total = x + 1.0
    back = total - 1.0
    result = log(total, (1.0 - (total - back)) + (x - back))
    return _where(abs(x) > 2.0 ** -(_precision(x).mantissa + 2), result, x)


def _in_quadrants(x: Number, quarter: int) -> Number:
    """Return sin(x + quarter · π/2): with n quarters taken from x, ± the sine or cosine of the rest, in two parts."""
    p = _precision(x)
    shifted = _fma(x, 1 / p.half_pi[0], p.shift)
    n = shifted - p.shift
    first, second = _fma(n, -p.half_pi[0], x), n * p.half_pi[1]
    high = first - second
    low = _fma(n, -p.half_pi[2], ((first - high) - second) - _fma(n, p.half_pi[1], -second))
    square, k = high * high, range(p.terms)
    series = _polynomial(square, [-((-1.0) ** i) / math.factorial(2 * i + 3) for i in k])
    sine = high + _fma(high * square, series, low)
    series = _polynomial(square, [(-1.0) ** i / math.factorial(2 * i + 4) for i in k])
    half, first = square * 0.5, 1.0 - square * 0.5
    cosine = first + (((1.0 - first) - half) + _fma(square * square, series, -(high * low)))
    bits = _on_bits("add", shifted, quarter)
    f, real = x.function, x.real
    last = f.emit(f"bitcast {real.text} {bits.name} to {real.integer}")
    chosen = cosine.select(Mask(f, real, f.emit(f"trunc {real.integer} {last} to {real.mask}")), sine)
    return _on_bits("xor", chosen, _on_bits("shl", _on_bits("and", bits, 2), real.bits - 2))


def sin(x: Number) -> Number:
    """Return sin x for |x| ≤ 10⁵."""
    return _where(abs(x) > 0, _in_quadrants(x, 0), x)


def cos(x: Number) -> Number:
    """Return cos x for |x| ≤ 10⁵."""
    return _in_quadrants(x, 1)


def hypot(x: Number, y: Number) -> Number:
    """Return √(x² + y²), of numbers divided by the larger one's power of 2, so that no square over- or underflows."""
    p, f = _precision(x), x.function
    a, b = abs(x), abs(y)
    large, small, least = _where(a > b, a, b), _where(a > b, b, a), 2.0 ** (1 - p.bias)
    every = (2 * p.bias + 1) << p.mantissa
    power = _on_bits("and", _where(large < least, least, large), every)
    inverse = _on_bits("xor", power, every)  # and twice as much
    large, small, total = large * inverse, small * inverse, large + small
    root = f.intrinsic("sqrt", _fma(large, large, small * small)) * (power * 0.5)
    return _where((a >= math.inf) | (b >= math.inf), math.inf, _where(total > 0, root, total))

"""Exponential functions and logarithms in native code: polynomials on a small interval, to which exponents lead.

eˣ = 2ⁿ eʳ with n = x/ln 2, rounded; ln x = n ln 2 + ln m, where ln m is a series in s = (m − 1)/(m + 1), as in Sun's
fdlibm. They err by less than 1 unit in the last place (0.9 to 1), the two slopes by less than 2: sums that are divided
are known in two parts, a number and what its rounding took. Cases are separated by selections: all lanes go one way.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import zip_longest
from typing import NamedTuple

from microgradlib.compiler.llvm.ir import Mask, Number

__all__ = [
    "bound", "exp", "expm1", "fma", "log", "log1p", "on_bits", "polynomial", "precision", "sigmoid", "sigmoid_slope",
    "tanh", "tanh_slope", "where",
]  # fmt: skip


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
    """(eˣ − 1 − x)/x² for |x| ≤ ln(2)/2, with the least largest error relative to eˣ − 1."""
    expm1: tuple[float, ...]
    """(eˣ − 1 − x − x²/2)/x³."""
    log: tuple[float, ...]
    """(2 artanh s − 2 s)/s³ in s² for |s| ≤ (√2 − 1)/(√2 + 1)."""


DOUBLE = Precision(
    52, 1023, 1.5 * 2.0**52, (0.6931471805599453, 2.3190468138462996e-17),
    (1.5707963267948966, 6.123233995736766e-17, -1.4973849048591698e-33),
    (-746.0, -707.0, 709.782712893384), 8,
    (0.5, 0.166666666666666, 0.041666666666619286, 0.008333333333389384, 0.0013888888920860559, 0.0001984126970750676,
     2.480151582260358e-05, 2.7557426157039905e-06, 2.762246715206206e-07, 2.504579500892332e-08),
    (0.16666666666666677, 0.041666666666666574, 0.00833333333332199, 0.0013888888888943522, 0.00019841269885440118,
     2.4801587196970242e-05, 2.7557244732950934e-06, 2.75573876195361e-07, 2.5108901040039944e-08,
     2.0878901952427312e-09),
    (0.6666666666666736, 0.39999999999404445, 0.2857142874445385, 0.222221983728871, 0.18183574397652388,
     0.15313797405603524, 0.14798463505538828),
)  # fmt: skip
SINGLE = Precision(
    23, 127, 1.5 * 2.0**23, (0.6931471824645996, -1.9046542121259336e-09),
    (1.5707963705062866, -4.371138828673793e-08, -1.7151245100058819e-15),
    (-104.0, -86.0, 88.72283172607422), 4,
    (0.5, 0.16666548, 0.041666854, 0.008366164, 0.0013898255),
    (0.16666548, 0.041666854, 0.008366164, 0.0013898255), (0.66666776, 0.39977574, 0.29871237),
)  # fmt: skip


def precision(x: Number) -> Precision:
    """Return the constants of a number's type."""
    return DOUBLE if x.real.scalar == "double" else SINGLE


def polynomial(x: Number, coefficients: Sequence[Number | float]) -> Number:
    """Return Σ cᵢ xⁱ, in short chains: pairs c + x c′ are the coefficients of a polynomial in x², down to three."""
    if len(coefficients) <= 3:
        *others, total = coefficients
        for c in reversed(others):
            total = fma(x, total, c)
        return x.function.number(total, x.real)
    pairs = zip_longest(coefficients[::2], coefficients[1::2])
    return polynomial(x * x, [c if other is None else fma(x, other, c) for c, other in pairs])


def fma(x: Number, y: Number | float, z: Number | float) -> Number:
    """Return x y + z, rounded once."""
    f, real = x.function, x.real
    return f.fma(x, f.number(y, real), f.number(z, real))


def where(condition: Mask, x: Number | float, y: Number | float) -> Number:
    """Return x where the condition holds, else y."""
    f, real = condition.function, condition.real
    return f.number(x, real).select(condition, f.number(y, real))


def on_bits(word: str, x: Number | int, y: Number | int) -> Number:
    """Return an operation on integers, as "add", of the bits of numbers: the number that has the resulting bits."""
    number = next(z for z in (x, y) if isinstance(z, Number))
    f, real = number.function, number.real

    def bits(z: Number | int) -> str:
        if isinstance(z, Number):
            return f.emit(f"bitcast {real.text} {z.name} to {real.integer}")
        signed = (z + (1 << real.bits - 1)) % (1 << real.bits) - (1 << real.bits - 1)
        return f"splat (i{real.bits} {signed})" if real.lanes > 1 else str(signed)

    result = f.emit(f"{word} {real.integer} {bits(x)}, {bits(y)}")
    return Number(f, real, f.emit(f"bitcast {real.integer} {result} to {real.text}"))


def bound(x: Number, word: str, limit: float) -> Number:
    """Return the larger (word "ogt") or the smaller ("olt") of a limit and x; of nan, nan."""
    other = x.function.number(limit, x.real)
    return other.select(other._compare(word, x), x)


def _reduced(x: Number) -> tuple[Number, Number, Number]:
    """Return n in the place of exponents, n and x − n ln 2, exact but for the second part of ln 2."""
    p = precision(x)
    shifted = fma(x, 1 / p.ln_2[0], p.shift)
    n = shifted - p.shift
    return on_bits("shl", shifted, p.mantissa), n, fma(n, -p.ln_2[0], x)


LIFT = 64
"""Where a result may be subnormal, it is computed times 2 to this power, so that it is rounded once."""


def exp(x: Number) -> Number:
    """Return eˣ."""
    p = precision(x)
    none, small, most = p.limits
    y = bound(bound(x, "ogt", none), "olt", most)
    is_small = y < small
    exponent, n, r = _reduced(y)
    r = fma(n, -p.ln_2[1], r)
    exponent = where(is_small, on_bits("add", exponent, LIFT << p.mantissa), exponent)
    power = on_bits("add", fma(fma(polynomial(r, p.exp), r, 1.0), r, 1.0), exponent)
    return where(x > most, math.inf, where(is_small, power * 2.0**-LIFT, power))


def _half_expm1(power: Number, r: Number, rest: Number) -> tuple[Number, Number]:
    """Return (eˣ − 1)/2 = power (1 + r + rest) − ½ in two parts, of which the second may be a quarter of the first."""
    whole, part = power - 0.5, power * r
    first = whole + part
    return first, fma(power, rest, part - (first - whole))


def expm1(x: Number) -> Number:
    """Return eˣ − 1 without cancellation near 0."""
    p = precision(x)
    exponent, n, first = _reduced(bound(bound(x, "ogt", -44.0), "olt", p.limits[2] + 0.1))
    less = n * -p.ln_2[1]
    r = first + less
    rest = fma(r * r * r, polynomial(r, p.expm1), less - (r - first))
    power = on_bits("add", exponent, (p.bias - 1) << p.mantissa)
    high, low = _half_expm1(power, r, fma(r * 0.5, r, rest))
    half = high + (low + ((power - (power - 0.5)) - 0.5))
    return where(abs(x) > 2.0 ** -(p.mantissa + 2), half + half, x)


def tanh(x: Number) -> Number:
    """Return tanh x = h/(h + 1), h = (e²ˣ − 1)/2, with the sign of x; what the quotient leaves over is divided too."""
    p, size = precision(x), abs(x)
    exponent, n, r = _reduced(bound(size + size, "olt", 44.0))
    less = n * -p.ln_2[1]
    rest = fma(r * r, polynomial(r, p.exp), fma(less, r, less))
    first, second = _half_expm1(on_bits("add", exponent, (p.bias - 1) << p.mantissa), r, rest)
    high = first + second
    total, low = high + 1.0, second - (high - first)
    inverse = 1.0 / total
    result = high * inverse
    left = fma(-result, total, high) + fma(-result, (high - (total - 1.0)) + low, low)
    return x.function.intrinsic("copysign", fma(left, inverse, result), x)


def sigmoid(x: Number) -> Number:
    """Return 1/(1 + e⁻ˣ): the sum is known in two parts, and what the quotient leaves over is divided too."""
    p, one = precision(x), 2.0**-LIFT
    exponent, n, r = _reduced(bound(bound(-x, "ogt", -0.8 * p.mantissa), "olt", -p.limits[0]))
    r = fma(n, -p.ln_2[1], r)
    power, part = on_bits("add", exponent, (p.bias - LIFT) << p.mantissa), fma(r * r, polynomial(r, p.exp), r)
    whole = power + one
    lost = bound(power, "olt", one) - (whole - bound(power, "ogt", one))
    total = fma(power, part, whole)
    rest = fma(power, part, whole - total) + lost
    inverse = 1.0 / total
    return fma(fma(-inverse, rest, fma(-inverse, total, 1.0)), inverse, inverse) * one


def sigmoid_slope(x: Number, scale: float = 1.0) -> Number:
    """Return the derivative of the sigmoid times `scale`: 1/(2 + eʸ + e⁻ʸ) with y = |x|. eʳ and e⁻ʳ share a series."""
    p = precision(x)
    exponent, n, r = _reduced(bound(abs(x), "olt", 2 - p.limits[0]))
    r = fma(n, -p.ln_2[1], r)
    square, one, two = r * r, (p.bias - LIFT) << p.mantissa, 2.0 ** (1 - LIFT)
    power = on_bits("add", exponent, one)
    inverse = on_bits("sub", one, bound(exponent, "olt", 2.0 ** (-LIFT - 1)))  # n is below bias − LIFT
    total, difference = power + inverse, power - inverse
    whole = power + two
    high = fma(difference, r, whole)
    low = fma(difference, r, whole - high) + ((two - (whole - power)) + inverse)
    even, odd = polynomial(square, p.exp[::2]), r * polynomial(square, p.exp[1::2])
    low = fma(square, fma(total, even, difference * odd), low)
    return (1.0 / (high + low)) * (scale * 2.0**-LIFT)


def tanh_slope(x: Number) -> Number:
    """Return the derivative of tanh, four times that of the sigmoid at 2 x."""
    return sigmoid_slope(x + x, 4.0)


def log(x: Number, rest: Number | None = None) -> Number:
    """Return ln(x + rest), for a rest that is below the last place of x; −inf at x = 0, nan below.

    x + rest is 2ⁿ m with √½ ≤ m < √2. With f = m − 1 and s = f/(2 + f), ln m = f − (f²/2 − s (f²/2 + series)).
    """
    p, bits, number = precision(x), x.real.bits, x
    offset = 0x3FE6A09E667F3BCD if bits == 64 else 0x3F3504F3  # the bits of √½
    shift: Number | float = 2.0**p.mantissa + (1 << bits - 1 - p.mantissa)
    if rest is None:  # else x is not subnormal
        is_small = x < 2.0 ** (1 - p.bias)
        x, shift = where(is_small, x * 2.0**LIFT, x), where(is_small, shift + LIFT, shift)
    top = on_bits("add", x, (1 << bits - 1) - offset)  # exponents, and half of what there can be, are not negative
    exponent = on_bits("lshr", top, p.mantissa)
    n = on_bits("or", exponent, (p.bias + p.mantissa) << p.mantissa) - shift
    f = on_bits("add", on_bits("and", top, (1 << p.mantissa) - 1), offset) - 1.0
    s, half = f / (2 + f), f * f * 0.5
    square = s * s
    less = half - s * (half + square * polynomial(square, p.log)) - n * p.ln_2[1]
    if rest is not None:  # times 2⁻ⁿ, and by 1 + f: about 1 − 2 s
        negative = on_bits("xor", on_bits("shl", exponent, p.mantissa), -1)
        power = on_bits("add", negative, (p.bias + 1 << p.mantissa) + (1 << bits - 1) + 1)
        less = fma(rest * 0.5 * power, fma(s, 2.0, -1.0), less)
    result = fma(n, p.ln_2[0], f - less)
    result = where(number > 0, result, where(number < 0, math.nan, -math.inf))
    return where(abs(number) < math.inf, result, where(number > 0, math.inf, math.nan))


def log1p(x: Number) -> Number:
    """Return ln(1 + x) without cancellation near 0: of the sum, rounded, and what rounding took from it."""
    total = x + 1.0
    back = total - 1.0
    result = log(total, (1.0 - (total - back)) + (x - back))
    return where(abs(x) > 2.0 ** -(precision(x).mantissa + 2), result, x)

"""Exponential functions and logarithms in native code: polynomials on a small interval, to which exponents lead.

eˣ = 2ⁿ eʳ with n = x/ln 2, rounded; ln x = n ln 2 + ln m, where ln m is a series in s = (m − 1)/(m + 1), as in Sun's
fdlibm. They err by less than 1 unit in the last place (0.9 to 1), the two slopes by less than 2: sums that are divided
are known in two parts, a number and what its rounding took. Cases are separated by selections: all lanes go one way.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import zip_longest

from microgradlib.compiler.llvm.ir import Mask, Number
from microgradlib.compiler.llvm.machine import host
from microgradlib.compiler.llvm.precision import precision

__all__ = [
    "bound", "exp", "expm1", "fma", "log", "log1p", "on_bits", "polynomial", "sigmoid", "sigmoid_slope",
    "tanh", "tanh_slope", "where", "with_inverse",
]  # fmt: skip


def polynomial(x: Number, coefficients: Sequence[Number | float]) -> Number:
    """Return Σ cᵢ xⁱ, in short chains: pairs c + x c′ are the coefficients of a polynomial in x², down to three."""
    if len(coefficients) <= 3:
        return _in_turn(x, coefficients)
    pairs = zip_longest(coefficients[::2], coefficients[1::2])
    return polynomial(x * x, [c if other is None else fma(x, other, c) for c, other in pairs])


def _in_turn(x: Number, coefficients: Sequence[Number | float]) -> Number:
    """Return Σ cᵢ xⁱ in one chain, with the fewest multiplications: for what is computed of many vectors."""
    *others, total = [x.function.number(c, x.real) for c in coefficients]
    for c in reversed(others):
        total = fma(x, total, c)
    return total


def fma(x: Number, y: Number | float, z: Number | float) -> Number:
    """Return x y + z, rounded once."""
    f, real = x.function, x.real
    return f.fma(x, f.number(y, real), f.number(z, real))


def where(condition: Mask, x: Number | float, y: Number | float) -> Number:
    """Return x where the condition holds, else y."""
    f, real = condition.function, condition.real
    return f.number(x, real).select(condition, f.number(y, real))


def with_inverse(y: Number) -> Number:
    """Return y with its inverse: x/y is then 2ⁿ x · 1/(2ⁿ y), and corrected once, so y/y is 1.

    n is 0, but where 1/y would be infinite or subnormal: so quotients by any number are what they are by divisions.
    """
    p, size, found = precision(y), abs(y), Number(y.function, y.real, y.name, y.closed)
    scale = where(size > 2.0 ** (p.bias - 1), 2.0**-LIFT, y.function.number(1.0, y.real))
    scale = where(size < 2.0 ** (1 - p.bias), 2.0**LIFT, scale)
    scaled = y * scale
    found.inverse = scale, scaled, 1.0 / scaled
    return found


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


SCALED_BITS = 512
"""Where the machine's vectors have so many bits, they are AVX-512's, which has an instruction for x · 2ⁿ."""


def _scaled(x: Number, n: Number) -> Number:
    """Return x · 2ⁿ, rounded once, for vectors of `SCALED_BITS`."""
    f, real = x.function, x.real
    name = f"llvm.x86.avx512.mask.scalef.{'pd' if real.bits == 64 else 'ps'}.512"
    mask = f"i{real.lanes}"
    f.declarations.add(f"declare {real.text} @{name}({real.text}, {real.text}, {real.text}, {mask}, i32 immarg)")
    given = f"{real.text} {x.name}, {real.text} {n.name}, {real.text} {x.name}, {mask} -1, i32 4"
    return Number(f, real, f.emit(f"call {real.text} @{name}({given})"))


LIFT = 64
"""Where a result may be subnormal, it is computed times 2 to this power, so that it is rounded once."""


def exp(x: Number) -> Number:
    """Return eˣ."""
    p = precision(x)
    none, small, most = p.limits
    y = bound(bound(x, "ogt", none), "olt", most + 1)
    exponent, n, r = _reduced(y)
    r = fma(n, -p.ln_2[1], r)
    power = fma(fma(_in_turn(r, p.exp), r, 1.0), r, 1.0)
    if x.real.lanes * x.real.bits == SCALED_BITS == 8 * host().vector_bytes:
        return _scaled(power, n)
    is_small = y < small
    exponent = where(is_small, on_bits("add", exponent, LIFT << p.mantissa), exponent)
    power = on_bits("add", power, exponent)
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

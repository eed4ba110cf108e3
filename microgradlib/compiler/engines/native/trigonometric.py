"""Circular functions and distances in native code, within 1.5 units in the last place of the exact result."""

from __future__ import annotations

from collections.abc import Callable

from microgradlib.compiler.engines.native.exponential import absolute, with_sign
from microgradlib.compiler.engines.native.ir import Number
from microgradlib.compiler.engines.native.polynomials import Bits, bits, multiply_add, polynomial, precision

__all__ = ["acos", "asin", "atan", "cos", "hypot", "sin", "tan"]


def _reduced(x: Number) -> tuple[Bits, Number, Number]:
    """Return n, x/(π/2) rounded to a whole number, in the last bits, and x − n π/2 in two parts; |x| ≤ `turns`."""
    p = precision(x)
    shifted = multiply_add(x, 1 / p.half_pi[0], p.shift)
    n = shifted - p.shift
    first = multiply_add(n, -p.half_pi[0], x)  # exact
    second = n * p.half_pi[1]
    high = first - second
    low = ((first - high) - second) - multiply_add(n, p.half_pi[1], -second)
    low = multiply_add(n, -p.half_pi[2], low)
    return bits(shifted), high, low


def _sin_parts(high: Number, low: Number) -> tuple[Number, Number]:
    """Return the sine of |high + low| ≤ π/4 in two parts."""
    square = high * high
    return high, multiply_add(high * square, polynomial("sin", square), low)


def _cos_parts(high: Number, low: Number) -> tuple[Number, Number]:
    """Return the cosine of |high + low| ≤ π/4 in two parts."""
    square = high * high
    half = square * 0.5
    first = 1.0 - half
    rest = multiply_add(square * square, polynomial("cos", square), -(high * low))
    return first, (1.0 - first) - half + rest


def _flipped(x: Number, turned: Bits) -> Number:
    """Return −x where the second last bit is 1."""
    return (bits(x) ^ ((turned & 2) << (x.real.bits - 2))).number()


def _in_quadrants(x: Number, quarter: int) -> Number:
    """Return sin(x + quarter · π/2)."""
    n, high, low = _reduced(x)
    n = n + quarter if quarter else n
    cosine, sine = _cos_parts(high, low), _sin_parts(high, low)
    odd = n.is_odd()
    return _flipped(cosine[0].select(odd, sine[0]) + cosine[1].select(odd, sine[1]), n)


def sin(x: Number) -> Number:
    """Return sin x."""
    return _in_quadrants(x, 0).select(absolute(x) > 0, x)


def cos(x: Number) -> Number:
    """Return cos x."""
    return _in_quadrants(x, 1)


def tan(x: Number) -> Number:
    """Return tan x: sine/cosine, in odd quadrants −cosine/sine, corrected by what is left of the division."""
    n, high, low = _reduced(x)
    sine, cosine, odd = _sin_parts(high, low), _cos_parts(high, low), n.is_odd()
    above, above_rest = _two_sum(*[a.select(odd, b) for a, b in zip(cosine, sine)])
    below, below_rest = _two_sum(*[a.select(odd, b) for a, b in zip(sine, cosine)])
    inverse = 1 / below
    ratio = above * inverse
    left = multiply_add(-ratio, below, above) + multiply_add(-ratio, below_rest, above_rest)
    result = multiply_add(left, inverse, ratio)
    return (bits(result) ^ ((n & 1) << (x.real.bits - 1))).number().select(absolute(x) > 0, x)


def _two_sum(x: Number | float, y: Number) -> tuple[Number, Number]:
    """Return x + y, rounded, and what rounding took from it, for |x| ≥ |y|."""
    total = x + y
    return total, (x - total) + y


def guarded(small: Callable[[Number], Number], large: Callable[[Number], Number]) -> Callable[[Number], Number]:
    """Return a function that is `small` where |x| ≤ `turns`, else `large`, to which a branch leads: it is slow."""

    def function(x: Number) -> Number:
        f, real = x.function, x.real
        y, is_large = small(x), absolute(x) > precision(x).turns
        some, number = is_large.name, f.name_value()[1:]
        if real.lanes > 1:
            f.declarations.add(f"declare i1 @llvm.vector.reduce.or.v{real.lanes}i1({real.mask})")
            some = f.emit(f"call i1 @llvm.vector.reduce.or.v{real.lanes}i1({real.mask} {some})")
        before = f.block
        f.do(f"br i1 {some}, label %large.{number}, label %all.{number}")
        f.start_block(f"large.{number}")
        z = large(x).select(is_large, y)
        f.do(f"br label %all.{number}")
        after = f.block
        f.start_block(f"all.{number}")
        phi = f.emit(f"phi {real.text} [{y.name}, %{before}], [{z.name}, %{after}]")
        return Number(f, real, phi)

    return function


def _half_angle(x: Number) -> tuple[Number, Number, Number]:
    """Return |x| and, in two parts, arcsin |x| or, for |x| > ½, arcsin √((1 − |x|)/2)."""
    size, f = absolute(x), x.function
    square = (0.5 - size * 0.5).select(size > 0.5, x * x)
    y = f.intrinsic("sqrt", square).select(size > 0.5, size)
    return size, y, y * square * polynomial("asin", square)


def asin(x: Number) -> Number:
    """Return arcsin x; for |x| > ½ it is π/2 − 2 arcsin √((1 − |x|)/2)."""
    first, second, _ = precision(x).half_pi
    size, y, rest = _half_angle(x)
    left, left_rest = _two_sum(first, -(y + y))
    far = left + (left_rest - ((rest + rest) - second))
    return with_sign(far.select(size > 0.5, y + rest), x)


def acos(x: Number) -> Number:
    """Return arccos x = π/2 − arcsin x."""
    first, second, _ = precision(x).half_pi
    size, y, rest = _half_angle(x)
    twice = (y + y) + (rest + rest)
    left = (2 * first - (y + y)) - ((rest + rest) - 2 * second)
    near = (first - with_sign(y, x)) - (with_sign(rest, x) - second)
    return left.select(x < 0, twice).select(size > 0.5, near)


def _arctangent(y: Number, x: Number) -> Number:
    """Return arctan(y/x) for 0 ≤ y ≤ x, x ≥ 1: by y/x or, above tan π/8, by π/4 and (y − x)/(y + x)."""
    f, real = x.function, x.real
    zero, steep = f.number(0.0, real), y > x * 0.41421356237309503
    (above, above_rest), (below, below_rest) = [
        [part.select(steep, other) for part, other in zip(_two_sum(a, y), pair)]
        for a, pair in ((-x, (y, zero)), (x, (x, zero)))
    ]
    inverse = 1 / below
    ratio = above * inverse
    left = multiply_add(-ratio, below, above) + multiply_add(-ratio, below_rest, above_rest)
    square = ratio * ratio
    start, start_rest = [f.number(part / 2, real).select(steep, zero) for part in precision(x).half_pi[:2]]
    rest = multiply_add(left, inverse, start_rest)
    return start + (ratio + multiply_add(ratio * square, polynomial("atan", square), rest))


def atan(x: Number) -> Number:
    """Return arctan x; for |x| > 1 it is π/2 − arctan 1/|x|."""
    (first, second, _), f = precision(x).half_pi, x.function
    size, one, most = absolute(x), f.number(1.0, x.real), f.number(2.0**60, x.real)
    far = size > 1
    size = most.select(size > most, size)  # of which the arctangent is π/2 already
    angle = _arctangent(one.select(far, size), size.select(far, one))
    return with_sign((first - (angle - second)).select(far, angle), x)


def hypot(x: Number, y: Number) -> Number:
    """Return √(x² + y²), of numbers divided by the larger one's power of 2, so that no square over- or underflows."""
    p, f = precision(x), x.function
    a, b = absolute(x), absolute(y)
    large, small = a.select(a > b, b), b.select(a > b, a)
    most, least = f.number(2.0 ** (p.bias - 1), x.real), f.number(2.0 ** (1 - p.bias), x.real)
    limited = most.select(large > most, least.select(large < least, large))
    exponent = bits(limited) & ((2 * p.bias + 1) << p.mantissa)
    scale = (exponent.constant(2 * p.bias << p.mantissa) - exponent).number()
    big, little = large * scale, small * scale
    root = f.intrinsic("sqrt", multiply_add(big, big, little * little))
    result = root * exponent.number()
    result = result.select(large > 0, large + small)
    infinite = f.number(float("inf"), x.real)
    either = (a >= float("inf")) | (b >= float("inf"))
    return infinite.select(either, result)

"""Sine, cosine and the length of a vector in native code: power series in a quadrant, and a scale by powers of 2."""

from __future__ import annotations

import math

from microgradlib.compiler.llvm.ir import Mask, Number
from microgradlib.compiler.llvm.polynomials import fma, on_bits, polynomial, where
from microgradlib.compiler.llvm.precision import precision

__all__ = ["cos", "hypot", "sin"]


def _in_quadrants(x: Number, quarter: int) -> Number:
    """Return sin(x + quarter · π/2): with n quarters taken from x, ± the sine or cosine of the rest, in two parts."""
    p = precision(x)
    shifted = fma(x, 1 / p.half_pi[0], p.shift)
    n = shifted - p.shift
    first, second = fma(n, -p.half_pi[0], x), n * p.half_pi[1]
    high = first - second
    low = fma(n, -p.half_pi[2], ((first - high) - second) - fma(n, p.half_pi[1], -second))
    square, k = high * high, range(p.terms)
    series = polynomial(square, [-((-1.0) ** i) / math.factorial(2 * i + 3) for i in k])
    sine = high + fma(high * square, series, low)
    series = polynomial(square, [(-1.0) ** i / math.factorial(2 * i + 4) for i in k])
    half, first = square * 0.5, 1.0 - square * 0.5
    cosine = first + (((1.0 - first) - half) + fma(square * square, series, -(high * low)))
    bits = on_bits("add", shifted, quarter)
    f, real = x.function, x.real
    last = f.emit(f"bitcast {real.text} {bits.name} to {real.integer}")
    chosen = cosine.select(Mask(f, real, f.emit(f"trunc {real.integer} {last} to {real.mask}")), sine)
    return on_bits("xor", chosen, on_bits("shl", on_bits("and", bits, 2), real.bits - 2))


def sin(x: Number) -> Number:
    """Return sin x for |x| ≤ 10⁵."""
    return where(abs(x) > 0, _in_quadrants(x, 0), x)


def cos(x: Number) -> Number:
    """Return cos x for |x| ≤ 10⁵."""
    return _in_quadrants(x, 1)


def hypot(x: Number, y: Number) -> Number:
    """Return √(x² + y²), of numbers divided by the larger one's power of 2, so that no square over- or underflows."""
    p, f = precision(x), x.function
    a, b = abs(x), abs(y)
    large, small, least = where(a > b, a, b), where(a > b, b, a), 2.0 ** (1 - p.bias)
    every = (2 * p.bias + 1) << p.mantissa
    power = on_bits("and", where(large < least, least, large), every)
    inverse = on_bits("xor", power, every)  # and twice as much
    large, small, total = large * inverse, small * inverse, large + small
    root = f.intrinsic("sqrt", fma(large, large, small * small)) * (power * 0.5)
    return where((a >= math.inf) | (b >= math.inf), math.inf, where(total > 0, root, total))

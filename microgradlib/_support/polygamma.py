"""The polygamma functions: the derivatives of log Γ, of every order."""

from __future__ import annotations

import math
from itertools import count

from microgradlib._support.log_gamma import polynomial
from microgradlib._support.shown import shown

__all__ = ["polygamma"]

# Bernoulli numbers B₂, B₄, …, B₂₄ (Abramowitz and Stegun, table 23.2).
_BERNOULLI = (
    1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510,
    43867 / 798, -174611 / 330, 854513 / 138, -236364091 / 2730,
)  # fmt: skip

_ROOTS = (
    (1.4616321449683622, 9.549995429965697e-17, 0.25, (
        0.9676722454476212, -0.4427631689835921, 0.2584997609556687, -0.16394270544241862, 0.10782405068533324,
        -0.07219956125239833, 0.048804288921354876, -0.03316112699288993, 0.02259760081602993,
        -0.015424733465408253, 0.010540399993098224, -0.007205634748695976, 0.004896701614056688,
        -0.003349222735254419, 0.0025946296942270975, -0.0017749988418890284,
    )),
    (-0.5040830082644554, -8.15428206243813e-18, 0.08, (
        8.939798558792134, -0.8093454625306507, 32.258572064916514, -2.761011648791143, 128.2734234275973,
        -14.706721734498636, 513.2704670877467, -75.37700195027988, 2055.533184309754, -368.57756336340526,
        8235.505030792992, -1743.6253656886802, 32844.54256124555, -8004.177401109838, 146706.4201019747,
        -41010.98927461755,
    )),
)  # fmt: skip
"""Roots of digamma, each in two parts; how far from it ψ(x)/(x − root) is a polynomial in x − root, and which.

The polynomials pass through 16 Chebyshev nodes, computed with mpmath at 60 digits; they err by less than 1e-17.
"""

MOST = 20
"""Of higher orders, n! and powers of x leave the range of floats where their product does not."""


def polygamma(x: float, order: float = 0) -> float:
    """Return ψ⁽ⁿ⁾(x), the derivative of log Γ of order n + 1; n = 0 gives the digamma function.

    The recurrence ψ⁽ⁿ⁾(x) = ψ⁽ⁿ⁾(x+1) − (−1)ⁿ n! x^−(n+1) raises x until the asymptotic series is accurate
    (Abramowitz and Stegun, 6.4.6 and 6.4.11); for x ≤ −¼ the reflection formula is used (6.4.7). Near the positive
    and the first negative root of ψ a polynomial times the distance keeps the relative precision. Orders above 20 are
    computed by logarithms, with twelve digits. `order` is a whole number ≥ 0. Raises `ValueError` at the poles x = 0,
    −1, −2, … and for other orders.

    >>> round(polygamma(1.0), 12)  # minus Euler's constant
    -0.577215664902
    >>> round(polygamma(1.0, 1) - math.pi**2 / 6, 12)
    0.0
    """
    if not 0 <= order < math.inf or order % 1:
        message = f"the order of polygamma must be a whole number >= 0, got {shown(order)}"
        raise ValueError(message)
    n = int(order)
    if math.isnan(x):
        return x
    if n == 0:
        for root, rest, width, coefficients in _ROOTS:
            if abs(x - root) < width:
                t = (x - root) - rest
                return t * polynomial(coefficients, t)
    if x == math.inf:
        return math.inf if n == 0 else 0.0
    if n > MOST:
        return _of_high_order(x, n)
    if x <= -0.25 or x == 0:
        return _reflected(x, n)
    try:
        return _by_recurrence(x, n)
    except OverflowError:  # x is so close to the pole at 0 that n!/|x|ⁿ⁺¹ overflows
        return math.inf if n % 2 or x < 0 else -math.inf


def _by_recurrence(x: float, n: int) -> float:
    sign = -1.0 if n % 2 else 1.0
    factorial = math.factorial(n)
    terms = []
    while x < 16 + 2 * n:
        terms.append(-sign * factorial * math.pow(x, -(n + 1)))
        x += 1
    terms.append(_asymptotic(x, n))
    return math.fsum(terms)


def _asymptotic(x: float, n: int) -> float:
    if n == 0:
        series = math.fsum(b / (2 * k) * math.pow(x, -2 * k) for k, b in zip(count(1), _BERNOULLI))
        return math.log(x) - 1 / (2 * x) - series
    leading = math.factorial(n - 1) * math.pow(x, -n) + math.factorial(n) * math.pow(x, -n - 1) / 2
    series = math.fsum(
        b * math.factorial(2 * k + n - 1) / math.factorial(2 * k) * math.pow(x, -2 * k - n)
        for k, b in zip(count(1), _BERNOULLI)
    )
    return (1.0 if n % 2 else -1.0) * (leading + series)


def _of_high_order(x: float, n: int) -> float:
    """Return (−1)ⁿ⁺¹ n! Σₖ (x+k)^−(n+1), relative to its largest term; for large x by the Euler–Maclaurin formula."""
    first, near = 0, x
    if x <= 0:
        _check_no_pole(x)
        if n % 2 == 0 and (2 * x) % 2 == 1:  # at a half the terms of even order cancel in pairs
            return _of_high_order(1 - x, n)
        first, near = max(0, round(-x) - 8), x - round(x)
        last = round(-x) + 8
    else:
        last = int(x * math.expm1(40 / (n + 1))) + 1 if x < 50 * (n + 1) else -1
    total = math.fsum([math.pow(abs(near / (x + k)), n + 1) * (1 if n % 2 or x + k > 0 else -1)
                       for k in range(first, last + 1)])  # fmt: skip
    if last < 0:
        total = x / n + 1 / 2 + (n + 1) / (12 * x) * (1 - (n + 2) / x * (n + 3) / x / 60)
    try:
        scale = math.lgamma(n + 1) - (n + 1) * math.log(abs(near))
    except OverflowError:  # of n!
        scale = math.inf
    size = math.copysign(math.inf, total) if scale > 709 else total * math.exp(scale)
    return size if n % 2 else -size


def _check_no_pole(x: float) -> None:
    if x % 1 == 0 or x == -math.inf:
        message = f"polygamma has a pole at {x!r}"
        raise ValueError(message)


def _reflected(x: float, n: int) -> float:
    """Return ψ⁽ⁿ⁾(x) = (−1)ⁿ ψ⁽ⁿ⁾(1−x) − dⁿ/dxⁿ π cot πx for x ≤ −¼ and at the pole 0."""
    _check_no_pole(x)
    sign = -1.0 if n % 2 else 1.0
    return sign * _by_recurrence(1 - x, n) - _cotangent_derivative(x, n)


def _cotangent_derivative(x: float, n: int) -> float:
    """Return dⁿ/dxⁿ of π cot πx, as a polynomial in c = cot πx: dc/dx = −π(1 + c²)."""
    part = x - round(x)
    nearly_half = abs(part) > 0.25  # the cotangent is small there: tan(π(½ − |part|)) avoids cancellation
    c = math.copysign(math.tan(math.pi * (0.5 - abs(part))), part) if nearly_half else 1 / math.tan(math.pi * part)
    polynomial = [0.0, math.pi]  # coefficients of c⁰, c¹
    for _ in range(n):
        slope = [k * a for k, a in enumerate(polynomial)][1:]
        polynomial = [-math.pi * (a + b) for a, b in zip([*slope, 0.0, 0.0], [0.0, 0.0, *slope])]
    return math.fsum(a * math.pow(c, k) for k, a in enumerate(polynomial))

"""The logarithm of the gamma function, with full relative precision near its zeros 1 and 2."""

from __future__ import annotations

import math
from functools import reduce

__all__ = ["lgamma", "polynomial"]

# Polynomials through 15 and 16 Chebyshev nodes, computed with mpmath at 60 digits; they err by less than 1e-17.
_MIDDLE = (
    0.4831289505409809, -0.14595989591430633, 0.0629114010745651, -0.031308487500862646, 0.016797098631093372,
    -0.00942562247406296, 0.005446457860682398, -0.0032120721329353405, 0.0019229149147978835,
    -0.0011644901403444882, 0.0007115699504281184, -0.0004364241801394057, 0.0002702869866769687,
    -0.00018534671852976566, 0.00011599195968016846,
)  # fmt: skip
"""ln Γ(x)/((x − 1)(x − 2)) in powers of x − 1.5, for 1.25 ≤ x ≤ 1.75."""

_ABOUT_2 = (
    0.462078812242751, 0.3065393068022644, -0.06027450162647183, 0.017297086407447336, -0.005827157343997423,
    0.002141519524465937, -0.0008301502812756877, 0.00033337970661416374, -0.0001372345268972118,
    5.752213901326074e-05, -2.4445196647830842e-05, 1.0498465127749438e-05, -4.522858838083751e-06,
    1.972474337876138e-06, -9.721147547903204e-07, 4.289232349812461e-07,
)  # fmt: skip
"""ln Γ(x)/(x − 2) in powers of x − 2.125, for 1.75 ≤ x ≤ 2.5."""


def polynomial(coefficients: tuple[float, ...], t: float) -> float:
    """Return Σ cᵢ tⁱ by Horner's rule.

    >>> polynomial((1.0, 2.0, 3.0), 2.0)
    17.0
    """
    return reduce(lambda total, c: total * t + c, reversed(coefficients))


def lgamma(x: float) -> float:
    """Return ln |Γ(x)|: `math.lgamma`, but for 0 < x < 8, where that is exact to 1e-16 only, and may be near 0.

    About its zeros 1 and 2 it is a polynomial times the distance from them; ln Γ(x) = ln Γ(x + 1) − ln x leads there.

    >>> round(lgamma(1 + 2.0**-40) * 2.0**40, 10)  # minus Euler's constant
    -0.5772156649
    """
    if not 0 < x < 8:
        return math.lgamma(x)
    if x < 0.25:
        return x * polynomial(_ABOUT_2, x - 0.125) - math.log(x * (1 + x))
    if x < 0.75:
        return x * (x - 1) * polynomial(_MIDDLE, x - 0.5) - math.log(x)
    if x < 1.25:
        t = x - 1
        return t * polynomial(_ABOUT_2, t - 0.125) - math.log(x)
    if x < 1.75:
        return (x - 1) * (x - 2) * polynomial(_MIDDLE, x - 1.5)
    if x <= 2.5:
        t = x - 2
        return t * polynomial(_ABOUT_2, t - 0.125)
    product = 1.0
    while x > 2.5:
        x -= 1
        product *= x
    return lgamma(x) + math.log(product)

"""Estimate the rounding error of a function from its values, and tell it from oscillation and from curvature."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

from microgradlib.numeric.extrapolation import EPSILON, SMALLEST, power_of_two

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Noise", "estimate_noise"]

_POINTS = 8
_FLOATS = 3  # the shortest steps are this many floats; an odd number, as even multiples may be exact
_STEP = 2.0**-36  # of the scale of x
_WIDER = (2.0**9, 2.0**18)  # times _STEP: numbers rounded to a coarse grid change over such steps only
_RATIOS = (0.9306048591020996, 0.7071067811865476)  # over a single or a round step, f may change without rounding
_HIDDEN = 8.0  # by how much estimates over longer and shorter steps must differ to need an explanation
_WINDOWS = 4
_VARIATION = 0.1  # relative; slopes over short steps that differ by more from place to place belong to an oscillation
_LARGE = 1e-3  # of the range of f; larger changes from float to float leave no derivative to be seen
_ROUNDING = 2.0**-40  # smaller changes, relative to |f|, are rounding, whatever the range of f


class Noise:
    """The rounding error of f near x: `bound`; and `kind`, what it turned out to be.

    "rounding": errors of size `bound`. "oscillation": f is smooth from float to float but oscillates over steps of
    2⁻³⁶, so only quotients over steps up to `widest` show its slope. "irregular": f changes from float to float by as
    much as over wide steps, so no quotient shows a slope.
    """

    def __init__(self, number: Callable[[float], float], x: float, scale: float) -> None:
        step = power_of_two(scale) * _STEP
        least = _HIDDEN * EPSILON * abs(number(x))
        self.kind, self.widest = "rounding", None
        self.bound = estimate_noise(number, x, *(_odd(ratio * step, x) for ratio in _RATIOS))
        shortest = _FLOATS * math.ulp(abs(x) + _POINTS * step)
        finest = _scatter_over_floats(number, x, shortest)
        if self.bound > max(_HIDDEN * finest, least) and _explanation(number, x, step, shortest) == "oscillation":
            self.kind, self.bound, self.widest = "oscillation", finest, step / 4
        else:
            self.bound = max(self.bound, finest)
            if self.bound > max(_ROUNDING * abs(number(x)), least) and self.bound > _LARGE * _range(number, x, scale):
                self.kind = "irregular"
        if self.kind == "rounding":
            for wider in _WIDER:
                coarse = estimate_noise(number, x, _odd(_RATIOS[0] * wider * step, x))
                if coarse > max(_HIDDEN * self.bound, least):
                    if _explanation(number, x, wider * step, step) != "grid":
                        break
                    self.bound = coarse
        self.bound += SMALLEST


def estimate_noise(number: Callable[[float], float], x: float, *steps: float) -> float:
    """Estimate the rounding error of a function near x, by fourth differences over steps so short that it is linear.

    Independent errors of size σ give fourth differences of variance 70 σ² (Hamming's difference table). The eight
    points of each step lie around x, which is not one of them. The largest estimate is returned, 0 at an edge of the
    function's domain.
    """
    noise = max(_scatter(number, x, step, 0.5 - _POINTS / 2) for step in steps)
    return noise if math.isfinite(noise) else 0.0


def _scatter(number: Callable[[float], float], x: float, step: float, start: float) -> float:
    """Return 2σ, estimated from the numbers at x + (start + i) step."""
    differences = [number(x + (start + i) * step) for i in range(_POINTS)]
    for _ in range(4):
        differences = [b - a for a, b in pairwise(differences)]
    noise = 2 * math.hypot(*differences) / math.sqrt(len(differences) * 70)
    return noise if math.isfinite(noise) else math.inf


def _scatter_over_floats(number: Callable[[float], float], x: float, step: float) -> float:
    """Return the larger of the estimates to the right and to the left of x, 0 at an edge of the function's domain."""
    noise = max(_scatter(number, x, step, start) for start in (1, -_POINTS))
    return noise if math.isfinite(noise) else 0.0


def _odd(step: float, x: float) -> float:
    """Return about this step, such that x plus multiples of half of it are exact but no round numbers."""
    unit = 2 * math.ulp(x)
    return (int(step / unit) | 1) * unit if step / unit < 2.0**52 else step


def _explanation(number: Callable[[float], float], x: float, wide: float, short: float) -> str:
    """Return why fourth differences over wide steps are larger: "oscillation", "curvature", or "grid".

    Slopes over short steps differ from place to place in an oscillation. In a curved function they are nearly equal,
    and equal to the slope over a wide step. In a function that is rounded to a grid, as by a cancellation, they are
    nearly equal and wrong: 0, or the slope of what the rounded number is multiplied with.
    """
    slopes = sorted(_secant(number, x + 1.37 * k * wide, short) for k in range(-_WINDOWS, _WINDOWS + 1))[2:-2]
    if not all(map(math.isfinite, slopes)):
        return "curvature"
    largest = max(map(abs, slopes))
    if slopes[-1] - slopes[0] > _VARIATION * largest:
        return "oscillation"
    across = _secant(number, x, _POINTS * wide)
    return "grid" if abs(across - slopes[len(slopes) // 2]) > _VARIATION * max(largest, abs(across)) else "curvature"


def _secant(number: Callable[[float], float], x: float, step: float) -> float:
    above, below = x + step, x - step
    return (number(above) - number(below)) / (above - below)


def _range(number: Callable[[float], float], x: float, scale: float) -> float:
    """Return the range of f over steps from scale/16 down to scale/2²⁰, where it is finite."""
    numbers = [number(x + sign * scale / 16**k) for k in range(1, 6) for sign in (-1, 1)]
    finite = [y for y in numbers if math.isfinite(y)]
    return max(finite) - min(finite) if finite else 0.0

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
_FLOATS = (3, 7)  # the shortest steps are so many floats: odd numbers, as even multiples may be exact
_STEP = 2.0**-36  # of the scale of x
_WIDER = (2.0**9, 2.0**18)  # times _STEP: numbers rounded to a coarse grid change over such steps only
_RATIOS = (0.7071067811865476, 0.9306048591020996)  # of the steps: over a round or a single one, rounding can be hidden
_HIDDEN = 8.0  # by how much estimates over longer and shorter steps must differ to need an explanation
_PLACES = (0.31, -1.13, 1.61, -2.3, 2.83, -3.6, 3.77, -4.7, 5.1)  # in steps from x: irregular, as f may be periodic
_ALIAS = 16.0  # the slopes of a resolved oscillation differ by less
_HALVINGS = (1, 2, 3, 4, 6, 8, 10, 12, 16)  # of x, where floats are denser
_VARIATION = 0.1  # relative; slopes over short steps that differ by more from place to place belong to an oscillation
_RESOLVED = 1 / 64  # of the estimate over longer steps: that over a few floats in an oscillation they resolve
_SURE = 3.0  # differences of slopes count if they are larger than this multiple of their rounding error
_LARGE = 1e-3  # of the range of f; larger changes from float to float leave no derivative to be seen
_COARSE = 1 / 16  # the same for what seems to be a coarse grid: a sawtooth looks like one,
_VISIBLE = 2.0**-20  # unless it is smaller than this, relative to |f| or 1
_ROUNDING = 2.0**-40  # smaller changes, relative to |f| or 1, are rounding, whatever the range of f


class Noise:
    """The rounding error of f near x: `bound`; and `kind`, what else was found.

    "rounding": nothing else. "oscillation": f seems to be smooth from float to float but to oscillate over steps of
    2⁻³⁶; then quotients over steps up to `widest`, with the rounding error `least`, decide. "irregular": f changes from
    float to float by as much as over wide steps, so no quotient shows a slope.
    """

    def __init__(self, number: Callable[[float], float], x: float, scale: float) -> None:
        step = max(power_of_two(scale) * _STEP, 16 * math.ulp(x))
        self.widest = step / 4
        self.kind = "rounding"
        nearby = [number(at) for at in (x, x + scale / 16, x - scale / 16)]
        size = max((abs(y) for y in nearby if math.isfinite(y)), default=0.0)
        small = _HIDDEN * EPSILON * size
        self.bound = estimate_noise(number, x, *(_odd(ratio * step, x) for ratio in _RATIOS))
        shortest = math.ulp(abs(x) + _POINTS * step)
        finest = _scatter_over_floats(number, x, shortest)
        if self.bound > max(_HIDDEN * finest, small):  # it may be so by chance: look at other places too
            finest = max(_scatter_over_floats(number, x + place * step, shortest) for place in _PLACES[:5])
        self.least = finest + SMALLEST
        cause = "rounding"
        for short in (4 * shortest, step / 64):
            if cause == "rounding" and self.bound > max(_HIDDEN * finest, small):
                cause = _explanation(number, x, step, short, finest)
        if cause == "curvature":
            self.bound = max(finest, EPSILON * size)
        if cause == "oscillation":
            on_both_sides = [
                _scatter(number, x, _odd(sign * ratio * step, x), 1) for sign in (1, -1) for ratio in _RATIOS
            ]
            if max(on_both_sides) <= max(_HIDDEN * finest, small):
                self.bound = finest  # a kink at x itself, with a smooth function on both sides
            else:
                resolved = finest < _RESOLVED * self.bound and _is_resolved(number, x, step)
                self.kind = "oscillation" if resolved else "irregular"
                # A step over many periods shows an alias: the range over the slope is about a sixth of one.
                if resolved:
                    self.widest = min(self.widest, power_of_two(self.bound / _slope_over_floats(number, x, step)))
        self.bound = max(self.bound, finest)
        if self.kind == "rounding":
            if self.bound > _ROUNDING * max(size, 1.0) and self.bound > _LARGE * _range(number, x, scale):
                self.kind = "irregular"
            self._look_for_grid(number, x, scale, step, size)
        self.bound += SMALLEST

    def _look_for_grid(
        self, number: Callable[[float], float], x: float, scale: float, step: float, size: float
    ) -> None:
        short = step
        for wider in _WIDER:
            coarse = estimate_noise(number, x, _odd(_RATIOS[0] * wider * step, x))
            if coarse > _HIDDEN * max(self.bound, EPSILON * size):
                if _explanation(number, x, wider * step, short, self.bound) != "grid":
                    break
                self.bound = coarse
                if coarse > max(_VISIBLE * max(size, 1.0), _COARSE * _range(number, x, scale)):
                    self.kind = "irregular"
            short = wider * step


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
    """Return the estimate from points on one side of x, the one away from 0; 0 at an edge of the function's domain."""
    outward = math.copysign(step, x)
    noise = max(_scatter(number, x, count * outward, 1) for count in _FLOATS)
    return noise if math.isfinite(noise) and math.isfinite(number(x - outward)) else 0.0


def _odd(step: float, x: float) -> float:
    """Return about this step, such that x plus multiples of half of it are exact but no round numbers."""
    unit = 2 * math.ulp(x)
    return (int(step / unit) | 1) * unit if abs(step) / unit < 2.0**52 else step


def _explanation(number: Callable[[float], float], x: float, wide: float, short: float, noise: float) -> str:
    """Return why fourth differences over wide steps are large: "oscillation", "curvature", "grid", or "rounding".

    Slopes over short steps differ from place to place in an oscillation. In a curved function they are nearly equal,
    and equal to the slope over a wide step. In a function that is rounded to a grid, as by a cancellation, they are
    nearly equal and wrong: 0, or the slope of what the rounded number is multiplied with. If `noise`, the rounding
    error over short steps, explains their differences, they say nothing.
    """
    slopes = sorted(_secant(number, x + place * wide, short) for place in _PLACES)[2:-2]
    if not all(map(math.isfinite, slopes)):
        return "curvature"
    largest = max(map(abs, slopes))
    if slopes[-1] - slopes[0] > _VARIATION * largest:
        return "oscillation" if slopes[-1] - slopes[0] > _SURE * noise / short else "rounding"
    across = _secant(number, x, _POINTS * wide)
    return "grid" if abs(across - slopes[len(slopes) // 2]) > _VARIATION * max(largest, abs(across)) else "curvature"


def _is_resolved(number: Callable[[float], float], x: float, step: float) -> bool:
    """Return whether floats near x are dense enough for the oscillation of f.

    Where they are not, the slopes over a few floats are those of an alias, and of another one at x/2, x/4 and so on,
    where floats are denser.
    """
    here = _slope_over_floats(number, x, step)
    elsewhere = [_slope_over_floats(number, x / 2**k, step / 2**k) for k in _HALVINGS]
    return all(here / _ALIAS < slope < here * _ALIAS for slope in elsewhere)


def _slope_over_floats(number: Callable[[float], float], x: float, step: float) -> float:
    """Return the largest slope over an odd number of floats around x: over an even one, an alias may hide again."""
    short = _FLOATS[0] * math.ulp(abs(x) + _POINTS * step)
    places = [x + place * step for place in _PLACES]
    return max(abs(number(place + short) - number(place)) for place in places) / short


def _secant(number: Callable[[float], float], x: float, step: float) -> float:
    above, below = x + step, x - step
    return (number(above) - number(below)) / (above - below)


def _range(number: Callable[[float], float], x: float, scale: float) -> float:
    """Return the range of f over steps from scale/16 down to scale/2²⁰, where it is finite."""
    numbers = [number(x + sign * scale / 16**k) for k in range(1, 6) for sign in (-1, 1)]
    finite = [y for y in numbers if math.isfinite(y)]
    return max(finite) - min(finite) if finite else 0.0

"""Look for oscillations that a function has where floats are denser: those that floats near x show, and hidden ones."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

from microgradlib.numeric.extrapolation import EPSILON, power_of_two
from microgradlib.numeric.noise import estimate_noise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["narrowest_wave"]

_FAR = 2.0**24  # nearer to 0, floats are dense beside waves of everyday size
_WIDTHS = tuple([2.0**k for k in range(-12, 15, 3)])  # those waves,
_IN_FLOATS = tuple([2.0**k for k in range(0, 21, 3)])  # and waves of so many floats at x
_DENSE = 2.0**43  # a width has at least 2⁹ floats at the places up to so many widths from 0
_LOWER = (
    1.0,
    2.0**-10,
    2.0**-20,
    2.0**-30,
)  # of such a place: if the function grows, its rounding is larger than a wave there
_WIDEST = 2.0**-7  # of the number at the place
_PLACES = (-6.1, -5.3, -4.7, -3.6, -3.1, -2.3, -1.13, -0.4, 0.31, 1.61, 2.2, 2.83, 3.77, 5.1, 5.7, 6.9)  # in widths
_SHORT = 2.0**-6  # of a width: the step over which slopes are taken
_TURNS = 4  # of the slopes from place to place: a smooth function's have two, on both sides of a peak
_ROUNDINGS = 64.0  # the slopes differ by more than so many rounding errors make of them
_SMOOTH = 0.1  # of the spread of the slopes: those over a quarter of the step differ by less, not so on a grid
_SPREAD = 0.2  # of their range: half of a wave's slopes differ by more; on a grid, most slopes are alike
_TINY = 0.7071067811865476 * 2.0**-9  # of a width: the step over which rounding shows
_CLEAR = 8.0  # the spread is so many times what rounding makes
_VISIBLE = 64.0  # rounding errors: a smaller wave cannot be distinguished from them
_FLOATS = 32.0  # a wave of fewer floats is not resolved


def narrowest_wave(number: Callable[[float], float], x: float, noise: float) -> float:
    """Return about the width of the narrowest wave that the function has at numbers nearer to 0; inf without any.

    0 if it has one that floats near x do not show: they are too far apart, or the wave is smaller than 64 times the
    rounding error there, `noise` or that of f(x) itself. Floats show the mean slope over many waves then, with a small
    error: cos 2x + x at 10¹⁶ seems to be x. A wave is smooth over short steps, and its slopes rise and fall from place
    to place.

    >>> [narrowest_wave(f, 1e16, 2.0) for f in (lambda x: math.cos(2 * x) + x, lambda x: x, math.log, math.sqrt)]
    [0.0, inf, inf, inf]
    >>> narrowest_wave(math.sin, 1e8, 0.0)
    1.0
    """
    narrowest = math.inf
    if not _FAR <= abs(x) < math.inf:
        return narrowest
    visible = _VISIBLE * max(noise, EPSILON * abs(number(x)))
    for width in (*_WIDTHS, *(count * math.ulp(x) for count in _IN_FLOATS)):
        for place in _places(x, width):
            extent = _wave(number, place, width)
            if extent and (width < _FLOATS * math.ulp(x) or extent * width / 16 < visible):
                return 0.0
            narrowest = min(narrowest, width) if extent else narrowest
    return narrowest


def _places(x: float, width: float) -> Iterator[float]:
    """Yield numbers of the sign of x, nearer to 0, where a width has many floats."""
    nearest = x * min(2.0**-4, power_of_two(_DENSE * width / abs(x)))
    for lower in _LOWER:
        if width <= _WIDEST * abs(nearest * lower):
            yield nearest * lower


def _wave(number: Callable[[float], float], place: float, width: float) -> float:
    """Return the range of the slopes within some widths of the place, 0 unless they are those of smooth waves."""
    slopes, size = _slopes(number, place, width, _SHORT * width)
    extent = max(slopes) - min(slopes)
    if not _ROUNDINGS * EPSILON * size / (_SHORT * width) < extent < math.inf:
        return 0.0
    changes = [b - a for a, b in pairwise(slopes)]
    if sum(a * b < 0 for a, b in pairwise(changes)) < _TURNS:
        return 0.0
    ordered, quarter = sorted(slopes), len(slopes) // 4
    spread = ordered[-1 - quarter] - ordered[quarter]
    noise = max(estimate_noise(number, place + k * width, _TINY * width) for k in _PLACES[::5])
    if spread < max(_SPREAD * extent, _CLEAR * noise / (_SHORT * width)):
        return 0.0
    finer, _ = _slopes(number, place, width, _SHORT / 4 * width)
    differences = sorted(abs(a - b) for a, b in zip(slopes, finer))
    return extent if differences[len(differences) // 2] <= _SMOOTH * spread else 0.0


def _slopes(number: Callable[[float], float], place: float, width: float, step: float) -> tuple[list[float], float]:
    """Return the slopes over a step at all places, and the size of the function there."""
    slopes, size = [], 0.0
    for at in (place + k * width for k in _PLACES):
        above, below = number(at + step), number(at - step)
        slopes.append((above - below) / ((at + step) - (at - step)))
        size = max(size, abs(above))
    return slopes, size

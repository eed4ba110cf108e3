"""Numbers as the tape holds them."""

from __future__ import annotations

import math

from microgradlib.ops import ZERO

__all__ = ["encode"]


def encode(number: float | None) -> float | str | None:
    """Return a number as JSON holds it: null for `ZERO`, texts for nan and the infinities.

    >>> encode(0.5), encode(ZERO), encode(float("-inf"))
    (0.5, None, '-Infinity')
    """
    if number is None or number is ZERO:
        return None
    number = float(number)
    if math.isfinite(number):
        return number
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"

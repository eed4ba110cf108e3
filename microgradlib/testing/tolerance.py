"""Tolerances for comparing derivatives."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from microgradlib.numeric.comparison import SAFETY

if TYPE_CHECKING:
    from microgradlib.numeric.extrapolation import NumericDerivative

__all__ = ["allowed_error", "same"]

_FLOOR = 1e-8  # relative; an error estimate may be too small by chance


def allowed_error(numeric: NumericDerivative) -> float:
    """Return the allowed difference from a numeric derivative d: `SAFETY` times its error plus 1e-8 max(1, |d|).

    >>> from microgradlib.numeric.differences import numeric_derivative
    >>> slope = numeric_derivative(lambda x: x**3, 2.0)
    >>> abs(slope.value - 12.0) < allowed_error(slope) < 1e-6
    True
    """
    return SAFETY * numeric.error + _FLOOR * max(1.0, abs(numeric.value))


def same(one: float, other: float) -> bool:
    """Return whether two floats are the same number; nan equals nan, and 0 equals −0.

    >>> same(math.nan, math.nan), same(0.0, -0.0), same(0.1 + 0.2, 0.3)
    (True, True, False)
    """
    return one == other or (math.isnan(one) and math.isnan(other))

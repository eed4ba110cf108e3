"""The standard scores of a column, exact but for one last rounding, whatever its scale and offset."""

import math
from collections.abc import Callable, Sequence

BITS = 130
"""Standard deviations are computed to half as many bits, more than a float has."""


def standard_score(column: Sequence[float]) -> Callable[[float], float]:
    """Return the function x → (x − mean) / std of a column's mean and standard deviation, std² = Σ (x − mean)² / n.

    Of a constant column it returns x − mean. Floats are whole numbers times a power of two: sums and squares of these
    are exact, so neither an offset nor a scale at the ends of the range costs digits. What is too large for a float is
    infinite.

    >>> score = standard_score([1e-200, 2e-200, 3e-200])
    >>> score(1e-200), score(2e-200), score(3e-200)
    (-1.224744871391589, 0.0, 1.224744871391589)
    >>> [standard_score([1e16, 1e16 + 2, 1e16 + 2])(x) for x in (1e16, 1e16 + 2)]
    [-1.4142135623730951, 0.7071067811865476]
    """
    first = float(column[0])
    if all(x == first for x in column):
        return lambda x: float(x) - first
    places = max(_places(x) for x in column)
    whole = [_whole(x, places) for x in column]
    n, total = len(whole), sum(whole)
    squares = sum((n * w - total) ** 2 for w in whole)  # n³ std² in units of 4^-places
    extra = max(BITS + n.bit_length() - squares.bit_length() + 1, 0) // 2
    n_std = math.isqrt((squares << 2 * extra) // n)  # n std in units of 2^-(places + extra)

    def score(x: float) -> float:
        finer = max(_places(x) - places, 0)
        deviation = n * _whole(x, places + finer) - (total << finer)
        try:
            return (deviation << extra) / (n_std << finer)
        except OverflowError:
            return math.inf if deviation > 0 else -math.inf

    return score


def _places(x: float) -> int:
    """Return the number of binary digits behind the point that x needs."""
    return float(x).as_integer_ratio()[1].bit_length() - 1


def _whole(x: float, places: int) -> int:
    """Return x · 2^places, a whole number."""
    numerator, denominator = float(x).as_integer_ratio()
    return (numerator << places) // denominator

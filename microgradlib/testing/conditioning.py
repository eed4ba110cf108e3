"""Find inputs at which an op is well conditioned: inside its sample intervals and away from its kinks."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.ops import Op

__all__ = ["REACH", "away_from_kinks", "crosses_kink", "input_count", "is_smooth", "sample_interval"]

REACH = 0.1
"""The least distance of a drawn input from a kink: about the first step of a numeric derivative near 0."""

_HALVINGS = 8
_WINDOWS = 31  # a jump is detected in a narrow window; an odd number, so that round numbers lie inside one
_DELTA = 1 / 2000  # of the interval searched: the step of the differences that estimate slopes
_DEFAULT_COUNT = 2  # for an op of any number of inputs


def sample_interval(op: Op, index: int) -> tuple[float, float]:
    """Return the sample interval of an op for one input; the op's last interval applies to all further inputs.

    >>> from microgradlib.ops import TABLE
    >>> sample_interval(TABLE["div"], 1)
    (0.3, 3.0)
    """
    return op.sample[min(index, len(op.sample) - 1)]


def input_count(op: Op) -> int:
    """Return the op's arity, or 2 for an op of any number of inputs."""
    return _DEFAULT_COUNT if op.arity is None else op.arity


def crosses_kink(op: Op, inputs: Sequence[float], reach: float = REACH) -> bool:
    """Return whether the op's value or its first or second derivatives jump within `reach` of `inputs`, along an input.

    A jump is located by bisection, keeping the half over which the numbers change more. For a smooth function the
    change decreases with the interval; at a jump it does not. For ops whose record has no kink the result is False.

    >>> from microgradlib.ops import TABLE
    >>> crosses_kink(TABLE["relu"], [0.05]), crosses_kink(TABLE["relu"], [0.5])
    (True, False)
    """
    if op.kink is None:
        return False
    if op.kink(*inputs):
        return True
    return any(_jumps(op, inputs, i, x - reach, x + reach) for i, x in enumerate(inputs))


def _jumps(op: Op, inputs: Sequence[float], index: int, low: float, high: float) -> bool:
    """Return whether the value, a derivative or its slope jumps as inputs[index] goes from low to high."""
    delta = (high - low) * _DELTA

    def rules(x: float) -> tuple[float, ...]:
        point = [*inputs[:index], x, *inputs[index + 1 :]]
        value = op.compute(*point)
        return (value, *op.local_derivatives(value, *point))

    def with_slopes(x: float) -> tuple[float, ...]:
        slopes = [(above - below) / (2 * delta) for above, below in zip(rules(x + delta), rules(x - delta))]
        return (*rules(x), *slopes)

    at_low, at_high = with_slopes(low), with_slopes(high)
    largest = 0.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        at_middle = with_slopes(middle)
        below, above = math.dist(at_low, at_middle), math.dist(at_middle, at_high)
        largest = max(largest, below, above)
        if below >= above:
            high, at_high = middle, at_middle
        else:
            low, at_low = middle, at_middle
    return math.dist(at_low, at_high) > 0.05 * largest


def away_from_kinks(op: Op, inputs: Sequence[float]) -> tuple[float, ...] | None:
    """Return `inputs`, if necessary with one of them moved by the smallest step that avoids kinks; None if none does.

    >>> from microgradlib.ops import TABLE
    >>> away_from_kinks(TABLE["relu"], [0.0])
    (0.25,)
    """
    point = tuple(inputs)
    if not crosses_kink(op, point):
        return point
    for multiple in (1, -1, 2, -2, 3, -3, 4, -4):
        for i, x in enumerate(point):
            moved = x + 2.5 * REACH * multiple
            low, high = sample_interval(op, i)
            candidate = (*point[:i], moved, *point[i + 1 :])
            if low <= moved <= high and not crosses_kink(op, candidate):
                return candidate
    return None


@lru_cache(maxsize=4096)
def is_smooth(op: Op) -> bool:
    """Return whether the op has no kink in its sample region; False for detach, whose derivative is defined as 0.

    >>> from microgradlib.ops import TABLE
    >>> is_smooth(TABLE["tanh"]), is_smooth(TABLE["relu"]), is_smooth(TABLE["hypot"])
    (True, False, True)
    """
    if op.name == "detach":
        return False
    if op.kink is None:
        return True
    intervals = [sample_interval(op, i) for i in range(input_count(op))]
    middle = [(low + high) / 2 for low, high in intervals]
    for i, (low, high) in enumerate(intervals):
        width = (high - low) / _WINDOWS
        if any(_jumps(op, middle, i, low + k * width, low + (k + 1) * width) for k in range(_WINDOWS)):
            return False
    return True

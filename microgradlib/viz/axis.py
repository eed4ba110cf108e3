"""Round numbers for an axis: where its marks stand and what they say."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_STEPS: Final = (1.0, 2.0, 2.5, 5.0, 10.0)
_FLAT: Final = 1e-9


@dataclass(frozen=True)
class Axis:
    """A range of numbers and its marks: pairs of place and text, from low to high.

    >>> Axis.over([0.0, 9.3], marks=5).marks
    ((0.0, '0'), (2.0, '2'), (4.0, '4'), (6.0, '6'), (8.0, '8'), (10.0, '10'))
    >>> Axis.over([7.0]).place(7.0)
    0.5
    """

    low: float
    high: float
    marks: tuple[tuple[float, str], ...]

    @staticmethod
    def over(numbers: Iterable[float], *, marks: int = 5, tight: bool = False, whole: bool = False) -> Axis:
        """Return the axis for these finite numbers.

        Args:
            numbers: what must fit; none at all gives the axis from 0 to 1.
            marks: about how many marks.
            tight: end exactly at the extreme numbers instead of at the next mark.
            whole: marks only at whole numbers, for counts of steps.

        """
        low, high = _range(list(numbers))
        step = _step(high / marks - low / marks, whole=whole)
        first, last = low / step, high / step
        start, stop = (_ceil(first), _floor(last)) if tight else (_floor(first), _ceil(last))
        places = [place * step for place in range(start, stop + 1)]
        texts = [_text(place, step) for place in places]
        if not tight:
            low, high = min(low, places[0]), max(high, places[-1])
        return Axis(low, high, tuple(zip(places, texts, strict=True)))

    def place(self, number: float) -> float:
        """Return how far along the axis a number stands, 0 at the low end and 1 at the high one."""
        return (number / 2 - self.low / 2) / (self.high / 2 - self.low / 2)


def _range(numbers: list[float]) -> tuple[float, float]:
    low, high = (min(numbers), max(numbers)) if numbers else (0.0, 1.0)
    middle = low / 2 + high / 2
    # A constant, or one but for rounding, stands in the middle of a range of its own size.
    if high / 2 - low / 2 <= max(abs(low), abs(high)) * _FLAT:
        half = max(abs(middle) / 2, 1e-300) if middle else 0.5
        low, high = middle - half, middle + half
    return low, high


def _step(rough: float, *, whole: bool) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    step = next((factor * power for factor in _STEPS if factor * power >= rough * (1 - 1e-9)), 10.0 * power)
    if not whole:
        return step
    return 1.0 if step < 1 else float(math.ceil(step))


def _floor(ratio: float) -> int:
    return math.floor(ratio + 1e-9)


def _ceil(ratio: float) -> int:
    return math.ceil(ratio - 1e-9)


def _text(place: float, step: float) -> str:
    """Write as many digits as tell neighbouring marks apart, and no more."""
    if place == 0:
        return "0"
    magnitude = math.floor(math.log10(abs(place)))
    digits = max(magnitude - math.floor(math.log10(step)) + 2, min(magnitude + 1, 6))  # 10000 rather than 1e+04
    return f"{place:.{min(digits, 17)}g}"

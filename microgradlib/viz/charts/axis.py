"""Chart axes with tick marks at round numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_STEPS: Final = (1.0, 2.0, 2.5, 5.0, 10.0)
"""Distances between marks, times a power of ten."""
_FLAT: Final = 1e-9
"""A range narrower than this, relative to its numbers, counts as a single number: its width is rounding error."""
_FEW_DECADES: Final = 2
_PLAIN: Final = (0.01, 10_000.0)
_SUPERSCRIPT: Final = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Axis:
    """A range of numbers with tick marks, pairs of number and text in ascending order.

    >>> Axis.over([0.0, 9.3], marks=5).marks
    ((0.0, '0'), (2.0, '2'), (4.0, '4'), (6.0, '6'), (8.0, '8'), (10.0, '10'))
    >>> Axis.over([7.0]).fraction(7.0)
    0.5
    """

    low: float
    high: float
    marks: tuple[tuple[float, str], ...]
    is_log: bool = False

    @staticmethod
    def over(numbers: Iterable[float], *, marks: int = 5, tight: bool = False, whole: bool = False) -> Axis:
        """Return the axis for these finite numbers.

        Args:
            numbers: the numbers to span; without any, the axis goes from 0 to 1.
            marks: the approximate number of marks.
            tight: end exactly at the extreme numbers instead of at the next mark.
            whole: place marks at whole numbers only, as for steps.

        """
        low, high = _range(list(numbers))
        step = _step(high / marks - low / marks, whole=whole)
        first, last = low / step, high / step
        start, stop = (_ceil(first), _floor(last)) if tight else (_floor(first), _ceil(last))
        positions = [i * step for i in range(start, stop + 1)]
        texts = [_text(position, step) for position in positions]
        if not tight:
            low, high = min(low, positions[0]), max(high, positions[-1])
        return Axis(low, high, tuple(zip(positions, texts, strict=True)))

    @staticmethod
    def over_decades(numbers: Iterable[float], *, marks: int = 8, tight: bool = False) -> Axis:
        """Return the logarithmic axis for these numbers, all greater than 0; marks stand at powers of ten.

        Where the numbers span less than two decades, 2 and 5 times a power of ten are marked too.

        >>> Axis.over_decades([0.002, 30.0]).marks
        ((0.001, '10⁻³'), (0.01, '0.01'), (0.1, '0.1'), (1.0, '1'), (10.0, '10'), (100.0, '100'))
        """
        low, high = _range_of_decades(list(numbers))
        first, last = math.floor(math.log10(low) + _FLAT), math.ceil(math.log10(high) - _FLAT)
        every = max(1, math.ceil((last - first) / marks))
        factors = (1, 2, 5) if last - first <= _FEW_DECADES else (1,)
        powers = range(first, last + 1, every)
        positions = [factor * 10.0**power for power in powers for factor in factors]
        if tight:
            positions = [position for position in positions if low <= position <= high]
        else:
            below, above = [p for p in positions if p <= low], [p for p in positions if p >= high]
            low, high = max(below, default=low), min(above, default=high)
            positions = [position for position in positions if low <= position <= high]
        return Axis(low, high, tuple((position, _decade_text(position)) for position in positions), is_log=True)

    def fraction(self, number: float) -> float:
        """Return the position of a number along the axis as a fraction: 0 at the low end and 1 at the high end."""
        if self.is_log:
            low, high = math.log10(self.low), math.log10(self.high)
            return (math.log10(number) - low) / (high - low)
        return (number / 2 - self.low / 2) / (self.high / 2 - self.low / 2)


def _range(numbers: list[float]) -> tuple[float, float]:
    low, high = (min(numbers), max(numbers)) if numbers else (0.0, 1.0)
    middle = low / 2 + high / 2
    # A single number is placed in the middle of a range as wide as its magnitude.
    if high / 2 - low / 2 <= max(abs(low), abs(high)) * _FLAT:
        half = max(abs(middle) / 2, 1e-300) if middle else 0.5
        low, high = middle - half, middle + half
    return low, high


def _range_of_decades(numbers: list[float]) -> tuple[float, float]:
    low, high = (min(numbers), max(numbers)) if numbers else (1.0, 10.0)
    return (low, high) if high > low * (1 + _FLAT) else (low / 2, high * 2)


def _decade_text(position: float) -> str:
    """Write a mark of a logarithmic axis: from 0.01 to 10,000 in figures, beyond them as a power of ten."""
    if _PLAIN[0] <= position <= _PLAIN[1]:
        return f"{position:g}"
    power = math.floor(math.log10(position) + _FLAT)
    factor = round(position / 10.0**power)
    return ("" if factor == 1 else f"{factor}·") + "10" + str(power).translate(_SUPERSCRIPT)


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


def _text(position: float, step: float) -> str:
    """Write the position of a mark with the fewest digits that distinguish neighbouring marks."""
    if position == 0:
        return "0"
    magnitude = math.floor(math.log10(abs(position)))
    digits = max(magnitude - math.floor(math.log10(step)) + 2, min(magnitude + 1, 6))  # 10000 rather than 1e+04
    return f"{position:.{min(digits, 17)}g}"

"""Write numbers to be read: few digits, never a whole number that it is not, one precision for a picture."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Context
from typing import Final

NOT_REACHED: Final = "—"
"""Shown where there is no number, such as the gradient of a node that no gradient has reached."""

MINUS: Final = "\u2212"
MORE_DIGITS: Final = 3
"""So many digits more are tried before a number near a whole one is written with ≈."""

_FEW_BOXES: Final = 12
_ROUNDINGS: Final = tuple(Context(prec=digits or 1, rounding=ROUND_HALF_UP) for digits in range(18))


def precision(boxes: int) -> int:
    """Return how many digits the numbers of a picture have: 4 in up to 12 boxes, otherwise 3.

    >>> precision(9), precision(30)
    (4, 3)
    """
    return 4 if boxes <= _FEW_BOXES else 3


def number(value: float | None, digits: int = 4) -> str:
    """Write a number with this many significant digits, halves rounded away from zero.

    - A whole number below a million in size is written in full: `12345`.
    - From 0.0001 to a million there is no power of ten, and the digits before the point are all written: `12345.6`.
    - A number is never rounded to a whole number that it is not: 0.99999 gets as many more digits as it needs, up to
      `MORE_DIGITS`, and if these do not tell, a sign: `≈1`.
    - Zero is `0` whatever its sign. The minus sign is U+2212. No number, None, is `—`.

    The text differs from the number by at most half a unit of its last digit.

    Args:
        value: the number.
        digits: significant digits, 1 to 12.

    >>> number(0.70710678), number(2.0), number(-0.0), number(99999.5), number(0.99999), number(1 - 1e-12)
    ('0.7071', '2', '0', '99999.5', '0.99999', '≈1')
    >>> number(-1.25e-7), number(1234567.0), number(1e-4), number(float("-inf")), number(None)
    ('−1.25e−7', '1.235e6', '0.0001', '−inf', '—')
    """
    if value is None:
        return NOT_REACHED
    if not math.isfinite(value):
        return "nan" if value != value else "inf" if value > 0 else f"{MINUS}inf"  # noqa: PLR0124  nan
    if value == 0:
        return "0"
    sign, size = (MINUS, -value) if value < 0 else ("", float(value))
    if 1e-4 <= size < 1e6:
        return _with_sign(sign, _fixed(size, digits))
    mantissa, exponent = f"{_ROUNDINGS[digits].create_decimal_from_float(size):.{digits - 1}e}".split("e")
    return f"{sign}{_trimmed(mantissa)}e{exponent.lstrip('+').replace('-', MINUS)}"


def counted(count: int, noun: str) -> str:
    """Write how many things there are.

    >>> counted(1, "parameter"), counted(1234, "parameter"), counted(0, "box")
    ('1 parameter', '1,234 parameters', '0 boxes')
    """
    return f"{count:,} {noun}{'' if count == 1 else 'es' if noun.endswith('x') else 's'}"


def _fixed(size: float, digits: int) -> str:
    if size.is_integer():
        return str(int(size))
    digits = max(digits, len(str(int(size)))) if size >= 1 else digits
    for count in range(digits, digits + MORE_DIGITS + 1):
        rounded = _ROUNDINGS[count].create_decimal_from_float(size)
        if rounded != rounded.to_integral_value():
            return _trimmed(f"{rounded:f}")
    return f"≈{rounded:.0f}"


def _trimmed(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def _with_sign(sign: str, text: str) -> str:
    return f"≈{sign}{text[1:]}" if text.startswith("≈") else sign + text

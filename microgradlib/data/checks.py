"""What the makers of data ask of their settings."""

from __future__ import annotations

import math
from typing import Any

__all__ = ["check_spread", "check_whole", "check_width"]


def check_whole(name: str, number: Any, least: int, reason: str) -> None:
    """Refuse anything but a whole number of at least `least`: `TypeError` for another kind, `ValueError` below.

    >>> check_whole("n", 1, 2, "one point per moon")
    Traceback (most recent call last):
    ValueError: n must be at least 2, one point per moon, got 1; write n=2
    """
    if not isinstance(number, int) or isinstance(number, bool):
        message = f"{name} must be a whole number, got {number!r}; write {name}={least}"
        raise TypeError(message)
    if number < least:
        message = f"{name} must be at least {least}, {reason}, got {number}; write {name}={least}"
        raise ValueError(message)


def check_spread(name: str, number: float, meaning: str = "a standard deviation") -> None:
    """Refuse a number that is negative, infinite or nan: a `ValueError` says that it is `meaning`."""
    if not (math.isfinite(number) and number >= 0.0):
        message = f"{name} is {meaning} and must be 0 or more, got {number!r}; write {name}=0.1"
        raise ValueError(message)


def check_width(length: int, width: int) -> None:
    """Refuse a width by which the pixels of an image make no whole rows, with a `ValueError`."""
    check_whole("width", width, 1, "one pixel in each row")
    if length % width or not length:
        message = f"{length} pixels make no whole rows of width {width}; give a width that divides their number"
        raise ValueError(message)

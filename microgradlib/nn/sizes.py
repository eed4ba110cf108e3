"""Check the sizes that layers are built with and the lengths of what they are given."""

from __future__ import annotations

import operator
from typing import Any

from microgradlib._support.number import is_whole

__all__ = ["check_length", "count"]


def count(number: Any, what: str, *, least: int = 1) -> int:
    """Return `number` if it is a whole number and at least 1, or `least`.

    Raises `TypeError` or `ValueError`, naming it as `what`.

    >>> count(0, "nin")
    Traceback (most recent call last):
    ValueError: nin is at least 1, got 0
    """
    if not is_whole(number):
        message = f"{what} is a whole number, got {number!r}"
        raise TypeError(message)
    number = operator.index(number)
    if number < least:
        message = f"{what} is at least {least}, got {number}"
        raise ValueError(message)
    return number  # type: ignore[no-any-return]


def check_length(things: Any, length: int, what: str) -> None:
    """Raise `ValueError` unless `things` has the length `length`, `TypeError` if it has none at all.

    >>> check_length([1.0, 2.0], 3, "the input of this layer")
    Traceback (most recent call last):
    ValueError: the input of this layer has 3 entries, got 2
    """
    if not hasattr(things, "__len__"):
        message = f"{what} is a list of {length} entries, got {things!r}"
        raise TypeError(message)
    if len(things) != length:
        message = f"{what} has {length} {'entry' if length == 1 else 'entries'}, got {len(things)}"
        raise ValueError(message)

"""The checksum of what a JSON file says, whatever its spaces, its line ends and the order of its keys are."""

from __future__ import annotations

import hashlib
import json
import sys
from array import array
from collections.abc import Callable
from typing import Any

__all__ = ["checksum"]


def checksum(name: str, content: Any) -> str:
    """Return 16 digits that belong to a named part of a file; another number, or another name, makes others.

    The numbers 1 and 1.0 are the same: programs that write JSON change the one to the other. 0.0 and -0.0 are not.

    >>> checksum("w", {"a": 1, "b": [2.5, None]}) == checksum("w", {"b": [2.5, None], "a": 1.0})
    True
    >>> checksum("w", {"a": 1.0}), checksum("w", {"a": 1.0000000000000002})
    ('219e6f2917369e69', '4c5dccd3646d864b')
    """
    digest = hashlib.sha256()
    _feed(digest.update, [name, content])
    return digest.hexdigest()[:16]


def _feed(update: Callable[[bytes], None], part: Any) -> None:
    """Give a hash the bytes of a part: of lists their length and their numbers as float64, little-endian."""
    if isinstance(part, dict):
        keys = sorted(part)
        update(b"object " + json.dumps(keys).encode())
        part = [part[key] for key in keys]
    if not isinstance(part, list):
        update(json.dumps(part).encode() + b" ")
        return
    update(b"list %d " % len(part))
    try:
        numbers = array("d", part)
    except (TypeError, OverflowError):  # other things than numbers, or whole numbers that no float can hold
        _feed_each(update, part)
    else:
        if sys.byteorder == "big":
            numbers.byteswap()
        update(numbers.tobytes())


def _feed_each(update: Callable[[bytes], None], part: list[Any]) -> None:
    for element in part:
        _feed(update, [element] if isinstance(element, (int, float)) and abs(element) < 1e308 else element)

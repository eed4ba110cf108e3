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
    ('309494c052812f53', '01202278365cc72d')
    """
    digest = hashlib.sha256()
    _feed(digest.update, [name, content])
    return digest.hexdigest()[:16]


def _feed(update: Callable[[bytes], None], part: Any) -> None:
    """Give a hash the bytes of a part, which begin with its kind and length."""
    if isinstance(part, dict):
        keys = sorted(part)
        update(b"object " + json.dumps(keys).encode())
        part = [part[key] for key in keys]
    is_list = isinstance(part, list)
    try:
        numbers = _float64(part if is_list else [part])
    except (TypeError, OverflowError):  # other things than numbers, or whole numbers that no float can hold
        if not is_list:
            update(json.dumps(part).encode() + b" ")
            return
        update(b"list %d " % len(part))
        for element in part:
            _feed(update, element)
    else:
        update((b"numbers %d " % len(part) if is_list else b"number ") + numbers)


def _float64(numbers: list[Any]) -> bytes:
    """Return numbers as float64, little-endian."""
    packed = array("d", numbers)
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.tobytes()

"""Estimate the width of text without font metrics (an upper estimate)."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Final

_NARROW: Final = frozenset("fijlrtI.,:;'|!()[]{}/ -`")
_BROAD: Final = frozenset("mwMW@%")


def sans_width(text: str, size: float) -> float:
    """Estimate the width of a line of proportional text, in pixels, for a font of `size` pixels.

    >>> sans_width("w", 10) > sans_width("i", 10)
    True
    """
    return size * sum(map(_advance, text))


def mono_width(text: str, size: float) -> float:
    """Estimate the width of a line of fixed-pitch text, in pixels; wide characters count double.

    >>> mono_width("0.25", 10)
    24.4
    """
    columns = len(text) if text.isascii() else sum(2 if _is_wide(character) else 1 for character in text)
    return 0.61 * size * columns


@lru_cache(maxsize=1024)
def _advance(character: str) -> float:
    if character in _NARROW:
        return 0.43
    if _is_wide(character):
        return 1.05
    if unicodedata.combining(character):
        return 0.0
    if character in _BROAD:
        return 1.0
    return 0.78 if character.isupper() else 0.68


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in {"W", "F"} or ord(character) > 0xFFFF

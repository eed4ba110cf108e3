"""Parse JSON more strictly than Python does, and without what could exhaust memory, time or the stack."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any, Final

from microgradlib._support.shown import shown

__all__ = ["check_depth", "parse_json"]

MOST_NESTED: Final = 100
"""So many lists and objects may stand in one another."""
MOST_DIGITS: Final = 1100
"""The digits of the longest decimal number that is exactly a float are fewer; Python's int takes quadratic time."""

_DIGITS: Final = bytes([ord("0") if byte in b"0123456789" else ord(" ") for byte in range(256)])
_ALL: Final = bytes(range(256))
_BRACKETS: Final = bytes.maketrans(b"{}", b"[]")
_TEXT: Final = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)


def parse_json(content: bytes) -> Any:
    """Return what JSON text in UTF-8 says, with or without a byte-order mark.

    Raises `ValueError` for what is not JSON: also for nan and infinite constants, keys that occur twice, numbers of
    more than `MOST_DIGITS` digits and more than `MOST_NESTED` lists and objects in one another.

    >>> parse_json(b'{"a": [1, 2.5]}')
    {'a': [1, 2.5]}
    >>> parse_json(b'{"a": 1, "a": 2}')
    Traceback (most recent call last):
    ValueError: 'a' occurs twice
    """
    if b"0" * (MOST_DIGITS + 1) in content.translate(_DIGITS):
        message = f"a number has more than {MOST_DIGITS} digits"
        raise ValueError(message)
    check_depth(content)
    return json.loads(
        content.decode("utf-8-sig"), parse_constant=_reject_constant, object_pairs_hook=_without_repeated_keys
    )


def check_depth(content: bytes) -> None:
    """Raise `ValueError` for JSON text with more than `MOST_NESTED` lists and objects in one another."""
    if _is_nested_deeper(content, MOST_NESTED):
        message = f"more than {MOST_NESTED} lists or objects stand in one another"
        raise ValueError(message)


def _is_nested_deeper(content: bytes, most: int) -> bool:
    """Say whether more than so many brackets are open at once, at the speed of `bytes.replace`."""
    if content.count(b"[") + content.count(b"{") <= most:
        return False
    if b"\\" in content:
        content = _TEXT.sub(b"", content)
    marks = content.translate(_BRACKETS, _ALL.translate(None, b'[]{}"'))
    rest, depth = _TEXT.sub(b"", marks.replace(b'""', b"")), 0  # "" is an empty text, or the border of two
    while depth <= most and len(inner := rest.replace(b"[]", b"")) < len(rest):
        rest, depth = inner, depth + 1
    return depth + rest.count(b"[") > most


def _reject_constant(constant: str) -> None:
    message = f"{constant} is not JSON"
    raise ValueError(message)


def _without_repeated_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        counts = Counter([key for key, _ in pairs])
        message = f"{shown(next(key for key in counts if counts[key] > 1))} occurs twice"
        raise ValueError(message)
    return content

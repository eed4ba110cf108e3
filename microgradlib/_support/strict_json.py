"""Parse JSON more strictly than Python does, and without what could exhaust memory, time or the stack."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, Final

from microgradlib._support.shown import shown

__all__ = ["check_depth", "parse_json"]

MOST_NESTED: Final = 100
"""So many lists and objects may stand in one another."""
MOST_DIGITS: Final = 1100
"""The digits of the longest decimal number that is exactly a float are fewer; Python's int takes quadratic time."""

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_DIGITS: Final = bytes([ord("0") if byte in b"0123456789" else ord(" ") for byte in range(256)])
_BRACKETS: Final = bytes.maketrans(b"{}", b"[]")
_NO_MARKS: Final = bytes(range(256)).translate(None, b'[]{}"')


def parse_json(content: bytes, most_parts: int = 1_000_000) -> Any:
    """Return what JSON text in UTF-8 says, with or without a byte-order mark.

    Raises `ValueError` for what is not JSON: also for nan and infinite constants, keys that occur twice, numbers of
    more than `MOST_DIGITS` digits, more than `MOST_NESTED` lists and objects in one another, and more than `most_parts`
    lists, objects and texts, of which each takes up to a hundred times the memory of its JSON.

    >>> parse_json(b'{"a": [1, 2.5]}')
    {'a': [1, 2.5]}
    >>> parse_json(b'{"a": 1, "a": 2}')
    Traceback (most recent call last):
    ValueError: 'a' occurs twice
    """
    if content.count(b"[") + content.count(b"{") + content.count(b'"') // 2 > most_parts:
        message = f"there are more than {most_parts:,} lists, objects and texts in it; a higher max_bytes allows more"
        raise ValueError(message)
    if b"0" * (MOST_DIGITS + 1) in content.translate(_DIGITS):
        message = f"a number has more than {MOST_DIGITS} digits"
        raise ValueError(message)
    check_depth(content)
    text = content.removeprefix(_BYTE_ORDER_MARK).decode()
    return json.loads(text, parse_constant=_reject_constant, object_pairs_hook=_without_repeated_keys)


def check_depth(content: bytes) -> None:
    """Raise `ValueError` for JSON text with more than `MOST_NESTED` lists and objects in one another.

    It works at the speed of `bytes.replace`, in which each pass removes what holds nothing more: a level.
    """
    if content.count(b"[") + content.count(b"{") <= MOST_NESTED:
        return
    if b"\\" in content:
        content = content.replace(b"\\\\", b"").replace(b'\\"', b"")  # what remains of quotes are borders of texts
    marks = content.translate(_BRACKETS, _NO_MARKS).replace(b'""', b"")  # an empty text, or the border of two
    rest, depth = b"".join(marks.split(b'"')[::2]), 0
    while depth <= MOST_NESTED and len(inner := rest.replace(b"[]", b"")) < len(rest):
        rest, depth = inner, depth + 1
    if depth + rest.count(b"[") > MOST_NESTED:
        message = f"more than {MOST_NESTED} lists or objects stand in one another"
        raise ValueError(message)


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

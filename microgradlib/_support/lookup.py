"""Look a thing up by its name, and for an unknown name list the known ones and the nearest."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["lookup"]

T = TypeVar("T")


def lookup(name: Any, known: Mapping[str, T], kind: str) -> T:
    """Return `known[name]`. Raises `ValueError` for another name: the nearest and all known ones are in the message.

    >>> lookup("gol", {"gold": 79, "silver": 47}, "metal")
    Traceback (most recent call last):
    ValueError: no metal 'gol'; did you mean 'gold'? known: gold, silver
    """
    if isinstance(name, str) and name in known:
        return known[name]
    folded = {other.casefold(): other for other in known}
    near = difflib.get_close_matches(str(name).casefold(), folded, n=1)
    hint = f"; did you mean {folded[near[0]]!r}?" if near else ";"
    message = f"no {kind} {name!r}{hint} known: {', '.join(known)}"
    raise ValueError(message)

"""Look up an entry by its name; the error for an unknown name lists the known ones and the nearest."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["lookup"]

T = TypeVar("T")


def lookup(name: Any, known: Mapping[str, T], kind: str) -> T:
    """Return `known[name]`; `kind` is what the entries are, for the message.

    Raises:
        ValueError: `name` is not known; the message names the nearest and all known names.

    >>> lookup("gol", {"gold": 79, "silver": 47}, "metal")
    Traceback (most recent call last):
    ValueError: no metal 'gol'; did you mean 'gold'? known: gold, silver
    """
    if isinstance(name, str) and name in known:
        return known[name]
    folded = {other.casefold(): other for other in known}
    nearest = difflib.get_close_matches(str(name).casefold(), folded, n=1)
    hint = f"; did you mean {folded[nearest[0]]!r}?" if nearest else ";"
    message = f"no {kind} {name!r:.80}{hint} known: {', '.join(known)}"
    raise ValueError(message)

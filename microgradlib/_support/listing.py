"""Long lists in short: what `repr` writes of the parts of a model, or of its parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["listed"]


def listed(things: Sequence[Any], most: int = 8) -> str:
    """Return the texts of things, separated by commas; of many equal ones one and their number, of others both ends.

    >>> listed([1, 2, 3]), listed(["a"] * 100), listed(range(100), most=3)
    ('1, 2, 3', "100 × 'a'", '0, 1, … 97 more, 99')
    """
    if len(things) <= most:
        return ", ".join(map(repr, things))
    head, tail = [repr(thing) for thing in things[: most - 1]], repr(things[-1])
    if {*head, tail} == {tail} and all(repr(thing) == tail for thing in things):
        return f"{len(things):,} × {tail}"
    return ", ".join([*head, f"… {len(things) - most:,} more", tail])

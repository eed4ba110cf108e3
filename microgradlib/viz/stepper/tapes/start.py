"""The level of detail that is shown first: the finest one whose cards can be read without zooming."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["first_level", "scale"]

ABOVE: Final = (1360.0, 410.0)
"""The room of a drawing that stands above the table, on a page of 1400 × 900."""
BESIDE: Final = (700.0, 650.0)
"""The room of a drawing beside the table: one that is less than twice as wide as high."""

READABLE: Final = 0.62
"""The least scale at which names of 15 and numbers of 13 px can be read."""
_GAIN: Final = 1.15
"""Where no level can be read, a coarser one is taken only if it is so much larger."""
_LEAST_OPS: Final = 5
"""A level of fewer ops, such as a model closed to one card, shows too little to begin with."""


def scale(size: Sequence[float]) -> float:
    """Return the scale at which a drawing of this width and height fits its place on the page, at most 1.

    >>> scale([680.0, 300.0]), scale([1400.0, 1300.0])
    (1.0, 0.5)
    """
    width, height = size
    room = ABOVE if width >= 2 * height else BESIDE
    return min(1.0, room[0] / width, room[1] / height)


def first_level(levels: Sequence[Mapping[str, Any]], most_nodes: int) -> int:
    """Return the place of the level to show first, of levels with the finest first.

    It is the finest one of at most so many nodes that can be read; if there is none, the one that is drawn largest.

    >>> level = {"nodes": [{"in": [0]}] * 9}
    >>> first_level([{**level, "size": [3000, 500]}, {**level, "size": [1500, 500]}], most_nodes=300)
    1
    """
    fitting = [place for place, level in enumerate(levels) if len(level["nodes"]) <= most_nodes]
    telling = [place for place in fitting if sum("in" in node for node in levels[place]["nodes"]) >= _LEAST_OPS]
    candidates = telling or fitting or [len(levels) - 1]
    best = candidates[0]
    for place in candidates:
        found = scale(levels[place]["size"])
        if found >= READABLE:
            return place
        if found > _GAIN * scale(levels[best]["size"]):
            best = place
    return best

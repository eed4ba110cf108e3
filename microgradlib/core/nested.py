"""The nodes in nested lists, tuples, dicts and arrays, such as the arguments of a call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from microgradlib._support.pytree import is_ndarray
from microgradlib.core.graph import GraphNode
from microgradlib.core.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["nodes_in"]

_VALUES = frozenset({Value})
_NUMBERS = frozenset({float, int})
DEEPEST = 16
"""Lists are searched down to this depth: a list may contain itself."""


def nodes_in(things: Iterable[Any], depth: int = 0) -> list[Any]:
    """Return the nodes in nested lists, tuples, dicts and arrays, each as often as it occurs.

    >>> nodes_in([1.0, (GraphNode(), {"h": [GraphNode()]})])
    [<...GraphNode object at ...>, <...GraphNode object at ...>]
    """
    found: list[Any] = []
    for thing in things:
        kind = thing.__class__
        if kind is Value:
            found.append(thing)
        elif kind is list or kind is tuple:
            kinds = set(map(type, thing))
            if kinds <= _VALUES:
                found += thing
            elif not kinds <= _NUMBERS and depth < DEEPEST:
                found += nodes_in(thing, depth + 1)
        elif kind not in _NUMBERS and depth < DEEPEST:
            found += _nodes_of_others(thing, depth + 1)
    return found


def _nodes_of_others(thing: Any, depth: int) -> list[Any]:
    """Return the nodes in what is no plain list or tuple."""
    if isinstance(thing, GraphNode):
        return [thing]
    if isinstance(thing, (list, tuple)):
        return nodes_in(iter(thing), depth)
    if isinstance(thing, dict):
        return nodes_in(thing.values(), depth)
    return nodes_in(thing.ravel().tolist(), depth) if is_ndarray(thing) and thing.dtype == "O" else []

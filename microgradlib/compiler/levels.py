"""Levels: at which step each node is computed, so that equal operations meet in one instruction."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.compiler.trace import Node

__all__ = ["levels"]

LOOK_AHEAD = 8
"""How many later levels with nodes of its kind a node considers."""


def levels(nodes: Sequence[Node], kinds: Sequence[Any]) -> list[int]:
    """Return each node's level: leaves 0, others after all their arguments.

    A node is computed as early as possible, unless it can wait, without making the whole longer, for a level at which
    at least twice as many nodes of its kind are computed.
    """
    early = [0] * len(nodes)
    for i, node in enumerate(nodes):
        if kinds[i] is not None:
            early[i] = 1 + max([early[a] for a in node.arguments])
    late = _latest(nodes, max(early, default=0))
    crowd = Counter(zip(kinds, early))
    places: dict[Any, list[int]] = defaultdict(list)
    for kind, place in sorted(crowd, key=lambda pair: pair[1]):
        places[kind].append(place)
    level = [0] * len(nodes)
    for i, node in enumerate(nodes):
        if kinds[i] is None:
            continue
        first = 1 + max([level[a] for a in node.arguments])
        start = bisect_right(places[kinds[i]], first)
        later = [n for n in places[kinds[i]][start : start + LOOK_AHEAD] if n <= late[i]]
        sizes = [crowd[kinds[i], n] for n in later]
        best = later[sizes.index(max(sizes))] if later else first
        level[i] = best if crowd[kinds[i], best] >= 2 * crowd[kinds[i], first] else first
    return level


def _latest(nodes: Sequence[Node], deepest: int) -> list[int]:
    late = [deepest] * len(nodes)
    for i in range(len(nodes) - 1, -1, -1):
        for a in nodes[i].arguments:
            late[a] = min(late[a], late[i] - 1)
    return late

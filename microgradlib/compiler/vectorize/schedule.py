"""Schedule: at which step each node is computed, so that equal operations meet in one instruction."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.compiler.trace import TracedNode

__all__ = ["schedule"]

LOOK_AHEAD = 8
"""How many later levels with nodes of its kind a node considers."""


def schedule(nodes: Sequence[TracedNode], kinds: Sequence[Any]) -> list[int]:
    """Return each node's level: leaves 0, others after all their arguments.

    A node is computed as early as possible, unless it can wait, without making the whole longer, for a level at which
    at least twice as many nodes of its kind are computed.
    """
    early = [0] * len(nodes)
    for i, node in enumerate(nodes):
        if kinds[i] is not None:
            early[i] = 1 + max(map(early.__getitem__, node.arguments))
    late = _latest(nodes, max(early, default=0))
    crowd = Counter(zip(kinds, early))
    places: dict[Any, list[int]] = defaultdict(list)
    for kind, place in sorted(crowd, key=lambda pair: pair[1]):
        places[kind].append(place)

    @cache
    def crowded(kind: Any, first: int) -> list[int]:
        """Return the next levels with at least twice as many of the kind as `first` has, those with most before."""
        start = bisect_right(places[kind], first)
        near = places[kind][start : start + LOOK_AHEAD]
        return sorted([n for n in near if crowd[kind, n] >= 2 * crowd[kind, first]], key=lambda n: -crowd[kind, n])

    level = [0] * len(nodes)
    for i, node in enumerate(nodes):
        if kinds[i] is not None:
            first = 1 + max(map(level.__getitem__, node.arguments))
            level[i] = next((n for n in crowded(kinds[i], first) if n <= late[i]), first)
    return level


def _latest(nodes: Sequence[TracedNode], deepest: int) -> list[int]:
    late = [deepest] * len(nodes)
    for i in range(len(nodes) - 1, -1, -1):
        before = late[i] - 1
        for a in nodes[i].arguments:
            if before < late[a]:  # noqa: PLR1730  min() takes three times as long
                late[a] = before
    return late

"""Blocks of large graphs that have no scopes of their own: ops that together have one output, to be closed as one."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from microgradlib.viz.snapshots.snapshot import Scope, Snapshot

if TYPE_CHECKING:
    from microgradlib.viz.boxes.groups import Groups

__all__ = ["with_blocks"]

BLOCKS: Final = 100
"""A chain is divided into about so many blocks."""

_LEAST: Final = 4


def with_blocks(groups: Groups) -> Snapshot:
    """Return the snapshot with further scopes of kind "block", inside those that it has.

    An op belongs to the block of the op that uses it, if that is the only one and in the same scope, until the block
    has its share of all ops. So only the last op of a block is used outside.

    >>> from microgradlib import Value, tanh
    >>> from microgradlib.viz.snapshots.capture import snapshot
    >>> from microgradlib.viz.boxes.groups import find_groups
    >>> x = Value(0.5)
    >>> for _ in range(10):
    ...     x = tanh(x)
    >>> blocks = with_blocks(find_groups(snapshot(x)))
    >>> [node.scopes[-1].name if node.scopes else "" for node in blocks.nodes]
    ['', '', '', '4 ops', '4 ops', '4 ops', '4 ops', '4 ops', '4 ops', '4 ops', '4 ops']
    """
    nodes = groups.snapshot.nodes
    most = max(_LEAST, -(-sum(bool(node.parents) for node in nodes) // BLOCKS))
    last: dict[int, int] = {}  # of each op, the last one of its block
    sizes: Counter[int] = Counter()
    ends = set(groups.snapshot.outputs)
    for node in reversed(nodes):
        if not node.parents:
            continue
        users = {user for user, _ in groups.uses[node.index]}
        end = node.index
        if len(users) == 1 and end not in ends:
            [user] = users
            if nodes[user].scopes == node.scopes and sizes[last[user]] < most:
                end = last[user]
        last[node.index] = end
        sizes[end] += 1
    scopes: dict[int, Scope] = {}
    found = []
    for node in nodes:
        end = last.get(node.index, -1)
        if sizes[end] < _LEAST:
            found.append(node)
            continue
        if end not in scopes:
            scopes[end] = Scope(f"{sizes[end]} ops", "block", parent=node.scopes[-1] if node.scopes else None)
        found.append(replace(node, scopes=(*node.scopes, scopes[end])))
    return replace(groups.snapshot, nodes=tuple(found))

"""Sums written as one addition after another: which additions together are one sum of many terms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from microgradlib.viz.boxes.groups import Groups

_FEWEST: Final = 3
"""So many additions, of four terms, are read better as one sum."""


def find_sums(groups: Groups) -> dict[int, tuple[int, ...]]:
    """Return the sums of at least four terms: by the last addition of each, all its additions in topological order.

    A partial sum belongs to it if it has no name, nothing else reads it and it is in the same scope.

    >>> from microgradlib.viz.boxes.groups import find_groups
    >>> from microgradlib.viz.snapshots.snapshot import Snapshot, SnapshotNode
    >>> leaves = [SnapshotNode(i, "input", f"x{i}") for i in range(4)]
    >>> adds = [SnapshotNode(4 + i, "op", op="+", op_name="add", parents=(3 + i if i else 0, i + 1)) for i in range(3)]
    >>> find_sums(find_groups(Snapshot((*leaves, *adds), (6,))))
    {6: (4, 5, 6)}
    """
    nodes, uses, paths = groups.snapshot.nodes, groups.uses, groups.paths
    root: dict[int, int] = {}
    trees: dict[int, list[int]] = {}
    for i in range(len(nodes) - 1, -1, -1):
        if nodes[i].op_name != "add":
            continue
        user = uses[i][0][0] if len(uses[i]) == 1 else -1
        joins = user in root and not nodes[i].name and paths[user] == paths[i] and nodes[i].kind == "op"
        root[i] = root[user] if joins else i
        trees.setdefault(root[i], []).append(i)
    return {last: tuple(sorted(tree)) for last, tree in trees.items() if len(tree) >= _FEWEST}

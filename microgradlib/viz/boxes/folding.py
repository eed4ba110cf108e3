"""Equal groups of which one may stand for all, and series of equal groups of which the middle may be left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from microgradlib.viz.boxes.groups import Groups
    from microgradlib.viz.snapshots.snapshot import Scope


def can_fold(groups: Groups, same: Sequence[Scope], sums: Mapping[int, Sequence[int]]) -> bool:
    """Whether the first of these groups, drawn with ×N, can stand for all of them.

    They must be parallel, so that none depends on another, and be read whole: whatever reads one of them reads each,
    as a mean does. Otherwise arrows of the graph would have no place in the drawing.

    Args:
        groups: the tree of scopes.
        same: scopes of one parent that are built alike.
        sums: additions that are one sum, by the last of them: they count as one reader.

    >>> from microgradlib.viz.boxes.groups import find_groups
    >>> from microgradlib.viz.snapshots.snapshot import Scope, Snapshot, SnapshotNode
    >>> scopes = [Scope(f"part {k}") for k in range(3)]
    >>> leaves = [SnapshotNode(k, "input", f"x{k}") for k in range(3)]
    >>> ops = [SnapshotNode(3 + k, "op", op="exp", op_name="exp", parents=(k,), scopes=(scopes[k],)) for k in range(3)]
    >>> mean = SnapshotNode(6, "output", op="mean", op_name="mean", parents=(3, 4, 5))
    >>> can_fold(find_groups(Snapshot((*leaves, *ops, mean), (6,))), scopes, {})
    True
    """
    mine = _marks(groups, same)
    if any(mine[i] is not None for i in groups.snapshot.outputs):
        return False
    reader = {i: last for last, tree in sums.items() for i in tree}
    readers: dict[int, set[int]] = {}
    depends: list[int | None] = []  # on which of the groups each node depends; -1: on several of them
    for node in groups.snapshot.nodes:
        own = mine[node.index]
        below = {depends[parent] for parent in node.parents} - {None}
        if own is not None:
            if below - {own}:
                return False
            depends.append(own)
            continue
        depends.append(None if not below else below.pop() if len(below) == 1 else -1)
        read = {group for group in (mine[parent] for parent in node.parents) if group is not None}
        if read:
            readers.setdefault(reader.get(node.index, node.index), set()).update(read)
    return all(len(read) == len(same) for read in readers.values())


def is_series(groups: Groups, same: Sequence[Scope]) -> bool:
    """Whether each of these groups reads what the one before it computes, as the steps of a recurrent network do."""
    mine = _marks(groups, same)
    follows: set[int] = set()
    for node in groups.snapshot.nodes:
        own = mine[node.index]
        if own is not None and any(mine[parent] == own - 1 for parent in node.parents):
            follows.add(own)
    return len(follows) == len(same) - 1


def _marks(groups: Groups, same: Sequence[Scope]) -> list[int | None]:
    """Return for each node which of the groups it is in."""
    depth = 0
    scope = same[0]
    while scope.parent is not None:
        scope, depth = scope.parent, depth + 1
    number = {one: i for i, one in enumerate(same)}
    return [number.get(path[depth]) if len(path) > depth else None for path in groups.paths]

"""What a graph holds, whatever is drawn of it: groups, neurons, rows and sums."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from microgradlib.viz.boxes.absorption import Absorbed, absorb
from microgradlib.viz.boxes.folding import can_fold, is_series
from microgradlib.viz.boxes.groups import Groups, find_groups

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from microgradlib.viz.boxes.groups import Path
    from microgradlib.viz.snapshots.snapshot import Scope, Snapshot, SnapshotNode

_FEWEST: Final = 3
"""So many additions, of four terms, are read better as one sum."""


@dataclass(frozen=True)
class Structure:
    """A graph and what was found in it, once for all steps of the ladder of detail."""

    groups: Groups
    absorbed: Absorbed
    sums: Mapping[int, Sequence[int]]
    _known: dict[tuple[str, tuple[Scope, ...]], bool] = field(default_factory=dict, repr=False, compare=False)

    def can_fold(self, same: Sequence[Scope]) -> bool:
        """Whether the first of equal groups can stand for all, see `folding`; found once for all steps."""
        key = ("fold", tuple(same))
        if key not in self._known:
            self._known[key] = can_fold(self.groups, same, self.sums)
        return self._known[key]

    def is_series(self, same: Sequence[Scope]) -> bool:
        """Whether each of equal groups reads the one before it, see `folding`; found once for all steps."""
        key = ("series", tuple(same))
        if key not in self._known:
            self._known[key] = is_series(self.groups, same)
        return self._known[key]

    @cached_property
    def paths(self) -> tuple[tuple[Path, ...], tuple[int, ...]]:
        """The different paths, and for each node the number of its path among them."""
        numbers: dict[Path, int] = {}
        of_nodes = tuple([numbers.setdefault(path, len(numbers)) for path in self.groups.paths])
        return tuple(numbers), of_nodes

    @property
    def nodes(self) -> tuple[SnapshotNode, ...]:
        """The nodes of the snapshot."""
        return self.groups.snapshot.nodes


def find_structure(snapshot: Snapshot) -> Structure:
    """Return the groups, neurons, rows and sums of a snapshot."""
    groups = find_groups(snapshot)
    return Structure(groups, absorb(groups), find_sums(groups))


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

"""What a graph holds, whatever is drawn of it: groups, neurons, rows and sums."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from microgradlib.viz.boxes.absorption import Absorbed, absorb
from microgradlib.viz.boxes.folding import can_fold, is_series
from microgradlib.viz.boxes.groups import Groups, find_groups
from microgradlib.viz.boxes.sums import find_sums

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from microgradlib.viz.boxes.groups import Path
    from microgradlib.viz.snapshots.snapshot import Scope, Snapshot, SnapshotNode


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

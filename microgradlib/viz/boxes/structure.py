"""What a graph holds, whatever is drawn of it: groups, neurons, rows and sums."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from microgradlib.viz.boxes.absorption import Absorbed, absorb
from microgradlib.viz.boxes.groups import Groups, find_groups
from microgradlib.viz.boxes.sums import find_sums

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from microgradlib.viz.snapshots.snapshot import Snapshot, SnapshotNode


@dataclass(frozen=True)
class Structure:
    """A graph and what was found in it, once for all steps of the ladder of detail."""

    groups: Groups
    absorbed: Absorbed
    sums: Mapping[int, Sequence[int]]

    @property
    def nodes(self) -> tuple[SnapshotNode, ...]:
        """The nodes of the snapshot."""
        return self.groups.snapshot.nodes


def find_structure(snapshot: Snapshot) -> Structure:
    """Return the groups, neurons, rows and sums of a snapshot."""
    groups = find_groups(snapshot)
    return Structure(groups, absorb(groups), find_sums(groups))

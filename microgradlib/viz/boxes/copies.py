"""A leaf that is read in distant places, such as a weight shared by all steps, has a box near each of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from microgradlib.viz.boxes.parts import Part, edges_between, part_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.viz.boxes.structure import Structure

NEAR: Final = 2
"""One box of a leaf has arrows to uses at most this many columns after its first use; other uses get a copy."""


def copy_leaves(structure: Structure, parts: Sequence[Part]) -> list[Part]:
    """Return the parts, with several for each leaf whose uses are far apart.

    The column of a part is the length of the longest path to it.

    Args:
        structure: the graph.
        parts: in topological order.

    >>> from microgradlib.viz.boxes.structure import find_structure
    >>> from microgradlib.viz.snapshots.snapshot import Snapshot, SnapshotNode
    >>> w = SnapshotNode(0, "input", "w")
    >>> ops = [SnapshotNode(i, "op", op="×", op_name="mul", parents=(0, i - 1)) for i in range(1, 5)]
    >>> parts = [Part("leaf" if i == 0 else "op", (i,), ()) for i in range(5)]
    >>> copied = copy_leaves(find_structure(Snapshot((w, *ops), (4,))), parts)
    >>> [sorted(part.users) for part in copied if part.kind == "leaf"]
    [[1, 2, 3], [4]]
    """
    columns = [0] * len(parts)
    for tail, head in edges_between(structure, parts):
        columns[head] = max(columns[head], columns[tail] + 1)
    owner = part_of(parts)
    copied: list[Part] = []
    for part in parts:
        if part.kind != "leaf":
            copied.append(part)
            continue
        boxes: list[list[int]] = []
        first = 0
        users = dict.fromkeys(user for user, _ in structure.groups.uses[part.nodes[0]] if user in owner)
        for user in sorted(users, key=lambda user: columns[owner[user]]):
            if not boxes or columns[owner[user]] - first > NEAR:
                first = columns[owner[user]]
                boxes.append([])
            boxes[-1].append(user)
        if len(boxes) < 2:
            copied.append(part)
        else:
            copied += [replace(part, copy=copy, users=frozenset(box)) for copy, box in enumerate(boxes)]
    return copied

"""Frames of very many boxes show the first and the last, and one box for the rest; leaves read alike share a box."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from microgradlib.viz.boxes.circles import join
from microgradlib.viz.boxes.labels import base_name
from microgradlib.viz.boxes.parts import Part, part_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.viz.boxes.choice import Step
    from microgradlib.viz.boxes.groups import Path
    from microgradlib.viz.boxes.structure import Structure

_ENDS: Final = 8
"""So many ops are drawn at each end of a long frame, and of a chain so many:"""
_CHAIN_ENDS: Final = 3

_LISTS: Final = 4
"""Leaves of so many lists at most stand in a box for each."""
_LEAVES: Final = 6
"""More leaves than this that the same boxes read are one box; in the coarsest drawings, so many of one frame:"""
_ALL_LEAVES: Final = 12


def leave_out(structure: Structure, parts: Sequence[Part], step: Step) -> list[Part]:
    """Return the parts, of each frame with more than `step.most` ops only the first and the last and one for the rest.

    Leaves that only the rest reads go with it.

    >>> from microgradlib.viz.boxes.choice import Step
    >>> from microgradlib.viz.boxes.structure import find_structure
    >>> from microgradlib.viz.snapshots.snapshot import Snapshot, SnapshotNode
    >>> x = SnapshotNode(0, "input", "x")
    >>> chain = [SnapshotNode(i, "op", op="exp", op_name="exp", parents=(i - 1,)) for i in range(1, 10)]
    >>> parts = [Part("leaf" if i == 0 else "op", (i,), ()) for i in range(10)]
    >>> left = leave_out(find_structure(Snapshot((x, *chain), (9,))), parts, Step(most=8))
    >>> [(part.kind, part.nodes) for part in left if part.kind == "elided"]
    [('elided', (4, 5, 6))]
    """
    counted = {"op", "sum", "card", "closed", "table", "vector", "elided"} if step.everything else {"op", "sum"}
    frames: dict[Path, list[int]] = {}
    for place, part in enumerate(parts):
        if part.kind in counted:
            frames.setdefault(part.path, []).append(place)
    left_out: dict[int, int] = {}  # the place of a part, and of the first of those that it is joined with
    for places in frames.values():
        if len(places) > step.most:
            ends = _CHAIN_ENDS if _is_chain(structure, parts, places) else min(_ENDS, max(step.most // 4, 1))
            middle = places[ends : len(places) - ends]
            left_out.update(dict.fromkeys(middle, middle[0]))
    _add_leaves(structure, parts, left_out)
    return _joined(parts, left_out)


def _is_chain(structure: Structure, parts: Sequence[Part], places: Sequence[int]) -> bool:
    uses = structure.groups.uses
    return all(len(uses[i]) < 2 for place in places for i in parts[place].nodes)


def _add_leaves(structure: Structure, parts: Sequence[Part], left_out: dict[int, int]) -> None:
    """Add the leaves that only what is left out reads, or the middle of a series does."""
    owner = part_of(parts)
    outputs = set(structure.groups.snapshot.outputs)
    for place, part in enumerate(parts):
        if part.kind == "leaf" and part.nodes[0] not in outputs:
            readers = {owner[user] for user, _ in structure.groups.uses[part.nodes[0]] if user in owner}
            targets = {left_out.get(one, one if parts[one].kind == "series" else -1) for one in readers}
            if len(targets) == 1 and -1 not in targets:
                left_out[place] = targets.pop()


def _joined(parts: Sequence[Part], left_out: dict[int, int]) -> list[Part]:
    if not left_out:
        return list(parts)
    together: dict[int, list[Part]] = {}
    for place, part in enumerate(parts):
        together.setdefault(left_out.get(place, place), []).append(part)
    merged = []
    for members in together.values():
        part = members[0] if len(members) == 1 else join(members)
        if len(members) > 1 and any(one.kind == "series" for one in members):
            series = next(one for one in members if one.kind == "series")
            part = replace(series, nodes=part.nodes)
        merged.append(part)
    return merged


def _lists(structure: Structure, parts: Sequence[Part], places: Sequence[int]) -> list[list[int]]:
    """Return leaves in the few lists that they are elements of, as their names say; else all as one."""
    found: dict[str, list[int]] = {}
    for place in places:
        found.setdefault(base_name(structure.nodes[parts[place].nodes[0]].name), []).append(place)
    is_told = len(found) <= _LISTS and all(len(same) > 1 for same in found.values())
    return list(found.values()) if is_told else [list(places)]


def merge_leaves(structure: Structure, parts: Sequence[Part], step: Step) -> list[Part]:
    """Return the parts, with one for leaves of one kind in one frame that the same boxes read, if there are many."""
    owner = part_of(parts)
    outputs = set(structure.groups.snapshot.outputs)
    alike: dict[tuple[Path, str, tuple[int, ...]], list[int]] = {}
    crowd: dict[tuple[Path, str], list[int]] = {}
    for place, part in enumerate(parts):
        if part.kind == "leaf" and not (part.nodes[0] in outputs and structure.groups.uses[part.nodes[0]]):
            kind = structure.nodes[part.nodes[0]].kind
            readers = {owner[user] for user, _ in structure.groups.uses[part.nodes[0]] if user in owner}
            alike.setdefault((part.path, kind, tuple(sorted(readers))), []).append(place)
            crowd.setdefault((part.path, kind), []).append(place)
    merged: dict[int, int] = {}
    for places in alike.values():
        if len(places) > _LEAVES:
            for same in _lists(structure, parts, places):
                merged.update(dict.fromkeys(same, same[0]))
    for places in crowd.values() if step.everything else ():
        if len({merged.get(place, place) for place in places}) > _ALL_LEAVES:
            merged.update(dict.fromkeys(places, places[0]))
    members: dict[int, list[int]] = {}
    for place, first in merged.items():
        members.setdefault(first, []).append(parts[place].nodes[0])
    return [
        Part("leaves", tuple(sorted(members[place])), part.path) if merged.get(place) == place else part
        for place, part in enumerate(parts)
        if merged.get(place, place) == place
    ]

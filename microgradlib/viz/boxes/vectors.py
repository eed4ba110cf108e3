"""The same op on each element of a vector, or neurons that are not in a layer's scope: one box for all of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from microgradlib.viz.boxes.parts import Part, edges_between

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.viz.boxes.groups import Path
    from microgradlib.viz.boxes.structure import Structure

FEWEST: Final = 3
"""So many equal ops are one box."""


def merge_vectors(structure: Structure, parts: Sequence[Part], opened: frozenset[str] = frozenset()) -> list[Part]:
    """Return the parts, with one for ops, or neurons without a scope, that are alike and equally far from the leaves.

    The distance is the length of the longest path, so that none of them depends on another. A group that holds one such
    part and nothing else is closed.

    Args:
        structure: the graph.
        parts: the parts.
        opened: keys of groups whose ops stay apart.

    >>> from microgradlib.viz.boxes.structure import find_structure
    >>> from microgradlib.viz.snapshots.snapshot import Snapshot, SnapshotNode
    >>> leaves = [SnapshotNode(i, "input", f"x{i}") for i in range(3)]
    >>> ops = [SnapshotNode(3 + i, "op", op="exp", op_name="exp", parents=(i,)) for i in range(3)]
    >>> total = SnapshotNode(6, "output", op="sum", op_name="sum", parents=(3, 4, 5))
    >>> parts = [Part("leaf" if i < 3 else "op", (i,), ()) for i in range(7)]
    >>> merged = merge_vectors(find_structure(Snapshot((*leaves, *ops, total), (6,))), parts)
    >>> [(part.kind, part.nodes) for part in merged[3:]]
    [('vector', (3, 4, 5)), ('op', (6,))]
    """
    distances = _distances(len(parts), list(edges_between(structure, parts)))
    alike: dict[tuple[Path, int, str, tuple[str, ...]], list[int]] = {}
    outputs = set(structure.groups.snapshot.outputs)
    for place, part in enumerate(parts):
        distance = distances[place]
        if part.path and structure.groups.keys[part.path[-1]] in opened:
            continue
        if distance is not None and (part.kind == "op" or (part.kind == "card" and part.scope is None)):
            words = _words(structure, part)
            if not outputs & set(part.nodes):
                alike.setdefault((part.path, distance, part.kind, words), []).append(place)
    joined: dict[int, Part] = {}
    gone: set[int] = set()
    for places in alike.values():
        if len(places) >= FEWEST:
            nodes = sorted(i for place in places for i in parts[place].nodes)
            joined[places[0]] = replace(parts[places[0]], kind="vector", nodes=tuple(nodes), neuron=None)
            gone.update(places[1:])
    return _closed([joined.get(place, part) for place, part in enumerate(parts) if place not in gone])


def _closed(parts: Sequence[Part]) -> list[Part]:
    """Return the parts; a vector that is alone in its frame stands for the group."""
    inside = Counter(part.path[: depth + 1] for part in parts for depth in range(len(part.path)))
    return [
        Part("closed", part.nodes, part.path[:-1], part.path[-1])
        if part.kind == "vector" and part.path and inside[part.path] == 1
        else part
        for part in parts
    ]


def _words(structure: Structure, part: Part) -> tuple[str, ...]:
    """Return what equal parts have in common: the op, or the ops of a neuron and how many weights it has."""
    nodes = structure.nodes
    if part.neuron is None:
        return (nodes[part.nodes[0]].op,)
    functions = [nodes[i].op for i in part.neuron.functions]
    return (str(len(part.neuron.weights)), *functions)


def _distances(count: int, edges: Sequence[tuple[int, int]]) -> list[int | None]:
    """Return the length of the longest path to each part; None for those in a circle and behind one."""
    after: list[list[int]] = [[] for _ in range(count)]
    waiting = [0] * count
    for tail, head in edges:
        after[tail].append(head)
        waiting[head] += 1
    distances: list[int | None] = [0 if not waiting[place] else None for place in range(count)]
    longest = [0] * count
    ready = [place for place in range(count) if not waiting[place]]
    for place in ready:
        for head in after[place]:
            longest[head] = max(longest[head], longest[place] + 1)
            waiting[head] -= 1
            if not waiting[head]:
                distances[head] = longest[head]
                ready.append(head)
    return distances

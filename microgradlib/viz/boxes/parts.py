"""Which nodes stand in which box, and which have none: the parts of a drawing, before anything is written in them."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from microgradlib.viz.boxes.choice import Choice
    from microgradlib.viz.boxes.groups import Path
    from microgradlib.viz.boxes.neurons import Neuron
    from microgradlib.viz.boxes.structure import Structure
    from microgradlib.viz.snapshots.snapshot import Scope

_NUMBER: Final = re.compile(r"\d+")

PartKind = Literal["leaf", "op", "card", "table", "closed", "sum", "leaves", "vector", "series", "elided"]


@dataclass(frozen=True)
class Part:
    """The nodes of one box.

    Args:
        kind: a leaf or an op alone, a neuron as a card, a layer as a table, a closed group, additions as one sum,
            leaves read alike, the same op on each element of a vector, the middle of a series of groups, or of the ops
            of a frame.
        nodes: their indices, in topological order.
        path: the scopes around it that are open.
        scope: the scope that it stands for, or the first of several.
        neuron: of a card.
        scopes: of the middle of a series, all of them.
        copy: of a leaf that has several boxes, which one this is, from 0.
        users: of a leaf that has several boxes, the ops that read this one.

    """

    kind: PartKind
    nodes: tuple[int, ...]
    path: Path
    scope: Scope | None = None
    neuron: Neuron | None = None
    scopes: tuple[Scope, ...] = ()
    copy: int = 0
    users: frozenset[int] | None = None


def find_parts(structure: Structure, choice: Choice) -> list[Part]:
    """Return the parts of a drawing, in the order of their first nodes.

    Nodes of groups that are drawn by another of their kind have no part, and neither have leaves that only such nodes
    read, parameters that are rows, and numbers that stand in an op.

    >>> from microgradlib.viz.boxes.choice import Step, choose_states
    >>> from microgradlib.viz.boxes.structure import find_structure
    >>> from microgradlib.viz.snapshots.snapshot import Snapshot, SnapshotNode
    >>> x, two = SnapshotNode(0, "input", "x"), SnapshotNode(1, "constant", data=2.0)
    >>> y = SnapshotNode(2, "output", op="×", op_name="mul", parents=(0, 1))
    >>> structure = find_structure(Snapshot((x, two, y), (2,)))
    >>> [(part.kind, part.nodes) for part in find_parts(structure, choose_states(structure, Step()))]
    [('leaf', (0,)), ('op', (2,))]
    """
    groups, absorbed, step = structure.groups, structure.absorbed, choice.step
    rows = (absorbed.parameters | absorbed.numbers) if step.cards else absorbed.numbers
    rows -= set(groups.snapshot.outputs)
    last = {i: root for root, tree in structure.sums.items() for i in tree} if step.fold else {}
    found: dict[object, Part] = {}
    members: dict[object, list[int]] = {}
    paths, number = structure.paths
    visible = [_visible(path, choice) for path in paths]
    for i in range(len(structure.nodes)):
        if i in rows:
            continue
        path, scope = visible[number[i]]
        key: object = scope
        if scope is None:
            key, part = _part_of_node(structure, choice, i, path, last)
            found.setdefault(key, part)
        elif choice.states[scope] == "hidden":
            continue
        else:
            key = choice.series[scope][0] if scope in choice.series else scope
            if key not in found:
                found[key] = _part_of_scope(structure, choice, path, scope)
        members.setdefault(key, []).append(i)
    parts = [replace(part, nodes=tuple(members[key])) for key, part in found.items()]
    return _without_orphans(structure, parts)


def _visible(path: Path, choice: Choice) -> tuple[Path, Scope | None]:
    """Return the frames around a node, and the scope that hides it inside a box of its own, if one does."""
    frames = []
    for scope in path:
        state = choice.states[scope]
        if state in {"open", "folded"}:
            frames.append(scope)
        elif state != "plain":
            return tuple(frames), scope
    return tuple(frames), None


def _part_of_scope(structure: Structure, choice: Choice, path: Path, scope: Scope) -> Part:
    """Return an empty part for a scope that is not open."""
    state = choice.states[scope]
    if state == "left out":
        return Part("series", (), path, choice.series[scope][0], scopes=choice.series[scope])
    if state == "card":
        return Part("card", (), path, scope, structure.absorbed.neurons[scope])
    return Part("table" if state == "table" else "closed", (), path, scope)


def _part_of_node(
    structure: Structure, choice: Choice, i: int, path: Path, last: Mapping[int, int]
) -> tuple[object, Part]:
    """Return what all nodes of a node's part have in common, and an empty part for it."""
    if choice.step.cards and i in structure.absorbed.loose:
        neuron = structure.absorbed.loose[i]
        return neuron.net_input, Part("card", (), path, neuron=neuron)
    if i in last:
        return ("sum", last[i]), Part("sum", (), path)
    return i, Part("op" if structure.nodes[i].parents else "leaf", (), path)


def part_of(parts: Sequence[Part]) -> dict[int, int]:
    """Return the place of each node's part; of a leaf with several, the first."""
    owner: dict[int, int] = {}
    for place, part in enumerate(parts):
        for i in part.nodes:
            owner.setdefault(i, place)
    return owner


def _without_orphans(structure: Structure, parts: Sequence[Part]) -> list[Part]:
    """Return the parts without leaves that nothing drawn reads, and without constants that only closed groups read."""
    owner = part_of(parts)
    outputs = set(structure.groups.snapshot.outputs)

    def is_read(leaf: int) -> bool:
        kinds = {parts[owner[user]].kind for user, _ in structure.groups.uses[leaf] if user in owner}
        return bool(kinds - {"closed"}) if structure.nodes[leaf].kind == "constant" else bool(kinds)

    return [part for part in parts if part.kind != "leaf" or part.nodes[0] in outputs or is_read(part.nodes[0])]


def edges_between(structure: Structure, parts: Sequence[Part]) -> Iterable[tuple[int, int]]:
    """Yield the arrows between different parts, as pairs of places (tail, head), repeats included."""
    owner = part_of(parts)
    for head, part in enumerate(parts):
        for i in part.nodes:
            for parent in structure.nodes[i].parents:
                tail = owner.get(parent)
                if tail is not None and tail != head:
                    yield tail, head


def in_order(structure: Structure, parts: Sequence[Part], edges: Iterable[tuple[int, int]]) -> list[Part]:
    """Return the parts in topological order, otherwise by their first nodes, and those of one list by name.

    Args:
        structure: the graph.
        parts: the parts.
        edges: the arrows between them, as `edges_between` yields them, without circles.

    """
    after: list[list[int]] = [[] for _ in parts]
    waiting = [0] * len(parts)
    for tail, head in edges:
        after[tail].append(head)
        waiting[head] += 1
    keys = _keys(structure, parts)
    ready = [(keys[place], place) for place in range(len(parts)) if not waiting[place]]
    heapify(ready)
    order: list[Part] = []
    while ready:
        _, place = heappop(ready)
        order.append(parts[place])
        for head in after[place]:
            waiting[head] -= 1
            if not waiting[head]:
                heappush(ready, (keys[head], head))
    return order


def _keys(structure: Structure, parts: Sequence[Part]) -> list[int]:
    """Return the first node of each part; those of one list, such as x.0, x.1, x.2, exchange theirs to be in order.

    Where a name occurs several times, as x.0 of each time step does, its k-th occurrence is in the k-th list.
    """
    keys = [part.nodes[0] for part in parts]
    lists: dict[tuple[Path, str, str, int], list[int]] = {}
    seen: Counter[tuple[Path, str]] = Counter()
    names: dict[int, str] = {}
    for place, part in enumerate(parts):
        node = structure.nodes[part.nodes[0]]
        name = node.name if part.kind == "leaf" else part.scope.name if part.scope is not None else ""
        if _NUMBER.search(name):
            one = (part.path, part.kind, _NUMBER.sub("#", name), seen[part.path, name])
            lists.setdefault(one, []).append(place)
            names[place] = name
            seen[part.path, name] += 1
    for places in lists.values():
        by_name = sorted(places, key=lambda place: _numbers(names[place]))
        for place, key in zip(by_name, sorted(keys[place] for place in places), strict=True):
            keys[place] = key
    return keys


def _numbers(name: str) -> list[float]:
    return [float(text) for text in _NUMBER.findall(name)]  # int refuses thousands of digits

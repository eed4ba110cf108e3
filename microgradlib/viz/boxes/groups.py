"""The tree of scopes of a snapshot: what each holds, where leaves belong, and which scopes are built alike."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from microgradlib.viz.boxes.plain import plain_scopes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from microgradlib.viz.snapshots.snapshot import Scope, Snapshot, SnapshotNode

Path = tuple["Scope", ...]

LIBRARY: Final = frozenset({"neuron", "layer", "module", "function", "derivative"})
"""Kinds of scopes that the library opens: data that a user made does not belong inside them."""

_DATA: Final = frozenset({"input", "target", "output"})
_READERS: Final = frozenset({"example", "step"})
_DIGITS: Final = re.compile(r"\d+")


@dataclass(frozen=True)
class Groups:
    """The scopes of a snapshot as a tree. None stands for what is around all of them.

    Args:
        snapshot: the graph.
        paths: for each node the scopes that it is drawn in, outermost first.
        uses: for each node the pairs (user, place among the user's parents), in topological order.
        order: every scope, in the order of its first op; a scope stands after the one around it.
        children, members: the scopes, and the nodes, directly inside each scope.
        keys: a short name for each scope, `s0`, `s1`, … in this order, by which it is opened and closed.
        shapes: scopes of equal numbers hold the same ops, wired alike.
        plain: scopes around which a frame would say nothing: with one op and nothing else in them, the call of the
            only model, and what is in a scope of the same name with nothing beside it.
        heights: 0 for a scope that holds no other, otherwise 1 more than the highest in it; plain ones do not count.

    """

    snapshot: Snapshot
    paths: tuple[Path, ...]
    uses: tuple[tuple[tuple[int, int], ...], ...]
    order: Path
    children: Mapping[Scope | None, Path]
    members: Mapping[Scope | None, tuple[int, ...]]
    keys: Mapping[Scope, str]
    shapes: Mapping[Scope, int]
    plain: frozenset[Scope]
    heights: Mapping[Scope, int]

    def alike(self, scope: Scope) -> tuple[str, int]:
        """Return what equal scopes of one parent have in common: the name less its numbers, and the shape."""
        return _DIGITS.sub("#", scope.name), self.shapes[scope]


def find_groups(snapshot: Snapshot) -> Groups:
    """Return the tree of scopes of a snapshot.

    A parameter or a constant belongs to the innermost scope that holds all its uses. Inputs and targets never belong
    to a call of a module or another part of the library. They belong to an example or a time step that alone reads
    them, and to a block of a user if every block built like it has such an input; otherwise they stand around it.

    >>> from microgradlib.viz.snapshots.snapshot import Scope, Snapshot, SnapshotNode
    >>> layer = Scope("layers.0", "layer", "layers.0")
    >>> x = SnapshotNode(0, "input", "x")
    >>> w = SnapshotNode(1, "parameter", "layers.0.w")
    >>> y = SnapshotNode(2, "output", op="×", parents=(0, 1), scopes=(layer,))
    >>> groups = find_groups(Snapshot((x, w, y), (2,)))
    >>> [[scope.name for scope in path] for path in groups.paths]
    [[], ['layers.0'], ['layers.0']]
    >>> groups.keys[layer]
    's0'
    """
    nodes = snapshot.nodes
    uses = _uses(nodes)
    paths = [node.scopes if node.parents else () for node in nodes]
    inner = [() if node.parents else common([paths[user] for user, _ in uses[node.index]]) for node in nodes]
    for node in nodes:
        if not node.parents and node.kind not in _DATA:
            paths[node.index] = inner[node.index]
    order = _order(nodes, paths)
    shapes, places = _shapes(nodes, paths, order)
    for i, path in _places_of_data(nodes, inner, uses, shapes, places):
        paths[i] = path
    children: dict[Scope | None, list[Scope]] = defaultdict(list)
    for scope in order:
        children[scope.parent].append(scope)
    members: dict[Scope | None, list[int]] = defaultdict(list)
    for i, path in enumerate(paths):
        members[path[-1] if path else None].append(i)
    plain = plain_scopes(nodes, order, children, members)
    heights: dict[Scope, int] = {}
    for scope in reversed(order):
        heights[scope] = max((heights[child] + (child not in plain) for child in children[scope]), default=0)
    everywhere: list[Scope | None] = [None, *order]
    return Groups(
        snapshot,
        tuple(paths),
        uses,
        tuple(order),
        {scope: tuple(children[scope]) for scope in everywhere},
        {scope: tuple(members[scope]) for scope in everywhere},
        {scope: f"s{i}" for i, scope in enumerate(order)},
        shapes,
        plain,
        heights,
    )


def common(paths: Iterable[Path]) -> Path:
    """Return the scopes that all the paths begin with; of no paths, none.

    >>> from microgradlib.viz.snapshots.snapshot import Scope
    >>> a = Scope("a")
    >>> b, c = Scope("b", parent=a), Scope("c", parent=a)
    >>> [scope.name for scope in common([(a, b), (a, c)])]
    ['a']
    """
    shared: Path | None = None
    for path in paths:
        if shared is None:
            shared = path
        elif shared != path:
            length = 0
            while length < min(len(shared), len(path)) and shared[length] is path[length]:
                length += 1
            shared = shared[:length]
    return shared or ()


def _uses(nodes: Sequence[SnapshotNode]) -> tuple[tuple[tuple[int, int], ...], ...]:
    uses: list[list[tuple[int, int]]] = [[] for _ in nodes]
    for node in nodes:
        for place, parent in enumerate(node.parents):
            uses[parent].append((node.index, place))
    return tuple(map(tuple, uses))


def _order(nodes: Sequence[SnapshotNode], paths: Sequence[Path]) -> list[Scope]:
    """Return the scopes in the order of their first ops; those without ops at the end."""
    seen: dict[Scope, None] = {}
    for ops in (True, False):
        for node, path in zip(nodes, paths, strict=True):
            if bool(node.parents) is ops:
                seen.update(dict.fromkeys(path))
    return list(seen)


def _shapes(
    nodes: Sequence[SnapshotNode], paths: Sequence[Path], order: Sequence[Scope]
) -> tuple[dict[Scope, int], dict[Scope, dict[int, int]]]:
    """Return a number for each scope by what is in it: kinds, ops, inner scopes and wiring, but no names of nodes.

    Return also the place of each op among those of its scope.

    Operands from outside are numbered in the order of their first use, and parameters all count as one, so that two
    neurons, or two examples, are alike although they read other weights, or other data.
    """
    inside: dict[Scope, dict[int, int]] = {scope: {} for scope in order}
    outside: dict[Scope, dict[int, int]] = {scope: {} for scope in order}
    texts: dict[Scope, list[tuple[object, ...]]] = {scope: [] for scope in order}
    names = {scope: "" if scope.path else _DIGITS.sub("#", scope.name) for scope in order}
    for node, path in zip(nodes, paths, strict=True):
        if not node.parents:
            continue
        for depth, scope in enumerate(path):
            mine, others = inside[scope], outside[scope]
            operands = []
            for parent in node.parents:
                if parent in mine:
                    operands.append(mine[parent])
                elif nodes[parent].kind in {"parameter", "constant"}:
                    operands.append(-1)
                else:
                    operands.append(-2 - others.setdefault(parent, len(others)))
            mine[node.index] = len(mine)
            texts[scope].append((node.kind, node.op, *[names[one] for one in path[depth + 1 :]], *operands))
    known: dict[tuple[tuple[object, ...], ...], int] = {}
    return {scope: known.setdefault(tuple(texts[scope]), len(known)) for scope in order}, inside


def _places_of_data(
    nodes: Sequence[SnapshotNode],
    inner: Sequence[Path],
    uses: Sequence[Sequence[tuple[int, int]]],
    shapes: Mapping[Scope, int],
    places: Mapping[Scope, Mapping[int, int]],
) -> list[tuple[int, Path]]:
    """Return the inputs and targets that belong to scopes of a user, with these.

    Scopes that are alike hold those that each of them has: read first by the same op, at the same place.
    """
    read: dict[Scope, dict[tuple[int, int], int]] = {}
    data = [node.index for node in nodes if not node.parents and node.kind in _DATA]
    for i in data:
        for scope in inner[i]:
            user, place = uses[i][0]
            read.setdefault(scope, {})[places[scope][user], place] = i
    classes: dict[tuple[Scope | None, str, int], list[Scope]] = defaultdict(list)
    for scope in shapes:
        classes[scope.parent, _DIGITS.sub("#", scope.name), shapes[scope]].append(scope)
    holds: set[tuple[Scope, int]] = set()
    for same in classes.values():
        if _is_library(same[0]) or (len(same) == 1 and same[0].kind not in _READERS):
            continue
        for key in read.get(same[0], {}):
            if all(key in read.get(scope, {}) for scope in same):
                holds.update((scope, read[scope][key]) for scope in same)
    placed = []
    for i in data:
        length = 0
        while length < len(inner[i]) and (inner[i][length], i) in holds:
            length += 1
        placed.append((i, inner[i][:length]))
    return placed


def _is_library(scope: Scope) -> bool:
    return scope.kind in LIBRARY or bool(scope.path)

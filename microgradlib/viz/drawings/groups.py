"""The tree of scopes of a snapshot: what each holds, where leaves belong, and which scopes are built alike."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from microgradlib.viz.snapshot import Scope, Snapshot, SnapshotNode

Path = tuple["Scope", ...]

LIBRARY: Final = frozenset({"neuron", "layer", "module", "function", "derivative"})
"""Kinds of scopes that the library opens: data that a user made does not belong inside them."""

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
        plain: scopes around which a frame would say nothing: with one op and nothing else in them, and the call of
            the only model.
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

    A parameter or a constant belongs to the innermost scope that holds all its uses. An input or a target belongs to
    the innermost of these in which it was made, and never to a call of a module or another part of the library. If
    scopes built alike, such as the examples of a batch, each read as many inputs of their own that were made around
    them, these belong inside as well.

    >>> from microgradlib.viz.snapshot import Scope, Snapshot, SnapshotNode
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
        if not node.parents:
            paths[node.index] = _place_of_leaf(node, inner[node.index])
    order = _order(nodes, paths)
    shapes = _shapes(nodes, paths, order)
    for i, path in _own_inputs(nodes, paths, inner, shapes):
        paths[i] = path
    children: dict[Scope | None, list[Scope]] = defaultdict(list)
    for scope in order:
        children[scope.parent].append(scope)
    members: dict[Scope | None, list[int]] = defaultdict(list)
    for i, path in enumerate(paths):
        members[path[-1] if path else None].append(i)
    plain = frozenset(
        scope
        for scope in order
        if _holds_one_op(scope, nodes, children, members) or _is_only_model(scope, children[scope.parent])
    )
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

    >>> from microgradlib.viz.snapshot import Scope
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


def _holds_one_op(
    scope: Scope,
    nodes: Sequence[SnapshotNode],
    children: Mapping[Scope | None, Sequence[Scope]],
    members: Mapping[Scope | None, Sequence[int]],
) -> bool:
    ops = sum(bool(nodes[i].parents) for i in members[scope])
    return not children[scope] and ops <= 1 and scope.kind != "neuron"


def _is_only_model(scope: Scope, beside: Sequence[Scope]) -> bool:
    """Whether this is the call of a model that has no other beside it: its frame would be around everything."""
    return scope.kind == "module" and not scope.path and sum(one.kind == "module" for one in beside) == 1


def _uses(nodes: Sequence[SnapshotNode]) -> tuple[tuple[tuple[int, int], ...], ...]:
    uses: list[list[tuple[int, int]]] = [[] for _ in nodes]
    for node in nodes:
        for place, parent in enumerate(node.parents):
            uses[parent].append((node.index, place))
    return tuple(map(tuple, uses))


def _place_of_leaf(node: SnapshotNode, inner: Path) -> Path:
    if node.kind not in {"input", "target", "output"}:
        return inner
    length = 0
    for used, made in zip(inner, node.scopes, strict=False):
        if used is not made or used.kind in LIBRARY:
            break
        length += 1
    return inner[:length]


def _order(nodes: Sequence[SnapshotNode], paths: Sequence[Path]) -> list[Scope]:
    """Return the scopes in the order of their first ops; those without ops at the end."""
    seen: dict[Scope, None] = {}
    for ops in (True, False):
        for node, path in zip(nodes, paths, strict=True):
            if bool(node.parents) is ops:
                seen.update(dict.fromkeys(path))
    return list(seen)


def _shapes(nodes: Sequence[SnapshotNode], paths: Sequence[Path], order: Sequence[Scope]) -> dict[Scope, int]:
    """Return a number for each scope by what is in it: kinds, ops, inner scopes and wiring, but no names of nodes.

    Operands from outside are numbered in the order of their first use, and parameters all count as one, so that two
    neurons, or two examples, are alike although they read other weights, or other data.
    """
    inside: dict[Scope, dict[int, int]] = {scope: {} for scope in order}
    outside: dict[Scope, dict[int, int]] = {scope: {} for scope in order}
    texts: dict[Scope, list[tuple[object, ...]]] = {scope: [] for scope in order}
    names = {scope: "" if scope.path else _DIGITS.sub("#", scope.name) for scope in order}
    for node, path in zip(nodes, paths, strict=True):
        if not node.parents and node.kind in {"parameter", "constant"}:
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
    return {scope: known.setdefault(tuple(texts[scope]), len(known)) for scope in order}


def _own_inputs(
    nodes: Sequence[SnapshotNode], paths: Sequence[Path], inner: Sequence[Path], shapes: Mapping[Scope, int]
) -> list[tuple[int, Path]]:
    """Return the inputs made around scopes that are alike, of which each scope reads as many, with their new places."""
    wishes: dict[Scope, list[tuple[int, Path]]] = defaultdict(list)
    for node in nodes:
        placed, wanted = paths[node.index], inner[node.index]
        if node.kind in {"input", "target"} and not node.parents and len(wanted) > len(placed):
            scope = wanted[len(placed)]
            if scope.kind not in LIBRARY:
                wishes[scope].append((node.index, (*placed, scope)))
    classes: dict[tuple[Scope | None, str, int], list[Scope]] = defaultdict(list)
    for scope in shapes:
        if scope.kind not in LIBRARY:
            classes[scope.parent, _DIGITS.sub("#", scope.name), shapes[scope]].append(scope)
    moved: list[tuple[int, Path]] = []
    for same in classes.values():
        counts = [Counter(nodes[i].kind for i, _ in wishes[scope]) for scope in same]
        if len(same) > 1 and counts[0] and all(count == counts[0] for count in counts):
            moved += [wish for scope in same for wish in wishes[scope]]
    return moved

"""The graph that is stepped: every node of a snapshot, or with some scopes closed to one node each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from microgradlib.ops import ZERO
from microgradlib.viz.drawings.collapse import KINDS, check_collapse

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from microgradlib.viz.boxes.groups import Groups
    from microgradlib.viz.snapshots.snapshot import Scope, SnapshotNode

__all__ = ["MOST_NODES_WITH_HIDDEN", "StepGraph", "StepNode", "closable", "closed_at", "contract", "levels"]

MOST_NODES_WITH_HIDDEN: Final = 800
"""Up to so many nodes, the parameters of closed scopes stay leaves, so that they have sliders and gradients."""


_INNER: Final = frozenset({"constant", "target"})


@dataclass(frozen=True)
class StepNode:
    """A node of the graph that is stepped.

    Args:
        of: its index in the snapshot; of a closed scope, that of the scope's output.
        parents: the places of its parents in the graph that is stepped. Repeats are kept, but a closed scope has each
            parent once.
        local_derivatives: ∂node/∂parent for each parent: `ZERO` where closed, nan where unknown.
        scope: the closed scope that it stands for, None for a plain node.
        members: the ops inside a closed scope, in topological order.

    """

    of: int
    parents: tuple[int, ...]
    local_derivatives: tuple[float, ...]
    scope: Scope | None = None
    members: tuple[int, ...] = ()


@dataclass(frozen=True)
class StepGraph:
    """Nodes in topological order, the place of the output, and the scopes that are closed."""

    groups: Groups
    nodes: tuple[StepNode, ...]
    closed: tuple[Scope, ...] = ()

    @property
    def output(self) -> int:
        """The place of the output: everything else is below it."""
        return len(self.nodes) - 1

    def snapshot_node(self, place: int) -> SnapshotNode:
        """Return the node of the snapshot at a place."""
        return self.groups.snapshot.nodes[self.nodes[place].of]


def closable(groups: Groups) -> dict[Scope, int]:
    """Return the scopes that can be one node, each with its output: those of several ops of which one is read outside.

    All other scopes have several outputs, such as a layer of three neurons: their nodes stay.
    """
    nodes = groups.snapshot.nodes
    ops: dict[Scope, int] = {}
    exits: dict[Scope, list[int]] = {}
    ends = set(groups.snapshot.outputs)
    for node in nodes:
        if not node.parents:
            continue
        users = [groups.paths[user] for user, _ in groups.uses[node.index]]
        for depth, scope in enumerate(groups.paths[node.index]):
            ops[scope] = ops.get(scope, 0) + 1
            if node.index in ends or any(depth >= len(path) or path[depth] is not scope for path in users):
                exits.setdefault(scope, []).append(node.index)
    return {scope: exits[scope][0] for scope in ops if ops[scope] > 1 and len(exits.get(scope, ())) == 1}


def levels(groups: Groups) -> list[tuple[str, tuple[Scope, ...]]]:
    """Return the levels of detail as pairs of a key and the scopes that are closed, from every node to the coarsest.

    A level closes all scopes of its kind that can be; at "layer" also the neurons of layers with several outputs, and
    at "all" every outermost scope. Levels that change nothing, or leave a single op, are left out.
    """
    can_close = closable(groups)
    found: list[tuple[str, tuple[Scope, ...]]] = [("nodes", ())]
    wanted = {key: [scope for scope in can_close if scope.kind in kinds] for key, kinds in KINDS.items()}
    for key, scopes in {**wanted, "all": list(can_close)}.items():
        closed = _outermost(scopes)
        if closed not in [known for _, known in found] and _ops_left(groups, closed) > 1:
            found.append((key, closed))
    return found


def closed_at(groups: Groups, collapse: str | int) -> tuple[Scope, ...]:
    """Return the scopes that `collapse` closes: those of a kind, or so many of the innermost levels.

    0 closes none, 1 the scopes that hold no other, 2 those around them too, and so on. Scopes with several outputs stay
    open.

    Raises:
        ValueError: another word, or a negative number.
        TypeError: neither a word nor a whole number.

    """
    check_collapse(collapse)
    can_close = closable(groups)
    if isinstance(collapse, str):
        return _outermost(scope for scope in can_close if scope.kind in KINDS[collapse])
    return _outermost(scope for scope in can_close if groups.heights[scope] < collapse)


def _outermost(scopes: Iterable[Scope]) -> tuple[Scope, ...]:
    """Return the scopes that are in no other of them, in their order."""
    found = list(scopes)
    among = set(found)
    return tuple([scope for scope in found if not any(outer in among for outer in _around(scope))])


def _around(scope: Scope) -> Iterable[Scope]:
    outer = scope.parent
    while outer is not None:
        yield outer
        outer = outer.parent


def _ops_left(groups: Groups, closed: Collection[Scope]) -> int:
    owners = [_owner(path, closed) for node, path in zip(groups.snapshot.nodes, groups.paths) if node.parents]
    return owners.count(None) + len(set(owners) - {None})


def _owner(path: Sequence[Scope], closed: Collection[Scope]) -> Scope | None:
    return next((scope for scope in path if scope in closed), None)


def contract(groups: Groups, closed: Sequence[Scope] = ()) -> StepGraph:
    """Return the graph with each scope of `closed` as one node; those inside others are covered by these.

    The local derivatives of a closed scope are the gradients of its output by what it reads from outside, by the
    chain rule inside it. Constants and targets inside belong to it; other leaves that it alone reads stay leaves, in
    graphs of up to `MOST_NODES_WITH_HIDDEN` nodes.

    Raises:
        ValueError: a scope of `closed` has several outputs, or is a single op.

    """
    outputs = closable(groups)
    for scope in closed:
        if scope not in outputs:
            message = f"only a scope of several ops with one output can be closed, not {scope.kind} {scope.name!r}"
            raise ValueError(message)
    nodes = groups.snapshot.nodes
    closed = _outermost(closed)
    kept = set(closed)
    owner = [_owner(path, kept) if node.parents else None for node, path in zip(nodes, groups.paths)]
    members: dict[Scope, list[int]] = {scope: [] for scope in closed}
    for i, own in enumerate(owner):
        if own is not None:
            members[own].append(i)
    inner = _inner_leaves(groups, owner)
    place: dict[int, int] = {}
    found: list[StepNode] = []
    for node, own in zip(nodes, owner):
        if node.index in inner or (own is not None and outputs[own] != node.index):
            continue
        if own is None:
            parents, slopes = node.parents, tuple([_known(d) for d in node.local_derivatives])
        else:
            parents, slopes = _closed_derivatives(nodes, members[own], inner)
        place[node.index] = len(found)
        ops = () if own is None else tuple(members[own])
        found.append(StepNode(node.index, tuple([place[p] for p in parents]), slopes, own, ops))
    return StepGraph(groups, tuple(found), closed)


def _known(derivative: float | None) -> float:
    return float("nan") if derivative is None else derivative


def _inner_leaves(groups: Groups, owner: Sequence[Scope | None]) -> set[int]:
    """Return the leaves that belong to closed scopes: constants, targets, and in very large graphs parameters."""
    nodes = groups.snapshot.nodes
    alone: dict[int, str] = {}
    for node in nodes:
        if not node.parents and groups.uses[node.index]:
            owners = {owner[user] for user, _ in groups.uses[node.index]}
            if len(owners) == 1 and None not in owners:
                alone[node.index] = node.kind
    left = sum(one is None for one in owner) - sum(kind in _INNER for kind in alone.values())
    all_inside = left > MOST_NODES_WITH_HIDDEN
    return {i for i, kind in alone.items() if kind in _INNER or (all_inside and kind == "parameter")}


def _closed_derivatives(
    nodes: Sequence[SnapshotNode], members: Sequence[int], inner: Collection[int]
) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Return what a closed scope reads from outside, in the order of reading, and its derivatives by it."""
    inside = set(members)
    reads = dict.fromkeys(p for i in members for p in nodes[i].parents if p not in inside and p not in inner)
    gradient: dict[int, float] = {members[-1]: 1.0}
    for i in reversed(members):
        upstream = gradient.get(i, ZERO)
        if upstream is ZERO:
            continue
        for parent, derivative in zip(nodes[i].parents, nodes[i].local_derivatives):
            local = _known(derivative)
            if local is not ZERO:
                gradient[parent] = gradient.get(parent, 0.0) + upstream * local
    return tuple(reads), tuple([gradient.get(p, ZERO) for p in reads])

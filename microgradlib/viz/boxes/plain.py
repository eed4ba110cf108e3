"""Scopes around which a frame would say nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from microgradlib.viz.snapshots.snapshot import Scope, SnapshotNode


def plain_scopes(
    nodes: Sequence[SnapshotNode],
    scopes: Sequence[Scope],
    children: Mapping[Scope | None, Sequence[Scope]],
    members: Mapping[Scope | None, Sequence[int]],
) -> frozenset[Scope]:
    """Return the scopes that need no frame.

    These hold one op and nothing else, or are the call of the only model, or hold, with nothing beside them, what is in
    a scope of the same name.

    Args:
        nodes: all nodes.
        scopes: all scopes.
        children, members: the scopes, and the nodes, directly inside each scope; None stands for what is around all.

    """
    return frozenset(
        scope
        for scope in scopes
        if _holds_one_op(scope, nodes, children, members)
        or _is_only_model(scope, children[scope.parent])
        or _is_said_twice(scope, nodes, children, members)
    )


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


def _is_said_twice(
    scope: Scope,
    nodes: Sequence[SnapshotNode],
    children: Mapping[Scope | None, Sequence[Scope]],
    members: Mapping[Scope | None, Sequence[int]],
) -> bool:
    """Whether all that the scope around it holds is in this one, of the same name."""
    around = scope.parent
    if around is None or around.name != scope.name or len(children[around]) > 1:
        return False
    return not any(nodes[i].parents for i in members[around])

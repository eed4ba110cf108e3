"""Nodes that a module of the user's reads in a call, from elsewhere than its arguments, but did not make in it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from microgradlib.core.scopes import Call

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from microgradlib.viz.snapshots.names import Names
    from microgradlib.viz.snapshots.records import Records

__all__ = ["without_outside"]


def without_outside(records: Records, order: Sequence[Any], index: Mapping[Any, int], names: Names) -> Records:
    """Return records whose calls of modules leave out what may have been there before.

    Walking back from the results of a call does not end at a global variable or an attribute that it read. What the
    user's variables hold, what was computed from that, and what that was computed from, is left out, if it depends
    neither on the inputs of the call nor on a parameter.
    """
    members: dict[int, tuple[Call, list[int]]] = {}
    for i, chain in enumerate(records.chains):
        for record in chain:
            if isinstance(record, Call) and _is_users(record.module):
                members.setdefault(record.begin, (record, []))[1].append(i)
    dropped: dict[int, set[int]] = {}
    for begin, (call, nodes) in members.items():
        for i in _held_before(call, nodes, order, index, names):
            dropped.setdefault(i, set()).add(begin)
    if not dropped:
        return records
    chains = list(records.chains)
    for i, begins in dropped.items():
        chains[i] = tuple([record for record in chains[i] if record.begin not in begins])
    return replace(records, chains=chains)


def _is_users(module: Any) -> bool:
    return module is not None and type(module).__module__.partition(".")[0] != __name__.partition(".")[0]


def _held_before(
    call: Call, nodes: Sequence[int], order: Sequence[Any], index: Mapping[Any, int], names: Names
) -> set[int]:
    """Return those of the nodes of a call that may have been there before it."""
    inputs, inside = set(call.inputs), set(nodes)
    free: set[int] = set()
    held: set[int] = set()
    for i in nodes:
        parents = order[i].parents
        if all(index[x] in free or (x.op is None and x not in inputs and x not in names.paths) for x in parents):
            free.add(i)
            if order[i] in names.held or any(x in names.held or index[x] in held for x in parents):
                held.add(i)
    stack = list(held)
    while stack:
        below = [index[x] for x in order[stack.pop()].parents if index[x] in inside and index[x] not in held]
        held.update(below)
        stack += below
    return held

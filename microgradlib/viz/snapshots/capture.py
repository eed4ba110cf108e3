"""From a live graph to plain data: `snapshot(outputs)` notes names, kinds, numbers and scopes as they are now."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from microgradlib.core.graph import topological_sort
from microgradlib.core.hand_made import MissingDerivative
from microgradlib.core.value import Value
from microgradlib.ops import TABLE, ZERO
from microgradlib.viz.snapshots.facts import Facts, facts_of
from microgradlib.viz.snapshots.names import users_frame
from microgradlib.viz.snapshots.naming import Names, names_of
from microgradlib.viz.snapshots.records import records_of
from microgradlib.viz.snapshots.snapshot import Kind, Snapshot, SnapshotNode
from microgradlib.viz.snapshots.staleness import changed_leaves, stale_nodes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from types import FrameType

    from microgradlib.viz.snapshots.snapshot import Scope

__all__ = ["Capture", "capture", "snapshot"]

SIGNS: Final = {"*": "×", "-": "−", "/": "÷"}
"""How drawings write the signs of programs."""


class Capture(NamedTuple):
    """A snapshot, and the live nodes in the same order: `nodes[i]` is that of `snapshot.nodes[i]`."""

    snapshot: Snapshot
    nodes: list[Any]


def snapshot(
    *outputs: Any,
    model: Any = None,
    names: Mapping[str, Any] | None = None,
    targets: Iterable[Any] = (),
    frame: FrameType | None = None,
) -> Snapshot:
    """Return the graph of the outputs as plain data. See `capture`, which returns the live nodes, too.

    >>> x = Value(3.0, label="x")
    >>> y = x * x
    >>> [(node.name, node.kind, node.op, node.data) for node in snapshot(y).nodes]
    [('x', 'input', '', 3.0), ('y', 'output', '×', 9.0)]
    """
    return capture(*outputs, model=model, names=names, targets=targets, frame=frame or users_frame()).snapshot


def capture(
    *outputs: Any,
    model: Any = None,
    names: Mapping[str, Any] | None = None,
    targets: Iterable[Any] = (),
    frame: FrameType | None = None,
) -> Capture:
    """Return the graph of the outputs as plain data, and its live nodes.

    Args:
        outputs: Values or Symbols, or lists of them.
        model: the module, or a list or dict of modules, whose parameters are named by their paths.
        names: further names, as `locals()` has them: a name → a Value, a Module, or a container of them.
        targets: the Values that are targets of a cost.
        frame: the frame whose variables give names; by default the innermost one outside the package.

    Raises:
        TypeError: an output is not a node.

    """
    ends = _flat(outputs)
    order = topological_sort(*ends)
    index = {node: i for i, node in enumerate(order)}
    records = records_of(order, index)
    known = names_of(order, index, records, model=model, given=names or {}, frame=frame or users_frame())
    facts = facts_of(order, index, ends, records, known)
    stale, unexplained = stale_nodes(order)
    kinds = _kinds(order, set(ends), known, facts, set(_flat(targets)))
    nodes = [
        _node(
            i,
            node,
            kind,
            _name(i, node, known, facts),
            parents=[index[parent] for parent in node.parents],
            scopes=facts.scopes[i],
            stale=node in stale,
        )
        for i, (node, kind) in enumerate(zip(order, kinds))
    ]
    changed = [nodes[index[leaf]].name for leaf in changed_leaves(order, unexplained)]
    outside = tuple(dict.fromkeys([index[node] for node in ends]))
    return Capture(Snapshot(tuple(nodes), outside, tuple(dict.fromkeys([name for name in changed if name]))), order)


def _flat(outputs: Iterable[Any]) -> list[Any]:
    nodes: list[Any] = []
    for output in outputs:
        nodes += _flat(output) if isinstance(output, (list, tuple)) else [output]
    return nodes


def _name(i: int, node: Any, known: Names, facts: Facts) -> str:
    """Return the name of a node: what the user or a module calls it, else what the library knows of it."""
    return (
        known.paths.get(node)
        or known.given.get(node)
        or facts.numbers.get(i)
        or facts.targets.get(i)
        or facts.inputs.get(i, "")
    )


def _kinds(order: Sequence[Any], ends: set[Any], known: Names, facts: Facts, targets: set[Any]) -> list[Kind]:
    """Return the kind of each node. A leaf without a name that is read twice is no plain number, so it is an input."""
    kinds: list[Kind] = []
    uses = Counter([parent for node in order for parent in node.parents])
    for i, node in enumerate(order):
        if node.op is not None:
            kinds.append("output" if node in ends else "op")
        elif node in known.paths:
            kinds.append("parameter")
        elif node in targets or i in facts.targets:
            kinds.append("target")
        elif i in facts.numbers:
            kinds.append("constant")
        elif node in known.given or i in facts.inputs or not isinstance(node, Value) or uses[node] > 1:
            kinds.append("input")
        else:
            kinds.append("constant")
    return kinds


def _node(
    i: int, node: Any, kind: Kind, name: str, *, parents: list[int], scopes: tuple[Scope, ...], stale: bool
) -> SnapshotNode:
    op = node.op
    shown, op_name = "", ""
    if op is not None:
        shown = SIGNS.get(op.symbol, op.symbol) + str(op)[len(op.symbol) :]
        op_name = op.name if op.name in TABLE else ""
    is_value = isinstance(node, Value)
    return SnapshotNode(
        index=i,
        kind=kind,
        name=name,
        op=shown,
        op_name=op_name,
        data=node.data if is_value else None,
        grad=None if not is_value or kind in {"constant", "target"} or node.grad is ZERO else node.grad,
        parents=tuple(parents),
        local_derivatives=_local_derivatives(node) if is_value else (None,) * len(parents),
        scopes=scopes,
        stale=stale,
    )


def _local_derivatives(node: Any) -> tuple[float | None, ...]:
    return tuple([None if isinstance(d, MissingDerivative) else d for d in node.local_derivatives])

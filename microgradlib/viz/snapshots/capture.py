"""From a live graph to plain data: `snapshot(outputs)` notes names, kinds, numbers and scopes as they are now."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from microgradlib._support.printable import one_line
from microgradlib.core.graph import topological_sort
from microgradlib.core.hand_made import MissingDerivative
from microgradlib.core.value import Value
from microgradlib.ops import TABLE, ZERO
from microgradlib.viz.snapshots.facts import Facts, facts_of
from microgradlib.viz.snapshots.frames import users_frame
from microgradlib.viz.snapshots.names import Names, names_of
from microgradlib.viz.snapshots.records import records_of
from microgradlib.viz.snapshots.signs import op_sign
from microgradlib.viz.snapshots.snapshot import Kind, Snapshot, SnapshotNode
from microgradlib.viz.snapshots.staleness import changed_leaves, stale_nodes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from types import FrameType

    from microgradlib.viz.snapshots.snapshot import Scope

__all__ = ["Capture", "capture", "snapshot"]

WORDS: Final = {"x": "input", "s": "state", "h": "state", "c": "cell state", "y": "target"}
"""What the letters in the library's names stand for: the input `x.0` of a layer, the target `y` of a cost."""


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
    names_of_library = _names_of_library(known, facts)
    nodes = [
        _node(
            i,
            node,
            kind,
            known.paths.get(node) or known.given.get(node) or names_of_library.get(i, ""),
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


def _names_of_library(known: Names, facts: Facts) -> dict[int, str]:
    """Return what the library itself knows of nodes: of numbers that it put in, of targets, of inputs such as `x.0`.

    A letter that begins a name of the user's, as in y = model(x), is not used for another thing: `target`, not `y`.
    """
    taken = {re.split(r"[.\[]", name)[0] for name in known.given.values()}
    words = {letter: word for letter, word in WORDS.items() if letter in taken}
    written: dict[int, str] = {}
    for i, name in {**facts.inputs, **facts.targets, **facts.numbers}.items():
        letter, dot, place = name.partition(".")
        written[i] = f"{words[letter]}{dot}{place}" if letter in words else name
    taken = {*known.given.values(), *known.paths.values()}
    return {i: name for i, name in written.items() if name not in taken}


def _kinds(order: Sequence[Any], ends: set[Any], known: Names, facts: Facts, targets: set[Any]) -> list[Kind]:
    """Return the kind of each node.

    A nameless leaf that a variable holds is no plain number, nor is one with a gradient where all would be. One that is
    read twice is none if it has a gradient, or no leaf has a name; else it is the 3 of 3x², which 6x reads again.
    """
    kinds: list[Kind] = []
    plain: list[int] = []
    uses = Counter([parent for node in order for parent in node.parents])
    has_names = any(node.op is None and (node in known.given or node in known.paths) for node in order)
    for i, node in enumerate(order):
        if node.op is not None:
            kinds.append("output" if node in ends else "op")
        elif node in known.paths:
            kinds.append("parameter")
        elif node in targets or i in facts.targets:
            kinds.append("target")
        elif i in facts.numbers:
            kinds.append("constant")
        else:
            is_held = node in known.held or node in known.given or i in facts.inputs
            is_symbol = not isinstance(node, Value)
            is_input = is_held or is_symbol or (uses[node] > 1 and not (has_names and node.grad is ZERO))
            kinds.append("input" if is_input else "constant")
            plain += [] if is_input or node.grad is ZERO else [i]
    if {"input", "parameter"}.isdisjoint(kinds):
        for i in plain:
            kinds[i] = "input"
    return kinds


def _node(
    i: int, node: Any, kind: Kind, name: str, *, parents: list[int], scopes: tuple[Scope, ...], stale: bool
) -> SnapshotNode:
    op = node.op
    shown, op_name = "", ""
    if op is not None:
        shown = op_sign(op)
        op_name = op.name if op.name in TABLE else ""
    is_value = isinstance(node, Value)
    return SnapshotNode(
        index=i,
        kind=kind,
        name=one_line(name),
        op=one_line(shown),
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

"""From a live graph to plain data: `snapshot(outputs)` notes names, kinds and numbers as they are now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from microgradlib.core.graph import topological_sort
from microgradlib.core.hand_made import MissingDerivative
from microgradlib.core.value import Value
from microgradlib.ops import TABLE, ZERO
from microgradlib.viz.names import Bindings, automatic_label, is_module, named_parameters, users_frame, users_variables
from microgradlib.viz.snapshot import Kind, Snapshot, SnapshotNode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import FrameType

    from microgradlib.core.node import Node

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
        names: further names, as `locals()` has them: a label → a Value, a Module, or a container of them.
        targets: the Values that are targets of a cost.
        frame: the frame whose variables give names; by default the innermost one outside the package.

    Raises:
        TypeError: an output is not a node.

    """
    ends = _flat(outputs)
    order = topological_sort(*ends)
    index = {node: i for i, node in enumerate(order)}
    known = _names(order, model, names, users_variables(frame or users_frame()))
    kinds = _kinds(order, set(ends), known, set(_flat(targets)))
    nodes = [_node(i, node, kind, known.get(node), index) for i, (node, kind) in enumerate(zip(order, kinds))]
    return Capture(Snapshot(tuple(nodes), tuple(dict.fromkeys([index[node] for node in ends]))), order)


def _flat(outputs: Iterable[Any]) -> list[Any]:
    nodes: list[Any] = []
    for output in outputs:
        nodes += _flat(output) if isinstance(output, (list, tuple)) else [output]
    return nodes


class _Name(NamedTuple):
    name: str
    is_parameter: bool = False


def _names(
    order: list[Node], model: Any, names: Mapping[str, Any] | None, variables: Mapping[str, Any]
) -> dict[Node, _Name]:
    """Return the names of the nodes that have one: a label, the path of a parameter, a given name or a variable."""
    given = Bindings(names or {})
    bound = Bindings(variables)
    explicit = Bindings(
        {"model": model} if is_module(model) else dict(model) if isinstance(model, dict) else {"": model or []}
    )
    found: dict[Node, _Name] = {}
    in_graph = set(order)
    roots = _roots([*explicit.modules, *given.modules, *bound.modules], in_graph)
    prefixes = _prefixes(roots, (given, bound))
    for root, parameters in roots:
        prefix = prefixes[id(root)]
        for path, parameter in parameters:
            if parameter in in_graph and parameter not in found:
                own = parameter.label if not automatic_label(parameter.label, path) else ""
                found[parameter] = _Name(own or prefix + path, is_parameter=True)
    for node in order:
        if node not in found:
            name = node.label or given.name(node) or bound.name(node)
            if name:
                found[node] = _Name(name)
    return found


def _roots(modules: list[Any], in_graph: set[Node]) -> list[tuple[Any, list[tuple[str, Any]]]]:
    """Return the outermost modules that have parameters in the graph, each with its named parameters."""
    inner = {id(module) for root in modules for path, module in root.named_modules() if path}
    roots: list[tuple[Any, list[tuple[str, Any]]]] = []
    for module in modules:
        if id(module) not in inner and not any(module is root for root, _ in roots):
            parameters = named_parameters(module)
            if any(parameter in in_graph for _, parameter in parameters):
                roots.append((module, parameters))
    return roots


def _prefixes(roots: list[tuple[Any, Any]], bindings: Iterable[Bindings]) -> dict[int, str]:
    """Return what the paths of each module begin with: nothing if it is the only one, else its variable or class."""
    if len(roots) < 2:
        return {id(root): "" for root, _ in roots}
    names = {id(root): next(filter(None, [b.name(root) for b in bindings]), "") for root, _ in roots}
    classes = [type(root).__name__.lower() for root, _ in roots if not names[id(root)]]
    count: dict[str, int] = {}
    for root, _ in roots:
        if not names[id(root)]:
            kind = type(root).__name__.lower()
            count[kind] = count.get(kind, 0) + 1
            several = classes.count(kind) > 1 or kind in names.values()
            names[id(root)] = f"{kind}{count[kind]}" if several else kind
    return {key: f"{name}." for key, name in names.items()}


def _kinds(order: list[Node], ends: set[Node], names: Mapping[Node, _Name], targets: set[Node]) -> list[Kind]:
    kinds: list[Kind] = []
    for node in order:
        if node.op is not None:
            kinds.append("output" if node in ends else "op")
        elif node in targets:
            kinds.append("target")
        elif node in names:
            kinds.append("parameter" if names[node].is_parameter else "input")
        else:
            kinds.append("constant" if isinstance(node, Value) else "input")
    return kinds


def _node(i: int, node: Any, kind: Kind, name: _Name | None, index: Mapping[Node, int]) -> SnapshotNode:
    op = node.op
    shown, op_name = "", ""
    if op is not None:
        shown = SIGNS.get(op.symbol, op.symbol) + str(op)[len(op.symbol) :]
        op_name = op.name if op.name in TABLE else ""
    is_value = isinstance(node, Value)
    parents = tuple([index[parent] for parent in node.parents])
    return SnapshotNode(
        index=i,
        kind=kind,
        name=name.name if name else "",
        op=shown,
        op_name=op_name,
        data=node.data if is_value else None,
        grad=None if not is_value or kind in {"constant", "target"} or node.grad is ZERO else node.grad,
        parents=parents,
        local_derivatives=_local_derivatives(node) if is_value else (None,) * len(parents),
    )


def _local_derivatives(node: Any) -> tuple[float | None, ...]:
    return tuple([None if isinstance(d, MissingDerivative) else d for d in node.local_derivatives])

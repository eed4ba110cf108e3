"""What a graph says of its nodes: their scopes, and names of inputs, targets and numbers that only these tell."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from microgradlib.core.graph import GraphNode
from microgradlib.core.scopes import Call, Function
from microgradlib.viz.snapshots.examples import examples
from microgradlib.viz.snapshots.outside import without_outside
from microgradlib.viz.snapshots.patterns import Pattern, softmaxes
from microgradlib.viz.snapshots.scoping import ScopeBuilder, batch_prefix, place_leaves, step_numbers
from microgradlib.viz.snapshots.units import LayerCall, layer_calls

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from microgradlib.viz.snapshots.names import Names
    from microgradlib.viz.snapshots.records import Records
    from microgradlib.viz.snapshots.snapshot import Scope

__all__ = ["Facts", "facts_of"]


@dataclass(frozen=True)
class Facts:
    """What the graph itself and its records say, by the indices of its nodes.

    Args:
        scopes: the scopes of each node, outermost first.
        numbers: names of numbers that the library put in.
        inputs: names of the inputs of units, for leaves without a name; empty where several differ.
        targets: the leaves that costs were given as targets, with a name.

    """

    scopes: list[tuple[Scope, ...]]
    numbers: dict[int, str]
    inputs: dict[int, str] = field(default_factory=dict)
    targets: dict[int, str] = field(default_factory=dict)


def facts_of(
    order: Sequence[Any], index: Mapping[Any, int], outputs: Sequence[Any], records: Records, names: Names
) -> Facts:
    """Return the facts about a graph in topological order."""
    records = without_outside(records, order, index, names)
    places = [tuple([record.begin for record in chain]) for chain in records.chains]
    layers = layer_calls(order, index, [(known.path, known.module) for known in names.modules], places)
    patterns = softmaxes(order, index, places)
    inner = _inner(layers, patterns)
    in_modules = {i for i, chain in enumerate(records.chains) if any(_is_module_call(record) for record in chain)}
    batch = examples(outputs, index, names.paths, in_modules.union(i for layer in layers for i in layer.nodes))
    around = batch_prefix(batch, records) if batch else None
    example_of = {} if around is None else {i: n for n, nodes in enumerate(batch, start=1) for i in nodes}
    split = {record.begin for i in example_of for record in records.chains[i]} - (around or set())
    steps, several_cells = step_numbers(records.calls, layers, index)
    builder = ScopeBuilder(names.modules, steps, several_cells=several_cells)
    scopes: list[tuple[Scope, ...]] = []
    for i, chain in enumerate(records.chains):
        things: list[Any] = list(chain)
        if i in example_of:
            inside = [record for record in chain if record.begin in split]
            things = [*[record for record in chain if record.begin not in split], example_of[i], *inside]
        elif example_of:
            things = [record for record in chain if record.begin not in split]
        scopes.append(builder.chain([*things, *inner.get(i, ())]))
    place_leaves(order, index, scopes, {i for i, x in enumerate(order) if x.op is None and x not in names.paths})
    numbers = dict(records.numbers)
    for pattern in patterns:
        if pattern.zero is not None:
            numbers.setdefault(pattern.zero, "largest less itself")
        if pattern.shift is not None:
            numbers.setdefault(pattern.shift, "largest")
    return Facts(scopes, numbers, _inputs(layers, records, order, index), _targets(order, index, records, scopes))


def _is_module_call(record: Any) -> bool:
    return isinstance(record, Call) and record.module is not None


def _inner(layers: Sequence[LayerCall], patterns: Sequence[Pattern]) -> dict[int, list[Any]]:
    """Return the layers, units and functions that each node belongs to, outer ones first."""
    inner: dict[int, list[Any]] = {}
    layer_of_net_input: dict[int, LayerCall] = {}
    for layer in layers:
        for unit in layer.units:
            layer_of_net_input[unit.net_input] = layer
            for i in unit.nodes:
                inner[i] = [layer, unit] if unit.unit.name else [layer]
    for pattern in patterns:
        around = {id(layer_of_net_input.get(i)): layer_of_net_input.get(i) for i in pattern.inputs}
        [layer_call] = around.values() if len(around) == 1 else [None]
        whole = layer_call is not None and getattr(layer_call.layer, "layer_activation", None) is not None
        for i in pattern.nodes:
            inner.setdefault(i, [layer_call, pattern] if whole else [pattern])
    return inner


def _inputs(
    layers: Sequence[LayerCall], records: Records, order: Sequence[Any], index: Mapping[Any, int]
) -> dict[int, str]:
    """Return the names of the leaves that modules read as inputs; empty where they have several."""
    names: dict[int, str] = {}
    by: dict[int, Call] = {}
    for call in records.calls:
        for leaf, name in _placed(call.places):
            i = index.get(leaf, -1)
            if leaf.op is None and i >= 0 and not (i in by and by[i].end > call.end):  # outer calls come first
                names[i] = name if names.get(i, name) == name else ""
                by[i] = call
    for layer in layers:
        for unit in layer.units:
            for i, name in zip(unit.inputs, unit.unit.inputs):
                if order[i].op is None and i not in by:
                    names[i] = name if names.get(i, name) == name else ""
    return names


def _placed(places: Sequence[Any]) -> Iterator[tuple[Any, str]]:
    """Yield the nodes in nested sequences, each with its place as in `x.0.2`."""
    stack: list[tuple[Any, str]] = [(places, "x")]
    while stack:
        thing, name = stack.pop()
        if isinstance(thing, (list, tuple)):
            stack += [(part, f"{name}.{k}") for k, part in enumerate(thing) if not isinstance(part, (float, int))]
        elif isinstance(thing, GraphNode):
            yield thing, name


def _targets(
    order: Sequence[Any], index: Mapping[Any, int], records: Records, scopes: Sequence[tuple[Scope, ...]]
) -> dict[int, str]:
    """Return the leaves that costs were given as targets: named y, or y.0, y.1, … where one cost has several."""
    found: dict[Scope, list[int]] = {}
    for i, node in enumerate(order):
        for record in records.chains[i]:
            if not (isinstance(record, Call) and isinstance(record.source, Function) and record.source.target):
                continue
            op, place = record.source.target
            if node.op.name == op and len(node.parents) == 2:
                target, other = node.parents[place], node.parents[1 - place]
                if target.op is None and (target in record.inputs or other in record.inputs):
                    scope = next(scope for scope in scopes[i] if scope.name == record.source.name)
                    found.setdefault(scope, []).append(index[target])
    names: dict[int, str] = {}
    for targets in found.values():
        several = list(dict.fromkeys(targets))
        names.update({i: f"y.{k}" if len(several) > 1 else "y" for k, i in enumerate(several)})
    return names

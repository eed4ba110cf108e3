"""Names in the stepper: short ones for cards whose frame says the rest, and full ones, each once: w₂ and w₁₂⁽¹⁾."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from microgradlib._support.printable import shorten
from microgradlib.symbolic.names import fresh_names
from microgradlib.viz.boxes.labels import relative_name
from microgradlib.viz.math_text import plain
from microgradlib.viz.numbers import number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.viz.boxes.groups import Groups
    from microgradlib.viz.snapshots.snapshot import Scope, SnapshotNode

__all__ = ["Name", "below", "layer_symbol", "name_nodes", "units_of"]

BELOW: Final = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
ABOVE: Final = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")

_INDICES: Final = frozenset("₀₁₂₃₄₅₆₇₈₉")

_UNIT: Final = re.compile(r"(?:^|\.)(?:layers\.(?P<layer>\d+)\.)?neurons\.(?P<unit>\d+)$")
_COUNTED: Final = re.compile(r" (\d+)$")
_LETTER: Final = re.compile(r"(?:^|\.)([a-z])((?:\.\d+)*)$")
"""A letter and its indices, at the end of a path."""


class Name(NamedTuple):
    """How a node is called: on its card, and everywhere else."""

    short: str
    full: str


def below(*indices: str) -> str:
    """Return indices as subscripts, apart where one has two digits.

    >>> below("2", "0"), below("12", "3")
    ('₂₀', '₁₂,₃')
    """
    return ("," if any(len(i) > 1 for i in indices) else "").join([i.translate(BELOW) for i in indices])


def _above(layer: str) -> str:
    return f"⁽{str(int(layer) + 1).translate(ABOVE)}⁾" if layer else ""


class _Unit(NamedTuple):
    """A neuron as its path tells it: `before` is the path of the network, `layer` its index or ""."""

    before: str
    layer: str
    unit: str

    @classmethod
    def of(cls, path: str) -> _Unit | None:
        match = _UNIT.search(path)
        return cls(path[: match.start()], match["layer"] or "", match["unit"]) if match else None


LONGEST: Final = 64
"""Longer labels are shown without their middle, so that they fit into sentences."""


def name_nodes(groups: Groups) -> list[Name]:
    """Return the names of all nodes of a snapshot, in order.

    A parameter of a fully connected network has the book's notation: weight i of unit u of layer l is w_ui⁽ˡ⁾. Units
    and inputs count from 0, as in the library's paths, layers from 1. In a neuron, a is the net input and h what is
    computed from it. Labels like x_1^(2) are set as x₁⁽²⁾. An op without a name is u1, u2, …; a constant is its number.

    >>> from microgradlib.viz.boxes.groups import find_groups
    >>> from microgradlib.viz.snapshots.snapshot import Snapshot, SnapshotNode
    >>> names = [*[f"layers.0.neurons.{u}.w.1" for u in range(2)], "x"]
    >>> leaves = [SnapshotNode(i, "parameter" if i < 2 else "input", name) for i, name in enumerate(names)]
    >>> y = SnapshotNode(3, "output", op="Σ", parents=(0, 1, 2))
    >>> [tuple(name) for name in name_nodes(find_groups(Snapshot((*leaves, y), (3,))))]
    [('w₁', 'w₀₁⁽¹⁾'), ('w₁', 'w₁₁⁽¹⁾'), ('x', 'x'), ('u1', 'u1')]
    """
    nodes = groups.snapshot.nodes
    alone = _units_alone(groups)
    inside = _neuron_names(groups, alone)
    names: list[Name] = []
    fresh = fresh_names("u", {node.name for node in nodes})
    repeated = Counter(node.name for node in nodes)
    used: dict[str, int] = {}
    for node in nodes:
        if node.kind == "constant" and not node.name and node.data is not None:
            text = number(node.data)
            names.append(Name(text, text))
            continue
        name = _parameter_name(node, alone) or (inside.get(node.index) if not node.name else None)
        if name is None and node.name:
            short = relative_name(node.name, groups.paths[node.index])
            name = _input_name(node) or Name(*[shorten(plain(text), LONGEST) for text in (short, node.name)])
        if name is None:
            label = next(fresh)
            name = Name(label, label)
        if repeated[node.name] > 1 and node.kind in {"input", "target"}:
            number_of = _moment(groups, node)
            name = Name(name.short, f"{name.full}{number_of}") if number_of else name
        names.append(_unique(name, used))
    return names


def _unique(name: Name, used: dict[str, int]) -> Name:
    """Return the name, with a number if another node has it: x, x₂, x₃; x₀, x₀⁽²⁾; a⁽¹⁾, a⁽¹⁾₂."""
    k, full = used.get(name.full, 0), name.full
    while full in used:
        k += 1
        full = name.full + (f"⁽{str(k).translate(ABOVE)}⁾" if name.full[-1:] in _INDICES else str(k).translate(BELOW))
    used[name.full] = max(k, 1)
    used[full] = 1
    return Name(name.short if full == name.full or name.short != name.full else full, full)


def _units_alone(groups: Groups) -> set[tuple[str, str]]:
    """Return the layers (before, index) of one unit: their names need no index of the unit."""
    units: dict[tuple[str, str], set[str]] = {}
    for node in groups.snapshot.nodes:
        unit = _Unit.of(node.name.rpartition(".")[0].removesuffix(".w"))
        if node.kind == "parameter" and unit:
            units.setdefault((unit.before, unit.layer), set()).add(unit.unit)
    return {layer for layer, found in units.items() if len(found) == 1}


def _parameter_name(node: SnapshotNode, alone: set[tuple[str, str]]) -> Name | None:
    match = _LETTER.search(node.name)
    if node.kind != "parameter" or match is None:
        return None
    before, letter, indices = node.name[: match.start()], match[1], match[2].split(".")[1:]
    short = f"{letter}{below(*indices)}"
    unit = _Unit.of(before)
    if unit is None:
        return Name(short, f"{before}.{short}" if before else short)
    own = () if (unit.before, unit.layer) in alone else (unit.unit,)
    prefix = f"{unit.before}." if unit.before else ""
    return Name(short, f"{prefix}{letter}{below(*own, *indices)}{_above(unit.layer)}")


def _input_name(node: SnapshotNode) -> Name | None:
    """Return x₀ for x.0 and x₀₁ for x.0.1, the library's names of inputs; None for other names."""
    match = _LETTER.match(node.name)
    if match is None or not match[2]:
        return None
    text = match[1] + below(*match[2].split(".")[1:])
    return Name(text, text)


def _moment(groups: Groups, node: SnapshotNode) -> str:
    """Return the number of the time step or example in which an input is read, as ⁽³⁾; "" if there is no single one."""
    paths = [groups.paths[user] for user, _ in groups.uses[node.index]]
    around = {scope for path in paths for scope in path if scope.kind in {"step", "example"}}
    inside = [scope for scope in around if all(scope in path for path in paths)]
    found = _COUNTED.search(inside[0].name) if len(around) == len(inside) == 1 else None
    return f"⁽{found[1].translate(ABOVE)}⁾" if found else ""


def _neuron_names(groups: Groups, alone: set[tuple[str, str]]) -> dict[int, Name]:
    """Return names for net inputs and results of neurons, those of fully connected layers with their indices."""
    found: dict[int, Name] = {}
    for scope in groups.order:
        ends = _net_input_and_result(groups, scope) if scope.kind == "neuron" else None
        if ends is None:
            continue
        prefix, index, above = _marks(scope, alone)
        for letter, node in zip("ah", ends):
            if node is not None:
                found[node] = Name(f"{letter}{index}", f"{prefix}{letter}{index}{above}")
    return found


def _marks(scope: Scope, alone: set[tuple[str, str]]) -> tuple[str, str, str]:
    """Return what stands before, below and above the letter of a neuron: its network or gate, its index, layer or step.

    >>> from microgradlib.viz.snapshots.snapshot import Scope
    >>> gate = Scope("input_gate", "layer", parent=Scope("step 3", "step"))
    >>> _marks(Scope("unit 1", "neuron", parent=gate), set())
    ('input_gate.', '₁', '⁽³⁾')
    """
    unit = _Unit.of(scope.path or scope.name)
    if unit:
        index = "" if (unit.before, unit.layer) in alone else below(unit.unit)
        return f"{unit.before}." if unit.before else "", index, _above(unit.layer)
    counted = _COUNTED.search(scope.name)
    layer = scope.parent if scope.parent is not None and scope.parent.kind == "layer" else None
    step = scope.parent if layer is None else layer.parent
    time = _COUNTED.search(step.name) if step is not None and step.kind == "step" else None
    above = f"⁽{time[1].translate(ABOVE)}⁾" if time else ""
    return f"{layer.name}." if layer else "", below(counted[1]) if counted else "", above


def _net_input_and_result(groups: Groups, scope: Scope) -> tuple[int, int | None] | None:
    """Return the nodes a and h = f(a) of a neuron; h is None if f is the identity."""
    nodes = groups.snapshot.nodes
    ops = [i for i in groups.members[scope] if nodes[i].parents]
    if not ops:
        return None
    result = ops[-1]
    parents = [p for p in nodes[result].parents if nodes[p].kind != "constant"]
    if len(parents) == 1 and parents[0] in ops and len(groups.uses[parents[0]]) == 1:
        return parents[0], result
    return result, None


def units_of(groups: Groups, scope: Scope) -> tuple[tuple[int, int], ...]:
    """Return net input and result of each unit of a layer, whose gradients are its rows; none if it has no neurons.

    >>> from microgradlib.viz.boxes.groups import find_groups
    >>> from microgradlib.viz.snapshots.snapshot import Scope, Snapshot, SnapshotNode
    >>> layer = Scope("layers.0", "layer", "layers.0")
    >>> neuron = Scope("neurons.0", "neuron", "layers.0.neurons.0", parent=layer)
    >>> x = SnapshotNode(0, "input", "x")
    >>> a = SnapshotNode(1, "op", op_name="dot", parents=(0, 0), scopes=(layer, neuron))
    >>> h = SnapshotNode(2, "output", op_name="tanh", parents=(1,), scopes=(layer, neuron))
    >>> units_of(find_groups(Snapshot((x, a, h), (2,))), layer)
    ((1, 2),)
    """
    if scope.kind != "layer":
        return ()
    units = [child for child in groups.children[scope] if child.kind == "neuron"]
    ends = [_net_input_and_result(groups, unit) for unit in units]
    return tuple([(net, net if result is None else result) for net, result in filter(None, ends)])


def layer_symbol(scope: Scope, layers: Sequence[Scope], letter: str) -> str:
    """Return a letter with the number of a layer, from 1: that of its path, else its place among the layers.

    >>> from microgradlib.viz.snapshots.snapshot import Scope
    >>> layer = Scope("layers.1", "layer", "layers.1")
    >>> layer_symbol(layer, [layer], "δ")
    'δ⁽²⁾'
    """
    match = re.search(r"layers\.(\d+)$", scope.path)
    return f"{letter}{_above(match[1] if match else str(layers.index(scope)))}"

"""What needs no box of its own: parameters that are rows of what reads them, and nameless numbers in an operation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from microgradlib.viz.boxes.neurons import Neuron, find_neuron, is_function, owner

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from microgradlib.viz.boxes.groups import Groups
    from microgradlib.viz.snapshots.snapshot import Scope, SnapshotNode

_MODULES: Final = frozenset({"neuron", "layer", "module"})
_MOST_OPERANDS: Final = 3
"""Nameless numbers stand in the text of ops of so many operands; of more, they are boxes."""


@dataclass(frozen=True)
class Absorbed:
    """Leaves without a box, and the neurons of a graph.

    Args:
        numbers: nameless constants that stand in the text of each op that reads them, as in `× 0.25`.
        parameters: leaves that are rows of each box that reads them.
        neurons: the scopes that are neurons, and layers of one neuron.
        loose: neurons without a scope, by each of their ops.

    """

    numbers: frozenset[int]
    parameters: frozenset[int]
    neurons: Mapping[Scope, Neuron]
    loose: Mapping[int, Neuron]


def absorb(groups: Groups) -> Absorbed:
    """Return which leaves need no box, and which ops are neurons.

    A parameter of a module is a row of whatever reads it. Without modules, leaves are weights where a `dot` reads them
    in its first half, or where a product is of one leaf and something computed, and biases where they are added to
    such products, if they are read in no other way.

    >>> from microgradlib.viz.boxes.groups import find_groups
    >>> from microgradlib.viz.snapshots.snapshot import Snapshot, SnapshotNode
    >>> x, two = SnapshotNode(0, "input", "x"), SnapshotNode(1, "constant", data=2.0)
    >>> y = SnapshotNode(2, "output", op="×", op_name="mul", parents=(0, 1))
    >>> absorb(find_groups(Snapshot((x, two, y), (2,)))).numbers
    frozenset({1})
    """
    nodes, uses = groups.snapshot.nodes, groups.uses
    own = frozenset(node.index for node in nodes if node.kind == "parameter" and uses[node.index])
    weights = own | _weights_without_modules(groups)
    while True:
        neurons = _neurons_with_scope(groups, weights)
        loose = _loose_neurons(groups, weights, neurons)
        read = {weight.use for found in (neurons, loose) for neuron in found.values() for weight in neuron.weights}
        rows = frozenset(i for i in weights if i in own or all(use in read for use in uses[i]))
        if rows == weights:
            return Absorbed(frozenset(_numbers(groups)), rows, neurons, loose)
        weights = rows


def _neurons_with_scope(groups: Groups, weights: Collection[int]) -> dict[Scope, Neuron]:
    nodes, uses = groups.snapshot.nodes, groups.uses
    neurons: dict[Scope, Neuron] = {}
    for scope in reversed(groups.order):
        ops = [i for i in groups.members[scope] if nodes[i].parents]
        children = groups.children[scope]
        if not children:
            neuron = find_neuron(nodes, uses, ops, weights)
            if neuron is not None and _weights_are_told(groups, neuron):
                neurons[scope] = neuron
        elif len(children) == 1 and not ops and scope.kind in _MODULES and children[0] in neurons:
            neurons[scope] = neurons[children[0]]
    return neurons


def is_number(node: SnapshotNode) -> bool:
    """Whether the node is a constant without a name."""
    return node.kind == "constant" and not node.name and not node.parents


def _numbers(groups: Groups) -> list[int]:
    nodes = groups.snapshot.nodes

    def in_text(i: int) -> bool:
        node = nodes[i]
        few = len(node.parents) <= _MOST_OPERANDS and node.op_name not in {"", "dot"}
        return few and any(not is_number(nodes[parent]) for parent in node.parents)

    return [
        node.index
        for node in nodes
        if is_number(node) and groups.uses[node.index] and all(in_text(i) for i, _ in groups.uses[node.index])
    ]


def _weights_without_modules(groups: Groups) -> frozenset[int]:
    nodes, uses = groups.snapshot.nodes, groups.uses

    def weighs(i: int, place: int) -> bool:
        node = nodes[i]
        if node.op_name == "dot":
            half = len(node.parents) // 2
            bias = place == 2 * half
            return bias or (place < half and _differ(nodes, uses, node.parents[place], node.parents[place + half]))
        if node.op_name == "mul" and len(set(node.parents)) == len(node.parents):
            return _differ(nodes, uses, node.parents[place], node.parents[1 - place])
        return node.op_name in {"add", "sum"}  # a bias, if the sum is a neuron's

    return frozenset(
        node.index
        for node in nodes
        if not node.parents and node.kind in {"input", "parameter"} and uses[node.index]
        and all(weighs(i, place) for i, place in uses[node.index])
    )  # fmt: skip


def _differ(nodes: Sequence[SnapshotNode], uses: Sequence[Sequence[object]], weight: int, other: int) -> bool:
    """Whether a weight can be known from the input that it multiplies: by its kind, or as the input is used more."""
    if nodes[other].parents or nodes[other].kind in {"constant", "target"}:
        return True
    if nodes[weight].kind != nodes[other].kind:
        return nodes[weight].kind == "parameter"
    return nodes[weight].kind == "input" and len(uses[weight]) < len(uses[other])


def _loose_neurons(groups: Groups, weights: Collection[int], neurons: Mapping[Scope, Neuron]) -> dict[int, Neuron]:
    """Return the neurons among the ops that stand directly in a scope, or in none, by each of their ops."""
    nodes, uses, paths = groups.snapshot.nodes, groups.uses, groups.paths
    found: dict[int, Neuron] = {}
    tried: set[int] = set()
    for root in range(len(nodes) - 1, -1, -1):
        if root in tried or root in found or nodes[root].op_name not in {"dot", "add", "sum"}:
            continue
        path = paths[root]
        if path and path[-1] in neurons:
            continue
        tree = _tree(groups, root, tried)
        neuron = find_neuron(nodes, uses, tree, weights)
        if neuron is None or not _weights_are_told(groups, neuron):
            continue
        last = neuron.result
        after = [i for i, _ in uses[last]]
        if len(after) == 1 and paths[after[0]] == path and is_function(nodes[after[0]]):
            neuron = find_neuron(nodes, uses, [*tree, after[0]], weights) or neuron
        found.update(dict.fromkeys(neuron.nodes, neuron))
    return found


def _weights_are_told(groups: Groups, neuron: Neuron) -> bool:
    """Whether the weights are more than leaves times numbers, as in 2x + 1, or one leaf times another, as in xy + 1.

    Times plain numbers, leaves are weights if they are several, each once in the sum, and either belong to one object,
    as `neuron.w[0]` and `neuron.b` do, or stand in other sums too, with one bias: the numbers then are data. Without a
    bias, the numbers may as well be the weights, and the leaves the state of a network, as in W s.
    """
    nodes, uses = groups.snapshot.nodes, groups.uses
    weights = [weight.parameter for weight in neuron.weights]
    factors = [
        nodes[nodes[weight.edge[0]].parents[weight.edge[1]]]
        for weight in neuron.weights
        if weight.product is not None and weight.edge is not None and nodes[weight.parameter].kind != "parameter"
    ]
    if not any(map(is_number, factors)):
        return len(factors) != 1 or bool(factors[0].parents) or factors[0].kind != "input"
    several = len(weights) == len(set(weights)) > 1
    bias = any(weight.edge is None for weight in neuron.weights)
    shared = bias and all(len(uses[i]) > 1 for i in weights)
    return several and (shared or owner([nodes[i].name for i in weights]) != "")


def _tree(groups: Groups, root: int, tried: set[int]) -> list[int]:
    """Return the sums and products below `root` that nothing else reads, in topological order."""
    nodes, uses, paths = groups.snapshot.nodes, groups.uses, groups.paths
    tree, waiting = [], [root]
    while waiting:
        i = waiting.pop()
        tree.append(i)
        if nodes[i].op_name in {"add", "sum"}:
            tried.add(i)
            waiting += [
                parent
                for parent in dict.fromkeys(nodes[i].parents)
                if nodes[parent].op_name in {"add", "sum", "mul"}
                and len(uses[parent]) == 1
                and paths[parent] == paths[root]
            ]
    return sorted(tree)

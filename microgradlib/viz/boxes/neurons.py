"""Neurons: which nodes together are a weighted sum of inputs, with a bias and a function of it, however written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from microgradlib.viz.snapshots.snapshot import SnapshotNode

Uses = tuple[tuple[tuple[int, int], ...], ...]

_SUMS: Final = frozenset({"add", "sum"})
_NOT_ACTIVATIONS: Final = frozenset(
    {"", "add", "sub", "mul", "div", "neg", "pow", "square", "dot", "sum", "mean", "detach"}
)
_ATTRIBUTE: Final = re.compile(r"\.[^\W\d]")
_TAIL: Final = 2
"""A neuron is a weighted sum and at most so many functions of one variable after it."""


@dataclass(frozen=True)
class Weight:
    """A parameter of a neuron.

    Args:
        parameter: its index.
        edge: the arrow by which the input comes that it multiplies, as (node, place); None for a bias, and if the
            input is a row of the same box.
        product: the node that multiplies them, where this is not the weighted sum itself.
        use: the arrow by which the parameter is read, as (node, place).

    """

    parameter: int
    edge: tuple[int, int] | None
    product: int | None
    use: tuple[int, int]


@dataclass(frozen=True)
class Neuron:
    """A weighted sum `net_input` of inputs, and what is computed from it.

    Args:
        weights: its parameters, in the order of reading; biases too.
        products: nodes that multiply a weight and an input.
        sums: partial sums on the way to the net input.
        net_input: the index of z = w·x + b.
        functions: the nodes after it, such as tanh(z); may be empty.

    """

    weights: tuple[Weight, ...]
    products: tuple[int, ...]
    sums: tuple[int, ...]
    net_input: int
    functions: tuple[int, ...]

    @property
    def nodes(self) -> tuple[int, ...]:
        """Its ops, in topological order."""
        return tuple(sorted((*self.products, *self.sums, self.net_input, *self.functions)))

    @property
    def result(self) -> int:
        """The node that others read."""
        return self.functions[-1] if self.functions else self.net_input


def find_neuron(
    nodes: Sequence[SnapshotNode], uses: Uses, inside: Sequence[int], parameters: Collection[int]
) -> Neuron | None:
    """Return the neuron that the ops `inside` are, or None if they are something else.

    It may be written as one `dot`, or as products and sums.

    Args:
        nodes: all nodes.
        uses: for each node its uses, as (user, place).
        inside: the ops, in topological order.
        parameters: the leaves that count as weights and biases.

    >>> from microgradlib.viz.snapshots.snapshot import SnapshotNode
    >>> w, x = SnapshotNode(0, "parameter", "w"), SnapshotNode(1, "input", "x")
    >>> z = SnapshotNode(2, "op", op="dot", op_name="dot", parents=(0, 1))
    >>> y = SnapshotNode(3, "output", op="tanh", op_name="tanh", parents=(2,))
    >>> uses = (((2, 0),), ((2, 1),), ((3, 0),), ())
    >>> neuron = find_neuron((w, x, z, y), uses, [2, 3], {0})
    >>> neuron.net_input, neuron.functions, neuron.weights
    (2, (3,), (Weight(parameter=0, edge=(2, 1), product=None, use=(2, 0)),))
    """
    if not inside:
        return None
    own = set(inside)
    functions: list[int] = []
    last = inside[-1]
    while len(functions) < _TAIL and last not in parameters:
        node = nodes[last]
        if not is_function(node) or node.parents[0] not in own or _uses_inside(uses, node.parents[0], own) != 1:
            break
        functions.append(last)
        last = node.parents[0]
    read = _weighted_sum(nodes, uses, last, own, parameters)
    if read is None:
        return None
    weights, products, sums = read
    if len(products) + len(sums) + 1 + len(functions) != len(own):
        return None
    return Neuron(tuple(weights), tuple(products), tuple(sums), last, tuple(reversed(functions)))


def owner(names: Sequence[str]) -> str:
    """Return the object in whose attributes all these nodes are, by their names; an empty string if there is none.

    >>> owner(["net.layers[0].w[0]", "net.layers[0].w[1]", "net.layers[0].b"]), owner(["w[0]", "w[1]", "b"])
    ('net.layers[0]', '')
    """
    first = names[0] if names else ""
    for match in reversed(list(_ATTRIBUTE.finditer(first))):
        shared = first[: match.start()]
        if all(name.startswith(shared) and _ATTRIBUTE.match(name, len(shared)) for name in names):
            return shared
    return ""


def _uses_inside(uses: Uses, i: int, own: Collection[int]) -> int:
    return sum(user in own for user, _ in uses[i])


def is_function(node: SnapshotNode) -> bool:
    """Whether an op can be the activation of a neuron: a named function of one variable."""
    return node.op_name not in _NOT_ACTIVATIONS and len(node.parents) == 1


def _weighted_sum(
    nodes: Sequence[SnapshotNode], uses: Uses, root: int, own: Collection[int], parameters: Collection[int]
) -> tuple[list[Weight], list[int], list[int]] | None:
    """Return the weights, products and partial sums below `root`; None if it reads no parameter or holds other ops."""
    if nodes[root].op_name == "dot":
        weights = _dot(nodes[root], own, parameters)
        return (weights, [], []) if weights else None
    weights, products, sums = [], [], []
    waiting = [(root, (-1, -1))]
    while waiting:
        i, use = waiting.pop()
        node = nodes[i]
        if i in parameters:
            weights.append(Weight(i, None, None, use))
        elif i in own and node.op_name in _SUMS and (i == root or len(uses[i]) == 1):
            sums.append(i)
            waiting += [(parent, (i, place)) for place, parent in reversed(list(enumerate(node.parents)))]
        elif i in own and node.op_name == "mul" and (i == root or len(uses[i]) == 1):
            weight = _product(node, own, parameters)
            if weight is None:
                return None
            products.append(i)
            weights.append(weight)
        elif i in own:
            return None
    if not any(weight.edge for weight in weights):
        return None
    return weights, [i for i in sorted(products) if i != root], [i for i in sorted(sums) if i != root]


def _dot(node: SnapshotNode, own: Collection[int], parameters: Collection[int]) -> list[Weight]:
    """Return the parameters that a dot reads: its parents are the weights, then the inputs, then perhaps a bias."""
    half = len(node.parents) // 2
    weights = []
    for place, parent in enumerate(node.parents):
        if parent in parameters:
            other = (place + half) % (2 * half) if place < 2 * half else place
            edge = (node.index, other) if place < 2 * half and node.parents[other] not in own else None
            edge = None if edge and node.parents[other] in parameters else edge
            weights.append(Weight(parent, edge, None, (node.index, place)))
    return weights if all(parent not in own for parent in node.parents) else []


def _product(node: SnapshotNode, own: Collection[int], parameters: Collection[int]) -> Weight | None:
    places = [place for place, parent in enumerate(node.parents) if parent in parameters]
    if len(places) != 1 or len(node.parents) != 2:
        return None
    other = 1 - places[0]
    if node.parents[other] in own:
        return None
    return Weight(node.parents[places[0]], (node.index, other), node.index, (node.index, places[0]))

"""The numbers of a network picture: what a forward and a backward pass have left at the units of each layer."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from microgradlib import nn
from microgradlib.core.modes import no_grad
from microgradlib.core.scopes import last_call
from microgradlib.core.value import Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.viz.networks.layers import Layer, WeightedSum
    from microgradlib.viz.networks.network import Grid
    from microgradlib.viz.snapshots.capture import Capture
    from microgradlib.viz.snapshots.snapshot import SnapshotNode


class Passes:
    """A graph in which the units of a model are found by the parameters that they read.

    Of several uses of the same weights, as by the examples of a batch or the steps of a recurrent network, the last
    one counts.
    """

    def __init__(self, graph: Capture) -> None:
        self.nodes = graph.snapshot.nodes
        self.index = {node: i for i, node in enumerate(graph.nodes)}
        self.readers: dict[int, list[int]] = {}
        for node in self.nodes:
            for parent in dict.fromkeys(node.parents):
                self.readers.setdefault(parent, []).append(node.index)
        self.is_stale = False
        self.uses = 0

    def net_input(self, unit: WeightedSum) -> tuple[SnapshotNode, list[SnapshotNode]] | None:
        """Return the node of a unit's net input, and those of its inputs; None if it is unknown."""
        weights = [self.index.get(w, -1) for w in unit.weights]
        if not weights or min(weights) < 0:
            return None
        for reader in reversed(self.readers.get(weights[0], ())):
            found = self._as_dot(reader, weights) or self._as_products(weights, unit.bias)
            if found:
                z, inputs = self.nodes[found[0]], [self.nodes[i] for i in found[1]]
                self.is_stale = self.is_stale or z.stale
                self.uses = max(self.uses, len(self.readers[weights[0]]))
                return z, inputs
        return None

    def in_a_row(self, layers: Sequence[Layer]) -> bool:
        """Return whether each layer reads the one before it and nothing else, as far as the graph tells.

        A model of one's own may add a layer's inputs to its outputs, or apply its layers in another order.
        """
        net_inputs = [[self.net_input(unit) for unit in layer.units] for layer in layers]
        every = {found[0].index for of_layer in net_inputs for found in of_layer if found}
        for before, after in pairwise(net_inputs):
            read = {node.index for found in after[:1] if found for node in found[1]}
            own = {found[0].index for found in before if found}
            below = {node.index for found in before[:1] if found for node in found[1]}
            if not self._reads_only(read, own, (every - own) | below):
                return False
        return True

    def _reads_only(self, read: set[int], own: set[int], others: set[int]) -> bool:
        """Return whether walking back from nodes leads to a layer's own net inputs, and around them to no others."""
        stack, seen = list(read), set[int]()
        while stack:
            i = stack.pop()
            if i in seen:
                continue
            seen.add(i)
            if i in own:
                continue
            if i in others:
                return False
            stack += self.nodes[i].parents
        return not read or not own or not seen.isdisjoint(own)

    def _as_dot(self, reader: int, weights: list[int]) -> tuple[int, Sequence[int]] | None:
        node = self.nodes[reader]
        if node.op_name != "dot":
            return None
        n, half = len(weights), len(node.parents) // 2  # more than n where the bias is a weight of the input 1
        first, second = node.parents[:half], node.parents[half : 2 * half]
        for own, inputs in ((first, second), (second, first)):
            if list(own[:n]) == weights:
                return reader, inputs[:n]
        return None

    def _as_products(self, weights: list[int], bias: Value | None) -> tuple[int, Sequence[int]] | None:
        """Return the net input that is written out as products and sums."""
        products = [self._last_product(w) for w in weights]
        if not all(products):
            return None
        inputs = [pair[1] for pair in products if pair]
        terms = {pair[0] for pair in products if pair}
        terms |= {self.index[bias]} if bias in self.index else set()
        current = next(pair[0] for pair in products if pair)
        missing = terms - {current}
        while missing:
            sums = [i for i in self.readers.get(current, ()) if self.nodes[i].op_name in {"add", "sum"}]
            if not sums:
                return None
            missing -= set(self.nodes[sums[-1]].parents)
            current = sums[-1]
        return current, inputs

    def _last_product(self, weight: int) -> tuple[int, int] | None:
        for reader in reversed(self.readers.get(weight, ())):
            node = self.nodes[reader]
            if node.op_name == "mul" and len(node.parents) == 2:
                left, right = node.parents
                return reader, right if left == weight else left
        return None

    def outputs_of(self, module: Any, count: int) -> list[SnapshotNode] | None:
        """Return the nodes that the last call of a module returned, if they are so many and in this graph."""
        call = last_call(module)
        found = [self.index.get(output(), -1) for output in call.outputs] if call else []
        if call and len(found) != count:  # such a call tells its results by nodes that only they read
            found = [reader for node in call.inside for reader in self.readers.get(self.index.get(node, -1), ())]
        return [self.nodes[i] for i in found] if len(found) == count and min(found, default=-1) >= 0 else None

    def patch_of(self, node: SnapshotNode, count: int) -> list[float | None]:
        """Return the `count` inputs of a unit of a convolution: those of its dot, the node itself or its parent."""
        for found in (node, *(self.nodes[i] for i in node.parents[:1])):
            if found.op_name == "dot" and len(found.parents) >= 2 * count:
                return [self.nodes[i].data for i in found.parents[count : 2 * count]]
        return []


def unit_values(layer: Layer, z: list[float | None], passes: Passes) -> list[float | None]:
    """Return the outputs of a layer's units, before what is applied after the layer; None where they are not known."""
    module = layer.module
    known = [x for x in z if x is not None]
    if len(known) == len(z):
        with no_grad():
            if isinstance(module, nn.Layer):
                return _numbers(module.activated([Value(x) for x in known]))
            if isinstance(module, (nn.Neuron, nn.Gate)):
                return _numbers([module.f(Value(x)) for x in known])
            if isinstance(module, nn.GaussianOutput):
                n = len(module.mean.neurons)
                means, precisions = ([Value(x) for x in part] for part in (known[:n], known[n:]))
                return _numbers([*module.mean.activated(means), *module.precision.activated(precisions)])
    nodes = passes.outputs_of(module, layer.outputs)
    return [node.data for node in nodes] if nodes else [None] * layer.outputs


def _numbers(values: Any) -> list[float | None]:
    return [float(value) for value in values]


def map_values(layer: Layer, count: int, shape: tuple[int, int] | None, passes: Passes) -> list[Grid] | None:
    """Return the numbers of `count` feature maps of this shape, from the last call; None if they are not known."""
    if shape is None:
        return None
    rows, columns = shape
    nodes = passes.outputs_of(layer.module, count * rows * columns)
    return grids([node.data for node in nodes], count, rows, columns) if nodes else None


def grids(numbers: Sequence[float | None], count: int, rows: int, columns: int) -> list[Grid]:
    """Return numbers as `count` grids of this shape.

    >>> grids([1.0, 2.0, 3.0, 4.0], 1, 2, 2)
    [((1.0, 2.0), (3.0, 4.0))]
    """
    lines = [tuple(numbers[i : i + columns]) for i in range(0, count * rows * columns, columns)]
    return [tuple(lines[k * rows : (k + 1) * rows]) for k in range(count)]


def shape_after(module: Any, shape: tuple[int, int]) -> tuple[int, int] | None:
    """Return the shape of the maps that a convolution or pool makes of maps of this shape; None if they do not fit.

    >>> shape_after(nn.Conv2d(1, 2, 3), (8, 8)), shape_after(nn.MaxPool2d(2), (6, 6))
    ((6, 6), (3, 3))
    """
    lengths = []
    for axis in range(2):
        padding = module.padding[axis]
        around = sum(padding) if isinstance(padding, tuple) else 2 * padding
        span = (module.size[axis] - 1) * module.dilation[axis] + 1
        lengths.append((shape[axis] + around - span) // module.stride[axis] + 1)
    return (lengths[0], lengths[1]) if min(lengths) > 0 else None


def square_input(layers: Sequence[Layer], passes: Passes) -> tuple[int, int] | None:
    """Return the shape of the square image from which the first layer made as many outputs as it did; or None."""
    first = layers[0]
    call = last_call(first.module)
    count = len(call.outputs) if call else 0
    maps = len(first.kernels) or 1
    if not passes.outputs_of(first.module, count):
        return None
    for side in range(1, 8 * math.isqrt(max(count, 1)) + 8):
        shape = shape_after(first.module, (side, side))
        if shape and shape[0] * shape[1] * maps == count:
            return side, side
    return None


def image_read(layer: Layer, shape: tuple[int, int], passes: Passes) -> list[Grid] | None:
    """Return the image that a convolution without padding has read, from the patches of its units; None if unknown."""
    module = layer.module
    out = shape_after(module, shape)
    if not layer.kernels or out is None or any(map(any, module.padding)):
        return None
    nodes = passes.outputs_of(module, len(layer.kernels) * out[0] * out[1])
    planes = [[[None] * shape[1] for _ in range(shape[0])] for _ in layer.kernels[0]]
    places = [
        (k, i, j)
        for k in range(len(planes))
        for i in range(0, module.size[0] * module.dilation[0], module.dilation[0])
        for j in range(0, module.size[1] * module.dilation[1], module.dilation[1])
    ]
    for u, node in enumerate((nodes or [])[: out[0] * out[1]]):
        patch = passes.patch_of(node, len(places))
        top, left = u // out[1] * module.stride[0], u % out[1] * module.stride[1]
        for (k, i, j), x in zip(places, patch):
            planes[k][top + i][left + j] = x
    known = all(x is not None for plane in planes for row in plane for x in row)
    return [tuple(map(tuple, plane)) for plane in planes] if known else None

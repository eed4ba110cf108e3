"""Units of layers in a graph, recognised by their parameters: the nodes of each, and which were called together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    from microgradlib.core.recorded_calls import Unit

__all__ = ["LayerCall", "UnitCall", "layer_calls"]


@dataclass(frozen=True)
class UnitCall:
    """One call of a unit: its nodes, its net input z, its output f(z), and the nodes it reads as inputs."""

    layer: Any
    unit: Unit
    nodes: tuple[int, ...]
    net_input: int
    output: int
    inputs: tuple[int, ...]


@dataclass
class LayerCall:
    """One call of a layer: the calls of its units with the same inputs. `path` is the layer's, with its prefix."""

    layer: Any
    path: str
    units: list[UnitCall] = field(default_factory=list)

    @property
    def nodes(self) -> list[int]:
        """The nodes of all units."""
        return [i for unit in self.units for i in unit.nodes]


def layer_calls(
    order: Sequence[Any],
    index: Mapping[Any, int],
    modules: Iterable[tuple[str, Any]],
    places: Sequence[Hashable],
) -> list[LayerCall]:
    """Return the calls of the layers among `modules`, pairs of path and module with outer modules first.

    A unit is the node `dot` of its weights and inputs, or its products and sums in the order of `Neuron`, and then the
    op of its f. Units of one layer with the same inputs in the same place, which is what records say of them, were
    called together.

    >>> from microgradlib import topological_sort
    >>> from microgradlib.nn import Layer
    >>> layer = Layer(1, 2, "tanh", rng=0)
    >>> order = topological_sort(*layer([0.5]))
    >>> index = {node: i for i, node in enumerate(order)}
    >>> [call] = layer_calls(order, index, [("", layer)], [()] * len(order))
    >>> [(unit.unit.name, [str(order[i].op) for i in unit.nodes]) for unit in call.units]
    [('neurons.0', ['dot', 'tanh']), ('neurons.1', ['dot', 'tanh'])]
    """
    units: dict[Any, tuple[str, Any, Unit]] = {}
    for path, module in modules:
        for unit in module.scope_units():
            if unit.weights[0] in index:
                units.setdefault(unit.weights[0], (path, module, unit))
    users: list[list[int]] = [[] for _ in order]
    if units:
        for i, node in enumerate(order):
            for parent in dict.fromkeys(node.parents):
                users[index[parent]].append(i)
    graph = _Graph(order, index, users, places)
    calls: dict[Hashable, LayerCall] = {}
    times: dict[Hashable, int] = {}
    for i, node in enumerate(order):
        if node.op is None or node.parents[0] not in units:
            continue
        path, layer, unit = units[node.parents[0]]
        call = graph.call_of(layer, unit, i)
        if call is not None:
            key = id(layer), call.inputs, places[i]
            nth = times[key, unit.name] = times.get((key, unit.name), 0) + 1
            calls.setdefault((key, nth), LayerCall(layer, path)).units.append(call)
    return list(calls.values())


@dataclass(frozen=True)
class _Graph:
    order: Sequence[Any]
    index: Mapping[Any, int]
    users: list[list[int]]
    places: Sequence[Hashable]

    def call_of(self, layer: Any, unit: Unit, start: int) -> UnitCall | None:
        """Return the call of a unit that begins with the node `start`, which reads its first weight; or None."""
        node, n = self.order[start], len(unit.weights)
        parents = node.parents
        bias = () if unit.bias is None else (unit.bias,)
        if node.op.name == "dot" and len(parents) == 2 * n + len(bias):
            if not _same(parents, [*unit.weights, *parents[n : 2 * n], *bias]):
                return None
            nodes, inputs = [start], [self.index[x] for x in parents[n : 2 * n]]
        elif node.op.name == "mul" and unit.expanded and parents[1] is not parents[0]:
            written_out = self._products_and_sums(unit, start)
            if written_out is None:
                return None
            nodes, inputs = written_out
        else:
            return None
        net_input = nodes[-1]
        output = self._activated(unit, net_input)
        if output != net_input:
            nodes.append(output)
        return UnitCall(layer, unit, tuple(nodes), net_input, output, tuple(inputs))

    def _products_and_sums(self, unit: Unit, start: int) -> tuple[list[int], list[int]] | None:
        """Return the nodes of ((b + w₀ x₀) + w₁ x₁) + …, of which `start` is w₀ x₀, and the xᵢ; z comes last."""
        product = self.order[start]
        nodes, inputs, total = [start], [self.index[product.parents[1]]], product
        if unit.bias is not None:
            total = self._user(start, "add", lambda parents: _same(parents, [unit.bias, product]))
            if total is None:
                return None
            nodes.append(self.index[total])
        for weight in unit.weights[1:]:
            before = total
            total = self._user(
                self.index[before],
                "add",
                lambda parents, w=weight, b=before: parents[0] is b and _is_product(parents[1], w),
            )
            if total is None:
                return None
            term = total.parents[1]
            nodes += [self.index[term], self.index[total]]
            inputs.append(self.index[term.parents[1]])
        return nodes, inputs

    def _activated(self, unit: Unit, net_input: int) -> int:
        """Return the node f(z); z itself if f is the identity, or no op."""
        z = self.order[net_input]
        output = (
            self._user(net_input, unit.op, lambda parents: parents[0] is z and len(parents) <= 2) if unit.op else None
        )
        return net_input if output is None else self.index[output]

    def _user(self, i: int, op: str, fits: Any) -> Any:
        """Return the first node of the op in the same place that uses node i and whose parents fit, or None."""
        for user in self.users[i]:
            node = self.order[user]
            if node.op.name == op and self.places[user] == self.places[i] and fits(node.parents):
                return node
        return None


def _same(nodes: Sequence[Any], others: Sequence[Any]) -> bool:
    return len(nodes) == len(others) and all(x is y for x, y in zip(nodes, others))


def _is_product(node: Any, weight: Any) -> bool:
    return node.op is not None and node.op.name == "mul" and node.parents[0] is weight

"""Backpropagation: numbers by Algorithm 6.2, new graph by Algorithms 6.5 and 6.6; evaluation by Algorithm 6.1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, overload

from microgradlib._support.calling import in_plain_words
from microgradlib._support.number import as_float
from microgradlib._support.shown import shown
from microgradlib.core.changes import check_recorded, check_unchanged
from microgradlib.core.graph import descendants, node_list, topological_sort
from microgradlib.core.node import Node
from microgradlib.core.tables import NodeTable, TangentTable
from microgradlib.errors import SymbolHasNoValueError
from microgradlib.ops import GRAPH, ZERO
from microgradlib.ops.guards import add, chain_product, unguarded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["evaluate", "grad_table", "gradients", "tangent_table", "useful_derivatives"]

N = TypeVar("N", bound=Node)
S = TypeVar("S", bound=Node)


@in_plain_words
def grad_table(output: N, seed: float = 1.0) -> NodeTable[N]:
    """Return ∂output/∂u for every node u that output depends on (*Deep Learning*, Algorithm 6.2).

        grad_table[u⁽ⁿ⁾] = 1
        grad_table[u⁽ʲ⁾] = Σ over i with j ∈ Pa(u⁽ⁱ⁾) of grad_table[u⁽ⁱ⁾] · ∂u⁽ⁱ⁾/∂u⁽ʲ⁾

    Nothing is stored on the nodes. Every edge is used once, so the cost is that of the forward pass. `ZERO`, the 0 of a
    closed branch and of a node that nothing has reached, stops everything; any other 0 is a number, and 0 · inf is nan.
    `seed` is the gradient of the output itself; 0 does not reach it. The table is in topological order.

    >>> from microgradlib import Value
    >>> x, y = Value(3.0), Value(4.0)
    >>> table = grad_table(x * x + x * y)
    >>> table[x], table[y]
    (10.0, 3.0)
    """
    table = NodeTable(dict.fromkeys(topological_sort(output), ZERO))
    check_recorded(output)
    check_unchanged(table)
    table[output] = as_float(seed) or ZERO
    for node in reversed(table):
        gradient = table[node]
        if gradient is not ZERO:
            for parent, local_derivative in zip(node.parents, node.local_derivatives):
                if local_derivative is not ZERO:
                    table[parent] += gradient * local_derivative
    return table


def tangent_table(outputs: N | Sequence[N], tangents: Mapping[Any, float]) -> NodeTable[N]:
    """Return u̇ for every node u that the outputs depend on: forward mode, by the same local derivatives.

        tangent_table[x] = tangents[x] for the nodes x that are given a tangent
        tangent_table[u⁽ⁱ⁾] = Σ over j ∈ Pa(u⁽ⁱ⁾) of ∂u⁽ⁱ⁾/∂u⁽ʲ⁾ · tangent_table[u⁽ʲ⁾]

    One sweep gives the derivative of every output in one direction, where one sweep of `grad_table` gives that of one
    output in every direction. What is not reached, as in `grad_table`, has tangent 0: nodes without parents that are
    given no tangent or 0, and what lies behind a closed branch. A tangent of a node that the outputs do not depend on
    changes nothing. Raises `TypeError` for tangents that are no dict from nodes to numbers.

    >>> from microgradlib import Value
    >>> x, y = Value(3.0), Value(4.0)
    >>> product = x * y
    >>> tangent_table(product, {x: 1.0, y: 10.0})[product]
    34.0
    """
    order = topological_sort(*[outputs] if isinstance(outputs, Node) else node_list(outputs, "outputs", "[y]"))
    given = {x: as_float(v) or ZERO for x, v in _by_node(tangents, "tangents").items()}
    check_unchanged(order)
    table: NodeTable[N] = TangentTable()
    for node in order:
        tangent: float = ZERO
        if node in given:
            tangent = given[node]
        else:
            for parent, local_derivative in zip(node.parents, node.local_derivatives):
                if local_derivative is not ZERO and table[parent] is not ZERO:
                    tangent += local_derivative * table[parent]
        table[node] = tangent
    return table


@overload
def gradients(output: N, inputs: Node) -> N: ...
@overload
def gradients(output: N, inputs: Iterable[Node]) -> list[N]: ...
def gradients(output: Any, inputs: Any) -> Any:
    """Return ∂output/∂x for each x of `inputs`, as new nodes: draw them, evaluate them, differentiate them again.

    *Deep Learning*, Algorithms 6.5 and 6.6: prune the graph to what depends on the inputs and leads to the output;
    then, consumers first, the gradient of V is the sum over its consumers C of op.bprop, the gradient of C times ∂C/∂V,
    each as an expression. An input that output does not depend on has gradient 0. For one node instead of a list it is
    the one derivative. Raises `TypeError` if `inputs` holds anything but nodes.

    >>> from microgradlib import Symbol, evaluate
    >>> w = Symbol("w")
    >>> [slope] = gradients(w**3, [w])
    >>> [curvature] = gradients(slope, [w])
    >>> evaluate([slope, curvature], {w: 2.0})
    [12.0, 12.0]
    """
    if isinstance(inputs, Node):
        return gradients(output, [inputs])[0]
    inputs = node_list(inputs, "inputs", "[x, y]")
    order = topological_sort(output)
    check_recorded(output)
    check_unchanged(order)
    useful = descendants(order, inputs)
    table: dict[Any, Any] = {output: 1.0}
    for consumer in reversed(order):
        if consumer in table and consumer in useful:
            for parent, local_derivative in useful_derivatives(consumer, useful):
                table[parent] = add(table.get(parent, ZERO), chain_product(table[consumer], local_derivative))
    return [output.constant(unguarded(table.get(x, ZERO))) for x in inputs]


def useful_derivatives(node: Node, useful: set[Any]) -> list[tuple[Node, Any]]:
    """Return (parent, ∂node/∂parent as an expression) for each parent in `useful`: op.bprop of Algorithm 6.6."""
    if node.op is None:
        return []
    wanted = [(i, parent) for i, parent in enumerate(node.parents) if parent in useful]
    if node.op.variadic:
        derivatives = node.op.differentiate(GRAPH, node, *node.parents)
        return [(parent, derivatives[i]) for i, parent in wanted]
    return [(parent, node.op.partial_derivative(i, node, *node.parents)) for i, parent in wanted]


@overload
def evaluate(output: Node, values: Mapping[Any, float]) -> float: ...
@overload
def evaluate(output: Node, values: Mapping[Any, S]) -> S: ...
@overload
def evaluate(output: Sequence[Node], values: Mapping[Any, float]) -> list[float]: ...
@overload
def evaluate(output: Sequence[Node], values: Mapping[Any, S]) -> list[S]: ...
def evaluate(output: Any, values: Mapping[Any, Any]) -> Any:
    """Return `output` with each symbol of `values` set to its number (*Deep Learning*, Algorithm 6.1).

    u⁽ⁱ⁾ = f⁽ⁱ⁾(A⁽ⁱ⁾), where A⁽ⁱ⁾ are the values of the parents, in topological order. A list of outputs gives a list.
    Nodes named in `values` need not be leaves. Leaf Values keep their data unless `values` names them; every other node
    is computed anew. Values in place of numbers give Values. Raises `SymbolHasNoValueError` for a symbol that has no
    entry, `TypeError` for values that are no dict from nodes to numbers.

    >>> from microgradlib import Symbol
    >>> x, y = Symbol("x"), Symbol("y")
    >>> evaluate(x * y + 1, {x: 2.0, y: 3.0})
    7.0
    """
    outputs = list(output) if isinstance(output, (list, tuple)) else [output]
    table: dict[Any, Any] = _by_node(values, "values")
    for number in table.values():
        if isinstance(number, (str, bytes, list, tuple, dict, set, type(None))):
            as_float(number)  # raises the TypeError for what is not a number
    for node in topological_sort(*outputs, known=table):
        table[node] = node.op(*[table[p] for p in node.parents]) if node.op else _leaf(node)
    results = [table[target] for target in outputs]
    return results if isinstance(output, (list, tuple)) else results[0]


def _by_node(numbers: Any, name: str) -> dict[Any, Any]:
    """Return what was given for each node as a dict. Raises `TypeError` unless it is one, or a key is no node."""
    if not hasattr(numbers, "keys"):
        message = f"{name} must be a dict from nodes to numbers, such as {{x: 1.0}}, got {shown(numbers)}"
        raise TypeError(message)
    node_list(numbers.keys(), f"the keys of {name}", "{x: 1.0}")
    return dict(numbers)


def _leaf(node: Node) -> float:
    try:
        return float(node.data)
    except SymbolHasNoValueError:
        message = f"evaluate needs a number for the symbol {node.label!r}: pass {{{node.label}: 2.0}}"
        raise SymbolHasNoValueError(message) from None

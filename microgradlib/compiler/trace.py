"""Trace: run a function once on Symbols, and write down the scalar operations it makes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from microgradlib.graph import topological_sort
from microgradlib.modes import recording
from microgradlib.scalar import Scalar
from microgradlib.structure import leaves, like
from microgradlib.symbol import Symbol
from microgradlib.value import Value, as_node

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from microgradlib.ops import Op

__all__ = ["Node", "Trace", "trace"]


@dataclass(frozen=True, slots=True)
class Node:
    """One scalar operation, or a leaf: an input, a parameter or a constant, told apart by `kind`.

    `op` and `arguments` (positions of other nodes) belong to an operation; `index` is the place of an input or
    parameter among its like; `number` is a constant's.
    """

    kind: str
    op: Op | None = None
    arguments: tuple[int, ...] = ()
    index: int = -1
    number: float = 0.0


@dataclass(frozen=True)
class Trace:
    """The scalar operations of one call, arguments before what is made of them.

    `outputs` are positions in `nodes`, shaped like the function's result by `shape`.
    """

    nodes: tuple[Node, ...]
    outputs: tuple[int, ...]
    shape: Any
    inputs: int
    parameters: int


def trace(function: Callable[..., Any], rows: Sequence[Any], parameters: Sequence[Value]) -> Trace:
    """Run function(*rows) on Symbols in the places of the numbers of `rows` and return what it did.

    >>> w = Value(3.0)
    >>> [node.kind for node in trace(lambda x: w * x + 1, [0.0], [w]).nodes]
    ['parameter', 'input', 'op', 'constant', 'op']
    """
    symbols = [Symbol(f"x{i}") for i in range(len(leaves(list(rows))))]
    with recording():
        result = function(*like(list(rows), symbols))
    outputs = [as_node(leaf) for leaf in leaves(result)]
    places: dict[Scalar, tuple[str, int]] = {p: ("parameter", i) for i, p in enumerate(parameters)}
    places.update({x: ("input", i) for i, x in enumerate(symbols)})
    order = topological_sort(*outputs)
    positions = {node: i for i, node in enumerate(order)}
    nodes = tuple([_node(node, places, positions) for node in order])
    return Trace(nodes, tuple([positions[y] for y in outputs]), _emptied(result), len(symbols), len(parameters))


def _emptied(result: Any) -> Any:
    """Return the shape of a result: None in the place of each number."""
    return like(result, [None] * len(leaves(result)))


def _node(node: Scalar, places: dict[Scalar, tuple[str, int]], positions: dict[Scalar, int]) -> Node:
    if node in places:
        kind, index = places[node]
        return Node(kind, index=index)
    if node.op is None:
        if isinstance(node, Value):
            return Node("constant", number=node.data)
        message = f"the function uses {node!r}, which is none of its arguments"
        raise ValueError(message)
    return Node("op", node.op, tuple([positions[parent] for parent in node.parents]))

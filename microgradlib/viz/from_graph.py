"""Convert the graph of a Value or Symbol to a Diagram, with its current numbers."""

from __future__ import annotations

from typing import Any, Final

from microgradlib._support.checks import WholeNumber, whole_number
from microgradlib.core.graph import topological_sort
from microgradlib.core.node import Node
from microgradlib.core.value import Value
from microgradlib.errors import GraphTooLargeError
from microgradlib.viz.diagram import Arrow, Box, Diagram
from microgradlib.viz.ordering import rank
from microgradlib.viz.typography import number

NEAR: Final = 2
"""One box of a leaf has arrows to uses at most this many columns right of its first use; other uses get a copy."""
MAX_NODES: Final = 200
"""Default of `max_nodes`: drawings of larger graphs are hard to read."""

_COUNT_LIMIT: Final = 100_000
"""Nodes are counted up to this number only, so that a very large graph raises its error quickly."""
_SIGNS: Final = {"*": "×", "-": "−", "/": "÷"}


def from_graph(output: Node, *, max_nodes: WholeNumber = MAX_NODES) -> Diagram:
    """Return the graph of `output` as boxes and arrows, with its current numbers.

    Boxes have the ids n0, n1, … in topological order, parents first. A leaf with uses far apart, such as a weight
    shared by all steps of a recurrent network, has several boxes: each has arrows to the uses that are at most `NEAR`
    columns to the right of its first use. These boxes have the same title, the ids n3, n3_2, n3_3, … and notes such as
    "2 of 3". The text of an arrow is the local derivative ∂head/∂tail. Symbols have no data, so their boxes and
    arrows show no numbers.

    Args:
        output: the last node of the graph.
        max_nodes: the largest number of nodes that is drawn, at least 1.

    Raises:
        TypeError: `output` is not a node, or `max_nodes` is not a whole number.
        ValueError: `max_nodes` is less than 1.
        GraphTooLargeError: the graph has more nodes than that.

    >>> x = Value(3.0, label="x")
    >>> for box in from_graph(x * x).boxes:
    ...     print(box.text)
    n0  x  data 3  grad 0
    n1  ×  data 9  grad 0
    >>> from_graph(x * x).arrows
    (Arrow(tail='n0', head='n1', text='3'), Arrow(tail='n0', head='n1', text='3'))
    """
    _check(output, max_nodes)
    nodes = topological_sort(output)
    index = {node: i for i, node in enumerate(nodes)}
    lines = [(index[parent], i) for i, node in enumerate(nodes) for parent in node.parents]
    uses = _uses(nodes, lines)
    boxes = [
        _box(node, _id(i, copy), f"{copy + 1} of {len(uses[i])}" if len(uses[i]) > 1 else "", output)
        for i, node in enumerate(nodes)
        for copy in range(len(uses[i]))
    ]
    arrows = []
    for i, node in enumerate(nodes):
        texts = map(number, node.local_derivatives) if isinstance(node, Value) else [""] * len(node.parents)
        for parent, text in zip(node.parents, texts, strict=True):
            tail = index[parent]
            copy = next(copy for copy, heads in enumerate(uses[tail]) if i in heads)
            arrows.append(Arrow(_id(tail, copy), _id(i, 0), text))
    return Diagram(tuple(boxes), tuple(arrows))


def _uses(nodes: list[Node], lines: list[tuple[int, int]]) -> list[list[set[int]]]:
    """Return for each node a list with one entry per box: the set of heads of the arrows from that box.

    The sets are used for membership tests only, so their order cannot affect the diagram.
    """
    columns = rank(len(nodes), lines)
    heads: list[list[int]] = [[] for _ in nodes]
    for tail, head in lines:
        heads[tail].append(head)
    uses: list[list[set[int]]] = []
    for i, node in enumerate(nodes):
        boxes: list[set[int]] = []
        first = 0
        for head in sorted(heads[i], key=columns.__getitem__):
            if boxes and (node.parents or columns[head] - first <= NEAR):
                boxes[-1].add(head)
            else:
                first = columns[head]
                boxes.append({head})
        uses.append(boxes or [set()])
    return uses


def _id(i: int, copy: int) -> str:
    return f"n{i}_{copy + 1}" if copy else f"n{i}"


def _box(node: Node, name: str, note: str, output: Node) -> Box:
    op = "" if node.op is None else str(node.op)
    rows: tuple[tuple[str, str], ...] = ()
    if isinstance(node, Value):
        rows = (("data", number(node.data)), ("grad", number(node.grad)))
        # A constant in a graph of Symbols has data, but never a gradient.
        rows = rows if isinstance(output, Value) else rows[:1]
    return Box(
        name,
        "leaf" if node.op is None else "output" if node is output else "op",
        title=node.label or (name.partition("_")[0] if note else ""),
        op=_SIGNS.get(op, op),
        rows=rows,
        note=note,
    )


def _check(output: Any, max_nodes: WholeNumber) -> None:
    if not isinstance(output, Node):
        raise TypeError(_not_a_node(output))
    max_nodes = whole_number(max_nodes, "max_nodes", example=MAX_NODES)
    count = _count(output, max(_COUNT_LIMIT, max_nodes))
    if count > max_nodes:
        size = f"more than {_COUNT_LIMIT:,}" if count > _COUNT_LIMIT else f"{count:,}"
        message = (
            f"the graph has {size} nodes and a drawing shows at most {max_nodes:,}. Draw a smaller part of it, such as "
            "one neuron or one example; or raise max_nodes, as in draw(output, max_nodes=1000); or build it from n-ary "
            "nodes: dot(ws, xs, bias) is one node where a sum of products is many"
        )
        raise GraphTooLargeError(message)


def _not_a_node(given: Any) -> str:
    expected = "draw() takes one Value or Symbol, the output of a graph"
    if isinstance(given, (list, tuple)):
        return (
            f"{expected}; got a {type(given).__name__} of {len(given)}. Draw one of them, as in draw(outputs[0]), "
            "or join them first, as in draw(microgradlib.sum(outputs))"
        )
    return f"{expected}; got {given!r:.80}. Make one first: x = Value(2.0, label='x'); draw(x * x)"


def _count(output: Node, limit: int) -> int:
    """Return the number of nodes; for more than `limit`, some number above it, without visiting the whole graph."""
    seen = {output}
    stack = [output]
    while stack and len(seen) <= limit:
        for parent in stack.pop().parents:
            if parent not in seen:
                seen.add(parent)
                stack.append(parent)
    return len(seen)

"""Describe the graph of a Value or a Symbol as a Diagram, with the numbers that it holds now."""

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
"""A box of a leaf has arrows to uses up to this many columns to the right of the first one; later uses get a copy."""
MAX_NODES: Final = 200
"""Default limit on the nodes of a drawing; larger graphs are hard to read."""

_COUNTED: Final = 100_000
"""Nodes of a refused graph are counted up to this number, to refuse very large graphs quickly."""
_SIGNS: Final = {"*": "×", "-": "−", "/": "÷"}


def from_graph(output: Node, *, max_nodes: WholeNumber = MAX_NODES) -> Diagram:
    """Describe the graph below `output` as boxes and arrows, with the numbers it holds now.

    Boxes have the ids n0, n1, … in topological order, parents first. A leaf with uses far apart, such as a weight
    shared by all steps of a recurrent network, has several boxes: each has arrows to the uses that lie at most `NEAR`
    columns to the right of its first one. These boxes have the same title, the ids n3, n3_2, n3_3, … and notes such as
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
    index = {node: place for place, node in enumerate(nodes)}
    lines = [(index[parent], place) for place, node in enumerate(nodes) for parent in node.parents]
    uses = _uses(nodes, lines)
    boxes = [
        _box(node, _id(place, copy), f"{copy + 1} of {len(uses[place])}" if len(uses[place]) > 1 else "", output)
        for place, node in enumerate(nodes)
        for copy in range(len(uses[place]))
    ]
    arrows = []
    for place, node in enumerate(nodes):
        texts = map(number, node.local_derivatives) if isinstance(node, Value) else [""] * len(node.parents)
        for parent, text in zip(node.parents, texts, strict=True):
            tail = index[parent]
            copy = next(copy for copy, heads in enumerate(uses[tail]) if place in heads)
            arrows.append(Arrow(_id(tail, copy), _id(place, 0), text))
    return Diagram(tuple(boxes), tuple(arrows))


def _uses(nodes: list[Node], lines: list[tuple[int, int]]) -> list[list[set[int]]]:
    """Return for each node its boxes, each as the set of the heads of its arrows.

    The sets are used for membership tests only, so their order cannot affect the diagram.
    """
    columns = rank(len(nodes), lines)
    heads: list[list[int]] = [[] for _ in nodes]
    for tail, head in lines:
        heads[tail].append(head)
    uses: list[list[set[int]]] = []
    for place, node in enumerate(nodes):
        boxes: list[set[int]] = []
        first = 0
        for head in sorted(heads[place], key=columns.__getitem__):
            if boxes and (node.parents or columns[head] - first <= NEAR):
                boxes[-1].add(head)
            else:
                first = columns[head]
                boxes.append({head})
        uses.append(boxes or [set()])
    return uses


def _id(place: int, copy: int) -> str:
    return f"n{place}_{copy + 1}" if copy else f"n{place}"


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
    count = _count(output, max(_COUNTED, max_nodes))
    if count > max_nodes:
        size = f"more than {_COUNTED:,}" if count > _COUNTED else f"{count:,}"
        message = (
            f"the graph has {size} nodes and a drawing shows at most {max_nodes:,}. Draw a smaller part of it, such as "
            "one neuron or one example; or raise max_nodes, as in draw(output, max_nodes=1000); or build it from n-ary "
            "nodes: dot(ws, xs, bias) is one node where a sum of products is many"
        )
        raise GraphTooLargeError(message)


def _not_a_node(thing: Any) -> str:
    wanted = "draw() takes one Value or Symbol, the output of a graph"
    if isinstance(thing, (list, tuple)):
        return (
            f"{wanted}; got a {type(thing).__name__} of {len(thing)}. Draw one of them, as in draw(outputs[0]), "
            "or join them first, as in draw(microgradlib.sum(outputs))"
        )
    return f"{wanted}; got {thing!r:.80}. Make one first: x = Value(2.0, label='x'); draw(x * x)"


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

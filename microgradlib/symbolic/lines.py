"""From a graph to written lines: shared subexpressions get names, domain guards are seen through; no recursion."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, TypeVar

from microgradlib.core.graph import topological_sort
from microgradlib.core.node import Node
from microgradlib.core.value import as_node
from microgradlib.errors import GraphTooLargeError
from microgradlib.symbolic.names import fresh_names, guarded, leaf_names
from microgradlib.symbolic.written import Written, write_op

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["LARGEST", "SHARED", "expressions", "write_graph", "write_leaf"]

LARGEST = 1000
"""How many operations are written unless the caller allows more: nobody reads longer formulas."""

SHARED = 8
"""How many parts a shared subexpression may have without getting a name."""

W = TypeVar("W", bound=Written)


def expressions(expression: Any) -> list[Node]:
    """Return a Value, Symbol or number, or a list of them, as a list of nodes.

    >>> from microgradlib import Symbol
    >>> expressions([Symbol("x"), 2])
    [Symbol('x'), Value(data=2.0, grad=0.0)]
    """
    outputs = expression if isinstance(expression, (list, tuple)) else [expression]
    return [as_node(x) for x in outputs]


def _visible(outputs: Sequence[Node]) -> tuple[list[Node], dict[Node, Node], Counter[Node]]:
    """Return the nodes to write, in order; what each node is written as; and how often each written node is used."""
    order = topological_sort(*outputs)
    shown: dict[Node, Node] = {}
    for node in order:
        inner = guarded(node)
        shown[node] = node if inner is None else shown[inner]
    uses: Counter[Node] = Counter(shown[output] for output in outputs)
    for node in reversed(order):
        if node in uses and shown[node] is node:
            uses.update(shown[parent] for parent in node.parents)
    return [node for node in order if node in uses], shown, uses


def write_leaf(style: type[W], node: Node, names: Mapping[Node, str], digits: int | None) -> W:
    """Write a leaf by its name, or by its number if it has none."""
    return style.name(names[node]) if node in names else style.number(node.data, digits)


def write_graph(
    style: type[W],
    expression: Any,
    *,
    digits: int | None,
    name_above: int,
    limit: int,
    names: Mapping[Node, str] | None = None,
) -> tuple[list[tuple[W, W]], list[W]]:
    """Return the definitions (name, what it names) and the written expressions.

    The parameters are those of `to_text`; `names`, if given, name the leaves. A shared
    node that has no name has at most `name_above` parts, so the text grows with the edges of the graph, never with its
    paths.
    """
    outputs = expressions(expression)
    order, shown, uses = _visible(outputs)
    count = sum(node.op is not None for node in order)
    if count > limit:
        message = (
            f"the expression has {count} operations, more than the {limit} allowed: write a part of it, raise limit=, "
            "or draw it (microgradlib.draw)"
        )
        raise GraphTooLargeError(message)
    names = leaf_names(order) if names is None else names
    fresh = fresh_names("t", names.values())
    texts: dict[Node, W] = {}
    parts: dict[Node, int] = {}
    definitions: list[tuple[W, W]] = []
    for node in order:
        if node.op is None:
            texts[node], parts[node] = write_leaf(style, node, names, digits), 1
            continue
        inputs = [shown[parent] for parent in node.parents]
        texts[node] = write_op(style, node.op, [texts[x] for x in inputs], digits)
        parts[node] = 1 + sum(parts[x] for x in inputs)
        if uses[node] > 1 and parts[node] > name_above:
            name = style.name(next(fresh))
            definitions.append((name, texts[node]))
            texts[node], parts[node] = name, 1
    return definitions, [texts[shown[output]] for output in outputs]

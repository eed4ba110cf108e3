"""Write the formulas of a graph without recursion: shared subexpressions get names, domain guards are left out."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, TypeVar

from microgradlib._support.checks import whole_number
from microgradlib.core.graph import topological_sort
from microgradlib.core.node import Node
from microgradlib.core.value import as_node
from microgradlib.errors import GraphTooLargeError
from microgradlib.ops.formula import Formula, write_op
from microgradlib.symbolic.names import fresh_names, guarded_expression, leaf_names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["DEFAULT_LIMIT", "NAME_ABOVE", "expressions", "has_more_operations", "write_graph", "write_leaf"]

DEFAULT_LIMIT = 1000
"""Default of `limit`, the largest number of operations that is written: longer formulas are unreadable."""

NAME_ABOVE = 8
"""Default of `name_above`, the largest size (operations and leaves) of a shared subexpression without a name."""

LONGEST_OPERAND = 4 * DEFAULT_LIMIT
"""The largest size of any subexpression without a name: each operation writes its operands anew, which would take a
time that grows with the square of a formula's length."""

LARGEST_TEXT = 50_000_000
"""The most names and numbers of all formulas together, some 500 MB: of a list of 100,000 expressions, each may have as
many as `LONGEST_OPERAND`."""

F = TypeVar("F", bound=Formula)


def expressions(expression: Any) -> list[Node]:
    """Return a Value, Symbol or number, or a list of them, as a list of nodes.

    >>> from microgradlib import Symbol
    >>> expressions([Symbol("x"), 2])
    [Symbol('x'), Value(data=2.0, grad=0.0)]
    """
    outputs = expression if isinstance(expression, (list, tuple)) else [expression]
    return [as_node(x) for x in outputs]


def _visible(outputs: Sequence[Node]) -> tuple[list[Node], dict[Node, Node], Counter[Node]]:
    """Return the nodes to write, in topological order; the node that replaces each node; how often each is used."""
    order = topological_sort(*outputs)
    shown: dict[Node, Node] = {}
    for node in order:
        inner = guarded_expression(node)
        shown[node] = node if inner is None else shown[inner]
    uses: Counter[Node] = Counter(shown[output] for output in outputs)
    for node in reversed(order):
        if node in uses and shown[node] is node:
            uses.update(shown[parent] for parent in node.parents)
    return [node for node in order if node in uses], shown, uses


def has_more_operations(node: Node, limit: int) -> bool:
    """Return whether the formula of a node has more than `limit` operations, after a look at no more of the graph.

    >>> from microgradlib import Symbol
    >>> has_more_operations(Symbol("x") + 1, 1), has_more_operations(-Symbol("x") + 1, 1)
    (False, True)
    """
    seen: set[Node] = set()
    stack, count = [node], 0
    while stack and count <= limit:
        node = stack.pop()
        inner = guarded_expression(node)
        if inner is not None:
            stack.append(inner)
        elif node.op is not None and node not in seen:
            seen.add(node)
            count += 1
            stack += node.parents
    return count > limit


def write_leaf(dialect: type[F], node: Node, names: Mapping[Any, str | F], digits: int | None) -> F:
    """Write a leaf by its name, which may be written already, or by its number if it has none."""
    name = names.get(node)
    if name is None:
        return dialect.number(node.data, digits)
    return dialect.name(name) if isinstance(name, str) else name


def write_graph(
    dialect: type[F],
    expression: Any,
    *,
    digits: int | None,
    name_above: int,
    limit: int,
    names: Mapping[Any, str | F] | None = None,
) -> tuple[list[tuple[F, F]], list[F]]:
    """Return the definitions, each a name and its formula, and the formulas of the expressions.

    The parameters are those of `to_text`; `names` maps leaves to names, or to formulas, by default their labels. A
    shared node without a name has a size of at most `name_above`, and any operand one of at most `LONGEST_OPERAND`, so
    the time and the length of the text are linear in the number of edges, not of paths.
    """
    digits = None if digits is None else whole_number(digits, "digits", example=6)
    limit = whole_number(limit, "limit", 0, example=DEFAULT_LIMIT)
    name_above = whole_number(name_above, "name_above", 0, example=NAME_ABOVE)
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
    fresh = fresh_names("t", [name for name in names.values() if isinstance(name, str)])
    results = Counter(shown[output] for output in outputs)
    unread, total = uses.copy(), 0
    texts: dict[Node, F] = {}
    sizes: dict[Node, int] = {}
    definitions: list[tuple[F, F]] = []
    for node in order:
        if node.op is None:
            texts[node], sizes[node] = write_leaf(dialect, node, names, digits), 1
            continue
        inputs = [shown[parent] for parent in node.parents]
        sizes[node] = 1 + sum(sizes[x] for x in inputs)
        total += sizes[node] if node in results or sizes[node] > LONGEST_OPERAND else 0
        if total > LARGEST_TEXT:
            message = (
                f"the formulas have more than {LARGEST_TEXT:,} names and numbers: write fewer at once, or let "
                "subexpressions that are read several times have names, by a small name_above="
            )
            raise GraphTooLargeError(message)
        texts[node] = write_op(dialect, node.op, [texts[x] for x in inputs], digits)
        for x in inputs:
            unread[x] -= 1
            if not unread[x]:  # each text holds those of its operands: all together grow with the square of the length
                del texts[x]
        is_operand = node not in results or uses[node] > results[node]
        if (uses[node] > 1 and sizes[node] > name_above) or (is_operand and sizes[node] > LONGEST_OPERAND):
            name = dialect.name(next(fresh))
            definitions.append((name, texts[node]))
            texts[node], sizes[node] = name, 1
    return definitions, [texts[shown[output]] for output in outputs]

"""Which numbers of a graph were computed from numbers that have been changed since, and which leaves were changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from microgradlib._support.floats import FLOATS
from microgradlib.core.value import Value
from microgradlib.ops import TABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["changed_leaves", "stale_nodes"]


def stale_nodes(order: Sequence[Any]) -> tuple[set[Any], list[Any]]:
    """Return the stale nodes of a graph in topological order, and those of them that their parents do not explain.

    Each node is computed anew from its parents' present numbers by its op. One that differs, in any bit unless both are
    nan, is stale, and so is what depends on it. Nodes made by hand, which have no rule, are stale if a parent is.

    >>> w = Value(2.0)
    >>> y = w * 3
    >>> w.data = 5.0
    >>> stale, unexplained = stale_nodes([w, *y.parents[1:], y])
    >>> stale == {y}, unexplained == [y]
    (True, True)
    """
    stale: set[Any] = set()
    unexplained: list[Any] = []
    for node in order:
        if node.op is None or not isinstance(node, Value):
            continue
        parents = node.parents
        if node.op.name in TABLE and not _gives(node, [parent._float for parent in parents]):
            unexplained.append(node)
            stale.add(node)
        elif stale and not stale.isdisjoint(parents):
            stale.add(node)
    return stale, unexplained


def _gives(node: Any, inputs: Sequence[float]) -> bool:
    """Return whether the op of a node gives its number for these inputs."""
    op, number = node.op, node._float
    try:
        again = op.value(FLOATS, *inputs, *op.settings)
    except (ArithmeticError, ValueError):  # Python raises for 1/0 and log(-1), IEEE 754 gives inf and nan
        again = op.compute(*inputs)
    if again == number:
        return bool(again or str(again) == str(number))  # −0 is not 0 here
    return bool(again != again and number != number)  # noqa: PLR0124  nan


ONE_TO_ONE: Final = frozenset({"add", "sub", "mul", "div", "neg", "sum", "mean", "dot", "exp", "log", "tanh"})
"""Ops that give the same number for no other number of one input: x² agrees with −x, and max with much else."""


def changed_leaves(order: Sequence[Any], unexplained: Sequence[Any]) -> list[Any]:
    """Return the leaves whose present numbers do not explain the numbers computed from them, in topological order.

    A leaf that another node agrees with, or whose number is still among the local derivatives, as those of w and x in
    w x, was not changed, if another one explains the difference. Where that leaves several candidates, as in a + b, all
    are returned.

    >>> w, x = Value(2.0), Value(3.0)
    >>> y = w * x
    >>> w.data = 5.0
    >>> changed_leaves([w, x, y], [y]) == [w]
    True
    """
    suspects = [_suspects(node) for node in unexplained]
    agreeing: set[Any] = set()
    different = set(unexplained)
    for node in order if any(suspects) else ():
        if node.op is not None and node.op.name in ONE_TO_ONE and node not in different:
            pairs = zip(node.parents, node.local_derivatives)
            agreeing.update(parent for parent, slope in pairs if slope and node.parents.count(parent) == 1)
    changed: set[Any] = set()
    for leaves in suspects:
        changed.update([leaf for leaf in leaves if leaf not in agreeing] or leaves)
    return [leaf for leaf in order if leaf in changed]


def _suspects(node: Any) -> list[Any]:
    """Return the leaves among a node's parents that may be those that were changed."""
    parents = node.parents
    before = _recorded_inputs(node.op.name, node.local_derivatives, len(parents))
    inputs = [before.get(i, parent._float) for i, parent in enumerate(parents)]
    others_unchanged = bool(before) and _gives(node, inputs)
    return [
        parent
        for i, parent in enumerate(parents)
        if parent.op is None and not (_equal(before[i], parent._float) if i in before else others_unchanged)
    ]


def _recorded_inputs(op: str, derivatives: Sequence[float], count: int) -> dict[int, float]:
    """Return the inputs that local derivatives have kept, by their places: those of a product of two, of a dot."""
    if op == "mul":
        return {0: derivatives[1], 1: derivatives[0]}
    if op == "dot":
        n = count // 2
        return {i: derivatives[i + n if i < n else i - n] for i in range(2 * n)}
    return {}


def _equal(x: float, y: float) -> bool:
    return x == y or (x != x and y != y)  # noqa: PLR0124  nan

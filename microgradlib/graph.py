"""Graphs of nodes that know their `.parents`: order, ancestors, descendants. No calculus here."""

from __future__ import annotations

from itertools import filterfalse
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["descendants", "topological_sort"]


class Node(Protocol):
    """Anything with an ordered tuple of parents, itself hashable by identity."""

    @property
    def parents(self) -> tuple[Node, ...]:
        """What the node was computed from, in the order of its op's inputs."""


N = TypeVar("N", bound=Node)


def topological_sort(output: N) -> list[N]:
    """Return every ancestor of `output` and `output` itself, each after all of its parents.

    This is the numbering u⁽¹⁾, …, u⁽ⁿ⁾ that *Deep Learning*, Algorithm 6.1, takes for granted:
    evaluate in this order, differentiate in the reverse of it. A depth-first walk with its own stack
    (a chain of a million nodes is as good as any), left parents first, so the order is the
    same in every run. Time and memory are linear in nodes plus edges.

    >>> from microgradlib import Value
    >>> x = Value(3.0, label="x")
    >>> square = x * x
    >>> [node.label or str(node.op) for node in topological_sort(square + x)]
    ['x', '*', '+']
    """
    placed: dict[N, None] = {}  # a dict keeps the order in which nodes were placed
    stack = [output]
    while stack:
        node = stack[-1]
        if node not in placed:
            depth = len(stack)
            stack.extend(filterfalse(placed.__contains__, reversed(node.parents)))  # type: ignore[arg-type]
            if len(stack) > depth:
                continue  # come back when the parents are placed
            placed[node] = None
        stack.pop()
    return list(placed)


def descendants(order: Iterable[N], sources: Iterable[N]) -> set[N]:
    """Return the nodes of `order` that depend on any of `sources`, the sources included.

    `order` lists parents before children, as `topological_sort` does.

    >>> from microgradlib import Value
    >>> x, y = Value(3.0), Value(4.0)
    >>> product = x * y
    >>> total = product + 1
    >>> descendants(topological_sort(total), [x]) == {x, product, total}
    True
    """
    reached = set(sources)
    for node in order:
        if not reached.isdisjoint(node.parents):
            reached.add(node)
    return reached

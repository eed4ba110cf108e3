"""Graphs of nodes that know their `.parents`: order, ancestors, descendants. No calculus here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["descendants", "topological_sort"]


class HasParents(Protocol):
    """Anything with an ordered tuple of parents, itself hashable by identity."""

    @property
    def parents(self) -> tuple[HasParents, ...]:
        """What the node was computed from, in the order of its op's inputs."""


N = TypeVar("N", bound=HasParents)


def topological_sort(*outputs: N, known: Iterable[N] = ()) -> list[N]:
    """Return every ancestor of the outputs and the outputs themselves, each after all of its parents.

    This is the numbering u⁽¹⁾, …, u⁽ⁿ⁾ that *Deep Learning*, Algorithm 6.1, takes for granted:
    evaluate in this order, differentiate in the reverse of it. A depth-first walk with its own stack
    (a chain of a million nodes is as good as any), left parents first, so the order is the
    same in every run. Time and memory are linear in nodes plus edges. Nodes in `known` are left out, and so is what
    only they depend on. Raises `TypeError` for an output that is no node.

    >>> from microgradlib import Value
    >>> x = Value(3.0, label="x")
    >>> square = x * x
    >>> [node.label or str(node.op) for node in topological_sort(square + x)]
    ['x', '*', '+']
    """
    for output in outputs:
        if not hasattr(output, "parents"):
            message = f"expected a Value or Symbol, the output of a graph, got {output!r}"
            raise TypeError(message)
    order: list[N] = []
    seen = set(known)
    stack: list[N | None] = [*reversed(outputs)]
    while stack:
        node = stack.pop()
        if node is None:  # all parents of the node below are placed: now it is its turn
            order.append(stack.pop())  # type: ignore[arg-type]
        elif node not in seen:
            seen.add(node)
            parents = node.parents
            if not parents:
                order.append(node)
                continue
            stack.append(node)
            stack.append(None)
            for parent in reversed(parents):
                if parent not in seen:  # a loop, as calling extend for two parents takes longer
                    stack.append(parent)  # type: ignore[arg-type]  # noqa: PERF401
    return order


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

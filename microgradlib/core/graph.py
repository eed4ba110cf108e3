"""Graphs: nodes with parents, their topological order and their descendants. No calculus here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from microgradlib._support.calling import in_plain_words
from microgradlib._support.shown import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from typing_extensions import Self

__all__ = ["GraphNode", "descendants", "new_nodes", "node_list", "topological_sort"]

N = TypeVar("N", bound="GraphNode")


class GraphNode:
    """A node with an ordered tuple of parents: what it was computed from. Repeats are kept: x·x has parents (x, x).

    One or two parents are stored in a slot each, three or more as a tuple in the first slot; a leaf stores None. Nearly
    all nodes have one or two, and Python's cyclic garbage collector needs half the time for nodes without a tuple.
    """

    __slots__ = ("_left", "_right")

    _left: Any
    _right: Any

    @property
    def parents(self) -> tuple[Self, ...]:
        """What the node was computed from, in the order of its op's inputs."""
        left = self._left
        if self._right is not None:
            return left, self._right
        return left if left.__class__ is tuple else () if left is None else (left,)

    @parents.setter
    def parents(self, parents: tuple[Any, ...]) -> None:
        self._left = tuple(parents) if len(parents) > 2 else parents[0] if parents else None
        self._right = parents[1] if len(parents) == 2 else None


@in_plain_words
def topological_sort(*outputs: N, known: Iterable[Any] = ()) -> list[N]:
    """Return every ancestor of the outputs and the outputs themselves, each after all of its parents.

    This is the numbering u⁽¹⁾, …, u⁽ⁿ⁾ that *Deep Learning*, Algorithm 6.1, takes for granted: evaluate in this order,
    differentiate in the reverse of it. A depth-first search with an explicit stack, so that a chain of a million nodes
    can be sorted; left parents first, so that every run gives the same order. Time and memory are linear in nodes plus
    edges. Nodes in `known` are left out, and so is what only they depend on. Raises `TypeError` for an output that is
    not a node.

    >>> from microgradlib import Value
    >>> x = Value(3.0, label="x")
    >>> square = x * x
    >>> [node.label or str(node.op) for node in topological_sort(square + x)]
    ['x', '*', '+']
    """
    stack: list[Any] = [*reversed(outputs)]
    for output in stack:
        if not isinstance(output, GraphNode):
            message = f"expected a Value or Symbol, the output of a graph, got {shown(output)}"
            raise TypeError(message)
    if not hasattr(known, "__iter__"):
        message = f"known must be nodes, such as known=[x], got {shown(known)}"
        raise TypeError(message)
    return new_nodes(stack, set(known))


def new_nodes(stack: list[Any], seen: set[Any]) -> list[Any]:
    """Return the ancestors of the nodes on a stack, and these, as `topological_sort` does, but for those in `seen`.

    They are added to `seen`: sorting the outputs of a graph one after another takes as long as sorting all at once.
    """
    order: list[Any] = []
    while stack:
        node = stack.pop()
        if node is None:  # a mark: all parents of the node under it on the stack are in the order
            order.append(stack.pop())
        elif node not in seen:
            seen.add(node)
            left, right = node._left, node._right
            if left is None:
                order.append(node)
                continue
            stack.append(node)
            stack.append(None)
            if left.__class__ is tuple:
                if not seen.issuperset(left):  # weights of a layer, and what it is given, are met many times
                    for parent in reversed(left):
                        if parent not in seen:  # extending the stack by a list takes longer
                            stack.append(parent)  # noqa: PERF401
            else:
                if right is not None and right not in seen:
                    stack.append(right)
                stack.append(left)
    return order


def node_list(nodes: Any, name: str, example: str) -> list[Any]:
    """Return the nodes of a list, tuple, array, dict or generator as a list.

    Raises `TypeError` for anything but nodes, and for a set, which has no order; the message says what to write.

    >>> node_list(["x"], "inputs", "[x]")
    Traceback (most recent call last):
    TypeError: inputs must be Values or Symbols in a list, such as [x], got 'x' at index 0
    """
    wrong = None
    if hasattr(nodes, "__iter__") and not isinstance(nodes, (str, bytes, set, frozenset)):
        listed = list(nodes)
        wrong = next((i for i, node in enumerate(listed) if not isinstance(node, GraphNode)), None)
        if wrong is None:
            return listed
    fault = shown(nodes) if wrong is None else f"{shown(listed[wrong])} at index {wrong}"
    message = f"{name} must be Values or Symbols in a list, such as {example}, got {fault}"
    raise TypeError(message)


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

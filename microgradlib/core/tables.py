"""Tables of numbers by node: what backpropagation and forward mode return."""

from __future__ import annotations

from typing import Any, TypeVar

from microgradlib.ops import ZERO

__all__ = ["NodeTable"]

N = TypeVar("N")


class NodeTable(dict[N, float]):
    """A dict from node to number. A node that nothing has reached has 0, and is not in `reached`.

    >>> from microgradlib import Value, grad_table, step
    >>> x, y = Value(3.0), Value(4.0)
    >>> table = grad_table(step(x) + y * 0)
    >>> table[x], x in table.reached, table[y], y in table.reached
    (0.0, False, 0.0, True)
    """

    __slots__ = ()

    @property
    def reached(self) -> frozenset[N]:
        """The nodes to which an open path leads: from the output in reverse mode, from an input in forward mode."""
        return frozenset([node for node, number in self.items() if number is not ZERO])

    def copy(self) -> NodeTable[N]:
        """Return a copy of the same class."""
        return NodeTable(self)

    def __repr__(self) -> str:
        return repr(dict(self))

    def __reduce__(self) -> tuple[Any, ...]:
        return NodeTable, (dict(self),)

"""Tables of numbers by node: what backpropagation and forward mode return."""

from __future__ import annotations

from typing import Any, TypeVar

from microgradlib._support import display
from microgradlib._support.shown import shown
from microgradlib.ops import ZERO

__all__ = ["NodeTable", "TangentTable"]

N = TypeVar("N")


class NodeTable(dict[N, float], display.ShowsItself):
    """A dict from node to number. A node that nothing has reached has 0, and is not in `reached`.

    It shows itself as a table: each node with its value, local derivatives, the sum of terms, and its gradient. Of a
    large one both ends are shown, and all of it by `show()`.

    >>> from microgradlib import Value, grad_table, step
    >>> x, y = Value(3.0), Value(4.0)
    >>> table = grad_table(step(x) + y * 0)
    >>> table[x], x in table.reached, table[y], y in table.reached
    (0.0, False, 0.0, True)
    """

    __slots__ = ()

    def __missing__(self, node: object) -> float:
        what = "node that it depends on" if hasattr(type(node), "__apply_op__") else "node"
        message = f"{shown(node)} is no {what}: a table of derivatives has the nodes below its output"
        raise KeyError(message)

    @property
    def reached(self) -> frozenset[N]:
        """The nodes to which an open path leads: from the output in reverse mode, from an input in forward mode."""
        return frozenset([node for node, number in self.items() if number is not ZERO])

    def copy(self) -> NodeTable[N]:
        """Return a copy of the same class."""
        return type(self)(self)

    def __repr__(self) -> str:
        return display.text(self) or repr(dict(self))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self),)


class TangentTable(NodeTable[N]):
    """The table of forward mode: the derivative of each node along the given tangents.

    >>> from microgradlib import Value, tangent_table
    >>> x = Value(3.0, label="x")
    >>> tangent_table(x * 2, {x: 1.0})
    u̇, the change of each node u along the tangents of the inputs, from the inputs to the outputs
      node          value  local derivatives  tangent · local  tangent
      x                 3  given                                     1
      2 (constant)      2                                            —
      u1 = x · 2        6  ∂u1/∂x = 2         1 · 2 = 2              2
    """

    __slots__ = ()

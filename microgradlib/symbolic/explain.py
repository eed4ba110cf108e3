"""The chain rule of one parameter, written out step by step: Algorithm 6.2 as a calculation on paper."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from microgradlib.core.node import Node
from microgradlib.symbolic.derivation import LATEX, TEXT, Derivation
from microgradlib.symbolic.latex import aligned

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["GradientExplanation", "explain_gradient"]

LARGEST = 100
"""How many nodes between parameter and output are written out unless the caller allows more."""


@dataclass(frozen=True, repr=False)
class GradientExplanation:
    """The chain rule of one parameter: `text`, `latex`, and shown as mathematics where a notebook shows it."""

    title: str
    text: str
    latex: str

    def _repr_latex_(self) -> str:
        return rf"$\displaystyle {self.latex}$"

    def _repr_markdown_(self) -> str:
        return f"{self.title}\n\n$$\n{self.latex}\n$$"

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__


def explain_gradient(output: Node, x: Node, *, digits: int = 6, limit: int = LARGEST) -> GradientExplanation:
    r"""Return ∂output/∂x written out by the chain rule, a step of Algorithm 6.2 (*Deep Learning*) for each node.

    First the nodes between x and output, each by its inputs. Then, from the output down, each local derivative, as an
    expression and (for Values) as a number, and each gradient: the sum, over the nodes that use it, of their gradient
    times the local derivative. Nodes without a label are named u1, u2, … in topological order; domain guards are left
    out. An input that one op takes twice has the sum of both derivatives.

    Args:
        output: what is differentiated.
        x: what it is differentiated by: a parameter, or any node on the way.
        digits: significant digits of the numbers.
        limit: the most nodes to write out.

    Raises:
        GraphTooLargeError: more than `limit` nodes lie between x and output.
        TypeError: an argument is neither a Value nor a Symbol.

    >>> from microgradlib import Value
    >>> w, x = Value(1.0, label="w"), Value(2.0, label="x")
    >>> z = w * x
    >>> z.label = "z"
    >>> print(explain_gradient(z, w).text.replace("\n\n", "\n"))
    z = w*x = 2
    grad(z) = 1
    ∂z/∂w = x = 2
    grad(w) = grad(z) · ∂z/∂w = 1 · 2 = 2
    """
    nodes: tuple[object, ...] = (output, x)
    for node in nodes:
        if not isinstance(node, Node):
            message = f"explain_gradient takes two nodes of a graph, Values or Symbols, got {node!r}"
            raise TypeError(message)
    derivation = Derivation(output, x, digits, limit)
    text = "\n\n".join("\n".join(" = ".join(row) for row in block) for block in derivation.blocks(TEXT) if block)
    rows = [_aligned_row(row) for block in derivation.blocks(LATEX) for row in block]
    title = f"The chain rule, from {derivation.names[output]} down to {derivation.names[x]}:"
    return GradientExplanation(title, text, aligned(rows))


def _aligned_row(row: Sequence[str]) -> str:
    return f"{row[0]} &= {' = '.join(row[1:])}"

"""Explain one gradient: the chain rule of a parameter written out step by step (Algorithm 6.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from microgradlib._support.calling import in_plain_words
from microgradlib._support.checks import whole_number
from microgradlib._support.shown import shown
from microgradlib.core.node import Node
from microgradlib.symbolic.chain_rule import LATEX, TEXT, ChainRule
from microgradlib.symbolic.latex import aligned

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["GradientExplanation", "explain_gradient"]

DEFAULT_LIMIT = 100
"""Default of `limit`, the largest number of nodes that is written out."""


@dataclass(frozen=True, repr=False)
class GradientExplanation:
    """The chain rule of one parameter as `text` and as `latex`; notebooks show the typeset form."""

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


@in_plain_words
def explain_gradient(output: Node, x: Node, *, digits: int = 6, limit: int = DEFAULT_LIMIT) -> GradientExplanation:
    r"""Return ∂output/∂x written out by the chain rule, a step of Algorithm 6.2 (*Deep Learning*) for each node.

    The first block defines the nodes between x and output, each in terms of its inputs. The second lists, from the
    output to x, each local derivative, as an expression and (for Values) as a number, and each gradient: the sum, over
    the node's consumers, of their gradient times the local derivative. Nodes are named as in drawings: by their
    label, the path of a parameter, or your variable; others are u1, u2, … in topological order. Domain guards,
    `where(c, e, nan)`, are written as e. If an op takes the same input twice, its local derivative is the sum of both.

    Args:
        output: the node that is differentiated.
        x: the node to differentiate by: a parameter, or an inner node.
        digits: significant digits of the numbers.
        limit: the largest number of nodes that is written out.

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
            message = (
                f"explain_gradient takes two nodes of a graph, Values or Symbols, got {shown(node)}: "
                "pass an output and one of its inputs"
            )
            raise TypeError(message)
    digits = whole_number(digits, "digits", example=6)
    limit = whole_number(limit, "limit", example=DEFAULT_LIMIT)
    chain_rule = ChainRule(output, x, digits, limit)
    text = "\n\n".join("\n".join(" = ".join(row) for row in block) for block in chain_rule.blocks(TEXT) if block)
    rows = [_aligned_row(row) for block in chain_rule.blocks(LATEX) for row in block]
    title = f"The chain rule, from {chain_rule.names[output]} down to {chain_rule.names[x]}:"
    return GradientExplanation(title, text, aligned(rows))


def _aligned_row(row: Sequence[str]) -> str:
    return f"{row[0]} &= {' = '.join(row[1:])}"

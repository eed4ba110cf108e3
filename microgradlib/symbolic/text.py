"""Write a graph as plain text, in the syntax that `microgradlib.symbolic.parser.build` parses."""

from __future__ import annotations

import re
from operator import add
from typing import TYPE_CHECKING, ClassVar

from microgradlib._support.calling import in_plain_words
from microgradlib.ops.formula import ATOM, COMPARISON, PRODUCT, Formula
from microgradlib.symbolic.write_graph import DEFAULT_LIMIT, NAME_ABOVE, write_graph

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.core.node import Node

__all__ = ["Text", "to_text"]


class Text(Formula):
    """A formula as plain text, products and quotients without spaces.

    >>> x = Text.name("x")
    >>> print(-(x**2) / 3 <= x * (1 + x))
    -x**2/3 <= x*(1 + x)
    """

    __slots__ = ()
    spelling: ClassVar[dict[str, str]] = {"*": "*", "/": "/", "**": "**"}

    @classmethod
    def name(cls, label: str) -> Text:
        """Write a label; a label that contains an operator, such as `a + b`, is put in parentheses as an operand."""
        return cls(label, COMPARISON if re.search(r"[-+*/<>=\s]", label) else ATOM)

    @classmethod
    def total(cls, terms: Sequence[Text]) -> Text:
        """Write a sum of many terms: pairs, pairs of these, …, as each sum of two writes its operands anew."""
        parts = [*terms]
        while len(parts) > 1:
            parts = [*map(add, parts[::2], parts[1::2]), *parts[len(parts) - len(parts) % 2 :]]
        return parts[0]

    @classmethod
    def product(cls, factors: Sequence[Text]) -> Text:
        """Write a product of many factors, at once for the same reason.

        >>> a, b = Text("a"), Text("b")
        >>> print(Text.product([-a, -b, a + b]))
        -a*(-b)*(a + b)
        """
        if len(factors) == 1:
            return factors[0]
        first, *others = factors
        return cls("*".join([first.at(PRODUCT, leading=True), *[x.at(PRODUCT) for x in others]]), PRODUCT)


@in_plain_words
def to_text(
    expression: Node | float | Sequence[Node | float],
    *,
    digits: int | None = None,
    name_above: int = NAME_ABOVE,
    limit: int = DEFAULT_LIMIT,
) -> str:
    """Return the expression that a graph computes, as text with as few parentheses as needed.

    Leaves are written by their label, or their number if they have none. Domain guards, `where(c, e, nan)`, are
    written as e, the chain rule's product as an ordinary product. A subexpression that is used more than once gets a
    name and a line of its own if its size (operations and leaves) exceeds `name_above`, so the length of the text is
    linear in that of the graph; the last line is the expression. A list of expressions has one line for each.
    `microgradlib.symbolic.parser.build` parses single lines, unless they contain labels that are not identifiers, inf,
    nan, or `detach`.

    Args:
        expression: a Value or Symbol, a number, or a list of them.
        digits: significant digits of numbers; None writes them exactly.
        name_above: the largest size (operations and leaves) of a shared subexpression without a name.
        limit: the largest number of operations that is written.

    Raises:
        GraphTooLargeError: the graph has more than `limit` operations.
        TypeError: `expression` is none of these.

    >>> from microgradlib import Symbol, gradients, tanh
    >>> w, x, b = Symbol("w"), Symbol("x"), Symbol("b")
    >>> to_text(tanh(w * x + b) ** 2 - 3 * (w - x))
    'tanh(w*x + b)**2 - 3*(w - x)'
    >>> to_text(gradients(x * tanh(w), [w]))
    'x*(1 - tanh(w)**2)'
    >>> u = tanh(w * x + b) / (1 + x)
    >>> print(to_text(u * (1 - u)))
    t1 = tanh(w*x + b)/(1 + x)
    t1*(1 - t1)
    """
    definitions, results = write_graph(Text, expression, digits=digits, name_above=name_above, limit=limit)
    return "\n".join([*[f"{name} = {text}" for name, text in definitions], *[str(text) for text in results]])

"""Mathematics as plain text: what a person would type, and what `microgradlib.symbolic.parser.build` reads back."""

from __future__ import annotations

import re
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any, ClassVar

from microgradlib.symbolic.lines import LARGEST, SHARED, write_graph
from microgradlib.symbolic.written import ATOM, COMPARISON, POWER, PRODUCT, SIGN, Written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.core.node import Node
    from microgradlib.ops import Op

__all__ = ["Text", "to_text"]


class Text(Written):
    """A piece of mathematics as plain text.

    >>> x = Text.name("x")
    >>> print(-(x**2) / 3 <= x * (1 + x))
    -x**2/3 <= x*(1 + x)
    """

    __slots__ = ()
    signs: ClassVar[dict[str, str]] = {}

    @classmethod
    def number(cls, number: float, digits: int | None = None) -> Text:
        """Write a number, whole ones without a point.

        >>> print(Text.number(-2.0), Text.number(0.1), Text.number(2 / 3, digits=3))
        -2 0.1 0.667
        """
        text = repr(float(number)) if digits is None else format(number, f".{digits}g")
        text = text.removesuffix(".0")
        return cls(text, SIGN if text.startswith("-") else ATOM)

    @classmethod
    def name(cls, label: str) -> Text:
        """Write a label; one that holds an operator, as `a + b`, gets parentheses where it is an operand."""
        return cls(label, COMPARISON if re.search(r"[-+*/<>=\s]", label) else ATOM)

    @classmethod
    def call(cls, op: Op, inputs: Sequence[Text]) -> Text:
        """Write `f(a, b)`, settings at their defaults left out."""
        shown = inputs[: -len(op.settings)] if op.settings and op.settings == op.defaults else inputs
        return cls(f"{op.symbol}({', '.join(x.text for x in shown)})")

    @classmethod
    def total(cls, terms: Sequence[Text]) -> Text:
        """Write every term."""
        return reduce(add, terms)

    @classmethod
    def where(cls, condition: Any, x: Any, y: Any) -> Any:
        """Write `where(condition, x, y)`, and the number 1 where a condition holds, else 0, as the condition."""
        if condition.level == COMPARISON and (str(x), str(y)) in cls.truth:
            return condition
        return cls(f"where({condition}, {cls.written(x)}, {cls.written(y)})")

    @staticmethod
    def brackets(text: str, _level: int) -> str:
        """Put into parentheses."""
        return f"({text})"

    @staticmethod
    def product(left: str, right: str) -> str:
        """Write `a*b`."""
        return f"{left}*{right}"

    def over(self, divisor: Text) -> Text:
        """Write `a/b`."""
        return self._signed(f"{self.at(SIGN)}/{divisor.at(POWER)}", PRODUCT)

    def raised(self, exponent: Text) -> Text:
        """Write `a**b`; a power of a power to the right, and a negative number, need no parentheses."""
        plain = re.fullmatch(r"-[0-9.]+", exponent.text)
        return type(self)(f"{self.at(ATOM)}**{exponent.text if plain else exponent.at(POWER)}", POWER)


def to_text(
    expression: Node | float | Sequence[Node | float],
    *,
    digits: int | None = None,
    name_above: int = SHARED,
    limit: int = LARGEST,
) -> str:
    """Return the expression that a graph computes, as text with as few parentheses as needed.

    Leaves are written by their label, or their number if they have none. Domain guards, `where(c, e, nan)`, are
    written as e, the chain rule's product as an ordinary one. A subexpression that is used more than once gets a name
    and a line of its own if it has more than `name_above` parts, so the text is never much longer than the graph; the
    last line is the expression. A list of expressions has one line for each. `expression.build` reads single lines
    back, unless they hold labels that are no names, inf, nan, or `detach`.

    Args:
        expression: a Value or Symbol, a number, or a list of them.
        digits: significant digits of numbers; None writes them exactly.
        name_above: how many parts (operations and leaves) a shared subexpression may have without a name.
        limit: the largest number of operations to write.

    Raises:
        GraphTooLargeError: the graph has more than `limit` operations.
        TypeError: `expression` is none of these.

    >>> from microgradlib import Symbol, gradients, tanh
    >>> w, x, b = Symbol("w"), Symbol("x"), Symbol("b")
    >>> to_text(tanh(w * x + b) ** 2 - 3 * (w - x))
    'tanh(w*x + b)**2 - 3*(w - x)'
    >>> to_text(gradients(x * tanh(w), [w]))
    'x*(1/cosh(w))**2'
    >>> u = tanh(w * x + b) / (1 + x)
    >>> print(to_text(u * (1 - u)))
    t1 = tanh(w*x + b)/(1 + x)
    t1*(1 - t1)
    """
    definitions, results = write_graph(Text, expression, digits=digits, name_above=name_above, limit=limit)
    return "\n".join([*[f"{name} = {text}" for name, text in definitions], *[str(text) for text in results]])

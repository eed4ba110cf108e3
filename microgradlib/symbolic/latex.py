"""Write a graph as LaTeX, with fractions, roots, superscripts and cases."""

from __future__ import annotations

import math
import re
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any, ClassVar

from microgradlib._support.calling import in_plain_words
from microgradlib.ops.formula import ATOM, COMPARISON, POWER, PRODUCT, SUM, Formula
from microgradlib.symbolic.names import latex_name
from microgradlib.symbolic.write_graph import DEFAULT_LIMIT, NAME_ABOVE, write_graph

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Self

    from microgradlib.core.node import Node
    from microgradlib.ops import Op

__all__ = ["Latex", "aligned", "to_latex"]

BRACKETED = re.compile(r"\\left.*\\right.|\{[^{}]*\}|\([^()]*\)")
"""Text in braces or brackets within a template."""

TALL = ("\\frac", "\\sum", "\\begin", "\\left")
"""Commands taller than a line: around them, brackets are written with \\left and \\right."""

MAX_TERMS = 4
"""Sums of more terms and products of more factors are abbreviated."""


class Latex(Formula):
    r"""A formula as LaTeX.

    >>> x = Latex.name("x1")
    >>> print(-(x**2) / 3 <= x * (1 + x))
    \frac{-x_{1}^{2}}{3} \le x_{1} (1 + x_{1})
    """

    __slots__ = ("fraction",)
    spelling: ClassVar[dict[str, str]] = {"*": " ", "<=": r" \le ", ">=": r" \ge "}

    def __init__(self, text: str, level: int = ATOM) -> None:
        super().__init__(text, level)
        self.fraction: tuple[Self, Self] | None = None  # numerator and denominator, of a fraction alone

    @classmethod
    def number(cls, number: float, digits: int | None = None) -> Self:
        r"""Write a number: whole numbers without a decimal point, very large and small ones with a power of ten.

        >>> print(Latex.number(-2.0), Latex.number(1.5e-7), Latex.number(float("inf")))
        -2 1.5 \cdot 10^{-7} \infty
        """
        if abs(number) == math.pi:
            return cls(r"-\pi" if number < 0 else r"\pi")
        text = repr(float(number)) if digits is None else format(number, f".{digits}g")
        text = text.removesuffix(".0").replace("inf", r"\infty").replace("nan", r"\mathrm{nan}")
        mantissa, _, exponent = text.partition("e")
        if exponent:
            power = f"10^{{{int(exponent)}}}"
            text = mantissa.removesuffix("1") + power if mantissa in {"1", "-1"} else rf"{mantissa} \cdot {power}"
        return cls(text, PRODUCT if exponent else ATOM)

    @classmethod
    def name(cls, label: str) -> Self:
        """Write a label, with a trailing number as a subscript."""
        text = latex_name(label)
        return cls(text, POWER if re.match(r"\{.*\^|\{\\[dt]?frac", text) else ATOM)

    @classmethod
    def call(cls, op: Op, inputs: Sequence[Self]) -> Self:
        r"""Fill the op's template: `<0>` is its first input, `<*>` are all; without `<`, it is a function's name.

        An input outside the template's braces and brackets gets parentheses if its precedence requires them.
        """
        symbol = op.symbol.replace("_", r"\_")
        template = op.notation if isinstance(op.notation, str) and op.notation else rf"\operatorname{{{symbol}}}"
        if "<" not in template:
            template += "(<*>)"
        outside = template
        while outside != (outside := BRACKETED.sub("", outside)):
            pass
        level = (
            SUM if re.search(" [-+] ", outside) else PRODUCT if " " in outside else POWER if "^" in outside else ATOM
        )

        def fill(match: re.Match[str]) -> str:
            bracketed = match[0].startswith("(")
            if match[0].strip("()<>") == "*":
                text = ", ".join(x.text for x in inputs)
            else:
                index = int(match[0].strip("()<>"))
                text = inputs[index].text if bracketed or match[0] not in outside else inputs[index].at(level)
            return cls(text).in_brackets() if bracketed else text

        return cls(re.sub(r"\(<[\d*]>\)|<[\d*]>", fill, template).replace("+ -", "- "), level)

    @classmethod
    def total(cls, terms: Sequence[Self]) -> Self:
        r"""Write up to four terms in full; more with \sum if they differ only in an index, otherwise with dots."""
        if len(terms) <= MAX_TERMS:
            return reduce(add, terms)
        first = re.search(r"_\{(\d{1,9})\}", terms[0].text)
        start = int(first[1]) if first else 0
        patterns = {term.text.replace(f"_{{{start + i}}}", "_{i}") for i, term in enumerate(terms)}
        if first and len(patterns) == 1 and terms[0].text == terms[0].at(PRODUCT):
            return cls(rf"\sum_{{i={start}}}^{{{start + len(terms) - 1}}} {patterns.pop()}", SUM)
        return terms[0] + terms[1] + cls(r"\cdots") + terms[-1]

    @classmethod
    def product(cls, factors: Sequence[Self]) -> Self:
        r"""Write up to four factors in full, more with dots.

        >>> print(Latex.product([Latex(name) for name in "abcde"]))
        a b \cdots e
        """
        shown = factors if len(factors) <= MAX_TERMS else (*factors[:2], cls(r"\cdots"), factors[-1])
        return super().product(shown)

    @classmethod
    def choice(cls, condition: Self, x: Self, y: Self) -> Self:
        """Write a choice as a `cases` environment."""
        holds = condition.text if condition.level == COMPARISON else rf"{condition.at(SUM)} \ne 0"
        cases = rf"{x.at(SUM)} & \text{{if }} {holds} \\ {y.at(SUM)} & \text{{otherwise}}"
        return cls(rf"\begin{{cases}} {cases} \end{{cases}}", SUM)

    def in_brackets(self) -> str:
        """Return the text in parentheses of its height; a comparison used as a number in square (Iverson) brackets."""
        left, right = "[]" if self.level == COMPARISON else "()"
        tall = any(command in self.text for command in TALL)
        return rf"\left{left}{self.text}\right{right}" if tall else f"{left}{self.text}{right}"

    @classmethod
    def _between(cls, operator: str, left: str, right: str) -> str:
        r"""Join two operands; factors stand side by side, with a dot before a digit."""
        if operator == "*" and right[0].isdigit():
            return rf"{left} \cdot {right}"
        return super()._between(operator, left, right)

    def __neg__(self) -> Self:
        """Write a minus; that of a fraction may move into its numerator when it is divided again."""
        result = super().__neg__()
        if self.fraction:
            result.fraction = (-self.fraction[0], self.fraction[1])
        return result

    def __truediv__(self, other: Any) -> Self:
        r"""Write a fraction, without one in its numerator: a/b/c is a/(b c), and a/b/b is a/b².

        >>> a, b, c = Latex("a"), Latex("b"), Latex("c")
        >>> print(a / b / c, -(a / b) / b)
        \frac{a}{b c} \frac{-a}{b^{2}}
        """
        upper, lower = self, self.convert(other)
        if self.fraction:
            upper, first = self.fraction
            lower = first**2 if first.text == lower.text and first.level != POWER else first * lower
        result = type(self)(rf"\frac{{{upper.at(SUM)}}}{{{lower.at(SUM)}}}", PRODUCT)
        result.fraction = (upper, lower)
        return result

    def __pow__(self, other: Any) -> Self:
        """Write the exponent as a superscript."""
        return type(self)(f"{self.at(ATOM)}^{{{self.convert(other).at(SUM)}}}", POWER)


def aligned(rows: Sequence[str]) -> str:
    r"""Return rows of LaTeX as one formula, aligned at the & of each row."""
    return r"\begin{aligned} " + r" \\ ".join(rows) + r" \end{aligned}"


@in_plain_words
def to_latex(
    expression: Node | float | Sequence[Node | float],
    *,
    digits: int | None = None,
    name_above: int = NAME_ABOVE,
    limit: int = DEFAULT_LIMIT,
) -> str:
    r"""Return the expression that a graph computes, as LaTeX (math mode, without dollar signs).

    Arguments and errors are those of `to_text`. A sum or dot product of more than four terms is written with \sum if
    its terms differ only in an index, otherwise with dots, as is a product of more than four factors. Several lines are
    put in an `aligned` environment.

    >>> from microgradlib import Symbol, exp, where
    >>> x, w1 = Symbol("x"), Symbol("w1")
    >>> print(to_latex(1 / (1 + exp(-w1 * x)) ** 2))
    \frac{1}{(1 + e^{-w_{1} x})^{2}}
    >>> print(to_latex(where(x > 0, x, 0.1 * x)))
    \begin{cases} x & \text{if } x > 0 \\ 0.1 x & \text{otherwise} \end{cases}
    """
    definitions, results = write_graph(Latex, expression, digits=digits, name_above=name_above, limit=limit)
    if not definitions and len(results) == 1:
        return results[0].text
    return aligned([*[f"{name} &= {text}" for name, text in definitions], *[f"& {text}" for text in results]])

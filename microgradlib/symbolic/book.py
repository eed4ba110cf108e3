"""Formulas as books set them, in plain Unicode text: 1 − z², σ(x), e^x, √x."""

from __future__ import annotations

import math
import re
from functools import reduce
from operator import add, mul
from typing import TYPE_CHECKING, Any, ClassVar

from microgradlib.ops.formula import ATOM, COMPARISON, POWER, SUM, Formula

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from microgradlib.ops import Op

__all__ = ["Book", "is_compound", "is_power"]

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
LETTERS = {"sigma": "σ", "Phi": "Φ", "Gamma": "Γ", "psi": "ψ"}
"""Greek letters, by their command in LaTeX, with which the table of ops names functions."""

_KNOWN_NUMBERS = {math.pi: "π", math.inf: "∞"}

MAX_TERMS = 4
"""Of more terms, factors or arguments, the first two and the last are written."""


class Book(Formula):
    """A formula as books set it: 1 − z², σ(x), e^x, √x, a/b.

    >>> x, z = Book("x"), Book("z")
    >>> print(z * (1 - z), -1 / x**2, Book.sqrt(x + 1), 2 * x, x**-0.5, Book.where(x > 0, 1.0, 0.0), sep="; ")
    z (1 − z); −1/x²; √(x + 1); 2 · x; x^(−0.5); I(x > 0)
    """

    __slots__ = ()
    spelling: ClassVar[dict[str, str]] = {"*": " · ", "/": "/", "<=": " ≤ ", ">=": " ≥ "}

    @classmethod
    def number(cls, number: float, digits: int | None = None) -> Book:
        """Write a number, by default with four digits, or more where fewer would make it a whole number.

        >>> print(Book.number(2.0), Book.number(0.123456), Book.number(0.9999999), Book.number(1.5e-7))
        2 0.1235 0.9999999 1.5 · 10⁻⁷
        """
        if abs(number) in _KNOWN_NUMBERS:
            return cls(f"{'-' * (number < 0)}{_KNOWN_NUMBERS[abs(number)]}")
        text = next(
            text
            for n in range(digits or 4, 18)
            if float(text := f"{number:.{n}g}") == number or digits or not float(text).is_integer()
        )
        mantissa, _, exponent = text.partition("e")
        power = cls(f"10{str(int(exponent)).translate(SUPERSCRIPTS)}", POWER) if exponent else cls("1")
        if exponent and mantissa in {"1", "-1"}:
            return power if mantissa == "1" else -power
        return cls(mantissa) * power if exponent else cls(text)

    @classmethod
    def name(cls, label: str) -> Book:
        """Write a label; one that contains an operator, such as `a + b`, gets parentheses as an operand."""
        return cls(label, COMPARISON if is_compound(label) else ATOM)

    @classmethod
    def function(cls, name: str, inputs: Sequence[Any]) -> Book:
        """Write `name(a, b)`; of more than four inputs the first two and the last."""
        return cls(f"{name}({', '.join(_abbreviated([str(cls.convert(x)) for x in inputs]))})")

    @classmethod
    def call(cls, op: Op, inputs: Sequence[Book]) -> Book:
        """Write an op by its sign, or as a function named as its notation in LaTeX is: σ(x), ln(x), arcsin(x)."""
        sign = _SIGNS.get(op.name)
        if sign:
            return sign(*inputs)
        plain = op.notation if isinstance(op.notation, str) and "<" not in op.notation else ""
        command = re.fullmatch(r"\\(?:operatorname\{)?([A-Za-z]+)\}?(?:_\{(\d+)\})?", plain)
        name = LETTERS.get(command[1], command[1]) + (command[2] or "").translate(SUBSCRIPTS) if command else op.symbol
        shown = inputs[: -len(op.settings)] if op.settings and op.settings == op.defaults else inputs
        return cls.function(name, shown)

    @classmethod
    def total(cls, terms: Sequence[Book]) -> Book:
        """Write a sum; of more than four terms the first two and the last."""
        return reduce(add, terms if len(terms) <= MAX_TERMS else (*terms[:2], cls("…"), terms[-1]))

    @classmethod
    def where(cls, condition: Any, x: Any, y: Any) -> Book:
        """Write a choice: between 1 and 0 as an indicator, between something and 0 as a product with one.

        >>> x = Book("x")
        >>> print(Book.where(x > 0, x, 0.0), "|", Book.where(x > 0, 1.0, 0.01), "|", Book.where(x, 0.0, 1.0))
        I(x > 0) · x | 1 if x > 0, else 0.01 | I(x = 0)
        """
        test, yes, no = cls.convert(condition), cls.convert(x), cls.convert(y)
        if yes.text == no.text:
            return yes
        if test.level != COMPARISON:
            opposite = f"{test.at(SUM)} = 0"
            test = cls(f"{test.at(SUM)} ≠ 0", COMPARISON)
            test.opposite = opposite
        if test.opposite and yes.text == "0":
            test, yes, no = cls(test.opposite, COMPARISON), no, yes
        if no.text != "0":
            return cls.choice(test, yes, no)
        indicator = cls(f"I({test})")
        return indicator if yes.text == "1" else indicator * yes

    @classmethod
    def choice(cls, condition: Book, x: Book, y: Book) -> Book:
        """Write `x if condition, else y`."""
        return cls(f"{x.at(SUM)} if {condition}, else {y.at(SUM)}", COMPARISON)

    @classmethod
    def _between(cls, operator: str, left: str, right: str) -> str:
        """Join two operands; a factor in parentheses needs no dot before it."""
        return f"{left} {right}" if operator == "*" and right[0] == "(" else super()._between(operator, left, right)

    def __pow__(self, other: Any) -> Book:
        """Write a whole exponent as a superscript, ½ as a root, any other one after ^."""
        exponent = self.convert(other)
        if exponent.text == "0.5":
            return _root("√", self)
        if re.fullmatch(r"-?\d+", exponent.text):
            return type(self)(f"{self.at(ATOM)}{exponent.text.translate(SUPERSCRIPTS)}", POWER)
        return type(self)(f"{self.at(ATOM)}^{exponent.at(ATOM)}", POWER)

    def __str__(self) -> str:
        return self.text.replace("-", "−")


def _abbreviated(parts: Sequence[str]) -> Sequence[str]:
    return parts if len(parts) <= MAX_TERMS else (*parts[:2], "…", parts[-1])


def _root(sign: str, x: Book) -> Book:
    return Book(f"{sign}{x.at(ATOM)}", POWER)


def _product(*xs: Book) -> Book:
    return reduce(mul, xs if len(xs) <= MAX_TERMS else (*xs[:2], Book("…"), xs[-1]))


_SIGNS: dict[str, Callable[..., Book]] = {
    "abs": lambda x: Book(f"|{x}|"),
    "cbrt": lambda x: _root("∛", x),
    "ceil": lambda x: Book(f"⌈{x}⌉"),
    "exp": lambda x: Book("e") ** x,
    "exp2": lambda x: Book("2") ** x,
    "expm1": lambda x: Book("e") ** x - 1,
    "floor": lambda x: Book(f"⌊{x}⌋"),
    "floordiv": lambda x, y: Book(f"⌊{x / y}⌋"),
    "lgamma": lambda x: Book(f"ln |Γ({x})|"),
    "log1p": lambda x: Book(f"ln({1 + x})"),
    "mod": lambda x, y: Book(f"{x.at(ATOM)} mod {y.at(ATOM)}", SUM),
    "polygamma": lambda x, order: Book(
        f"ψ⁽{order.text.translate(SUPERSCRIPTS)}⁾({x})" if order.text.isdecimal() else f"ψ^({order})({x})"
    ),
    "prod": _product,
    "reciprocal": lambda x: 1 / x,
    "sqrt": lambda x: _root("√", x),
    "square": lambda x: x**2,
    "xlog1py": lambda x, y: x * Book(f"ln({1 + y})"),
    "xlogy": lambda x, y: x * Book(f"ln({y})"),
}
"""The ops that are not written as functions of their name."""


def is_compound(label: str) -> bool:
    """Return whether a label contains an operator, so that it needs parentheses as an operand.

    >>> is_compound("a + b"), is_compound("layers.0.w"), is_compound("-3")
    (True, False, True)
    """
    return bool(re.search(r"[-+*/<>=·−×÷\s]", label))


def is_power(label: str) -> bool:
    """Return whether a label ends in a superscript, so that it needs parentheses before another one.

    >>> is_power("x_1^(2)"), is_power("h⁽³⁾"), is_power("x1")
    (True, True, False)
    """
    return "^" in label or bool(re.search("[⁰¹²³⁴-⁾]$", label))

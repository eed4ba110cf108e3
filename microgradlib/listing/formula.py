"""Formulas over arrays: sizes, matrix products, transposes, and ops with their derivatives by the op table's rules."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from microgradlib.ops import Op
from microgradlib.ops.formula import ATOM, POWER, PRODUCT, SUM, Formula

__all__ = ["ArrayFormula", "slope"]

CALL = re.compile(r"\w\(|[<>]")
"""What is in a formula that is not arithmetic alone."""


class ArrayFormula(Formula):
    """A formula as factor · body; products and quotients move signs and numbers to the front.

    Args:
        body: the text without its factor; none of a literal number, or of 1 / divisor.
        body_level: the precedence of `body`.
        size: how many numbers it stands for.
        leaves: the names of the arrays in it.
        factor: a number in front, also a negative one.
        divisor: d, if it is a number / d.

    >>> a, b = ArrayFormula("a"), ArrayFormula("b")
    >>> print(-(a + b) * 2 - a / (b * b))
    -2 * (a + b) - a / (b * b)
    """

    __slots__ = ("body", "body_level", "divisor", "factor", "leaves", "size")

    def __init__(
        self,
        body: str,
        body_level: int = ATOM,
        size: int = 1,
        leaves: tuple[str, ...] = (),
        *,
        factor: float = 1.0,
        divisor: ArrayFormula | None = None,
    ) -> None:
        self.body, self.body_level, self.size, self.leaves = body, body_level, size, leaves
        self.factor, self.divisor = factor, divisor
        scale = Formula.number(abs(factor)).text
        text, level = body or scale, body_level
        if divisor is not None:
            text, level = f"{scale} / {divisor.at(POWER)}", PRODUCT
        elif body and scale != "1":
            text, level = f"{scale} * {body if level >= PRODUCT else f'({body})'}", PRODUCT
        if math.copysign(1.0, factor) < 0:
            text, level = (f"-{text}", level) if level > SUM else (f"-({text})", PRODUCT)
        super().__init__(text, level)

    @property
    def literal(self) -> float | None:
        """The number, if it is a literal."""
        return None if self.body or self.divisor else self.factor

    @classmethod
    def number(cls, number: float, digits: int | None = None) -> ArrayFormula:
        """Write a number, whole ones without a point."""
        return cls("", factor=float(Formula.number(number, digits).text))

    @classmethod
    def function(cls, name: str, inputs: Sequence[Any], note: str = "") -> ArrayFormula:
        """Write `name(a, b)`, of the size of the largest input; a `note` is the last thing in the parentheses."""
        formulas = [cls.convert(x) for x in inputs]
        inside = ", ".join([*map(str, formulas), *[note] * bool(note)])
        return cls(f"{name}({inside})", ATOM, max(x.size for x in formulas), _leaves(formulas))

    @classmethod
    def total(cls, terms: Iterable[ArrayFormula]) -> ArrayFormula:
        """Write a sum, equal terms once: t + t as 2 * t.

        >>> print(ArrayFormula.total([ArrayFormula("g"), ArrayFormula("h"), ArrayFormula("g")]))
        2 * g + h
        """
        terms = list(terms)
        counts = Counter(map(str, terms))
        distinct = {str(term): term for term in terms}
        return super().total([counts[text] * term for text, term in distinct.items()] or [cls.number(0.0)])

    @classmethod
    def strong_mul(cls, x: Any, y: Any) -> ArrayFormula:
        """Write a product: where inf meets 0 is not written."""
        return cls.convert(x) * cls.convert(y)

    @classmethod
    def undefined(cls, _x: Any) -> ArrayFormula:
        """Write nan."""
        return cls.number(math.nan)

    @classmethod
    def closed_at_zero(cls, x: Any) -> Any:
        """Return x: where inf meets 0 is not written."""
        return x

    def as_exponent(self) -> str:
        """Return the text as an exponent: numbers, also negative ones, without parentheses."""
        return self.text if self.literal is not None else self.at(ATOM)

    def transposed(self) -> ArrayFormula:
        """Write the transpose; a single number is its own."""
        if self.literal is not None or self.size == 1:
            return self
        bare = self.replaced(factor=1.0)
        double = bare.level == ATOM and bare.text.endswith(".T")
        text = bare.text.removesuffix(".T") if double else f"{bare.at(ATOM)}.T"
        return self.replaced(body=text, body_level=ATOM, divisor=None)

    def replaced(self, **changes: Any) -> ArrayFormula:
        """Return the formula with other arguments."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        return ArrayFormula(**{**fields, **changes})

    def _joined(self, other: ArrayFormula, text: str, level: int) -> ArrayFormula:
        return ArrayFormula(text, level, max(self.size, other.size), _leaves([self, other]))

    def __neg__(self) -> ArrayFormula:
        return self.replaced(factor=-self.factor)

    def __add__(self, other: Any) -> ArrayFormula:
        x, y = self.literal, self.convert(other).literal
        return super().__add__(other) if x is None or y is None else self.number(x + y)

    def __sub__(self, other: Any) -> ArrayFormula:
        return self + -self.convert(other)

    def __mul__(self, other: Any) -> ArrayFormula:
        other = self.convert(other)
        left, right = self.replaced(factor=1.0), other.replaced(factor=1.0)
        if left.literal or right.literal:
            product = right if left.literal else left
        elif right.divisor:
            product = left / right.divisor
        elif left.divisor:
            product = right / left.divisor
        else:
            product = Formula.__mul__(left, right)
        return product.replaced(factor=product.factor * self.factor * other.factor)

    def __truediv__(self, other: Any) -> ArrayFormula:
        other = self.convert(other)
        sign = math.copysign(1.0, other.factor)
        divisor = other.replaced(factor=abs(other.factor))
        if divisor.literal == 1:
            return self.replaced(factor=self.factor * sign)
        if self.literal is not None:
            return ArrayFormula("", ATOM, divisor.size, divisor.leaves, factor=self.factor * sign, divisor=divisor)
        quotient = Formula.__truediv__(self.replaced(factor=1.0), divisor)
        return quotient.replaced(factor=self.factor * sign)

    def __pow__(self, other: Any) -> ArrayFormula:
        exponent = self.convert(other)
        return self if exponent.literal == 1 else super().__pow__(exponent)


def _leaves(formulas: Iterable[ArrayFormula]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([name for formula in formulas for name in formula.leaves]))


def slope(op: Op, index: int, output: ArrayFormula, inputs: Sequence[ArrayFormula]) -> ArrayFormula:
    """Write ∂op/∂(input `index`): by the table's rule if that is arithmetic, else as f'(x), or f'₁(x, y).

    >>> from microgradlib.ops import TABLE
    >>> a, z = ArrayFormula("a"), ArrayFormula("z")
    >>> print(slope(TABLE["pow"].bind(2.0), 0, z, [a]), slope(TABLE["relu"], 0, z, [a]), slope(TABLE["exp"], 0, z, [a]))
    2 * a relu'(a) z
    """
    if isinstance(op.derivatives, tuple):
        rule, names = op.derivatives[index], [ArrayFormula("x")] * (1 + len(inputs))
        if not CALL.search(str(rule(ArrayFormula, *names, *op.settings))):
            return ArrayFormula.convert(rule(ArrayFormula, output, *inputs, *op.settings))
    mark = "'" + "₁₂₃₄₅₆₇₈₉"[index : index + 1] if len(inputs) > 1 else "'"
    settings = () if op.settings == op.defaults else op.settings
    name = op.symbol.replace("′", "'")  # of a slope such as tanh′, whose own slope is tanh''
    return ArrayFormula.function(f"{name}{mark}", (*inputs, *settings))

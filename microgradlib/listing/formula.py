"""Formulas over arrays: sizes, matrix products, transposes, and ops with their derivatives by the op table's rules."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

from microgradlib.ops import TABLE
from microgradlib.ops.formula import ATOM, PRODUCT, SUM, Formula

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from microgradlib.ops import Op

__all__ = ["ArrayFormula", "slope"]

LONG_NUMBER = 8
"""Two numbers are multiplied where the product has no more characters than this."""


class ArrayFormula(Formula):
    """A formula as sign · scale · body; products and quotients move signs and numbers to the front.

    Args:
        body: the text without sign and number.
        body_level: the precedence of `body`.
        size: how many numbers it stands for.
        leaves: the names of the arrays in it.
        negative: whether a minus stands in front.
        plain: whether it consists of arithmetic alone, without function calls.
        literal: the number, if it is a literal.
        divisor: d, if it is 1 / d.
        scale: a positive number in front.

    >>> a, b = ArrayFormula("a"), ArrayFormula("b")
    >>> print(-(a + b) * 2 - a / (b * b))
    -2 * (a + b) - a / (b * b)
    """

    __slots__ = ("body", "body_level", "divisor", "leaves", "literal", "negative", "plain", "scale", "size")

    def __init__(
        self,
        body: str,
        body_level: int = ATOM,
        size: int = 1,
        leaves: tuple[str, ...] = (),
        *,
        negative: bool = False,
        plain: bool = True,
        literal: float | None = None,
        divisor: ArrayFormula | None = None,
        scale: float = 1.0,
    ) -> None:
        self.body, self.body_level, self.size, self.leaves = body, body_level, size, leaves
        self.negative, self.plain, self.literal, self.divisor, self.scale = negative, plain, literal, divisor, scale
        text, level = body, body_level
        if scale != 1:
            text, level = f"{_shortest(scale)} * {body if level >= PRODUCT else f'({body})'}", PRODUCT
        if negative:
            text, level = (f"-{text}", level) if level > SUM else (f"-({text})", PRODUCT)
        super().__init__(text, level)

    @classmethod
    def number(cls, number: float, digits: int | None = None) -> ArrayFormula:
        """Write a number, whole ones without a point."""
        x = float(number)
        return cls(super().number(abs(x), digits).body, negative=math.copysign(1.0, x) < 0, literal=x)

    @classmethod
    def function(cls, name: str, inputs: Sequence[Any], note: str = "") -> ArrayFormula:
        """Write `name(a, b)`, of the size of the largest input; a `note` is the last thing in the parentheses."""
        formulas = [cls.convert(x) for x in inputs]
        leaves, inside = _leaves(formulas), ", ".join([*map(str, formulas), *[note] * bool(note)])
        return cls(f"{name}({inside})", ATOM, max(x.size for x in formulas), leaves, plain=False)

    @classmethod
    def total(cls, terms: Iterable[ArrayFormula]) -> ArrayFormula:
        """Write a sum, equal terms once: t + t as 2 * t.

        >>> print(ArrayFormula.total([ArrayFormula("g"), ArrayFormula("h"), ArrayFormula("g")]))
        2 * g + h
        """
        terms = list(terms)
        counts = Counter(map(str, terms))
        distinct = {str(term): term for term in terms}
        multiples = [term if counts[text] == 1 else counts[text] * term for text, term in distinct.items()]
        return super().total(multiples) if multiples else cls.number(0.0)

    def as_exponent(self) -> str:
        """Return the text as an exponent: numbers, also negative ones, without parentheses."""
        return self.text if self.literal is not None else self.at(ATOM)

    def transposed(self) -> ArrayFormula:
        """Write the transpose; a single number is its own."""
        if self.literal is not None or self.size == 1:
            return self
        bare = self.replaced(negative=False, scale=1.0)
        double = self.body_level == ATOM and self.body.endswith(".T")
        text = self.body.removesuffix(".T") if double else f"{bare.at(ATOM)}.T"
        return self.replaced(body=text, body_level=ATOM, literal=None, divisor=None)

    def replaced(self, **changes: Any) -> ArrayFormula:
        """Return the formula with other arguments."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        return ArrayFormula(**{**fields, **changes})

    def _absolute(self) -> ArrayFormula:
        """Return the formula without its sign."""
        return self.replaced(negative=False, literal=None if self.literal is None else abs(self.literal))

    def _scaled(self) -> ArrayFormula:
        """Return a literal as that many times 1, any other formula as it is."""
        return self if self.literal is None else self.replaced(scale=self.literal, literal=1.0)

    def _joined(self, other: ArrayFormula, text: str, level: int) -> ArrayFormula:
        size, plain = max(self.size, other.size), self.plain and other.plain
        return ArrayFormula(text, level, size, _leaves([self, other]), plain=plain)

    def _infix(self, operator: str, other: Any) -> ArrayFormula:
        result = super()._infix(operator, other)
        result.plain = result.plain and operator not in {"<", "<=", ">", ">="}
        return result

    def __neg__(self) -> ArrayFormula:
        return self.replaced(negative=not self.negative, literal=None if self.literal is None else -self.literal)

    def __sub__(self, other: Any) -> ArrayFormula:
        return self + -self.convert(other)

    def __mul__(self, other: Any) -> ArrayFormula:
        other = self.convert(other)
        left, right = self._absolute()._scaled(), other._absolute()._scaled()
        scale = left.scale * right.scale
        if len(_shortest(scale)) > LONG_NUMBER and 1 not in (left.scale, right.scale):
            scale, whole = right.scale, self._absolute()
            left = ArrayFormula(whole.text, whole.level, whole.size, whole.leaves, plain=whole.plain)
            right = right.replaced(scale=1.0)
        left, right = left.replaced(scale=1.0), right.replaced(scale=1.0)
        if left.literal is not None or right.literal is not None:
            product = right if left.literal is not None else left
        elif right.divisor is not None:
            product = left / right.divisor
        elif left.divisor is not None:
            product = right / left.divisor
        else:
            product = Formula.__mul__(left, right)
        product = self.number(scale) if product.literal is not None else product.replaced(scale=scale)
        return -product if self.negative != other.negative else product

    def __truediv__(self, other: Any) -> ArrayFormula:
        other = self.convert(other)
        left, right = self._absolute(), other._absolute()
        if right.literal == 1:
            quotient = left
        elif left.literal is None and left.scale != 1:
            quotient = (left.replaced(scale=1.0) / right).replaced(scale=left.scale)
        else:
            quotient = Formula.__truediv__(left, right)
            quotient.divisor = right if left.literal == 1 else None
        return -quotient if self.negative != other.negative else quotient

    def __pow__(self, other: Any) -> ArrayFormula:
        exponent = self.convert(other)
        return self if exponent.literal == 1 else super().__pow__(exponent)


def _shortest(x: float) -> str:
    return Formula.number(x).text


def _leaves(formulas: Iterable[ArrayFormula]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([name for formula in formulas for name in formula.leaves]))


class _Rules:
    """The namespace `xp` of the op table's derivative rules, over formulas: functions are written as calls."""

    pow = ArrayFormula.pow
    where = ArrayFormula.where

    def strong_mul(self, x: Any, y: Any) -> ArrayFormula:
        return ArrayFormula.convert(x) * ArrayFormula.convert(y)

    def undefined(self, _x: Any) -> ArrayFormula:
        return ArrayFormula.number(math.nan)

    def closed_at_zero(self, x: Any) -> Any:
        return x

    def pow_slope(self, x: Any, y: Any) -> ArrayFormula:
        return ArrayFormula.convert(TABLE["pow_slope"].notation(ArrayFormula, x, y))  # type: ignore[operator]

    def __getattr__(self, name: str) -> Callable[..., ArrayFormula]:
        return lambda *inputs: ArrayFormula.function(name, inputs)


RULES = _Rules()


def slope(op: Op, index: int, output: ArrayFormula, inputs: Sequence[ArrayFormula]) -> ArrayFormula:
    """Write ∂op/∂(input `index`): by the table's rule if that is arithmetic, else as f'(x), or f'₁(x, y).

    >>> from microgradlib.ops import TABLE
    >>> a, z = ArrayFormula("a"), ArrayFormula("z")
    >>> print(slope(TABLE["pow"].bind(2.0), 0, z, [a]), slope(TABLE["relu"], 0, z, [a]), slope(TABLE["exp"], 0, z, [a]))
    2 * a relu'(a) z
    """
    if isinstance(op.derivatives, tuple):
        arguments = [x.replaced(plain=True) for x in (output, *inputs)]  # only calls that the rule itself adds count
        written = ArrayFormula.convert(op.derivatives[index](RULES, *arguments, *op.settings))
        if written.plain:
            return written
    mark = "'" + "₁₂₃₄₅₆₇₈₉"[index : index + 1] if len(inputs) > 1 else "'"
    settings = () if op.settings == op.defaults else op.settings
    name = op.symbol.replace("′", "'")  # of a slope such as tanh′, whose own slope is tanh''
    return ArrayFormula.function(f"{name}{mark}", (*inputs, *settings))

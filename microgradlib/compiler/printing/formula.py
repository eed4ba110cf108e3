"""A formula as text that knows how tightly it binds, so that operators on it set parentheses."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["ATOM", "Formula", "number", "total"]

LONG_NUMBER = 8
"""Two numbers are multiplied where the product has no more characters than this."""

COMPARISON, SUM, MATRIX, PRODUCT, POWER, ATOM = range(6)


class Formula:
    """A formula: sign, number and text make −2 · text; `level` says how tightly the text binds.

    `size`: how many numbers it stands for. `plain`: whether it is made of arithmetic alone, no function. `literal`: its
    number, if it is one. `divisor`: d, if it is 1 / d.

    >>> a, b = Formula("a"), Formula("b")
    >>> print(-(a + b) * 2 - a / (b * b))
    -2 * (a + b) - a / (b * b)
    """

    __slots__ = ("divisor", "inner", "literal", "negative", "plain", "rest", "scale", "size")

    def __init__(
        self,
        text: str,
        level: int = ATOM,
        size: int = 1,
        *,
        negative: bool = False,
        plain: bool = True,
        literal: float | None = None,
        divisor: Formula | None = None,
        scale: float = 1.0,
    ) -> None:
        self.rest, self.inner, self.size = text, level, size
        self.negative, self.plain, self.literal, self.divisor, self.scale = negative, plain, literal, divisor, scale

    @property
    def text(self) -> str:
        """The text without its sign."""
        if self.scale == 1:
            return self.rest
        rest = self.rest if self.inner >= PRODUCT else f"({self.rest})"
        return f"{_shortest(self.scale)} * {rest}"

    @property
    def level(self) -> int:
        """How tightly the text binds, its number included."""
        return self.inner if self.scale == 1 else min(self.inner, PRODUCT) if self.inner >= PRODUCT else PRODUCT

    def at(self, level: int) -> str:
        """Return the text as an operand that must bind as tightly as `level`."""
        return str(self) if self.level >= level and not self.negative else f"({self})"

    def __str__(self) -> str:
        if not self.negative:
            return self.text
        return f"-{self.text}" if self.level > SUM else f"-({self.text})"

    def _join(self, sign: str, other: Formula, text: tuple[str, str], level: int) -> Formula:
        size, plain = max(self.size, other.size), self.plain and other.plain
        return Formula(f"{text[0]}{sign}{text[1]}", level, size, plain=plain)

    def _with(self, **changes: Any) -> Formula:
        fields = {
            "size": self.size, "negative": self.negative, "plain": self.plain, "literal": self.literal,
            "divisor": self.divisor, "scale": self.scale,
        }  # fmt: skip
        return Formula(self.rest, self.inner, **{**fields, **changes})

    def as_plain(self) -> Formula:
        """Return the same as one that counts as arithmetic."""
        return self._with(plain=True)

    def transposed(self) -> Formula:
        """Write the transpose; of one number there is none."""
        if self.literal is not None or self.size == 1:
            return self
        bare = self._with(negative=False, scale=1.0)
        text = self.rest.removesuffix(".T") if self.inner == ATOM and self.rest.endswith(".T") else f"{bare.at(ATOM)}.T"
        return Formula(text, size=self.size, negative=self.negative, plain=self.plain, scale=self.scale)

    def _positive(self) -> Formula:
        return self._with(negative=False, literal=None if self.literal is None else abs(self.literal))

    def __neg__(self) -> Formula:
        return self._with(negative=not self.negative, literal=None if self.literal is None else -self.literal)

    def _plus(self, other: Formula) -> Formula:
        left = str(self) if self.level >= SUM or self.negative else f"({self})"
        if other.negative:
            return self._join(" - ", other, (left, other._positive().at(MATRIX)), SUM)
        return self._join(" + ", other, (left, other.at(SUM)), SUM)

    def __add__(self, other: Any) -> Formula:
        return self._plus(number(other))

    def __radd__(self, other: Any) -> Formula:
        return number(other).__add__(self)

    def __sub__(self, other: Any) -> Formula:
        return self._plus(-number(other))

    def __rsub__(self, other: Any) -> Formula:
        return number(other).__sub__(self)

    def __mul__(self, other: Any) -> Formula:
        other = number(other)
        negative = self.negative != other.negative
        left, right = self._positive()._numbered(), other._positive()._numbered()
        scale = left.scale * right.scale
        if len(_shortest(scale)) > LONG_NUMBER and 1 not in (left.scale, right.scale):
            scale, whole = right.scale, self._positive()
            left = Formula(whole.text, whole.level, whole.size, plain=whole.plain)
            right = right._with(scale=1.0)
        left, right = left._with(scale=1.0), right._with(scale=1.0)
        if left.literal is not None or right.literal is not None:
            result = right if left.literal is not None else left
        elif right.divisor is not None:
            result = left / right.divisor
        elif left.divisor is not None:
            result = right / left.divisor
        else:
            result = left._join(" * ", right, (left.at(PRODUCT), right.at(PRODUCT)), PRODUCT)
        result = _of_number(scale) if result.literal is not None else result._with(scale=scale)
        return -result if negative else result

    def _numbered(self) -> Formula:
        """Return a number as that many times 1."""
        return self if self.literal is None else self._with(scale=self.literal, literal=1.0)

    def __rmul__(self, other: Any) -> Formula:
        return number(other) * self

    def __truediv__(self, other: Any) -> Formula:
        other = number(other)
        left, right = self._positive(), other._positive()
        if right.literal == 1:
            result = left
        elif left.literal is None and left.scale != 1:
            result = (left._with(scale=1.0) / right)._with(scale=left.scale)
        else:
            result = left._join(" / ", right, (left.at(PRODUCT), right.at(POWER)), PRODUCT)
            result.divisor = right if left.literal == 1 else None
        return -result if self.negative != other.negative else result

    def __rtruediv__(self, other: Any) -> Formula:
        return number(other) / self

    def __pow__(self, other: Any) -> Formula:
        other = number(other)
        if other.literal == 1:
            return self
        exponent = str(other) if other.literal is not None else other.at(ATOM)
        return self._join("**", other, (self.at(ATOM), exponent), POWER)

    def __matmul__(self, other: Formula) -> Formula:
        return self._join(" @ ", other, (self.at(ATOM), other.at(ATOM)), MATRIX)

    def _compared(self, sign: str, other: Any) -> Formula:
        other = number(other)
        result = self._join(f" {sign} ", other, (str(self), str(other)), COMPARISON)
        result.plain = False
        return result

    def __lt__(self, other: Any) -> Formula:
        return self._compared("<", other)

    def __le__(self, other: Any) -> Formula:
        return self._compared("<=", other)

    def __gt__(self, other: Any) -> Formula:
        return self._compared(">", other)

    def __ge__(self, other: Any) -> Formula:
        return self._compared(">=", other)


def number(x: Any) -> Formula:
    """Write a number, whole ones without a point; leave a formula.

    >>> print(number(2.0), number(-0.5), number(1e-05))
    2 -0.5 1e-05
    """
    if isinstance(x, Formula):
        return x
    return _of_number(float(x))


def _of_number(x: float) -> Formula:
    negative = math.copysign(1.0, x) < 0
    return Formula(_shortest(abs(x)), negative=negative, literal=x)


def _shortest(x: float) -> str:
    return repr(x).removesuffix(".0")


def total(terms: Iterable[Formula]) -> Formula:
    """Write a sum, equal terms once: t + t as 2 * t.

    >>> print(total([Formula("g"), Formula("h"), Formula("g")]))
    2 * g + h
    """
    terms = list(terms)
    counts = Counter(map(str, terms))
    result: Formula | None = None
    for term in {str(term): term for term in terms}.values():
        times = counts[str(term)]
        several = times * term if times > 1 else term
        result = several if result is None else result + several
    return number(0.0) if result is None else result

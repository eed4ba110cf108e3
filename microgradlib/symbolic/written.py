"""Written: a piece of mathematics as text that knows how tightly it binds, so that operators on it set parentheses."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Self

    from microgradlib.ops import Op

__all__ = ["ATOM", "COMPARISON", "POWER", "PRODUCT", "SIGN", "SUM", "Written", "write_op"]

COMPARISON, SUM, SIGN, PRODUCT, POWER, ATOM = range(6)
"""How tightly a piece binds. SIGN is a product, or a number, that begins with a minus."""

W = TypeVar("W", bound="Written")


class Written:
    """A piece of mathematics, in one style; the class is also the namespace `xp` that an op's notation is written over.

    `+ - * / **` and `< <= > >=` write themselves, with parentheses only where the operand binds more loosely than its
    place asks for. Sums and products are taken as associative, as in mathematics: a + (b + c) is written a + b + c.

    >>> from microgradlib.symbolic.text import Text
    >>> a, b, c = Text("a"), Text("b"), Text("c")
    >>> print((a + b) * c - (a - b), a + -b * c, -(a + b) / (a * b), sep="; ")
    (a + b)*c - (a - b); a - b*c; -(a + b)/(a*b)
    """

    __slots__ = ("level", "text")
    signs: ClassVar[dict[str, str]]
    truth: ClassVar[frozenset[tuple[str, str]]] = frozenset({("1.0", "0.0"), ("1", "0")})  # of rules, and as written

    def __init__(self, text: str, level: int = ATOM) -> None:
        self.text = text
        self.level = level

    @classmethod
    @abstractmethod
    def number(cls, number: float, digits: int | None = None) -> Self:
        """Write a number: the shortest text that reads back as it, or so many significant digits."""

    @classmethod
    @abstractmethod
    def name(cls, label: str) -> Self:
        """Write the name of a leaf or of a subexpression."""

    @classmethod
    @abstractmethod
    def call(cls, op: Op, inputs: Sequence[Self]) -> Self:
        """Write a function of `inputs`, settings among them."""

    @classmethod
    @abstractmethod
    def total(cls, terms: Sequence[Self]) -> Self:
        """Write a sum of many terms."""

    @classmethod
    @abstractmethod
    def where(cls, condition: Any, x: Any, y: Any) -> Any:
        """Write a choice."""

    @staticmethod
    @abstractmethod
    def brackets(text: str, level: int) -> str:
        """Put what binds as `level` into brackets."""

    @staticmethod
    @abstractmethod
    def product(left: str, right: str) -> str:
        """Write two factors side by side."""

    @abstractmethod
    def over(self, divisor: Self) -> Self:
        """Write a quotient."""

    @abstractmethod
    def raised(self, exponent: Self) -> Self:
        """Write a power."""

    @classmethod
    def written(cls, x: Any) -> Self:
        """Write a number; leave what is written."""
        return x if isinstance(x, cls) else cls.number(x)

    @classmethod
    def pow(cls, base: Any, exponent: Any) -> Self:
        """Write a power."""
        return cls.written(base).raised(cls.written(exponent))

    def at(self, level: int) -> str:
        """Return the text as an operand that must bind at least as tightly as `level`."""
        return self.text if self.level >= level else self.brackets(self.text, self.level)

    def __str__(self) -> str:
        return self.text

    def _signed(self, text: str, level: int) -> Self:
        return type(self)(text, SIGN if text.startswith("-") else level)

    def __add__(self, other: Any) -> Self:
        right = self.written(other)
        if right.level in (SUM, SIGN) and right.text.startswith("-"):
            return type(self)(f"{self.at(SUM)} - {right.text[1:]}", SUM)
        return type(self)(f"{self.at(SUM)} + {right.at(SUM)}", SUM)

    def __radd__(self, other: Any) -> Self:
        return self if other == 0 else self.written(other) + self

    def __sub__(self, other: Any) -> Self:
        return type(self)(f"{self.at(SUM)} - {self.written(other).at(PRODUCT)}", SUM)

    def __rsub__(self, other: Any) -> Self:
        return self.written(other) - self

    def __neg__(self) -> Self:
        return type(self)(f"-{self.at(PRODUCT)}", SIGN)

    def __mul__(self, other: Any) -> Self:
        return self._signed(self.product(self.at(SIGN), self.written(other).at(PRODUCT)), PRODUCT)

    def __rmul__(self, other: Any) -> Self:
        return self.written(other) * self

    def __truediv__(self, other: Any) -> Self:
        return self.over(self.written(other))

    def __rtruediv__(self, other: Any) -> Self:
        return self.written(other).over(self)

    def __pow__(self, other: Any) -> Self:
        return self.raised(self.written(other))

    def __rpow__(self, other: Any) -> Self:
        return self.written(other).raised(self)

    def _compared(self, sign: str, other: Any) -> Self:
        return type(self)(f"{self.at(SUM)} {self.signs.get(sign, sign)} {self.written(other).at(SUM)}", COMPARISON)

    def __lt__(self, other: Any) -> Self:
        return self._compared("<", other)

    def __le__(self, other: Any) -> Self:
        return self._compared("<=", other)

    def __gt__(self, other: Any) -> Self:
        return self._compared(">", other)

    def __ge__(self, other: Any) -> Self:
        return self._compared(">=", other)


def write_op(style: type[W], op: Op, inputs: Sequence[W], digits: int | None = None) -> W:
    """Return op(*inputs) as mathematics: by the op's notation, by its value rule if its symbol is a sign, or as a call.

    >>> from microgradlib.symbolic.text import Text
    >>> from microgradlib.ops import TABLE
    >>> print(write_op(Text, TABLE["dot"], [Text("w"), Text("x"), Text("b")]))
    w*x + b
    """
    arguments = (*inputs, *[style.number(setting, digits) for setting in op.settings])
    rule = op.notation
    if not rule and not any(character.isalnum() for character in op.symbol):
        rule = op.value
    written: W = rule(style, *arguments) if callable(rule) else style.call(op, arguments)
    return written

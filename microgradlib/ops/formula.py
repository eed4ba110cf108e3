"""The writer of formulas: operators set parentheses by precedence, ops are written by their notation.

`Formula` writes plain text. Its subclasses are dialects: `symbolic.text.Text` and `symbolic.latex.Latex` for the graphs
that a user builds, `listing.formula.ArrayFormula` for the listings of compiled programs.
"""

from __future__ import annotations

from functools import reduce
from operator import add, mul
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeVar

from microgradlib.ops.record import TABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from typing_extensions import Self

    from microgradlib.ops.record import Op

__all__ = ["ATOM", "COMPARISON", "MATRIX", "POWER", "PRECEDENCE", "PRODUCT", "SUM", "Formula", "Precedence", "write_op"]

COMPARISON, SUM, MATRIX, PRODUCT, POWER, ATOM = range(6)
"""Levels of precedence, from the operator that binds loosest to what never needs parentheses. MATRIX is `@`."""

F = TypeVar("F", bound="Formula")


class Precedence(NamedTuple):
    """The level of an operator's result, and the lowest levels its operands may have without parentheses."""

    result: int
    left: int
    right: int


PRECEDENCE = {
    **dict.fromkeys(("<", "<=", ">", ">="), Precedence(COMPARISON, SUM, SUM)),
    "+": Precedence(SUM, SUM, SUM),
    "-": Precedence(SUM, SUM, MATRIX),
    "@": Precedence(MATRIX, ATOM, ATOM),
    "*": Precedence(PRODUCT, PRODUCT, PRODUCT),
    "/": Precedence(PRODUCT, PRODUCT, POWER),
    "**": Precedence(POWER, ATOM, POWER),
}
"""Sums and products count as associative, as in mathematics: a + (b + c) is written a + b + c."""


class _Namespace(type):
    """The class of dialects: their attributes include the ops of the table by name, each as a function that writes it.

    So a dialect is a namespace `xp`, as those are over which an op's rules compute.
    """

    def __getattr__(cls, name: str) -> Callable[..., Any]:
        if name not in TABLE:
            raise AttributeError(name)
        dialect: Any = cls
        return lambda *inputs: write_op(dialect, TABLE[name], [dialect.convert(x) for x in inputs])


class Formula(metaclass=_Namespace):
    """A piece of mathematics as text, with the level of its loosest operator; operators on formulas write formulas.

    The class is also the namespace `xp` over which an op's notation is written; ops are functions in it.

    >>> print(1 - Formula.tanh(Formula("x")) ** 2)
    1 - tanh(x)**2

    >>> a, b, c = Formula("a"), Formula("b"), Formula("c")
    >>> print((a + b) * c - (a - b), a + -b * c, -(a + b) / (a * b), (a <= b) * a**2, sep="; ")
    (a + b) * c - (a - b); a - b * c; -(a + b) / (a * b); (a <= b) * a**2
    """

    __slots__ = ("level", "opposite", "text")
    spelling: ClassVar[dict[str, str]] = {"**": "**"}
    """How operators are spelt, if not as the operator between two spaces."""

    def __init__(self, text: str, level: int = ATOM) -> None:
        self.text = text
        self.level = level
        self.opposite = ""  # of a comparison, the text of its negation

    @classmethod
    def number(cls, number: float, digits: int | None = None) -> Self:
        """Write a number, whole ones without a point: the shortest text that reads back as it, or so many digits.

        >>> print(Formula.number(-2.0), Formula.number(0.1), Formula.number(2 / 3, digits=3))
        -2 0.1 0.667
        """
        text = repr(float(number)) if digits is None else format(number, f".{digits}g")
        return cls(text.removesuffix(".0"))

    @classmethod
    def name(cls, label: str) -> Self:
        """Write the name of a leaf or of a subexpression."""
        return cls(label)

    @classmethod
    def convert(cls, x: Any) -> Self:
        """Write a number; return a formula as it is."""
        return x if isinstance(x, cls) else cls.number(x)

    @classmethod
    def function(cls, name: str, inputs: Sequence[Any]) -> Self:
        """Write `name(a, b)`."""
        return cls(f"{name}({', '.join(str(cls.convert(x)) for x in inputs)})")

    @classmethod
    def call(cls, op: Op, inputs: Sequence[Self]) -> Self:
        """Write an op as a function of `inputs`, its settings included; settings at their defaults are left out."""
        shown = inputs[: -len(op.settings)] if op.settings and op.settings == op.defaults else inputs
        return cls.function(op.symbol, shown)

    @classmethod
    def total(cls, terms: Sequence[Self]) -> Self:
        """Write a sum of many terms."""
        return reduce(add, terms)

    @classmethod
    def product(cls, factors: Sequence[Self]) -> Self:
        """Write a product of many factors."""
        return reduce(mul, factors)

    @classmethod
    def where(cls, condition: Any, x: Any, y: Any) -> Self:
        """Write a choice; the number 1 where a comparison holds and 0 elsewhere is the comparison itself.

        A choice of 0 or else of something is turned round: where(x <= 0, 0, y) is written where(x > 0, y, 0).

        >>> x = Formula("x")
        >>> print(Formula.where(x > 0, 1.0, 0.0), Formula.where(x <= 0, 0.0, x))
        x > 0 where(x > 0, x, 0)
        """
        test, yes, no = cls.convert(condition), cls.convert(x), cls.convert(y)
        if yes.text == no.text == "0":
            return no
        if test.opposite and yes.text == "0":
            test, yes, no = cls(test.opposite, COMPARISON), no, yes
        if test.level == COMPARISON and (yes.text, no.text) == ("1", "0"):
            return test
        return cls.choice(test, yes, no)

    @classmethod
    def choice(cls, condition: Self, x: Self, y: Self) -> Self:
        """Write `where(condition, x, y)`."""
        return cls.function("where", (condition, x, y))

    @classmethod
    def pow(cls, base: Any, exponent: Any) -> Self:
        """Write a power."""
        return cls.convert(base) ** cls.convert(exponent)

    def in_brackets(self) -> str:
        """Return the text in parentheses."""
        return f"({self.text})"

    def at(self, level: int, *, leading: bool = False) -> str:
        """Return the text as an operand that binds at least as tightly as `level`, in parentheses if need be.

        A text that begins with a minus is put in parentheses too, except in a sum and where it leads: −a · b.
        """
        hidden_minus = level > SUM and not leading and self.text.startswith("-")
        return self.in_brackets() if self.level < level or hidden_minus else self.text

    def as_exponent(self) -> str:
        """Return the text as an exponent: a power of a power to the right, and a plain negative number, stay bare."""
        bare = self.text.startswith("-") and self.text[1:].replace(".", "", 1).isdecimal()
        return self.text if bare else self.at(PRECEDENCE["**"].right)

    def __str__(self) -> str:
        return self.text

    def _joined(self, other: Self, text: str, level: int) -> Self:
        """Return the formula `text`, made of `self` and `other`; dialects with further attributes derive them here."""
        return type(self)(text, level)

    def _infix(self, operator: str, other: Any) -> Self:
        right = self.convert(other)
        rule = PRECEDENCE[operator]
        operands = self.at(rule.left, leading=rule.left <= PRODUCT), right.at(rule.right)
        return self._joined(right, self._between(operator, *operands), rule.result)

    @classmethod
    def _between(cls, operator: str, left: str, right: str) -> str:
        return f"{left}{cls.spelling.get(operator, f' {operator} ')}{right}"

    def __add__(self, other: Any) -> Self:
        right = self.convert(other)
        if right.level >= SUM and right.text.startswith("-"):
            return self._joined(right, self._between("-", self.at(SUM), right.text[1:]), SUM)
        return self._infix("+", right)

    def __radd__(self, other: Any) -> Self:
        """Return other + self; 0 + x, with which Python's `sum` begins, is x itself."""
        return self if other == 0 else self.convert(other) + self

    def __sub__(self, other: Any) -> Self:
        return self._infix("-", other)

    def __rsub__(self, other: Any) -> Self:
        return self.convert(other) - self

    def __neg__(self) -> Self:
        return type(self)(f"-{self.at(PRODUCT)}", PRODUCT)

    def __mul__(self, other: Any) -> Self:
        return self._infix("*", other)

    def __rmul__(self, other: Any) -> Self:
        return self.convert(other) * self

    def __truediv__(self, other: Any) -> Self:
        return self._infix("/", other)

    def __rtruediv__(self, other: Any) -> Self:
        return self.convert(other) / self

    def __matmul__(self, other: Any) -> Self:
        return self._infix("@", other)

    def __pow__(self, other: Any) -> Self:
        exponent, rule = self.convert(other), PRECEDENCE["**"]
        return self._joined(exponent, self._between("**", self.at(rule.left), exponent.as_exponent()), rule.result)

    def __rpow__(self, other: Any) -> Self:
        return self.convert(other) ** self

    def _comparison(self, sign: str, opposite: str, other: Any) -> Self:
        result = self._infix(sign, other)
        result.opposite = self._infix(opposite, other).text
        return result

    def __lt__(self, other: Any) -> Self:
        return self._comparison("<", ">=", other)

    def __le__(self, other: Any) -> Self:
        return self._comparison("<=", ">", other)

    def __gt__(self, other: Any) -> Self:
        return self._comparison(">", "<=", other)

    def __ge__(self, other: Any) -> Self:
        return self._comparison(">=", "<", other)


def write_op(dialect: type[F], op: Op, inputs: Sequence[F], digits: int | None = None) -> F:
    """Return op(*inputs) as mathematics: by the op's notation, by its value rule if its symbol is a sign, or as a call.

    >>> from microgradlib.ops import TABLE
    >>> print(write_op(Formula, TABLE["dot"], [Formula("w"), Formula("x"), Formula("b")]))
    w * x + b
    """
    arguments = (*inputs, *[dialect.number(setting, digits) for setting in op.settings])
    rule = op.notation
    if not rule and not any(character.isalnum() for character in op.symbol):
        rule = op.value
    written: F = rule(dialect, *arguments) if callable(rule) else dialect.call(op, arguments)
    return written

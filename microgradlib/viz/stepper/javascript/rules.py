"""Write ops as JavaScript: the rules of the op table, run over a namespace that records what they compute.

An op is stated once, in its record. Its rules run here over `Expression`s instead of numbers; each operation becomes
one statement, equal ones are written once. A rule that needs a number while it is written, as one with `if x > 0`,
cannot be, and `UntranslatableError` says so.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from microgradlib.errors import MissingRuleError
from microgradlib.ops import TABLE, ZERO
from microgradlib.viz.stepper.javascript.elementary import BUILT_IN, SPECIAL

if TYPE_CHECKING:
    from collections.abc import Callable

    from microgradlib.ops import Op

__all__ = ["Expression", "UntranslatableError", "function_text", "literal"]


class UntranslatableError(TypeError):
    """A rule that cannot be written as JavaScript, because it uses more than its namespace `xp`."""


def literal(number: float) -> str:
    """Write a number as JavaScript; the structural zero as null, which counts as 0 and differs from it.

    >>> literal(0.5), literal(-0.0), literal(float("-inf")), literal(ZERO)
    ('0.5', '-0', '-Infinity', 'null')
    """
    if number is ZERO:
        return "null"
    number = float(number)
    if not math.isfinite(number):
        return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"
    return repr(number).removesuffix(".0")


class Writer:
    """The body of a function: statements in order, each computed once, and the special functions that they call."""

    def __init__(self) -> None:
        self.statements: list[str] = []
        self.special: dict[str, None] = {}
        self._known: dict[str, str] = {}

    def assign(self, text: str, *, is_condition: bool = False) -> Expression:
        """Return the variable that holds what `text` computes."""
        if text not in self._known:
            self._known[text] = f"t{len(self._known)}"
            self.statements.append(f"{self._known[text]}={text}")
        return Expression(self, self._known[text], is_condition=is_condition)


class Expression:
    """A number that the written function computes; operators write statements.

    It has no truth value, and cannot be compared by == or converted to a float: a rule that does so would have one of
    its branches written and the other lost.
    """

    __slots__ = ("is_condition", "text", "writer")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, writer: Writer, text: str, *, is_condition: bool = False) -> None:
        self.writer, self.text, self.is_condition = writer, text, is_condition

    def _refuse(self, *_: Any) -> NoReturn:
        message = "the rule looks at a number while it is written: write a choice as xp.where(x > 0, a, b)"
        raise UntranslatableError(message)

    __bool__ = __float__ = __int__ = __index__ = __eq__ = __ne__ = _refuse

    def _infix(self, operator: str, left: Any, right: Any, *, is_condition: bool = False) -> Expression:
        return self.writer.assign(f"{_operand(left)}{operator}{_operand(right)}", is_condition=is_condition)

    def __add__(self, other: Any) -> Expression:
        return self._infix("+", self, other)

    def __radd__(self, other: Any) -> Expression:
        return self._infix("+", other, self)

    def __sub__(self, other: Any) -> Expression:
        return self._infix("-", self, other)

    def __rsub__(self, other: Any) -> Expression:
        return self._infix("-", other, self)

    def __mul__(self, other: Any) -> Expression:
        return self._infix("*", self, other)

    def __rmul__(self, other: Any) -> Expression:
        return self._infix("*", other, self)

    def __truediv__(self, other: Any) -> Expression:
        return self._infix("/", self, other)

    def __rtruediv__(self, other: Any) -> Expression:
        return self._infix("/", other, self)

    def __pow__(self, other: Any) -> Expression:
        return Namespace(self.writer).call("pow", self, other)

    def __rpow__(self, other: Any) -> Expression:
        return Namespace(self.writer).call("pow", other, self)

    def __neg__(self) -> Expression:
        return self.writer.assign(f"-{self.text}")

    def __abs__(self) -> Expression:
        return Namespace(self.writer).call("abs", self)

    def __lt__(self, other: Any) -> Expression:
        return self._infix("<", self, other, is_condition=True)

    def __le__(self, other: Any) -> Expression:
        return self._infix("<=", self, other, is_condition=True)

    def __gt__(self, other: Any) -> Expression:
        return self._infix(">", self, other, is_condition=True)

    def __ge__(self, other: Any) -> Expression:
        return self._infix(">=", self, other, is_condition=True)


def _operand(x: Any) -> str:
    if isinstance(x, Expression):
        return x.text
    text = literal(x)
    return f"({text})" if text.startswith("-") else text


class Namespace:
    """The namespace `xp` of rules: elementary functions are called, other ops are written out by their own rules."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def where(self, condition: Any, x: Any, y: Any) -> Any:
        """Return x or y; a condition that is a number holds unless it is 0, so nan holds, as in Python."""
        if not isinstance(condition, Expression):
            return x if condition else y
        test = condition.text if condition.is_condition else f"{condition.text}!==0"
        return self._writer.assign(f"{test}?{_operand(x)}:{_operand(y)}")

    def detach(self, x: Any) -> Any:
        """Return x."""
        return x

    def undefined(self, _x: Any) -> float:
        """Return nan."""
        return math.nan

    def closed_at_zero(self, x: Any) -> Any:
        """Return x, but the structural zero for 0."""
        return self._writer.assign(f"{_operand(x)}===0?null:{_operand(x)}")

    def call(self, name: str, *xs: Any) -> Expression:
        """Return the result of an elementary function."""
        if name in SPECIAL:
            self._writer.special[name] = None
        return self._writer.assign(f"{BUILT_IN.get(name, name)}({','.join(map(_operand, xs))})")

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name in BUILT_IN or name in SPECIAL:
            return partial(self.call, name)
        if name in TABLE and not name.startswith("_"):
            return lambda *xs: TABLE[name].value(self, *xs)
        message = f"JavaScript has no function {name!r}"
        raise AttributeError(message)


def function_text(op: Op, inputs: int) -> tuple[str, tuple[str, ...]]:
    """Return the JavaScript function of an op for this many inputs, and the special functions that it calls.

    The function takes an array of inputs and returns the output and the array of its derivatives by each.

    Raises:
        UntranslatableError: a rule uses more than its namespace, or the op has none.

    >>> from microgradlib.ops import TABLE
    >>> function_text(TABLE["mul"], 2)[0]
    '([x0,x1])=>{const t0=x0*x1;return[t0,[x1,x0]]}'
    >>> function_text(TABLE["relu"], 1)
    ('([x0])=>{const t0=maximum(x0,0),t1=x0>0,t2=x0<=0,t3=t1?1:NaN,t4=t2?null:t3;return[t0,[t4]]}', ('maximum',))
    """
    writer = Writer()
    xp, names = Namespace(writer), [f"x{i}" for i in range(inputs)]
    arguments = [Expression(writer, name) for name in names]
    try:
        output = op.value(xp, *arguments, *op.settings)
        derivatives = op.differentiate(xp, output, *arguments)
        result, slopes = _operand(output), ",".join(map(_operand, derivatives))
    except UntranslatableError as error:
        message = f"{op.name} cannot be written as JavaScript: {error}"
        raise UntranslatableError(message) from None
    except (ArithmeticError, AttributeError, MissingRuleError, TypeError, ValueError) as error:
        message = f"{op.name} cannot be written as JavaScript: {error}"
        raise UntranslatableError(message) from error
    body = f"const {','.join(writer.statements)};" if writer.statements else ""
    return f"([{','.join(names)}])=>{{{body}return[{result},[{slopes}]]}}", tuple(writer.special)

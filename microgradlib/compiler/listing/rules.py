"""Ops and their derivatives as formulas over arrays, by the op table's rules."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from microgradlib.compiler.printing.formula import ArrayFormula
from microgradlib.ops import TABLE
from microgradlib.ops.formula import write_op

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from microgradlib.ops import Op

__all__ = ["applied", "slope"]


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


def applied(op: Op, inputs: Sequence[ArrayFormula]) -> ArrayFormula:
    """Write op(*inputs): an operator between them where the op's symbol is one, else a call.

    >>> from microgradlib.ops import TABLE
    >>> x, y = ArrayFormula("x"), ArrayFormula("y")
    >>> print(applied(TABLE["sub"], [ArrayFormula.number(1.0), x * y]), applied(TABLE["pow"].bind(2.0), [x]))
    1 - x * y x**2
    """
    return write_op(ArrayFormula, op, inputs)


def slope(op: Op, index: int, output: ArrayFormula, inputs: Sequence[ArrayFormula]) -> ArrayFormula:
    """Write ∂op/∂(input `index`): by the table's rule if that is arithmetic, else as f'(x), or f'₁(x, y).

    >>> from microgradlib.ops import TABLE
    >>> a, z = ArrayFormula("a"), ArrayFormula("z")
    >>> print(slope(TABLE["pow"].bind(2.0), 0, z, [a]), slope(TABLE["relu"], 0, z, [a]), slope(TABLE["exp"], 0, z, [a]))
    2 * a relu'(a) z
    """
    if isinstance(op.derivatives, tuple):
        arguments = [x.as_plain() for x in (output, *inputs)]  # only calls that the rule itself adds count
        written = ArrayFormula.convert(op.derivatives[index](RULES, *arguments, *op.settings))
        if written.plain:
            return written
    mark = "'" + "₁₂₃₄₅₆₇₈₉"[index : index + 1] if len(inputs) > 1 else "'"
    settings = () if op.settings == op.defaults else op.settings
    name = op.symbol.replace("′", "'")  # of a slope such as tanh′, whose own slope is tanh''
    return ArrayFormula.function(f"{name}{mark}", (*inputs, *settings))

"""The op table's rules over formulas: what an op computes, and its derivatives, write themselves."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from microgradlib.compiler.printing.formula import Formula, number

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from microgradlib.ops import Op

__all__ = ["applied", "slope"]


class _Rules:
    """The namespace `xp` of the op table's rules, over formulas: functions are written as calls."""

    def pow(self, x: Any, y: Any) -> Formula:
        return number(x).__pow__(y)

    def strong_mul(self, x: Any, y: Any) -> Formula:
        return number(x).__mul__(y)

    def where(self, condition: Any, x: Any, y: Any) -> Formula:
        yes, no = number(x), number(y)
        return number(condition) if (yes.literal, no.literal) == (1, 0) else self._call("where", condition, yes, no)

    def _call(self, name: str, *inputs: Any) -> Formula:
        written = [number(x) for x in inputs]
        return Formula(f"{name}({', '.join(map(str, written))})", size=max(x.size for x in written), plain=False)

    def __getattr__(self, name: str) -> Callable[..., Formula]:
        return partial(self._call, name)


RULES = _Rules()


def _called(op: Op, inputs: Sequence[Formula], mark: str = "") -> Formula:
    settings = () if op.settings == op.defaults else op.settings
    return RULES._call(f"{op.symbol}{mark}", *inputs, *settings)


def applied(op: Op, inputs: Sequence[Formula]) -> Formula:
    """Write op(*inputs): a sign between them where the op's symbol is one, else a call.

    >>> from microgradlib.ops import TABLE
    >>> x, y = Formula("x"), Formula("y")
    >>> print(applied(TABLE["sub"], [number(1.0), x * y]), applied(TABLE["pow"].bind(2.0), [x]))
    1 - x * y x**2
    """
    rule = op.notation if callable(op.notation) else op.value
    sign = not any(character.isalnum() for character in op.symbol)
    if sign or callable(op.notation):
        return number(rule(RULES, *inputs, *op.settings))
    return _called(op, inputs)


def slope(op: Op, index: int, output: Formula, inputs: Sequence[Formula]) -> Formula:
    """Write ∂op/∂(input `index`): by the table's rule if that is arithmetic, else as f'(x), or f'₁(x, y).

    >>> from microgradlib.ops import TABLE
    >>> a, z = Formula("a"), Formula("z")
    >>> print(slope(TABLE["pow"].bind(2.0), 0, z, [a]), slope(TABLE["relu"], 0, z, [a]), slope(TABLE["exp"], 0, z, [a]))
    2 * a relu'(a) z
    """
    if isinstance(op.derivatives, tuple):
        names = [x.as_plain() for x in (output, *inputs)]  # arithmetic on whatever they hold
        written = number(op.derivatives[index](RULES, *names, *op.settings))
        if written.plain:
            return written
    mark = "'" + "₁₂₃₄₅₆₇₈₉"[index : index + 1] if len(inputs) > 1 else "'"
    return _called(op, inputs, mark)

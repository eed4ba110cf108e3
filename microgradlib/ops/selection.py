"""Choices: comparisons, where, max, min, clip, and the functions made of steps."""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any

from microgradlib.ops.define import define_op
from microgradlib.ops.record import GRAPH

if TYPE_CHECKING:
    from collections.abc import Callable

    from microgradlib.ops.record import Op

__all__ = [
    "abs", "ceil", "clip", "detach", "floor", "greater", "greater_equal", "indicator", "less", "less_equal", "maximum",
    "minimum", "sign", "step", "where",
]  # fmt: skip


def indicator(xp: Any, inside: Any, outside: Any) -> Any:
    """Return I(inside): 1 where inside holds, 0 where outside does, nan where neither (one side was nan)."""
    return xp.where(inside, 1.0, xp.where(outside, 0.0, math.nan))


where = define_op(
    "where",
    value=lambda xp, condition, x, y: xp.where(condition, x, y),
    derivatives=[
        lambda xp, z, condition, x, y: 0.0,
        lambda xp, z, condition, x, y: xp.where(condition, 1.0, 0.0),
        lambda xp, z, condition, x, y: xp.where(condition, 0.0, 1.0),
    ],
    formula="x where the condition holds, else y; derivative 1 for the chosen one",
    sample=((1.0, 1.0), (-3.0, 3.0), (-3.0, 3.0)),
    notation=lambda xp, condition, x, y: xp.where(condition, x, y),
)

detach = define_op(
    "detach",
    value=lambda xp, x: xp.detach(x),
    derivatives=[lambda xp, z, x: 0.0],
    formula="x, taken for a constant, derivative 0",
)


def _pick(condition: Any, x: Any, y: Any) -> Any:
    """Choose in a derivative graph: Values are known, so the choice is made; Symbols keep both sides."""
    return where(condition, x, y) if hasattr(condition, "__apply_op__") else (x if condition else y)


GRAPH.where = _pick
GRAPH.detach = lambda x: x.detach() if hasattr(x, "__apply_op__") else x


def _comparison(name: str, symbol: str, holds: Callable[[Any, Any], Any]) -> Op:
    return define_op(
        name,
        value=lambda xp, x, y: xp.where(holds(x, y), 1.0, 0.0),
        derivatives=[lambda xp, z, x, y: 0.0, lambda xp, z, x, y: 0.0],
        formula=f"1 if x {symbol} y, else 0; derivatives 0",
        symbol=symbol,
        kink=operator.eq,
        kink_note="the derivatives of a comparison are 0, at the jump too",
    )


less = _comparison("less", "<", operator.lt)
less_equal = _comparison("less_equal", "<=", operator.le)
greater = _comparison("greater", ">", operator.gt)
greater_equal = _comparison("greater_equal", ">=", operator.ge)

sign = define_op(
    "sign",
    value=lambda xp, x: xp.where(x > 0, 1.0, xp.where(x < 0, -1.0, x * 0.0)),
    derivatives=[lambda xp, z, x: 0.0],
    formula="−1, 0 or 1 as x is negative, zero or positive; derivative 0",
    kink=lambda x: x == 0,
    kink_note="sign′(0) = 0",
    notation=r"\operatorname{sgn}",
)

step = define_op(
    "step",
    value=lambda xp, x: indicator(xp, x >= 0, x < 0),
    derivatives=[lambda xp, z, x: 0.0],
    formula="1 if x ≥ 0, else 0 (the neuron of McCulloch and Pitts); derivative 0",
    kink=lambda x: x == 0,
    kink_note="step′(0) = 0",
)

floor = define_op(
    "floor",
    value=lambda xp, x: xp.floor(x),
    derivatives=[lambda xp, z, x: 0.0],
    formula="the largest whole number ≤ x; derivative 0",
    kink=lambda x: x % 1 == 0,
    kink_note="floor′ is 0 at whole numbers too",
    notation=r"\left\lfloor{<0>}\right\rfloor",
)

ceil = define_op(
    "ceil",
    value=lambda xp, x: xp.ceil(x),
    derivatives=[lambda xp, z, x: 0.0],
    formula="the smallest whole number ≥ x; derivative 0",
    kink=lambda x: x % 1 == 0,
    kink_note="ceil′ is 0 at whole numbers too",
    notation=r"\left\lceil{<0>}\right\rceil",
)

abs = define_op(  # noqa: A001
    "abs",
    value=lambda xp, x: xp.abs(x),
    derivatives=[lambda xp, z, x: xp.sign(x)],
    formula="|x|, derivative sign x",
    kink=lambda x: x == 0,
    kink_note="|x|′(0) = 0",
    notation=r"\left|{<0>}\right|",
)


def _shares(winners: list[Any]) -> tuple[Any, ...]:
    """Return each input's share of the derivative of a max or min: the winners share it equally."""
    count = winners[0]
    for winner in winners[1:]:
        count = count + winner
    return tuple([winner / count for winner in winners])


maximum = define_op(
    "maximum",
    value=lambda xp, *xs: xp.maximum(*xs),
    derivatives=lambda xp, z, *xs: _shares([indicator(xp, x >= z, x < z) for x in xs]),
    formula="the largest input; derivative 1 for it, 0 for the others",
    symbol="max",
    kink=lambda *xs: sum(x == max(xs) for x in xs) > 1,
    kink_note="inputs that tie for the maximum share the derivative equally",
    notation=r"\max",
)

minimum = define_op(
    "minimum",
    value=lambda xp, *xs: xp.minimum(*xs),
    derivatives=lambda xp, z, *xs: _shares([indicator(xp, x <= z, x > z) for x in xs]),
    formula="the smallest input; derivative 1 for it, 0 for the others",
    symbol="min",
    kink=lambda *xs: sum(x == min(xs) for x in xs) > 1,
    kink_note="inputs that tie for the minimum share the derivative equally",
    notation=r"\min",
)

clip = define_op(
    "clip",
    value=lambda xp, x, low, high: xp.minimum(xp.maximum(x, low), high),
    derivatives=[
        lambda xp, z, x, low, high: indicator(xp, x >= low, x < low) * indicator(xp, x <= high, x > high),
        lambda xp, z, x, low, high: indicator(xp, x < low, x >= low),
        lambda xp, z, x, low, high: indicator(xp, x > high, x <= high),
    ],
    formula="min(max(x, low), high); derivative 1 where low ≤ x ≤ high, else 0",
    setting_count=2,
    sample=((-3.0, 3.0), (-2.0, -1.0), (1.0, 2.0)),
    kink=lambda x, low, high: x in (low, high),
    kink_note="clip′ is 1 at both edges",
)

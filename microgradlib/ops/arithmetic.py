"""Arithmetic: the ops behind + − × ÷ **, and the product of the chain rule."""

from typing import Any

from microgradlib.ops.define import define_op
from microgradlib.ops.record import GRAPH

__all__ = ["add", "div", "identity", "mul", "neg", "pow", "strong_mul", "sub"]

add = define_op(
    "add",
    value=lambda xp, x, y: x + y,
    derivatives=[lambda xp, z, x, y: 1.0, lambda xp, z, x, y: 1.0],
    formula="x + y, derivatives 1 and 1",
    symbol="+",
)

identity = define_op(
    "identity",
    value=lambda xp, x: x,
    derivatives=[lambda xp, z, x: 1.0],
    formula="x, derivative 1",
)

sub = define_op(
    "sub",
    value=lambda xp, x, y: x - y,
    derivatives=[lambda xp, z, x, y: 1.0, lambda xp, z, x, y: -1.0],
    formula="x − y, derivatives 1 and −1",
    symbol="-",
)

neg = define_op(
    "neg",
    value=lambda xp, x: -x,
    derivatives=[lambda xp, z, x: -1.0],
    formula="−x, derivative −1",
    symbol="-",
)

mul = define_op(
    "mul",
    value=lambda xp, x, y: x * y,
    derivatives=[lambda xp, z, x, y: y, lambda xp, z, x, y: x],
    formula="x y, derivatives y and x",
    symbol="*",
)

div = define_op(
    "div",
    value=lambda xp, x, y: x / y,
    derivatives=[lambda xp, z, x, y: 1 / y, lambda xp, z, x, y: -z / y],
    formula="x / y, derivatives 1/y and −x/y²",
    symbol="/",
    domain="all numbers; 1/0 is inf and 0/0 is nan",
    sample=((-3.0, 3.0), (0.3, 3.0)),
)

strong_mul = define_op(
    "strong_mul",
    # The zeros are strong, 0·inf = 0·nan = 0: a path with a zero local derivative passes nothing on.
    value=lambda xp, x, y: xp.where(xp.abs(x) <= 0, 0.0, xp.where(xp.abs(y) <= 0, 0.0, x * y)),
    derivatives=[lambda xp, z, x, y: y, lambda xp, z, x, y: x],
    formula="x y with 0·inf = 0·nan = 0 (the product of the chain rule), derivatives y and x",
    symbol="*",
    notation=lambda xp, x, y: x * y,
)

# pow is named for `xp.pow`, where the exponent is any number; `x ** 2` becomes pow bound to 2.
pow = define_op(  # noqa: A001
    "pow",
    value=lambda xp, x, y: xp.pow(x, y),
    derivatives=[
        lambda xp, z, x, y: xp.strong_mul(y, xp.pow(x, y - 1)),  # strong: x⁰ is flat at 0 and at inf too
        lambda xp, z, x, y: xp.where(xp.abs(x) <= 0, xp.where(y >= 0, 0.0, z * xp.log(x)), xp.strong_mul(z, xp.log(x))),
    ],
    formula="x^y, derivatives y x^(y−1) and x^y ln x",
    symbol="**",
    setting_count=1,
    domain="x > 0, any y; x = 0 with its limits; x < 0 with whole y (elsewhere nan)",
    sample=((0.3, 3.0), (-2.0, 3.0)),
    kink=lambda x, y: x == 0 and y == 0,
    kink_note="both derivatives of x^y are 0 at (0, 0), and x⁰ has derivative 0 everywhere",
)


def _chain_product(x: Any, y: Any) -> Any:
    """Multiply in a derivative graph: a literal 0 ends the path, a literal 1 needs no node."""
    for literal, other in ((x, y), (y, x)):
        if isinstance(literal, float) and literal in (0.0, 1.0):
            return other if literal else 0.0
    return strong_mul(x, y)


def _power(x: Any, y: Any) -> Any:
    """Raise to a power in a derivative graph: x¹ is x and x⁰ is 1."""
    if isinstance(y, float) and y in (0.0, 1.0):
        return x if y else 1.0
    return pow(x, y)


GRAPH.strong_mul = _chain_product
GRAPH.pow = _power

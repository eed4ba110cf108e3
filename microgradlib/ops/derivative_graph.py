"""The ops that derivative graphs need: identity, detach, and the product of the chain rule."""

from typing import Any

from microgradlib.ops.arithmetic import pow as power
from microgradlib.ops.define import define_op
from microgradlib.ops.dispatch import is_node
from microgradlib.ops.record import GRAPH

__all__ = ["detach", "identity", "strong_mul"]

identity = define_op(
    "identity",
    value=lambda xp, x: x,
    derivatives=[lambda xp, z, x: 1.0],
    formula="x, derivative 1",
    reference=lambda mp, x: x,
)

detach = define_op(
    "detach",
    value=lambda xp, x: xp.detach(x),
    derivatives=[lambda xp, z, x: 0.0],
    formula="x as a constant, derivative 0",
    reference=lambda mp, x: x,
)

strong_mul = define_op(
    "strong_mul",
    # 0·inf = 0·nan = 0: a path with a local derivative of 0 contributes 0.
    value=lambda xp, x, y: xp.where(xp.abs(x) <= 0, 0.0, xp.where(xp.abs(y) <= 0, 0.0, x * y)),
    derivatives=[lambda xp, z, x, y: y, lambda xp, z, x, y: x],
    formula="x y with 0·inf = 0·nan = 0 (the product of the chain rule), derivatives y and x",
    symbol="*",
    notation=lambda xp, x, y: x * y,
    reference=lambda mp, x, y: x * y,
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
    return power(x, y)


GRAPH.strong_mul = _chain_product
GRAPH.pow = _power
GRAPH.detach = lambda x: x.detach() if is_node(x) else x

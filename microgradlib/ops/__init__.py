"""The op table: every operation once, as a record of its value and local derivatives.

`PUBLIC` holds the ops that the package exports as functions under their names.
"""

from microgradlib.ops import (
    activations,
    arithmetic,
    derivative_graph,
    exponential,
    reductions,
    selection,
    trigonometric,
)
from microgradlib.ops.define import define_op, forget_op
from microgradlib.ops.record import GRAPH, TABLE, Op

__all__ = [
    "GRAPH", "PUBLIC", "TABLE", "Op", "activations", "arithmetic", "define_op", "derivative_graph", "exponential",
    "forget_op", "reductions", "selection", "trigonometric",
]  # fmt: skip

PUBLIC: dict[str, Op] = {
    name: thing
    for module in (arithmetic, exponential, trigonometric, activations, selection)
    for name, thing in vars(module).items()
    if isinstance(thing, Op) and not thing.variadic
}

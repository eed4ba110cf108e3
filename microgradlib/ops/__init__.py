"""The op table: every operation once, as a record of its value and local derivatives.

`PUBLIC` holds the ops that the package exports as functions under their names. `ops.accuracy` has the largest errors of
each op's value and derivatives.
"""

from microgradlib.ops import (
    accuracy,
    activations,
    arithmetic,
    derivative_graph,
    exponential,
    guards,
    log_functions,
    reductions,
    rounding,
    selection,
    slopes,
    smooth_activations,
    softmax,
    trigonometric,
)
from microgradlib.ops.define import define_op, forget_op
from microgradlib.ops.record import GRAPH, TABLE, Op
from microgradlib.ops.rules import ZERO

__all__ = [
    "GRAPH", "PUBLIC", "TABLE", "ZERO", "Op", "accuracy", "activations", "arithmetic", "define_op", "derivative_graph",
    "exponential", "forget_op", "guards", "log_functions", "reductions", "rounding", "selection", "slopes",
    "smooth_activations", "softmax", "trigonometric",
]  # fmt: skip

_MODULES = (
    arithmetic, exponential, log_functions, trigonometric, activations, smooth_activations, selection, rounding,
)  # fmt: skip
PUBLIC: dict[str, Op] = {
    name: thing
    for module in _MODULES
    for name, thing in vars(module).items()
    if isinstance(thing, Op) and not thing.variadic
}

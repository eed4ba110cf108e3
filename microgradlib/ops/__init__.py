"""The op table: every operation once, as a record of its value and local derivatives."""

from microgradlib.ops import activations, arithmetic, exponential, reductions, selection, trigonometric
from microgradlib.ops.define import define_op, forget_op
from microgradlib.ops.record import GRAPH, TABLE, Op

__all__ = [
    "GRAPH", "TABLE", "Op", "activations", "arithmetic", "define_op", "exponential", "forget_op", "reductions",
    "selection", "trigonometric",
]  # fmt: skip

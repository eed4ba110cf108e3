"""Bound the rounding error of a recorded computation by backpropagation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from microgradlib.core.autodiff import grad_table
from microgradlib.core.modes import recording
from microgradlib.core.value import Value
from microgradlib.numeric.branch_changes import Recording
from microgradlib.numeric.differences import EPSILON, SMALLEST
from microgradlib.ops import GRAPH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.ops import Op

__all__ = ["op_rounding_error", "rounding_error"]


def rounding_error(recorded: Recording, *, inside_ops: bool = False) -> float:
    """Return a bound on the rounding error of a recorded output: Σ |∂output/∂u| · ε (|u| + Σ |parent · ∂u/∂parent|).

    Every node's inputs have relative error ε, and so has its own rounding; backpropagation carries these errors to the
    output (S. Linnainmaa, *BIT* 16 (1976) 146–160). `inside_ops` adds the rounding inside ops whose value rule has
    several operations. Terms that are nan or infinite are left out, so that the bound stays finite.

    >>> from microgradlib.numeric.branch_changes import record
    >>> cancelling = record(lambda x: (x + 1e8) - 1e8, [0.3])
    >>> 1e-8 < rounding_error(cancelling) < 1e-6
    True
    """
    total = abs(recorded.output.data)
    inner = 0.0
    for node, gradient in recorded.table.items():
        sizes = [node.data, *[parent.data * local for parent, local in zip(node.parents, node.local_derivatives)]]
        total += sum(abs(size * gradient) for size in sizes if math.isfinite(size * gradient))
        if inside_ops and node.op is not None and math.isfinite(gradient):
            inner += abs(gradient) * op_rounding_error(node.op, [parent.data for parent in node.parents])
    return EPSILON * total + SMALLEST * len(recorded.table) + inner


def op_rounding_error(op: Op, at: Sequence[float]) -> float:
    """Return a bound on the rounding inside an op's value rule; 0 if the rule is a single function.

    The rule is evaluated over Values; the bound is that of the graph that it builds.

    >>> from microgradlib.ops.reductions import logsumexp
    >>> op_rounding_error(logsumexp, [-30.0, 0.0]) > 1e-16
    True
    """
    inputs: list[Any] = [Value(x) for x in at]
    with recording():
        output = op.value(GRAPH, *inputs, *op.settings)
    if not isinstance(output, Value) or output.op is None or output.op.name == op.name:
        return 0.0
    error = rounding_error(Recording(inputs, output, grad_table(output)))
    return error if math.isfinite(error) else 0.0

"""Bound the rounding error of a recorded computation by backpropagation."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from microgradlib.core.autodiff import grad_table
from microgradlib.core.hand_made import HandMadeOp
from microgradlib.core.modes import recording
from microgradlib.core.symbol import Symbol
from microgradlib.core.value import Value
from microgradlib.numeric.branch_changes import Recording
from microgradlib.numeric.extrapolation import EPSILON, SMALLEST
from microgradlib.ops import GRAPH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.ops import Op

__all__ = ["errors_inside_ops", "op_rounding_error", "rounding_error"]

_IMPRECISE = frozenset({"gamma", "lgamma", "polygamma"})  # near a zero, their error is not relative to their value
_RELATIVE = 64 * EPSILON  # larger relative errors belong to a zero of the op, not to the op
_COUNT = 3  # of the inputs with which an op of any number of inputs is examined


def rounding_error(
    recorded: Recording, *, of_inputs: bool = False, inside: Sequence[tuple[float, float]] | None = None
) -> float:
    """Return a bound on the rounding error of a recorded output: Σ |∂output/∂u| · (rounding error of u itself).

    A node's own rounding error is ε|u|, and for an op whose value rule has several operations that of the rule
    (`op_rounding_error`). The inputs are exact; other leaves may have been computed. Backpropagation carries the errors
    to the output (S. Linnainmaa, *BIT* 16 (1976) 146–160). Terms that are nan or infinite are left out. `of_inputs`
    adds ε Σ |parent · ∂u/∂parent| to every node, for comparisons with other implementations of the same ops. `inside`
    has the errors inside the op of each node, by default `errors_inside_ops(recorded)`.

    >>> from microgradlib.numeric.branch_changes import record
    >>> cancelling = record(lambda x: (x + 1e8) - 1e8, [0.3])
    >>> 1e-9 < rounding_error(cancelling) < 1e-6
    True
    """
    total = SMALLEST * len(recorded.table)
    exact = set(recorded.inputs)
    for (node, gradient), inner in zip(recorded.table.items(), inside or errors_inside_ops(recorded)):
        if gradient and (of_inputs or node not in exact):
            error = EPSILON * abs(node.data) + max(inner[0], inner[1] * abs(node.data))
            if of_inputs or (node.op is not None and node.op.name in _IMPRECISE):
                sizes = [parent.data * local for parent, local in zip(node.parents, node.local_derivatives)]
                error += EPSILON * sum(abs(size) for size in sizes if math.isfinite(size))
            product = abs(gradient) * error
            total += product if math.isfinite(product) else 0.0
    return total + EPSILON * abs(recorded.output.data)


def errors_inside_ops(recorded: Recording) -> list[tuple[float, float]]:
    """Return `op_rounding_error` for each node, as it is and relative to the node's value, there at most `_RELATIVE`.

    >>> from microgradlib import softplus
    >>> from microgradlib.numeric.branch_changes import record
    >>> [error > 0 for error, _ in errors_inside_ops(record(lambda x: 2 * softplus(x), [0.5]))]
    [False, False, True, False]
    """
    errors = []
    for node in recorded.table:
        error = 0.0
        if node.op is not None and not _is_elementary(node.op):
            error = op_rounding_error(node.op, [parent.data for parent in node.parents])
        errors.append((error, min(error / abs(node.data) if node.data else math.inf, _RELATIVE) if error else 0.0))
    return errors


def op_rounding_error(op: Op, at: Sequence[float]) -> float:
    """Return a bound on the rounding inside an op's value rule; 0 if the rule is a single function.

    The rule is evaluated over Values; the bound is that of the graph that it builds.

    >>> from microgradlib.ops import TABLE
    >>> 1e-17 < op_rounding_error(TABLE["softplus"], [1.0]) < 1e-14
    True
    """
    if _is_elementary(op):
        return 0.0
    inputs: list[Any] = [Value(x) for x in at]
    with recording():
        output = op.value(GRAPH, *inputs, *op.settings)
    if not isinstance(output, Value) or output.op is None:
        return 0.0
    error = rounding_error(Recording(inputs, output, grad_table(output)))
    return error if math.isfinite(error) else 0.0


@lru_cache(maxsize=1024)
def _is_elementary(op: Op) -> bool:
    """Return whether the op's value rule is one function of the namespace, or one operation, or unknown."""
    if isinstance(op, HandMadeOp):
        return True
    symbols: list[Any] = [Symbol(f"x{i}") for i in range(_COUNT if op.arity is None else op.arity)]
    output = op.value(GRAPH, *symbols, *op.settings)
    return getattr(output, "op", None) is None or output.op.name == op.name

"""Reductions: ops of any number of inputs along the last axis of a tensor."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from microgradlib.compiler.numpy_functions import numpy
from microgradlib.interop.onnx.graph import DOMAIN, Body, Tensor
from microgradlib.ops import Op

__all__ = ["reduced"]


def reduced(body: Body, op: Op, inputs: Sequence[Tensor], terms: int) -> Tensor:
    """Return the op along the last axis of the inputs, which has `terms` numbers and becomes 1.

    Sum, mean and product are nodes of ONNX; others are a function of the model. Of the inputs of `dot` and
    `cross_entropy` the first are the weights.
    """
    if op.name in NODES:
        return _along(body, NODES[op.name], inputs[0])
    rule = RULES.get(op.name) if len(inputs) == PAIRS.get(op.name, 1) else None
    form = "reduce" if rule else f"reduce {terms}"
    name = body.functions.named(op, form, len(inputs), rule or partial(_by_terms, op, terms))
    return body.node(name, *inputs, domain=DOMAIN)


NODES: Final = {"sum": "ReduceSum", "mean": "ReduceMean", "prod": "ReduceProd"}
PAIRS: Final = {"dot": 2, "cross_entropy": 2}


def _along(body: Body, kind: str, x: Any) -> Tensor:
    return body.node(kind, x, numpy().array([-1], dtype="int64"), keepdims=1)


def _by_terms(op: Op, terms: int, xp: Any, *inputs: Any) -> Any:
    """Write the op's own rule over the terms, one by one."""
    parts = [xp.body.node("Gather", x, numpy().array([k]), axis=-1) for x in inputs for k in range(terms)]
    return op.value(xp, *parts, *op.settings)


def _extreme(kind: str, xp: Any, x: Any) -> Any:
    """Return the largest or smallest number, nan if there is one, which the node skips."""
    is_number = xp.where(xp.abs(x) >= 0, 1.0, 0.0)
    is_all = _along(xp.body, "ReduceSum", 1 - is_number) <= 0
    return xp.where(is_all, _along(xp.body, kind, xp.where(is_number, x, 0.0)), math.nan)


def _deviations(xp: Any, x: Any) -> Any:
    moved = x - xp.body.node("Gather", x, numpy().array([0]), axis=-1)  # a common offset costs no digits
    return moved - _along(xp.body, "ReduceMean", moved)


def _norm(xp: Any, x: Any) -> Any:
    """Return the largest |x| times the norm of all divided by it, without overflow; inf beside nan too."""
    a = xp.abs(x)
    top = _extreme("ReduceMax", xp, a)
    part = a / top
    length = xp.where(top <= 0, 0.0, top * xp.sqrt(_along(xp.body, "ReduceSum", part * part)))
    is_infinite = _along(xp.body, "ReduceSum", xp.where(a >= math.inf, 1.0, 0.0)) > 0
    return xp.where(is_infinite, math.inf, length)


def _root_mean_square(xp: Any, x: Any) -> Any:
    """Return √(Σ xᵢ²/n) without overflow, nan where one is nan, though another may be infinite, as `std` does."""
    return _norm(xp, x) / xp.sqrt(_length(xp, x)) + 0.0 * _along(xp.body, "ReduceSum", x)


def _log_total(xp: Any, x: Any) -> tuple[Any, Any]:
    """Return a shift m and ln Σ exp(x − m), as `ops.softmax.log_total` does. ReduceLogSumExp errs where x₁ is −inf."""
    top = _extreme("ReduceMax", xp, x)
    m = xp.where(xp.abs(top) < math.inf, top, 0.0)
    ones = xp.where(x >= m, 1.0, 0.0)
    rest = _along(xp.body, "ReduceSum", xp.exp(x - m) - ones)
    return m, xp.log1p(rest + (_along(xp.body, "ReduceSum", ones) - 1))


def _log_sum(xp: Any, x: Any) -> Any:
    m, logarithm = _log_total(xp, x)
    return m + logarithm


def _neg_log_of_first(xp: Any, x: Any) -> Any:
    m, logarithm = _log_total(xp, x)
    return (m - xp.body.node("Gather", x, numpy().array([0]), axis=-1)) + logarithm


def _cross_entropy(xp: Any, w: Any, z: Any) -> Any:
    """Return Σ w (m − z) + Σ w · ln Σ exp(z − m), 0 for a class without weight, whatever its z."""
    m, logarithm = _log_total(xp, z)
    each = xp.where(xp.abs(w) <= 0, 0.0, w * (m - z))
    total = _along(xp.body, "ReduceSum", w)
    return _along(xp.body, "ReduceSum", each) + xp.where(xp.abs(total) <= 0, 0.0, total * logarithm)


RULES: Final[dict[str, Callable[..., Any]]] = {
    "dot": lambda xp, w, x: _along(xp.body, "ReduceSum", w * x),
    "maximum": partial(_extreme, "ReduceMax"),
    "minimum": partial(_extreme, "ReduceMin"),
    "var": lambda xp, x: _along(xp.body, "ReduceMean", _deviations(xp, x) * _deviations(xp, x)),
    "std": lambda xp, x: _root_mean_square(xp, _deviations(xp, x)),
    "norm": _norm,
    "cross_entropy": _cross_entropy,
    "logsumexp": _log_sum,
    "neg_log_softmax": _neg_log_of_first,
}
"""The functions of common ops on tensors, in place of the rule term by term."""


def _length(xp: Any, x: Any) -> Any:
    """Return how many terms there are."""
    return _along(xp.body, "ReduceSum", xp.where(xp.abs(x) >= 0, 1.0, 1.0))

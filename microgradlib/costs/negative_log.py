"""−ln of a probability, exact where the probability itself rounds to 0 or 1."""

from __future__ import annotations

from typing import Any

from microgradlib._support.shown import shown
from microgradlib.core.value import Value
from microgradlib.ops import activations, arithmetic, exponential, reductions, softmax

__all__ = ["is_softmax_output", "negative_log", "negative_log_complement"]

TOLERANCE = 1e-9
"""The largest rounding error by which a probability may lie outside [0, 1]."""


def negative_log(p: Any) -> Any:
    """Return −ln p, computed as ζ(−a) for p = σ(a), and from the net inputs of softmax for p = eᵘ/v, as it computes p.

    The op and the parents of p identify these two cases; the result is then exact even where p is rounded: −ln σ(−1000)
    is 1000, although σ(−1000) rounds to 0. Under `no_grad()` nodes have no parents, and −ln p is computed from the
    rounded p; costs that take logits have no such limit. Raises `ValueError` for a number outside [0, 1].

    >>> from microgradlib import Value, sigmoid
    >>> negative_log(sigmoid(Value(-1000.0))).data, negative_log(0.5)
    (1000.0, 0.6931471805599453)
    """
    op = getattr(p, "op", None)
    if op is activations.sigmoid:
        return activations.softplus(-p.parents[0])
    if op is arithmetic.div and p.parents[0].op is exponential.exp:
        return _neg_log_of_share(*p.parents)
    return -exponential.log(_checked(p))


def is_softmax_output(p: Any) -> bool:
    """Return whether p was computed by `softmax`, as eᵘ/v with v = Σ eᵘ.

    >>> from microgradlib import Value, softmax
    >>> [is_softmax_output(p) for p in (softmax([Value(1.0), Value(2.0)])[0], Value(0.5), 0.5)]
    [True, False, False]
    """
    if getattr(p, "op", None) is not arithmetic.div or p.parents[0].op is not exponential.exp:
        return False
    return _others(*p.parents) is not None


def _others(numerator: Any, denominator: Any) -> list[Any] | None:
    """Return the exponentials eᵘ beside the numerator, one of them, whose sum is the denominator; None if it is not."""
    exponentials = denominator.parents if denominator.op is reductions.sum else ()
    others = [e for e in exponentials if e is not numerator]
    is_softmax = len(others) == len(exponentials) - 1 and all(e.op is exponential.exp for e in exponentials)
    return others if is_softmax else None


def _neg_log_of_share(numerator: Any, denominator: Any) -> Any:
    """Return −ln(eᵘ/v), which for v = Σ eᵘ with this eᵘ among them is −ln softmax(u)."""
    others = _others(numerator, denominator)
    if others is not None:
        return softmax.neg_log_softmax(numerator.parents[0], *[e.parents[0] for e in others])
    return exponential.log(denominator) - numerator.parents[0]


def negative_log_complement(p: Any) -> Any:
    """Return −ln(1 − p), computed as ζ(a) for p = σ(a). Raises `ValueError` for a number outside [0, 1].

    >>> from microgradlib import Value, sigmoid
    >>> negative_log_complement(sigmoid(Value(1000.0))).data
    1000.0
    """
    if getattr(p, "op", None) is activations.sigmoid:
        return activations.softplus(p.parents[0])
    return -exponential.log1p(-_checked(p))


def _checked(p: Any) -> Any:
    """Return p. Raises `ValueError` for a number outside [0, 1]; nan and Symbols are returned unchecked."""
    number = p._float if isinstance(p, Value) else p
    if isinstance(number, float) and not -TOLERANCE <= number <= 1 + TOLERANCE and number == number:  # noqa: PLR0124
        message = f"a probability must be between 0 and 1, got {shown(number)}; for logits use a cost of logits"
        raise ValueError(message)
    return p

"""−ln of a probability, through the op that made it: exact where the probability itself rounds to 0 or 1."""

from __future__ import annotations

from typing import Any

from microgradlib.core.value import Value
from microgradlib.ops import activations, arithmetic, exponential

__all__ = ["surprise", "surprise_of_complement"]

TOLERANCE = 1e-9
"""How far rounding may carry a probability out of [0, 1]."""


def surprise(p: Any) -> Any:
    """Return −ln p. Of a p = σ(a) it is ζ(−a), and of a p = eᵘ/v, as softmax makes it, ln v − u.

    A node knows how it was made, so nothing is lost: −ln σ(−1000) is 1000, though σ(−1000) rounds to 0. (Under
    `no_grad()` nodes do not know, and p is taken as it is. A cost of logits needs no such help.)

    >>> from microgradlib import Value, sigmoid
    >>> surprise(sigmoid(Value(-1000.0))).data, surprise(0.5)
    (1000.0, 0.6931471805599453)
    """
    op = getattr(p, "op", None)
    if op is activations.sigmoid:
        return activations.softplus(-p.parents[0])
    if op is arithmetic.div and p.parents[0].op is exponential.exp:
        numerator, denominator = p.parents
        return exponential.log(denominator) - numerator.parents[0]
    return -exponential.log(_checked(p))


def surprise_of_complement(p: Any) -> Any:
    """Return −ln(1 − p). Of a p = σ(a) it is ζ(a).

    >>> from microgradlib import Value, sigmoid
    >>> surprise_of_complement(sigmoid(Value(1000.0))).data
    1000.0
    """
    if getattr(p, "op", None) is activations.sigmoid:
        return activations.softplus(p.parents[0])
    return -exponential.log1p(-_checked(p))


def _checked(p: Any) -> Any:
    number = p._data if isinstance(p, Value) else p
    if isinstance(number, float) and not -TOLERANCE <= number <= 1 + TOLERANCE and number == number:  # noqa: PLR0124
        message = f"a probability lies between 0 and 1, got {number!r}; for logits take the cost of logits"
        raise ValueError(message)
    return p

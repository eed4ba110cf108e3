"""Softmax of a list and its logarithm, whose slopes keep their digits where a probability is near 1."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, overload

from microgradlib._support.floats import FLOATS
from microgradlib._support.number import as_operand
from microgradlib.core.list_functions import some_numbers
from microgradlib.core.modes import is_compiling
from microgradlib.core.value import Value
from microgradlib.ops import GRAPH, reductions, selection
from microgradlib.ops.dispatch import is_node
from microgradlib.ops.softmax import neg_log_softmax

if TYPE_CHECKING:
    from microgradlib.core.list_functions import Floats, Symbols, Untyped, Values
    from microgradlib.core.symbol import Symbol

__all__ = ["log_softmax", "softmax"]

FEW_CLASSES = 8
"""Up to so many numbers whose largest is not known yet, `log_softmax` makes n nodes of n parents: compiled, these are
the quicker."""


@overload
def softmax(xs: Untyped) -> list[Any]: ...
@overload
def softmax(xs: Floats) -> list[float]: ...
@overload
def softmax(xs: Values) -> list[Value]: ...
@overload
def softmax(xs: Symbols) -> list[Symbol]: ...
def softmax(xs: Any) -> Any:
    """Return exp(xᵢ)/Σⱼ exp(xⱼ) for each i: probabilities, without overflow. Raises `ValueError` for no numbers.

    The largest x is subtracted first, which changes nothing but the range. Of numbers and Values it is known which that
    is, and its exponential is the constant 1: so its slope p(1 − p) keeps its digits where p is near 1. Of Symbols, and
    compiled, the largest is subtracted as a constant, and this slope is exact to 1e-16 only.

    >>> softmax([1000, 1000])
    [0.5, 0.5]
    """
    numbers = [as_operand(x) for x in some_numbers(xs, "softmax")]
    k = _largest(numbers)
    if k is None:
        shift = GRAPH.detach(reductions.maximum(*numbers))
        moved = [x - shift for x in numbers]
    else:
        moved = _less(numbers, k)
    exponentials = [GRAPH.exp(x) for x in moved]
    total = reductions.sum(*exponentials)
    return [GRAPH.div(e, total) for e in exponentials]


@overload
def log_softmax(xs: Untyped) -> list[Any]: ...
@overload
def log_softmax(xs: Floats) -> list[float]: ...
@overload
def log_softmax(xs: Values) -> list[Value]: ...
@overload
def log_softmax(xs: Symbols) -> list[Symbol]: ...
def log_softmax(xs: Any) -> Any:
    """Return xᵢ − ln Σⱼ exp(xⱼ) for each i: the logarithms of softmax, without overflow.

    They keep their digits where a probability is near 1, and so do their slopes, compiled too: the largest x, if it is
    the only one, is subtracted from the others and becomes the constant 0.

    >>> log_softmax([0, 1000])
    [-1000.0, 0.0]
    """
    numbers = [as_operand(x) for x in some_numbers(xs, "log_softmax")]
    k = _largest(numbers)
    if k is not None:
        moved = _less(numbers, k)
    elif len(numbers) <= FEW_CLASSES:
        return [0.0 - neg_log_softmax(numbers[i], *numbers[:i], *numbers[i + 1 :]) for i in range(len(numbers))]
    else:
        moved = _less_the_largest(numbers)
    total = reductions.logsumexp(*moved)
    return [x - total for x in moved]


def _largest(numbers: list[Any]) -> int | None:
    """Return the index of the largest of several numbers; None if it is infinite or nan, or not known yet."""
    nodes = [kind for kind in set(map(type, numbers)) if hasattr(kind, "__apply_op__")]
    if len(numbers) == 1 or is_compiling() or not all(issubclass(kind, Value) for kind in nodes):
        return None
    floats = [x._float if isinstance(x, Value) else x for x in numbers]
    largest = FLOATS.maximum(*floats)
    return floats.index(largest) if math.isfinite(largest) else None


def _less(numbers: list[Any], k: int) -> list[Any]:
    """Return each number less the k-th, which becomes the constant 0: its slope is that of the differences alone."""
    top = numbers[k]
    zero = Value(0.0) if any(map(is_node, numbers)) else 0.0
    return [*[x - top for x in numbers[:k]], zero, *[x - top for x in numbers[k + 1 :]]]


def _less_the_largest(numbers: list[Any]) -> list[Any]:
    """Return the same for the largest number, while it is not known which that is; of several equal ones, none is 0.

    These are subtracted as a constant: they have probabilities of at most ½, whose slopes lose no digits.
    """
    top = reductions.maximum(*numbers)
    shift = GRAPH.detach(top)
    is_only_one = selection.less(reductions.sum(*[selection.greater_equal(x, shift) for x in numbers]), 1.5)
    top = selection.where(is_only_one, top, shift)
    limit = selection.where(is_only_one, shift, math.inf)
    return [selection.less(x, limit) * (x - top) for x in numbers]

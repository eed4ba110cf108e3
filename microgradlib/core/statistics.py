"""Variance and standard deviation of a list of numbers, as single nodes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, overload

from microgradlib._support.calling import in_plain_words
from microgradlib._support.checks import non_negative
from microgradlib.core.list_functions import some_numbers
from microgradlib.ops import arithmetic, reductions

if TYPE_CHECKING:
    from microgradlib.core.list_functions import Floats, Symbols, Untyped, Values
    from microgradlib.core.symbol import Symbol
    from microgradlib.core.value import Value

__all__ = ["std", "var"]


@overload
def var(xs: Untyped, *, correction: float = 0.0) -> Any: ...
@overload
def var(xs: Floats, *, correction: float = 0.0) -> float: ...
@overload
def var(xs: Values, *, correction: float = 0.0) -> Value: ...
@overload
def var(xs: Symbols, *, correction: float = 0.0) -> Symbol: ...
@in_plain_words
def var(xs: Any, *, correction: float = 0.0) -> Any:
    """Return Σ (xᵢ − x̄)²/(n − c), the variance of n numbers, as one node (times n/(n − c) if there is a correction).

    `correction` is c: 0, as in NumPy, JAX and the array API standard, for the mean square deviation, which estimates a
    Gaussian's variance with the largest likelihood; 1 for the unbiased estimate, which is PyTorch's default. A common
    offset of the numbers costs no digits. The derivatives are 2(xᵢ − x̄)/(n − c). Raises `ValueError` for no numbers, or
    no more of them than c.

    >>> var([1, 2, 3, 4]), var([1e15 + 1, 1e15 + 2], correction=1)
    (1.25, 0.5)
    """
    return _corrected(reductions.var, xs, correction)


@overload
def std(xs: Untyped, *, correction: float = 0.0) -> Any: ...
@overload
def std(xs: Floats, *, correction: float = 0.0) -> float: ...
@overload
def std(xs: Values, *, correction: float = 0.0) -> Value: ...
@overload
def std(xs: Symbols, *, correction: float = 0.0) -> Symbol: ...
@in_plain_words
def std(xs: Any, *, correction: float = 0.0) -> Any:
    """Return √(Σ (xᵢ − x̄)²/(n − c)), the standard deviation, without over- or underflow of the squares.

    `correction` is c, and the errors are those, of `var`. Where all numbers are equal, its derivatives are 0, as in
    PyTorch.

    >>> std([1e200, 3e200]), std([3.0, 5.0], correction=1)
    (1e+200, 1.4142135623730951)
    """
    return _corrected(reductions.std, xs, correction)


def _corrected(op: Any, xs: Any, correction: float) -> Any:
    numbers, c = some_numbers(xs, op.name), non_negative(correction, "correction", example=1)
    n = len(numbers)
    if n <= c:
        message = f"{op.name} with correction {c:g} needs more than {c:g} numbers, got {n}"
        raise ValueError(message)
    result = op(*numbers)
    if not c:
        return result
    factor = n / (n - c)
    return arithmetic.mul(result, factor if op is reductions.var else math.sqrt(factor))

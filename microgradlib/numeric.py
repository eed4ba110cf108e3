"""Numeric differentiation: central differences with an estimate of their error, to check backpropagation by."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from microgradlib.modes import no_grad
from microgradlib.number import as_float

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["NumericDerivative", "numeric_derivative", "numeric_gradient"]

_SHRINK = 2.0  # each step is half the one before
_STEPS = 10
_EPSILON = 2.0**-52


@dataclass(frozen=True)
class NumericDerivative:
    """A derivative found by differences: its value, an estimate of its error, and the first step taken."""

    value: float
    error: float
    step: float


def numeric_derivative(f: Callable[[float], Any], x: float) -> NumericDerivative:
    """Return f′(x) by central differences, extrapolated to step 0 (Ridders' method).

    (f(x + h) − f(x − h)) / 2h is off by O(h²) for a smooth f, and by rounding of the order of ε|f|/h. Halving h again
    and again and extrapolating h² → 0 (Richardson) removes the first term by term; the tableau's best entry is the one
    whose neighbours differ least, and that difference, together with the rounding, is the error reported.
    C. J. F. Ridders, *Advances in Engineering Software* 4 (1982) 75–76.

    >>> slope = numeric_derivative(lambda x: x**3, 2.0)
    >>> abs(slope.value - 12.0) <= slope.error < 1e-6
    True
    """
    h = first = 0.1 * max(abs(x), 1.0)
    previous: list[float] = []
    best, error = math.nan, math.inf
    for _ in range(_STEPS):
        above, below = _number(f(x + h)), _number(f(x - h))
        step = ((x + h) - (x - h)) / 2  # what was really stepped, after rounding
        rounding = _EPSILON * (abs(above) + abs(below)) / step
        row = [(above - below) / (2 * step)]
        for k, coarser in enumerate(previous, start=1):
            factor = _SHRINK ** (2 * k)
            row.append((factor * row[-1] - coarser) / (factor - 1))
            spread = max(abs(row[-1] - row[-2]), abs(row[-1] - coarser)) + rounding
            if spread < error:
                best, error = row[-1], spread
        previous = row
        h /= _SHRINK
    return NumericDerivative(best, error, first)


def numeric_gradient(f: Callable[..., Any], xs: Sequence[float]) -> list[float]:
    """Return ∂f/∂xᵢ of f(*xs) for each i by `numeric_derivative`: 2·10 evaluations of f for each argument.

    For W arguments that is O(W) evaluations, so O(W²) work where backpropagation needs O(W): this is for checking. f
    may return a float or a Value and is called with floats, without recording.

    >>> [round(slope, 9) for slope in numeric_gradient(lambda x, y: x * x * y, [3.0, 2.0])]
    [12.0, 9.0]
    """
    point = [as_float(x) for x in xs]

    def along(i: int) -> Callable[[float], Any]:
        return lambda x: f(*point[:i], x, *point[i + 1 :])

    with no_grad():
        return [numeric_derivative(along(i), x).value for i, x in enumerate(point)]


def _number(result: Any) -> float:
    return float(result.data) if hasattr(result, "__apply_op__") else as_float(result)

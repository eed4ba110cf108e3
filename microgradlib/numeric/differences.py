"""Numeric differentiation: extrapolated central differences with an estimate of their error."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from microgradlib._support.number import as_float
from microgradlib.core.modes import no_grad

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = [
    "EPSILON", "SMALLEST", "NumericDerivative", "estimate_noise", "extrapolate", "numeric_derivative",
    "numeric_derivatives", "numeric_gradient", "power_of_two",
]  # fmt: skip

EPSILON = 2.0**-52
"""The distance from 1 to the next float."""

SMALLEST = 2.0**-1074
"""The distance from 0 to the next float."""

_SHRINK = 4.0  # each step is a quarter of the one before
_STEPS = 24
_FACTORS = [(_SHRINK ** (2 * k), _SHRINK ** (2 * k) - 1) for k in range(1, _STEPS)]  # Richardson's, column by column
_CONVERGED = 1e-6  # below this relative error, the tableau ends as soon as rounding exceeds the error
_SIGNIFICANT = 0.02  # below this relative error, a derivative is more than rounding errors
_TINY = 1e-6  # steps for smaller arguments are relative to their own size
_SMALL = 1e-3  # for smaller arguments a second sequence of steps starts at their own size
_DOMAIN_ERRORS = (ArithmeticError, ValueError)  # f may raise these outside its domain, as math.log(-1) does


@dataclass(frozen=True)
class NumericDerivative:
    """A derivative by differences: its value, an estimate of its error, the largest step used for it.

    If no step is usable, for example because f is nan on one side of x, the value is nan and the error inf.
    """

    value: float
    error: float
    step: float

    @property
    def relative_error(self) -> float:
        """The error divided by |value|; inf if the value is 0 or not finite."""
        return self.error / abs(self.value) if self.value and math.isfinite(self.value) else math.inf


def numeric_derivative(f: Callable[[float], Any], x: float) -> NumericDerivative:
    """Return f′(x) by central differences, extrapolated to step 0 (Ridders' method), with an estimate of the error.

    (f(x + h) − f(x − h)) / 2h has a truncation error of O(h²) for a smooth f, and a rounding error of about ε|f|/h.
    Extrapolating a sequence of decreasing h to h² → 0 (Richardson) removes the truncation error term by term. The best
    entry of the tableau is the one that differs least from its neighbours; that difference plus the rounding error is
    the reported error. The rounding error of f is estimated from |f| and from fourth differences of f over very short
    steps, which also reveal cancellation within f. Steps that leave f's domain, where f is nan, infinite or raises, are
    skipped.
    C. J. F. Ridders, *Advances in Engineering Software* 4 (1982) 75–76.

    >>> slope = numeric_derivative(lambda x: x**3, 2.0)
    >>> abs(slope.value - 12.0) <= slope.error < 1e-10
    True
    """
    x = as_float(x)
    _as_number(f(x))  # errors at x itself are not caught

    def number_or_nan(at: float) -> float:
        try:
            return _as_number(f(at))
        except _DOMAIN_ERRORS:
            return math.nan

    def with_noise(scale: float) -> Callable[[float], tuple[float, float]]:
        noise = estimate_noise(number_or_nan, x, *_noise_steps(scale)) + SMALLEST

        def evaluate(at: float) -> tuple[float, float]:
            result = number_or_nan(at)
            return result, max(EPSILON * abs(result), noise)

        return evaluate

    # Over steps of the size of a tiny x, f may not change at all: its rounding over wide steps is estimated apart.
    own_scale = with_noise(abs(x)) if 0 < abs(x) < _TINY else None
    return extrapolate(with_noise(max(abs(x), 1.0)), x, own_scale=own_scale)


def numeric_derivatives(f: Callable[..., Any], xs: Sequence[float]) -> list[NumericDerivative]:
    """Return ∂f/∂xᵢ of f(*xs) for each i, each with its estimated error: `numeric_derivative` along each argument.

    For n arguments this takes O(n) evaluations of f, where backpropagation takes one: it is meant for checking. f may
    return a float or a Value and is called with floats, without recording.

    >>> by_x, by_y = numeric_derivatives(lambda x, y: x * x * y, [3.0, 2.0])
    >>> abs(by_x.value - 12.0) <= by_x.error, abs(by_y.value - 9.0) <= by_y.error
    (True, True)
    """
    point = [as_float(x) for x in xs]

    def along(i: int) -> Callable[[float], Any]:
        return lambda x: f(*point[:i], x, *point[i + 1 :])

    with no_grad():
        return [numeric_derivative(along(i), x) for i, x in enumerate(point)]


def numeric_gradient(f: Callable[..., Any], xs: Sequence[float]) -> list[float]:
    """Return ∂f/∂xᵢ of f(*xs) for each i, as floats; `numeric_derivatives` also returns their estimated errors.

    >>> [round(slope, 9) for slope in numeric_gradient(lambda x, y: x * x * y, [3.0, 2.0])]
    [12.0, 9.0]
    """
    return [derivative.value for derivative in numeric_derivatives(f, xs)]


def extrapolate(
    evaluate: Callable[[float], tuple[float, float]],
    x: float,
    widest: float | None = None,
    own_scale: Callable[[float], tuple[float, float]] | None = None,
) -> NumericDerivative:
    """Return the derivative at x of a function given as x ↦ (value, bound on the rounding error of that value).

    `widest` is the first step, by default about max(|x|, 1)/16; where that gives no small error and x is small, a
    second sequence starts at |x|/16, with the bounds of `own_scale` if it is given. Steps at which the value is nan are
    not used. The entry of the tableau with the smallest relative error is returned, since entries of wide steps can
    have a small absolute error by chance, as on both sides of a pole; if no relative error is small, as for a
    derivative of 0, the entry with the smallest absolute error.
    """
    results = _tableau(evaluate, x, widest or power_of_two(max(abs(x), 1.0) / 16))
    enough = _CONVERGED / 1000 if own_scale else _CONVERGED
    if widest is None and 0 < abs(x) < _SMALL and min(r.relative_error for r in results) > enough:
        results += _tableau(own_scale or evaluate, x, power_of_two(abs(x) / 16))
    best_relative = min(results, key=lambda result: result.relative_error)
    if best_relative.relative_error < _SIGNIFICANT:
        return best_relative
    return min(results, key=lambda result: result.error)


def power_of_two(number: float) -> float:
    """Return the largest power of two ≤ number, for number > 0; as a step it causes little rounding in x ± h.

    >>> power_of_two(0.1)
    0.0625
    """
    return math.ldexp(1.0, math.frexp(number)[1] - 1)


def _tableau(evaluate: Callable[[float], tuple[float, float]], x: float, h: float) -> list[NumericDerivative]:
    """Return two entries of Ridders' tableau for first step h: that of least relative, and of least absolute error."""
    best_relative = best_absolute = (math.nan, math.inf, h)  # tuples, for speed: hundreds of entries are compared
    least_relative = math.inf
    slopes: list[float] = []
    for _ in range(_STEPS):
        (above, noise_above), (below, noise_below) = evaluate(x + h), evaluate(x - h)
        width = (x + h) - (x - h)  # twice the step, after rounding
        if not width:
            break
        rounding = (noise_above + noise_below) / width
        value, widest = (above - below) / width, h
        row = [value]
        for (factor, divisor), coarser in zip(_FACTORS, slopes):
            previous, value = value, (factor * value - coarser) / divisor
            row.append(value)
            error = max(abs(value - previous), abs(value - coarser)) + rounding
            widest *= _SHRINK
            if error < best_absolute[1]:
                best_absolute = (value, error, widest)
            if 0.0 < abs(value) < math.inf and error / abs(value) < least_relative:
                best_relative, least_relative = (value, error, widest), error / abs(value)
        if least_relative < _CONVERGED and rounding > best_relative[1]:
            break  # a smaller step only adds rounding
        slopes = row if math.isfinite(row[0]) else []
        h /= _SHRINK
    return [NumericDerivative(*best_relative), NumericDerivative(*best_absolute)]


def _noise_steps(scale: float) -> tuple[float, float, float]:
    """Return the steps by which to estimate rounding near a number of this size."""
    step = power_of_two(scale) * 2.0**-36
    return step, 181 / 256 * step, 155 / 256 * step


def estimate_noise(number: Callable[[float], float], x: float, *steps: float) -> float:
    """Estimate the rounding error of a function near x, by fourth differences over steps so short that it is linear.

    Independent errors of size σ give fourth differences of variance 70 σ² (Hamming's difference table). The default
    steps are 2⁻³⁶ of x or of 1, and 181/256 and 155/256 of that. The largest estimate is returned: over a single step
    the function may change by an exact multiple of its rounding unit, which hides the error.
    """
    noise = 0.0
    for step in steps or _noise_steps(abs(x) if 0 < abs(x) < _TINY else max(abs(x), 1.0)):
        differences = [number(x + i * step) for i in range(-4, 5)]
        for _ in range(4):
            differences = [b - a for a, b in pairwise(differences)]
        noise = max(noise, 2 * math.hypot(*differences) / math.sqrt(len(differences) * 70))
    return noise if math.isfinite(noise) else 0.0


def _as_number(result: Any) -> float:
    return float(result.data) if hasattr(result, "__apply_op__") else as_float(result)

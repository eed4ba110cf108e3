"""Numeric differentiation: extrapolated differences with an estimate of their error, and plain ones of a given step."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, overload

from microgradlib._support.calling import AS_ARGUMENTS, call, check_function, in_plain_words, returned
from microgradlib._support.checks import positive
from microgradlib._support.number import as_point, is_one_number, number_at
from microgradlib._support.shown import shown
from microgradlib.core.modes import no_grad
from microgradlib.numeric.extrapolation import EPSILON, NumericDerivative, extrapolate, power_of_two
from microgradlib.numeric.hidden_oscillation import narrowest_wave
from microgradlib.numeric.noise import Noise

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Literal, TypeAlias

    Method: TypeAlias = Literal["central", "forward", "backward"]

__all__ = ["numeric_derivative", "numeric_derivatives", "numeric_gradient"]

_TINY = 1e-6  # for smaller arguments, rounding over steps of their own size is estimated apart
_SIDES = {"central": 0, "forward": 1, "backward": -1}
_DOMAIN_ERRORS = (ArithmeticError, ValueError)  # f may raise these outside its domain, as math.log(-1) does


@in_plain_words
def numeric_derivative(f: Callable[[float], Any], x: float, method: Method = "central") -> NumericDerivative:
    """Return f′(x) by differences, extrapolated to step 0 (Ridders' method), with an estimate of the error.

    (f(x + h) − f(x − h)) / 2h has a truncation error of O(h²) for a smooth f, and a rounding error of about ε|f|/h.
    Extrapolating a sequence of decreasing h to h² → 0 (Richardson) removes the truncation error term by term. The best
    entry of the tableau is the one that differs least from its neighbours; that difference plus the rounding error is
    the reported error. The rounding error of f is estimated from |f| and from fourth differences of f over very short
    steps, which also reveal cancellation within f. Steps that leave f's domain, where f is nan, infinite or raises, are
    skipped. Quotients over finer steps must confirm the result: where f oscillates so fast that wide steps skip whole
    periods, only fine steps are used, and where f changes irregularly from float to float the error is inf. At a kink
    the value is the mean of both one-sided derivatives, and the error at least half of their `gap`. An oscillation of
    less than about 64 rounding errors of f cannot be distinguished from rounding: beyond 2²⁴ the error is inf if f has
    one nearer to 0, where floats are denser; `gradcheck` knows the graph.

    `method` is "central", "forward" for the derivative to the right, by (f(x + h) − f(x)) / h, or "backward" for that
    to the left, by (f(x) − f(x − h)) / h. Raises `ValueError` for another one, and what f raises at x itself.
    C. J. F. Ridders, *Advances in Engineering Software* 4 (1982) 75–76.

    >>> slope = numeric_derivative(lambda x: x**3, 2.0)
    >>> abs(slope.value - 12.0) <= slope.error < 1e-10
    True
    >>> numeric_derivative(abs, 0.0).gap, numeric_derivative(abs, 0.0, "forward").value
    (2.0, 1.0)
    """
    check_function(f)
    x, side = number_at(x), _side(method)
    number_of(f, call(f, AS_ARGUMENTS, x))  # errors at x itself are not caught

    def number_or_nan(at: float) -> float:
        try:
            return number_of(f, f(at))
        except _DOMAIN_ERRORS:
            return math.nan

    def with_noise(bound: float) -> Callable[[float], tuple[float, float]]:
        def evaluate(at: float) -> tuple[float, float]:
            result = number_or_nan(at)
            return result, max(EPSILON * abs(result), bound)

        return evaluate

    noise = Noise(number_or_nan, x, max(abs(x), 1.0))
    rounding = noise.bound if noise.kind == "rounding" else 0.0
    wave = 0.0 if noise.kind == "irregular" else narrowest_wave(number_or_nan, x, rounding)
    if not wave:
        return NumericDerivative(math.nan, math.inf, 0.0)
    # Over steps of the size of a tiny x, f may not change at all: its rounding over wide steps is estimated apart.
    own_scale = with_noise(Noise(number_or_nan, x, abs(x)).bound) if 0 < abs(x) < _TINY else None
    if noise.kind == "oscillation":
        widest = min(noise.widest, power_of_two(wave / 16)) if wave < math.inf else noise.widest
        return extrapolate(with_noise(noise.least), x, side=side, widest=widest)
    return extrapolate(with_noise(noise.bound), x, side=side, own_scale=own_scale)


@overload
def numeric_derivatives(f: Callable[..., Any], xs: float, method: Method = ...) -> NumericDerivative: ...
@overload
def numeric_derivatives(
    f: Callable[..., Any], xs: Sequence[float], method: Method = ...
) -> list[NumericDerivative]: ...
@in_plain_words
def numeric_derivatives(f: Callable[..., Any], xs: Any, method: Method = "central") -> Any:
    """Return ∂f/∂xᵢ of f(*xs) for each i, each with its estimated error: `numeric_derivative` along each argument.

    One number for xs gives one derivative.

    For n arguments this takes O(n) evaluations of f, where backpropagation takes one: it is meant for checking. f may
    return a float or a Value and is called with floats, without recording.

    >>> by_x, by_y = numeric_derivatives(lambda x, y: x * x * y, [3.0, 2.0])
    >>> abs(by_x.value - 12.0) <= by_x.error, abs(by_y.value - 9.0) <= by_y.error
    (True, True)
    """
    check_function(f)
    point = as_point(xs)
    with no_grad():
        derivatives = [numeric_derivative(_along(f, point, i), x, method) for i, x in enumerate(point)]
    return derivatives[0] if is_one_number(xs) else derivatives


@overload
def numeric_gradient(f: Callable[..., Any], xs: float, method: Method = ..., step: float | None = ...) -> float: ...
@overload
def numeric_gradient(
    f: Callable[..., Any], xs: Sequence[float], method: Method = ..., step: float | None = ...
) -> list[float]: ...
@in_plain_words
def numeric_gradient(f: Callable[..., Any], xs: Any, method: Method = "central", step: float | None = None) -> Any:
    """Return ∂f/∂xᵢ of f(*xs) for each i, as floats, by differences; f′(x) as one float if xs is one number.

    Without `step` they are extrapolated to step 0; `numeric_derivatives` also returns their estimated errors. With a
    `step` ε > 0 they are the plain quotients of numerical analysis, whose error over ε a figure can show: it falls with
    ε until rounding, of about 10⁻¹⁶|f|/ε, takes over.

        central   (f(x + ε) − f(x − ε)) / 2ε   truncation error O(ε²)
        forward   (f(x + ε) − f(x)) / ε        truncation error O(ε)
        backward  (f(x) − f(x − ε)) / ε        truncation error O(ε)

    Raises `ValueError` for another method, or a step that is not a finite number > 0.

    >>> [round(slope, 9) for slope in numeric_gradient(lambda x, y: x * x * y, [3.0, 2.0])]
    [12.0, 9.0]
    >>> [numeric_gradient(lambda x: x * x, [3.0], method, 0.5) for method in ("central", "forward", "backward")]
    [[6.0], [6.5], [5.5]]
    >>> numeric_gradient(lambda x: x * x, 3.0, step=0.5)
    6.0
    """
    check_function(f)
    point, side = as_point(xs), _side(method)
    if step is None:
        slopes = [derivative.value for derivative in numeric_derivatives(f, point, method)]
        return slopes[0] if is_one_number(xs) else slopes
    epsilon = positive(step, "step", reason="or None to extrapolate to step 0", example=1e-6)
    with no_grad():
        quotients = [_quotient(_along(f, point, i), x, side, epsilon) for i, x in enumerate(point)]
    return quotients[0] if is_one_number(xs) else quotients


def _quotient(f: Callable[[float], float], x: float, side: int, step: float) -> float:
    above = f(x + step if side >= 0 else x)
    below = f(x - step if side <= 0 else x)
    return (above - below) / (step if side else 2 * step)


def _side(method: str) -> int:
    if not isinstance(method, str) or method not in _SIDES:
        message = f"method is 'central', 'forward' or 'backward', got {shown(method)}"
        raise ValueError(message)
    return _SIDES[method]


def _along(f: Callable[..., Any], point: Sequence[float], i: int) -> Callable[[float], float]:
    return lambda x: number_of(f, call(f, AS_ARGUMENTS, *point[:i], x, *point[i + 1 :]))


def number_of(f: Callable[..., Any], result: Any) -> float:
    """Return what f returned, a number or a node, as a float. Raises `TypeError` that names f for anything else."""
    return result if result.__class__ is float else returned(f, [result], number_at)[0]

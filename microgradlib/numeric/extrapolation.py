"""Difference quotients extrapolated to step 0, with an error estimate that quotients over finer steps must confirm."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from microgradlib._support import display
from microgradlib._support.calling import in_plain_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Evaluate = Callable[[float], tuple[float, float]]

__all__ = ["EPSILON", "SMALLEST", "NumericDerivative", "extrapolate", "power_of_two"]

EPSILON = 2.0**-52
"""The distance from 1 to the next float."""

SMALLEST = 2.0**-1074
"""The distance from 0 to the next float."""

_SHRINK = 4.0  # each step is a quarter of the one before
_STEPS = 24
_PROBE_SHRINK = 64.0  # the finer steps that must confirm a result are this much apart
_CONVERGED = 1e-6  # below this relative error, the tableau ends as soon as rounding exceeds the error
_SIGNIFICANT = 0.02  # below this relative error, a derivative is more than rounding errors
_SMALL = 1e-3  # for smaller arguments a second sequence of steps starts at their own size
_FINEST = 2.0**-56  # no finer step is probed, unless x is as small
_SURE = 4.0  # a quotient contradicts a result from which it differs by this multiple of its rounding error
_SURE_CLOSE = 8.0  # the same over a few floats, where rounding errors are no random numbers
_GAP = 0.1  # a gap between one-sided derivatives counts if it is known to this relative error
_GROWING = 4  # quotients that grow over so many steps are followed in strides
_STRIDE = 2.0**16
_RESOLUTION = 64.0  # a function that changes irregularly over so many floats cannot be differentiated numerically


@in_plain_words
@dataclass(frozen=True)
class NumericDerivative(display.ShowsItself):
    """A derivative by differences: its value, an estimate of its error, the largest step used for it.

    If no step is usable, for example because f is nan around x, the value is nan and the error inf. The error is also
    inf if f changes so irregularly from float to float that no difference says anything about its derivative. `gap` is
    the derivative to the right minus that to the left where they differ, at a kink; the value is then their mean, and
    the error at least half of the gap. Elsewhere it is 0.
    """

    value: float
    error: float
    step: float
    gap: float = 0.0

    @property
    def relative_error(self) -> float:
        """The error divided by |value|; inf if the value is 0 or not finite."""
        return self.error / abs(self.value) if self.value and math.isfinite(self.value) else math.inf


class _Quotient(NamedTuple):
    """A difference quotient over one step, a bound on its rounding error, and the gap between the one-sided ones."""

    step: float
    slope: float
    rounding: float
    gap: float
    gap_rounding: float


class _Entry(NamedTuple):
    """An entry of Ridders' tableau: the extrapolated slope, its error, the widest and the finest step in it."""

    value: float
    error: float
    widest: float
    finest: float


def power_of_two(number: float) -> float:
    """Return the largest power of two ≤ number, for number > 0; as a step it causes little rounding in x ± h.

    >>> power_of_two(0.1)
    0.0625
    """
    return math.ldexp(1.0, math.frexp(number)[1] - 1)


def extrapolate(
    evaluate: Evaluate,
    x: float,
    *,
    side: int = 0,
    widest: float | None = None,
    own_scale: Evaluate | None = None,
) -> NumericDerivative:
    """Return the derivative at x of a function given as x ↦ (value, bound on the rounding error of that value).

    `side` 0 uses central quotients, (f(x + h) − f(x − h)) / 2h, 1 and −1 those to the right and to the left,
    ±(f(x ± h) − f(x)) / h. `widest` is the first step, by default about max(|x|, 1)/16; where that gives no small error
    and x is small, a second sequence starts at |x|/16, with the bounds of `own_scale` if it is given. Steps at which
    the value is nan are not used; if f is nan on one side of x, or the steps on one side end early, the quotients of
    the other side are used where they are more exact.

    The entry of the tableau with the smallest relative error is taken, since entries of wide steps can have a small
    absolute error by chance, as on both sides of a pole; if no relative error is small, as for a derivative of 0, the
    entry with the smallest absolute error. Quotients over finer steps must agree with it within their rounding errors.
    If one does not, as where f oscillates and wide steps skip whole periods, the extrapolation starts again at finer
    steps; if these do not converge either, the error is the discrepancy, or inf.
    """
    quotients = _Quotients(evaluate, x, side)
    result = _resolve(quotients, widest or power_of_two(max(abs(x), 1.0) / 16))
    enough = _CONVERGED / 1000 if own_scale else _CONVERGED
    if widest is None and 0 < abs(x) < _SMALL and result.relative_error > enough:
        at_own_scale = _Quotients(own_scale or evaluate, x, side)
        result = _better(result, _resolve(at_own_scale, power_of_two(abs(x) / 16)))
    if side == 0 and quotients.cut and result.relative_error > _CONVERGED and not result.gap:
        for one in (1, -1):
            result = _better(result, extrapolate(evaluate, x, side=one, widest=widest))
    return result


def _better(first: NumericDerivative, second: NumericDerivative) -> NumericDerivative:
    """Return the result of smaller relative error or, if neither is small, of smaller error."""
    by_relative = min(first, second, key=lambda result: result.relative_error)
    return by_relative if by_relative.relative_error < _SIGNIFICANT else min(first, second, key=lambda r: r.error)


class _Quotients:
    """The difference quotients of a function at x, by step; `cut` says whether f was nan on just one side of x."""

    def __init__(self, evaluate: Evaluate, x: float, side: int) -> None:
        self.evaluate, self.x, self.side = evaluate, x, side
        self.centre, self.centre_noise = evaluate(x)
        self.cut = False
        self.rounding = math.inf  # the least of all quotients
        self.order = 1 if side else 2  # the power of h in which the truncation error is a series

    def over(self, h: float) -> _Quotient | None:
        """Return the quotient over step h, nan if f is; None if h is too small to change x."""
        x, side = self.x, self.side
        right, left = (x + h) - x, x - (x - h)
        if not (right or side < 0) or not (left or side > 0):
            return None
        above = self.evaluate(x + h) if side >= 0 else (math.nan, math.nan)
        below = self.evaluate(x - h) if side <= 0 else (math.nan, math.nan)
        if side:
            (value, noise), width = (above, right) if side > 0 else (below, left)
            self.rounding = min(self.rounding, (noise + self.centre_noise) / width)
            return _Quotient(h, side * (value - self.centre) / width, (noise + self.centre_noise) / width, 0.0, 0.0)
        self.cut = self.cut or math.isfinite(above[0]) != math.isfinite(below[0])
        width = right + left
        slope, noise = (above[0] - below[0]) / width, (above[1] + below[1]) / width
        gap = (above[0] - self.centre) / right - (self.centre - below[0]) / left
        gap_noise = (above[1] + self.centre_noise) / right + (below[1] + self.centre_noise) / left
        return _Quotient(h, slope, noise, gap, gap_noise)


def _resolve(quotients: _Quotients, h: float) -> NumericDerivative:
    """Return the extrapolated derivative for first step h, confirmed by quotients over finer steps."""
    levels, best = _tableau(quotients, h)
    if not levels or math.isinf(best.error):
        return NumericDerivative(math.nan, math.inf, h)
    levels += _probes(quotients, levels[-1].step)
    contradiction = _contradiction(best, levels, quotients.x)
    if contradiction is None:
        gap = 0.0 if quotients.side else _gap(levels, quotients.x)
        if quotients.side and best.error > _SIGNIFICANT * max(abs(x.slope) for x in levels) + 10 * quotients.rounding:
            return NumericDerivative(math.nan, math.inf, h)  # a vertical tangent
        return NumericDerivative(best.value, best.error + abs(gap) / 2, best.widest, gap)
    end_of_growth = _end_of_growth(quotients, levels)
    if not end_of_growth:
        return NumericDerivative(math.nan, math.inf, h)  # a jump, or a vertical tangent
    finer = _resolve(quotients, min(_PROBE_SHRINK * contradiction.step, best.finest / _SHRINK, end_of_growth))
    if finer.relative_error < _SIGNIFICANT or finer.gap:
        return finer
    if contradiction.step <= _RESOLUTION * math.ulp(quotients.x):
        return NumericDerivative(best.value, math.inf, best.widest)
    return replace(finer, error=finer.error + abs(finer.value - best.value))


def _tableau(quotients: _Quotients, h: float) -> tuple[list[_Quotient], _Entry]:
    """Return the quotients for decreasing steps from h, and the best entry of Ridders' tableau over them.

    That is the entry of least relative error if that is small, else of least error.
    """
    best_relative = best_absolute = (math.nan, math.inf, h, h)  # tuples, for speed: hundreds of entries are compared
    least_relative = math.inf
    levels: list[_Quotient] = []
    slopes: list[float] = []
    for _ in range(_STEPS):
        level = quotients.over(h)
        if level is None:
            break
        value, rounding, widest = level.slope, level.rounding, h
        row = [value]
        factor = 1.0
        for coarser in slopes:
            factor *= _SHRINK**quotients.order
            previous, value = value, (factor * value - coarser) / (factor - 1)
            row.append(value)
            error = max(abs(value - previous), abs(value - coarser)) + rounding
            widest *= _SHRINK
            if error < best_absolute[1]:
                best_absolute = (value, error, widest, h)
            if 0.0 < abs(value) < math.inf and error / abs(value) < least_relative:
                best_relative, least_relative = (value, error, widest, h), error / abs(value)
        if math.isfinite(row[0]):
            levels.append(level)
        if least_relative < _CONVERGED and rounding > best_relative[1]:
            break  # a smaller step only adds rounding
        slopes = row if math.isfinite(row[0]) else []
        h /= _SHRINK
    return levels, _Entry(*(best_relative if least_relative < _SIGNIFICANT else best_absolute))


def _probes(quotients: _Quotients, h: float) -> Iterable[_Quotient]:
    """Yield the quotients over steps finer than h, down to the spacing of floats near x."""
    finest = max(math.ulp(quotients.x), min(_FINEST, abs(quotients.x) / 10 or _FINEST))
    while (h := h / _PROBE_SHRINK) >= finest:
        level = quotients.over(h)
        if level is not None and math.isfinite(level.slope):
            yield level


def _contradiction(best: _Entry, levels: Sequence[_Quotient], x: float) -> _Quotient | None:
    """Return the quotient of the widest step, among those finer than the steps of `best`, that rules `best` out."""
    for coarser, level in pairwise(levels):
        truncation = abs(level.slope - coarser.slope) / 4
        sure = _SURE if level.step > _RESOLUTION * math.ulp(x) else _SURE_CLOSE
        rounding = sure * level.rounding + 2 * EPSILON * abs(best.value * x) / level.step
        if level.step < best.finest and abs(level.slope - best.value) > best.error + rounding + truncation:
            return level
    return None


def _end_of_growth(quotients: _Quotients, levels: Sequence[_Quotient]) -> float:
    """Return the step at which quotients stop growing towards finer steps; 0 if they never do, inf if they do not grow.

    They grow like 1/h at a jump, and where f changes over much finer steps only: single quotients find the next ones.
    """
    if not all(_grows(coarser, level) for coarser, level in pairwise(levels[-_GROWING:])):
        return math.inf
    level = levels[-1]
    while True:
        finer = quotients.over(level.step / _STRIDE)
        if finer is None or math.isinf(finer.slope):
            return 0.0
        if not _grows(level, finer):
            return level.step
        level = finer


def _grows(coarser: _Quotient, level: _Quotient) -> bool:
    """Return whether quotients grow at least like h^−¼, by more than rounding; a vertical tangent has h^−½, say."""
    least = math.pow(coarser.step / level.step, 0.25) * abs(coarser.slope)
    return abs(level.slope) > max(least, _SURE_CLOSE * level.rounding)


def _gap(levels: Sequence[_Quotient], x: float) -> float:
    """Return the limit of the gap between one-sided quotients, 0 unless it is significant and finer steps confirm it.

    At a smooth point the gap is h f″(x) + …, which one extrapolation removes; at a kink it tends to a constant.
    """
    found, least = 0.0, math.inf
    limit = math.inf
    for coarser, level in pairwise(levels):
        rounding = _SURE * level.gap_rounding + 4 * EPSILON * abs(found * x) / level.step
        if found and abs(level.gap - found) > rounding + abs(found) / 4:
            found, least = 0.0, math.inf
        ratio = coarser.step / level.step
        before, limit = limit, (ratio * level.gap - coarser.gap) / (ratio - 1)
        error = abs(limit - level.gap) + abs(limit - before) + _SURE * level.gap_rounding
        if error < min(_GAP * abs(limit), least):
            found, least = limit, error
    return found

"""Taylor test of a gradient: the remainder f(x + hv) − f(x) − h f′(x)v must decrease as h²."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from microgradlib._support import display
from microgradlib._support.calling import check_function, in_plain_words
from microgradlib._support.checks import real_number
from microgradlib._support.number import as_point
from microgradlib.numeric.branch_changes import changed_branch, record, record_or_none
from microgradlib.numeric.extrapolation import EPSILON
from microgradlib.numeric.rounding import rounding_error

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["TaylorRemainder", "default_direction", "taylor_slope"]

_STEPS = 26
_SHRINK = 0.25
_POINTS = 4  # the number of remainders, the smallest above rounding, to which the slope is fitted
_TINY = 1e-8  # steps are relative to |x| for smaller arguments, to max(|x|, 1) for larger ones
_NOISE_FACTOR = 30  # remainders up to this multiple of their rounding error are not used
_LINEAR = 0.1  # remainders whose order is 1 to within this from step to step leave the gradient no room to be correct


@dataclass(frozen=True, repr=False)
class TaylorRemainder(display.ShowsItself):
    """The remainders |f(x + hv) − f(x) − h f′(x)v| for decreasing steps h; they decrease as h to the power `slope`.

    `slope` is 2 (or more, where the curvature along v is 0) for a correct gradient and 1 for a wrong one; inf if the
    remainders are rounding errors only, as for a linear f; nan if fewer than two steps are usable (because of a kink or
    f's domain), the gradient is not finite or the direction is 0.
    """

    slope: float
    steps: tuple[float, ...]
    remainders: tuple[float, ...]
    widest: float = math.inf
    """The largest step that `refutes` considers."""

    @property
    def agrees(self) -> bool:
        """Whether the gradient is correct, that is, `slope` > 1.5."""
        return self.slope > 1.5

    @property
    def refutes(self) -> bool:
        """Whether the remainders fall as h¹ from each step to the next, over four steps, so the gradient is wrong."""
        points = [(h, r) for h, r in zip(self.steps, self.remainders) if 0 < r < math.inf and h <= self.widest]
        last = points[-_POINTS:]
        orders = [math.log(r / finer_r) / math.log(h / finer_h) for (h, r), (finer_h, finer_r) in pairwise(last)]
        return len(last) == _POINTS and all(abs(order - 1) < _LINEAR for order in orders)

    def __str__(self) -> str:
        if math.isnan(self.slope):
            return "Taylor remainder: fewer than two usable steps"
        if math.isinf(self.slope):
            return "Taylor remainder: rounding only (f is linear along the direction)"
        verdict = "as for a correct gradient" if self.agrees else "a correct gradient gives 2, a wrong one 1"
        return f"Taylor remainder: falls as h^{self.slope:.2f} ({verdict})"

    def __repr__(self) -> str:
        return f"<{self}>"


@in_plain_words
def taylor_slope(
    f: Callable[..., Any],
    xs: float | Sequence[float],
    direction: float | Sequence[float] | None = None,
    *,
    allowed: float = 0.0,
) -> TaylorRemainder:
    """Return the order at which the Taylor remainder of f(*xs) decreases along v, with f′ by backpropagation.

    R(h) = |f(x + hv) − f(x) − h f′(x)v| is h² |v·f″v| / 2 + … for a correct gradient, and h |(f′ − g)v| + … for a wrong
    gradient g. The slope of log R against log h is fitted to the smallest R that are well above rounding, so neither
    a step nor a tolerance has to be chosen. `direction` is v; by default all its components differ and none is 0.
    Remainders up to `allowed` · h count as rounding too: the error of the gradient along v that is not to be seen.
    Raises `ValueError` unless the direction has one number for each argument.

    >>> from microgradlib import exp
    >>> remainder = taylor_slope(lambda x, y: exp(x * y), [0.5, 2.0])
    >>> round(remainder.slope, 2), remainder.agrees
    (2.0, True)
    >>> print(taylor_slope(lambda x: 3 * x + 1, [0.5]))
    Taylor remainder: rounding only (f is linear along the direction)
    """
    check_function(f)
    point = as_point(xs)
    v = default_direction(point) if direction is None else as_point(direction)
    if len(v) != len(point):
        message = f"direction must have one number for each of the {len(point)} arguments, got {len(v)} numbers"
        raise ValueError(message)
    allowed = real_number(allowed, "allowed", ge=0, finite=False, example=0.0)
    here = record(f, point)
    slope = sum(here.table.get(x, 0.0) * d for x, d in zip(here.inputs, v))
    if not (math.isfinite(slope) and any(v)):
        return TaylorRemainder(math.nan, (), ())
    steps, remainders = [], []
    h = 1.0
    for _ in range(_STEPS):
        h *= _SHRINK
        there = record_or_none(f, [x + h * d for x, d in zip(point, v)])
        if there is None or changed_branch(here, there):
            continue
        change = sum(here.table.get(x, 0.0) * (y.data - x.data) for x, y in zip(here.inputs, there.inputs))
        remainder = abs(there.output.data - here.output.data - change)
        noise = rounding_error(here) + rounding_error(there) + EPSILON * abs(h * slope)
        steps.append(h)
        remainders.append(remainder if remainder > _NOISE_FACTOR * noise + allowed * h else 0.0)
    return TaylorRemainder(_fitted_slope(steps, remainders), tuple(steps), tuple(remainders))


def default_direction(point: Sequence[float]) -> list[float]:
    """Return components of ½ to 1 times each argument's size, varied by the golden ratio to avoid cancellation."""
    sizes = [abs(x) if 0 < abs(x) < _TINY else max(abs(x), 1.0) for x in point]
    return [size * (0.5 + 0.5 * ((i + 1) * 0.618034 % 1)) for i, size in enumerate(sizes)]


def _fitted_slope(steps: Sequence[float], remainders: Sequence[float]) -> float:
    """Return the least-squares slope of log R against log h over the smallest R that are above rounding."""
    points = [(math.log(h), math.log(r)) for h, r in zip(steps, remainders) if 0 < r < math.inf][-_POINTS:]
    if len(points) < 2:
        return math.inf if steps and not any(remainders) else math.nan
    mean_h, mean_r = (math.fsum(column) / len(points) for column in zip(*points))
    variance = sum((h - mean_h) ** 2 for h, _ in points)
    slope: float = sum((h - mean_h) * (r - mean_r) for h, r in points) / variance
    return slope

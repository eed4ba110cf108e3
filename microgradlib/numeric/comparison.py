"""Compare one derivative of a recorded function with differences: a verdict that heeds kinks, edges and rounding."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from microgradlib.core.autodiff import gradients, tangent_table
from microgradlib.errors import MissingRuleError
from microgradlib.numeric.branch_changes import Recording, changed_branch, record_or_none
from microgradlib.numeric.extrapolation import EPSILON, NumericDerivative, extrapolate
from microgradlib.numeric.noise import Noise
from microgradlib.numeric.rounding import errors_inside_ops, rounding_error

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from microgradlib.core.value import Value

__all__ = ["SAFETY", "Comparison", "compare", "gradient_entry", "sits_on_kink"]

SAFETY = 5.0
"""The allowed difference as a multiple of the estimated error of the numeric derivative."""

_DECISIVE = 1e-3  # a larger relative numeric error cannot refute an infinite derivative
_VAGUE = 0.1  # of the sizes that make up the derivative: a larger error cannot confirm one
_NEGLIGIBLE = 1e-300
_AROUND = 1.1  # a gap is known to a tenth
_BESIDE = 2.0**-40  # how far beside x, relative to max(|x|, 1), the branches on both sides are looked up
_BESIDE_SMALL = 2.0**-20  # the same relative to a small |x|
_SMALL = 1e-3
_SHORT = 2.0**-14  # steps of less than this, relative to max(|x|, 1), call for a look at the rounding error
_SHORT_NOISE = 4.0  # times the bound that the graph gives: a larger estimate counts
_NEAR = 2.0**-32  # relative to max(|x|, 1); where f is undefined so near to x on one side, noise is estimated aside
_ASIDE = 2.0**-12


@dataclass(frozen=True)
class Comparison:
    """One derivative by reverse mode, forward mode and differences, and what follows from them.

    `verdict` is "ok", "kink", "edge", "cannot tell", "differs", of which the cause remains to be found, or "convention"
    for a difference where an op sits on a kink. `crossed` names an op that changes branch, at the kink or at steps
    larger than those used; `boundary` one that takes another branch just beside the point.
    """

    reverse: float
    forward: float
    numeric: NumericDerivative
    allowed: float
    verdict: str
    crossed: str
    boundary: str


def gradient_entry(f: Callable[..., Any], i: int) -> Callable[..., Any]:
    """Return ∂f/∂xᵢ as a function that builds a graph (Algorithms 6.5 and 6.6)."""

    def entry(*inputs: Value) -> Any:
        output = f(*inputs)
        return gradients(output, [inputs[i]])[0] if hasattr(output, "parents") else 0.0

    return entry


def sits_on_kink(node: Value) -> bool:
    """Return whether a node's op has a kink at its inputs, so that its derivatives are a convention."""
    return node.op is not None and node.op.kink is not None and node.op.kink(*_inputs(node), *node.op.settings)


def compare(
    f: Callable[..., Any], point: Sequence[float], i: int, here: Recording, claimed: float | None = None
) -> Comparison:
    """Compare ∂f/∂xᵢ, by the recording `here` of f(*point) or as `claimed`, with differences of f along xᵢ.

    Only steps over which f stays in one branch on either side of xᵢ are used. The rounding error of f is bounded by
    `rounding_error`, that of the derivative, if they disagree otherwise, in the same way from the derivative's graph.
    """
    x = here.inputs[i]
    tangents = tangent_table(here.output, {x: 1.0})
    reverse, forward = (here.table.get(x, 0.0), tangents[here.output]) if claimed is None else (claimed, claimed)
    nearby = _Neighbourhood(f, point, i, here)
    numeric = nearby.derivative()
    difference = _difference(numeric, reverse, forward)
    if not numeric.gap and math.isfinite(reverse) and difference > min(SAFETY * numeric.error, _VAGUE * abs(reverse)):
        numeric = nearby.resolved(numeric)
        difference = _difference(numeric, reverse, forward)
    half = abs(numeric.gap) / 2
    allowed = _AROUND * half + SAFETY * (numeric.error - half)
    if difference > allowed and not half:
        numeric = replace(numeric, error=numeric.error + _derivative_rounding(f, point, i))
        allowed = SAFETY * numeric.error
    on_kink = ""
    for node in here.table:
        if not on_kink and sits_on_kink(node) and here.table[node] and any(tangents[p] for p in node.parents):
            on_kink = str(node.op)
    if not math.isfinite(numeric.error):
        verdict = "vague"
    elif difference <= allowed:
        uncertain = SAFETY * (numeric.error - half) > _VAGUE * nearby.typical_slope(numeric, reverse) + _NEGLIGIBLE
        verdict = "vague" if difference and uncertain else "kink" if half else "ok"
    elif half and math.isnan(reverse):
        verdict = "kink"
    elif on_kink and math.isfinite(reverse) and claimed is None:
        verdict = "convention"
    else:
        verdict = "edge" if math.isinf(reverse) and numeric.relative_error > _DECISIVE else "differs"
    if verdict == "vague":
        edge = math.isinf(reverse) or nearby.has_edge
        verdict = "kink" if nearby.boundary or on_kink else "edge" if edge else "cannot tell"
    crossed = nearby.crossed[-1] if nearby.crossed else nearby.boundary
    crossed = crossed or (on_kink if verdict in {"kink", "convention"} else "")
    return Comparison(reverse, forward, numeric, allowed, verdict, crossed, nearby.boundary)


def _derivative_rounding(f: Callable[..., Any], point: Sequence[float], i: int) -> float:
    """Return a bound on the rounding error of ∂f/∂xᵢ at the point; 0 where f has no second derivatives."""
    try:
        derivative = record_or_none(gradient_entry(f, i), point)
    except MissingRuleError:  # f contains nodes made by hand
        return 0.0
    return rounding_error(derivative) if derivative else 0.0


def _difference(numeric: NumericDerivative, reverse: float, forward: float) -> float:
    difference = max(abs(reverse - numeric.value), abs(forward - numeric.value))
    return math.inf if math.isnan(difference) else difference


def _inputs(node: Value) -> list[float]:
    return [parent.data for parent in node.parents]


class _Neighbourhood:
    """Recordings of f around a point along one argument, as far as f stays in the branch next to the point.

    `boundary` names an op that takes another branch just beside the point, "" if there is none; `has_edge` says whether
    f is undefined just beside it. `crossed` lists the ops that change branch further out.
    """

    def __init__(self, f: Callable[..., Any], point: Sequence[float], i: int, here: Recording) -> None:
        self.f, self.point, self.i, self.here = f, point, i, here
        self.x = x = point[i]
        self.crossed: list[str] = []
        self.boundary, self.has_edge = "", False
        beside = _BESIDE_SMALL * abs(x) if 0 < abs(x) < _SMALL else _BESIDE * max(abs(x), 1.0)
        self.sides, self.inside = {}, {}
        for above, number in ((True, x + beside), (False, x - beside)):
            there = self._record(number)
            self.has_edge = self.has_edge or there is None
            branch = changed_branch(here, there) if there else ""
            self.boundary = self.boundary or branch
            self.sides[above] = there if there and branch else here
            self.inside[above] = errors_inside_ops(there or here)  # they take long, and change little with x

    def _record(self, number: float) -> Recording | None:
        return record_or_none(self.f, [*self.point[: self.i], number, *self.point[self.i + 1 :]])

    def evaluate(self, number: float) -> tuple[float, float]:
        """Return f with argument i set to the number, and a bound on its rounding error; nan in another branch."""
        if number == self.x:
            return self.here.output.data, rounding_error(self.here)
        there = self._record(number)
        branch = changed_branch(self.sides[number > self.x], there) if there else ""
        if branch:
            self.crossed.append(branch)
        return (math.nan, math.inf) if branch or there is None else (there.output.data, self._rounding(there, number))

    def _rounding(self, there: Recording, number: float) -> float:
        inside = self.inside[number > self.x]
        return rounding_error(there, inside=inside if len(inside) == len(there.table) else None)

    def derivative(self) -> NumericDerivative:
        """Return the derivative by differences.

        Where only short steps were of use, f may oscillate, or have rounding errors of which its graph does not know,
        as behind a `detach`. Then these are estimated from the values of f. Where f is 0 and does not depend on x by
        its graph, values of 0 do not show them either: then those of terms of size 1 are assumed.
        """
        numeric = extrapolate(self.evaluate, self.x)
        if not (numeric.value or self.here.output.data or self.here.inputs[self.i] in self.here.table):
            numeric = extrapolate(self._with_noise(EPSILON), self.x)
        if numeric.step > _SHORT * max(abs(self.x), 1.0) or not math.isfinite(numeric.error):
            return numeric
        return self._with_rounding(numeric, *self._noise())

    def resolved(self, numeric: NumericDerivative) -> NumericDerivative:
        """Return the derivative again where f oscillates, or has rounding errors of which its graph does not know.

        Its error is inf if f changes irregularly from float to float, unless it is small.
        """
        noise, place = self._noise()
        if noise.kind == "irregular" and numeric.relative_error > _VAGUE:
            return replace(numeric, error=math.inf)
        if noise.kind == "oscillation" and numeric.step > noise.widest:
            return extrapolate(self._with_noise(noise.least), self.x, widest=noise.widest)
        return self._with_rounding(numeric, noise, place)

    def _with_rounding(self, numeric: NumericDerivative, noise: Noise, place: float) -> NumericDerivative:
        """Return the derivative again if the rounding error at the place is larger than the graph says there."""
        if noise.kind == "rounding" and noise.bound > _SHORT_NOISE * self.evaluate(place)[1]:
            return extrapolate(self._with_noise(noise.bound), self.x)
        return numeric

    def _with_noise(self, noise: float) -> Callable[[float], tuple[float, float]]:
        def evaluate(number: float) -> tuple[float, float]:
            value, bound = self.evaluate(number)
            return value, max(bound, noise)

        return evaluate

    def _noise(self) -> tuple[Noise, float]:
        """Return the noise of f, and the place: x, or one aside if f is undefined or branches just beside x."""
        scale = max(abs(self.x), 1.0)
        sides = [sign for sign in (1, -1) if math.isfinite(self.evaluate(self.x + sign * _NEAR * scale)[0])]
        place = self.x + (sides[0] * _ASIDE * scale if len(sides) == 1 else 0.0)
        return Noise(lambda number: self.evaluate(number)[0], place, scale), place

    def typical_slope(self, numeric: NumericDerivative, reverse: float) -> float:
        """Return the largest of the sizes that a derivative of f at x might be compared with.

        These are the derivative itself, the sum of its terms without their signs, slopes over wide steps, |f/x|.
        """
        x, value = self.x, self.here.output.data
        terms = dict.fromkeys(self.here.table, 0.0) | {self.here.inputs[self.i]: 1.0}
        for node in self.here.table:
            for parent, local in zip(node.parents, node.local_derivatives):
                terms[node] += abs(local) * terms[parent] if local and terms[parent] else 0.0
        slopes = [numeric.value, reverse, terms[self.here.output], value / max(abs(x), 1.0)]
        wide = max(abs(x), 1.0) / 16
        slopes += [(self.evaluate(x + h)[0] - value) / h for h in (wide, -wide, numeric.step, -numeric.step) if h]
        return max((abs(slope) for slope in slopes if math.isfinite(slope)), default=0.0)

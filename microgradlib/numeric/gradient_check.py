"""Check gradients: compare reverse mode and forward mode with differences, within their estimated error."""

from __future__ import annotations

import inspect
import math
from typing import TYPE_CHECKING, Any

from microgradlib._support.number import as_float
from microgradlib.core.autodiff import gradients, kinks, tangent_table
from microgradlib.core.graph import descendants
from microgradlib.core.modes import tracing_lines
from microgradlib.errors import GradcheckError
from microgradlib.numeric.branch_changes import Recording, changed_branch, record
from microgradlib.numeric.differences import (
    EPSILON,
    SMALLEST,
    NumericDerivative,
    estimate_noise,
    extrapolate,
    power_of_two,
)
from microgradlib.numeric.report import DerivativeCheck, Fault, GradcheckReport
from microgradlib.numeric.rounding import op_rounding_error, rounding_error
from microgradlib.numeric.taylor import taylor_slope

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from microgradlib.core.value import Value

__all__ = ["SAFETY", "gradcheck", "gradient_entry"]

SAFETY = 10.0
"""The allowed difference as a multiple of the estimated error of the numeric derivative."""

_DECISIVE = 1e-3  # a larger relative numeric error cannot refute an infinite derivative
_SIGNIFICANT = 0.2  # below this relative error, a numeric derivative is not a rounding error


def gradcheck(f: Callable[..., Any], xs: Sequence[float], order: int = 1) -> GradcheckReport:
    """Check ∂f/∂xᵢ of f(*xs), one Value, by three methods and return the report; order 2 checks ∂²f/∂xᵢ∂xⱼ too.

    Reverse mode (`grad_table`), forward mode (`tangent_table`) and differences (extrapolated, as `numeric_derivative`)
    must agree within `SAFETY` times the estimated error of the differences, rounding in f included, so there is no
    tolerance to choose. Steps over which f takes another branch are not used; if none is left, the verdict is "kink",
    which is not a failure. For order 2, the derivatives of each entry of the gradient, as `gradients` builds it, are
    checked in the same way. The report also contains the Taylor remainder (`taylor_slope`), an independent check.

    Raises `GradcheckError`, which holds the report, if a derivative disagrees: the message names the argument, the
    numbers, the allowed error, and the first op whose local derivative is wrong, with the source line that applied it.
    Raises `ValueError` if f(*xs) is not finite, `TypeError` if it is not one number.

    >>> from microgradlib import tanh
    >>> report = gradcheck(lambda w, x: tanh(w * x), [0.5, 2.0])
    >>> report.ok, [check.verdict for check in report.checks]
    (True, ['ok', 'ok'])
    """
    if order not in (1, 2):
        message = f"gradcheck checks derivatives of order 1 or 2, got order={order!r}; write order=1"
        raise ValueError(message)
    point = [as_float(x) for x in xs]
    names = _names(f, len(point))
    value = record(f, point, names).output.data
    if not math.isfinite(value):
        message = f"gradcheck needs xs at which f is finite, got f({', '.join(map(repr, point))}) = {value}"
        raise ValueError(message)
    second: list[DerivativeCheck] = []
    if order == 2:
        for i, name in enumerate(names):
            second += _checks(gradient_entry(f, i), point, names, f"∂f/∂{name} by ")
    report = GradcheckReport(
        tuple(point), value, tuple(_checks(f, point, names)), tuple(second), taylor_slope(f, point)
    )
    if not report.ok:
        raise GradcheckError(report)
    return report


def _names(f: Callable[..., Any], count: int) -> list[str]:
    """Return the names of f's positional parameters, or x0, x1, … if it does not have `count` of them."""
    try:
        parameters = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):
        return [f"x{i}" for i in range(count)]
    named = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return named if len(named) == count else [f"x{i}" for i in range(count)]


def gradient_entry(f: Callable[..., Any], i: int) -> Callable[..., Any]:
    """Return ∂f/∂xᵢ as a function that builds a graph (Algorithms 6.5 and 6.6)."""

    def entry(*inputs: Value) -> Any:
        output = f(*inputs)
        return gradients(output, [inputs[i]])[0] if hasattr(output, "parents") else 0.0

    return entry


def _checks(
    f: Callable[..., Any], point: Sequence[float], names: Sequence[str], prefix: str = ""
) -> list[DerivativeCheck]:
    here = record(f, point, names)
    return [_check(f, point, i, here, prefix + name) for i, name in enumerate(names)]


def _check(f: Callable[..., Any], point: Sequence[float], i: int, here: Recording, name: str) -> DerivativeCheck:
    x = here.inputs[i]
    reverse = here.table.get(x, 0.0)
    tangents = tangent_table(here.output, {x: 1.0})
    forward = tangents[here.output]
    crossed: list[str] = []

    def record_at(number: float) -> Recording | None:
        try:
            there = record(f, [*point[:i], number, *point[i + 1 :]])
        except (ArithmeticError, ValueError):  # outside f's domain
            return None
        branch = changed_branch(here, there)
        if branch:
            crossed.append(branch)
        return None if branch else there

    def evaluate(number: float) -> tuple[float, float]:
        there = record_at(number)
        return (there.output.data, rounding_error(there, inside_ops=inside_ops)) if there else (math.nan, math.inf)

    def slope(number: float) -> float:
        there = record_at(number)
        return there.table.get(there.inputs[i], 0.0) if there else math.nan

    inside_ops = False
    numeric = extrapolate(evaluate, point[i])
    difference, allowed = _difference(numeric, reverse, forward), SAFETY * numeric.error
    if difference > allowed:
        # Two causes other than a wrong gradient: rounding inside an op's value rule, which is now included; and steps
        # longer than a period of some node, so start with a step over which no node changes by more than 1.
        fastest = max((abs(t) for t in tangents.values() if math.isfinite(t)), default=1.0)
        inside_ops = True
        numeric = extrapolate(evaluate, point[i])
        finer = extrapolate(evaluate, point[i], power_of_two(1 / max(fastest, 1e-300)))
        if SAFETY * finer.error < difference or finer.relative_error < min(_SIGNIFICANT, numeric.relative_error):
            numeric = finer
        difference = _difference(numeric, reverse, forward)
        # A third: the gradient has a larger rounding error than the differences, if f cancels at x but not nearby.
        allowed = SAFETY * (numeric.error + estimate_noise(slope, point[i], *_short_steps(fastest)))
    at_x = [str(n.op) for n in kinks(here.output) if here.table[n] and any(tangents[p] for p in n.parents)]
    verdict = _verdict(numeric, difference <= allowed, reverse, bool(crossed), bool(at_x))
    fault = _first_fault(f, point, i) if verdict == "FAIL" else None
    branch = crossed[-1] if crossed else at_x[0] if verdict == "kink" else ""
    return DerivativeCheck(name, reverse, forward, numeric, allowed, verdict, branch, fault)


def _short_steps(speed: float) -> list[float]:
    """Return steps over which a node with tangent `speed` changes by at most 2⁻¹⁶, but by much more than rounding."""
    longest = 2.0**-16 / min(max(speed, 1.0), 1e290)
    # The ratios are incommensurable, so that not all steps are multiples of one rounding unit.
    return [longest * ratio for ratio in (1.0, 0.618, 0.414, 0.271)]


def _difference(numeric: NumericDerivative, reverse: float, forward: float) -> float:
    difference = max(abs(reverse - numeric.value), abs(forward - numeric.value))
    return math.inf if math.isnan(difference) else difference


def _verdict(numeric: NumericDerivative, agrees: bool, reverse: float, crossed: bool, at_kink: bool) -> str:
    if math.isinf(numeric.error):
        return "kink" if crossed else "edge"
    if agrees:
        return "ok"
    if at_kink:
        return "kink"
    if math.isinf(reverse) and numeric.relative_error > _DECISIVE:
        return "edge"
    return "FAIL"


def _first_fault(f: Callable[..., Any], point: Sequence[float], i: int) -> Fault | None:
    """Return the first op depending on argument i whose local derivative disagrees with differences of its value."""
    with tracing_lines() as lines:
        here = record(f, point)
    dependent = descendants(here.table, [here.inputs[i]])
    for node in here.table:
        if node.op is None or node not in dependent or node.op.name == "detach":
            continue
        at = tuple(parent.data for parent in node.parents)
        if node.op.kink is not None and node.op.kink(*at, *node.op.settings):
            continue
        for k, recorded in enumerate(node.local_derivatives):
            numeric = extrapolate(_as_function_of_input(node, at, k), at[k])
            if not _difference(numeric, recorded, recorded) <= SAFETY * numeric.error:
                return Fault(node.op.name, k, at, recorded, numeric, lines.get(node, ""))
    return None


def _as_function_of_input(node: Value, at: tuple[float, ...], k: int) -> Callable[[float], tuple[float, float]]:
    """Return the function from input k of the node's op to its value and a bound on the value's rounding error."""
    op = node.op
    if op is None:
        raise ValueError("a leaf has no rule to check")
    sizes = [abs(x * d) for x, d in zip(at, node.local_derivatives)]
    noise = EPSILON * sum(size for size in sizes if math.isfinite(size)) + SMALLEST + op_rounding_error(op, at)

    def evaluate(number: float) -> tuple[float, float]:
        value = op.compute(*at[:k], number, *at[k + 1 :])
        return value, EPSILON * abs(value) + noise

    return evaluate

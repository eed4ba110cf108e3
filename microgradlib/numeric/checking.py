"""The gradient check: backpropagation, forward mode and differences must agree to the differences' own error."""

from __future__ import annotations

import inspect
import math
from typing import TYPE_CHECKING, Any

from microgradlib._support.number import as_float
from microgradlib.core.autodiff import gradients, kinks, tangent_table
from microgradlib.core.graph import descendants
from microgradlib.core.modes import tracing_lines
from microgradlib.errors import GradcheckError
from microgradlib.numeric.branches import Recording, crossing, record
from microgradlib.numeric.differences import EPSILON, SMALLEST, NumericDerivative, extrapolate, power_of_two, scatter
from microgradlib.numeric.report import DerivativeCheck, Fault, GradcheckReport
from microgradlib.numeric.rounding import rounding_error, rounding_within
from microgradlib.numeric.taylor import taylor_slope

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from microgradlib.core.value import Value

__all__ = ["SAFETY", "gradcheck", "gradient_entry"]

SAFETY = 10.0
"""How many times its estimated error a numeric derivative may be off before it counts against the gradient."""

_TELLING = 1e-3  # a numeric derivative with a larger relative error says nothing about a slope without bound
_WEAK = 0.2  # a numeric derivative with a smaller relative error is more than rounding


def gradcheck(f: Callable[..., Any], xs: Sequence[float], order: int = 1) -> GradcheckReport:
    """Check ∂f/∂xᵢ of f(*xs), one Value, three ways, and return the report; order 2 checks ∂²f/∂xᵢ∂xⱼ too.

    Reverse mode (`grad_table`), forward mode (`tangent_table`) and differences (extrapolated, as `numeric_derivative`)
    must agree to `SAFETY` times the error that the differences estimate for themselves, rounding in f included: there
    is no tolerance to choose. Steps over which f takes another branch are not used; where none is left, the verdict is
    "kink", not a failure. For order 2 each entry of the gradient, as `gradients` builds it, is checked in the same way.
    The Taylor remainder (`taylor_slope`) is a second opinion, without steps to choose.

    Raises `GradcheckError`, which carries the report, if a derivative disagrees: the message names the argument, the
    numbers, the allowed error, and the first op whose local derivative is wrong, with the line that applied it. Raises
    `ValueError` if f(*xs) is not finite, `TypeError` if it is not one number.

    >>> from microgradlib import tanh
    >>> report = gradcheck(lambda w, x: tanh(w * x), [0.5, 2.0])
    >>> report.ok, [check.verdict for check in report.checks]
    (True, ['ok', 'ok'])
    """
    if order not in (1, 2):
        message = f"gradcheck checks derivatives of order 1 or 2, got order={order!r}"
        raise ValueError(message)
    point = [as_float(x) for x in xs]
    names = _names(f, len(point))
    value = record(f, point, names).output.data
    if not math.isfinite(value):
        message = f"gradcheck needs a point where f is finite, got f({', '.join(map(repr, point))}) = {value}"
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
    """Return the names of f's parameters, or x0, x1, … where it does not name as many."""
    try:
        parameters = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):
        return [f"x{i}" for i in range(count)]
    named = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return named if len(named) == count else [f"x{i}" for i in range(count)]


def gradient_entry(f: Callable[..., Any], i: int) -> Callable[..., Any]:
    """Return ∂f/∂xᵢ as a function that records: Algorithms 6.5 and 6.6."""

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

    def moved(at: float) -> Recording | None:
        try:
            there = record(f, [*point[:i], at, *point[i + 1 :]])
        except (ArithmeticError, ValueError):  # outside f's domain
            return None
        branch = crossing(here, there)
        if branch:
            crossed.append(branch)
        return None if branch else there

    def evaluate(at: float) -> tuple[float, float]:
        there = moved(at)
        return (there.output.data, rounding_error(there, within=careful)) if there else (math.nan, math.inf)

    def slope(at: float) -> float:
        there = moved(at)
        return there.table.get(there.inputs[i], 0.0) if there else math.nan

    careful = False
    numeric = extrapolate(evaluate, point[i])
    off, allowed = _off(numeric, reverse, forward), SAFETY * numeric.error
    if off > allowed:
        # Perhaps an op rounds more within than its inputs and output tell; or the steps skipped over many periods of
        # some node: begin where no node moves by more than 1.
        fastest = max((abs(t) for t in tangents.values() if math.isfinite(t)), default=1.0)
        careful = True
        numeric = extrapolate(evaluate, point[i])
        finer = extrapolate(evaluate, point[i], power_of_two(1 / max(fastest, 1e-300)))
        if SAFETY * finer.error < off or finer.relative_error < min(_WEAK, numeric.relative_error):
            numeric = finer
        off = _off(numeric, reverse, forward)
        # Or the gradient itself is rounded more than the differences, as where f cancels at x but not beside it.
        allowed = SAFETY * (numeric.error + scatter(slope, point[i], *_short(fastest)))
    at_x = [str(n.op) for n in kinks(here.output) if here.table[n] and any(tangents[p] for p in n.parents)]
    verdict = _verdict(numeric, off <= allowed, reverse, bool(crossed), bool(at_x))
    fault = _first_fault(f, point, i) if verdict == "FAIL" else None
    branch = crossed[-1] if crossed else at_x[0] if verdict == "kink" else ""
    return DerivativeCheck(name, reverse, forward, numeric, allowed, verdict, branch, fault)


def _short(speed: float) -> list[float]:
    """Return steps over which what moves at that speed moves little, yet by much more than rounding."""
    longest = 2.0**-16 / min(max(speed, 1.0), 1e290)
    return [longest * ratio for ratio in (1.0, 0.618, 0.414, 0.271)]  # of no common measure


def _off(numeric: NumericDerivative, reverse: float, forward: float) -> float:
    off = max(abs(reverse - numeric.value), abs(forward - numeric.value))
    return off if off == off else math.inf  # noqa: PLR0124  a nan derivative is as far off as can be


def _verdict(numeric: NumericDerivative, agrees: bool, reverse: float, crossed: bool, at_kink: bool) -> str:
    if math.isinf(numeric.error):
        return "kink" if crossed else "edge"
    if agrees:
        return "ok"
    if at_kink:
        return "kink"
    if math.isinf(reverse) and numeric.relative_error > _TELLING:
        return "edge"
    return "FAIL"


def _first_fault(f: Callable[..., Any], point: Sequence[float], i: int) -> Fault | None:
    """Return the first op on the way from argument i whose local derivative disagrees with differences of its value."""
    with tracing_lines() as lines:
        here = record(f, point)
    concerned = descendants(here.table, [here.inputs[i]])
    for node in here.table:
        if node.op is None or node not in concerned or node.op.name == "detach":
            continue
        at = tuple(parent.data for parent in node.parents)
        if node.op.kink is not None and node.op.kink(*at, *node.op.settings):
            continue
        for k, recorded in enumerate(node.local_derivatives):
            numeric = extrapolate(_along(node, at, k), at[k])
            if not _off(numeric, recorded, recorded) <= SAFETY * numeric.error:
                return Fault(node.op.name, k, at, recorded, numeric, lines.get(node, ""))
    return None


def _along(node: Value, at: tuple[float, ...], k: int) -> Callable[[float], tuple[float, float]]:
    op = node.op
    if op is None:
        raise ValueError("a leaf has no rule to check")
    sizes = [abs(x * d) for x, d in zip(at, node.local_derivatives)]
    noise = EPSILON * sum(size for size in sizes if math.isfinite(size)) + SMALLEST + rounding_within(op, at)

    def evaluate(number: float) -> tuple[float, float]:
        value = op.compute(*at[:k], number, *at[k + 1 :])
        return value, EPSILON * abs(value) + noise

    return evaluate

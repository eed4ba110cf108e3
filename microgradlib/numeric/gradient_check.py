"""Check gradients: compare reverse mode and forward mode with differences, within their estimated error."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from microgradlib._support.argument_names import argument_names
from microgradlib._support.calling import check_function, in_plain_words
from microgradlib._support.number import as_point
from microgradlib._support.shown import shown
from microgradlib.errors import GradcheckError
from microgradlib.numeric.branch_changes import Recording, record
from microgradlib.numeric.comparison import SAFETY, Comparison, compare, gradient_entry
from microgradlib.numeric.faults import FaultFinder, indeterminate_note
from microgradlib.numeric.report import DerivativeCheck, GradcheckReport
from microgradlib.numeric.taylor import default_direction, taylor_slope

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["SAFETY", "gradcheck"]


@in_plain_words
def gradcheck(f: Callable[..., Any], xs: float | Sequence[float], order: int = 1) -> GradcheckReport:
    """Check ∂f/∂xᵢ of f(*xs), one Value, by three methods and return the report; order 2 checks ∂²f/∂xᵢ∂xⱼ too.

    Reverse mode (`grad_table`), forward mode (`tangent_table`) and differences (extrapolated, as `numeric_derivative`)
    must agree within `SAFETY` times the estimated error of the differences, rounding in f and in the derivative
    included, so there is no tolerance to choose. For order 2, the derivatives of each entry of the gradient, as
    `gradients` builds it, are checked in the same way. Each derivative gets a verdict:

        "ok"           they agree
        "FAIL"         they disagree, and the cause is named
        "kink"         f has no derivative: its one-sided derivatives differ, or it jumps. The derivative must be a
                       documented convention of an op, or lie between the one-sided derivatives; else "FAIL"
        "edge"         f is undefined on one side and the other does not decide, or the slope is infinite
        "cannot tell"  differences say nothing, as where every step skips whole periods of f, or where rounding errors
                       are as large as the derivative

    Where differences of f do not decide, each op on the way is compared with differences of its own value, and one that
    disagrees is a "FAIL" too; so is one that disagrees with a complex step, if that explains why f does. A derivative
    that is nan where f is smooth, as by 0·inf, is a "FAIL"; so is one that is wrong at this point only, since no
    difference takes the derivative at the point itself into account. The report also has the Taylor remainder
    (`taylor_slope`) along the arguments that are decided: if it falls as h¹, over steps as short as those of the
    differences and by more than the allowed errors explain, the report is not `ok` whatever the verdicts.

    Measured by `tests/benchmarks/gradient_check_power.py 5000`, seeds 3 and 4, over drawn functions of one to three
    inputs, with all ops, sums that nearly cancel, zeros, oscillations and branches, at points from 1e-8 to 1e8, at 0,
    ±1 and kinks, and next to them: of 10,000 functions with a planted fault (at one point, on one side, of relative
    size 10⁻¹¹ to 1, arguments swapped, a term missing) that exceeds ten times the estimated error, it finds 9,998; in
    as many right functions it raises no false alarm, and cannot tell for 0.14% of the derivatives.

    Raises `GradcheckError`, which holds the report, for a "FAIL": the message names the argument, the numbers, the
    allowed error, and the first op whose local derivative is wrong, with the source line that applied it. The other
    verdicts do not raise; `report.undecided` lists the derivatives that are neither "ok" nor "FAIL", so a test that
    needs every derivative confirmed asserts `not report.undecided`. Raises `ValueError` if f(*xs) is not finite,
    `TypeError` if it is not one number.

    >>> from microgradlib import sin, tanh
    >>> report = gradcheck(lambda w, x: tanh(w * x), [0.5, 2.0])
    >>> report.ok, [check.verdict for check in report.checks]
    (True, ['ok', 'ok'])
    >>> gradcheck(sin, [1e17]).checks[0].verdict  # neighbouring floats are 16 apart
    'cannot tell'
    """
    check_function(f)
    if isinstance(order, bool) or order not in (1, 2):
        message = f"gradcheck checks derivatives of order 1 or 2, got order={shown(order)}; write order=1"
        raise ValueError(message)
    point = as_point(xs)
    names = argument_names(f, len(point))
    value = record(f, point, names).output.data
    if not math.isfinite(value):
        message = f"gradcheck needs xs at which f is finite, got f({', '.join(map(repr, point))}) = {value}"
        raise ValueError(message)
    second: list[DerivativeCheck] = []
    if order == 2:
        for i, name in enumerate(names):
            second += _checks(gradient_entry(f, i), point, names, f"∂f/∂{name} by ")
    first = _checks(f, point, names)
    decided = [check.verdict in {"ok", "FAIL"} for check in first]
    direction = [v * known for v, known in zip(default_direction(point), decided)]
    allowed = sum(abs(v) * check.allowed for v, check in zip(direction, first) if v)
    widest = min((check.numeric.step / abs(v) for v, check in zip(direction, first) if v), default=0.0)
    allowed = math.inf if math.isnan(allowed) else allowed  # of errors that are infinite
    taylor = replace(taylor_slope(f, point, direction, allowed=allowed), widest=widest)
    report = GradcheckReport(tuple(point), value, tuple(first), tuple(second), taylor)
    if not report.ok:
        raise GradcheckError(report)
    return report


def _checks(
    f: Callable[..., Any], point: Sequence[float], names: Sequence[str], prefix: str = ""
) -> list[DerivativeCheck]:
    here = record(f, point, names)
    faults = FaultFinder(f, point)
    return [_check(compare(f, point, i, here), i, here, faults, prefix + name) for i, name in enumerate(names)]


def _check(found: Comparison, i: int, here: Recording, faults: FaultFinder, name: str) -> DerivativeCheck:
    """Return the check of ∂f/∂xᵢ by the recording `here`; `name` stands for the argument in the report."""
    verdict, fault, cause = found.verdict, None, ""
    if verdict != "ok":
        fault, cause = faults.find(i, found)
        if fault or (verdict == "differs" and cause):
            verdict = "FAIL"
        else:
            verdict = {"differs": "cannot tell", "convention": "kink"}.get(verdict, verdict)
            cause = indeterminate_note(here.table, {}) if math.isnan(found.reverse) else ""
    numbers = (found.reverse, found.forward, found.numeric, found.allowed)
    return DerivativeCheck(name, *numbers, verdict, found.crossed, fault, cause)

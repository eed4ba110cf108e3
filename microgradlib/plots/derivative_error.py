"""plot_derivative_error: the error of difference quotients against their step."""

from __future__ import annotations

import math
from typing import Any

from microgradlib._support.number import as_float
from microgradlib._support.shown import shown
from microgradlib.derivatives import grad
from microgradlib.errors import SymbolHasNoValueError
from microgradlib.numeric import complex_step_derivative, numeric_derivative, numeric_gradient
from microgradlib.plots.axes import axes_of, closing_on_error, numpy_for
from microgradlib.viz.captions import Language, captions

__all__ = ["plot_derivative_error"]

_SMALLEST = 1e-17
"""Smaller relative errors, 0 among them, are drawn here."""
_STEPS = (-16.0, 0.0, 97)


@closing_on_error
def plot_derivative_error(f: Any, x: float, *, lang: Language = "en", ax: Any = None) -> Any:
    """Plot the relative error of difference quotients of f at x against the step ε, both logarithmic; return the Axes.

    The derivative to compare with is f′(x) by backpropagation. The error of the forward quotient falls as ε, that of
    the central one as ε², until rounding, which grows as 1/ε, takes over: at about ε = 10⁻⁸ and 10⁻⁵. Straight lines
    show extrapolated differences (`numeric_derivative`) and the complex step, whose step can be as small as one likes.
    Errors below 10⁻¹⁷ are drawn as 10⁻¹⁷.

    Args:
        f: a function of one number, written with the operators and functions of this library.
        x: where to differentiate.
        lang: the language of the captions, "en" or "zh".
        ax: matplotlib Axes; None makes a new figure.

    Raises:
        MissingExtraError: matplotlib is not installed.
        TypeError: f is no function, or x no number.
        ValueError: f′(x) is not finite, or an unknown language.

    >>> from microgradlib import exp
    >>> axes = plot_derivative_error(exp, 1.0)
    >>> axes.get_xscale(), [line.get_label() for line in axes.lines][:2]
    ('log', ['forward', 'central'])
    """
    if not callable(f):
        message = f"plot_derivative_error takes a function of one number, got {shown(f)}"
        raise TypeError(message)
    say = captions(lang)
    at = as_float(x)
    exact = float(grad(f)(at))
    if not math.isfinite(exact):
        message = f"f′({at:g}) is {exact}: choose an x where f has a finite derivative"
        raise ValueError(message)
    np = numpy_for("plot_derivative_error")
    steps = np.logspace(*_STEPS)
    axes = axes_of(ax, "plot_derivative_error")
    axes.set(xscale="log", yscale="log", xlabel=say("step ε"))
    axes.set(ylabel=say("relative error" if exact else "error"))
    for method, colour, line in (("forward", "#d55e00", "-"), ("central", "#0072b2", "--")):
        errors = [_error(numeric_gradient(f, at, method, step), exact) for step in steps.tolist()]  # type: ignore[call-overload]
        axes.plot(steps, errors, label=say(method), color=colour, linestyle=line)
    extrapolated = _error(numeric_derivative(f, at).value, exact)
    axes.axhline(extrapolated, color="#009e73", linestyle="-.", label=say("extrapolated"))
    try:
        complex_step = _error(complex_step_derivative(f, at), exact)
    except (TypeError, ValueError, SymbolHasNoValueError):  # f is no analytic function here, or reads its argument
        complex_step = math.nan
    if not math.isnan(complex_step):
        axes.axhline(complex_step, color="#cc79a7", linestyle=":", label=say("complex step"))
    axes.legend(fontsize="small")
    return axes


def _error(approximate: float, exact: float) -> float:
    """Return the relative error, absolute where the exact derivative is 0; nan where f left its domain."""
    return max(abs(approximate - exact) / (abs(exact) or 1.0), _SMALLEST) if math.isfinite(approximate) else math.nan

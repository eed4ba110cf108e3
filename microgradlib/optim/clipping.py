"""Gradient clipping, by norm and by value: of a list or array, and of the `grad` of parameters."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, overload

from microgradlib._support.calling import in_plain_words
from microgradlib._support.checks import boolean, real_number
from microgradlib._support.floats import FLOATS
from microgradlib._support.number import is_array
from microgradlib._support.shown import shown
from microgradlib.core.assignment import assign
from microgradlib.ops import selection
from microgradlib.optim.parameters import checked_numbers, checked_values, numpy

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from microgradlib.core.value import Value
    from microgradlib.optim.types import ArrayT

__all__ = ["clip_by_norm", "clip_by_value", "clip_grad_norm", "clip_grad_value"]

EPSILON = 1e-6
"""Added to the norm before dividing by it, as in PyTorch."""


@overload
def clip_by_norm(
    gradient: Sequence[float], max_norm: float, *, error_if_nonfinite: bool = False
) -> tuple[list[float], float]: ...


@overload
def clip_by_norm(gradient: ArrayT, max_norm: float, *, error_if_nonfinite: bool = False) -> tuple[ArrayT, float]: ...


@in_plain_words
def clip_by_norm(gradient: Any, max_norm: float, *, error_if_nonfinite: bool = False) -> tuple[Any, float]:
    """Return the gradient, scaled down to the norm `max_norm` if its norm is larger, and its original norm ‖g‖.

        g ← g · min(1, max_norm / (‖g‖ + 10⁻⁶)),   ‖g‖ = √Σᵢ gᵢ²

    The direction is kept; the norm is taken over all parameters together. As in PyTorch, the 10⁻⁶ makes the result
    slightly shorter than `max_norm`. `gradient` is a list of numbers, which gives a new list, or an array, which gives
    a new array. (*Deep Learning*, 10.11.1.)

    A gradient with an infinite number has norm inf: its finite numbers become 0 and its infinite ones nan. With a nan
    and nothing infinite, the norm is nan and every number becomes nan. With `error_if_nonfinite` either raises
    `ValueError`, as does a negative or nan `max_norm`.

    >>> clip_by_norm([3.0, 4.0], max_norm=10.0)
    ([3.0, 4.0], 5.0)
    >>> clipped, norm = clip_by_norm([30.0, 40.0], max_norm=5.0)
    >>> [round(g, 6) for g in clipped], norm
    ([3.0, 4.0], 50.0)
    """
    limit = real_number(max_norm, "max_norm", ge=0, finite=False, example=1.0)
    error_if_nonfinite = boolean(error_if_nonfinite, "error_if_nonfinite", numbers=True)
    g = _checked_gradient(gradient)
    norm = _norm(g)
    if error_if_nonfinite and not math.isfinite(norm):
        message = f"the norm of the gradient is {norm}, so it cannot be clipped; detect_anomaly() finds the cause"
        raise ValueError(message)
    scale = FLOATS.minimum(1.0, limit / (norm + EPSILON))
    if not is_array(g):
        return [number * scale for number in g], norm
    with numpy().errstate(all="ignore"):  # inf · 0 is nan, as documented
        return g * scale, norm


@overload
def clip_by_value(gradient: Sequence[float], limit: float) -> list[float]: ...


@overload
def clip_by_value(gradient: ArrayT, limit: float) -> ArrayT: ...


def clip_by_value(gradient: Any, limit: float) -> Any:
    """Return the gradient with each number clipped to [−limit, limit]: gᵢ ← min(max(gᵢ, −limit), limit).

    Each number is clipped independently, so the direction may change. A nan stays nan. `gradient` is a list of numbers
    or an array, and a new one is returned. Raises `ValueError` for a negative or nan limit.

    >>> clip_by_value([0.5, -3.0], limit=1.0)
    [0.5, -1.0]
    """
    bound = real_number(limit, "limit", ge=0, finite=False, example=1.0)
    g = _checked_gradient(gradient)
    clip = selection.clip.value
    return clip(numpy(), g, -bound, bound) if is_array(g) else [clip(FLOATS, number, -bound, bound) for number in g]


@in_plain_words
def clip_grad_norm(parameters: Value | Iterable[Value], max_norm: float, *, error_if_nonfinite: bool = False) -> float:
    """Clip the gradients of the parameters by their total norm, as `clip_by_norm`; return the original norm.

    Equivalent to PyTorch's `clip_grad_norm_`. If an error is raised, no gradient has been changed.

    >>> from microgradlib import Value
    >>> w = Value(3.0)
    >>> (w * w).backward()
    >>> clip_grad_norm([w], max_norm=1.0), round(w.grad, 6)
    (6.0, 1.0)
    """
    values = checked_values(parameters)
    clipped, norm = clip_by_norm([p.grad for p in values], max_norm, error_if_nonfinite=error_if_nonfinite)
    assign(values, "grad", clipped)
    return norm


@in_plain_words
def clip_grad_value(parameters: Value | Iterable[Value], limit: float) -> None:
    """Clip each gradient of the parameters to [−limit, limit], as `clip_by_value`.

    Equivalent to PyTorch's `clip_grad_value_`. If an error is raised, no gradient has been changed.

    >>> from microgradlib import Value
    >>> w = Value(-3.0)
    >>> (w * w).backward()
    >>> clip_grad_value([w], limit=1.0)
    >>> w.grad
    -1.0
    """
    values = checked_values(parameters)
    assign(values, "grad", clip_by_value([p.grad for p in values], limit))


def _checked_gradient(gradient: Any) -> Any:
    """Return an array unchanged, a list or tuple of numbers as a list of floats. Raises `TypeError` for others."""
    if is_array(gradient) and gradient.dtype.kind in "fiu":
        return gradient
    if not isinstance(gradient, (list, tuple)):
        of = f" of dtype {gradient.dtype}" if is_array(gradient) else ""
        message = f"a gradient must be a list or an array of numbers, got {shown(gradient)}{of}"
        raise TypeError(message)
    return checked_numbers(gradient, len(gradient), "the gradient")


def _norm(g: Any) -> float:
    """Return √Σᵢ gᵢ², without overflow or underflow of the squares."""
    if is_array(g):
        with numpy().errstate(all="ignore"):
            norm = float(numpy().linalg.norm(numpy().asarray(g, dtype=float).ravel()))
        if 1e-150 < norm < math.inf:
            return norm
        g = g.ravel().tolist()
    return math.hypot(*g)

"""What numbers an optimiser's settings may be, each checked where it is given."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from microgradlib._support.number import as_float, is_whole

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CHECKS", "non_negative", "whole"]


def non_negative(number: Any, name: str) -> float:
    """Return `number` as a float. Raises `ValueError` unless 0 ≤ number < ∞, `TypeError` for what is no number.

    >>> non_negative(-0.1, "lr")
    Traceback (most recent call last):
    ValueError: lr is a finite number ≥ 0, got -0.1
    """
    checked = _number(number, name)
    if not 0 <= checked < math.inf:
        message = f"{name} is a finite number ≥ 0, got {number!r}"
        raise ValueError(message)
    return checked


def whole(number: Any, name: str, least: int = 1) -> int:
    """Return `number`. Raises `ValueError` below `least`, `TypeError` for what is no whole number.

    >>> whole(0, "steps")
    Traceback (most recent call last):
    ValueError: steps is a whole number ≥ 1, got 0
    """
    if not is_whole(number):
        message = f"{name} is a whole number ≥ {least}, got {number!r}"
        raise TypeError(message)
    if number < least:
        message = f"{name} is a whole number ≥ {least}, got {number!r}"
        raise ValueError(message)
    return int(number)


def _number(number: Any, name: str) -> float:
    try:
        return as_float(number)
    except TypeError as error:
        message = f"{name}: {error}"
        raise TypeError(message) from None


def _decay_rate(number: Any, name: str) -> float:
    checked = _number(number, name)
    if not 0 <= checked < 1:
        message = f"{name} is the share of a running mean that stays at each step, 0 ≤ {name} < 1, got {number!r}"
        raise ValueError(message)
    return checked


def _two_decay_rates(numbers: Any, name: str) -> tuple[float, float]:
    if not isinstance(numbers, (list, tuple)) or len(numbers) != 2:
        message = f"{name} is a pair (β₁, β₂), as in (0.9, 0.999), got {numbers!r}"
        raise TypeError(message)
    return _decay_rate(numbers[0], f"{name}[0]"), _decay_rate(numbers[1], f"{name}[1]")


def _yes_or_no(answer: Any, name: str) -> bool:
    if answer is not True and answer is not False:
        message = f"{name} is True or False, got {answer!r}"
        raise TypeError(message)
    return bool(answer)


CHECKS: dict[str, Callable[[Any, str], Any]] = {
    "momentum": non_negative,
    "dampening": _number,
    "weight_decay": non_negative,
    "nesterov": _yes_or_no,
    "betas": _two_decay_rates,
    "eps": non_negative,
    "amsgrad": _yes_or_no,
    "alpha": _decay_rate,
    "centered": _yes_or_no,
    "lr_decay": non_negative,
    "initial_accumulator_value": non_negative,
}
"""The check of each setting, by its name: it returns the setting as it is kept, or raises."""

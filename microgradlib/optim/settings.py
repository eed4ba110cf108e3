"""The check of each optimiser setting, by the setting's name."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from microgradlib._support.checks import boolean, fraction, non_negative, real_number, shown

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CHECKS"]

_decay_rate = partial(fraction, example=0.9)


def _two_decay_rates(numbers: Any, name: str) -> tuple[float, float]:
    if not isinstance(numbers, (list, tuple)) or len(numbers) != 2:
        message = f"{name} must be a pair (β₁, β₂), got {shown(numbers)}; write {name}=(0.9, 0.999)"
        raise TypeError(message)
    return _decay_rate(numbers[0], f"{name}[0]"), _decay_rate(numbers[1], f"{name}[1]")


CHECKS: dict[str, Callable[[Any, str], Any]] = {
    "momentum": partial(non_negative, example=0.9),
    "dampening": partial(real_number, example=0.0),
    "weight_decay": partial(non_negative, example=0.01),
    "nesterov": boolean,
    "betas": _two_decay_rates,
    "eps": partial(non_negative, example=1e-8),
    "amsgrad": boolean,
    "alpha": _decay_rate,
    "centered": boolean,
    "lr_decay": partial(non_negative, example=0.01),
    "maximize": boolean,
    "initial_accumulator_value": partial(non_negative, example=0.0),
}
"""The function check(setting, name) of each setting: it returns the checked setting, or raises."""

"""Learning-rate schedules: functions of the step number, from 0; they raise `ValueError` for a negative one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from microgradlib._support.calling import call, refuse_class
from microgradlib._support.checks import fraction, non_negative, whole_number
from microgradlib._support.number import is_whole
from microgradlib.optim.types import Rate

__all__ = ["constant", "cosine", "linear", "step_decay", "warm_up"]

# These are classes for the sake of repr, equality and pickling; their names are lower case as they are used like
# functions.


@dataclass(frozen=True)
class constant:  # noqa: N801
    """η(t) = rate.

    >>> constant(0.1)(1000)
    0.1
    """

    rate: float

    def __post_init__(self) -> None:
        _set(self, rate=non_negative(self.rate, "rate", example=0.01))

    def __call__(self, t: int) -> float:
        """Return the rate."""
        _step(t)
        return self.rate


@dataclass(frozen=True)
class linear:  # noqa: N801
    """η(t) = start + (end − start) t / steps for t < steps, then constant: η(t) = end.

    (*Deep Learning*, 8.3.1; PyTorch's `LinearLR`.)

    >>> rate = linear(start=0.5, end=0.0, steps=4)
    >>> [rate(t) for t in range(6)]
    [0.5, 0.375, 0.25, 0.125, 0.0, 0.0]
    """

    start: float
    end: float
    steps: int

    def __post_init__(self) -> None:
        _check_start_end_steps(self)

    def __call__(self, t: int) -> float:
        """Return the rate of step t."""
        t = _step(t)
        return self.start + (self.end - self.start) * t / self.steps if t < self.steps else self.end


@dataclass(frozen=True)
class cosine:  # noqa: N801
    """η(t) = end + ½ (start − end) (1 + cos(π t / steps)) for t < steps, then constant: η(t) = end.

    Equal to PyTorch's `CosineAnnealingLR` up to t = steps; after that PyTorch's rate rises again.

    >>> rate = cosine(start=0.5, end=0.0, steps=2)
    >>> [round(rate(t), 15) for t in range(4)]
    [0.5, 0.25, 0.0, 0.0]
    """

    start: float
    end: float
    steps: int

    def __post_init__(self) -> None:
        _check_start_end_steps(self)

    def __call__(self, t: int) -> float:
        """Return the rate of step t."""
        t = _step(t)
        if not 0 < t < self.steps:  # exactly start and end, without rounding errors
            return self.end if t > 0 else self.start
        return self.end + (self.start - self.end) * (1 + math.cos(math.pi * t / self.steps)) / 2


@dataclass(frozen=True)
class step_decay:  # noqa: N801
    """η(t) = rate · factor^⌊t / every⌋: multiplied by `factor`, 0 ≤ factor ≤ 1, after every `every` steps.

    PyTorch's `StepLR`.

    >>> rate = step_decay(rate=0.5, every=2, factor=0.5)
    >>> [rate(t) for t in range(6)]
    [0.5, 0.5, 0.25, 0.25, 0.125, 0.125]
    """

    rate: float
    every: int
    factor: float

    def __post_init__(self) -> None:
        _set(
            self,
            rate=non_negative(self.rate, "rate", example=0.01),
            every=whole_number(self.every, "every", example=100),
            factor=fraction(self.factor, "factor", one=True, example=0.5),
        )

    def __call__(self, t: int) -> float:
        """Return the rate of step t."""
        t = _step(t)
        return float(self.rate * self.factor ** (t // self.every))


@dataclass(frozen=True)
class warm_up:  # noqa: N801
    """η(t) = η₀ (t + 1) / steps for t < steps, where η₀ = then(0); after that η(t) = then(t − steps).

    `then` is a schedule or a number. The last step of the warm-up has the full rate η₀. (PyTorch's `SequentialLR` of a
    `LinearLR` from 1 / steps, over steps − 1, and a second schedule.)

    >>> rate = warm_up(4, then=linear(0.5, 0.0, steps=2))
    >>> [rate(t) for t in range(7)]
    [0.125, 0.25, 0.375, 0.5, 0.5, 0.25, 0.0]
    """

    steps: int
    then: Rate

    def __post_init__(self) -> None:
        refuse_class(self.then, "then")
        then = self.then if callable(self.then) else non_negative(self.then, "then", example=0.01)
        _set(self, steps=whole_number(self.steps, "steps", example=100), then=then)

    def __call__(self, t: int) -> float:
        """Return the rate of step t."""
        t = _step(t)
        return self._then(0) * ((t + 1) / self.steps) if t < self.steps else self._then(t - self.steps)

    def _then(self, t: int) -> float:
        if not callable(self.then):
            return self.then
        return non_negative(call(self.then, "then(t)", t), f"then({t})")


def _step(t: Any) -> Any:
    """Return a step number, 0 or above, as Python's: NumPy's would be computed in their own class."""
    return whole_number(t, "t", 0) if is_whole(t) else non_negative(t, "t", example=0)


def _check_start_end_steps(schedule: linear | cosine) -> None:
    """Check and set the fields of a schedule from `start` to `end` in `steps`."""
    _set(
        schedule,
        start=non_negative(schedule.start, "start", example=0.1),
        end=non_negative(schedule.end, "end", example=0.0),
        steps=whole_number(schedule.steps, "steps", example=100),
    )


def _set(schedule: Any, **fields: Any) -> None:
    """Set fields of a frozen dataclass to their checked numbers."""
    for name, checked in fields.items():
        object.__setattr__(schedule, name, checked)

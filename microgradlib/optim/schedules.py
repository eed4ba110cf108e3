"""Learning rates that change from step to step: functions of the step number t, which begins at 0."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from microgradlib.optim.settings import non_negative, whole

__all__ = ["constant", "cosine", "linear", "step_decay", "warm_up"]

# Classes for their repr, equality and pickling; used like functions, and so named like functions.


@dataclass(frozen=True)
class constant:  # noqa: N801
    """η(t) = rate.

    >>> constant(0.1)(1000)
    0.1
    """

    rate: float

    def __post_init__(self) -> None:
        non_negative(self.rate, "rate")

    def __call__(self, t: int) -> float:  # noqa: ARG002
        """Return the rate."""
        return self.rate


@dataclass(frozen=True)
class linear:  # noqa: N801
    """η(t) = start + (end − start) t / steps, then end for good.

    (*Deep Learning*, 8.3.1; PyTorch's `LinearLR`.)

    >>> rate = linear(start=0.5, end=0.0, steps=4)
    >>> [rate(t) for t in range(6)]
    [0.5, 0.375, 0.25, 0.125, 0.0, 0.0]
    """

    start: float
    end: float
    steps: int

    def __post_init__(self) -> None:
        _check_way(self)

    def __call__(self, t: int) -> float:
        """Return the rate of step t."""
        return self.start + (self.end - self.start) * t / self.steps if t < self.steps else self.end


@dataclass(frozen=True)
class cosine:  # noqa: N801
    """η(t) = end + ½ (start − end) (1 + cos(π t / steps)), then end for good: slow, fast, slow.

    PyTorch's `CosineAnnealingLR` up to t = steps, where that turns and climbs again.

    >>> rate = cosine(start=0.5, end=0.0, steps=2)
    >>> [round(rate(t), 15) for t in range(4)]
    [0.5, 0.25, 0.0, 0.0]
    """

    start: float
    end: float
    steps: int

    def __post_init__(self) -> None:
        _check_way(self)

    def __call__(self, t: int) -> float:
        """Return the rate of step t."""
        if not 0 < t < self.steps:  # the ends exactly, not but for rounding
            return self.end if t > 0 else self.start
        return self.end + (self.start - self.end) * (1 + math.cos(math.pi * t / self.steps)) / 2


@dataclass(frozen=True)
class step_decay:  # noqa: N801
    """η(t) = rate · factor^⌊t / every⌋: constant for `every` steps, then less.

    PyTorch's `StepLR`.

    >>> rate = step_decay(rate=0.5, every=2, factor=0.5)
    >>> [rate(t) for t in range(6)]
    [0.5, 0.5, 0.25, 0.25, 0.125, 0.125]
    """

    rate: float
    every: int
    factor: float

    def __post_init__(self) -> None:
        non_negative(self.rate, "rate")
        whole(self.every, "every")
        if non_negative(self.factor, "factor") > 1:
            message = f"factor is the share of the rate that stays, 0 ≤ factor ≤ 1, got {self.factor!r}"
            raise ValueError(message)

    def __call__(self, t: int) -> float:
        """Return the rate of step t."""
        return self.rate * self.factor ** (t // self.every)


@dataclass(frozen=True)
class warm_up:  # noqa: N801
    """η(t) = η₀ (t + 1) / steps for t < steps, where η₀ = then(0); after that η(t) = then(t − steps).

    `then` is a schedule or a number. The last step of the warm-up has the full rate η₀. (PyTorch's `SequentialLR` of a
    `LinearLR` from 1 / steps, over steps − 1, and another.)

    >>> rate = warm_up(4, then=linear(0.5, 0.0, steps=2))
    >>> [rate(t) for t in range(7)]
    [0.125, 0.25, 0.375, 0.5, 0.5, 0.25, 0.0]
    """

    steps: int
    then: float | Callable[[int], float]

    def __post_init__(self) -> None:
        whole(self.steps, "steps")
        if not callable(self.then):
            non_negative(self.then, "then")

    def __call__(self, t: int) -> float:
        """Return the rate of step t."""
        then = self.then if callable(self.then) else constant(self.then)
        return then(0) * ((t + 1) / self.steps) if t < self.steps else then(t - self.steps)


def _check_way(schedule: linear | cosine) -> None:
    """Check a way from `start` to `end` in `steps`."""
    non_negative(schedule.start, "start")
    non_negative(schedule.end, "end")
    whole(schedule.steps, "steps")

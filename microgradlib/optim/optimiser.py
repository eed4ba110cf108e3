"""Optimiser: runs an update rule, stated for one number, over Values or over a whole array."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

from microgradlib._support.floats import FLOATS, evaluate_rule
from microgradlib._support.number import is_array
from microgradlib.optim.parameters import (
    array_to_change,
    assign,
    checked_array,
    checked_numbers,
    checked_values,
    numpy,
)
from microgradlib.optim.settings import CHECKS, non_negative, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["Optimiser"]


class Optimiser:
    """The base of optimisers: parameters, a learning rate, settings, and one buffer for each number a rule remembers.

    `parameters` is a list of leaf Values (a generator is consumed) or one NumPy array of floats, which is changed in
    place. `lr` is a number or a schedule, a function of the step number 0, 1, 2, …; it may be assigned at any time.
    The other settings stay as they are given. `steps` counts the steps taken, `buffers` holds what the rule remembers.

    A rule of your own is a subclass that states `update`, and `buffer_starts` if it remembers anything:

    >>> from microgradlib import Value
    >>> class SignDescent(Optimiser):
    ...     def update(self, xp, t, lr, p, g):
    ...         return (p - lr * xp.where(g > 0, 1.0, -1.0),)
    >>> w = Value(3.0)
    >>> optimiser = SignDescent([w], lr=0.5)
    >>> (w * w).backward()
    >>> optimiser.step()
    >>> w.data
    2.5

    Raises `TypeError` for parameters that are neither, `ValueError` for none, for one listed twice and for a setting
    out of its range.
    """

    def __init__(self, parameters: Any, lr: float | Callable[[int], float], **settings: Any) -> None:
        self.parameters: Any = array_to_change(parameters) if is_array(parameters) else checked_values(parameters)
        self.lr = lr
        self._setting_names = tuple(settings)
        vars(self).update(self._checked(settings))
        self.steps = 0
        self.buffers = {name: self._filled_with(start) for name, start in self.buffer_starts().items()}

    def update(self, xp: Any, t: int, lr: float, p: Any, g: Any, *buffers: Any, **_: Any) -> tuple[Any, ...]:
        """Return the new parameter, then the new buffers, from parameter `p`, gradient `g` and the old buffers.

        The rule itself, for one number or for a whole array of them: `xp` has the elementary functions for either.
        t = 1, 2, … numbers the update; lr is the learning rate of this one. Of the numbers returned, as many are
        remembered as there are buffers.
        """
        raise NotImplementedError

    def buffer_starts(self) -> dict[str, float]:
        """Return the number that each buffer of the rule holds before the first step, in the order of `update`."""
        return {}

    @property
    def settings(self) -> dict[str, Any]:
        """The settings besides `lr` by their names, each also an attribute."""
        return {name: getattr(self, name) for name in self._setting_names}

    @property
    def lr(self) -> float | Callable[[int], float]:
        """The learning rate: a number or a schedule, as it was given."""
        return self._lr

    @lr.setter
    def lr(self, lr: Any) -> None:
        self._lr = lr if callable(lr) else non_negative(lr, "lr")

    @property
    def rate(self) -> float:
        """The learning rate of the next step, as a number: `lr(steps)` of a schedule."""
        return non_negative(self._lr(self.steps), f"lr({self.steps})") if callable(self._lr) else self._lr

    def step(self, gradient: Any = None) -> None:
        """Change every parameter by the rule.

        Values take the gradients in their `grad`, or those in `gradient`: a list or array of numbers in the order of
        the parameters. An array needs `gradient`, of its own shape. All new numbers are computed before the first is
        set, so an error changes nothing. Raises `ValueError` for a gradient of another length, `TypeError` for what is
        no gradient.

        >>> from microgradlib import Value
        >>> from microgradlib.optim import SGD
        >>> w = Value(3.0)
        >>> SGD([w], lr=0.1).step([2.0])
        >>> w.data
        2.8
        """
        if is_array(self.parameters):
            self._step_array(gradient)
        else:
            self._step_values(gradient)

    def _step_values(self, gradient: Any) -> None:
        values = self.parameters
        if gradient is None:
            gradient = [value.grad for value in values]
        slopes = checked_numbers(gradient, len(values), "the gradient")
        t, lr, update = self.steps + 1, self.rate, self.update
        rows = list(zip([value.data for value in values], slopes, *self.buffers.values()))
        try:
            new = [update(FLOATS, t, lr, *row) for row in rows]
        except (ArithmeticError, ValueError):  # say 0/0: IEEE 754's answers then, as arrays give them
            new = [evaluate_rule(lambda xp, *row: update(xp, t, lr, *row), *row) for row in rows]
        numbers, *columns = zip(*new)
        buffers = {name: list(column) for name, column in zip(self.buffers, columns)}
        assign(values, "_data", checked_numbers(numbers, len(values), "what the rule returns"))
        self.steps, self.buffers = t, buffers

    def _step_array(self, gradient: Any) -> None:
        if gradient is None:
            raise TypeError("an array has no grad: pass its gradient, as in step(gradient)")
        array, t, lr = self.parameters, self.steps + 1, self.rate
        slopes = checked_array(gradient, array, "the gradient")
        with numpy().errstate(all="ignore"):  # numbers are IEEE 754's here as for floats
            new, *buffers = self.update(numpy(), t, lr, array, slopes, *self.buffers.values())
        array[...] = new
        self.steps, self.buffers = t, dict(zip(self.buffers, buffers))

    def zero_grad(self) -> None:
        """Set `grad` of every parameter to 0, as must be done before each `backward()`; an array has none to set."""
        if not is_array(self.parameters):
            assign(self.parameters, "grad", [0.0] * len(self.parameters))

    def state_dict(self) -> dict[str, Any]:
        """Return all that another optimiser of this class needs to go on exactly here, in plain numbers and lists.

        The dict may be written as JSON. A schedule is a function and cannot be: its `lr` is None, and the optimiser
        that loads the state must have been given the schedule. The parameters are the model's to save.

        >>> from microgradlib import Value
        >>> from microgradlib.optim import SGD
        >>> SGD([Value(3.0)], lr=0.1, momentum=0.9).state_dict()["buffers"]
        {'velocity': [0.0]}
        """
        settings = {name: list(x) if isinstance(x, tuple) else x for name, x in self.settings.items()}
        buffers = {name: b.tolist() if is_array(b) else list(b) for name, b in self.buffers.items()}
        lr = None if callable(self._lr) else self._lr
        return {"class": type(self).__name__, "steps": self.steps, "lr": lr, "settings": settings, "buffers": buffers}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where `state_dict()` was taken: its steps, buffers, settings and learning rate replace those here.

        Raises `ValueError` for the state of another class or number of parameters, and where it was taken with a
        schedule but there is none here; `TypeError` for what is no state. Nothing has changed then.
        """
        if not hasattr(state, "keys"):
            message = f"a state is a dict, as state_dict() gives, got {type(state).__name__}"
            raise TypeError(message)
        missing = {"class", "steps", "lr", "settings", "buffers"}.difference(state)
        if missing:
            message = f"a state is what state_dict() gives; this one lacks {', '.join(sorted(missing))}"
            raise ValueError(message)
        if state["class"] != type(self).__name__:
            message = f"this is the state of {state['class']}; load it into one, not into {type(self).__name__}"
            raise ValueError(message)
        if state["lr"] is None and not callable(self._lr):
            raise ValueError("this state was taken with a schedule for lr: give this optimiser the schedule first")
        fresh = copy(self)
        if state["lr"] is not None:
            fresh.lr = state["lr"]
        _check_names("settings", state["settings"], self.settings)
        vars(fresh).update(self._checked(state["settings"]))
        fresh.steps = whole(state["steps"], "steps", least=0)
        names = fresh.buffer_starts()
        _check_names("buffers", state["buffers"], names)
        fresh.buffers = {name: self._fitting(state["buffers"][name], f"the buffer {name}") for name in names}
        vars(self).update(vars(fresh))

    def _checked(self, settings: dict[str, Any]) -> dict[str, Any]:
        """Return the settings as they are kept, or raise. Settings of a subclass of yours are kept as given."""
        return {name: CHECKS[name](x, name) if name in CHECKS else x for name, x in settings.items()}

    def _filled_with(self, start: float) -> Any:
        if is_array(self.parameters):
            return numpy().full_like(self.parameters, start)
        return [start] * len(self.parameters)

    def _fitting(self, row: Any, what: str) -> Any:
        """Return a row of numbers as a buffer of these parameters."""
        if is_array(self.parameters):
            return checked_array(row, self.parameters, what)
        return checked_numbers(row, len(self.parameters), what)

    def __repr__(self) -> str:
        n = self.parameters.size if is_array(self.parameters) else len(self.parameters)
        settings = "".join(f", {name}={setting!r}" for name, setting in self.settings.items())
        return f"{type(self).__name__}({n:,} parameter{'s' * (n != 1)}, lr={self._lr!r}{settings})"


def _check_names(what: str, given: Iterable[str], expected: Iterable[str]) -> None:
    if sorted(given) != sorted(expected):
        message = f"the {what} of this optimiser are {', '.join(expected)}; the state has {', '.join(given) or 'none'}"
        raise ValueError(message)

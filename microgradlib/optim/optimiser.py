"""Optimiser, the base class: applies an update rule, stated for one number, to Values or to a whole array."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

from microgradlib._support.checks import non_negative, whole_number
from microgradlib._support.floats import FLOATS, evaluate_rule
from microgradlib._support.number import is_array
from microgradlib.optim.parameters import (
    assign,
    checked_array,
    checked_numbers,
    checked_parameter_array,
    checked_values,
    numpy,
)
from microgradlib.optim.settings import CHECKS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from microgradlib.core.value import Value
    from microgradlib.optim.types import Array, Gradient, Parameters, Rate

__all__ = ["Optimiser"]


class Optimiser:
    """The base class of optimisers: parameters, a learning rate, settings, and the buffers of the update rule.

    `parameters` is a list of leaf Values (a generator is consumed) or one NumPy array of floats, which is changed in
    place. `lr` is a number or a schedule, a function of the step number 0, 1, 2, …; it may be assigned at any time.
    The other settings are fixed. `steps` counts the steps taken; `buffers` holds, by name, the numbers that the rule
    keeps from step to step (such as momentum), one for each parameter.

    An optimiser of your own is a subclass that defines `update`, and `buffer_starts` if its rule has buffers:

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

    Raises `TypeError` for parameters that are neither Values nor an array of floats, `ValueError` for an empty list,
    for a Value listed twice and for a setting out of range.
    """

    parameters: list[Value] | Array
    steps: int
    buffers: dict[str, Any]

    def __init__(self, parameters: Parameters, lr: Rate, **settings: Any) -> None:
        self.parameters = checked_parameter_array(parameters) if is_array(parameters) else checked_values(parameters)
        self.lr = lr
        self._setting_names = tuple(settings)
        vars(self).update(self._checked(settings))
        self.steps = 0
        self.buffers = {name: self._new_buffer(start) for name, start in self.buffer_starts().items()}

    def update(self, xp: Any, t: int, lr: float, p: Any, g: Any, *buffers: Any, **_: Any) -> tuple[Any, ...]:
        """Return the new parameter, then the new buffers, from parameter `p`, gradient `g` and the old buffers.

        This is the update rule, for one number or for an array of them: `xp` provides the elementary functions of both,
        under NumPy's names. t = 1, 2, … is the number of the update, lr its learning rate. Numbers returned beyond the
        parameter and the buffers are ignored.
        """
        raise NotImplementedError

    def buffer_starts(self) -> dict[str, float]:
        """Return the initial number of each buffer, by its name, in the order in which `update` takes them."""
        return {}

    @property
    def settings(self) -> dict[str, Any]:
        """The settings besides `lr` by their names, each also an attribute."""
        return {name: getattr(self, name) for name in self._setting_names}

    @property
    def lr(self) -> Rate:
        """The learning rate: a number or a schedule, as it was given."""
        return self._lr

    @lr.setter
    def lr(self, lr: Rate) -> None:
        self._lr = lr if callable(lr) else non_negative(lr, "lr", example=0.01)

    @property
    def rate(self) -> float:
        """The learning rate of the next step, as a number: `lr(steps)` of a schedule."""
        return non_negative(self._lr(self.steps), f"lr({self.steps})") if callable(self._lr) else self._lr

    def step(self, gradient: Gradient | None = None) -> None:
        """Update every parameter by the rule.

        For Values the gradient is their `grad`, or `gradient`: a list or array of numbers in the order of
        the parameters. An array of parameters needs `gradient`, of its own shape. All new numbers are computed before
        the first is set, so an error changes nothing. Raises `ValueError` for a gradient of another length or shape,
        `TypeError` for anything but a list or array of numbers.

        >>> from microgradlib import Value
        >>> from microgradlib.optim import SGD
        >>> w = Value(3.0)
        >>> SGD([w], lr=0.1).step([2.0])
        >>> w.data
        2.8
        """
        if isinstance(self.parameters, list):
            self._step_values(self.parameters, gradient)
        else:
            self._step_array(self.parameters, gradient)

    def _step_values(self, values: list[Value], gradient: Gradient | None) -> None:
        if gradient is None:
            gradient = [value.grad for value in values]
        slopes = checked_numbers(gradient, len(values), "the gradient")
        t, lr, update = self.steps + 1, self.rate, self.update
        rows = list(zip([value.data for value in values], slopes, *self.buffers.values()))
        try:
            new = [update(FLOATS, t, lr, *row) for row in rows]
        except (ArithmeticError, ValueError):  # such as 0/0: compute by IEEE 754, as arrays do
            new = [evaluate_rule(lambda xp, *row: update(xp, t, lr, *row), *row) for row in rows]
        numbers, *columns = zip(*new)
        buffers = {name: list(column) for name, column in zip(self.buffers, columns)}
        assign(values, "_data", checked_numbers(numbers, len(values), "what the rule returns"))
        self.steps, self.buffers = t, buffers

    def _step_array(self, array: Array, gradient: Gradient | None) -> None:
        if gradient is None:
            raise TypeError("an array has no grad: pass its gradient, as in step(gradient)")
        t, lr = self.steps + 1, self.rate
        slopes = checked_array(gradient, array, "the gradient")
        with numpy().errstate(all="ignore"):  # overflow gives inf and 0/0 nan, without warnings, as for Values
            new, *buffers = self.update(numpy(), t, lr, array, slopes, *self.buffers.values())
        array[...] = new
        self.steps, self.buffers = t, dict(zip(self.buffers, buffers))

    def zero_grad(self) -> None:
        """Set `grad` of every Value to 0, as is needed before each `backward()`; for an array, do nothing."""
        if isinstance(self.parameters, list):
            assign(self.parameters, "grad", [0.0] * len(self.parameters))

    def state_dict(self) -> dict[str, Any]:
        """Return the state from which another optimiser of this class can continue, as plain numbers and lists.

        The dict can be written as JSON. A schedule, being a function, cannot: `lr` is None for it, and the optimiser
        that loads the state must be constructed with the schedule. Parameters are not included: save the model.

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
        """Restore the steps, buffers, settings and learning rate from a result of `state_dict()`.

        Raises `ValueError` for the state of another class or number of parameters, and for a state saved
        with a schedule if this optimiser has none; `TypeError` for anything but a dict. An error changes nothing.
        """
        if not hasattr(state, "keys"):
            message = f"a state must be a dict, as from state_dict(), got {type(state).__name__}"
            raise TypeError(message)
        missing = {"class", "steps", "lr", "settings", "buffers"}.difference(state)
        if missing:
            message = f"the state lacks {', '.join(sorted(missing))}: pass a dict from state_dict()"
            raise ValueError(message)
        if state["class"] != type(self).__name__:
            message = f"the state is that of {state['class']}: it cannot be loaded into {type(self).__name__}"
            raise ValueError(message)
        if state["lr"] is None and not callable(self._lr):
            raise ValueError(
                "the state was saved with a schedule for lr: set lr of this optimiser to the schedule first"
            )
        restored = copy(self)
        if state["lr"] is not None:
            restored.lr = state["lr"]
        _check_names("settings", state["settings"], self.settings)
        vars(restored).update(self._checked(state["settings"]))
        restored.steps = whole_number(state["steps"], "steps", least=0)
        names = restored.buffer_starts()
        _check_names("buffers", state["buffers"], names)
        restored.buffers = {name: self._checked_buffer(state["buffers"][name], f"the buffer {name}") for name in names}
        vars(self).update(vars(restored))

    def _checked(self, settings: dict[str, Any]) -> dict[str, Any]:
        """Return the checked settings, or raise. Settings without an entry in `CHECKS` are returned unchanged."""
        return {name: CHECKS[name](x, name) if name in CHECKS else x for name, x in settings.items()}

    def _new_buffer(self, start: float) -> Any:
        """Return a buffer for these parameters, a list or an array, with every entry `start`."""
        if isinstance(self.parameters, list):
            return [start] * len(self.parameters)
        return numpy().full_like(self.parameters, start)

    def _checked_buffer(self, numbers: Any, name: str) -> Any:
        """Return a list or array of numbers as a buffer for these parameters, a list or an array."""
        if isinstance(self.parameters, list):
            return checked_numbers(numbers, len(self.parameters), name)
        return checked_array(numbers, self.parameters, name)

    def __repr__(self) -> str:
        n = len(self.parameters) if isinstance(self.parameters, list) else self.parameters.size
        settings = "".join(f", {name}={setting!r}" for name, setting in self.settings.items())
        return f"{type(self).__name__}({n:,} parameter{'s' * (n != 1)}, lr={self._lr!r}{settings})"


def _check_names(kind: str, given: Iterable[str], expected: Iterable[str]) -> None:
    if sorted(given) != sorted(expected):
        names, given_names = (", ".join(n) or "none" for n in (expected, given))
        message = f"the {kind} of this optimiser are {names}; the state has {given_names}"
        raise ValueError(message)

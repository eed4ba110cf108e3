"""Optimiser, the base class: applies an update rule, stated for one number, to Values or to a whole array."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from functools import partial
from itertools import starmap
from typing import TYPE_CHECKING, Any

from microgradlib._support.calling import call, in_plain_words, refuse_class
from microgradlib._support.checks import check_class, non_negative
from microgradlib._support.interrupts import at_once
from microgradlib._support.shown import shown
from microgradlib.core.assignment import assign
from microgradlib.ops import ZERO
from microgradlib.optim.groups import (
    Group,
    ParameterGroup,
    advances,
    check_distinct,
    group_arguments,
    joined,
    new_buffer,
)
from microgradlib.optim.moves import moved_array, moved_values, slopes_of_arrays, slopes_of_values
from microgradlib.optim.parameters import numpy
from microgradlib.optim.settings import CHECKS
from microgradlib.optim.state import load_groups, state_of

if TYPE_CHECKING:
    from microgradlib.optim.types import Gradient, Parameters, Rate

__all__ = ["Optimiser"]


class Optimiser:
    """The base class of optimisers: parameters, a learning rate, settings, and the buffers of the update rule.

    `parameters` is a list of leaf Values (a generator is consumed) or one NumPy array of floats, which is changed in
    place; or, as in PyTorch, a list of groups: dicts with the key "params" (Values or an array) and any of "lr", the
    settings and "name", which hold for this group in place of those given here (see `param_groups`). `lr` is a number
    or a schedule, a function of the step number 0, 1, 2, …; it may be assigned at any time. The setting `maximize`,
    which all optimisers have, steps uphill: the sign of the gradient is changed before anything else. `steps` counts
    the steps taken; `buffers` holds, by name, the numbers that the rule keeps from step to step (such as momentum),
    one for each parameter.

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

    Raises `TypeError` for parameters that are neither Values nor an array of floats nor groups of them, `ValueError`
    for an empty list, for a Value listed twice and for a setting out of range or unknown.
    """

    maximize: bool

    def __init__(self, parameters: Parameters, lr: Rate, **settings: Any) -> None:
        settings.setdefault("maximize", False)
        groups = group_arguments(parameters)
        self.lr = lr
        self._setting_names = tuple(settings)
        vars(self).update(self._checked(settings))
        self._groups = groups
        for group in groups:
            own, group.own = group.own, {}
            self.configure(group, own)

    def update(self, xp: Any, t: int, lr: float, p: Any, g: Any, *buffers: Any, **_: Any) -> tuple[Any, ...]:
        """Return the new parameter, then the new buffers, from parameter `p`, gradient `g` and the old buffers.

        This is the update rule, for one number or for an array of them: `xp` provides the elementary functions of both,
        under NumPy's names. t = 1, 2, … is the number of the update, lr its learning rate. Numbers returned beyond the
        parameter and the buffers are ignored.
        """
        message = f"{type(self).__name__} has no update rule: define update(self, xp, t, lr, p, g, ...)"
        raise NotImplementedError(message)

    def buffer_starts(self) -> dict[str, float]:
        """Return the initial number of each buffer, by its name, in the order in which `update` takes them."""
        return {}

    @property
    def parameters(self) -> Any:
        """The parameters: a tuple of Values, all groups' one after another, or the array, or a tuple of the arrays."""
        first = self._groups[0].parameters
        if isinstance(first, list):
            return tuple(joined(self._groups))
        return first if len(self._groups) == 1 else tuple([group.parameters for group in self._groups])

    @property
    def steps(self) -> int:
        """The number of steps taken, by the group with the most if one was added later."""
        return max(group.steps for group in self._groups)

    @property
    def buffers(self) -> dict[str, Any]:
        """The buffers by name; those of the first group, if there are several: see `param_groups`."""
        return self._groups[0].buffers

    @property
    def param_groups(self) -> tuple[ParameterGroup, ...]:
        """The groups, at least one, as mappings whose "lr" and settings may be assigned at any time.

        A group that sets no "lr", or no setting of a name, has that of the optimiser itself.
        """
        return tuple([ParameterGroup(self, group) for group in self._groups])

    def add_param_group(self, group: Mapping[str, Any]) -> None:
        """Add a group, a dict as in the constructor. It starts at step 1 of the rule. An error changes nothing."""
        [added] = group_arguments([group])
        groups = [*self._groups, added]
        check_distinct(groups)
        own, added.own = added.own, {}
        before, self._groups = self._groups, groups
        try:
            self.configure(added, own)
        except BaseException:
            self._groups = before
            raise

    def configure(self, group: Group, own: Mapping[str, Any]) -> None:
        """Set the learning rate and settings of a group, and adapt its buffers; those of the only group are the rule's.

        Raises `ValueError` for a name that is no setting and for a setting out of range, `TypeError` for one of the
        wrong kind; an error changes nothing.
        """
        check_class(group, Group, "group", "one of this optimiser's own")
        check_class(own, Mapping, "own", 'of settings by name, such as {"lr": 0.1}')
        known = ("lr", *self._setting_names, "name")
        unknown = [name for name in own if name not in known]
        if unknown:
            message = f"a group of {type(self).__name__} sets any of {', '.join(known)}, got {shown(unknown[0])}"
            raise ValueError(message)
        rule = self._rule(group)
        settings = {name: x for name, x in own.items() if name in self._setting_names}
        checked = rule._checked({**rule.settings, **settings})
        new: dict[str, Any] = {name: checked.get(name, x) for name, x in own.items()}
        if "lr" in new:
            new["lr"] = _checked_rate(new["lr"])
        if len(self._groups) == 1:
            vars(self).update({"_lr" if name == "lr" else name: x for name, x in new.items() if name != "name"})
            new = {name: x for name, x in new.items() if name == "name"}
        group.own = {**group.own, **new}
        starts = self._rule(group).buffer_starts()
        group.buffers = {
            name: group.buffers[name] if name in group.buffers else new_buffer(group, start)
            for name, start in starts.items()
        }

    def __setattr__(self, name: str, new: Any) -> None:
        """Assign an attribute; a setting is checked as in the constructor."""
        if name in CHECKS and name in vars(self).get("_setting_names", ()):
            new = CHECKS[name](new, name)
        object.__setattr__(self, name, new)

    @property
    def settings(self) -> dict[str, Any]:
        """The settings besides `lr` by their names, each also an attribute."""
        return {name: getattr(self, name) for name in self._setting_names}

    @property
    def lr(self) -> Rate:
        """The learning rate: a number or a schedule, as it was given; groups may have their own."""
        return self._lr

    @lr.setter
    def lr(self, lr: Rate) -> None:
        self._lr = _checked_rate(lr)

    @property
    def rate(self) -> float:
        """The learning rate of the next step, as a number: `lr(steps)` of a schedule; that of the first group."""
        return self._rate(self._groups[0])

    def _rate(self, group: Group, later: int = 0) -> float:
        """Return the learning rate of a group's next step, or of one so many steps later."""
        lr, step = group.own.get("lr", self._lr), group.steps + later
        return non_negative(call(lr, "lr(t)", step), f"lr({step})") if callable(lr) else lr

    def _rule(self, group: Group) -> Optimiser:
        """Return the optimiser whose `update` is the rule of a group: with the group's own settings as attributes."""
        own = group.settings
        if not own:
            return self
        rule = copy(self)
        vars(rule).update(own)
        return rule

    @in_plain_words
    def step(self, gradient: Gradient | None = None) -> None:
        """Update every parameter by the rule.

        For Values the gradient is their `grad`, or `gradient`: a list or array of numbers in the order of
        the parameters. An array of parameters needs `gradient`, of its own shape; groups of arrays a list of gradients,
        or one flat array for all. All new numbers are computed before the first is set, so an error changes nothing.
        Raises `ValueError` for a gradient of another length or shape, `TypeError` for anything but a list or array of
        numbers.

        >>> from microgradlib import Value
        >>> from microgradlib.optim import SGD
        >>> w = Value(3.0)
        >>> SGD([w], lr=0.1).step([2.0])
        >>> w.data
        2.8
        """
        groups = self._groups
        if isinstance(groups[0].parameters, list):
            parts = list(zip(groups, slopes_of_values(groups, gradient)))
            moved = [moved_values(self._rule(group), group, self._rate(group), slopes) for group, slopes in parts]
            numbers = [number for numbers, _ in moved for number in numbers]
            assign(joined(groups), "_float", numbers, *advances(groups, moved))
        else:
            parts = list(zip(groups, slopes_of_arrays(groups, gradient)))
            moved = [self.moved_array(group, group.parameters, slopes) for group, slopes in parts]
            if len(groups) == 1:
                (group,), ((new, buffers),) = groups, moved
                group.parameters[...] = new  # type: ignore[call-overload]  # from here on no call: no Ctrl-C comes
                group.steps, group.held = group.steps + 1, buffers
                return
            writes = [partial(group.parameters.__setitem__, ..., new) for group, (new, _) in zip(groups, moved)]
            at_once([*writes, *starmap(partial, [(setattr, *each) for each in advances(groups, moved)])])

    def moved_array(self, group: Group, numbers: Any, slopes: Any) -> tuple[Any, dict[str, Any]]:
        """Return what the next step makes of an array of numbers of this group, and of the group's buffers."""
        check_class(group, Group, "group", "one of this optimiser's own")
        with numpy().errstate(all="ignore"):  # overflow gives inf and 0/0 nan, without warnings, as for Values
            return moved_array(
                numpy(), self._rule(group), group.steps + 1, self._rate(group), numbers, slopes, group.held
            )

    def zero_grad(self) -> None:
        """Set `grad` of every Value to 0, not reached, as needed before each `backward()`; for an array, do nothing."""
        if isinstance(self._groups[0].parameters, list):
            values = joined(self._groups)
            assign(values, "grad", [ZERO] * len(values))

    def state_dict(self) -> dict[str, Any]:
        """Return the state from which another optimiser of this class can continue, as plain numbers and lists.

        The dict can be written as JSON. A schedule, being a function, cannot: `lr` is None for it, and the optimiser
        that loads the state must be constructed with the schedule. Parameters are not included: save the model. With
        several groups the state of each is in the list "groups".

        >>> from microgradlib import Value
        >>> from microgradlib.optim import SGD
        >>> SGD([Value(3.0)], lr=0.1, momentum=0.9).state_dict()["buffers"]
        {'velocity': [0.0]}
        """
        states = [state_of(view, group) for view, group in zip(self.param_groups, self._groups)]
        return {"class": type(self).__name__, **(states[0] if len(states) == 1 else {"groups": states})}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore the steps, buffers, settings and learning rate from a result of `state_dict()`.

        Raises `ValueError` for the state of another class or number of parameters or groups, and for a state saved
        with a schedule if this optimiser has none; `TypeError` for anything but a dict. An error changes nothing.
        """
        restored = copy(self)
        restored._groups = [Group(group.parameters, dict(group.own)) for group in self._groups]
        load_groups(restored, restored._groups, state)
        vars(self).update(vars(restored))

    def _checked(self, settings: dict[str, Any]) -> dict[str, Any]:
        """Return the checked settings, or raise. Settings without an entry in `CHECKS` are returned unchanged."""
        return {name: CHECKS[name](x, name) if name in CHECKS else x for name, x in settings.items()}

    def __repr__(self) -> str:
        n = sum(len(p) if isinstance(p, list) else p.size for p in (group.parameters for group in self._groups))
        groups = f" in {len(self._groups)} groups" if len(self._groups) > 1 else ""
        settings = {name: x for name, x in self.settings.items() if name != "maximize" or x}
        settings_text = "".join(f", {name}={setting!r}" for name, setting in settings.items())
        return f"{type(self).__name__}({n:,} parameter{'s' * (n != 1)}{groups}, lr={self._lr!r}{settings_text})"


def _checked_rate(lr: Rate) -> Rate:
    refuse_class(lr, "lr")
    return lr if callable(lr) else non_negative(lr, "lr", example=0.01)

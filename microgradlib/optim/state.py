"""The state of an optimiser's groups as plain numbers and lists, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from microgradlib._support.checks import whole_number
from microgradlib._support.number import is_array
from microgradlib._support.printable import one_line, shorten
from microgradlib._support.shown import shown
from microgradlib.optim.groups import joined
from microgradlib.optim.parameters import checked_array, checked_numbers

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from microgradlib.optim.groups import Group, ParameterGroup
    from microgradlib.optim.types import UpdateRule

__all__ = ["load_groups", "state_of"]

MOST_STEPS = 2**53
"""As a float, a larger count of steps would stay the same after one more."""


def state_of(view: ParameterGroup, group: Group) -> dict[str, Any]:
    """Return a group's steps, learning rate (None for a schedule), settings and buffers."""
    hidden = {"params", "lr", "name"}
    settings = {name: list(x) if isinstance(x, tuple) else x for name, x in view.items() if name not in hidden}
    buffers = {name: b.tolist() if is_array(b) else list(b) for name, b in group.buffers.items()}
    lr = None if callable(view["lr"]) else view["lr"]
    return {"steps": group.steps, "lr": lr, "settings": settings, "buffers": buffers}


def load_groups(optimiser: UpdateRule, groups: Sequence[Group], state: Any) -> None:
    """Set the settings, steps and buffers of the groups of an optimiser to those of its `state_dict()`."""
    _check_dict(state, "a state")
    _check_keys({"class"}, state)
    if state["class"] != type(optimiser).__name__:
        message = f"the state is that of {shown(state['class'])}: it cannot be loaded into {type(optimiser).__name__}"
        raise ValueError(message)
    states = state.get("groups", [state])
    if not isinstance(states, (list, tuple)):
        message = f"the groups of a state must be a list, as from state_dict(), got {shown(states)}"
        raise TypeError(message)
    if len(states) != len(groups):
        message = (
            f"this optimiser has {len(groups)} group{'s' * (len(groups) > 1)} of parameters, the state {len(states)}"
        )
        raise ValueError(message)
    for view, group, part in zip(optimiser.param_groups, groups, states):
        _load(optimiser, view, group, part)


def _load(optimiser: UpdateRule, view: ParameterGroup, group: Group, state: Any) -> None:
    _check_dict(state, "the state of a group")
    _check_keys({"steps", "lr", "settings", "buffers"}, state)
    _check_dict(state["settings"], "the settings of a state")
    _check_dict(state["buffers"], "the buffers of a state")
    if state["lr"] is None and not callable(view["lr"]):
        raise ValueError("the state was saved with a schedule for lr: set lr of this optimiser to the schedule first")
    settings = {"maximize": False, **state["settings"]}
    _check_names("settings", settings, optimiser.settings)
    optimiser.configure(group, settings if state["lr"] is None else {"lr": state["lr"], **settings})
    steps = whole_number(state["steps"], "steps", least=0)
    if steps > MOST_STEPS:
        message = f"the state has {shown(steps)} steps, more than any training takes"
        raise ValueError(message)
    group.steps = steps
    _check_names("buffers", state["buffers"], group.buffers)
    group.buffers = {
        name: _checked_buffer(group, state["buffers"][name], f"the buffer {name}") for name in group.buffers
    }


def _checked_buffer(group: Group, numbers: Any, name: str) -> Any:
    """Return a list or array of numbers as a buffer for the parameters of the group, a list or an array."""
    if isinstance(group.parameters, list):
        return checked_numbers(numbers, len(joined([group])), name)
    return checked_array(numbers, group.parameters, name)


def _check_dict(part: Any, what: str) -> None:
    if not hasattr(part, "keys"):
        message = f"{what} must be a dict, as from state_dict(), got {shown(part)}"
        raise TypeError(message)


def _check_keys(expected: set[str], state: Any) -> None:
    missing = expected.difference(state)
    if missing:
        message = f"the state lacks {', '.join(sorted(missing))}: pass a dict from state_dict()"
        raise ValueError(message)


def _check_names(kind: str, given: Iterable[str], expected: Iterable[str]) -> None:
    if sorted(given) != sorted(expected):
        names, given_names = (shorten(one_line(", ".join(map(str, n))), 400) or "none" for n in (expected, given))
        message = f"the {kind} of this optimiser are {names}; the state has {given_names}"
        raise ValueError(message)

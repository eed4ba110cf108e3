"""Parameter groups: parts of an optimiser's parameters with a learning rate and settings of their own."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from microgradlib._support.number import is_array
from microgradlib._support.shown import shown
from microgradlib.core.value import Value
from microgradlib.optim.parameters import checked_parameter_array, checked_values, numpy

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from microgradlib.optim.types import Array, UpdateRule

__all__ = ["Group", "ParameterGroup", "advances", "check_distinct", "group_arguments", "joined", "new_buffer"]


@dataclass(eq=False)
class Group:
    """The parameters of a group, what it sets for itself, its number of steps and its buffers.

    `own` holds the learning rate ("lr"), the settings and the "name" that this group does not share with the others.
    """

    parameters: list[Value] | Array
    own: dict[str, Any] = field(default_factory=dict)
    steps: int = 0
    held: dict[str, Any] = field(default_factory=dict)
    """The buffers as the last step left them: for Values lists, or arrays after steps on a flat array."""

    @property
    def buffers(self) -> dict[str, Any]:
        """The buffers, for Values as lists."""
        if isinstance(self.parameters, list):
            for name, buffer in self.held.items():
                if not isinstance(buffer, list):
                    self.held[name] = numpy().broadcast_to(buffer, len(self.parameters)).tolist()
        return self.held

    @buffers.setter
    def buffers(self, buffers: dict[str, Any]) -> None:
        self.held = buffers

    def hold_arrays(self) -> None:
        """Hold the buffers as arrays, for steps on a flat array."""
        self.held = {name: numpy().asarray(buffer, float) for name, buffer in self.held.items()}

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of its own: `own` without the learning rate and the name."""
        return {name: setting for name, setting in self.own.items() if name not in {"lr", "name"}}


class ParameterGroup(MutableMapping[str, Any]):
    """A group as PyTorch shows it: a mapping of "params", "lr" and the settings; what is assigned holds from then on.

    >>> from microgradlib import Value
    >>> from microgradlib.optim import SGD
    >>> w, b = Value(1.0), Value(1.0)
    >>> optimiser = SGD([{"params": [w], "weight_decay": 0.5}, {"params": [b]}], lr=0.1)
    >>> [(group["lr"], group["weight_decay"]) for group in optimiser.param_groups]
    [(0.1, 0.5), (0.1, 0.0)]
    >>> optimiser.param_groups[1]["lr"] = 0.2
    >>> optimiser.step([1.0, 1.0])
    >>> w.data, b.data
    (0.85, 0.8)
    """

    def __init__(self, optimiser: UpdateRule, group: Group) -> None:
        self._optimiser, self._group = optimiser, group

    @property
    def steps(self) -> int:
        """The number of steps of this group."""
        return self._group.steps

    @property
    def buffers(self) -> dict[str, Any]:
        """The numbers that the rule keeps from step to step, by name, one for each parameter of the group."""
        return self._group.buffers

    def _mapping(self) -> dict[str, Any]:
        group, optimiser = self._group, self._optimiser
        params = tuple(group.parameters) if isinstance(group.parameters, list) else group.parameters
        return {"params": params, "lr": optimiser.lr, **optimiser.settings, **group.own}

    def __getitem__(self, name: str) -> Any:
        return self._mapping()[name]

    def __setitem__(self, name: str, setting: Any) -> None:
        self._optimiser.configure(self._group, {name: setting})

    def update(self, *others: Any, **settings: Any) -> None:
        """Assign several settings, all of them or, if one is refused, none."""
        self._optimiser.configure(self._group, dict(*others, **settings))

    def __delitem__(self, name: str) -> None:
        message = f"a group keeps its {name}: assign another value instead"
        raise TypeError(message)

    def __iter__(self) -> Iterator[str]:
        return iter(self._mapping())

    def __len__(self) -> int:
        return len(self._mapping())

    def __repr__(self) -> str:
        mapping = self._mapping()
        n = len(mapping["params"]) if isinstance(mapping["params"], tuple) else mapping["params"].size
        settings = "".join(f", {name}={x!r}" for name, x in mapping.items() if name not in {"params", "name"})
        return f"<group {mapping.get('name', '')!r} of {n:,} parameter{'s' * (n != 1)}{settings}>"


def group_arguments(parameters: Any) -> list[Group]:
    """Return the groups of an optimiser's first argument; one for parameters that are not in groups.

    Groups are dicts with the key "params", Values or one array of floats, and settings, as in PyTorch. Raises
    `TypeError` or `ValueError` for parameters that an optimiser cannot change, for a dict without "params", for Values
    and arrays together, and for parameters that occur in two groups.
    """
    if not is_array(parameters) and hasattr(parameters, "__iter__") and not isinstance(parameters, (dict, Value)):
        parameters = list(parameters)
        if any(isinstance(part, Mapping) for part in parameters):
            groups = [_group(part, i) for i, part in enumerate(parameters)]
            check_distinct(groups)
            return groups
    return [Group(_checked(parameters))]


def _group(given: Any, i: int) -> Group:
    if not isinstance(given, Mapping) or "params" not in given:
        what = "a dict without 'params'" if isinstance(given, Mapping) else f"{type(given).__name__}"
        message = f'group {i} must be a dict such as {{"params": model.parameters(), "lr": 0.1}}, got {what}'
        raise TypeError(message)
    own = {name: setting for name, setting in given.items() if name != "params"}
    try:
        return Group(_checked(given["params"]), own)
    except (TypeError, ValueError) as error:
        message = f"group {i}: {error}"
        raise type(error)(message) from None


def _checked(parameters: Any) -> Any:
    return checked_parameter_array(parameters) if is_array(parameters) else checked_values(parameters)


def check_distinct(groups: Sequence[Group]) -> None:
    """Raise `ValueError` if a parameter is in two groups, `TypeError` for groups of Values beside groups of arrays."""
    of_values = [isinstance(group.parameters, list) for group in groups]
    if len(set(of_values)) > 1:
        raise TypeError("the groups of an optimiser are all of Values or all of arrays, not of both")
    if of_values[0]:
        owner: dict[Value, int] = {}
        for i, group in enumerate(groups):
            for value in joined([group]):
                if owner.setdefault(value, i) != i:
                    message = f"groups {owner[value]} and {i} both have the parameter {shown(value)}; list each once"
                    raise ValueError(message)
        return
    for i, group in enumerate(groups):
        for j in range(i):
            if numpy().shares_memory(groups[j].parameters, group.parameters):
                message = f"the arrays of groups {j} and {i} share numbers; give each group numbers of its own"
                raise ValueError(message)


def advances(groups: Sequence[Group], moved: Sequence[tuple[Any, dict[str, Any]]]) -> list[tuple[Group, str, Any]]:
    """Return what is to be set, as (group, attribute, content), to count a step that has made these of the buffers."""
    steps = [(group, "steps", group.steps + 1) for group in groups]
    return [*steps, *[(group, "held", buffers) for group, (_, buffers) in zip(groups, moved)]]


def joined(groups: Sequence[Group]) -> list[Value]:
    """Return the Values of all groups, in order."""
    return [value for group in groups for value in group.parameters]  # type: ignore[union-attr]


def new_buffer(group: Group, start: float) -> Any:
    """Return a buffer for the parameters of a group, a list or an array, with every entry `start`."""
    if isinstance(group.parameters, list):
        return [start] * len(joined([group]))
    return numpy().full_like(group.parameters, start)

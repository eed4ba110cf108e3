"""FlatOptimiser: the steps of an optimiser of Values on one flat array of their numbers, for training on arrays."""

# ruff: noqa: PLR0917  an update of pure functions takes all that it depends on

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeGuard

from microgradlib.optim.groups import joined
from microgradlib.optim.moves import moved_array
from microgradlib.optim.optimiser import Optimiser
from microgradlib.optim.parameters import numpy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.core.value import Value
    from microgradlib.optim.groups import Group

__all__ = ["FlatOptimiser"]


class FlatOptimiser:
    """Steps of an optimiser of Values, by the same rule and with the same bits, on a flat array of their numbers.

    `array` holds the numbers of `values`, which contain the optimiser's own parameters; the others are left alone.
    `start` is called before the first step, and again when others may have changed the optimiser; its `steps`, buffers
    and learning rate are its own throughout.

    >>> from microgradlib import Value
    >>> from microgradlib.optim import SGD
    >>> values, array = [Value(1.0), Value(2.0)], numpy().array([1.0, 2.0])
    >>> optimiser = SGD(values[1:], lr=0.5, momentum=0.5)
    >>> flat = FlatOptimiser(optimiser, values, array)
    >>> flat.start()
    >>> flat.step(numpy().array([3.0, 1.0]))
    >>> array.tolist(), optimiser.buffers, optimiser.steps
    ([1.0, 1.5], {'velocity': [1.0]}, 1)
    """

    def __init__(self, optimiser: Optimiser, values: Sequence[Value], array: Any) -> None:
        self.optimiser, self.array = optimiser, array
        self._place = {value: i for i, value in enumerate(values)}
        self._parts: list[tuple[Group, Any]] = []

    @staticmethod
    def serves(optimiser: Any) -> TypeGuard[Optimiser]:
        """Return whether the optimiser is one of Values that steps as the base class does."""
        own_step = type(optimiser).step if isinstance(optimiser, Optimiser) else None
        return (
            own_step is Optimiser.step
            and "step" not in vars(optimiser)
            and all(isinstance(group.parameters, list) for group in optimiser._groups)
        )

    def start(self) -> None:
        """Take the groups and buffers as they are now; raise `KeyError` for parameters that are not in the array."""
        groups = self.optimiser._groups
        if [group for group, _ in self._parts] != groups:  # at first, or after add_param_group or load_state_dict
            self._parts = [(group, self._positions(group)) for group in groups]
        for group in groups:
            group.hold_arrays()

    def _positions(self, group: Group) -> Any:
        """Return where the numbers of a group are in the array, None for everywhere."""
        places = [self._place[value] for value in joined([group])]
        return None if places == list(range(len(self.array))) else numpy().array(places, dtype=numpy().intp)

    def rates(self, count: int) -> list[list[float]]:
        """Return the learning rates of each group's next steps."""
        return [[self.optimiser._rate(group, k) for k in range(count)] for group, _ in self._parts]

    def updated(
        self, xp: Any, array: Any, gradient: Any, held: list[dict[str, Any]], steps: Any, rates: Any
    ) -> tuple[Any, list[dict[str, Any]]]:
        """Return what a step makes of the array and of the buffers of each group: a pure function of arrays of `xp`.

        `steps` and `rates` have the number of steps of each group so far, and its learning rate.
        """
        new = []
        for k, (group, positions) in enumerate(self._parts):
            p, g = (x if positions is None else x[positions] for x in (array, gradient))
            numbers, buffers = moved_array(xp, self.optimiser._rule(group), steps[k] + 1, rates[k], p, g, held[k])
            array = numbers if positions is None else array.at[positions].set(numbers)
            new.append(buffers)
        return array, new

    @property
    def groups(self) -> list[Group]:
        """The groups, as they were at `start`."""
        return [group for group, _ in self._parts]

    def step(self, gradient: Any) -> None:
        """Update the array by the rule; the gradient, of the array's shape, is not changed, but must not be later.

        The caller sees to it that Ctrl-C does not come in the middle.
        """
        moved = []
        for group, positions in self._parts:
            p, g = (x if positions is None else x[positions] for x in (self.array, gradient))
            moved.append(self.optimiser.moved_array(group, p, g))
        whole = moved[0][0]
        if self._parts[0][1] is not None:
            whole = self.array.copy()
            for (_, positions), (numbers, _) in zip(self._parts, moved):
                whole[positions] = numbers
        self.array[...] = whole
        for (group, _), (_, buffers) in zip(self._parts, moved):
            group.steps, group.held = group.steps + 1, buffers

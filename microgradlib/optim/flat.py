"""FlatOptimiser: the steps of an optimiser of Values on one flat array of their numbers, for training on arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from microgradlib.optim.groups import joined
from microgradlib.optim.optimiser import Optimiser
from microgradlib.optim.parameters import numpy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.core.value import Value
    from microgradlib.optim.groups import Group

__all__ = ["FlatOptimiser"]


class FlatOptimiser:
    """Steps of an optimiser of Values, by the same rule and with the same bits, on a flat array of their numbers.

    `array` holds the numbers of `values`, which contain the optimiser's own parameters; the others are left alone. The
    optimiser's buffers are arrays from `start` to `finish`, and its `steps` and learning rate are its own throughout.

    >>> from microgradlib import Value
    >>> from microgradlib.optim import SGD
    >>> values, array = [Value(1.0), Value(2.0)], numpy().array([1.0, 2.0])
    >>> optimiser = SGD(values[1:], lr=0.5, momentum=0.5)
    >>> flat = FlatOptimiser(optimiser, values, array)
    >>> flat.start()
    >>> flat.step(numpy().array([3.0, 1.0]))
    >>> flat.finish()
    >>> array.tolist(), optimiser.buffers, optimiser.steps
    ([1.0, 1.5], {'velocity': [1.0]}, 1)
    """

    def __init__(self, optimiser: Optimiser, values: Sequence[Value], array: Any) -> None:
        self.optimiser, self.array = optimiser, array
        self._position = {value: i for i, value in enumerate(values)}
        self._parts: list[tuple[Group, Any]] = []

    @staticmethod
    def serves(optimiser: Any) -> bool:
        """Return whether the optimiser is one of Values that steps as the base class does."""
        own_step = type(optimiser).step if isinstance(optimiser, Optimiser) else None
        return (
            own_step is Optimiser.step
            and "step" not in vars(optimiser)
            and all(isinstance(group.parameters, list) for group in optimiser._groups)
        )

    def start(self) -> None:
        """Take the optimiser's groups and buffers as they are now."""
        np = numpy()
        self._parts = []
        for group in self.optimiser._groups:
            positions = np.array([self._position[value] for value in joined([group])], dtype=np.intp)
            whole = len(positions) == len(self.array) and bool((positions == np.arange(len(positions))).all())
            self._parts.append((group, None if whole else positions))
            group.buffers = {name: np.array(buffer, float) for name, buffer in group.buffers.items()}

    def step(self, gradient: Any) -> None:
        """Update the array by the rule; the gradient, of the array's shape, is not changed, but must not be later."""
        moved = []
        for group, positions in self._parts:
            p, g = (x if positions is None else x[positions] for x in (self.array, gradient))
            moved.append(self.optimiser.moved_array(group, p, g))
        if self._parts[0][1] is None:
            self.array[...] = moved[0][0]
        else:
            whole = self.array.copy()
            for (_, positions), (numbers, _) in zip(self._parts, moved):
                whole[positions] = numbers
            self.array[...] = whole
        for (group, _), (_, buffers) in zip(self._parts, moved):
            group.steps, group.buffers = group.steps + 1, buffers

    def finish(self) -> None:
        """Make the buffers lists again, so that the optimiser goes on from here on its Values."""
        for group, positions in self._parts:
            n = len(self.array) if positions is None else len(positions)
            group.buffers = {name: numpy().broadcast_to(b, n).tolist() for name, b in group.buffers.items()}

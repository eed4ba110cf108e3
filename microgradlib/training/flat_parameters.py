"""FlatParameters: the parameters of a training run as one flat array, and how an optimizer changes them there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from microgradlib._support.shown import shown
from microgradlib.core.assignment import assign
from microgradlib.optim.flat import FlatOptimiser
from microgradlib.optim.parameters import numpy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.core.value import Value
    from microgradlib.training.types import SupportsStep

__all__ = ["FlatParameters"]


class FlatParameters:
    """The numbers of `values` in `array`, changed by the optimizer: on the array itself, or else by way of the Values.

    An optimizer of this library, or of a class derived from its `Optimiser`, steps on the array; one with a `step` of
    its own, or with a rule that arrays do not have, gets and changes the Values at each step.
    """

    def __init__(self, values: Sequence[Value], optimizer: SupportsStep) -> None:
        self.values, self.optimizer = values, optimizer
        self.array = numpy().array([value.data for value in values], float)
        self.gradient: Any = None
        self._shown: list[float] = []
        self._flat = FlatOptimiser(optimizer, values, self.array) if FlatOptimiser.serves(optimizer) else None
        self._ahead = False

    @property
    def flat_optimiser(self) -> FlatOptimiser:
        """The steps of the optimizer on the array. Raises `ValueError` for one that steps on the Values."""
        if self._flat is None:
            message = (
                f"arrays cannot have the steps of {shown(self.optimizer)}: take an optimizer of microgradlib.optim, "
                f'of parameters of this run, or give backend="numpy"'
            )
            raise ValueError(message)
        return self._flat

    def start(self) -> None:
        """Read the Values, which others may have changed; from here to `settle` the array is what counts."""
        if self._ahead:
            return
        self._read()
        if self._flat is not None:
            try:
                self._flat.start()
            except KeyError:  # a callback has given the optimizer parameters that are no part of this run
                self._flat = None
        self._ahead = True

    def step(self, gradient: Any) -> None:
        """Make one step of the optimizer with this gradient, which must not be changed later."""
        self.gradient = gradient
        if self._flat is not None:
            try:
                self._flat.step(gradient)
            except Exception:  # noqa: BLE001  a rule that asks `if g > 0`, say; what is wrong for Values too raises below
                self._flat = None
            else:
                return
        self.show()
        self._ahead = False  # from here on the Values count, should Ctrl-C come
        self.optimizer.step()
        self._read()
        self._ahead = True

    def _read(self) -> None:
        """Take the numbers of the Values, unless they are those that were shown: these compare by identity, quickly."""
        numbers = [value._float for value in self.values]
        if numbers != self._shown:
            self.array[...] = numbers

    def show(self) -> None:
        """Give the Values the numbers of the array, and the last gradient."""
        numbers = self._shown = self.array.tolist()
        if self.gradient is not None:
            assign(self.values, "grad", self.gradient.tolist())
        assign(self.values, "_float", numbers)

    def settle(self) -> None:
        """Give the Values what the array holds, if it is ahead of them."""
        if self._ahead:
            self.show()
            self._ahead = False

"""Places: in which array each scalar lies, and where there."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

from microgradlib.compiler.numpy_functions import numpy
from microgradlib.source.graph import NOTHING

__all__ = ["CONSTANT", "Array", "Places"]

CONSTANT = -2
"""In the place of the number of an array: a constant."""


@dataclass
class Array:
    """An array with a name; axis 0 is the batch if it is `batched`."""

    name: str
    lengths: tuple[int, ...]
    batched: bool


class Places:
    """The arrays so far, and of each of `count` scalars its array and its place there, row by row.

    `numbers` are those of the scalars that are constants.
    """

    def __init__(self, numbers: dict[int, float], count: int) -> None:
        np = numpy()
        self.count, self.known = count, list[Array]()
        self.owner, self.place = np.full(count + 1, NOTHING), np.zeros(count + 1, int)
        self.zeros, self.numbers = [count], {**numbers, count: 0.0}
        self.owner[list(self.numbers)] = CONSTANT

    def add(self, array: Array, scalars: Any, *, zeros: bool = False) -> int:
        """Add an array of scalars row by row, `NOTHING` where it holds others, or `zeros`; return its number."""
        np, holes = numpy(), scalars == NOTHING
        scalars = scalars.copy()
        scalars[holes] = len(self.owner) + np.arange(holes.sum())
        self.owner, self.place = (np.append(known, np.zeros(holes.sum(), int)) for known in (self.owner, self.place))
        self.owner[scalars], self.place[scalars] = len(self.known), np.arange(len(scalars))
        self.known.append(array)
        self.zeros += scalars[holes].tolist() if zeros else []
        return len(self.known) - 1

    def coordinates(self, scalars: Any) -> Any:
        """Return the coordinates of scalars of one array, in a new last axis."""
        lengths = self.known[int(self.owner[scalars.flat[0]])].lengths
        if not lengths:
            return numpy().zeros((*scalars.shape, 0), int)
        return numpy().stack(numpy().unravel_index(self.place[scalars], lengths), -1)

    def is_batched(self, scalars: Any) -> bool:
        """Say whether scalars are of a batch."""
        owners = numpy().unique(self.owner[scalars]).tolist()
        return any(self.known[owner].batched for owner in owners if owner >= 0)

    def is_constant(self, scalar: int) -> bool:
        """Say whether a scalar is a constant."""
        return bool(self.owner[scalar] == CONSTANT)

    def padded(self, scalars: Any) -> Any:
        """Put numbers that are 0 in the places of NOTHING."""
        filled = self.filled(scalars)
        wrong = (scalars == NOTHING) & ~numpy().isin(filled, self.zeros)
        return numpy().where(scalars == NOTHING, self.count, scalars) if wrong.any() else filled

    def filled(self, scalars: Any) -> Any:
        """Put scalars in the places of NOTHING, which nobody looks at: those that lie evenly with the others."""
        np = numpy()
        unknown = scalars == NOTHING
        if not unknown.any():
            return scalars
        known = np.argwhere(~unknown)
        result = scalars.copy()
        result[unknown] = scalars[tuple(known[0])]
        owners = np.unique(self.owner[scalars[~unknown]])
        if len(owners) > 1 or owners[0] < 0:
            return result
        places = self.place[scalars]
        steps = np.linalg.lstsq(np.c_[known, np.ones(len(known))], places[~unknown], rcond=None)[0].round().astype(int)
        every = (np.indices(scalars.shape).reshape(scalars.ndim, -1).T @ steps[:-1] + steps[-1]).reshape(scalars.shape)
        owned = np.full(prod(self.known[int(owners[0])].lengths), NOTHING)
        mine = (self.owner == owners[0]).nonzero()[0]
        owned[self.place[mine]] = mine
        if (every[~unknown] == places[~unknown]).all() and every.min() >= 0 and every.max() < len(owned):
            return np.where(unknown, owned[every], result)
        return result

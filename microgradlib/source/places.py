"""Places: in which array each scalar lies, and where there; places that lie evenly are slices, reshapes and windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from microgradlib.compiler.numpy_functions import numpy
from microgradlib.source.graph import NOTHING

__all__ = ["CONSTANT", "Array", "Axis", "Places", "Strided", "fine_axes", "padded", "strided"]

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

    def owners(self, scalars: Any) -> list[int]:
        """Return the numbers of the arrays of scalars, each once."""
        owners = self.owner[scalars].ravel()
        found: list[int] = (owners[:1] if (owners == owners[:1]).all() else numpy().unique(owners)).tolist()
        return found

    def is_batched(self, scalars: Any) -> bool:
        """Say whether scalars are of a batch."""
        return any(self.known[owner].batched for owner in self.owners(scalars) if owner >= 0)

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
        owners = self.owners(scalars[~unknown])
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


MOST_AXES = 2
"""How many axes may be windows along one axis of an array: where windows begin, and the places in them."""


@dataclass(frozen=True)
class Axis:
    """A fine axis of what is read: axis `of` of the wanted shape, or a part of it, with the step in each coordinate."""

    of: int
    size: int
    step: tuple[int, ...]


@dataclass
class Strided:
    """How an array is read: an index for each axis, a reshape, windows, and which fine axes there are then, in order.

    `index` has a text for each axis, ":" for all of it. `shape` is that of a reshape behind it, if there is one;
    `windows` are (axis, size, step, dilation), each leaving its places in a new last axis; `flips` are axes to reverse.
    """

    index: list[str]
    shape: list[int] | None
    windows: list[tuple[int, int, int, int]]
    flips: list[int]
    axes: list[Axis]


def fine_axes(coordinates: Any) -> list[Axis] | None:
    """Return the axes along which coordinates, an array (…, number of coordinates), grow evenly; None if they do not.

    An axis of the wanted shape may consist of several, the last one fastest; one of length 1 of none.

    >>> import numpy as np
    >>> places = np.array([[0, 0], [0, 1], [1, 0], [1, 1], [2, 0], [2, 1]])
    >>> fine_axes(places)
    [Axis(of=0, size=3, step=(1, 0)), Axis(of=0, size=2, step=(0, 1))]
    """
    np, found = numpy(), list[Axis]()
    *lengths, depth = coordinates.shape
    if not depth:
        return [] if prod(lengths) == 1 else None
    for k in range(len(lengths)):
        line = coordinates[tuple([slice(None) if j == k else 0 for j in range(len(lengths))])]
        sizes = _sizes(line)
        if sizes is None:
            return None
        for j, size in enumerate(sizes):
            step = line[prod(sizes[j + 1 :])] - line[0]
            found.append(Axis(k, size, tuple(step.tolist())))
    grid = np.zeros((*[axis.size for axis in found], depth), int) + coordinates.reshape(-1, depth)[0]
    for k, axis in enumerate(found):
        steps = np.arange(axis.size)[:, None] * np.array(axis.step, int)
        grid += steps.reshape(*[axis.size if j == k else 1 for j in range(len(found))], depth)
    return found if (grid.reshape(coordinates.shape) == coordinates).all() else None


def _sizes(line: Any) -> list[int] | None:
    """Return the lengths of the axes along which rows of coordinates grow evenly."""
    if len(line) == 1:
        return []
    changes = numpy().diff(line, axis=0)
    other = (changes != changes[0]).any(1).nonzero()[0]
    run = int(other[0]) + 1 if len(other) else len(line)
    if len(line) % run:
        return None
    outer = _sizes(line[::run])
    return None if outer is None else [*outer, run]


def padded(places: Any, known: Any, lengths: Sequence[int]) -> tuple[Any, list[tuple[int, int]]] | None:
    """Return the coordinates of windows (…, terms) that reach beyond an array, and how many zeros stand around it.

    `known` says which places lie in the array, `places` has the coordinates of these; None if others do not lie beyond.
    """
    np = numpy()
    flat, inside = places.reshape(-1, *places.shape[-2:]), known.reshape(-1, known.shape[-1])
    whole = inside.all(1).nonzero()[0]
    if not len(whole) or not inside.any(1).all():
        return None
    terms = flat[whole[0]] - flat[whole[0], :1]
    first = inside.argmax(1)
    starts = flat[np.arange(len(flat)), first] - terms[first]
    every = starts[:, None] + terms
    fits = ((every >= 0) & (every < np.array(lengths))).all(-1)
    if (fits != inside).any() or (every[inside] != flat[inside]).any():
        return None
    low, high = -every.min((0, 1)), every.max((0, 1)) - np.array(lengths) + 1
    around = [(max(int(a), 0), max(int(b), 0)) for a, b in zip(low, high)]
    return every.reshape(places.shape) + np.array([a for a, _ in around]), around


def strided(lengths: Sequence[int], first: Sequence[int], axes: Sequence[Axis]) -> Strided | None:
    """Return how an array of these lengths is read from `first` on along fine axes; None if that takes a table.

    >>> found = strided((8, 8), (0, 2), [Axis(0, 3, (1, 0)), Axis(1, 3, (2, 0))])
    >>> found.index, found.windows
    ([':7', '2'], [(0, 3, 2, 1)])
    """
    if any(sum(map(bool, axis.step)) != 1 for axis in axes):
        return None
    result = Strided([], None, [], [], [])
    shape: list[int] = []
    windows: list[tuple[Axis, Axis]] = []
    for k, length in enumerate(lengths):
        along = sorted([axis for axis in axes if axis.step[k]], key=lambda axis: -abs(axis.step[k]))
        steps = [axis.step[k] for axis in along]
        start, size = first[k], sum((axis.size - 1) * axis.step[k] for axis in along) + 1
        if not along:
            result.index.append(str(start))
        elif len(along) == 1:
            [axis], [step] = along, steps
            low = min(start, start + (axis.size - 1) * step)
            result.index.append(_slice(low, low + (axis.size - 1) * abs(step) + 1, abs(step), length))
            if step < 0:
                result.flips.append(len(result.axes))
            result.axes.append(axis)
            shape.append(axis.size)
        elif all(a == axis.size * b for a, b, axis in zip(steps, steps[1:], along[1:])) and steps[-1] == 1:
            result.index.append(_slice(start, start + size, 1, length))
            result.axes += along
            shape += [axis.size for axis in along]
        elif len(along) == MOST_AXES and min(steps) > 0:
            result.index.append(_slice(start, start + size, 1, length))
            windows.append((along[0], along[1]))
            result.axes.append(along[0])
            shape.append(size)
        else:
            return None
    if len(shape) > len([text for text in result.index if not text.isdecimal()]):
        result.shape = shape
    for outer, inner in windows:
        place, k = result.axes.index(outer), [bool(step) for step in outer.step].index(True)
        step = inner.step[k]
        result.windows.append((place, (inner.size - 1) * step + 1, outer.step[k], step))
        result.axes.append(inner)
    return result


def _slice(start: int, stop: int, step: int, length: int) -> str:
    """Write a slice of an axis of this length: nothing where it begins or ends there."""
    if stop - start == 1 < length:
        return f"{start}:{stop}"
    ending = "" if stop + step > length else str(stop)
    return f"{start or ''}:{ending}{f':{step}' if step > 1 else ''}"

"""Strides: parts of an array whose places lie evenly along several axes, as slices, reshapes and windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from microgradlib.compiler.numpy_functions import numpy

__all__ = ["Axis", "Strided", "fine_axes", "padded", "strided"]

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

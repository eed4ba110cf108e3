"""Read the slots of an operand from a bank: as a view where they lie evenly, as a gathered copy where not."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from microgradlib.compiler.numpy_functions import numpy

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Blocks", "Grid", "blocks", "even_shape", "grid", "memory_order", "viewed"]


@dataclass(frozen=True)
class Grid:
    """Slots that lie evenly along several axes: slot (i, j, …) is start + i·steps[0] + j·steps[1] and so on.

    A step of 0 reads the same slot again.
    """

    start: int
    sizes: tuple[int, ...]
    steps: tuple[int, ...]

    def view(self, bank: Any) -> Any:
        """Return the view of shape (*sizes, batch) of a bank whose first axis is the slots."""
        stride = bank.strides[0]
        return numpy().lib.stride_tricks.as_strided(
            bank[self.start :], (*self.sizes, bank.shape[1]), (*[step * stride for step in self.steps], bank.strides[1])
        )

    @property
    def repeats(self) -> tuple[int, ...]:
        """The axes along which the same slot is read again."""
        return tuple([axis for axis, (n, step) in enumerate(zip(self.sizes, self.steps)) if n > 1 and not step])

    def dense_axes(self) -> list[int] | None:
        """Return the axes from the longest step to the shortest if so they go through all slots in between, each once.

        >>> Grid(5, (2, 3), (3, 1)).dense_axes(), Grid(5, (2, 3), (1, 2)).dense_axes(), Grid(5, (2,), (2,)).dense_axes()
        ([0, 1], [1, 0], None)
        """
        axes = sorted(range(len(self.sizes)), key=lambda axis: (-self.steps[axis] if self.sizes[axis] > 1 else 0, axis))
        step = 1
        for axis in reversed(axes):
            if self.sizes[axis] > 1:
                if self.steps[axis] != step:
                    return None
                step *= self.sizes[axis]
        return axes

    def once(self) -> Grid:
        """Return the grid with only the first of each repeat."""
        repeats = self.repeats
        return Grid(self.start, tuple([1 if axis in repeats else n for axis, n in enumerate(self.sizes)]), self.steps)


def grid(slots: Sequence[int], shape: Sequence[int]) -> Grid | None:
    """Return the slots as a grid of this shape, or None if they do not lie so.

    >>> grid((4, 5, 6, 7), (2, 2)), grid((4, 4, 9, 9), (2, 2))
    (Grid(start=4, sizes=(2, 2), steps=(2, 1)), Grid(start=4, sizes=(2, 2), steps=(5, 0)))
    >>> grid((4, 5, 7, 6), (2, 2)) is None
    True
    """
    np = numpy()
    found = np.asarray(slots).reshape(shape)
    origin = int(found.flat[0])
    expected, steps = np.array(origin), []
    for axis, n in enumerate(shape):
        second = tuple([int(a == axis) for a in range(len(shape))])
        step = int(found[second]) - origin if n > 1 else 0
        steps.append(step)
        expected = expected[..., None] + step * np.arange(n)
    return Grid(origin, tuple(shape), tuple(steps)) if (found == expected).all() else None


@dataclass(frozen=True)
class Blocks:
    """Slots that lie anyhow, but in runs of `width`: block i is slots start + width·`places[i]` and those after it."""

    start: int
    width: int
    places: Any

    def view(self, bank: Any) -> Any:
        """Return the view of a bank whose rows are the blocks."""
        n = (len(bank) - self.start) // self.width
        return bank[self.start : self.start + n * self.width].reshape(n, -1)


def blocks(slots: Sequence[int]) -> Blocks:
    """Return the slots as the widest blocks that all of them fill.

    >>> found = blocks((5, 6, 9, 10, 5, 6))
    >>> found.start, found.width, found.places.tolist()
    (1, 2, [2, 4, 2])
    """
    np = numpy()
    found = np.asarray(slots)
    ends = np.flatnonzero(np.diff(found) != 1) + 1
    width = math.gcd(len(found), *ends.tolist())
    while True:
        starts = found[::width]
        if len(np.unique(starts % width)) == 1:
            offset = int(starts[0] % width)
            return Blocks(offset, width, (starts - offset) // width)
        width = next(w for w in range(width - 1, 0, -1) if width % w == 0)


def even_shape(rows: Sequence[Any]) -> tuple[int, ...]:
    """Return a shape, of one or two axes, in which rows of slots lie as evenly as they do from their beginning.

    >>> even_shape([(4, 5, 6, 7)]), even_shape([(4, 5, 6, 7, 8, 9), (1, 1, 1, 2, 2, 2)])
    ((4,), (2, 3))
    """
    n = len(rows[0])
    width = min(_first_change(row) for row in rows)
    return (n // width, width) if 1 < width < n and n % width == 0 else (n,)


def _first_change(slots: Any) -> int:
    """Return how many slots there are before the step between them changes."""
    steps = numpy().diff(slots)
    changes = numpy().flatnonzero(steps != steps[:1])
    return int(changes[0]) + 1 if len(changes) else len(slots)


def viewed(array: Any, shape: tuple[int, ...]) -> Any:
    """Return the array in this shape if that needs no copy, or else None.

    >>> rows = numpy().zeros((2, 3))
    >>> viewed(rows, (6,)).shape, viewed(rows.T, (6,)), viewed(rows, (4,))
    ((6,), None, None)
    """
    if array.shape == shape:
        return array
    if array.size != math.prod(shape):
        return None
    other = array.reshape(shape)
    return other if numpy().may_share_memory(other, array) else None


def memory_order(shape: Sequence[int], like: Sequence[Any]) -> list[int]:
    """Return the axes from the one with the longest step in memory to the shortest, as they lie in most arrays `like`.

    Axes along which an array repeats itself, or has one entry, do not count in it.

    >>> rows = numpy().zeros((2, 3, 4))
    >>> memory_order((2, 3, 4), [rows]), memory_order((3, 2, 4), [rows.swapaxes(0, 1)])
    ([0, 1, 2], [1, 0, 2])
    """
    n = len(shape)
    longer = [[0] * n for _ in range(n)]
    for array in like:
        steps = [abs(step) if size > 1 else 0 for step, size in zip(array.strides, array.shape)]
        for a in range(n):
            for b in range(n):
                longer[a][b] += bool(steps[a] and steps[b] and steps[a] > steps[b])
    return sorted(range(n), key=lambda a: (sum(longer[b][a] > longer[a][b] for b in range(n)), a))

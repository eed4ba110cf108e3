"""Strides: slots as evenly spaced axes, alone and in a shape that several operands have in common."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from microgradlib.compiler.numpy_functions import numpy

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    Axes = tuple[tuple[int, int], ...]
    """(size, step) of each axis, the longest first."""

__all__ = ["blocks", "common_shape", "even_axes", "natural_steps", "steps_in"]


def even_axes(slots: Any, most: int) -> Axes | None:
    """Return the fewest axes along which slots are evenly spaced, or None if there are more than `most`.

    >>> even_axes(numpy().array([4, 5, 6, 14, 15, 16]), 3), even_axes(numpy().array([4, 4, 4]), 3)
    (((2, 10), (3, 1)), ((3, 0),))
    >>> even_axes(numpy().array([4, 5, 7, 6]), 3) is None
    True
    """
    np = numpy()
    axes: list[tuple[int, int]] = []
    while len(slots) > 1:
        gaps = slots[1:] - slots[:-1]
        differs = gaps != gaps[0]
        width = int(differs.argmax()) + 1 if differs[-1] or differs.any() else len(slots)
        if len(axes) == most or len(slots) % width:
            return None
        if width < len(slots) and (np.flatnonzero(differs) % width != width - 1).any():
            return None
        axes.append((width, int(gaps[0])))
        slots = slots[::width]
    return tuple(reversed(axes))


def common_shape(n: int, found: Sequence[tuple[Axes | None, int]], most: int, inner: int = 1) -> tuple[int, ...]:
    """Return a shape for `n` entries in which as many arrays as possible are evenly spaced, the first of them first.

    `found` has the axes of each array and how many entries of the shape stand for one of its; `inner`, if it is above
    1, must be the last axis. An array that would need more than `most` axes, or has none, is left out.

    >>> common_shape(6, [(((6, 1),), 1), (((2, 10), (3, 1)), 1)], 3)
    (2, 3)
    >>> common_shape(12, [(((3, 1),), 4), (((12, 1),), 1)], 3, inner=4)
    (3, 4)
    """
    widths = {inner, n}
    for axes, scale in found:
        if axes is not None:
            more = widths | set(_widths(axes, scale)).difference([1])
            if len(more) <= most + 1 and min(more) >= inner and _is_chain(more):
                widths = more
    ordered = sorted(widths, reverse=True)
    return tuple([a // b for a, b in zip(ordered, ordered[1:])]) + ((inner,) if inner > 1 else ()) or (n,)


def _widths(axes: Axes, scale: int) -> Iterable[int]:
    """Return how many entries lie between one place of each axis and the next."""
    for size, _ in reversed(axes):
        yield scale
        scale *= size


def _is_chain(widths: Iterable[int]) -> bool:
    ordered = sorted(widths)
    return not any(b % a for a, b in zip(ordered, ordered[1:]))


def steps_in(slots: Any, axes: Axes | None, shape: Sequence[int]) -> tuple[int, ...] | None:
    """Return the steps of slots along the axes of a shape, or None if they are not even in it.

    >>> slots = numpy().array([4, 5, 6, 14, 15, 16])
    >>> steps_in(slots, even_axes(slots, 3), (1, 2, 3)), steps_in(slots, even_axes(slots, 3), (3, 2))
    ((0, 10, 1), None)
    """
    if axes is None or math.prod(shape) != len(slots):
        return None
    steps: list[int] = []
    width = 1
    cuts = dict(zip(_widths(axes, 1), [step for _, step in reversed(axes)]))
    size, step = 1, 0
    for length in reversed(shape):
        if length == 1:
            steps.append(0)
            continue
        if width in cuts:
            size, step = width, cuts.pop(width)
        steps.append(step * (width // size))
        width *= length
        if any(cut < width for cut in cuts):
            return None
    return tuple(reversed(steps))


def natural_steps(shape: Sequence[int]) -> tuple[int, ...]:
    """Return the steps of consecutive rows in this shape.

    >>> natural_steps((2, 1, 3))
    (3, 0, 1)
    """
    steps, step = [], 1
    for size in reversed(shape):
        steps.append(step if size > 1 else 0)
        step *= size
    return tuple(reversed(steps))


def blocks(rows: Any) -> tuple[int, int, Any]:
    """Return rows as the widest runs of consecutive ones: (start, width, places), run i being start + width · place i.

    >>> start, width, places = blocks(numpy().array([5, 6, 9, 10, 5, 6]))
    >>> start, width, places.tolist()
    (1, 2, [2, 4, 2])
    """
    np = numpy()
    ends = np.flatnonzero(np.diff(rows) != 1) + 1
    width = math.gcd(len(rows), *ends.tolist())
    while True:
        starts = rows[::width]
        offset = int(starts[0] % width)
        if not ((starts - offset) % width).any():
            places = (starts - offset) // width
            places.setflags(write=False)
            return offset, width, places
        width = next(w for w in range(width - 1, 0, -1) if width % w == 0)

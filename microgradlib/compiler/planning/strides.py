"""Strides: slots as evenly spaced axes, alone and in a shape that several operands have in common."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from microgradlib.compiler.numpy_functions import numpy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    Axes = tuple[tuple[int, int], ...]
    """(size, step) of each axis, the outermost first."""

__all__ = ["blocks", "common_shape", "even_axes", "natural_steps", "steps_in"]


def even_axes(slots: Any, most: int) -> Axes | None:
    """Return the fewest axes along which slots are evenly spaced, or None if there are more than `most`.

    >>> even_axes(numpy().array([4, 5, 6, 14, 15, 16]), 3), even_axes(numpy().array([4, 4, 4]), 3)
    (((2, 10), (3, 1)), ((3, 0),))
    >>> even_axes(numpy().array([4, 5, 7, 6]), 3) is None
    True
    """
    axes: list[tuple[int, int]] = []
    while len(slots) > 1:
        gaps = slots[1:] - slots[:-1]
        differs = gaps != gaps[0]
        first = int(differs.argmax())  # 0 if none does
        width = first + 1 if first else len(slots)
        if len(axes) == most or len(slots) % width:
            return None
        if width < len(slots) and (numpy().flatnonzero(differs) % width != width - 1).any():
            return None
        axes.append((width, int(gaps[0])))
        slots = slots[::width]
    return tuple(reversed(axes))


def common_shape(n: int, found: Sequence[tuple[Axes | None, int]], most: int, inner: int = 1) -> tuple[int, ...]:
    """Return a shape for `n` entries in which as many arrays as possible are evenly spaced, the first of them first.

    `found` has the axes of each array and how many entries of the shape stand for one of its; `inner`, if it is above
    1, is the size of the last axis. An array that has no axes, or would need more than `most`, is left out.

    >>> common_shape(6, [(((6, 1),), 1), (((2, 10), (3, 1)), 1)], 3)
    (2, 3)
    >>> common_shape(12, [(((3, 1),), 4), (((12, 1),), 1)], 3, inner=4)
    (3, 4)
    """
    widths = {inner, n}
    for axes, scale in found:
        if axes is not None and len(axes) > 1:
            more = widths.union(_widths(axes, scale)) - {1} | {inner}
            if len(more) <= most + 1 and min(more) == inner and not any(b % a for a, b in pairwise(sorted(more))):
                widths = more
    sizes = [b // a for a, b in pairwise(sorted(widths))]
    return (*reversed(sizes), inner) if inner > 1 else tuple(reversed(sizes)) or (1,)


def _widths(axes: Axes, width: int) -> Iterator[int]:
    """Yield how many entries lie between one place of each axis and the next, the innermost first."""
    for size, _ in reversed(axes):
        yield width
        width *= size


def steps_in(axes: Axes, shape: Iterable[int]) -> tuple[int, ...] | None:
    """Return the steps that evenly spaced slots have along the axes of a shape, or None if they are not even in it.

    >>> steps_in(((2, 10), (3, 1)), (1, 2, 3)), steps_in(((2, 10), (3, 1)), (3, 2)), steps_in(((6, 1),), (3, 2))
    ((0, 10, 1), None, (2, 1))
    """
    begins = {width: step for width, (_, step) in zip(_widths(axes, 1), reversed(axes))}
    steps: list[int] = []
    width, begin, step = 1, 1, 0
    for size in reversed(tuple(shape)):
        if size > 1 and width in begins:
            begin, step = width, begins.pop(width)
        steps.append(width // begin * step if size > 1 else 0)
        width *= size
        if any(other < width for other in begins):
            return None
    return tuple(reversed(steps))


def natural_steps(shape: Iterable[int]) -> tuple[int, ...]:
    """Return the steps of consecutive rows in this shape.

    >>> natural_steps((2, 1, 3))
    (3, 0, 1)
    """
    return steps_in(((math.prod(shape := tuple(shape)), 1),), shape)  # type: ignore[return-value]


def blocks(rows: Any) -> tuple[int, int, Any]:
    """Return rows as the widest runs of consecutive ones: (start, width, places), run i being start + width · place i.

    >>> start, width, places = blocks(numpy().array([5, 6, 9, 10, 5, 6]))
    >>> start, width, places.tolist()
    (1, 2, [2, 4, 2])
    """
    np = numpy()
    cuts = np.flatnonzero(np.diff(rows) != 1) + 1
    width = math.gcd(len(rows), *np.unique([*cuts, *(rows[cuts] - rows[0])]).tolist())
    start = int(rows[0]) % width
    return start, width, (rows[::width] - start) // width

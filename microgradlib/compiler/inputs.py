"""Inputs: where the numbers of each argument go in a bank whose order is not the arguments' own."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.reading import even_shape, grid

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Load = tuple[Any, Callable[[Any], Any] | None]
    """What is filled, and from what."""

__all__ = ["loads"]


def loads(order: Any, inputs: Any, columns: Sequence[Any]) -> list[Load]:
    """Return for each argument which part of `inputs`, (numbers, batch), it fills, and how to pick the numbers for it.

    Slot i of `inputs` holds number order[i] of all arguments together. A column is (batch,) or (batch, numbers); picked
    are rows of its transpose, all in their order where there is nothing to pick.

    >>> np = numpy()
    >>> bank = np.zeros((3, 2))
    >>> columns = [np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([5.0, 6.0])]
    >>> for column, (target, source) in zip(columns, loads(np.array([2, 1, 0]), bank, columns)):
    ...     target[...] = column.T if source is None else source(column.T)
    >>> bank.tolist()
    [[5.0, 6.0], [2.0, 4.0], [1.0, 3.0]]
    """
    np = numpy()
    found: list[Load] = []
    start = 0
    for column in columns:
        size = 1 if column.ndim == 1 else column.shape[1]
        slots = np.flatnonzero((order >= start) & (order < start + size))
        picked = order[slots] - start
        start += size
        together = len(slots) == 0 or slots[-1] - slots[0] == len(slots) - 1
        target = inputs[slots[0] : slots[-1] + 1] if len(slots) and together else inputs[:0]
        found.append(_load(target, picked) if together else (_Rows(inputs, slots), partial(_rows, places=picked)))
    return found


def _load(target: Any, picked: Any) -> Load:
    """Return how a target is filled with these rows: all of them, those that lie evenly in place, or one by one."""
    if (picked == numpy().arange(len(picked))).all():
        return target, None
    shape = even_shape([picked])
    place = grid(picked, shape)
    if place is None:
        return target, partial(_rows, places=picked)
    return target.reshape(*shape, -1), place.view


def _rows(array: Any, *, places: Any) -> Any:
    return array[places]


class _Rows:
    """Rows of an array that do not lie together, to be assigned to."""

    def __init__(self, array: Any, rows: Any) -> None:
        self.array, self.rows = array, rows

    def __setitem__(self, whole: Any, numbers: Any) -> None:
        self.array[self.rows] = numbers

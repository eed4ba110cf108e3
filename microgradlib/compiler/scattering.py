"""Scattering: which rows of a gradient belong to which slots where these lie anyhow, and those of one slot summed."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.reading import blocks

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Scattering", "runs"]

MOST_SUMS = 20
"""So few sums are had quicker by a product with a matrix of zeros and ones, if no number is infinite."""


class Scattering:
    """The slots that an operand reads: each once and sorted, and how its rows are brought to them.

    >>> np = numpy()
    >>> found = Scattering((7, 2, 7))
    >>> out = np.zeros((2, 1))
    >>> found.write(np.array([[1.0], [2.0], [3.0]]), out)
    >>> found.slots.tolist(), out.tolist()
    ([2, 7], [[2.0], [4.0]])
    """

    def __init__(self, slots: Sequence[int]) -> None:
        np = numpy()
        found = blocks(slots)
        order = np.argsort(found.places, kind="stable")
        self.order = None if (np.diff(order) == 1).all() else order
        unique, self.starts = np.unique(found.places[order], return_index=True)
        self.repeats = len(unique) < len(order)
        self.rows = len(order)
        self.members = None
        if self.repeats and len(unique) <= MOST_SUMS:
            self.members = (found.places == unique[:, None]).astype(float)
        self.slots = (found.start + found.width * unique[:, None] + np.arange(found.width)).ravel()

    def write(self, part: Any, out: Any) -> None:
        """Write the rows of `part`, in the order in which they were read, to `out`, (slots, …), those of one summed."""
        np = numpy()
        rows = part.reshape(self.rows, -1)
        target = out.reshape(len(self.starts), -1)
        if not self.repeats:
            rows.take(self.order, 0, target, "clip") if self.order is not None else np.copyto(target, rows)
        elif self.members is not None and rows.dtype == float:
            np.matmul(self.members, rows, target)
        else:
            np.add.reduceat(rows if self.order is None else rows.take(self.order, 0), self.starts, 0, None, target)


def runs(slots: Any) -> list[tuple[int, int]]:
    """Return the (start, end) of each stretch of slots, sorted, that follow one another.

    >>> runs(numpy().array([3, 4, 5, 9]))
    [(0, 3), (3, 4)]
    """
    np = numpy()
    cuts = [0, *(np.flatnonzero(np.diff(slots) != 1) + 1).tolist(), len(slots)]
    return list(pairwise(cuts))

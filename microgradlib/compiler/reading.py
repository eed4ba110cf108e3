"""Read the slots of an operand from a bank: as a view where they lie evenly, as a gathered copy where not."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from microgradlib.compiler.numpy_functions import numpy

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Blocks", "Grid", "blocks", "grid", "natural_width"]


@dataclass(frozen=True)
class Grid:
    """Slots in rows: slot (i, j) is start + i·`row_step` + j·`step`; steps may be 0, for a slot that is read again."""

    start: int
    rows: int
    width: int
    row_step: int
    step: int

    def view(self, bank: Any) -> Any:
        """Return the view of shape (rows, width, …) of a bank whose first axis is the slots."""
        stride = bank.strides[0]
        return numpy().lib.stride_tricks.as_strided(
            bank[self.start :],
            (self.rows, self.width, *bank.shape[1:]),
            (self.row_step * stride, self.step * stride, *bank.strides[1:]),
        )

    @property
    def repeats(self) -> tuple[int, ...]:
        """The axes along which the same slot is read again."""
        return tuple(
            [
                axis
                for axis, n, step in ((0, self.rows, self.row_step), (1, self.width, self.step))
                if n > 1 and not step
            ]
        )

    @property
    def overlaps(self) -> bool:
        """Whether some slot is read twice, other than along an axis."""
        slots = {self.start + i * self.row_step + j * self.step for i in range(self.rows) for j in range(self.width)}
        once = (1 if 0 in self.repeats else self.rows) * (1 if 1 in self.repeats else self.width)
        return len(slots) < once


def grid(slots: Sequence[int], width: int) -> Grid | None:
    """Return the slots as a grid with rows of this width, or None if they do not lie so.

    >>> grid((4, 5, 6, 7), 2), grid((4, 4, 9, 9), 2)
    (Grid(start=4, rows=2, width=2, row_step=2, step=1), Grid(start=4, rows=2, width=2, row_step=5, step=0))
    >>> grid((4, 5, 7, 6), 2) is None
    True
    """
    rows = len(slots) // width
    step = slots[1] - slots[0] if width > 1 else 0
    row_step = slots[width] - slots[0] if rows > 1 else 0
    np = numpy()
    expected = slots[0] + row_step * np.arange(rows)[:, None] + step * np.arange(width)
    if (np.asarray(slots).reshape(rows, width) != expected).any():
        return None
    return Grid(slots[0], rows, width, row_step, step)


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


def natural_width(slots: Sequence[int]) -> int:
    """Return the width of the rows in which the slots lie evenly at first: where the step between them changes.

    >>> natural_width((4, 5, 6, 7)), natural_width((4, 4, 4, 9, 9, 9))
    (4, 3)
    """
    if len(slots) < 3:
        return len(slots)
    steps = numpy().diff(slots)
    changes = numpy().flatnonzero(steps != steps[0])
    width = int(changes[0]) + 1 if len(changes) else len(slots)
    return width if len(slots) % width == 0 else len(slots)

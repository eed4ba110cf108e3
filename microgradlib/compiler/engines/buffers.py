"""The memory of one run of a plan: rows of numbers, views of them, and arrays that only some calls need."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from microgradlib.compiler.instructions import UNBATCHED
from microgradlib.compiler.numpy_functions import numpy

if TYPE_CHECKING:
    from microgradlib.compiler.planning.data import StridedView

__all__ = ["Buffers", "merged"]


class Buffers:
    """Rows of both spaces, (rows, 1) and (rows, batch), which begin as 0, and arrays beside them.

    `whole` has a row of zeros before the first row too: what is gathered with padding then lies on one side of `out`.
    `kept` is what a reduction leaves to its adjoint, by the position of its instruction; `copies` are matrices whose
    first axis is the batch, by their slots.

    >>> from microgradlib.compiler.planning.data import StridedView
    >>> buffers = Buffers((1, 6), 2, "float64")
    >>> buffers.rows[1][:] = [[0, 0], [1, 10], [2, 20], [3, 30], [4, 40], [5, 50]]
    >>> buffers.view(StridedView(1, 1, (2, 2), (3, 0))).tolist()
    [[[1.0, 10.0], [1.0, 10.0]], [[4.0, 40.0], [4.0, 40.0]]]
    """

    def __init__(self, rows: tuple[int, int], batch: int, dtype: Any) -> None:
        np = numpy()
        self.batch, self.dtype = batch, np.dtype(dtype)
        self.whole = tuple([np.zeros((1 + count, width), dtype) for count, width in zip(rows, (1, batch))])
        self.rows = tuple([whole[1:] for whole in self.whole])
        self.ones = np.ones((batch, 1), dtype)
        self.kept: dict[int | None, dict[str, Any]] = {}
        self.copies: dict[Any, Any] = {}
        self._scratch: dict[tuple[str, Any], Any] = {}
        self._filled: dict[float, Any] = {}

    def view(self, place: StridedView) -> Any:
        """Return rows as an array of the view's axes and the batch, or 1."""
        array = self.rows[place.space]
        row, item = array.strides
        shape, strides = (*place.sizes, array.shape[1]), (*[step * row for step in place.steps], item)
        return numpy().ndarray(shape, self.dtype, array, place.start * row, strides)

    def scalar_or_view(self, place: StridedView) -> Any:
        """Return an unbatched number that is read alone as an array without axes, which is quicker; else the view."""
        if place.space == UNBATCHED and not any(step for step, size in zip(place.steps, place.sizes) if size > 1):
            return self.rows[UNBATCHED][place.start].reshape(())
        return self.view(place)

    def scratch(self, name: str, like: Any, dtype: Any = None) -> Any:
        """Return an array that lies in memory as another; the next of this name may be the same memory."""
        flat = self.empty(name, like.size, dtype)
        if like.flags.c_contiguous:
            return flat.reshape(like.shape)
        axes = sorted(range(like.ndim), key=lambda axis: -abs(like.strides[axis]))
        return flat.reshape([like.shape[axis] for axis in axes]).transpose(numpy().argsort(axes))

    def empty(self, name: str, size: int, dtype: Any = None) -> Any:
        """Return memory for so many numbers; the next of this name may be the same."""
        np = numpy()
        dtype = np.dtype(dtype or self.dtype)
        flat = self._scratch.get((name, dtype))
        if flat is None or flat.size < size:
            flat = self._scratch[name, dtype] = np.empty(size, dtype)
        return flat[:size]

    def filled(self, number: float, shape: tuple[int, ...]) -> Any:
        """Return an array that holds one number everywhere and is never written."""
        size = math.prod(shape)
        flat = self._filled.get(number)
        if flat is None or flat.size < size:
            flat = self._filled[number] = numpy().full(size, number, self.dtype)
        return flat[:size].reshape(shape)


def merged(array: Any) -> Any:
    """Return the last two axes of an array as one, or None if that is no view.

    >>> rows = numpy().zeros((2, 3, 4))
    >>> merged(rows).shape, merged(rows[:, :, :2])
    ((2, 12), None)
    """
    *others, count, size = array.shape
    if count > 1 and size > 1 and array.strides[-2] != size * array.strides[-1]:
        return None
    return array.reshape(*others, count * size)

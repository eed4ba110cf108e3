"""The memory of one run of a plan: rows of numbers, views of them, and arrays that only some calls need."""

from __future__ import annotations

from typing import Any

from microgradlib.compiler.instructions import UNBATCHED
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.planning.data import StridedView

__all__ = ["Buffers"]


class Buffers:
    """Rows of both spaces, (rows, 1) and (rows, batch), which begin as 0, and arrays beside them.

    `whole` has a row of zeros before the first row too, so that a gather with padding need not read beyond its results.
    `residuals` are what reductions leave to their adjoints, by the results; `copies` are matrices whose first axis is
    the batch, by their slots.

    >>> buffers = Buffers((1, 6), 2, "float64")
    >>> buffers.rows[1][:] = [[0, 0], [1, 10], [2, 20], [3, 30], [4, 40], [5, 50]]
    >>> buffers.view(StridedView(1, 1, (2, 2), (3, 0))).tolist()
    [[[1.0, 10.0], [1.0, 10.0]], [[4.0, 40.0], [4.0, 40.0]]]
    """

    def __init__(self, rows: tuple[int, int], batch: int, dtype: Any) -> None:
        self.dtype = numpy().dtype(dtype)
        self.whole = tuple([numpy().zeros((1 + count, width), dtype) for count, width in zip(rows, (1, batch))])
        self.rows = tuple([whole[1:] for whole in self.whole])
        self.residuals: dict[Any, dict[str, Any]] = {}
        self.copies: dict[Any, Any] = {}
        self._scratch: dict[str, Any] = {}
        self._filled: dict[Any, Any] = {}

    def view(self, place: StridedView) -> Any:
        """Return rows as an array of the view's axes and the batch, or 1."""
        array = self.rows[place.space]
        row, item = array.strides
        shape, strides = (*place.sizes, array.shape[1]), (*[step * row for step in place.steps], item)
        return numpy().ndarray(shape, self.dtype, array, place.start * row, strides)

    def number_or_view(self, place: StridedView) -> Any:
        """Return an unbatched number that is read alone as an array without axes, which is quicker; else the view."""
        if place.space == UNBATCHED and not any(step for step, size in zip(place.steps, place.sizes) if size > 1):
            return self.rows[UNBATCHED][place.start].reshape(())
        return self.view(place)

    def scratch(self, name: str, like: Any, dtype: Any = None) -> Any:
        """Return an array that lies in memory as another; the next of this name may be the same memory."""
        if name not in self._scratch or self._scratch[name].size < like.size:
            self._scratch[name] = numpy().empty(like.size, dtype or self.dtype)
        axes = sorted(range(like.ndim), key=lambda axis: -abs(like.strides[axis]))
        flat = self._scratch[name][: like.size]
        return flat.reshape([like.shape[axis] for axis in axes]).transpose(numpy().argsort(axes))

    def filled(self, number: float, shape: tuple[int, ...]) -> Any:
        """Return an array that holds one number everywhere and is never written."""
        if (number, shape) not in self._filled:
            self._filled[number, shape] = numpy().full(shape, number, self.dtype)
        return self._filled[number, shape]

"""MeanLoss: the mean of a compiled loss, and its derivatives, as functions of the parameters' numbers and the data."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from microgradlib._support.shown import shown
from microgradlib.compiler.arguments import columns_of
from microgradlib.compiler.batched import Batched
from microgradlib.compiler.numpy_functions import numpy

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MeanLoss"]


class MeanLoss:
    """A compiled loss whose parameters are an argument; those that the compiled function itself has stay as they are.

    `parameters` is a flat array in the parameters' order, `data` the arguments of the compiled function. Several
    threads may call it; they wait for one another.

    >>> from microgradlib import Value, compile
    >>> w = Value(2.0)
    >>> loss = MeanLoss(compile(lambda x: (w * x) ** 2, [w]))
    >>> loss.value_and_grad([3.0], [[1.0, 2.0]])[0], loss.hvp([3.0], [[1.0, 2.0]], [1.0]).tolist(), w.data
    (22.5, [5.0], 2.0)
    """

    def __init__(self, fast: Batched) -> None:
        if not isinstance(fast, Batched):
            message = f"give a compiled loss, as compile(loss, model.parameters()) returns it, got {shown(fast)}"  # type: ignore[unreachable]
            raise TypeError(message)
        self.fast, self.dtype = fast, fast.dtype
        self.count = len(fast._parameters.listed)
        self._lock = threading.Lock()

    @contextmanager
    def _at(self, parameters: Any) -> Iterator[Batched]:
        with self._lock:
            before = self.fast._parameters._array
            self.fast.set_parameters(parameters)
            try:
                yield self.fast
            finally:
                self.fast.set_parameters(before)

    def value_and_grad(self, parameters: Any, data: Sequence[Any]) -> tuple[float, NDArray[Any]]:
        """Return the mean of the loss over the batch and its gradient by the parameters."""
        with self._at(parameters) as fast:
            return fast.value_and_grad(*data)

    def hvp(self, parameters: Any, data: Sequence[Any], vector: Any) -> NDArray[Any]:
        """Return H v for the Hessian H of the mean by the parameters."""
        with self._at(parameters) as fast:
            return fast.hvp(*data, vector=vector)

    def data_gradients(self, parameters: Any, data: Sequence[Any]) -> list[NDArray[Any]]:
        """Return the gradients of the mean by the data, an array of the shape of each argument."""
        with self._at(parameters) as fast:
            rows = fast.jacobian(*data)[:, 0]
        _, shapes = columns_of(tuple(data), self.dtype)
        np, batch = numpy(), len(rows)
        ends = np.cumsum([np.prod(shape, dtype=int) for shape in shapes])[:-1]
        return [part.reshape(batch, *shape) / batch for part, shape in zip(np.split(rows, ends, axis=1), shapes)]

"""Run a program on batches: in blocks that stay in cache, by several threads at once, with gradients and Jacobians."""

from __future__ import annotations

import math
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from microgradlib.compiler.binding import Binding
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.structure import like

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from microgradlib.compiler.program import Program

__all__ = ["Runner"]

CACHE_BYTES = 1 << 20
"""A block of examples is as large as fits here with its gradients: about what a core's second-level cache holds."""

SMALLEST_BLOCK = 64
"""… but not smaller than this, since a call costs the same for few examples as for many."""

KEPT = 8
"""For how many batch sizes the buffers are kept."""


class Runner:
    """A program and its buffers. `parameters` is a flat array, `columns` one (batch, numbers) for each argument."""

    def __init__(self, program: Program, dtype: Any) -> None:
        self.program, self.dtype = program, numpy().dtype(dtype)
        self._free: dict[Any, list[Binding]] = {}

    def values(self, parameters: Any, columns: Sequence[Any]) -> Any:
        """Return the outputs, an array (batch, outputs)."""
        batch = len(columns[0])
        result = numpy().empty((batch, len(self.program.outputs)), self.dtype)
        for start, end in self._blocks(batch):
            with self._bound(end - start) as binding:
                binding.run(parameters, [column[start:end] for column in columns])
                for k, output in enumerate(binding.outputs):
                    result[start:end, k] = output
        return result

    def mean_and_gradient(self, parameters: Any, columns: Sequence[Any]) -> tuple[Any, Any]:
        """Return the outputs and the gradient of the mean of the first of them, flat.

        Where some number is not finite, the run is repeated by the table's own rules, whose zeros are strong.
        """
        values, gradient = self._gradient(parameters, columns, exact=False)
        with numpy().errstate(all="ignore"):
            size = float(values[:, 0].sum()) + float(gradient @ gradient)
        return (values, gradient) if math.isfinite(size) else self._gradient(parameters, columns, exact=True)

    def _gradient(self, parameters: Any, columns: Sequence[Any], *, exact: bool) -> tuple[Any, Any]:
        batch = len(columns[0])
        values = numpy().empty((batch, len(self.program.outputs)), self.dtype)
        gradient: Any = None
        for start, end in self._blocks(batch):
            with self._bound(end - start, gradients="parameters", exact=exact) as binding:
                binding.run(parameters, [column[start:end] for column in columns])
                for k, output in enumerate(binding.outputs):
                    values[start:end, k] = output
                part = binding.run_backward()
            with numpy().errstate(all="ignore"):
                if end - start < batch:
                    part = part * ((end - start) / batch)
                gradient = part if gradient is None else gradient + part
        return values, gradient

    def jacobian(self, parameters: Any, columns: Sequence[Any]) -> Any:
        """Return ∂outputs/∂inputs for each example, an array (batch, outputs, inputs)."""
        batch = len(columns[0])
        result = numpy().empty((batch, len(self.program.outputs), self.program.inputs), self.dtype)
        for start, end in self._blocks(batch):
            for exact in (False, True):
                with self._bound(end - start, gradients="inputs", exact=exact) as binding:
                    binding.run(parameters, [column[start:end] for column in columns])
                    for k in range(len(self.program.outputs)):
                        result[start:end, k] = binding.run_jacobian_row(k)
                if numpy().isfinite(result[start:end]).all():
                    break
        return result

    def _blocks(self, batch: int) -> list[tuple[int, int]]:
        """Return the (start, end) of blocks of nearly equal size."""
        bytes_each = 2 * self.dtype.itemsize * max(self.program.batch_size, 1)
        count = -(-batch // max(SMALLEST_BLOCK, CACHE_BYTES // bytes_each))
        return list(pairwise([batch * i // count for i in range(count + 1)]))

    @contextmanager
    def _bound(self, batch: int, *, gradients: str = "", exact: bool = False) -> Iterator[Binding]:
        """Lend a binding that no other thread uses, a new one if there is none."""
        key = (batch, gradients, exact)
        while len(self._free) >= KEPT and key not in self._free:
            self._free.pop(next(iter(self._free)), None)
        free = self._free.setdefault(key, [])
        try:
            binding = free.pop()
        except IndexError:
            binding = Binding(self.program, batch, self.dtype, gradients=gradients, exact=exact)
        with numpy().errstate(all="ignore"):  # IEEE 754's answers, as everywhere in the library
            yield binding
        free.append(binding)

    def shaped(self, result: Any) -> Any:
        """Return the columns of (batch, outputs) nested as the function's result; rectangular lists as one array."""
        shape = self.program.shape
        columns = [result[:, k] for k in range(result.shape[1])]
        if not isinstance(shape, (list, tuple, dict)):
            return columns[0]
        lengths = _lengths(shape)
        return result.reshape(len(result), *lengths) if lengths is not None else like(shape, columns)


def _lengths(shape: Any) -> tuple[int, ...] | None:
    if not isinstance(shape, (list, tuple)):
        return None if isinstance(shape, dict) else ()
    inner = {_lengths(part) for part in shape}
    if len(inner) != 1 or None in inner:
        return None
    [rest] = inner
    return (len(shape), *rest)  # type: ignore[misc]

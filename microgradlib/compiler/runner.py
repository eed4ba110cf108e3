"""Run a program on batches: in blocks that stay in cache, by several threads at once, with gradients and Jacobians."""

from __future__ import annotations

import math
import threading
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from microgradlib.compiler.binding import Binding
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.structure import like

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.compiler.program import Program

__all__ = ["Runner"]

CACHE_BYTES = 2 << 20
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
        self._lock = threading.Lock()

    def values(self, parameters: Any, columns: Sequence[Any]) -> Any:
        """Return the outputs, an array (batch, outputs)."""
        result = numpy().empty((len(columns[0]), len(self.program.outputs)), self.dtype)
        with numpy().errstate(all="ignore"):  # IEEE 754's answers, as everywhere in the library
            for start, end in self._blocks(len(columns[0])):
                with self._bound(end - start) as binding:
                    binding.run(parameters, [column[start:end] for column in columns])
                    binding.write_outputs(result[start:end])
        return result

    def mean_and_gradient(self, parameters: Any, columns: Sequence[Any]) -> tuple[Any, float, Any]:
        """Return the outputs, the mean of the first of them, and the gradient of that mean, flat.

        Where some number is not finite, the run is repeated by the table's own rules, whose zeros are strong.
        """
        batch = len(columns[0])
        with numpy().errstate(all="ignore"):
            for exact in (False, True):
                values, gradient = self._gradient(parameters, columns, exact=exact)
                mean = float(values[:, 0].sum()) / batch
                others = mean if values.shape[1] == 1 else float(values.sum())
                if math.isfinite(mean) and math.isfinite(others) and math.isfinite(float(gradient @ gradient)):
                    break
        return values, mean, gradient

    def _gradient(self, parameters: Any, columns: Sequence[Any], *, exact: bool) -> tuple[Any, Any]:
        batch = len(columns[0])
        values = numpy().empty((batch, len(self.program.outputs)), self.dtype)
        gradient: Any = None
        for start, end in self._blocks(batch):
            whole = end - start == batch
            with self._bound(end - start, gradients="parameters", exact=exact) as binding:
                binding.run(parameters, columns if whole else [column[start:end] for column in columns])
                binding.write_outputs(values[start:end])
                part = binding.run_backward()
            if not whole:
                part *= (end - start) / batch
            gradient = part if gradient is None else gradient + part
        return values, gradient

    def jacobian(self, parameters: Any, columns: Sequence[Any]) -> Any:
        """Return ∂outputs/∂inputs for each example, an array (batch, outputs, inputs)."""
        batch, outputs = len(columns[0]), len(self.program.outputs)
        result = numpy().empty((batch, outputs, self.program.inputs), self.dtype)
        with numpy().errstate(all="ignore"):
            for start, end in self._blocks(batch):
                for exact in (False, True):
                    with self._bound(end - start, gradients="inputs", exact=exact) as binding:
                        binding.run(parameters, [column[start:end] for column in columns])
                        for k in range(outputs):
                            binding.write_jacobian_row(k, result[start:end, k])
                    if numpy().isfinite(result[start:end]).all():
                        break
        return result

    def _blocks(self, batch: int) -> list[tuple[int, int]]:
        """Return the (start, end) of blocks of nearly equal size."""
        bytes_each = 2 * self.dtype.itemsize * max(self.program.batch_size, 1)
        count = -(-batch // max(SMALLEST_BLOCK, CACHE_BYTES // bytes_each))
        return list(pairwise([batch * i // count for i in range(count + 1)])) if count > 1 else [(0, batch)]

    def _bound(self, batch: int, *, gradients: str = "", exact: bool = False) -> _Lent:
        """Lend a binding that no other thread uses, a new one if there is none."""
        key = (batch, gradients, exact)
        free = self._free.get(key)
        if free is None:
            with self._lock:
                while len(self._free) >= KEPT and key not in self._free:
                    del self._free[next(iter(self._free))]
                free = self._free.setdefault(key, [])
        try:
            binding = free.pop()
        except IndexError:
            binding = Binding(self.program, batch, self.dtype, gradients=gradients, exact=exact)
        return _Lent(binding, free)

    def shaped(self, result: Any) -> Any:
        """Return the columns of (batch, outputs) nested as the function's result; rectangular lists as one array."""
        shape = self.program.shape
        columns = [result[:, k] for k in range(result.shape[1])]
        if not isinstance(shape, (list, tuple, dict)):
            return columns[0]
        lengths = _lengths(shape)
        return result.reshape(len(result), *lengths) if lengths is not None else like(shape, columns)


class _Lent:
    """A binding for the length of a block; afterwards it is free again."""

    def __init__(self, binding: Binding, free: list[Binding]) -> None:
        self.binding, self.free = binding, free

    def __enter__(self) -> Binding:
        return self.binding

    def __exit__(self, *error: object) -> None:
        self.free.append(self.binding)


def _lengths(shape: Any) -> tuple[int, ...] | None:
    if not isinstance(shape, (list, tuple)):
        return None if isinstance(shape, dict) else ()
    inner = {_lengths(part) for part in shape}
    if len(inner) != 1 or None in inner:
        return None
    [rest] = inner
    return (len(shape), *rest)  # type: ignore[misc]

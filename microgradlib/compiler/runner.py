"""Run a program on batches: in blocks that stay in cache, by several threads at once, with gradients and Jacobians."""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING, Any

from microgradlib._support.pytree import unflatten
from microgradlib.compiler.binding import Binding
from microgradlib.compiler.in_place import in_place
from microgradlib.compiler.numpy_functions import is_finite, numpy
from microgradlib.compiler.reference import run_examples

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.compiler.program import Program

__all__ = ["Runner"]

CACHE_BYTES = 2 << 20
"""A block of examples is as large as fits here with its gradients: about what a core's second-level cache holds."""

SMALLEST_BLOCK = 61
"""… but not smaller than this, since a call costs the same for few examples as for many. Odd, as numbers that lie a
power of two apart in memory meet in the same few places of the cache; BLAS is the quicker for products this thin."""

LARGEST_BLOCK = 1.5
"""A batch of up to so many blocks is one block."""

MOST_EXAMPLES_AS_VALUES = 64
"""How many examples are run as one graph of Values: their memory is that of the eager engine."""

KEPT = 8
"""For how many batch sizes the buffers are kept."""


class Runner:
    """A program and its buffers. `parameters` is a flat array, `columns` one (batch, numbers) for each argument."""

    def __init__(self, program: Program, dtype: Any) -> None:
        self.program, self.dtype = program, numpy().dtype(dtype)
        self._in_place = in_place(program)
        bytes_each = 2 * self.dtype.itemsize * max(self._in_place.batch_size, 1)
        self.block = max(SMALLEST_BLOCK, CACHE_BYTES // bytes_each)
        self._free: dict[Any, list[Binding]] = {}
        self._lock = threading.Lock()

    def values(self, parameters: Any, columns: Sequence[Any]) -> Any:
        """Return the outputs, an array (batch, outputs)."""
        result = self._outputs(len(columns[0]))
        with numpy().errstate(all="ignore"):  # IEEE 754's answers, as everywhere in the library
            for start, end in self._blocks(len(columns[0])):
                free, binding = self._bound(end - start)
                try:
                    binding.run(parameters, [column[start:end] for column in columns])
                    binding.write_outputs(result[start:end])
                finally:
                    free.append(binding)
        return result

    def mean_and_gradient(self, parameters: Any, columns: Sequence[Any]) -> tuple[float, Any]:
        """Return the mean of the first output, and its gradient, flat.

        Where some number is not finite, the gradient is that of the eager engine, example by example.
        """
        with numpy().errstate(all="ignore"):
            mean, gradient = self._gradient(parameters, columns)
            if not (math.isfinite(mean) and _is_finite(gradient)):
                gradient = self._gradient_by_examples(parameters, columns)
        return mean, gradient

    def values_and_gradient(self, parameters: Any, columns: Sequence[Any], out: Any = None) -> tuple[Any, Any]:
        """Return all outputs, (batch, outputs), in `out` if given, and the gradient of the mean of the first, flat."""
        values = self._outputs(len(columns[0])) if out is None else out
        with numpy().errstate(all="ignore"):
            _, gradient = self._gradient(parameters, columns, values)
            if not (_is_finite(values.T) and _is_finite(gradient)):  # transposed: in the order of memory
                gradient = self._gradient_by_examples(parameters, columns)
        return values, gradient

    def _outputs(self, batch: int) -> Any:
        """Return an array (batch, outputs) to write into, in memory number by number, as they are computed."""
        return numpy().empty((len(self.program.outputs), batch), self.dtype).T

    def _gradient_by_examples(self, parameters: Any, columns: Sequence[Any]) -> Any:
        """Return the gradient of the mean of the first output: of each example by the kernels, unless it is not finite.

        Those that are not are run by `reference`, which knows the closed branches that stop inf and nan.
        """
        batch = len(columns[0])
        total = numpy().zeros(len(parameters))
        others = []
        for i in range(batch):
            example = [column[i : i + 1] for column in columns]
            mean, gradient = self._gradient(parameters, example) if batch > 1 else (math.nan, None)
            if math.isfinite(mean) and _is_finite(gradient):
                total += gradient
            else:
                others.append(_flat(example))
        for start in range(0, len(others), MOST_EXAMPLES_AS_VALUES):
            total += run_examples(self.program, parameters, others[start : start + MOST_EXAMPLES_AS_VALUES]).gradient()
        return (total / batch).astype(self.dtype)

    def _gradient(self, parameters: Any, columns: Sequence[Any], values: Any = None) -> tuple[float, Any]:
        """Return the mean of the first output and its gradient; write the outputs into `values`, if given."""
        batch = len(columns[0])
        mean, gradient = 0.0, None
        for start, end in self._blocks(batch):
            share = (end - start) / batch
            parts = columns if share == 1.0 else [column[start:end] for column in columns]
            free, binding = self._bound(end - start, "parameters")
            try:
                binding.run(parameters, parts)
                if values is not None:
                    binding.write_outputs(values[start:end])
                part_mean, part = binding.mean(), binding.run_backward()
            finally:
                free.append(binding)
            if share == 1.0:
                return part_mean, part
            mean += share * part_mean
            gradient = share * part if gradient is None else gradient + share * part
        return mean, gradient

    def jacobian(self, parameters: Any, columns: Sequence[Any]) -> Any:
        """Return ∂outputs/∂inputs for each example, an array (batch, outputs, inputs)."""
        batch, outputs = len(columns[0]), len(self.program.outputs)
        result = numpy().empty((batch, outputs, self.program.inputs), self.dtype)
        with numpy().errstate(all="ignore"):
            for start, end in self._blocks(batch):
                free, binding = self._bound(end - start, "inputs")
                try:
                    binding.run(parameters, [column[start:end] for column in columns])
                    for k in range(outputs):
                        binding.write_jacobian_row(k, result[start:end, k])
                    finite = numpy().isfinite(result[start:end]).all((1, 2))
                    for output in binding.outputs:
                        finite &= numpy().isfinite(output)
                finally:
                    free.append(binding)
                for i in numpy().flatnonzero(~finite) + start:
                    example = [column[i : i + 1] for column in columns]
                    result[i] = run_examples(self.program, parameters, [_flat(example)]).jacobian()
        return result

    def _blocks(self, batch: int) -> list[tuple[int, int]]:
        """Return the (start, end) of the blocks of a batch, of which the last may be smaller."""
        if batch <= LARGEST_BLOCK * self.block:
            return [(0, batch)]
        return [(start, min(start + self.block, batch)) for start in range(0, batch, self.block)]

    def _bound(self, batch: int, gradients: str = "") -> tuple[list[Binding], Binding]:
        """Return a binding that no other thread uses, a new one if there is none, and the list to give it back to."""
        key = (batch, gradients)
        free = self._free.get(key)
        if free is None:
            with self._lock:
                while len(self._free) >= KEPT and key not in self._free:
                    del self._free[next(iter(self._free))]
                free = self._free.setdefault(key, [])
        try:
            return free, free.pop()
        except IndexError:
            return free, Binding(self._in_place, batch, self.dtype, gradients=gradients)

    def shaped(self, result: Any) -> Any:
        """Return the columns of (batch, outputs) nested as the function's result; rectangular lists as one array."""
        shape = self.program.shape
        columns = [result[:, k] for k in range(result.shape[1])]
        if not isinstance(shape, (list, tuple, dict)):
            return columns[0]
        lengths = _lengths(shape)
        return result.reshape(len(result), *lengths) if lengths is not None else unflatten(shape, columns)


def _is_finite(numbers: Any) -> bool:
    return is_finite(numbers) or bool(numpy().isfinite(numbers).all())


def _flat(example: Sequence[Any]) -> list[float]:
    """Return the numbers of one example, given as a batch of one."""
    return [number for column in example for number in column.ravel().tolist()]


def _lengths(shape: Any) -> tuple[int, ...] | None:
    if not isinstance(shape, (list, tuple)):
        return None if isinstance(shape, dict) else ()
    inner = {_lengths(part) for part in shape}
    if len(inner) != 1 or None in inner:
        return None
    [rest] = inner
    return (len(shape), *rest)  # type: ignore[misc]

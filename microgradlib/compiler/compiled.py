"""Compiled: a function of one example that runs on batches, by the program found in it."""

from __future__ import annotations

import math
import threading
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from microgradlib.compiler.binding import Binding
from microgradlib.compiler.canonical import canonical
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.roll import roll
from microgradlib.compiler.trace import trace
from microgradlib.structure import like
from microgradlib.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from microgradlib.compiler.program import Program

__all__ = ["Compiled", "compile"]

CACHE_BYTES = 1 << 20
"""A block of examples is as large as fits here with its gradients: about what a core's second-level cache holds."""

SMALLEST_BLOCK = 64
"""… but not smaller than this, since a call costs the same for few examples as for many."""


def compile(  # noqa: A001  the name of the field
    function: Callable[..., Any], parameters: Iterable[Value] = (), *, dtype: Any = float
) -> Compiled:
    """Return a function that runs `function`, written for one example, on batches.

    The function is traced once for each shape of its arguments: run on Symbols, its scalar operations gathered into
    matrix products and vector operations. `parameters` are the leaf Values it is to be differentiated by.

    >>> w, b = Value(2.0), Value(1.0)
    >>> fast = compile(lambda x, y: (w * x + b - y) ** 2, [w, b])
    >>> fast([0.0, 1.0], [1.0, 5.0]).tolist()
    [0.0, 4.0]
    >>> mean, gradient = fast.value_and_grad([0.0, 1.0], [1.0, 5.0])
    >>> mean, gradient.tolist()
    (2.0, [-2.0, -2.0])
    """
    return Compiled(function, parameters, dtype)


class Compiled:
    """What `compile` returns. `program` is the program of the last call."""

    def __init__(self, function: Callable[..., Any], parameters: Iterable[Value], dtype: Any) -> None:
        self.function = function
        self.parameters = list(parameters)
        self.dtype = numpy().dtype(dtype)
        self._programs: dict[Any, Program] = {}
        self._bindings: dict[Any, list[Binding]] = {}
        self._lock = threading.Lock()
        self._array: Any = None
        self._last: Any = None

    @property
    def program(self) -> Program:
        """The program of the last call. Raises `ValueError` before the first, as the shape of a row is not known."""
        if self._last is None:
            raise ValueError(
                "nothing has been compiled yet: call the function once, so that the shape of a row is known"
            )
        return self._programs[self._last]

    def set_parameters(self, array: Any) -> None:
        """Run on the numbers of a flat array, in the order of the parameters, in place of the Values' own.

        The array is kept, not copied: changes in it are seen by the next call. None goes back to the Values.
        """
        if array is not None:
            array = numpy().asarray(array, self.dtype)
            if array.shape != (len(self.parameters),):
                message = f"there are {len(self.parameters)} parameters, got an array of shape {array.shape}"
                raise ValueError(message)
        self._array = array

    def __call__(self, *arguments: Any) -> Any:
        """Return the function's value for each example: an array whose axis 0 is the batch, or such arrays nested."""
        shapes, columns, batch = self._columns(arguments)
        program = self._program(shapes)
        result = numpy().empty((batch, len(program.outputs)), self.dtype)
        for start, end in _blocks(program, batch, self.dtype.itemsize):
            with self._bound(shapes, end - start) as binding:
                binding.run(self._numbers(), [column[start:end] for column in columns])
                for k, output in enumerate(binding.outputs):
                    result[start:end, k] = output
        return _shaped(program.shape, result)

    def value_and_grad(self, *arguments: Any) -> tuple[float, Any]:
        """Return the mean of the function over the batch and its gradient, a flat array in the parameters' order."""
        shapes, columns, batch = self._columns(arguments)
        program = self._program(shapes)
        if len(program.outputs) != 1:
            message = f"only one number has a gradient; the function returns {len(program.outputs)}: use jacobian"
            raise ValueError(message)
        numbers = self._numbers()
        value, gradient = self._mean_and_gradient(program, shapes, columns, batch, numbers, exact=False)
        if not (math.isfinite(value) and math.isfinite(float(gradient @ gradient))):
            value, gradient = self._mean_and_gradient(program, shapes, columns, batch, numbers, exact=True)
        return value, gradient

    def _mean_and_gradient(
        self, program: Program, shapes: Any, columns: Any, batch: int, numbers: Any, *, exact: bool
    ) -> tuple[float, Any]:
        value, gradient = 0.0, None
        for start, end in _blocks(program, batch, self.dtype.itemsize):
            share = (end - start) / batch
            with self._bound(shapes, end - start, exact=exact) as binding:
                binding.run(numbers, [column[start:end] for column in columns])
                mean, part = float(binding.outputs[0].mean()), binding.run_backward()
            if share == 1:
                return mean, part
            value += share * mean
            gradient = share * part if gradient is None else gradient + share * part
        return value, gradient

    def _numbers(self) -> Any:
        if self._array is not None:
            return self._array
        return numpy().array([p._data for p in self.parameters], self.dtype)

    def _columns(self, arguments: Any) -> tuple[Any, list[Any], int]:
        arrays = [numpy().asarray(argument, self.dtype) for argument in arguments]
        if not arrays or any(array.ndim == 0 for array in arrays):
            raise ValueError(
                "each argument is an array or list whose first axis is the batch; a single number has none"
            )
        batch = len(arrays[0])
        if any(len(array) != batch for array in arrays) or batch == 0:
            message = f"the arguments hold {[len(array) for array in arrays]} examples: give equally many, at least one"
            raise ValueError(message)
        return tuple([array.shape[1:] for array in arrays]), [array.reshape(batch, -1) for array in arrays], batch

    def _program(self, shapes: Any) -> Program:
        if shapes not in self._programs:
            rows = [numpy().zeros(shape).tolist() for shape in shapes]
            with self._lock:
                if shapes not in self._programs:
                    self._programs[shapes] = roll(canonical(trace(self.function, rows, self.parameters)))
        self._last = shapes
        return self._programs[shapes]

    def _bound(self, shapes: Any, batch: int, *, exact: bool = False) -> _Bound:
        free = self._bindings.setdefault((shapes, batch, exact), [])
        try:
            binding = free.pop()
        except IndexError:
            binding = Binding(self._programs[shapes], batch, self.dtype, exact=exact)
        return _Bound(binding, free)


class _Bound:
    """A binding taken from those that are free, and given back."""

    def __init__(self, binding: Binding, free: list[Binding]) -> None:
        self.binding, self.free = binding, free
        self.quiet = numpy().errstate(all="ignore")

    def __enter__(self) -> Binding:
        self.quiet.__enter__()
        return self.binding

    def __exit__(self, *error: object) -> None:
        self.quiet.__exit__(*error)
        self.free.append(self.binding)


def _blocks(program: Program, batch: int, itemsize: int) -> list[tuple[int, int]]:
    """Return the (start, end) of blocks of nearly equal size that stay in cache."""
    size = max(SMALLEST_BLOCK, CACHE_BYTES // (2 * itemsize * max(program.batch_size, 1)))
    count = -(-batch // size)
    edges = [batch * i // count for i in range(count + 1)]
    return list(pairwise(edges))


def _shaped(shape: Any, result: Any) -> Any:
    """Return the columns of `result` nested as the function's own result; rectangular lists as one array."""
    columns = [result[:, k] for k in range(result.shape[1])]
    if not isinstance(shape, (list, tuple, dict)):
        return columns[0]
    lengths = _lengths(shape)
    if lengths is not None:
        return result.reshape(len(result), *lengths)
    return like(shape, columns)


def _lengths(shape: Any) -> tuple[int, ...] | None:
    if not isinstance(shape, (list, tuple)):
        return None if isinstance(shape, dict) else ()
    inner = {_lengths(part) for part in shape}
    if len(inner) != 1 or None in inner:
        return None
    [rest] = inner
    return (len(shape), *rest)  # type: ignore[misc]

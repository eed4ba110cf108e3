"""Compiled: a function of one example that runs on batches, by the program found in it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from microgradlib.compiler.canonical import canonical
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.roll import roll
from microgradlib.compiler.runner import Runner
from microgradlib.compiler.trace import trace
from microgradlib.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from microgradlib.compiler.program import Program

__all__ = ["Compiled", "columns_of", "compile"]


def compile(  # noqa: A001  the name of the field
    function: Callable[..., Any], parameters: Iterable[Value] = (), *, dtype: Any = float
) -> Compiled:
    """Return a function that runs `function`, written for one example, on batches.

    The function is traced once for each shape of its arguments: run on Symbols, its scalar operations gathered into
    matrix products and vector operations. It may use whatever the library has, and Python's loops, but no `if` on a
    number that is not known yet: write `where`. `parameters` are the leaf Values to differentiate by. Changes of the
    `data` of these, and of other Values that the function uses, are seen by the next call. `dtype` is float64 or
    float32.

    Raises `MissingExtraError` without NumPy. The first call raises `SymbolHasNoValueError`, naming the line, where the
    function needs a number that is not known, and `TracingError` where it draws random numbers.

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
    """What `compile` returns. Arguments are arrays or nested lists: axis 0 is the batch, a row what the function takes.

    Several threads may call it at once.
    """

    def __init__(self, function: Callable[..., Any], parameters: Iterable[Value], dtype: Any) -> None:
        self.function = function
        if isinstance(parameters, Value):
            raise TypeError(
                "parameters are a list of Values, as model.parameters() gives it, got a single one: write [w]"
            )
        self.parameters = list(parameters)
        self.dtype = numpy().dtype(dtype)
        if self.dtype not in (numpy().float64, numpy().float32):
            message = f"programs compute with float64 or float32, got dtype={self.dtype}"
            raise ValueError(message)
        for parameter in self.parameters:
            if not isinstance(parameter, Value) or parameter.parents:
                message = f"parameters are leaf Values, as model.parameters() gives them, got {parameter!r}"
                raise TypeError(message)
        self._distinct = list(dict.fromkeys(self.parameters))
        position = {p: i for i, p in enumerate(self._distinct)}
        self._places = numpy().array([position[p] for p in self.parameters], dtype=int)
        self._runners: dict[Any, Runner] = {}
        self._held: dict[Any, tuple[Value, ...]] = {}
        self._lock = threading.Lock()
        self._array: Any = None
        self._last: Any = None

    @property
    def program(self) -> Program:
        """The program of the last call. Raises `ValueError` before the first, as the shape of a row is not known."""
        if self._last is None:
            raise ValueError("nothing has been compiled yet: call the function once, which shows the shape of a row")
        return self._runners[self._last].program

    def set_parameters(self, array: Any) -> None:
        """Run on the numbers of a flat array, in the order of the parameters, in place of the Values' own.

        An array of the right dtype is kept, not copied: changes in it are seen by the next call. None goes back to the
        Values. Raises `ValueError` for another shape.
        """
        if array is not None:
            array = _rounded(numpy().asarray(array), self.dtype)
            if array.shape != (len(self.parameters),):
                message = f"there are {len(self.parameters)} parameters, got an array of shape {array.shape}"
                raise ValueError(message)
        self._array = array

    def __call__(self, *arguments: Any) -> Any:
        """Return the function's value for each example: an array whose axis 0 is the batch, or such arrays nested."""
        runner, columns, numbers = self._ready(arguments)
        return runner.shaped(runner.values(numbers, columns))

    def value_and_grad(self, *arguments: Any) -> tuple[float, Any]:
        """Return the mean of the function over the batch and its gradient, a flat array in the parameters' order.

        Raises `ValueError` if the function returns several numbers.
        """
        runner, columns, numbers = self._ready(arguments)
        if len(runner.program.outputs) != 1:
            message = f"the function returns {len(runner.program.outputs)} numbers: use jacobian, or return their sum"
            raise ValueError(message)
        _, mean, gradient = runner.mean_and_gradient(numbers, columns)
        return mean, self._spread(gradient)

    def values_and_grad(self, *arguments: Any) -> tuple[Any, Any]:
        """Return all that the function returns for each example, and the gradient of the mean of the *first* number.

        What stands behind the first is carried along: outputs to be looked at, costs without their regularisers.
        """
        runner, columns, numbers = self._ready(arguments)
        values, _, gradient = runner.mean_and_gradient(numbers, columns)
        return runner.shaped(values), self._spread(gradient)

    def jacobian(self, *arguments: Any) -> Any:
        """Return ∂outputs/∂inputs for each example, an array (batch, outputs, inputs), both in reading order.

        >>> square = compile(lambda x: [x[0] * x[1], x[0] ** 2])
        >>> square.jacobian([[3.0, 4.0]]).tolist()
        [[[4.0, 3.0], [6.0, 0.0]]]
        """
        runner, columns, numbers = self._ready(arguments)
        return runner.jacobian(numbers, columns)

    def _spread(self, gradient: Any) -> Any:
        """Return the gradient of the parameters alone, once more for those that are listed twice."""
        n = len(self._distinct)
        return gradient[:n] if n == len(self.parameters) else gradient[self._places]

    def _numbers(self, held: tuple[Value, ...]) -> Any:
        """Return the parameters' numbers, and behind them those of the other Values that the function uses."""
        np = numpy()
        if self._array is None:
            return _rounded(np.array([p._data for p in (*self._distinct, *held)], float), self.dtype)
        numbers = self._array
        if len(self._distinct) < len(self.parameters):
            numbers = np.empty(len(self._distinct), self.dtype)
            numbers[self._places] = self._array
        return _rounded(np.append(numbers, [p._data for p in held]), self.dtype) if held else numbers

    def _ready(self, arguments: tuple[Any, ...]) -> tuple[Runner, list[Any], Any]:
        columns, shapes = columns_of(arguments, self.dtype)
        if shapes not in self._runners:
            rows = [numpy().zeros(shape).tolist() for shape in shapes]
            with self._lock:
                if shapes not in self._runners:
                    found = trace(self.function, rows, self._distinct)
                    if not found.outputs:
                        raise ValueError("the function returns no number")
                    self._held[shapes] = found.held
                    self._runners[shapes] = Runner(roll(canonical(found)), self.dtype)
        self._last = shapes
        return self._runners[shapes], columns, self._numbers(self._held[shapes])


def columns_of(arguments: tuple[Any, ...], dtype: Any) -> tuple[list[Any], tuple[tuple[int, ...], ...]]:
    """Return each argument as an array (batch, numbers), and the shape of one row of each.

    Raises `ValueError` where the batches differ, are empty, or rows are of different lengths.
    """
    arrays = [_numbers_of(argument, i, dtype) for i, argument in enumerate(arguments)]
    if not arrays or any(array.ndim == 0 for array in arrays):
        raise ValueError("each argument is an array or list whose first axis is the batch, got a single number")
    batch = len(arrays[0])
    if any(len(array) != batch for array in arrays) or batch == 0:
        message = f"the arguments hold {[len(array) for array in arrays]} examples: give equally many, at least one"
        raise ValueError(message)
    return [array.reshape(batch, -1) for array in arrays], tuple([array.shape[1:] for array in arrays])


def _numbers_of(argument: Any, i: int, dtype: Any) -> Any:
    try:
        array = numpy().asarray(argument)
    except (ValueError, TypeError) as error:
        message = f"argument {i} is no array of numbers: its rows differ in length ({error})"
        raise ValueError(message) from None
    if array.dtype.kind not in "fiub":
        message = f"argument {i} is no array of numbers: some of its entries are of another kind ({array.dtype})"
        raise TypeError(message)
    return _rounded(array, dtype)


def _rounded(array: Any, dtype: Any) -> Any:
    """Return the array in this precision, the same if it is in it already; what it cannot hold is infinite."""
    if array.dtype == dtype:
        return array
    with numpy().errstate(over="ignore"):
        return array.astype(dtype)

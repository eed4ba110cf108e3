"""Compiled: a function of one example that runs on batches, by the program found in it."""

from __future__ import annotations

import gc
import inspect
import os
import threading
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from microgradlib.compiler.arguments import columns_of, rounded
from microgradlib.compiler.batched import Batched
from microgradlib.compiler.canonical import canonical
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.roll import roll
from microgradlib.compiler.runner import Runner
from microgradlib.compiler.saving import save_program
from microgradlib.compiler.trace import trace
from microgradlib.core.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from microgradlib.compiler.program import Program

__all__ = ["Compiled", "compile"]


def compile(  # noqa: A001  the name of the field
    function: Callable[..., Any], parameters: Iterable[Value] = (), *, dtype: Any = float
) -> Compiled:
    """Return a function that runs `function`, written for one example, on batches.

    The function is traced once for each shape of its arguments: run on Symbols, nested in lists as a row is, and its
    scalar operations gathered into matrix products and vector operations. It may use whatever the library has, and
    Python's loops, but no `if` on a number that is not known yet: write `where`. `parameters` are the leaf Values to
    differentiate by. Changes of the `data` of these, and of other Values that the function uses, are seen by the next
    call; all else it looks at, plain numbers, settings of modules, stays as it is when it is traced: a number that is
    to change is a Value or an argument. A label or index that is out of range is an error in the eager engine but not
    here. `dtype` is float64 or float32.

    Raises `MissingExtraError` without NumPy. The first call raises `SymbolHasNoValueError`, naming the line, where the
    function needs a number that is not known, and `TracingError` where it draws from Python's or NumPy's own source of
    random numbers, or does not do the same when it is run a second time.

    >>> w, b = Value(2.0), Value(1.0)
    >>> fast = compile(lambda x, y: (w * x + b - y) ** 2, [w, b])
    >>> fast([0.0, 1.0], [1.0, 5.0]).tolist()
    [0.0, 4.0]
    >>> mean, gradient = fast.value_and_grad([0.0, 1.0], [1.0, 5.0])
    >>> mean, gradient.tolist()
    (2.0, [-2.0, -2.0])
    """
    return Compiled(function, parameters, dtype)


class Compiled(Batched):
    """What `compile` returns: a function of batches, traced once for each shape of its rows."""

    def __init__(self, function: Callable[..., Any], parameters: Iterable[Value], dtype: Any) -> None:
        self.function = function
        if isinstance(parameters, Value):
            raise TypeError(
                "parameters are a list of Values, as model.parameters() gives it, got a single one: write [w]"
            )
        names = getattr(parameters, "names", ())
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
        named = dict(zip(self.parameters, names or _labels(self.parameters)))
        self._names = tuple([named[p] for p in self._distinct]) if named else ()
        self._places = numpy().array([position[p] for p in self.parameters], dtype=int)
        self._runners: dict[Any, Runner] = {}
        self._held: dict[Any, tuple[Value, ...]] = {}
        self._lock = threading.Lock()
        self._array: Any = None
        self._last: Any = None

    def __getstate__(self) -> NoReturn:
        """Refuse to be copied or pickled, as the function belongs to its own parameters."""
        raise TypeError(
            "a compiled function can neither be copied nor pickled: compile the copy's own function, or write the "
            "program to a file by fast.save(path), which load_program(path) reads"
        )

    def __repr__(self) -> str:
        name, count = getattr(self.function, "__name__", type(self.function).__name__), len(self.parameters)
        what = f"<compiled {name}: {count:,} parameter{'s' * (count != 1)}, {self.dtype}"
        return f"{what}, {self._runners[self._last].program.size()}>" if self._last else f"{what}, not called yet>"

    @property
    def program(self) -> Program:
        """The program of the last call. Raises `ValueError` before the first, as the shape of a row is not known."""
        if self._last is None:
            raise ValueError("nothing has been compiled yet: call the function once, which shows the shape of a row")
        return self._runners[self._last].program

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the program of the last call, and the parameters' numbers, to a JSON file; `load_program` reads it.

        It then runs without the function, or any code of yours. Raises `ValueError` before the first call.

        >>> import tempfile
        >>> from microgradlib.compiler import load_program
        >>> w = Value(3.0)
        >>> fast = compile(lambda x: w * x[0] + x[1], [w])
        >>> values = fast([[1.0, 2.0]])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     program = load_program(fast.save(Path(folder, "line.json")))
        >>> program([[1.0, 2.0]]).tolist(), program.jacobian([[1.0, 2.0]]).tolist()
        ([5.0], [[[3.0, 1.0]]])
        """
        numbers = self._numbers(self._held[self._last] if self._last is not None else ())
        return save_program(self.program, path, numbers, self._last, self._places)

    def set_parameters(self, array: Any) -> None:
        """Run on the numbers of a flat array, in the order of the parameters, in place of the Values' own.

        An array is kept, not copied: changes in it are seen by the next call. None goes back to the Values. Raises
        `TypeError` for what is no array or list of real numbers, `ValueError` for another shape.
        """
        if array is not None:
            array = numpy().asarray(array)
            if array.dtype.kind not in "fiub":
                message = f"the parameters' numbers are an array of real numbers, got dtype {array.dtype}"
                raise TypeError(message)
            if array.shape != (len(self.parameters),):
                message = f"there are {len(self.parameters)} parameters, got an array of shape {array.shape}"
                raise ValueError(message)
        self._array = array

    def _spread(self, gradient: Any) -> Any:
        """Return the gradient of the parameters alone, once more for those that are listed twice."""
        n = len(self._distinct)
        return gradient[:n] if n == len(self.parameters) else gradient[self._places]

    def _numbers(self, held: tuple[Value, ...]) -> Any:
        """Return the parameters' numbers, and behind them those of the other Values that the function uses."""
        np = numpy()
        if self._array is None:
            return rounded(np.array([p._data for p in (*self._distinct, *held)], float), self.dtype)
        numbers = rounded(self._array, self.dtype)
        if len(self._distinct) < len(self.parameters):
            numbers = np.empty(len(self._distinct), self.dtype)
            numbers[self._places] = self._array
        return rounded(np.append(numbers, [p._data for p in held]), self.dtype) if held else numbers

    def _compile(self, shapes: Any, rows: list[Any]) -> None:
        with without_collection():
            found = trace(self.function, rows, self._distinct)
            if not found.outputs:
                raise ValueError("the function returns no number")
            program = replace(
                roll(canonical(found)),
                parameter_names=self._names,
                arguments=tuple(zip(_argument_names(self.function, len(shapes)), shapes)),
            )
        self._held[shapes], self._runners[shapes] = found.held, Runner(program, self.dtype)

    def _ready(self, arguments: tuple[Any, ...]) -> tuple[Runner, list[Any], Any]:
        columns, shapes = columns_of(arguments, self.dtype)
        if shapes not in self._runners:
            rows = [numpy().zeros(shape).tolist() for shape in shapes]
            with self._lock:
                if shapes not in self._runners:
                    self._compile(shapes, rows)
        self._last = shapes
        return self._runners[shapes], columns, self._numbers(self._held[shapes])


def _labels(values: Sequence[Value]) -> list[str]:
    """Return the labels of Values as their names, or none where some have none of their own."""
    labels = [value.label for value in values]
    return labels if all(label.isidentifier() for label in labels) and len(set(labels)) == len(labels) else []


def _argument_names(function: Callable[..., Any], count: int) -> list[str]:
    """Return the names of the first `count` arguments of a function, or x0, x1, … where it does not say."""
    try:
        kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        names = [name for name, p in inspect.signature(function).parameters.items() if p.kind in kinds]
    except (ValueError, TypeError):
        names = []
    return names[:count] if len(names) >= count else [f"x{i}" for i in range(count)]


@contextmanager
def without_collection() -> Iterator[None]:
    """Keep the collector of cycles from looking, again and again, through a graph that is only growing."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()

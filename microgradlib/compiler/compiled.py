"""Compiled: a function of one example that runs on batches, by the program found in it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NoReturn

from microgradlib._support.argument_names import argument_names
from microgradlib._support.calling import in_plain_words
from microgradlib._support.garbage import without_collection
from microgradlib._support.pytree import flatten, unflatten
from microgradlib._support.shown import shown
from microgradlib.compiler.arguments import Parameters, columns_of
from microgradlib.compiler.batched import Batched, Ready
from microgradlib.compiler.canonicalize import canonicalize
from microgradlib.compiler.checks import column_checks
from microgradlib.compiler.engines import checked_options, choose_backend, make_engine
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.program import Program
from microgradlib.compiler.saving import save_program
from microgradlib.compiler.stages import Stages
from microgradlib.compiler.trace import Trace, trace
from microgradlib.compiler.vectorize import vectorize
from microgradlib.core.autodiff import grad_table
from microgradlib.core.kinks import check_gradients
from microgradlib.core.value import Value
from microgradlib.errors import AnomalyError

__all__ = ["Compiled", "compile"]

SHAPES_KEPT = 64
"""For how many shapes of rows programs are kept: those that were called last."""


@in_plain_words
def compile(  # noqa: A001  the name of the field
    function: Callable[..., Any], parameters: Value | Iterable[Value] = (), *, dtype: Any = float,
    backend: str = "auto", devices: Any = None, reproducible: bool = False,
) -> Compiled:  # fmt: skip
    """Return a function that runs `function`, written for one example, on batches.

    The function is traced once for each shape of its arguments: run on Symbols, nested in lists as a row is, and its
    scalar operations gathered into matrix products and vector operations. It may use whatever the library has, and
    Python's loops, but no `if` on a number that is not known yet: write `where`. `parameters` are the leaf Values to
    differentiate by. Changes of the `data` of these, and of other Values that the function uses, are seen by the next
    call; all else it looks at, plain numbers, settings of modules, stays as it is when it is traced: a number that is
    to change is a Value or an argument. `dtype` is float64 or float32. `backend` is the engine that runs programs:
    "native", machine code by LLVM; "numpy"; "auto", which is "native" where that can run, else "numpy", and stays so;
    "jax", XLA on JAX's default device; or "reference", which is slow and plain, for tests. Environment variables: by
    `MICROGRADLIB_BACKEND`, "auto" is always "native", or "numpy"; `MICROGRADLIB_CACHE_DIR` is the folder where native
    code is kept between runs, or "off".

    With "jax", `devices` is the number of devices, or a list of JAX's devices, that share each batch; `reproducible`
    makes the sums over it the same, bit for bit, on 1 to 8 devices. See `microgradlib.compiler.engines.jax`.

    Raises `MissingExtraError` where NumPy, or what the engine needs, is not installed, `RuntimeError` for "native" on
    a machine that it has no code for, `ValueError` for another backend or dtype, or options that are not this
    backend's, `TypeError` for parameters that are no leaf Values. The first call raises `SymbolHasNoValueError`, naming
    the line, where the function needs a number that is not known, `TracingError` where it draws from Python's or
    NumPy's own source of random numbers, or does not do the same when it is run a second time, and `ValueError` where
    it returns no number. Every call raises `LabelError`, naming the example, for a label or index that is out of range.

    >>> w, b = Value(2.0), Value(1.0)
    >>> fast = compile(lambda x, y: (w * x + b - y) ** 2, [w, b])
    >>> fast([0.0, 1.0], [1.0, 5.0]).tolist()
    [0.0, 4.0]
    >>> mean, gradient = fast.value_and_grad([0.0, 1.0], [1.0, 5.0])
    >>> mean, gradient.tolist()
    (2.0, [-2.0, -2.0])
    """
    return Compiled(function, parameters, dtype, backend, devices=devices, reproducible=reproducible)


class Compiled(Batched):
    """What `compile` returns: a function of batches. `__wrapped__`, of one example, is traced once for each shape."""

    check_labels = True
    """Set it to False before the first call where all labels are known to be valid: calls then do not test them."""

    def __init__(
        self,
        function: Callable[..., Any],
        parameters: Value | Iterable[Value],
        dtype: Any,
        backend: str,
        **options: Any,
    ) -> None:
        given: Any = function
        if not callable(given):
            message = f"compile takes a function of one example, as lambda x: x * x is, got {shown(given)}"
            raise TypeError(message)
        self.__wrapped__, self.dtype, self.backend = function, _float_type(dtype), choose_backend(backend)
        self._options = checked_options(self.backend, **options)
        super().__init__()
        self._parameters = Parameters(parameters)
        self.parameters = self._parameters.listed
        self._compiled: dict[Any, Ready] = {}
        self._lock = threading.Lock()

    def __getstate__(self) -> NoReturn:
        """Refuse to be copied or pickled, as the function belongs to its own parameters."""
        raise TypeError(
            "a compiled function can neither be copied nor pickled: compile the copy's own function, or write the "
            "program to a file by fast.save(path), which load_program(path) reads"
        )

    def __repr__(self) -> str:
        name, count = getattr(self.__wrapped__, "__name__", type(self.__wrapped__).__name__), len(self.parameters)
        backend = "" if self.backend == "numpy" else f", {self.backend} engine"
        size = "not called yet" if self._last is None else self.program.size()
        return f"<compiled {name}: {count:,} parameter{'s' * (count != 1)}, {self.dtype}{backend}, {size}>"

    def lower(self, *arguments: Any) -> Program:
        """Compile for arguments like these, as a call takes them, without running; return the program, to be printed.

        >>> w = Value(2.0, label="w")
        >>> compile(lambda x: (w * x).tanh(), [w]).lower([1.0])
        <Program: 2 instructions for examples of 1 number>
        """
        self._prepared(columns_of(arguments, self.dtype)[1])
        return self.program

    def stages(self, *arguments: Any) -> Stages:
        """Return what each pass makes of the function, for arguments like these or else as in the last call."""
        if arguments:
            self.lower(*arguments)
        return Stages.of(self._trace(self._latest().shapes))

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the program of the last call, and the parameters' numbers, to a JSON file; `load_program` reads it.

        It then runs without any code of yours; labels are not checked. Raises `ValueError` before the first call,
        `TypeError` if the function returns a dict with other keys than text, `OSError` if the file cannot be written.

        >>> import tempfile
        >>> from microgradlib.compiler import load_program
        >>> w = Value(3.0)
        >>> fast = compile(lambda x: w * x[0] + x[1], [w])
        >>> values = fast([[1.0, 2.0]])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     program = load_program(fast.save(f"{folder}/line.json"))
        >>> program([[1.0, 2.0]]).tolist(), program.jacobian([[1.0, 2.0]]).tolist()
        ([5.0], [[[3.0, 1.0]]])
        """
        return save_program(path, self._latest(), self._parameters)

    def _trace(self, shapes: Any) -> Trace:
        return trace(self.__wrapped__, [numpy().zeros(shape).tolist() for shape in shapes], self._parameters.distinct)

    def _for(self, shapes: Any) -> Ready:
        """Return what runs for rows of these shapes, compiled now if it is not yet."""
        last = self._call.known[0]
        if last is not None and last.shapes == shapes:
            return last
        with self._lock:
            ready = self._compiled.pop(shapes, None) or self._compile(shapes)
            self._compiled[shapes] = ready  # now the last in order
            if len(self._compiled) > SHAPES_KEPT:
                del self._compiled[next(iter(self._compiled))]
        return ready

    def _compile(self, shapes: Any) -> Ready:
        with without_collection():
            found = self._trace(shapes)
            if not found.outputs:
                raise ValueError("the function returns no number")
            arguments, names = tuple(zip(argument_names(self.__wrapped__, len(shapes)), shapes)), self._parameters.names
            program = Program.of(vectorize(canonicalize(found)), arguments=arguments, parameter_names=names)
        checks = column_checks(found, shapes, self.dtype) if self.check_labels else []
        return Ready(shapes, make_engine(self.backend, program, self.dtype, **self._options), found.captured, checks)

    def _rerun(self, arguments: tuple[Any, ...], example: int) -> None:
        columns, shapes = columns_of(arguments, self.dtype)
        rows = [column[example].reshape(shape).tolist() for column, shape in zip(columns, shapes)]
        captured = self._for(shapes).captured
        values = [*self._parameters.distinct, *captured]
        with self._lock:
            before = [value._float for value in values]
            try:
                for value, number in zip(values, self._parameters.numbers(captured, self.dtype).tolist()):
                    value._float = number
                for output in flatten(self.__wrapped__(*unflatten(rows, map(Value, flatten(rows))))):
                    if isinstance(output, Value):
                        check_gradients(grad_table(output))
            except AnomalyError as error:
                message = f"example {example}: {error}"
                raise AnomalyError(message) from None
            finally:
                for value, number in zip(values, before):
                    value._float = number


def _float_type(dtype: Any) -> Any:
    """Return float64 or float32 as NumPy's dtype. Raises `ValueError` for another one."""
    try:
        known = numpy().dtype(dtype)
    except TypeError:
        known = shown(dtype)
    if known in (numpy().float64, numpy().float32):
        return known
    message = f"programs compute with float64 or float32, got dtype={known}"
    raise ValueError(message)

"""Batched: what compiled functions and loaded programs have in common, the calls on batches."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, TypeVar

from microgradlib._support import display
from microgradlib._support.absent import lacking
from microgradlib._support.calling import in_plain_words
from microgradlib._support.checks import boolean
from microgradlib._support.interrupts import import_whole
from microgradlib._support.lookup import lookup
from microgradlib._support.other_names import ADVICE_ON_PROGRAMS
from microgradlib._support.pytree import flatten
from microgradlib.compiler.arguments import Parameters, columns_of, refuse_names, signs_of
from microgradlib.compiler.checks import ColumnCheck, run_checks
from microgradlib.compiler.engines.engine import Engine
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.program import Program
from microgradlib.core.modes import is_watching
from microgradlib.core.value import Value
from microgradlib.errors import AnomalyError, LabelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Batched", "Ready"]

Results = TypeVar("Results")


class Ready(NamedTuple):
    """What runs for rows of some shapes: the engine, other Values than parameters, and the checks of labels."""

    shapes: tuple[tuple[int, ...], ...]
    engine: Engine
    captured: tuple[Value, ...]
    checks: list[ColumnCheck]


class _LastCall(threading.local):
    """What ran in the last call by a thread, and what arrays are like that it can be given again.

    Both are one attribute: to look up a thread's own takes a hundredth of a call of a small program.
    """

    known: tuple[Ready | None, Sequence[Any]] = None, ()


@lacking(ADVICE_ON_PROGRAMS)
class Batched(display.ShowsItself):
    """A function of batches. Arguments are arrays or nested lists: axis 0 is the batch, a row what the function takes.

    Several threads may call it at once. Under `detect_anomaly()` a call whose result is nan or inf is an error. A
    subclass says in `_for` what runs.
    """

    dtype: Any
    _parameters: Parameters
    _newest: Ready | None = None
    """What ran in the last call of any thread that was not like the one before."""

    def __init__(self) -> None:
        self._call = _LastCall()

    @property
    def program(self) -> Program:
        """The program of the last call by this thread; of one by another thread as long as this has made none.

        Raises `ValueError` before the first, as the shape of a row is not known.
        """
        return self._latest().engine.program  # type: ignore[return-value]

    @property
    def _last(self) -> Ready | None:
        return self._call.known[0] or self._newest

    def _latest(self) -> Ready:
        if self._last is None:
            raise ValueError("nothing has been compiled yet: call the function once, which shows the shape of a row")
        return self._last

    def _for(self, shapes: tuple[tuple[int, ...], ...]) -> Ready:
        """Return what runs for rows of these shapes."""
        raise NotImplementedError

    def _ready(self, arguments: tuple[Any, ...], named: Iterable[str] = ()) -> tuple[Engine, tuple[Any, Sequence[Any]]]:
        """Return the engine, and what it is given: the flat parameters of its program and the arguments' columns."""
        if named:
            refuse_names(named)
        columns: Sequence[Any] = arguments
        ready, signs = self._call.known
        try:
            is_same = list(map(signs_of, arguments)) == signs
        except AttributeError:  # other arguments than arrays
            is_same = False
        before = None
        if not is_same or ready is None:
            columns, shapes = columns_of(arguments, self.dtype)
            before = self._call.known, self._newest
            ready = self._prepared(shapes)
            axes = [(len(column), *shape) for column, shape in zip(columns, shapes)]
            self._call.known = ready, [(numpy().ndarray, self.dtype, each) for each in axes]
        _, engine, captured, checks = ready
        if checks:
            try:
                run_checks(checks, columns)
            except LabelError:
                if before is not None:  # the program of the last call remains that of the last that was not refused
                    self._call.known, self._newest = before
                raise
        return engine, (self._parameters.numbers(captured, self.dtype), columns)

    def _prepared(self, shapes: tuple[tuple[int, ...], ...]) -> Ready:
        """Return what runs for rows of these shapes: it is now what this thread's last call ran."""
        self._newest = ready = self._for(shapes)
        self._call.known = ready, ()
        return ready

    def set_parameters(self, array: Any) -> None:
        """Run on the numbers of a flat array, in the order of the parameters as they were listed.

        An array is kept, not copied: changes in it are seen by the next call. None goes back to the Values' own
        numbers, or those of the file. Raises `TypeError` for what is no array or list of real numbers, `ValueError` for
        another shape.
        """
        self._parameters.set(array)

    def __call__(self, *arguments: Any, **named: NoReturn) -> Any:
        """Return the function's value for each example: an array whose axis 0 is the batch, or such arrays nested."""
        engine, given = self._ready(arguments, named)
        return self._watched(arguments, engine.shaped(engine.values(*given)))

    def rows(self, *arguments: Any, **named: NoReturn) -> NDArray[Any]:
        """Return all numbers that the function returns for each example, flat: an array (batch, numbers)."""
        engine, given = self._ready(arguments, named)
        return self._watched(arguments, engine.values(*given))

    def value_and_grad(self, *arguments: Any, **named: NoReturn) -> tuple[float, NDArray[Any]]:
        """Return the mean of the function over the batch and its gradient, a flat array in the parameters' order.

        Raises `ValueError` if the function returns several numbers.
        """
        engine, given = self._ready(arguments, named)
        if len(engine.program.outputs) != 1:
            message = f"the function returns {len(engine.program.outputs)} numbers: use jacobian, or return their sum"
            raise ValueError(message)
        mean, gradient = self._watched(arguments, engine.mean_and_gradient(*given))
        return mean, gradient[self._parameters.places]

    def values_and_grad(self, *arguments: Any, **named: NoReturn) -> tuple[Any, NDArray[Any]]:
        """Return all that the function returns for each example, and the gradient of the mean of the *first* number.

        What stands behind the first is carried along: outputs to be looked at, costs without their regularisers.
        """
        engine, given = self._ready(arguments, named)
        values, gradient = self._watched(arguments, engine.values_and_gradient(*given))
        return engine.shaped(values), gradient[self._parameters.places]

    @in_plain_words
    def rows_and_grad(self, *arguments: Any, out: NDArray[Any] | None = None) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the same as `values_and_grad`, but what the function returns as in `rows`.

        `out`, an array of the program's dtype, is what it is written into.
        """
        engine, given = self._ready(arguments)
        values, gradient = self._watched(arguments, engine.values_and_gradient(*given))
        if out is not None:
            out[...] = values
        return values if out is None else out, gradient[self._parameters.places]

    def jacobian(self, *arguments: Any, **named: NoReturn) -> NDArray[Any]:
        """Return ∂outputs/∂inputs for each example, an array (batch, outputs, inputs), both in reading order.

        >>> from microgradlib.compiler import compile
        >>> square = compile(lambda x: [x[0] * x[1], x[0] ** 2])
        >>> square.jacobian([[3.0, 4.0]]).tolist()
        [[[4.0, 3.0], [6.0, 0.0]]]
        """
        engine, given = self._ready(arguments, named)
        return self._watched(arguments, engine.jacobian(*given))

    @in_plain_words
    def hvp(self, *arguments: Any, vector: Any) -> NDArray[Any]:
        """Return H v, for the Hessian H by the parameters of the mean of the first number that the function returns.

        `vector` is v, one number for each parameter, in their order, as are those of the result. H is never formed: the
        cost is a small multiple of the gradient's. Raises `TypeError` and `ValueError` as `set_parameters` does.

        >>> from microgradlib import Value, compile
        >>> w, b = Value(2.0), Value(1.0)
        >>> fast = compile(lambda x: (w * x + b) ** 2, [w, b])
        >>> fast.hvp([1.0, 2.0], vector=[1.0, 0.0]).tolist(), fast.hessian([1.0, 2.0]).tolist()
        ([5.0, 3.0], [[5.0, 3.0], [3.0, 2.0]])
        """
        direction = self._parameters.checked(vector, "a vector")
        engine, given = self._ready(arguments)
        return self._watched(arguments, self._product(engine, given, direction))

    def hessian(self, *arguments: Any, **named: NoReturn) -> NDArray[Any]:
        """Return H, an array (parameters, parameters): `hvp` for each of them."""
        (engine, given), count = self._ready(arguments, named), len(self._parameters.listed)
        rows = [self._product(engine, given, unit) for unit in numpy().eye(count)]
        matrix: NDArray[Any] = numpy().array(rows, self.dtype).reshape(count, count)
        return self._watched(arguments, matrix)

    @in_plain_words
    def as_function(self, framework: str, *, per_example: bool = False) -> Callable[..., Any]:
        """Return a pure function (parameters, *data) → value of another framework: of "jax", whatever the backend.

        `parameters` is a flat array in the parameters' order, `data` are batches as in a call. The value is the mean
        over the batch, the number of `value_and_grad`; with `per_example` it is what a call returns. It composes with
        JAX's jit, grad, jvp, vmap and hessian, and so with optimisers such as optax; the derivatives are those of this
        library, also where JAX's own rules have others: at kinks, and behind closed branches. The gradient is computed
        by the program's own backward pass; third derivatives behind closed branches want JAX's forward mode.

        It computes in the precision of `parameters`: in float64 where JAX is set so (`jax_enable_x64`). Other Values
        that the function uses are constants, read when JAX traces it; labels are not checked. Raises `ValueError` for
        another framework; the function raises it for arrays of other shapes, and for a function of several numbers
        without `per_example`.
        """
        lookup(framework, {"jax": None}, "framework")
        pure_function: Any = import_whole("microgradlib.compiler.engines.jax").pure_function  # what needs an extra
        result: Callable[..., Any] = pure_function(self, per_example=boolean(per_example, "per_example"))
        return result

    def _product(self, engine: Engine, given: tuple[Any, Sequence[Any]], vector: Any) -> NDArray[Any]:
        direction = numpy().zeros(len(given[0]), self.dtype)
        numpy().add.at(direction, self._parameters.places, vector)  # a parameter listed twice is one of the program's
        product: NDArray[Any] = engine.hvp(*given, direction)[self._parameters.places]
        return product

    def _watched(self, arguments: tuple[Any, ...], results: Results) -> Results:
        """Return results. Raises `AnomalyError` under `detect_anomaly()` if a number in them is nan or inf."""
        if not is_watching() or all(map(math.isfinite, flatten(results))):
            return results
        engine, given = self._ready(arguments)
        finite = numpy().isfinite(engine.values(*given)).all(1)
        for example in numpy().argsort(finite, kind="stable").tolist():
            self._rerun(arguments, example)
        what = "a derivative" if finite.all() else f"the value of example {finite.tolist().index(False)}"
        message = f"{what} is nan or inf"
        raise AnomalyError(message)

    def _rerun(self, arguments: tuple[Any, ...], example: int) -> None:
        """Run an example in the eager engine, if there is a function, so that `detect_anomaly` names the line."""

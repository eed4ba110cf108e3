"""Batched: what compiled functions and loaded programs have in common, the calls on batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from microgradlib._support import display
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.core.modes import is_watching
from microgradlib.errors import AnomalyError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from microgradlib.compiler.engines.engine import Engine
    from microgradlib.compiler.parameters import Parameters
    from microgradlib.compiler.program import Program

    Given = tuple[Any, Sequence[Any]]

__all__ = ["Batched"]


class Batched(display.ShowsItself):
    """A function of batches. Arguments are arrays or nested lists: axis 0 is the batch, a row what the function takes.

    Several threads may call it at once. Under `detect_anomaly()` a call whose result is nan or inf is an error. A
    subclass says in `_ready` which engine runs, on which numbers.
    """

    _parameters: Parameters

    @property
    def program(self) -> Program:
        """The program that runs."""
        raise NotImplementedError

    def _ready(self, arguments: tuple[Any, ...]) -> tuple[Engine, Given]:
        """Return the engine, and what it is given: the flat parameters of its program and the arguments' columns."""
        raise NotImplementedError

    def _rerun(self, engine: Engine, given: Given, example: int) -> None:
        """Run an example in the eager engine, if there is a function, so that `detect_anomaly` names the line."""

    def set_parameters(self, array: Any) -> None:
        """Run on the numbers of a flat array, in the order of the parameters as they were listed.

        An array is kept, not copied: changes in it are seen by the next call. None goes back to the Values' own
        numbers, or those of the file. Raises `TypeError` for what is no array or list of real numbers, `ValueError` for
        another shape.
        """
        self._parameters.set(array)

    def __call__(self, *arguments: Any) -> Any:
        """Return the function's value for each example: an array whose axis 0 is the batch, or such arrays nested."""
        engine, given = self._ready(arguments)
        return engine.shaped(self._watched(engine, given, engine.values(*given)))

    def rows(self, *arguments: Any) -> NDArray[Any]:
        """Return all numbers that the function returns for each example, flat: an array (batch, numbers)."""
        engine, given = self._ready(arguments)
        array: NDArray[Any] = self._watched(engine, given, engine.values(*given))
        return array

    def value_and_grad(self, *arguments: Any) -> tuple[float, NDArray[Any]]:
        """Return the mean of the function over the batch and its gradient, a flat array in the parameters' order.

        Raises `ValueError` if the function returns several numbers.
        """
        engine, given = self._ready(arguments)
        if len(engine.program.outputs) != 1:
            message = f"the function returns {len(engine.program.outputs)} numbers: use jacobian, or return their sum"
            raise ValueError(message)
        mean, gradient = self._watched(engine, given, engine.mean_and_gradient(*given))
        return mean, gradient[self._parameters.places]

    def values_and_grad(self, *arguments: Any) -> tuple[Any, NDArray[Any]]:
        """Return all that the function returns for each example, and the gradient of the mean of the *first* number.

        What stands behind the first is carried along: outputs to be looked at, costs without their regularisers.
        """
        engine, given = self._ready(arguments)
        values, gradient = self._watched(engine, given, engine.values_and_gradient(*given))
        return engine.shaped(values), gradient[self._parameters.places]

    def rows_and_grad(self, *arguments: Any, out: NDArray[Any] | None = None) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the same as `values_and_grad`, but what the function returns as in `rows`.

        `out`, an array of the program's dtype, is what it is written into.
        """
        engine, given = self._ready(arguments)
        values, gradient = self._watched(engine, given, engine.values_and_gradient(*given))
        if out is not None:
            out[...] = values
        return values if out is None else out, gradient[self._parameters.places]

    def jacobian(self, *arguments: Any) -> NDArray[Any]:
        """Return ∂outputs/∂inputs for each example, an array (batch, outputs, inputs), both in reading order.

        >>> from microgradlib.compiler import compile
        >>> square = compile(lambda x: [x[0] * x[1], x[0] ** 2])
        >>> square.jacobian([[3.0, 4.0]]).tolist()
        [[[4.0, 3.0], [6.0, 0.0]]]
        """
        engine, given = self._ready(arguments)
        array: NDArray[Any] = self._watched(engine, given, engine.jacobian(*given))
        return array

    def hvp(self, *arguments: Any, vector: Any) -> NDArray[Any]:
        """Return H v, for the Hessian H by the parameters of the mean of the first number that the function returns.

        `vector` is v, one number for each parameter, in their order, as are those of the result. H is never formed: the
        cost is a small multiple of the gradient's. Raises `ValueError` for a vector of another shape.

        >>> from microgradlib import Value, compile
        >>> w, b = Value(2.0), Value(1.0)
        >>> fast = compile(lambda x: (w * x + b) ** 2, [w, b])
        >>> fast.hvp([1.0, 2.0], vector=[1.0, 0.0]).tolist(), fast.hessian([1.0, 2.0]).tolist()
        ([5.0, 3.0], [[5.0, 3.0], [3.0, 2.0]])
        """
        engine, given = self._ready(arguments)
        direction, vector = numpy().zeros(len(given[0]), engine.dtype), numpy().asarray(vector, engine.dtype)
        if vector.shape != direction[self._parameters.places].shape:
            message = (
                f"there are {len(direction[self._parameters.places])} parameters, got a vector of shape {vector.shape}"
            )
            raise ValueError(message)
        numpy().add.at(direction, self._parameters.places, vector)
        product = self._watched(engine, given, engine.hvp(*given, direction))
        listed: NDArray[Any] = product[self._parameters.places]
        return listed

    def hessian(self, *arguments: Any) -> NDArray[Any]:
        """Return H, an array (parameters, parameters): `hvp` for each of them."""
        engine, given = self._ready(arguments)
        unit = numpy().eye(len(given[0]), dtype=engine.dtype)[self._parameters.places]
        rows = [engine.hvp(*given, vector)[self._parameters.places] for vector in unit]
        matrix: NDArray[Any] = self._watched(engine, given, numpy().array(rows, engine.dtype).reshape(2 * [len(rows)]))
        return matrix

    def _watched(self, engine: Engine, given: Given, results: Any) -> Any:
        """Return results. Raises `AnomalyError` under `detect_anomaly()` if one of them is nan or inf."""
        if not is_watching():
            return results
        np, parts = numpy(), results if isinstance(results, tuple) else (results,)
        if all(np.isfinite(part).all() for part in parts):
            return results
        finite = np.isfinite(engine.values(*given)).all(1)
        for example in np.argsort(finite, kind="stable").tolist():
            self._rerun(engine, given, example)
        what = "a derivative" if finite.all() else f"the value of example {finite.tolist().index(False)}"
        message = f"{what} is nan or inf"
        raise AnomalyError(message)

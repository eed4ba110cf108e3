"""Outputs of a model at many inputs, as an array: compiled where that is possible, else one input after another."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from microgradlib._support.calling import returned
from microgradlib._support.number import number_at
from microgradlib.compiler import compile as compiled
from microgradlib.compiler.batched import Batched
from microgradlib.core.modes import no_grad
from microgradlib.nn import Module
from microgradlib.nn.module import evaluation_mode
from microgradlib.plots.axes import numpy_for

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Evaluator"]


class Evaluator:
    """A function of one row, such as a Module, that is called with many rows and returns a row of outputs for each.

    `is_fast`: whether it runs as a compiled program. It does if NumPy and the function allow it, or if it is a compiled
    function; changes of parameters between two calls are seen by the second.

    >>> from microgradlib.nn import Neuron
    >>> Evaluator(Neuron(2, "linear", init="zeros"))([[1.0, 2.0], [3.0, 4.0]]).shape
    (2, 1)
    """

    def __init__(self, function: Callable[[Any], Any] | Batched) -> None:
        self.function = function
        parameters = function.parameters() if isinstance(function, Module) else ()
        self._is_compiled = isinstance(function, Batched)
        self._program: Any = function if self._is_compiled else compiled(_flat_function(function), parameters)

    @property
    def is_fast(self) -> bool:
        """Whether rows are computed by a compiled program."""
        return self._program is not None

    def __call__(self, rows: Any) -> Any:
        """Return an array with a row of outputs for each of `rows`, in evaluation mode."""
        np = numpy_for("a plot")
        rows = np.asarray(rows, dtype=float)
        with evaluation_mode(self.function) if isinstance(self.function, Module) else nullcontext():
            if self._is_compiled:
                return np.column_stack([np.reshape(part, (len(rows), -1)) for part in _as_list(self._program(rows))])
            if self._program is not None:
                try:
                    outputs = np.asarray(self._program(rows))
                    return outputs.reshape(len(rows), -1)
                except Exception:  # noqa: BLE001  whatever the compiler refuses, the eager engine may do, or say why not
                    self._program = None
            flat = _flat_function(self.function)
            with no_grad():
                results = [flat(row) for row in rows.tolist()]
        return np.array([returned(self.function, _as_list(result), number_at) for result in results])


def _flat_function(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return the function with its outputs in one list; those of a pair, as means and precisions, one after another."""

    def flat(row: Any) -> Any:
        outputs = function(row)
        if isinstance(outputs, tuple):
            return [number for part in outputs for number in _as_list(part)]
        return outputs

    return flat


def _as_list(outputs: Any) -> list[Any]:
    return list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]

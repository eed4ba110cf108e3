"""Batched: what compiled functions and loaded programs have in common, the calls on batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from microgradlib._support import display

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from microgradlib.compiler.program import Program
    from microgradlib.compiler.runner import Runner

__all__ = ["Batched"]


class Batched(display.ShowsItself):
    """A function of batches. Arguments are arrays or nested lists: axis 0 is the batch, a row what the function takes.

    Several threads may call it at once. A subclass says in `_ready` which program runs, on which numbers.
    """

    @property
    def program(self) -> Program:
        """The program that runs."""
        raise NotImplementedError

    def _ready(self, arguments: tuple[Any, ...]) -> tuple[Runner, list[Any], Any]:
        """Return the runner, the arguments' columns, and the flat parameters."""
        raise NotImplementedError

    def _spread(self, gradient: Any) -> Any:
        """Return a program's gradient in the order of the parameters as they were listed."""
        raise NotImplementedError

    def __call__(self, *arguments: Any) -> Any:
        """Return the function's value for each example: an array whose axis 0 is the batch, or such arrays nested."""
        runner, columns, numbers = self._ready(arguments)
        return runner.shaped(runner.values(numbers, columns))

    def value_and_grad(self, *arguments: Any) -> tuple[float, NDArray[Any]]:
        """Return the mean of the function over the batch and its gradient, a flat array in the parameters' order.

        Raises `ValueError` if the function returns several numbers.
        """
        runner, columns, numbers = self._ready(arguments)
        if len(runner.program.outputs) != 1:
            message = f"the function returns {len(runner.program.outputs)} numbers: use jacobian, or return their sum"
            raise ValueError(message)
        mean, gradient = runner.mean_and_gradient(numbers, columns)
        return mean, self._spread(gradient)

    def values_and_grad(self, *arguments: Any) -> tuple[Any, NDArray[Any]]:
        """Return all that the function returns for each example, and the gradient of the mean of the *first* number.

        What stands behind the first is carried along: outputs to be looked at, costs without their regularisers.
        """
        runner, columns, numbers = self._ready(arguments)
        values, gradient = runner.values_and_gradient(numbers, columns)
        return runner.shaped(values), self._spread(gradient)

    def rows(self, *arguments: Any) -> NDArray[Any]:
        """Return all numbers that the function returns for each example, flat: an array (batch, numbers)."""
        runner, columns, numbers = self._ready(arguments)
        array: NDArray[Any] = runner.values(numbers, columns)
        return array

    def rows_and_grad(self, *arguments: Any, out: NDArray[Any] | None = None) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the same as `values_and_grad`, but what the function returns as in `rows`.

        `out`, an array of the program's dtype, is what it is written into.
        """
        runner, columns, numbers = self._ready(arguments)
        values, gradient = runner.values_and_gradient(numbers, columns, out)
        return values, self._spread(gradient)

    def jacobian(self, *arguments: Any) -> NDArray[Any]:
        """Return ∂outputs/∂inputs for each example, an array (batch, outputs, inputs), both in reading order.

        >>> from microgradlib.compiler import compile
        >>> square = compile(lambda x: [x[0] * x[1], x[0] ** 2])
        >>> square.jacobian([[3.0, 4.0]]).tolist()
        [[[4.0, 3.0], [6.0, 0.0]]]
        """
        runner, columns, numbers = self._ready(arguments)
        array: NDArray[Any] = runner.jacobian(numbers, columns)
        return array

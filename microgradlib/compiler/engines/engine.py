"""The seam of engines: what every engine computes of a program, whatever executes its instructions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.compiler.instructions import ProgramData

__all__ = ["Engine"]


class Engine:
    """A program on one kind of machine. A new engine writes `execute`, and its line in `engines.registry`.

    `parameters` is a flat array in the order of `program`'s parameters (not of its slots), `columns` an array (batch,)
    or (batch, numbers) for each argument, both of the engine's dtype. Several threads may call it at once.
    """

    def __init__(self, program: ProgramData, dtype: Any) -> None:
        self.program, self.dtype = program, dtype

    def execute(
        self, program: ProgramData, parameters: Any, columns: Sequence[Any], seeds: Sequence[Any] = ()
    ) -> tuple[Any, tuple[Any, ...]]:
        """Run this engine's program, or a joint program of it, on a batch.

        `seeds`: for each operand of `program.seeds` an array that broadcasts to (slots, batch), or (slots,) for an
        unbatched one. Returns the outputs, (outputs, batch), and for each operand of `program.cotangents` an array in
        the order of the slots: (slots,), the sum over the batch, or (slots, batch).
        """
        raise NotImplementedError

    def values(self, parameters: Any, columns: Sequence[Any]) -> Any:
        """Return the outputs, an array (batch, outputs)."""
        raise NotImplementedError

    def mean_and_gradient(self, parameters: Any, columns: Sequence[Any]) -> tuple[float, Any]:
        """Return the mean of the first output and its gradient, flat, in the parameters' order."""
        raise NotImplementedError

    def values_and_gradient(self, parameters: Any, columns: Sequence[Any], out: Any = None) -> tuple[Any, Any]:
        """Return all outputs, (batch, outputs), in `out` if given, and the gradient of the mean of the first, flat."""
        raise NotImplementedError

    def jacobian(self, parameters: Any, columns: Sequence[Any]) -> Any:
        """Return ∂outputs/∂inputs for each example, an array (batch, outputs, inputs)."""
        raise NotImplementedError

    def hvp(self, parameters: Any, columns: Sequence[Any], vector: Any) -> Any:
        """Return H v, flat, for the Hessian H of the mean of the first output by the parameters."""
        raise NotImplementedError

    def shaped(self, result: Any) -> Any:
        """Return (batch, outputs) nested as the function's result, rectangular lists as one array."""
        raise NotImplementedError

"""The seam of engines: what every engine computes of a program, whatever executes its instructions."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from microgradlib._support.pytree import unflatten
from microgradlib.compiler.instructions import ProgramData
from microgradlib.compiler.numpy_functions import is_finite, numpy
from microgradlib.compiler.reverse import reverse

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Engine"]

EXAMINED = 64
"""Where a gradient is not finite, parts of the batch of so many examples are looked at, then single examples."""

ROWS, SEEDS = 512, 1 << 20
"""So many rows of a Jacobian are computed at a time, which stay in cache, from at most so many seeds."""


class Engine:
    """A program on one kind of machine. A new engine writes `execute`, and its line in `engines.ENGINES`.

    `parameters` is a flat array in the order of `program`'s parameters (not of its slots), `columns` an array
    (batch, …) for each argument, both of the engine's dtype. Several threads may call it at once.

    Where a number is not finite, an engine may compute inf or nan behind a closed branch. Derivatives of such examples
    are those of `exact`, an engine that does not; None: this one does not.
    """

    def __init__(self, program: ProgramData, dtype: Any, exact: Engine | None = None) -> None:
        self.program, self.dtype, self.exact = program, numpy().dtype(dtype), exact
        self._joint: dict[str, ProgramData] = {}
        self._lock = threading.RLock()
        self._order = numpy().array(program.parameter_order, numpy().intp)
        in_order = (numpy().diff(self._order) > 0).all()
        self._slots: Any = slice(None) if in_order else numpy().argsort(self._order)

    def execute(self, program: ProgramData, parameters: Any, columns: Sequence[Any], seeds: Sequence[Any] = ()) -> Any:
        """Run this engine's program, or a joint program of it, on a batch.

        `seeds`: for each operand of `program.seeds` an array or number that broadcasts to (slots, batch), or (slots,)
        for an unbatched one. Returns the outputs, (outputs, batch), and a tuple with an array for each operand of
        `program.cotangents`, in the order of the slots: (slots,), the sum over the batch, or (slots, batch). They are
        the caller's to keep. NumPy's warnings are off while it is called.
        """
        raise NotImplementedError

    def joint(self, name: str) -> ProgramData:
        """Return the joint program for the "gradient", "jacobian" or "hvp", made when first asked for."""
        if name not in self._joint:
            with self._lock:
                source = self.joint("gradient") if name == "hvp" else self.program
                made = self._joint.get(name) or reverse(source, wrt="inputs" if name == "jacobian" else "parameters")
                self._joint[name] = made
        return self._joint[name]

    def values(self, parameters: Any, columns: Sequence[Any]) -> NDArray[Any]:
        """Return the outputs, an array (batch, outputs)."""
        with numpy().errstate(all="ignore"):  # IEEE 754's answers, as everywhere in the library
            outputs: NDArray[Any] = self.execute(self.program, parameters, columns)[0].T
        return outputs

    def mean_and_gradient(self, parameters: Any, columns: Sequence[Any]) -> tuple[float, Any]:
        """Return the mean of the first output and its gradient, flat, in the parameters' order."""
        _, mean, gradient = self._derived("gradient", parameters, columns)
        return mean, gradient

    def values_and_gradient(self, parameters: Any, columns: Sequence[Any]) -> tuple[Any, Any]:
        """Return all outputs, (batch, outputs), and the gradient of the mean of the first."""
        outputs, _, gradient = self._derived("gradient", parameters, columns)
        return outputs.T, gradient

    def hvp(self, parameters: Any, columns: Sequence[Any], vector: Any) -> Any:
        """Return H v, flat, for the Hessian H of the mean of the first output by the parameters."""
        return self._derived("hvp", parameters, columns, vector)[2]

    def _derived(self, name: str, parameters: Any, columns: Sequence[Any], *vector: Any) -> tuple[Any, float, Any]:
        """Return the outputs, the mean of the first, and its derivatives in the parameters' order."""
        batch = len(columns[0])
        joint, seeds = self.joint(name), (1.0 / batch, vector[0][self._order]) if vector else (1.0 / batch,)
        with numpy().errstate(all="ignore"):
            outputs, (found,) = self.execute(joint, parameters, columns, seeds)
            mean = float(numpy().add.reduce(outputs[0])) / batch
            if not (math.isfinite(mean) and is_finite(found)) and self.exact is not None:
                return outputs, mean, self._by_examples(self.exact, joint, (parameters, columns, *vector), seeds)
        return outputs, mean, found[self._slots]

    def _by_examples(self, exact: Engine, joint: ProgramData, given: Any, seeds: Any) -> Any:
        """Return the same derivatives as sums over parts of the batch; those of examples at fault are of `exact`."""
        np, (parameters, columns, *vector) = numpy(), given
        total, odd, waiting = np.zeros(len(self._order)), list[int](), _parts(np.arange(len(columns[0])))
        while waiting:
            part = waiting.pop()
            outputs, (found,) = self.execute(joint, parameters, [column[part] for column in columns], seeds)
            if is_finite(outputs[0]) and is_finite(found):
                total += found[self._slots]
            elif len(part) > 1:
                waiting += _parts(part, 1)
            else:
                odd += part.tolist()
        for part in _parts(odd):  # together, as (g₁ + g₂) · inf may differ from g₁ · inf + g₂ · inf
            own = parameters, [column[part] for column in columns], *vector
            mean = exact.hvp(*own) if vector else exact.mean_and_gradient(*own)[1]
            total += mean * (len(part) * seeds[0])
        return total.astype(self.dtype)

    def jacobian(self, parameters: Any, columns: Sequence[Any]) -> NDArray[Any]:
        """Return ∂outputs/∂inputs for each example, an array (batch, outputs, inputs).

        Every example occurs once for each output, seeded with 1 for that output alone: some of these rows at a time.
        """
        np, batch, count = numpy(), len(columns[0]), len(self.program.outputs)
        joint, order = self.joint("jacobian"), np.argsort(self.program.input_order)
        result: NDArray[Any] = np.empty((batch * count, len(order)), self.dtype)
        finite, size = True, batch if count == 1 else max(1, min(ROWS, SEEDS // count))
        with np.errstate(all="ignore"):
            for start in range(0, len(result), size):
                examples, seeded = np.divmod(np.arange(start, min(start + size, len(result))), count)
                seed = (np.arange(count)[:, None] == seeded).astype(self.dtype)
                outputs, (found,) = self.execute(joint, parameters, [column[examples] for column in columns], (seed,))
                result[start : start + size] = found.take(order, 0).T
                finite = finite and is_finite(outputs) and is_finite(found)
        result = result.reshape(batch, count, len(order))
        if self.exact is not None and not finite:
            whole = np.isfinite(self.values(parameters, columns)).all(1) & np.isfinite(result).all((1, 2))
            result[~whole] = self.exact.jacobian(parameters, [column[~whole] for column in columns])
        return result

    def shaped(self, result: Any) -> Any:
        """Return (batch, outputs) nested as the function's result, rectangular lists as one array."""
        axes = _axes(self.program.shape)
        if axes is None:
            return unflatten(self.program.shape, [result[:, k] for k in range(result.shape[1])])
        return result.reshape(len(result), *axes)


def _parts(examples: Any, size: int = EXAMINED) -> list[Any]:
    return [examples[start : start + size] for start in range(0, len(examples), size)]


def _axes(shape: Any) -> tuple[int, ...] | None:
    """Return the lengths of the axes of nested lists; None if they are not rectangular, or not lists alone."""
    if shape is None:
        return ()
    inner = {_axes(part) for part in shape} if isinstance(shape, (list, tuple)) else {None}
    return None if len(inner) != 1 or None in inner else (len(shape), *inner.pop())  # type: ignore[misc]

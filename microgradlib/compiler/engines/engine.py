"""The seam of engines: what every engine computes of a program, whatever executes its instructions."""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING, Any

from microgradlib._support.pytree import unflatten
from microgradlib.compiler.numpy_functions import is_finite, numpy
from microgradlib.compiler.reverse import reverse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.compiler.instructions import ProgramData

__all__ = ["Engine"]

EXAMINED = 64
"""Where a gradient is not finite, parts of the batch of so many examples are looked at, then single examples."""

SEEDED = 512
"""A Jacobian's rows are computed so many at a time, which stay in cache."""


class Engine:
    """A program on one kind of machine. A new engine writes `execute`, and its line in `engines.registry`.

    `parameters` is a flat array in the order of `program`'s parameters (not of its slots), `columns` an array (batch,)
    or (batch, numbers) for each argument, both of the engine's dtype. Several threads may call it at once.

    Where a number is not finite, an engine may compute inf or nan behind a closed branch. Derivatives of such examples
    are those of `exact`, an engine that does not; None: this one does not.
    """

    def __init__(self, program: ProgramData, dtype: Any, exact: Engine | None = None) -> None:
        self.program, self.dtype, self.exact = program, numpy().dtype(dtype), exact
        self._joint: dict[str, ProgramData] = {}
        self._lock = threading.RLock()
        self._order = numpy().array(program.parameter_order, numpy().intp)
        self._back = None if (numpy().diff(self._order) > 0).all() else numpy().argsort(self._order)

    def execute(
        self, program: ProgramData, parameters: Any, columns: Sequence[Any], seeds: Sequence[Any] = ()
    ) -> tuple[Any, tuple[Any, ...]]:
        """Run this engine's program, or a joint program of it, on a batch.

        `seeds`: for each operand of `program.seeds` an array or number that broadcasts to (slots, batch), or (slots,)
        for an unbatched one. Returns the outputs, (outputs, batch), and for each operand of `program.cotangents` an
        array in the order of the slots: (slots,), the sum over the batch, or (slots, batch). They are the caller's to
        keep. NumPy's warnings are off while it is called.
        """
        raise NotImplementedError

    def joint(self, name: str) -> ProgramData:
        """Return the joint program for the "gradient", "jacobian" or "hvp", made when first asked for."""
        program = self._joint.get(name)
        if program is None:
            with self._lock:
                source = self.joint("gradient") if name == "hvp" else self.program
                made = self._joint.get(name) or reverse(source, wrt="inputs" if name == "jacobian" else "parameters")
                program = self._joint[name] = made
        return program

    def values(self, parameters: Any, columns: Sequence[Any]) -> Any:
        """Return the outputs, an array (batch, outputs)."""
        with numpy().errstate(all="ignore"):  # IEEE 754's answers, as everywhere in the library
            return self.execute(self.program, parameters, columns)[0].T

    def mean_and_gradient(self, parameters: Any, columns: Sequence[Any]) -> tuple[float, Any]:
        """Return the mean of the first output and its gradient, flat, in the parameters' order."""
        np, joint, seeds = numpy(), self._joint.get("gradient") or self.joint("gradient"), (1.0 / len(columns[0]),)
        with np.errstate(all="ignore"):
            outputs, (found,) = self.execute(joint, parameters, columns, seeds)
            mean = float(np.add.reduce(outputs[0])) / len(columns[0])
            if not (math.isfinite(mean) and is_finite(found)) and self.exact is not None:
                return mean, self._by_examples(joint, parameters, columns, seeds)
        return mean, found if self._back is None else found.take(self._back)

    def values_and_gradient(self, parameters: Any, columns: Sequence[Any], out: Any = None) -> tuple[Any, Any]:
        """Return all outputs, (batch, outputs), in `out` if given, and the gradient of the mean of the first, flat."""
        outputs, gradient = self._by_parameters("gradient", parameters, columns, (1.0 / len(columns[0]),))
        if out is None:
            return outputs.T, gradient
        out[...] = outputs.T
        return out, gradient

    def hvp(self, parameters: Any, columns: Sequence[Any], vector: Any) -> Any:
        """Return H v, flat, for the Hessian H of the mean of the first output by the parameters."""
        seeds = (1.0 / len(columns[0]), vector.take(self._order))
        return self._by_parameters("hvp", parameters, columns, seeds, vector)[1]

    def _by_parameters(self, name: str, parameters: Any, columns: Sequence[Any], seeds: Any, *vector: Any) -> Any:
        """Return a joint program's outputs and last cotangents, these in the parameters' order."""
        joint = self.joint(name)
        with numpy().errstate(all="ignore"):
            outputs, (*_, found) = self.execute(joint, parameters, columns, seeds)
            if not (is_finite(outputs) and is_finite(found)) and self.exact is not None:
                return outputs, self._by_examples(joint, parameters, columns, seeds, *vector)
        return outputs, found if self._back is None else found.take(self._back)

    def _by_examples(
        self, joint: ProgramData, parameters: Any, columns: Sequence[Any], seeds: Any, *vector: Any
    ) -> Any:
        """Return the last cotangents, those of the examples that are not finite here by `exact`."""
        np, batch, exact = numpy(), len(columns[0]), self.exact or self
        total, odd, waiting = np.zeros(len(self._order)), np.zeros(batch, bool), _parts(np.arange(batch))
        while waiting:
            part = waiting.pop()
            if len(part) < batch:
                outputs, (*_, found) = self.execute(joint, parameters, [column[part] for column in columns], seeds)
                if np.isfinite(outputs).all() and np.isfinite(found).all():
                    total[self._order] += found
                    continue
            odd[part] = len(part) == 1
            waiting += _parts(part, 1) if len(part) > 1 else []
        for part in _parts(np.flatnonzero(odd)):
            given = parameters, [column[part] for column in columns]
            mean = exact.hvp(*given, *vector) if vector else exact.mean_and_gradient(*given)[1]
            total += mean * (len(part) / batch)
        return total.astype(self.dtype)

    def jacobian(self, parameters: Any, columns: Sequence[Any]) -> Any:
        """Return ∂outputs/∂inputs for each example, an array (batch, outputs, inputs).

        Every example occurs once for each output, seeded with 1 for that output alone: some examples at a time.
        """
        np, batch, count = numpy(), len(columns[0]), len(self.program.outputs)
        result = np.empty((batch, count, self.program.inputs), self.dtype)
        order, finite = np.argsort(self.program.input_order), np.ones(batch, bool)
        joint, size = self.joint("jacobian"), batch if count == 1 else -(-SEEDED // count)
        with np.errstate(all="ignore"):
            for start in range(0, batch, size):
                part = [np.repeat(column[start : start + size], count, 0) for column in columns]
                seed = np.tile(np.eye(count, dtype=self.dtype), len(part[0]) // count)
                outputs, (found,) = self.execute(joint, parameters, part, (seed,))
                rows = found.take(order, 0).T.reshape(-1, count, len(order))
                result[start : start + size] = rows
                if not (is_finite(outputs) and is_finite(rows)):
                    whole = np.isfinite(outputs).all(0) & np.isfinite(found).all(0)
                    finite[start : start + size] = whole.reshape(-1, count).all(1)
        if self.exact is not None:
            for odd in _parts(np.flatnonzero(~finite)):
                result[odd] = self.exact.jacobian(parameters, [column[odd] for column in columns])
        return result

    def shaped(self, result: Any) -> Any:
        """Return (batch, outputs) nested as the function's result, rectangular lists as one array."""
        shape = self.program.shape
        columns = [result[:, k] for k in range(result.shape[1])]
        if not isinstance(shape, (list, tuple, dict)):
            return columns[0]
        lengths = _lengths(shape)
        return result.reshape(len(result), *lengths) if lengths is not None else unflatten(shape, columns)


def _parts(examples: Any, size: int = EXAMINED) -> list[Any]:
    return [examples[start : start + size] for start in range(0, len(examples), size)]


def _lengths(shape: Any) -> tuple[int, ...] | None:
    """Return the lengths of the axes of nested lists; None if they are not rectangular, or not lists alone."""
    if not isinstance(shape, (list, tuple)):
        return None if isinstance(shape, dict) else ()
    inner = {_lengths(part) for part in shape}
    if len(inner) != 1 or None in inner:
        return None
    [rest] = inner
    return (len(shape), *rest)  # type: ignore[misc]

"""The native engine: programs as machine code, in blocks of examples that stay in cache, and parts that threads share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from microgradlib.compiler.engines.engine import Engine
from microgradlib.compiler.engines.native.code import NativeCode, Workspace, has_data_first
from microgradlib.compiler.engines.native.kernel import NotNativeError
from microgradlib.compiler.engines.numpy_engine import NumpyEngine
from microgradlib.compiler.instructions import BATCHED, UNBATCHED, ProgramData
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.planning import plan

__all__ = ["NativeEngine"]


class NativeEngine(Engine):
    """Runs plans as native code; what has none, and values that are not finite, are the NumPy engine's."""

    def __init__(self, program: ProgramData, dtype: Any, exact: Engine | None = None) -> None:
        super().__init__(program, dtype, exact)
        self._codes: dict[tuple[int, bool], NativeCode | None] = {}
        self._numpy = NumpyEngine(program, dtype, exact)
        self._count = len(program.parameter_order)

    def _code(self, program: ProgramData, *, is_single: bool) -> NativeCode | None:
        """Return the code of a program, compiled when first asked for; None where it has none."""
        key = id(program), is_single
        if key not in self._codes:
            with self._lock:
                if key not in self._codes:
                    try:
                        self._codes[key] = NativeCode(plan(program), self.dtype, is_single=is_single)
                    except NotNativeError:
                        self._codes[key] = None
        return self._codes[key]

    def mean_and_gradient(self, parameters: Any, columns: Sequence[Any]) -> tuple[float, Any]:
        """Return the mean of the first output and its gradient; see `Engine.mean_and_gradient`.

        The same as there, with as few calls of Python as can be: a small program's code runs for less than a
        microsecond.
        """
        code = self._code(self.joint("gradient"), is_single=len(columns[0]) == 1)
        if code is not None and has_data_first() and all([column.flags.c_contiguous for column in columns]):
            gradient = numpy().empty(self._count, self.dtype)
            try:
                workspace = code.free.pop()
            except IndexError:
                workspace = Workspace(code)
            mean = workspace.mean_and_gradient(parameters, columns, gradient)
            code.free.append(workspace)
            if math.isfinite(mean):
                return mean, gradient[self._slots]
        return super().mean_and_gradient(parameters, columns)

    def execute(self, program: ProgramData, parameters: Any, columns: Sequence[Any], seeds: Sequence[Any] = ()) -> Any:
        """Run a program on a batch; see `Engine.execute`."""
        np, batch = numpy(), len(columns[0])
        code = self._code(program, is_single=batch == 1)
        if code is None:
            return self._numpy.execute(program, parameters, columns, seeds)
        outputs = np.empty((len(program.outputs), batch), self.dtype)
        cotangents = [
            np.empty(len(o.slots) if o.space == UNBATCHED else (len(o.slots), batch), self.dtype)
            for o in program.cotangents
        ]
        columns = [np.ascontiguousarray(column) for column in columns]
        shaped = [
            np.broadcast_to(np.asarray(seed, self.dtype), (len(o.slots), batch) if o.space == BATCHED else len(o.slots))
            for o, seed in zip(program.seeds, seeds)
        ]
        workspace = code.free.pop() if code.free else Workspace(code)
        workspace.run(np.ascontiguousarray(parameters), columns, shaped, outputs, cotangents)
        code.free.append(workspace)
        return outputs, tuple(cotangents)

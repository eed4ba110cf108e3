"""The native engine: programs as machine code, in blocks of examples that stay in cache, and parts that threads share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from microgradlib.compiler.engines.engine import Engine
from microgradlib.compiler.engines.native.code import NativeCode, Workspace
from microgradlib.compiler.engines.native.kernel import NotNativeError
from microgradlib.compiler.engines.numpy_engine import NumpyEngine
from microgradlib.compiler.instructions import BATCHED, UNBATCHED, ProgramData
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.planning import plan

__all__ = ["NativeEngine"]


class NativeEngine(Engine):
    """Runs plans as native code."""

    def __init__(self, program: ProgramData, dtype: Any, exact: Engine | None = None) -> None:
        super().__init__(program, dtype, exact)
        self._codes: dict[tuple[int, bool], NativeCode | None] = {}
        self._numpy = NumpyEngine(program, dtype, exact)

    def code(self, program: ProgramData, *, is_single: bool) -> NativeCode | None:
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

    def execute(self, program: ProgramData, parameters: Any, columns: Sequence[Any], seeds: Sequence[Any] = ()) -> Any:
        """Run a program on a batch; see `Engine.execute`."""
        np, batch = numpy(), len(columns[0])
        code = self.code(program, is_single=batch == 1)
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

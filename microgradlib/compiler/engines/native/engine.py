"""The native engine: programs as machine code, for parts of a batch that threads share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from microgradlib.compiler.engines.engine import Engine
from microgradlib.compiler.engines.native.code import NativeCode
from microgradlib.compiler.engines.native.kernel import NotNativeError
from microgradlib.compiler.engines.numpy_engine import NumpyEngine
from microgradlib.compiler.engines.threads import shared
from microgradlib.compiler.instructions import BATCHED, ProgramData
from microgradlib.compiler.numpy_functions import is_finite, numpy
from microgradlib.compiler.planning import plan

__all__ = ["NativeEngine"]

SIZES_KEPT = 64
"""For so many sizes of batches is known what runs: to find it anew takes longer than a small program."""

NOT_CONTIGUOUS = 2
"""What `NativeCode.run_part` says where it did nothing."""


class NativeEngine(Engine):
    """Runs plans as native code.

    Programs without native code are run by the NumPy engine, and so is a call whose values are not finite where the
    padding of a product of matrices, 0, may have met inf or nan.
    """

    def __init__(self, program: ProgramData, dtype: Any, exact: Engine | None = None) -> None:
        super().__init__(program, dtype, exact)
        self._codes: dict[tuple[int, bool], NativeCode | None] = {}
        self._known: dict[str, dict[int, Any]] = {"": {}, "gradient": {}}
        self._empty = numpy().empty
        self._numpy = NumpyEngine(program, dtype, exact)
        self._count = len(program.parameter_order)
        products = [i for i in program.instructions if i.kind == "matmul"]
        self._is_padded = any((operand.slots < 0).any() for i in products for operand in i.operands)

    def _code(self, program: ProgramData, is_single: bool) -> NativeCode | None:
        """Return the code of a program, compiled when first asked for; None where it has none.

        It writes derivatives by the parameters in the order of these, which takes NumPy as long as a small program.
        """
        key = id(program), is_single
        try:
            return self._codes[key]
        except KeyError:
            with self._lock:
                if key not in self._codes:
                    planned = plan(program)
                    if program.wrt == "parameters":
                        *others, rows = planned.cotangent_rows
                        planned = replace(planned, cotangent_rows=(*others, rows[self._slots]))
                    try:
                        self._codes[key] = NativeCode(planned, self.dtype, is_single=is_single)
                    except NotNativeError:
                        self._codes[key] = None
            return self._codes[key]

    def values(self, parameters: Any, columns: Sequence[Any]) -> Any:
        """Return the outputs; see `Engine.values`."""
        found = self._quick("", parameters, columns)
        return super().values(parameters, columns) if found is None else found[0].T

    def mean_and_gradient(self, parameters: Any, columns: Sequence[Any]) -> tuple[float, Any]:
        """Return the mean of the first output and its gradient; see `Engine.mean_and_gradient`."""
        found = self._quick("gradient", parameters, columns)
        return super().mean_and_gradient(parameters, columns) if found is None else found[1:]

    def values_and_gradient(self, parameters: Any, columns: Sequence[Any]) -> tuple[Any, Any]:
        """Return all outputs and the gradient of the mean of the first; see `Engine.values_and_gradient`."""
        found = self._quick("gradient", parameters, columns)
        return super().values_and_gradient(parameters, columns) if found is None else (found[0].T, found[2])

    def _quick(self, name: str, parameters: Any, columns: Sequence[Any]) -> Any:
        """Return outputs, the mean of the first, and the gradient; None if something is not finite, or not as usual.

        With as few calls of Python as can be: a small program's code takes a microsecond.
        """
        batch = len(columns[0])
        code, parts, shape, is_one = self._known[name].get(batch) or self._learn(name, batch)
        if not is_one:
            return code and self._by_parts(name, parameters, columns)
        outputs, gradient = self._empty(shape, self.dtype), self._empty(self._count, self.dtype) if name else None
        status, total = code.run_part((parameters, *columns, outputs, gradient), parts[0])
        if status == NOT_CONTIGUOUS:
            return self._by_parts(name, parameters, columns)
        if status or not (math.isfinite(total) or (gradient is None and not self._is_padded)):
            return None
        return outputs, total / batch, gradient

    def _by_parts(self, name: str, parameters: Any, columns: Sequence[Any]) -> Any:
        """Return the same for any number of parts and outputs, and for arrays that are not contiguous."""
        np, batch, contiguous = numpy(), len(columns[0]), numpy().ascontiguousarray
        code, parts, shape, _ = self._known[name].get(batch) or self._learn(name, batch)
        outputs, gradients = np.empty(shape, self.dtype), np.empty((len(parts), self._count if name else 0), self.dtype)
        arrays = contiguous(parameters), *map(contiguous, columns), outputs, gradients
        status, total = map(sum, zip(*shared(partial(code.run_part, arrays), parts)))
        if status or not (math.isfinite(total) or not (name or self._is_padded)):
            return None
        with np.errstate(all="ignore"):  # as in `Engine`: parts' sums may overflow together, squares of outputs
            gradient = np.add.reduce(gradients) if len(parts) > 1 else gradients[0]
            if not is_finite(gradient) or (self._is_padded and len(outputs) > 1 and not is_finite(outputs)):
                return None
        return outputs, total / batch, gradient

    def _learn(self, name: str, batch: int) -> Any:
        """Return what `_quick` knows of a size of batches.

        That is the code, the parts, the shape of the outputs, and whether one call of the code is all that there is to
        do.
        """
        program = self.joint(name) if name else self.program
        code, known = self._code(program, batch == 1), self._known[name]
        parts = [] if code is None else code.parts(batch)
        if len(known) >= SIZES_KEPT:
            known.clear()
        is_one = len(parts) == 1 and not (self._is_padded and len(program.outputs) > 1)
        found = code if parts else None, parts, (len(program.outputs), batch), is_one
        return known.setdefault(batch, found)

    def execute(self, program: ProgramData, parameters: Any, columns: Sequence[Any], seeds: Sequence[Any] = ()) -> Any:
        """Run a program on a batch; see `Engine.execute`."""
        batch = len(columns[0])
        code = self._code(program, batch == 1)
        if code is not None:
            outputs, cotangents = self._run(code, parameters, columns, seeds)
            if program.wrt == "parameters":
                cotangents = (*cotangents[:-1], cotangents[-1][self._order])
            if not self._is_padded or is_finite(outputs):
                return outputs, cotangents
        return self._numpy.execute(program, parameters, columns, seeds)

    def _run(self, code: NativeCode, parameters: Any, columns: Sequence[Any], seeds: Sequence[Any]) -> Any:
        """Run parts of the batch, as many as its size says; sums over it are added up in the order of the parts."""
        np, program, batch = numpy(), code.plan.program, len(columns[0])
        bounds = code.bounds(batch)
        count = len(bounds) - 1
        parameters, columns = np.ascontiguousarray(parameters), [np.ascontiguousarray(column) for column in columns]
        outputs, given, found = np.empty((len(program.outputs), batch), self.dtype), list[Any](), list[Any]()
        for operand, seed in zip(program.seeds, seeds):
            shape, array = (len(operand.slots), batch), np.asarray(seed, self.dtype)
            unbatched = array.reshape(-1, 1), (shape[0], 1)
            given.append(np.broadcast_to(*((array, shape) if operand.space == BATCHED else unbatched)))
        for operand in program.cotangents:
            shape = len(operand.slots), batch
            found.append(np.empty(shape if operand.space == BATCHED else (count, shape[0]), self.dtype))

        def run(k: int) -> None:
            part, workspace = slice(*bounds[k : k + 2]), code.take()
            own = [seed[:, part] if o.space == BATCHED else seed for o, seed in zip(program.seeds, given)]
            to = [array[:, part] if o.space == BATCHED else array[k] for o, array in zip(program.cotangents, found)]
            workspace.run(parameters, [column[part] for column in columns], own, outputs[:, part], to)
            code.free.append(workspace)

        shared(run, range(count))
        sums = [array if o.space == BATCHED else np.add.reduce(array) for o, array in zip(program.cotangents, found)]
        return outputs, tuple(sums)

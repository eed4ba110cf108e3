"""The native code of one program, with memory to run it in: what `run` of the module is given, and what it gives."""

from __future__ import annotations

import ctypes
import marshal
from collections.abc import Sequence
from typing import Any

from microgradlib.compiler.engines.native.cache import cached, program_key
from microgradlib.compiler.engines.native.functions import symbols
from microgradlib.compiler.engines.native.kernel import Layout
from microgradlib.compiler.engines.native.machine import assemble, host, load
from microgradlib.compiler.engines.native.module import FIELDS, write_module
from microgradlib.compiler.instructions import BATCHED, UNBATCHED
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.planning.data import Plan

__all__ = ["NativeCode"]

CACHE_BYTES = 384 << 10
"""A block of examples is as large as its rows fit here: less than a core's second-level cache holds."""

LARGEST_BLOCK = 1024
"""More examples than this are not in one block: kernels' own loops cost nothing by then."""

ALIGNMENT = 64
"""Memory starts at addresses that are multiples of this, as lines of caches do."""


class NativeCode:
    """The code of a plan for one layout. Several threads may run it at once, each in a `Workspace` of its own."""

    def __init__(self, plan: Plan, dtype: Any, *, is_single: bool) -> None:
        machine = host()
        self.plan, self.dtype = plan, numpy().dtype(dtype)
        self.layout = Layout(machine.real(self.dtype), machine.registers, is_single)
        key = program_key(plan, self.layout)
        content = cached(key, self._compiled)
        object_code, tables, self.sums, self.scratch = marshal.loads(content)  # noqa: S302  the cache's own, checked
        self.tables = numpy().frombuffer(tables or bytes(4), numpy().int32)
        self.run = load(object_code, symbols()).function("run", ctypes.c_void_p, result=ctypes.c_int)
        lanes = self.layout.real.lanes
        row_bytes = plan.rows[BATCHED] * self.dtype.itemsize
        fitting = CACHE_BYTES // (row_bytes * lanes) * lanes
        self.largest_block = 1 if is_single else min(max(fitting, lanes), LARGEST_BLOCK)
        self.free: list[Workspace] = []

    def _compiled(self) -> bytes:
        module = write_module(self.plan, self.layout)
        return marshal.dumps((assemble(module.text), module.tables.tobytes(), module.sums, module.scratch))

    def block(self, batch: int) -> int:
        """Return how many examples are in a block: as many in each, rounded up to whole vectors."""
        if self.layout.is_single:
            return 1
        blocks, lanes = -(-batch // self.largest_block), self.layout.real.lanes
        return -(-batch // (blocks * lanes)) * lanes


class Workspace:
    """Memory to run a program in, by one thread at a time, and the record that tells the code where everything is."""

    def __init__(self, code: NativeCode) -> None:
        np, plan, layout = numpy(), code.plan, code.layout
        self.code, self.total = code, np.zeros(1, code.dtype)
        sizes = [
            plan.rows[UNBATCHED],
            plan.rows[BATCHED] * code.largest_block,
            code.sums * layout.sum_lanes,
            code.scratch * (code.largest_block + layout.real.lanes),
        ]
        parts = [_aligned(size, code.dtype) for size in sizes]
        with np.errstate(over="ignore"):  # a constant beyond single precision
            parts[0][list(plan.constant_rows)] = plan.program.constants
        self._kept = parts
        count = len(FIELDS) + len(plan.program.arguments) + 3 * len(plan.program.seeds) + len(plan.program.cotangents)
        self.record = np.zeros(count, np.int64)
        fixed = [*[part.ctypes.data for part in parts], code.tables.ctypes.data]
        self.record[FIELDS.index("unbatched") : FIELDS.index("parameters")] = fixed
        self.record[FIELDS.index("total")] = self.total.ctypes.data
        self.address = self.record.ctypes.data

    def run(
        self, parameters: Any, columns: Sequence[Any], seeds: Sequence[Any], outputs: Any, cotangents: Sequence[Any]
    ) -> tuple[float, bool]:
        """Write the outputs, (outputs, batch), and cotangents; return the sum of the first, and if sums are finite."""
        code, batch = self.code, len(columns[0])
        width = numpy().dtype(code.dtype).itemsize
        given = [parameters.ctypes.data, outputs.ctypes.data, outputs.strides[0] // width]
        start = FIELDS.index("parameters")
        self.record[:2] = batch, code.block(batch)
        self.record[start : start + 3] = given
        places = [column.ctypes.data for column in columns]
        for seed in seeds:
            steps = [step // width for step in seed.strides]
            places += [seed.ctypes.data, steps[0], steps[1] if len(steps) > 1 else 0]
        self.record[len(FIELDS) :] = [*places, *[array.ctypes.data for array in cotangents]]
        is_wrong = code.run(self.address)
        return float(self.total[0]), not is_wrong


def _aligned(size: int, dtype: Any) -> Any:
    """Return an array of zeros that starts at the beginning of a line of the cache."""
    np = numpy()
    memory = np.zeros(size * dtype.itemsize + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start : start + size * dtype.itemsize].view(dtype)

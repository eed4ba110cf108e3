"""The native code of one program, with memory to run it in: what `run` of the module is given, and what it gives."""

from __future__ import annotations

import ctypes
import marshal
import math
import struct
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from microgradlib._support.disk_cache import cached
from microgradlib.compiler.engines.native.kernel import Layout
from microgradlib.compiler.engines.native.keys import program_key
from microgradlib.compiler.engines.native.module import write_module
from microgradlib.compiler.engines.native.record import FIELDS, record_size
from microgradlib.compiler.instructions import BATCHED, UNBATCHED
from microgradlib.compiler.llvm.closed import CLOSED
from microgradlib.compiler.llvm.functions import symbols
from microgradlib.compiler.llvm.machine import assemble, host, load
from microgradlib.compiler.llvm.objects import DATA, FLAGS, ITEMS, are_arrays_known
from microgradlib.compiler.llvm.runtime import runtime
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.planning.data import Plan
from microgradlib.compiler.planning.gathers import inline_gathers
from microgradlib.compiler.planning.lane_sums import assign_lane_sums

__all__ = ["NativeCode", "Workspace"]

NEAR_BYTES, CACHE_BYTES = 96 << 10, 384 << 10
"""A block of examples is as large as its rows fit in the first, a little more than a core's first-level cache holds; or
of `FEWEST` vectors, if they fit in the second, less than the second-level cache holds."""

FEWEST = 16
"""Blocks of fewer vectors spend their time on calls of kernels, or on examples that are not there."""

LARGEST_BLOCK = 1024
"""More examples than this are not in one block: kernels' own loops cost nothing by then."""

PAGE = 4096
"""Rows a multiple of so many bytes apart meet in the same few places of the first-level cache: products take 1.2 times
as long."""

PART = 1 << 25
"""So much work, in multiplications and additions, is worth a thread: about half a millisecond."""

ALIGNMENT = 64
"""Memory starts at addresses that are multiples of this, as lines of caches do."""


class NativeCode:
    """The code of a plan for one layout. Several threads may run it at once, each in a `Workspace` of its own."""

    def __init__(self, plan: Plan, dtype: Any, *, is_single: bool) -> None:
        machine = host()
        self.plan, self.dtype = plan, numpy().dtype(dtype)
        self.layout = Layout(machine.real(self.dtype), machine.registers, is_single)
        content = cached(program_key(plan, self.layout, DATA, FLAGS, ITEMS), self._compiled)
        object_code, tables, self.sums, self.scratch = marshal.loads(content)  # noqa: S302  the cache's own, checked
        self.tables = numpy().frombuffer(tables or bytes(4), numpy().int32)
        code = load(object_code, symbols(), runtime(self.layout.row_real, self.layout.real))
        self.run = code.function("run", ctypes.c_void_p, result=ctypes.c_int)
        self.run_arrays = code.function("run_arrays", *[ctypes.c_void_p] * 3, result=ctypes.c_int)
        self.largest_block = 1 if is_single else self._largest_block()
        self.free: list[Workspace] = []
        """Workspaces that no thread uses now."""
        self.part = max(1, round(PART / max(1, _work(plan))))
        """A batch of twice as many examples is run in parts, by several threads if there are."""

    def take(self) -> Workspace:
        """Return a workspace that nobody uses, a new one if there is none."""
        try:
            return self.free.pop()
        except IndexError:
            return Workspace(self)

    def run_part(self, arrays: tuple[Any, ...], part: bytes) -> tuple[int, float]:
        """Run a part of a batch; return 0 if all went well, and the sum of the first output.

        The arrays are those of the batch, the parameters, columns, outputs and cotangents, `part` is one of `parts`.
        The first number is 1 where a sum over the batch is not finite, 2 where nothing was done: an array that is read
        is not C-contiguous.
        """
        workspace = self.take()
        status, total = self.run_arrays(workspace.address, id(arrays), part), workspace.total.value
        self.free.append(workspace)
        return status, total

    def _compiled(self) -> bytes:
        plan = self.plan if self.layout.is_single else inline_gathers(self.plan)
        sums = assign_lane_sums(plan, self.layout.sum_lanes)
        module = write_module(plan, self.layout, sums)
        return marshal.dumps((assemble(module.text), module.tables.tobytes(), sums.size, module.scratch))

    def _largest_block(self) -> int:
        """Return how many examples' rows fit in the cache, but at least so many that lane sums are worth their way.

        A block reads and writes all of them once for each step that adds to them, however many its examples are.
        """
        lanes, rows = self.layout.real.lanes, self.plan.rows[BATCHED]
        added = sum([i.size for i in self.plan.program.instructions if i.sums_batch])
        size: int = self.dtype.itemsize
        vector_bytes = rows * size * lanes
        fitting = max(NEAR_BYTES // vector_bytes, min(FEWEST, CACHE_BYTES // vector_bytes))
        block: int = min(max(fitting, -(-added // (2 * rows)), 1) * lanes, LARGEST_BLOCK)
        return block - lanes if block * size % PAGE == 0 else block

    def bounds(self, batch: int) -> list[int]:
        """Return where parts of a batch start, and its end: a power of two of parts, all but the last of vectors."""
        lanes = self.layout.real.lanes
        vectors = -(-batch // lanes)
        count = 1 << max(1, min(vectors, batch // self.part)).bit_length() - 1
        return [*[vectors * k // count * lanes for k in range(count)], batch]

    def parts(self, batch: int) -> list[bytes]:
        """Return for each part of a batch what `record.run_arrays` gets; none where arrays are not known."""
        starts = self.bounds(batch) if are_arrays_known() else [batch]
        sizes = [end - start for start, end in pairwise(starts)]
        return [struct.pack("=5q", size, self.block(size), starts[k], k, batch) for k, size in enumerate(sizes)]

    def block(self, batch: int) -> int:
        """Return how many examples are in a block: as many in each, rounded up to whole vectors."""
        if self.layout.is_single:
            return 1
        blocks, lanes = -(-batch // self.largest_block), self.layout.real.lanes
        block = -(-batch // (blocks * lanes)) * lanes
        return block if block * self.dtype.itemsize % PAGE else block + lanes


class Workspace:
    """Memory to run a program in, by one thread at a time, and the record that tells the code where everything is."""

    def __init__(self, code: NativeCode) -> None:
        np, plan, layout = numpy(), code.plan, code.layout
        self.code, self.width = code, code.dtype.itemsize
        sizes = [
            plan.rows[UNBATCHED],
            plan.rows[BATCHED] * code.largest_block,
            code.sums * layout.sum_lanes,
            code.scratch * (code.largest_block + layout.real.lanes),
            1,
        ]
        self.parts = [_aligned(size, code.dtype) for size in sizes]
        with np.errstate(over="ignore"):  # a constant beyond single precision
            self.parts[0][list(plan.constant_rows)] = plan.program.constants
        self.parts[0][-1] = CLOSED
        self.total = (ctypes.c_double if self.width == 8 else ctypes.c_float).from_buffer(self.parts[-1])
        self.record = ctypes.create_string_buffer(8 * record_size(plan))
        self.address = ctypes.addressof(self.record)
        unbatched, batched, sums, scratch, total = [part.ctypes.data for part in self.parts]
        fixed = (0, 0, unbatched, batched, sums, scratch, code.tables.ctypes.data, 0, 0, 0, total)
        struct.pack_into(f"={len(FIELDS)}q", self.record, 0, *fixed)

    def run(
        self, parameters: Any, columns: Sequence[Any], seeds: Sequence[Any], outputs: Any, cotangents: Sequence[Any]
    ) -> bool:
        """Write the outputs, (outputs, batch), and cotangents; say whether all sums over the batch are finite.

        All arrays are of the program's dtype; parameters and columns are C-contiguous, outputs and batched cotangents
        have as many numbers between rows, unbatched cotangents are (slots,), and seeds (slots, batch) or (slots, 1).
        """
        batch, places = len(columns[0]), [column.ctypes.data for column in columns]
        for seed in seeds:
            places += [seed.ctypes.data, *[step // self.width for step in seed.strides]]
        places += [array.ctypes.data for array in cotangents]
        given = parameters.ctypes.data, outputs.ctypes.data, outputs.strides[0] // self.width
        struct.pack_into("=2q", self.record, 0, batch, self.code.block(batch))
        struct.pack_into("=3q", self.record, 8 * FIELDS.index("parameters"), *given)
        struct.pack_into(f"={len(places)}q", self.record, 8 * len(FIELDS), *places)
        return not self.code.run(self.address)


def _work(plan: Plan) -> int:
    """Return about how many multiplications and additions an example takes."""
    return sum([2 * math.prod(i.shape) + sum([len(o.slots) for o in i.operands]) for i in plan.program.instructions])


def _aligned(size: int, dtype: Any) -> Any:
    """Return an array of zeros that starts at the beginning of a line of the cache."""
    np = numpy()
    memory = np.zeros(size * dtype.itemsize + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start : start + size * dtype.itemsize].view(dtype)

"""Kernels of the native engine run by themselves, beside what NumPy's engine computes of the same steps."""

import numpy as np
from kernel_runner import native

from microgradlib.compiler.engines.buffers import Buffers
from microgradlib.compiler.engines.lowering import step_calls
from microgradlib.compiler.engines.native.kernel import Layout
from microgradlib.compiler.llvm import machine

ROWS = 2000


def layout_of(dtype="float64", *, is_single=False):
    return Layout(machine.host().real(dtype), machine.host().registers, is_single)


class Memory:
    """Rows of both spaces, filled with random numbers, lane sums of 0, and scratch memory."""

    def __init__(self, layout, block=None, rows=ROWS, seed=0):
        lanes = layout.real.lanes
        self.layout, self.block = layout, 1 if layout.is_single else block or 3 * lanes
        dtype = np.float64 if layout.real.scalar == "double" else np.float32
        self.buffers = Buffers((rows, rows), self.block, dtype)
        draw = np.random.default_rng(seed)
        for array in self.buffers.rows:
            array[:-1] = draw.normal(size=array[:-1].shape)
        self.sums = np.zeros((rows, layout.sum_lanes), dtype)
        self.scratch = np.full((rows, max(lanes, self.block)), np.nan, dtype)

    def run(self, kernel):
        """Call a kernel."""
        tables = [x for x in kernel.arguments if isinstance(x, np.ndarray)] or [np.zeros(1, np.int32)]
        table, ends = np.concatenate(tables), np.cumsum([0, *map(len, tables)]).tolist()
        assert table.dtype == np.int32
        assert kernel.scratch <= len(self.scratch)
        numbers = [ends.pop(0) if isinstance(x, np.ndarray) else int(x) for x in kernel.arguments]
        native(kernel)([*self.buffers.rows, self.sums, self.scratch, table], self.block, *numbers)


def numpy_run(memory, steps):
    """Run steps by NumPy's engine, one after another, in place of kernels."""
    with np.errstate(all="ignore"):
        for step in steps:
            for function, arguments in step_calls(memory.buffers, step):
                function(*arguments)


def rows_agree(found, expected, rtol=None):
    """Assert that two memories hold the same numbers everywhere, so nothing beside the results is written."""
    rtol = rtol or (1e-13 if found.layout.real.scalar == "double" else 2e-5)
    for ours, theirs in zip(found.buffers.rows, expected.buffers.rows):
        np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=rtol)

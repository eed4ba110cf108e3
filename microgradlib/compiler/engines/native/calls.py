"""Calls of kernels in the IR of `run`, in loops where they repeat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from microgradlib.compiler.engines.native.kernel import Kernel, Layout
from microgradlib.compiler.llvm.calls import Caller
from microgradlib.compiler.planning.data import repeats_of

__all__ = ["Calls"]


class _KernelCall(NamedTuple):
    """A kernel to be called, and the integers that it is given beside `ARGUMENTS`."""

    name: str
    arguments: list[int]


class Calls(Caller):
    """The function `run` under construction, which calls kernels."""

    def __init__(self, layout: Layout) -> None:
        super().__init__(layout.row_real)
        self.layout, self.scratch, self.kernel_names = layout, 0, dict[str, str]()
        self.kernels: dict[str, Kernel] = {}
        self.examples, self.block = self.field("i64"), self.field("i64")
        self.memory = [self.field("ptr") for _ in range(5)]
        self.unbatched, self.batched, self.lanes, self.scratch_memory, _ = self.memory

    def row(self, row: int | str) -> str:
        """Return the address of a batched row."""
        return self.f.address(self.real, self.batched, self.f.mul(row, self.block))

    def table(self, numbers: Any) -> str:
        """Return the address of a table of integers."""
        return self.f.emit(f"getelementptr i32, ptr {self.memory[4]}, i64 {self.table_place(numbers)}")

    def kernel_call(self, kernel: Kernel) -> _KernelCall:
        """Return the call of a kernel; one whose text is known already is the same function."""
        text = kernel.function.text()
        name = self.kernel_names.setdefault(text, f"kernel.{len(self.kernel_names)}")
        if name not in self.kernels:
            kernel.function.name, kernel.function.linkage = name, "internal"
            self.kernels[name] = kernel
            self.functions |= {callee.name: callee for callee in kernel.callees}
        self.scratch = max(self.scratch, kernel.scratch)
        return _KernelCall(name, [x if isinstance(x, int) else self.table_place(x) for x in kernel.arguments])

    def call_kernels(self, calls: Sequence[_KernelCall]) -> None:
        """Call kernels in order. Runs of calls that repeat, as those of time steps do, are one loop.

        It reads their arguments from a table.
        """
        f, numbers, index = self.f, dict[str, int](), 0
        runs = {run.start: run for run in repeats_of([numbers.setdefault(c.name, len(numbers)) for c in calls])}
        while index < len(calls):
            run = runs.get(index)
            if run is None:
                self._call_kernel(calls[index].name, calls[index].arguments)
                index += 1
                continue
            steps, end = calls[index : index + run.length], index + run.length * run.times
            given = [argument for call in calls[index:end] for argument in call.arguments]
            table, width = self.table(given), len(given) // run.times
            with f.loop(width * run.times, step=width) as loop:
                place = 0
                for name, arguments in steps:
                    read = [f.integer(table, f.add(loop.index, place + k)) for k in range(len(arguments))]
                    self._call_kernel(name, read)
                    place += len(arguments)
            index = end

    def _call_kernel(self, name: str, arguments: Sequence[int | str]) -> None:
        kernel, block = self.kernels[name], 1 if self.layout.is_single else self.block
        call = self.f.inline if kernel.is_short else self.call
        call(kernel.function, *self.memory, block, *arguments)

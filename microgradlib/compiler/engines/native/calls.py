"""Calls in the IR of `run`: of functions, which a module has once, and of kernels, in loops where they repeat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from microgradlib.compiler.engines.native.kernel import Kernel, Layout
from microgradlib.compiler.llvm.ir import Function
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.planning.data import repeats_of

__all__ = ["Calls"]


class _KernelCall(NamedTuple):
    """A kernel to be called, and the integers that it is given beside `ARGUMENTS`."""

    name: str
    arguments: list[int]


class Calls:
    """A function under construction, `f`, with the functions that it calls and the tables of integers that it reads."""

    def __init__(self, layout: Layout) -> None:
        self.layout, self.real = layout, layout.real.one if layout.is_single else layout.real
        self.functions: dict[str, Function] = {}
        self.kernel_names: dict[str, str] = {}
        self.tables: list[Any] = []
        self.scratch = self.field_count = 0
        self.f = Function("run", "ptr %record", result="i32", attributes="noinline optnone")
        self.examples, self.block = self.field("i64"), self.field("i64")
        self.memory = [self.field("ptr") for _ in range(5)]

    def field(self, kind: str) -> str:
        """Return the next field of the record."""
        address = self.f.emit(f"getelementptr i64, ptr %record, i64 {self.field_count}")
        self.field_count += 1
        return self.f.emit(f"load {kind}, ptr {address}, align 8")

    def table(self, numbers: Any) -> str:
        """Return the address of a table of integers."""
        return self.f.emit(f"getelementptr i32, ptr {self.memory[4]}, i64 {self.table_place(numbers)}")

    def table_place(self, numbers: Any) -> int:
        """Return the place of a new table among all."""
        place = sum(map(len, self.tables))
        self.tables.append(numpy().asarray(numbers, numpy().int32))
        return place

    def constant(self, number: float) -> str:
        """Return the address of a number."""
        address = self.f.emit(f"alloca {self.real.scalar}, align 8")
        self.f.store(self.f.number(number, self.real.one), address)
        return address

    def call(self, function: Function, *arguments: int | str) -> str:
        """Call a function of the module; return the name of its result."""
        return self.f.call(self.functions.setdefault(function.name, function), *arguments)

    def kernel_call(self, kernel: Kernel) -> _KernelCall:
        """Return the call of a kernel; one whose text is known already is the same function."""
        text = kernel.function.text()
        name = self.kernel_names.setdefault(text, f"kernel.{len(self.kernel_names)}")
        if name not in self.functions:
            kernel.function.name, kernel.function.linkage = name, "internal"
            self.functions[name] = kernel.function
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
        block = 1 if self.layout.is_single else self.block
        self.call(self.functions[name], *self.memory, block, *arguments)

    def copy(self, target: str, source: str, count: int) -> None:
        """Copy numbers that follow one another."""
        self.f.declarations.add("declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)")
        size = count * self.real.bits // 8
        self.f.do(f"call void @llvm.memcpy.p0.p0.i64(ptr {target}, ptr {source}, i64 {size}, i1 false)")

"""A function under construction that calls others and reads a record, constants and tables of integers."""

from __future__ import annotations

from typing import Any

from microgradlib.compiler.llvm.ir import Function, Real
from microgradlib.compiler.numpy_functions import numpy

__all__ = ["Caller"]


class Caller:
    """The function `run` of a record, `f`, with the functions that it calls, each of which a module has once."""

    def __init__(self, real: Real) -> None:
        self.real = real
        self.functions: dict[str, Function] = {}
        self.tables: list[Any] = []
        self.field_count = 0
        self.f = Function("run", "ptr %record", result="i32", attributes="noinline optnone")

    def field(self, kind: str) -> str:
        """Return the next field of the record."""
        address = self.f.emit(f"getelementptr i64, ptr %record, i64 {self.field_count}")
        self.field_count += 1
        return self.f.emit(f"load {kind}, ptr {address}, align 8")

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
        """Call a function; return the name of its result. One that is not internal to the module is of `runtime`."""
        if not function.linkage:
            self.f.declarations.add(function.declaration)
            return self.f.call(function, *arguments)
        return self.f.call(self.functions.setdefault(function.name, function), *arguments)

    def copy(self, target: str, source: str, count: int) -> None:
        """Copy numbers that follow one another."""
        self.f.declarations.add("declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)")
        size = count * self.real.bits // 8
        self.f.do(f"call void @llvm.memcpy.p0.p0.i64(ptr {target}, ptr {source}, i64 {size}, i1 false)")

"""Text of LLVM IR: a function under construction, whose instructions are emitted one after another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from microgradlib.compiler.llvm.loops import Loop
from microgradlib.compiler.llvm.numbers import Instructions, Mask, NotNativeError, Number, Real, literal

__all__ = ["Function", "Loop", "Mask", "NotNativeError", "Number", "Real", "literal"]

NAMES = re.compile(r"(%(?:[a-z]+\.)?|^[a-z]+\.(?=\d+:$))(\d+)\b|%[a-zA-Z]\w*\b(?![.])")
"""The names in a line of values and labels: %5, %loop.5, loop.5: at its start; and %x, those of arguments."""


def _first(real: Real, lanes: int) -> str:
    """Return the mask, with its type, that is true in the first lanes."""
    return f"{real.mask} <{', '.join([f'i1 {str(lane < lanes).lower()}' for lane in range(real.lanes)])}>"


class Function(Instructions):
    """A function under construction: lines of text in the order in which they are emitted.

    `parameters` are its typed arguments, as "ptr %rows"; each is `nocapture`-like plain memory. With the
    `attributes` "noinline optnone" code is made in half the time, for what runs once.

    >>> f, real = Function("twice", "ptr %x, i64 %n"), Real("double", 4)
    >>> with f.loop("%n", step=4) as loop:
    ...     x = f.load(real, f.address(real, "%x", loop.index))
    ...     f.store(x + x, f.address(real, "%x", loop.index))
    >>> print(f.text())
    define void @twice(ptr %x, i64 %n) nounwind {
    entry:
    br label %loop.1
    loop.1:
    %index.1 = phi i64 [0, %entry], [%next.1, %loop.1]
    %2 = getelementptr double, ptr %x, i64 %index.1
    %3 = load <4 x double>, ptr %2, align 8
    %4 = fadd <4 x double> %3, %3
    %5 = getelementptr double, ptr %x, i64 %index.1
    store <4 x double> %4, ptr %5, align 8
    %next.1 = add nuw nsw i64 %index.1, 4
    %6 = icmp ult i64 %next.1, %n
    br i1 %6, label %loop.1, label %end.1
    end.1:
    ret void
    }
    """

    def __init__(
        self, name: str, parameters: str, *, result: str = "void", linkage: str = "", attributes: str = ""
    ) -> None:
        self.name, self.parameters, self.result, self.linkage = name, parameters, result, linkage
        self.attributes = attributes
        super().__init__()

    def text(self) -> str:
        """Return the whole function; one without a result ends here. Nothing throws: there are no tables for that."""
        end = ["ret void"] if self.result == "void" else []
        linkage = f"{self.linkage} " if self.linkage else ""
        attributes = f" {self.attributes}" if self.attributes else ""
        head = f"define {linkage}{self.result} @{self.name}({self.parameters}) nounwind{attributes} {{"
        return "\n".join([head, "entry:", *self.lines, *end, "}"])

    @property
    def types(self) -> list[str]:
        """The types of its arguments."""
        return [parameter.rsplit(" ", 1)[0] for parameter in self.parameters.split(", ")]

    @property
    def declaration(self) -> str:
        """What says in another module how it is called.

        >>> Function("twice", "ptr %x, i64 %n").declaration
        'declare void @twice(ptr, i64)'
        """
        return f"declare {self.result} @{self.name}({', '.join(self.types)})"

    # integers, as text: a name or a literal

    def add(self, x: int | str, y: int | str) -> int | str:
        """Return the integer x + y."""
        if isinstance(x, int) and isinstance(y, int):
            return x + y
        if 0 in (x, y):
            return y if x == 0 else x
        return self.emit(f"add i64 {x}, {y}")

    def mul(self, x: int | str, y: int | str) -> int | str:
        """Return the integer x · y."""
        if isinstance(x, int) and isinstance(y, int):
            return x * y
        if 0 in (x, y):
            return 0
        if 1 in (x, y):
            return y if x == 1 else x
        return self.emit(f"mul i64 {x}, {y}")

    # memory

    def address(self, real: Real, pointer: str, *offsets: int | str) -> str:
        """Return the address that is so many numbers behind a pointer."""
        total: int | str = 0
        for offset in offsets:
            total = self.add(total, offset)
        return pointer if total == 0 else self.emit(f"getelementptr {real.scalar}, ptr {pointer}, i64 {total}")

    def integer(self, table: str, index: int | str) -> str:
        """Return an entry of a table of 32-bit integers."""
        entry = self.emit(f"getelementptr i32, ptr {table}, i64 {index}")
        return self.emit(f"sext i32 {self.emit(f'load i32, ptr {entry}, align 4')} to i64")

    def load(self, real: Real, address: str) -> Number:
        """Return the number, or the vector, at an address, which need not be aligned to vectors."""
        return Number(self, real, self.emit(f"load {real.text}, ptr {address}, align {real.bits // 8}"))

    def broadcast(self, real: Real, address: str) -> Number:
        """Return the one number at an address in all lanes."""
        return self.splat(self.load(real.one, address), real)

    def splat(self, number: Number, real: Real) -> Number:
        """Return a scalar in all lanes."""
        if real.lanes == 1:
            return number
        first = self.emit(f"insertelement {real.text} poison, {real.scalar} {number.name}, i64 0")
        every = f"<{real.lanes} x i32> zeroinitializer"
        return Number(self, real, self.emit(f"shufflevector {real.text} {first}, {real.text} poison, {every}"))

    def address_or_zeros(self, real: Real, address: str, is_zero: str) -> str:
        """Return the address of a number, or a vector; if a condition holds, of zeros instead."""
        name = f"@zeros.{real.suffix}"
        self.declarations.add(f"{name} = internal constant {real.text} zeroinitializer, align 64")
        return self.emit(f"select i1 {is_zero}, ptr {name}, ptr {address}")

    def store(self, number: Number, address: str) -> None:
        """Write a number, or a vector."""
        real = number.real
        self.do(f"store {real.text} {number.name}, ptr {address}, align {real.bits // 8}")

    def load_first(self, real: Real, address: str, lanes: int) -> Number:
        """Return a vector of which the first lanes are read, and the others are 0; no memory behind them is touched."""
        if lanes == real.lanes:
            return self.load(real, address)
        declared = f"ptr, i32 immarg, {real.mask}, {real.text}"
        self.declarations.add(f"declare {real.text} @llvm.masked.load.{real.suffix}.p0({declared})")
        given = f"ptr {address}, i32 {real.bits // 8}, {_first(real, lanes)}, {real.text} zeroinitializer"
        return Number(self, real, self.emit(f"call {real.text} @llvm.masked.load.{real.suffix}.p0({given})"))

    def store_first(self, number: Number, address: str, lanes: int) -> None:
        """Write the first lanes of a vector; no memory behind them is touched."""
        real = number.real
        if lanes == real.lanes:
            return self.store(number, address)
        declared = f"{real.text}, ptr, i32 immarg, {real.mask}"
        self.declarations.add(f"declare void @llvm.masked.store.{real.suffix}.p0({declared})")
        given = f"{real.text} {number.name}, ptr {address}, i32 {real.bits // 8}, {_first(real, lanes)}"
        return self.do(f"call void @llvm.masked.store.{real.suffix}.p0({given})")

    def call(self, function: Function, *arguments: int | str) -> str:
        """Call a function, whose parameters say the arguments' types; return the name of its result, if it has one."""
        given = ", ".join([f"{kind} {argument}" for kind, argument in zip(function.types, arguments)])
        text = f"call {function.result} @{function.name}({given})"
        if function.result != "void":
            return self.emit(text)
        self.do(text)
        return ""

    def inline(self, function: Function, *arguments: int | str) -> None:
        """Write what a function without a result does, instead of calling it."""
        names = [parameter.rsplit(" ", 1)[1] for parameter in function.parameters.split(", ")]
        known, before = {**dict(zip(names, arguments)), "%entry": f"%{self._block}"}, self._count

        def renamed(name: re.Match[str]) -> str:
            return str(known[name[0]]) if name[2] is None else name[1] + str(int(name[2]) + before)

        self.lines += [NAMES.sub(renamed, line) for line in function.lines]
        self.declarations |= function.declarations
        self._count += function._count
        if function.block != "entry":
            self._block = NAMES.sub(renamed, f"{function.block}:")[:-1]

    @contextmanager
    def unless_zero(self, count: int | str) -> Iterator[None]:
        """Run what is emitted inside only if an integer is not 0; no value from inside may be read behind it."""
        zero, number = self.emit(f"icmp eq i64 {count}, 0"), self._count
        self.do(f"br i1 {zero}, label %skip.{number}, label %some.{number}")
        self.start_block(f"some.{number}")
        yield
        self.do(f"br label %skip.{number}")
        self.start_block(f"skip.{number}")

    @contextmanager
    def loop(self, end: int | str, *, step: int | str = 1) -> Iterator[Loop]:
        """Repeat what is emitted inside for index 0, step, 2·step … below `end`, which is above 0.

        Values that change from turn to turn are made by `Loop.carry`.
        """
        loop = Loop(self, end, step)
        yield loop
        loop.close()

    @contextmanager
    def turns(self, count: int | str, step: int = 1) -> Iterator[int | str]:
        """Repeat what is emitted inside for index 0, step, 2·step … below count; if that is once, without a loop."""
        if isinstance(count, int) and count <= step:
            yield 0
            return
        with self.loop(count, step=step) as loop:
            yield loop.index

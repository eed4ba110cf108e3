"""Text of LLVM IR: a function under construction, its loops, and numbers that write instructions as they are computed.

A `Number` is an SSA value: a scalar, or a vector of as many lanes as `Real` says. Python's operators on it emit
instructions, so that the rules of the op table, run over Numbers, write their own code. No fast-math: each operation is
IEEE 754's, in the order of the rule; only where `fma` is called are product and sum rounded once.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

__all__ = ["Function", "Loop", "Mask", "NotNativeError", "Number", "Real", "literal"]


class NotNativeError(Exception):
    """What has no native code; the program is run by the NumPy engine."""


class Real(NamedTuple):
    """A type of numbers: `scalar` is "double" or "float"; with several `lanes` it is a vector of so many.

    >>> Real("double", 8).text, Real("double", 1).text, Real("float", 16).suffix
    ('<8 x double>', 'double', 'v16f32')
    """

    scalar: str
    lanes: int

    @property
    def bits(self) -> int:
        """How many bits a scalar has."""
        return 64 if self.scalar == "double" else 32

    @property
    def text(self) -> str:
        """The type in LLVM IR."""
        return self._of(self.scalar)

    @property
    def integer(self) -> str:
        """The type of the same shape whose scalars are integers of the same size."""
        return self._of(f"i{self.bits}")

    @property
    def mask(self) -> str:
        """The type of the same shape whose scalars are booleans."""
        return self._of("i1")

    @property
    def suffix(self) -> str:
        """What names of intrinsic functions end with."""
        return f"{f'v{self.lanes}' if self.lanes > 1 else ''}f{self.bits}"

    @property
    def one(self) -> Real:
        """The scalar type."""
        return Real(self.scalar, 1)

    def _of(self, scalar: str) -> str:
        return f"<{self.lanes} x {scalar}>" if self.lanes > 1 else scalar


def literal(number: float, real: Real) -> str:
    """Return a constant of a type, exactly; in single precision it is rounded first.

    >>> literal(1.0, Real("double", 1)), literal(0.5, Real("float", 4))
    ('0x3FF0000000000000', 'splat (float 0x3FE0000000000000)')
    """
    if real.scalar == "float":
        try:
            [number] = struct.unpack("f", struct.pack("f", number))
        except OverflowError:
            number = float("inf") if number > 0 else float("-inf")
    text = f"0x{struct.unpack('Q', struct.pack('d', number))[0]:016X}"
    return f"splat ({real.scalar} {text})" if real.lanes > 1 else text


def _first(real: Real, lanes: int) -> str:
    """Return the mask, with its type, that is true in the first lanes."""
    return f"{real.mask} <{', '.join([f'i1 {str(lane < lanes).lower()}' for lane in range(real.lanes)])}>"


class Function:
    """A function under construction: lines of text in the order in which they are emitted.

    `parameters` are its typed arguments, as "ptr %rows"; each is `nocapture`-like plain memory. Names of SSA values
    are numbers. With the `attributes` "noinline optnone" code is made in half the time, for what runs once.

    >>> f, real = Function("twice", "ptr %x, i64 %n"), Real("double", 4)
    >>> with f.loop("%n", step=4) as loop:
    ...     x = f.load(real, f.address(real, "%x", loop.index))
    ...     f.store(x + x, f.address(real, "%x", loop.index))
    >>> print(f.text())
    define void @twice(ptr %x, i64 %n) {
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
        self.lines: list[str] = []
        self.declarations: set[str] = set()
        """Declarations of other functions that are called, to be written once in a module."""
        self._count = 0
        self._block = "entry"

    def name_value(self) -> str:
        """Return the name of a new SSA value."""
        self._count += 1
        return f"%{self._count}"

    def emit(self, instruction: str) -> str:
        """Add an instruction that gives a value; return the value's name."""
        name = self.name_value()
        self.lines.append(f"{name} = {instruction}")
        return name

    def do(self, instruction: str) -> None:
        """Add an instruction that gives no value."""
        self.lines.append(instruction)

    def start_block(self, label: str) -> None:
        """Start a basic block."""
        self.lines.append(f"{label}:")
        self._block = label

    @property
    def block(self) -> str:
        """The label of the basic block that is being written."""
        return self._block

    def text(self) -> str:
        """Return the whole function; one without a result ends here."""
        end = ["ret void"] if self.result == "void" else []
        linkage = f"{self.linkage} " if self.linkage else ""
        attributes = f" {self.attributes}" if self.attributes else ""
        head = f"define {linkage}{self.result} @{self.name}({self.parameters}){attributes} {{"
        return "\n".join([head, "entry:", *self.lines, *end, "}"])

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

    def number(self, x: Any, real: Real) -> Number:
        """Return a Python number as a constant; a Number as it is."""
        return x if isinstance(x, Number) else Number(self, real, literal(float(x), real))

    def intrinsic(self, name: str, *numbers: Number) -> Number:
        """Return the result of an intrinsic function, as "sqrt", of numbers of one type."""
        real = numbers[0].real
        types = ", ".join([real.text] * len(numbers))
        self.declarations.add(f"declare {real.text} @llvm.{name}.{real.suffix}({types})")
        given = ", ".join([f"{real.text} {number.name}" for number in numbers])
        return Number(self, real, self.emit(f"call {real.text} @llvm.{name}.{real.suffix}({given})"))

    def fma(self, x: Number, y: Number, z: Number) -> Number:
        """Return x · y + z, rounded once."""
        return self.intrinsic("fma", x, y, z)

    def call(self, function: Function, *arguments: int | str) -> str:
        """Call a function, whose parameters say the arguments' types; return the name of its result, if it has one."""
        types = [parameter.rsplit(" ", 1)[0] for parameter in function.parameters.split(", ")]
        given = ", ".join([f"{kind} {argument}" for kind, argument in zip(types, arguments)])
        text = f"call {function.result} @{function.name}({given})"
        if function.result != "void":
            return self.emit(text)
        self.do(text)
        return ""

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


class Loop:
    """A loop under construction; see `Function.loop`."""

    def __init__(self, function: Function, end: int | str, step: int | str) -> None:
        self.function, self.end, self.step = function, end, step
        number = function._count = function._count + 1
        self.label, self.exit, self.index = f"loop.{number}", f"end.{number}", f"%index.{number}"
        self._before = function.block
        function.do(f"br label %{self.label}")
        function.start_block(self.label)
        self._next = f"%next.{number}"  # it is used before it is written, for which numbers are not allowed
        self._first_phi = len(function.lines)
        function.do("")  # the index, written when the loop is closed
        self._carried: list[list[Any]] = []

    def carry(self, initial: Number) -> Number:
        """Return a value that is first `initial`, then what `update` gave; to be called before other instructions."""
        function = self.function
        number = Number(function, initial.real, function.name_value())
        self._carried.append([number, initial, len(function.lines), number])
        function.do("")
        return number

    def update(self, carried: Number, following: Number) -> None:
        """Say what a carried value is in the next turn, and behind the loop."""
        for entry in self._carried:
            if entry[0] is carried:
                entry[3] = following

    def close(self) -> None:
        """Write the end of the loop."""
        function, latch = self.function, self.function.block
        after = f"add nuw nsw i64 {self.index}, {self.step}"
        function.do(f"{self._next} = {after}")
        function.lines[self._first_phi] = f"{self.index} = phi i64 [0, %{self._before}], [{self._next}, %{latch}]"
        for number, initial, line, following in self._carried:
            sources = f"[{initial.name}, %{self._before}], [{following.name}, %{latch}]"
            function.lines[line] = f"{number.name} = phi {number.real.text} {sources}"
        again = function.emit(f"icmp ult i64 {self._next}, {self.end}")
        function.do(f"br i1 {again}, label %{self.label}, label %{self.exit}")
        function.start_block(self.exit)


class Mask:
    """A condition in each lane: what comparisons of Numbers give."""

    def __init__(self, function: Function, real: Real, name: str) -> None:
        self.function, self.real, self.name = function, real, name

    def _join(self, word: str, other: Mask) -> Mask:
        name = self.function.emit(f"{word} {self.real.mask} {self.name}, {other.name}")
        return Mask(self.function, self.real, name)

    def __bool__(self) -> bool:
        raise TypeError("a condition of native code has no value yet: choose by xp.where, not by if")

    def __and__(self, other: Mask) -> Mask:
        return self._join("and", other)

    def __or__(self, other: Mask) -> Mask:
        return self._join("or", other)

    def __invert__(self) -> Mask:
        true = "splat (i1 true)" if self.real.lanes > 1 else "true"
        return Mask(self.function, self.real, self.function.emit(f"xor {self.real.mask} {self.name}, {true}"))


class Number:
    """An SSA value of type `real`, on which Python's operators emit instructions.

    `closed`: where it is a structural zero, `ops.ZERO`, which stops inf and nan that are multiplied by it; or None.
    """

    def __init__(self, function: Function, real: Real, name: str, closed: Mask | None = None) -> None:
        self.function, self.real, self.name, self.closed = function, real, name, closed

    def _with(self, word: str, x: Any, y: Any) -> Number:
        f, real = self.function, self.real
        x, y = f.number(x, real), f.number(y, real)
        return Number(f, real, f.emit(f"{word} {real.text} {x.name}, {y.name}"))

    def _compare(self, word: str, other: Any) -> Mask:
        f, real = self.function, self.real
        return Mask(f, real, f.emit(f"fcmp {word} {real.text} {self.name}, {f.number(other, real).name}"))

    def __add__(self, other: Any) -> Number:
        return self._with("fadd", self, other)

    def __radd__(self, other: Any) -> Number:
        return self._with("fadd", other, self)

    def __sub__(self, other: Any) -> Number:
        return self._with("fsub", self, other)

    def __rsub__(self, other: Any) -> Number:
        return self._with("fsub", other, self)

    def __mul__(self, other: Any) -> Number:
        return self._with("fmul", self, other)

    def __rmul__(self, other: Any) -> Number:
        return self._with("fmul", other, self)

    def __truediv__(self, other: Any) -> Number:
        return self._with("fdiv", self, other)

    def __rtruediv__(self, other: Any) -> Number:
        return self._with("fdiv", other, self)

    def __pow__(self, exponent: Any) -> Number:
        if exponent == 2:
            return self * self
        return NotImplemented if exponent != 3 else self * self * self

    def __abs__(self) -> Number:
        return self.function.intrinsic("fabs", self)

    def __bool__(self) -> bool:
        raise TypeError("a number of native code has no value yet: choose by xp.where, not by if")

    def __neg__(self) -> Number:
        return Number(self.function, self.real, self.function.emit(f"fneg {self.real.text} {self.name}"))

    def equals(self, other: Any) -> Mask:
        """Return where both are the same number; `==` says whether they are the same object, as for all objects."""
        return self._compare("oeq", other)

    def __lt__(self, other: Any) -> Mask:
        return self._compare("olt", other)

    def __le__(self, other: Any) -> Mask:
        return self._compare("ole", other)

    def __gt__(self, other: Any) -> Mask:
        return self._compare("ogt", other)

    def __ge__(self, other: Any) -> Mask:
        return self._compare("oge", other)

    def select(self, condition: Mask, other: Number) -> Number:
        """Return self where the condition holds, else other."""
        f, real = self.function, self.real
        text = f"select {real.mask} {condition.name}, {real.text} {self.name}, {real.text} {other.name}"
        return Number(f, real, f.emit(text))

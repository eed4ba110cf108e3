"""Numbers that write LLVM's instructions as they are computed, their types, and conditions on them.

A `Number` is an SSA value: a scalar, or a vector of as many lanes as `Real` says. Python's operators on it emit
instructions, so that the rules of the op table, run over Numbers, write their own code. No fast-math: each operation is
IEEE 754's, in the order of the rule; only where `fma` is called are product and sum rounded once.
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

__all__ = ["Instructions", "Mask", "NotNativeError", "Number", "Real", "literal"]


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


class Instructions:
    """Instructions in the order in which they are emitted. Names of SSA values are numbers."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.declarations: set[str] = set()
        """Declarations of other functions that are called, to be written once in a module."""
        self.divides_once = False
        """Whether x/y is x · (1/y), of which LLVM computes what is in brackets once for all x in a block of code."""
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


class Mask:
    """A condition in each lane: what comparisons of Numbers give."""

    def __init__(self, function: Instructions, real: Real, name: str) -> None:
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
    `inverse`: a power of two 2ⁿ, 2ⁿ times the number, and 1 over that, for what is divided by it; or None.
    """

    def __init__(self, function: Instructions, real: Real, name: str, closed: Mask | None = None) -> None:
        self.function, self.real, self.name, self.closed = function, real, name, closed
        self.inverse: tuple[Number, Number, Number] | None = None

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
        if isinstance(other, Number) and other.inverse is not None:
            return self._divided(*other.inverse)
        if isinstance(other, Number) and self.function.divides_once:
            return self * (1 / other)
        return self._with("fdiv", self, other)

    def _divided(self, scale: Number, scaled: Number, inverse: Number) -> Number:
        """Return x/y as q = x · 1/y, corrected by 1/y times what is left of x, x − q y.

        Not where that gives nan, as q is infinite or 1/y is, or 0, whose sign may be another.
        """
        f, x = self.function, self * scale
        quotient = x * inverse
        corrected = f.fma(f.fma(-quotient, scaled, x), inverse, quotient)
        return corrected.select(corrected._compare("one", 0.0), quotient)

    def __rtruediv__(self, other: Any) -> Number:
        if self.inverse is not None:
            return self.function.number(other, self.real) / self
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

    def unclosed(self) -> Number:
        """Return the same number, which is nowhere a structural zero."""
        found = Number(self.function, self.real, self.name)
        found.inverse = self.inverse
        return found

    def select(self, condition: Mask, other: Number) -> Number:
        """Return self where the condition holds, else other."""
        f, real = self.function, self.real
        text = f"select {real.mask} {condition.name}, {real.text} {self.name}, {real.text} {other.name}"
        return Number(f, real, f.emit(text))

"""The elementary functions on Numbers: the namespace over which the op table's rules write native code."""

from __future__ import annotations

import ctypes
import math
import sys
from collections.abc import Callable
from functools import cache, partial, reduce
from operator import or_
from typing import Any

from microgradlib._support.floats import IEEE
from microgradlib.compiler.llvm import circular, polynomials
from microgradlib.compiler.llvm.numbers import Instructions, Mask, NotNativeError, Number, Real
from microgradlib.ops import TABLE, ZERO

__all__ = ["FUNCTIONS", "NativeFunctions", "run_rule", "symbols"]

LIBM = (
    "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "cos", "cosh", "erf", "erfc", "lgamma", "log10",
    "log2", "pow", "sin", "sinh", "tan", "tgamma",
)  # fmt: skip
"""Functions of C's mathematics library that are called, lane by lane, in double precision."""


@cache
def symbols() -> dict[str, int]:
    """Return the addresses of the functions of C's mathematics library that code may call, by name.

    >>> import ctypes
    >>> ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(symbols()["erf"])(0.0)
    0.0
    """
    try:
        library = ctypes.CDLL({"win32": "ucrtbase", "linux": "libm.so.6"}.get(sys.platform))
    except OSError:  # a Linux whose C library is one piece
        library = ctypes.CDLL(None)
    names = (*LIBM, "fmod", "fmodf")  # the last two: what the instruction frem becomes
    return {name: ctypes.cast(getattr(library, name), ctypes.c_void_p).value or 0 for name in names}


def run_rule(rule: Callable[..., Any], *inputs: Any) -> Any:
    """Return rule(xp, *inputs) over Numbers: what a value or derivative rule of an op writes.

    Raises `NotNativeError` where the rule does what Numbers cannot, as an `if` on one of them.
    """
    try:
        return rule(FUNCTIONS, *inputs)
    except (AttributeError, TypeError, ValueError) as error:
        message = f"a rule has no native code: {error}"
        raise NotNativeError(message) from error


def _call(name: str, *numbers: Number) -> Number:
    """Call a function of libm, lane by lane, in double precision."""
    f, real = numbers[0].function, numbers[0].real
    wide, result = Real("double", real.lanes), "poison"
    f.declarations.add(f"declare double @{name}({', '.join(['double'] * len(numbers))})")
    inputs = [number.name for number in numbers]
    if real != wide:
        inputs = [f.emit(f"fpext {real.text} {x} to {wide.text}") for x in inputs]
    for lane in range(real.lanes):
        parts = inputs
        if real.lanes > 1:
            parts = [f.emit(f"extractelement {wide.text} {x}, i64 {lane}") for x in inputs]
        part = f.emit(f"call double @{name}({', '.join([f'double {x}' for x in parts])})")
        insert = f"insertelement {wide.text} {result}, double {part}, i64 {lane}"
        result = f.emit(insert) if real.lanes > 1 else part
    return Number(f, real, result if real == wide else f.emit(f"fptrunc {wide.text} {result} to {real.text}"))


LARGE = 1e5
"""Above this |x|, the own sin and cos do not find the quadrant."""


def _circular(name: str, x: Number) -> Number:
    """Return sin x or cos x; a branch leads to C's function where an |x| is large."""
    f, real, near = x.function, x.real, getattr(circular, name)(x)
    is_large = f.intrinsic("fabs", x) > LARGE
    some, number, before = is_large.name, f.name_value()[1:], f.block
    if real.lanes > 1:
        f.declarations.add(f"declare i1 @llvm.vector.reduce.or.v{real.lanes}i1({real.mask})")
        some = f.emit(f"call i1 @llvm.vector.reduce.or.v{real.lanes}i1({real.mask} {some})")
    f.do(f"br i1 {some}, label %large.{number}, label %all.{number}")
    f.start_block(f"large.{number}")
    far = _call(name, x).select(is_large, near)
    f.do(f"br label %all.{number}")
    f.start_block(f"all.{number}")
    phi = f"phi {real.text} [{near.name}, %{before}], [{far.name}, %large.{number}]"
    return Number(f, real, f.emit(phi))


def _typed(*inputs: Any) -> tuple[Instructions, Real]:
    """Return the function and the type of the Numbers among the inputs."""
    given = next(x for x in inputs if isinstance(x, (Number, Mask)))
    return given.function, given.real


def _numeric(name: str, write: Callable[..., Number]) -> Callable[..., Any]:
    """Return `write` for any inputs: Python numbers are made constants; of those alone the result is Python's."""

    def function(*inputs: Any) -> Any:
        if not any(isinstance(x, Number) for x in inputs):
            return float(getattr(IEEE, name)(*inputs))
        f, real = _typed(*inputs)
        return write(*[f.number(x, real) for x in inputs])

    return function


def _mod(x: Number, y: Number) -> Number:
    """Return x mod y, whose sign is that of y, as Python has it; that of a zero too."""
    f, real = x.function, x.real
    rest = Number(f, real, f.emit(f"frem {real.text} {x.name}, {y.name}"))
    opposite = ((rest < 0) & (y > 0)) | ((rest > 0) & (y < 0))
    rest = (rest + y).select(opposite, rest)
    return rest.select(rest._compare("une", 0.0), f.intrinsic("copysign", f.number(0.0, real), y))


def _polygamma(*_: Number) -> Number:
    raise NotNativeError("polygamma has no native code")


def _power(x: Any, y: Any) -> Any:
    """Return x to the power y; for n and n + ½ up to 4 and −4 by products and a square root."""
    if not isinstance(x, Number) and not isinstance(y, Number):
        return float(IEEE.pow(x, y))
    f, real = _typed(x, y)
    if isinstance(y, Number) or not (abs(y) <= 4 and 2 * y % 1 == 0):
        return _call("pow", f.number(x, real), f.number(y, real))
    if y % 1:  # of −0 it is 0, of −inf inf
        x = f.number(math.inf, real).select(x <= -math.inf, x + 0.0)
    if abs(y) == 0.5:
        return f.intrinsic("sqrt", x) if y > 0 else 1 / f.intrinsic("sqrt", x)
    x = 1 / x if y < 0 else x
    whole = math.prod([x] * int(abs(y)))
    return whole * f.intrinsic("sqrt", x) if y % 1 else float(whole) if y == 0 else whole


def _larger(word: str, first: Any, x: Any) -> Any:
    """Return the larger (word "olt") or the smaller ("ogt") number; of equal ones the first, and nan if one is nan."""
    if not isinstance(first, Number) and not isinstance(x, Number):
        return float(getattr(IEEE, "maximum" if word == "olt" else "minimum")(first, x))
    f, real = _typed(first, x)
    left, right = f.number(first, real), f.number(x, real)
    chosen = right.select(left._compare(word, right), left)
    return right.select(right._compare("uno", right), chosen) if isinstance(x, Number) or math.isnan(x) else chosen


class NativeFunctions:
    """The namespace `xp` of the op table's rules, over Numbers; ops that are no elementary functions run their rule."""

    def __init__(self) -> None:
        for name in sorted({*LIBM} - {"tgamma", "pow"}):
            setattr(self, name, _numeric(name, partial(_call, name)))
        for name in ("exp", "expm1", "log", "log1p", "sigmoid", "sigmoid_slope", "tanh", "tanh_slope"):
            setattr(self, name, _numeric(name, getattr(polynomials, name)))
        for name, word in (("abs", "fabs"), ("ceil", "ceil"), ("floor", "floor"), ("sqrt", "sqrt")):
            setattr(self, name, _numeric(name, lambda x, word=word: x.function.intrinsic(word, x)))
        self.sin, self.cos = [_numeric(name, partial(_circular, name)) for name in ("sin", "cos")]
        self.hypot = _numeric("hypot", circular.hypot)
        self.gamma = _numeric("gamma", partial(_call, "tgamma"))
        self.mod = _numeric("mod", _mod)
        self.polygamma = _numeric("polygamma", _polygamma)
        self.pow = _power
        self.detach = lambda x: x
        self.undefined = lambda x: x.function.number(math.nan, x.real) if isinstance(x, Number) else math.nan
        self.maximum = lambda *xs: reduce(partial(_larger, "olt"), xs)
        self.minimum = lambda *xs: reduce(partial(_larger, "ogt"), xs)

    def where(self, condition: Any, chosen: Any, other: Any) -> Any:
        """Return `chosen` where the condition holds, else `other`; either may be `ZERO`, which closes.

        The condition is a Mask, a bool, or a number, of which 0 is false.
        """
        if not isinstance(condition, (Mask, Number)):
            return chosen if condition else other
        if chosen is other:
            return chosen
        f, real = _typed(condition)
        holds = condition if isinstance(condition, Mask) else condition._compare("une", 0.0)
        result = f.number(chosen, real).select(holds, f.number(other, real))
        result.closed = _closed(holds, chosen, other)
        return result

    def closed_at_zero(self, x: Any) -> Any:
        """Return x, closed where it is 0."""
        if not isinstance(x, Number):
            return x or ZERO
        return Number(x.function, x.real, x.name, x._compare("oeq", 0.0))

    def __getattr__(self, name: str) -> Any:
        if name not in TABLE:
            raise AttributeError(name)
        return partial(TABLE[name].value, self)


def _closed(holds: Mask, chosen: Any, other: Any) -> Mask | None:
    """Return where a choice is closed: where what is chosen is `ZERO`, or closed itself."""
    parts = []
    for x, is_chosen in ((chosen, True), (other, False)):
        inner = x.closed if isinstance(x, Number) else None
        if x is ZERO or inner is not None:
            taken = holds if is_chosen else ~holds
            parts.append(taken if inner is None else taken & inner)
    return reduce(or_, parts) if parts else None


FUNCTIONS: Any = NativeFunctions()
"""The namespace."""

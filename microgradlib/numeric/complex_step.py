"""Complex-step differentiation, f′(x) = Im f(x + ih)/h, by the op table's value rules over complex numbers."""

from __future__ import annotations

import cmath
import math
from functools import partial
from operator import ge, gt, le, lt
from typing import TYPE_CHECKING, Any, NoReturn

from microgradlib._support.calling import AS_ARGUMENTS, call, check_function, returned
from microgradlib._support.number import as_float, number_at
from microgradlib.core.graph import topological_sort
from microgradlib.core.symbol import Symbol
from microgradlib.ops import TABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from microgradlib.core.node import Node
    from microgradlib.ops import Op

__all__ = ["complex_step_derivative", "op_derivative"]

_H = 2.0**-100  # of x: h² is far below rounding, so the truncation error vanishes
_WIDER = 16.0  # times h, and again: where f is analytic, quotients over wider steps are the same
_SAME = 1.01  # powers of x at 0 change by more: √x has the slope inf there, √x³ the slope 0


def _step(x: float) -> float:
    """Return h: small beside x too where that is tiny, as sqrt bends there; far above the least float."""
    return max(_H * min(abs(x), 1.0), 2.0**-1020) if x else _H


class _Complex(complex):
    """A complex number ordered by its real part, so that value rules take the branch of the real number.

    Equal real parts are ordered by the imaginary part, so that all comparisons within an op take the same side.
    """

    __slots__ = ()


def _complex_method(name: str) -> Callable[..., Any]:
    operate = getattr(complex, name)

    def method(self: complex, *other: complex) -> Any:
        result = operate(self, *other)
        return result if result is NotImplemented else _Complex(result)

    return method


def _real_and_imaginary(z: complex) -> tuple[float, float]:
    return (z.real, z.imag)


def _ordered_by(compare: Callable[[Any, Any], bool]) -> Callable[[complex, complex], bool]:
    return lambda self, other: compare(_real_and_imaginary(self), _real_and_imaginary(other))


for _name in ("add", "radd", "sub", "rsub", "mul", "rmul", "truediv", "rtruediv", "neg"):
    setattr(_Complex, f"__{_name}__", _complex_method(f"__{_name}__"))
for _name, _compare in (("lt", lt), ("le", le), ("gt", gt), ("ge", ge)):
    setattr(_Complex, f"__{_name}__", _ordered_by(_compare))


def _pow(x: complex, y: complex) -> complex:
    if y.imag == 0 and y.real % 1 == 0 and (x.real <= 0 or abs(y.real) <= 3):  # whole powers, of negative bases too
        if abs(y.real) <= 100:
            power = math.prod([complex(x)] * int(abs(y.real)), start=complex(1))
            return power if y.real >= 0 else 1 / power
        return cmath.exp(y * cmath.log(-x)) * (-1 if y.real % 2 else 1)
    return cmath.exp(y * cmath.log(x))


def _log1p(z: complex) -> complex:
    return complex(math.log1p(z.real), z.imag / (1 + z.real))


def _expm1(z: complex) -> complex:
    return complex(math.expm1(z.real), math.exp(z.real) * math.sin(z.imag))


def _cbrt(x: complex) -> complex:
    return -cmath.exp(cmath.log(-x) / 3) if x.real < 0 else cmath.exp(cmath.log(x) / 3)


def _atan2(y: complex, x: complex) -> complex:
    """Return atan2(y, x) as atan of y/x or x/y, whichever is smaller in magnitude, plus a multiple of π/2."""
    if abs(y.real) > abs(x.real):
        return math.copysign(math.pi / 2, y.real) - cmath.atan(x / y)
    return cmath.atan(y / x) + (math.copysign(math.pi, y.real) if x.real < 0 else 0.0)


_RULES: dict[str, Callable[..., Any]] = {
    **{
        name: getattr(cmath, name)
        for name in (
            "exp", "log", "log10", "sqrt", "sin", "cos", "tan", "asin", "acos", "atan",
            "sinh", "cosh", "tanh", "asinh", "acosh", "atanh",
        )
    },
    "pow": _pow, "log1p": _log1p, "expm1": _expm1, "cbrt": _cbrt, "atan2": _atan2,
    "log2": lambda z: cmath.log(z) / math.log(2),
    "hypot": lambda x, y: cmath.sqrt(x * x + y * y),
    "sigmoid": lambda z: 1 / (1 + cmath.exp(-z)) if z.real >= 0 else cmath.exp(z) / (1 + cmath.exp(z)),
    "sum": lambda *zs: sum(zs),
    "strong_mul": lambda x, y: x * y if x else 0.0,
    "sign": lambda z: (z.real > 0) - (z.real < 0),
    "abs": lambda z: -z if _real_and_imaginary(z) < (0, 0) else z,
    "maximum": lambda *zs: max(zs, key=_real_and_imaginary),
    "minimum": lambda *zs: min(zs, key=_real_and_imaginary),
    "where": lambda condition, x, y: x if condition else y,
    "mod": lambda x, y: x - y * (x.real // y.real),
    "floor": lambda z: math.floor(z.real),
    "ceil": lambda z: math.ceil(z.real),
    "detach": lambda z: z.real,
    "undefined": lambda z: z * math.nan,
}  # fmt: skip
_REAL_ONLY = {"erf", "erfc", "gamma", "lgamma", "polygamma"}


def _as_complex(rule: Callable[..., Any]) -> Callable[..., _Complex]:
    return lambda *zs: _Complex(rule(*zs))


class _Namespace:
    """The namespace `xp` over complex numbers: `_RULES`, and the table's value rules for all other ops."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name in _RULES:
            return _as_complex(_RULES[name])
        if name in TABLE and name not in _REAL_ONLY:
            return partial(TABLE[name].value, self)
        raise AttributeError(name=name)


_COMPLEX = _Namespace()


def complex_step_derivative(f: Callable[[Any], Any], x: float) -> float:
    """Return f′(x) as Im f(x + ih)/h to full precision: nothing is subtracted, so h is 2⁻¹⁰⁰·min(1, |x|).

    f(x + ih) = f(x) + ih f′(x) − h²f″(x)/2 − … for an analytic f. f is called with a Symbol, and the value rules of its
    ops are evaluated over complex numbers, so the result is independent of the derivative rules and as accurate as the
    value rules. |x|, max, where and the like take the branch of the real part, which is correct except at their kinks.
    W. Squire and G. Trapp, *SIAM Review* 40 (1998) 110–112.

    Where h f′(x) is below the least float, as of x² at 1e-200, the result is 0.

    Raises `ValueError` at a kink, outside an op's domain, where the slope is infinite, and for an op without a complex
    form (erf, gamma), and `SymbolHasNoValueError` if f compares its argument or reads its data; use
    `numeric_derivative` for these.

    >>> from microgradlib import exp, sin
    >>> complex_step_derivative(lambda x: exp(x) * sin(x), 0.0)
    1.0
    """
    check_function(f)
    symbol, at = Symbol("x"), number_at(x)
    output = call(f, AS_ARGUMENTS, symbol)
    if not hasattr(output, "__apply_op__"):
        returned(f, [output], as_float)
        return 0.0
    nodes = topological_sort(output)

    def imaginary(h: float) -> float:
        table: dict[Node, _Complex] = {symbol: _Complex(at, h)}
        for node in nodes:
            if node not in table:
                inputs = [table[parent] for parent in node.parents]
                table[node] = _complex_value(node.op, inputs) if node.op else _Complex(node.data)
        return table[output].imag

    slope = _slope(imaginary, at)
    if math.isinf(slope):
        message = f"complex_step_derivative cannot differentiate f at {at!r}: its slope is infinite there"
        raise ValueError(message)
    return slope


def op_derivative(op: Op, at: Sequence[float], index: int) -> float | None:
    """Return the derivative of an op's value by one input, by a complex step; None where that is not possible.

    >>> op_derivative(TABLE["sin"], [1e17], 0) == math.cos(1e17), op_derivative(TABLE["erf"], [0.5], 0)
    (True, None)
    """

    def imaginary(h: float) -> float:
        return _complex_value(op, [_Complex(x, h * (i == index)) for i, x in enumerate(at)]).imag

    try:
        slope = _slope(imaginary, at[index])
    except ValueError:
        return None
    return slope if math.isfinite(slope) else None


def _slope(imaginary: Callable[[float], float], x: float) -> float:
    """Return Im f(x + ih)/h; at the edge of a domain, where it goes with a power of h, its limit 0 or inf."""
    h = _step(x)
    slope, wider = (imaginary(step) / step for step in (h, _WIDER * h))
    if _is_larger(slope, wider) and _is_larger(wider, imaginary(_WIDER**2 * h) / (_WIDER**2 * h)):
        return math.copysign(math.inf, slope)
    if _is_larger(wider, slope) and _is_larger(imaginary(_WIDER**2 * h) / (_WIDER**2 * h), wider):
        return 0.0
    return slope


def _is_larger(first: float, second: float) -> bool:
    return abs(first) > _SAME * abs(second)


def _complex_value(op: Op, inputs: list[_Complex]) -> _Complex:
    real = [z.real for z in inputs]
    if op.kink is not None and any(z.imag for z in inputs) and op.kink(*real, *op.settings):
        _raise_undefined(op, real, f"has a kink there ({op.kink_note})")
    try:
        result = _Complex(op.value(_COMPLEX, *inputs, *map(_Complex, op.settings)))
    except AttributeError as error:
        _raise_undefined(op, real, f"has no complex form here ({error.name})")
    except (ArithmeticError, ValueError):
        _raise_undefined(op, real, "has no finite value there")
    if not (cmath.isfinite(result) and math.isfinite(op.compute(*real))):
        _raise_undefined(op, real, "is not finite and real there")
    return result


def _raise_undefined(op: Any, real: list[float], why: str) -> NoReturn:
    inputs = ", ".join(map(repr, real))
    message = f"complex_step_derivative cannot differentiate {op.name}({inputs}): it {why}; use numeric_derivative"
    raise ValueError(message)

"""Two namespaces of elementary functions on floats: one raises as Python does, one returns inf or nan as IEEE 754 does.

The rules of the op table call the functions of such a namespace `xp`, as in `xp.exp(x)`. `FLOATS` holds the functions
of the `math` module unchanged, for speed. If a rule raises over it, as for `1 / 0` or `math.exp(1000)`,
`evaluate_rule` runs the rule again over `IEEE`, whose functions never raise and whose numbers are of class `Float754`.
"""

from __future__ import annotations

import math
import operator
from functools import wraps
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from microgradlib._support.log_gamma import lgamma
from microgradlib._support.lookup import nearest
from microgradlib._support.polygamma import polygamma

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FLOATS", "IEEE", "Float754", "Namespace", "evaluate_rule"]


def cbrt(x: float) -> float:
    """Return the real cube root of x, negative for negative x (`math.cbrt` came only with Python 3.11).

    >>> cbrt(-27.0)
    -3.0
    """
    if x == 0 or not math.isfinite(x):
        return x
    if not 1e-280 < abs(x) < 1e280:  # the cube in Newton's step would over- or underflow
        return cbrt(x * 2.0**-300) * 2.0**100 if abs(x) > 1 else cbrt(x * 2.0**300) * 2.0**-100
    root = math.copysign(abs(x) ** (1 / 3), x)
    return root - (root * root * root - x) / (3 * root * root)


def _where(condition: float, chosen: float, other: float) -> float:
    return chosen if condition else other


def _maximum(first: float, *rest: float) -> float:
    for x in rest:
        first = first if first >= x or first != first else x  # noqa: PLR0124  nan if any input is nan, as in NumPy
    return first


def _minimum(first: float, *rest: float) -> float:
    for x in rest:
        first = first if first <= x or first != first else x  # noqa: PLR0124
    return first


_FROM_MATH = (
    "exp", "expm1", "log", "log1p", "log2", "log10", "sqrt", "pow", "hypot", "erf", "erfc", "gamma",
    "sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh",
)  # fmt: skip


class Namespace(SimpleNamespace):
    """The functions `xp` of rules, by name."""

    def __getattr__(self, name: str) -> Any:
        message = f"xp has no function {name!r}{nearest(name, vars(self))}"
        raise AttributeError(message)


FLOATS = Namespace(
    **{name: getattr(math, name) for name in _FROM_MATH},
    cbrt=cbrt,
    lgamma=lgamma,
    polygamma=polygamma,
    abs=abs,
    mod=operator.mod,
    floor=lambda x: math.copysign(float(math.floor(x)), x),  # −0.0 is a whole number too
    ceil=lambda x: math.copysign(float(math.ceil(x)), x),
    where=_where,
    maximum=_maximum,
    minimum=_minimum,
    detach=lambda x: x,
    undefined=lambda _x: math.nan,
)


class Float754(float):
    """A float whose arithmetic never raises: `1 / 0` is inf, `0 / 0` is nan, `1e200 ** 2` is inf.

    >>> 1 / Float754(0.0), Float754(-1.0) / 0.0
    (inf, -inf)
    """

    __slots__ = ()

    def __add__(self, other: float) -> Float754:
        return Float754(float(self) + float(other))

    def __sub__(self, other: float) -> Float754:
        return Float754(float(self) - float(other))

    def __rsub__(self, other: float) -> Float754:
        return Float754(float(other) - float(self))

    def __mul__(self, other: float) -> Float754:
        return Float754(float(self) * float(other))

    def __truediv__(self, other: float) -> Float754:
        return _divide(self, other)

    def __rtruediv__(self, other: float) -> Float754:
        return _divide(other, self)

    def __pow__(self, other: float, _modulus: None = None) -> Float754:
        return Float754(_power(float(self), float(other)))

    def __neg__(self) -> Float754:
        return Float754(-float(self))

    def __abs__(self) -> Float754:
        return Float754(abs(float(self)))

    __radd__ = __add__
    __rmul__ = __mul__


def _as_754(number: float) -> float:
    """Return a number as a Float754; a float of a class of its own is returned as it is."""
    return Float754(number) if number.__class__ in (float, int) else number


def _divide(numerator: float, denominator: float) -> Float754:
    numerator, denominator = float(numerator), float(denominator)
    if denominator:
        return Float754(numerator / denominator)
    if numerator == 0 or math.isnan(numerator):
        return Float754(math.nan)
    return Float754(math.copysign(math.inf, numerator) * math.copysign(1.0, denominator))


def _power(base: float, exponent: float) -> float:
    """Return base**exponent by IEEE 754, where Python's `**` raises."""
    try:
        return math.pow(base, exponent)
    except OverflowError:
        return -math.inf if base < 0 and exponent % 2 == 1 else math.inf
    except ValueError:
        if base == 0:  # to a negative power: a pole
            return math.copysign(math.inf, base) if exponent % 2 == 1 else math.inf
        return math.nan  # a negative base to a fractional power


def _is_pole(name: str, x: float) -> bool:
    return (
        (name in {"log", "log2", "log10", "gamma"} and x == 0)
        or (name == "log1p" and x == -1)
        or (name == "atanh" and abs(x) == 1)
        or (name == "lgamma" and x <= 0)
    )


def _pole(name: str, x: float) -> float:
    """Return the infinity to which the function tends at its pole x."""
    if name in {"atanh", "gamma"}:
        return math.copysign(math.inf, x)
    return math.inf if name == "lgamma" else -math.inf


def _without_errors(name: str, function: Callable[..., float]) -> Callable[..., Any]:
    """Wrap a function of floats so that it returns its limit (±inf) or nan where it would raise."""

    @wraps(function)
    def safe(*inputs: float) -> Float754:
        try:
            return Float754(function(*inputs))
        except OverflowError:
            if name in {"floor", "ceil"}:
                return Float754(inputs[0])
            return Float754(math.copysign(math.inf, inputs[0]) if name in {"sinh", "gamma"} else math.inf)
        except ValueError:
            return Float754(_pole(name, inputs[0]) if _is_pole(name, inputs[0]) else math.nan)

    return safe


IEEE = Namespace(**{name: _without_errors(name, function) for name, function in vars(FLOATS).items()})
IEEE.where = lambda condition, x, y: _as_754(x if condition else y)
IEEE.mod = lambda x, y: Float754(math.nan if y == 0 else float(x) % float(y))
IEEE.pow = lambda base, exponent: Float754(_power(base, exponent))


def evaluate_rule(rule: Callable[..., Any], *inputs: float) -> Any:
    """Return rule(xp, *inputs), a float or a tuple of floats, by IEEE 754: inf and nan instead of exceptions.

    >>> evaluate_rule(lambda xp, x: 1 / xp.log(x), 1.0)
    inf
    """
    try:
        return rule(FLOATS, *inputs)
    except (ArithmeticError, ValueError):
        result = rule(IEEE, *map(Float754, inputs))
        return tuple(map(_plain, result)) if isinstance(result, tuple) else _plain(result)


def _plain(number: float) -> float:
    """Return a float of the plain class; one of another class than Float754 is returned as it is."""
    return float(number) if isinstance(number, Float754) else number

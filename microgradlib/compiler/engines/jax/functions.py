"""The elementary functions on JAX arrays: the namespace over which the op table's rules run, with walls."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache, partial, reduce
from importlib import import_module
from typing import Any, NamedTuple, cast

from microgradlib._support.optional import import_optional
from microgradlib.ops import TABLE, ZERO

__all__ = ["Walled", "array_functions", "float64_enabled", "jax", "times", "where"]

SAME = (
    "exp", "expm1", "log", "log1p", "log2", "log10", "sqrt", "cbrt", "hypot", "sin", "cos", "tan", "sinh", "cosh",
    "tanh", "floor", "ceil",
)  # fmt: skip
RENAMED = {
    "asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2", "asinh": "arcsinh", "acosh": "arccosh",
    "atanh": "arctanh", "pow": "power",
}  # fmt: skip
SPECIAL = {"erf": "erf", "erfc": "erfc", "gamma": "gamma", "lgamma": "gammaln"}


@cache
def jax() -> Any:
    """Return the module. Raises `MissingExtraError` where JAX is not installed."""
    return import_optional("jax", "the JAX engine")


def float64_enabled() -> AbstractContextManager[None]:
    """Return the context in which arrays of float64 stay so, whatever JAX is set to elsewhere."""
    named = hasattr(jax(), "enable_x64")  # before JAX 0.8 it was jax.experimental's
    manager = (jax() if named else import_module("jax.experimental")).enable_x64
    return cast(AbstractContextManager[None], manager(True))


class Walled(NamedTuple):
    """A derivative that is `ZERO` where `closed`: nothing passes there, inf and nan neither."""

    value: Any
    closed: Any


def where(condition: Any, x: Any, y: Any) -> Any:
    """Return x or y element by element; a `Walled` if one of them is `ZERO` or has walls itself."""
    jnp = jax().numpy
    chosen = jnp.where(condition, *[part.value if isinstance(part, Walled) else part for part in (x, y)])
    closed = [part.closed if isinstance(part, Walled) else part is ZERO for part in (x, y)]
    has_none = closed[0] is False and closed[1] is False
    return chosen if has_none else Walled(chosen, jnp.where(condition, *closed))


def times(derivative: Any, number: Any) -> Any:
    """Return derivative · number, and 0 where the derivative is closed, whatever the number."""
    if isinstance(derivative, Walled):
        return jax().numpy.where(derivative.closed, 0.0, derivative.value * number)
    return jax().numpy.zeros_like(number) if derivative is ZERO else derivative * number


class _Functions:
    """The namespace `xp` of the op table's rules, over arrays; ops that are no elementary functions run their rule."""

    where = staticmethod(where)

    def __init__(self) -> None:
        jnp, special = jax().numpy, jax().scipy.special
        for name in (*SAME, *RENAMED):
            setattr(self, name, getattr(jnp, RENAMED.get(name, name)))
        for name, found in SPECIAL.items():
            setattr(self, name, getattr(special, found))
        self.polygamma, self.abs, self.mod = _polygamma, _absolute, _remainder
        self.maximum = lambda *xs: reduce(jnp.maximum, xs)
        self.minimum = lambda *xs: reduce(jnp.minimum, xs)
        self.detach = jax().lax.stop_gradient
        self.undefined = lambda x: x * jnp.nan
        self.closed_at_zero = lambda x: Walled(x, x == 0)

    def __getattr__(self, name: str) -> Any:
        return partial(TABLE[name].value, self)


@cache
def array_functions() -> Any:
    """Return the namespace over arrays, in which JAX would differentiate by rules of its own."""
    return _Functions()


def _absolute(x: Any) -> Any:
    """Return |x|, so that XLA does not see it: it takes |x| ≥ 0 for true where x is nan too."""
    jnp = jax().numpy
    return jnp.where(x > 0, x, jnp.where(x < 0, -x, x * x))  # the square of ±0 is 0


def _remainder(x: Any, y: Any) -> Any:
    """Return x mod y; a remainder of 0 has the sign of y, as Python's has."""
    jnp = jax().numpy
    rest = jnp.mod(x, y)
    return jnp.where(rest == 0, jnp.copysign(0.0, y), rest)


def _polygamma(x: Any, order: Any) -> Any:
    """Return ψ⁽ⁿ⁾(x) for a whole number n, a plain one; for x < ½ by reflection.

    ψ⁽ⁿ⁾(x) = (−1)ⁿ ψ⁽ⁿ⁾(1 − x) − π dⁿ/dxⁿ cot πx, where the derivatives of c = cot πx are polynomials in it, as
    c′ = −π (1 + c²). JAX has its own for n = 0, and none for x < 0 otherwise.
    """
    jnp, special = jax().numpy, jax().scipy.special
    x = jnp.asarray(x)
    if not 0 <= order < jnp.inf or order % 1:
        return x * jnp.nan
    n = int(order)
    if n == 0:
        return jnp.where((x <= 0) & (x == jnp.floor(x)), jnp.nan, special.digamma(x))
    cotangent = [0.0, jnp.pi]  # π dⁿ/dxⁿ cot πx as coefficients of the powers of c
    for _ in range(n):
        slope = [k * a * -jnp.pi for k, a in enumerate(cotangent)][1:]
        cotangent = [a + b for a, b in zip([*slope, 0.0, 0.0], [0.0, 0.0, *slope])]
    at_left = x < 0.5
    argument = jnp.where(at_left, 1 - x, x)
    mirrored = jnp.where(argument == jnp.inf, 0.0, special.polygamma(n, argument))
    c = 1 / jnp.tan(jnp.pi * (x - jnp.round(x)))
    left = (-1) ** n * mirrored - reduce(lambda total, a: total * c + a, reversed(cotangent))
    return jnp.where(at_left, jnp.where(x == jnp.floor(x), jnp.nan, left), mirrored)

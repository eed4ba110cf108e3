"""The op table on JAX arrays: elementary functions, and each op with the table's own derivatives as a `custom_jvp`."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import cache, lru_cache, partial, reduce
from typing import Any, NamedTuple

from microgradlib._support.optional import import_optional
from microgradlib.ops import TABLE, ZERO, Op

__all__ = ["Walled", "array_functions", "differentiable", "jax", "times", "with_derivatives"]

SAME = (
    "exp", "expm1", "log", "log1p", "log2", "log10", "sqrt", "cbrt", "hypot", "sin", "cos", "tan", "sinh", "cosh",
    "tanh", "abs", "mod", "floor", "ceil",
)  # fmt: skip
RENAMED = {
    "asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2", "asinh": "arcsinh", "acosh": "arccosh",
    "atanh": "arctanh", "pow": "power",
}  # fmt: skip
SPECIAL = {"erf": "erf", "erfc": "erfc", "gamma": "gamma", "lgamma": "gammaln"}

LINEAR = {"add", "sub", "neg", "mul", "identity"}
"""Ops of which JAX's own derivatives are those of the table."""

WITHIN = 0.6
"""Where in the interval of an op's sample the point lies that stands for inputs of which the derivative is closed."""


@cache
def jax() -> Any:
    """Return the module. Raises `MissingExtraError` where JAX is not installed."""
    return import_optional("jax", "the JAX engine")


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
        self.polygamma = _polygamma
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


class Term:
    """An array in a rule of derivatives, whose operators and functions are ops with the table's derivatives again."""

    __slots__ = ("array",)

    def __init__(self, array: Any) -> None:
        self.array = array

    def __pow__(self, exponent: Any) -> Any:
        return rule_functions().pow(self, exponent)


def _operator(op: Op, places: Sequence[int]) -> Any:
    def method(*inputs: Any) -> Term:
        return _call(op, [inputs[place] for place in places])

    return method


def _comparison(compare: Callable[[Any, Any], Any]) -> Any:
    return lambda x, y: compare(_array(x), _array(y))


for _name, _op in {"add": "add", "sub": "sub", "mul": "mul", "truediv": "div"}.items():
    setattr(Term, f"__{_name}__", _operator(TABLE[_op], (0, 1)))
    setattr(Term, f"__r{_name}__", _operator(TABLE[_op], (1, 0)))
for _name in ("lt", "le", "gt", "ge"):
    setattr(Term, f"__{_name}__", _comparison(getattr(operator, _name)))
Term.__neg__ = _operator(TABLE["neg"], (0,))  # type: ignore[attr-defined]


def _array(x: Any) -> Any:
    return x.array if isinstance(x, Term) else x


def _call(op: Op, inputs: Sequence[Any]) -> Term:
    """Return op(inputs) as a term; trailing numbers of ops with settings, as the exponent of a power, are bound."""
    bound = op.setting_count
    if bound and all(isinstance(x, (int, float)) for x in inputs[-bound:]):
        op, inputs = op.bind(*map(float, inputs[-bound:])), inputs[:-bound]
    return Term(differentiable(op)(*map(_array, inputs)))


class Undefined(Term):
    """A derivative outside its domain: nan, to every order, that depends on `x`."""

    __slots__ = ("x",)

    def __init__(self, x: Any) -> None:
        super().__init__(x * jax().numpy.nan)
        self.x = x


class _RuleFunctions:
    """The namespace of the rules of derivatives, over terms: every op of the table by its name."""

    def where(self, condition: Any, x: Any, y: Any) -> Any:
        """Return the choice, a `Walled` term if a side is closed.

        Where the other side is chosen, nan of an undefined one has the factor 0, and no nan for JAX to transpose.
        """
        chosen = _array(condition)
        if isinstance(y, Undefined):
            jnp = jax().numpy
            y = Term(jnp.where(chosen, 0.0, y.x) * jnp.where(chosen, 0.0, jnp.nan).astype(jnp.result_type(y.x)))
        walled = [Walled(_array(p.value), p.closed) if isinstance(p, Walled) else _array(p) for p in (x, y)]
        found = where(chosen, *walled)
        return Walled(Term(found.value), found.closed) if isinstance(found, Walled) else Term(found)

    def detach(self, x: Any) -> Term:
        """Return x as a constant."""
        return Term(jax().lax.stop_gradient(_array(x)))

    def undefined(self, x: Any) -> Term:
        """Return nan, to every order."""
        return Undefined(_array(x))

    def closed_at_zero(self, x: Any) -> Walled:
        """Return x, closed where it is 0."""
        return Walled(x, _array(x) == 0)

    def __getattr__(self, name: str) -> Any:
        return lambda *inputs: _call(TABLE[name], inputs)


@cache
def rule_functions() -> Any:
    """Return the namespace."""
    return _RuleFunctions()


@lru_cache(maxsize=4096)
def differentiable(op: Op, *, reached: bool = False) -> Callable[..., Any]:
    """Return op as a function of arrays of one shape whose derivatives, to every order, are those of the table.

    With `reached` the first argument is as in `with_derivatives`.
    """
    functions = array_functions()

    def value(*xs: Any) -> Any:
        jnp = jax().numpy
        shape, dtype = jnp.broadcast_shapes(*map(jnp.shape, xs)), jnp.result_type(*xs, float)
        return jnp.broadcast_to(jnp.asarray(op.value(functions, *xs, *op.settings), dtype), shape)

    def derivatives(z: Any, *xs: Any) -> list[Any]:
        found = op.differentiate(rule_functions(), Term(z), *map(Term, xs))
        return [Walled(_array(d.value), d.closed) if isinstance(d, Walled) else _array(d) for d in found]

    if op.name in LINEAR and not reached:
        return value
    return with_derivatives(value, derivatives, reached=reached, safe=partial(_safe, op))


def with_derivatives(
    value: Callable[..., Any],
    derivatives: Callable[..., Sequence[Any]],
    *,
    reached: bool,
    safe: Callable[[int], float],
    total: Callable[[Any], Any] = lambda products: products,
) -> Callable[..., Any]:
    """Return the function z = value(*xs) with the tangent Σ total(∂z/∂xᵢ · ẋᵢ), for `derivatives` (z, *xs).

    The tangent is linear in those of the inputs, and 0 where a derivative is closed. With `reached` the first argument
    says, element by element of z, whether anything open reads it. Where nothing does, the derivatives are taken at the
    inputs `safe(i)`, where they are finite, and are closed: 0 · inf would be nan when JAX transposes the tangent.
    """
    function = jax().custom_jvp((lambda _reached, *xs: value(*xs)) if reached else value)

    def tangent(primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
        jnp, output, xs = jax().numpy, function(*primals), primals[reached:]
        z, is_open = output, primals[0] if reached else None
        if reached:
            xs = [
                jnp.where(is_open if x.ndim == z.ndim else jnp.expand_dims(is_open, 1), x, safe(i)).astype(x.dtype)
                for i, x in enumerate(xs)
            ]
            z = with_derivatives(value, derivatives, reached=False, safe=safe, total=total)(*xs)
        sums = jnp.zeros_like(z)
        for derivative, t in zip(derivatives(z, *xs), tangents[reached:]):
            if not isinstance(t, jax().custom_derivatives.SymbolicZero):
                sums += total(times(derivative, t))
        return output, jnp.where(is_open, sums, 0.0) if reached else sums

    function.defjvp(tangent, symbolic_zeros=True)
    return function  # type: ignore[no-any-return]


def _safe(op: Op, place: int) -> float:
    low, high = op.sample[min(place, len(op.sample) - 1)]
    return low + WITHIN * (high - low)

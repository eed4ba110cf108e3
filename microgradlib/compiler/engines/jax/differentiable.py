"""The ops of the table as functions of JAX arrays that have the table's own derivatives, to every order."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import cache, lru_cache, partial
from typing import Any

from microgradlib.compiler.engines.jax.functions import Walled, array_functions, jax, times, where
from microgradlib.ops import TABLE, ZERO, Op

__all__ = ["differentiable", "safe_input", "with_derivatives"]

LINEAR = {"add", "sub", "neg", "mul", "identity"}
"""Ops of which JAX's own derivatives are those of the table."""

WITHIN = 0.6
"""Where in the interval of an op's sample the point lies that stands for inputs of which the derivative is closed."""


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
setattr(Term, "__neg__", _operator(TABLE["neg"], (0,)))  # noqa: B010  as those above


def _array(x: Any) -> Any:
    return x.array if isinstance(x, Term) else x


def _call(op: Op, inputs: Sequence[Any]) -> Term:
    """Return op(inputs) as a term; trailing numbers of ops with settings, as the exponent of a power, are bound."""
    bound = op.setting_count
    if bound and all(isinstance(x, (int, float)) for x in inputs[-bound:]):
        op, inputs = op.bind(*map(float, inputs[-bound:])), inputs[:-bound]
    return Term(differentiable(op)(*map(_array, inputs)))


class Undefined(Term):
    """A derivative outside its domain: nan, to every order, that depends on `x`; `defined` where not `outside`.

    Inside the domain x has the factor 0, so that there is no nan for JAX to transpose.
    """

    __slots__ = ("defined", "outside", "x")

    def __init__(self, x: Any, outside: Any = True, defined: Any = 0.0) -> None:
        jnp = jax().numpy
        nan = jnp.where(outside, jnp.nan, 0.0).astype(jnp.result_type(x, float))
        super().__init__(jnp.where(outside, jnp.where(outside, x, 0.0) * nan, defined))
        self.x, self.outside, self.defined = x, outside, defined


class _RuleFunctions:
    """The namespace of the rules of derivatives, over terms: every op of the table by its name."""

    def where(self, condition: Any, x: Any, y: Any) -> Any:
        """Return the choice, a `Walled` term if a side is closed."""
        chosen = jax().numpy.asarray(_array(condition)) != 0
        if isinstance(y, Undefined) and y.outside is True and not isinstance(x, Walled) and x is not ZERO:
            return Undefined(y.x, ~chosen, _array(x))
        if isinstance(y, Undefined) and x is ZERO:
            y = Undefined(y.x, y.outside & ~chosen, y.defined)
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
    return with_derivatives(value, derivatives, reached=reached, safe=partial(safe_input, op))


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


def safe_input(op: Op, place: int) -> float:
    """Return a number at which the derivatives of an op by its input at `place` are finite."""
    low, high = op.sample[min(place, len(op.sample) - 1)]
    return low + WITHIN * (high - low)

"""The ops of the table as functions of JAX arrays that have the table's own derivatives, to every order."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import Any

from microgradlib.compiler.engines.jax.functions import Walled, array_functions, jax, times, where
from microgradlib.compiler.slopes import rule_arguments
from microgradlib.ops import TABLE, Op

__all__ = ["differentiable", "slope_by_rule", "with_derivatives"]

LINEAR = {"add", "sub", "neg", "mul", "identity"}
"""Ops of which JAX's own derivatives are those of the table."""


class Term:
    """An array in a rule of derivatives, whose operators and functions are ops with the table's derivatives again."""

    __slots__ = ("array",)

    def __init__(self, array: Any) -> None:
        self.array = array

    def __pow__(self, exponent: Any) -> Any:
        return _rule_functions().pow(self, exponent)


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
    """Return what a rule gives as an array, a `Walled` array, or a number."""
    if isinstance(x, Walled):
        return Walled(_array(x.value), x.closed)
    return x.array if isinstance(x, Term) else x


def _call(op: Op, inputs: Sequence[Any]) -> Term:
    """Return op(inputs) as a term; trailing numbers of ops with settings, as the exponent of a power, are bound."""
    bound = op.setting_count
    if bound and all(isinstance(x, (int, float)) for x in inputs[-bound:]):
        op, inputs = op.bind(*map(float, inputs[-bound:])), inputs[:-bound]
    return Term(differentiable(op)(*map(_array, inputs)))


class _RuleFunctions:
    """The namespace of the rules of derivatives, over terms: every op of the table by its name."""

    def where(self, condition: Any, x: Any, y: Any) -> Any:
        """Return the choice, a `Walled` term if a side is closed."""
        found = where(jax().numpy.asarray(_array(condition)) != 0, _array(x), _array(y))
        return Walled(Term(found.value), found.closed) if isinstance(found, Walled) else Term(found)

    def detach(self, x: Any) -> Term:
        """Return x as a constant."""
        return Term(jax().lax.stop_gradient(_array(x)))

    def undefined(self, x: Any) -> Term:
        """Return nan, to every order."""
        return Term(_array(x) * jax().numpy.nan)

    def closed_at_zero(self, x: Any) -> Walled:
        """Return x, closed where it is 0."""
        return Walled(x, _array(x) == 0)

    def __getattr__(self, name: str) -> Any:
        return lambda *inputs: _call(TABLE[name], inputs)


@cache
def _rule_functions() -> Any:
    return _RuleFunctions()


def slope_by_rule(op: Op, wrt: int, reads: Sequence[int], read: Sequence[Any]) -> Any:
    """Return ∂op/∂(input `wrt`), perhaps `Walled`, from arrays of those of (output, *inputs) that are in `reads`."""
    arguments = rule_arguments(op, reads, list(map(Term, read)))
    return _array(op.derivatives[wrt](_rule_functions(), *arguments, *op.settings))  # type: ignore[index]


@lru_cache(maxsize=4096)
def differentiable(op: Op) -> Callable[..., Any]:
    """Return op as a function of arrays whose derivatives, to every order, are those of the table."""
    functions = array_functions()

    def value(*xs: Any) -> Any:
        jnp = jax().numpy
        shape, dtype = jnp.broadcast_shapes(*map(jnp.shape, xs)), jnp.result_type(*xs, float)
        return jnp.broadcast_to(jnp.asarray(op.value(functions, *xs, *op.settings), dtype), shape)

    def derivatives(z: Any, *xs: Any) -> list[Any]:
        return list(map(_array, op.differentiate(_rule_functions(), Term(z), *map(Term, xs))))

    return value if op.name in LINEAR else with_derivatives(value, derivatives)


def with_derivatives(
    value: Callable[..., Any],
    derivatives: Callable[..., Sequence[Any]],
    total: Callable[[Any], Any] = lambda products: products,
) -> Callable[..., Any]:
    """Return the function z = value(*xs) with the tangent Σ total(∂z/∂xᵢ · ẋᵢ), for `derivatives` (z, *xs).

    The tangent is linear in those of the inputs, and 0 where a derivative is closed.
    """
    function = jax().custom_jvp(value)

    def tangent(xs: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
        z = function(*xs)
        sums = jax().numpy.zeros_like(z)
        for derivative, t in zip(derivatives(z, *xs), tangents):
            if not isinstance(t, jax().custom_derivatives.SymbolicZero):
                sums += total(times(derivative, t))
        return z, sums

    function.defjvp(tangent, symbolic_zeros=True)
    return function  # type: ignore[no-any-return]

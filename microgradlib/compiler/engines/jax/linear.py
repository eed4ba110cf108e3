"""Linear maps of JAX arrays whose transpose is stated: JAX's own would multiply the 0 of closed branches by inf."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from microgradlib._support.optional import import_optional
from microgradlib.compiler.engines.jax.functions import jax

__all__ = ["LinearMap", "along"]

Arrays = Sequence[Any]


@dataclass(frozen=True, eq=False)
class LinearMap:
    """u ↦ A(c) u, called while JAX traces with a list of arrays c, the constants, and another u.

    JAX differentiates it, transposes it, and maps it over a further axis. Its derivative by the constants with the
    numbers `wrt` is `slope(wrt)`, a linear map with the constants (*c, *u); where that is None, it is JAX's.
    """

    forward: Callable[[Arrays, Arrays], Arrays]
    shapes: Callable[[Arrays, Arrays], Arrays]
    """Of the results, from the shapes of c and u."""
    transpose: Callable[[], LinearMap]
    slope: Callable[[tuple[int, ...]], LinearMap] | None = None
    mapped: tuple[LinearMap, tuple[int | None, ...], int] | None = None
    """What is mapped over a further axis, which u and the results have first: which constants have it, and its size."""

    def __call__(self, constants: Arrays, given: Arrays) -> list[Any]:
        """Return A(c) u, a list."""
        return list(_primitive().bind(*constants, *given, linear=self, count=len(constants)))


def along(function: Callable[[Arrays], Any], at: Arrays, wrt: Sequence[int], tangents: Arrays) -> Any:
    """Return the derivative of a function of a list of arrays along tangents of those with the numbers `wrt`."""

    def moved(*chosen: Any) -> Any:
        arrays = dict(zip(wrt, chosen))
        return function([arrays.get(place, array) for place, array in enumerate(at)])

    return jax().jvp(moved, [at[place] for place in wrt], list(tangents))[1]


def _mapped(linear: LinearMap, axes: tuple[int | None, ...], size: int) -> LinearMap:
    def shapes(constants: Arrays, given: Arrays) -> Arrays:
        own = [shape if axis is None else shape[1:] for axis, shape in zip(axes, constants)]
        return [(size, *shape) for shape in linear.shapes(own, [shape[1:] for shape in given])]

    return LinearMap(
        lambda c, u: jax().vmap(linear.forward, (list(axes), 0))(list(c), list(u)),
        shapes,
        lambda: _mapped(linear.transpose(), axes, size),
        mapped=(linear, axes, size),
    )


def _slope(linear: LinearMap, wrt: tuple[int, ...], width: int) -> LinearMap | None:
    """Return the derivative by constants, for a u of `width` arrays."""
    if linear.mapped is None:
        return linear.slope and linear.slope(wrt)
    inner, axes, size = linear.mapped
    slope = _slope(inner, wrt, width)
    return slope and _mapped(slope, (*axes, *[0] * width), size)


def _spread(linear: LinearMap, wrt: tuple[int, ...], tangents: Arrays) -> Arrays:
    """Return tangents of the constants `wrt` as the derivative by them takes them, over all further axes."""
    if linear.mapped is None:
        return tangents
    inner, axes, size = linear.mapped
    tangents = [t if axes[k] == 0 else jax().numpy.broadcast_to(t, (size, *t.shape)) for k, t in zip(wrt, tangents)]
    return jax().vmap(lambda own: _spread(inner, wrt, own))(tangents)  # type: ignore[no-any-return]


@cache
def _primitive() -> Any:
    modules = "extend.core", "interpreters.ad", "interpreters.batching", "interpreters.mlir"
    core, ad, batching, mlir = [import_optional(f"jax.{module}", "the JAX engine") for module in modules]

    def run(*arrays: Any, linear: LinearMap, count: int) -> list[Any]:
        return list(linear.forward(arrays[:count], arrays[count:]))

    def results(*arrays: Any, linear: LinearMap, count: int) -> list[Any]:
        shapes = [array.shape for array in arrays]
        found = linear.shapes(shapes[:count], shapes[count:])
        return [arrays[count].update(shape=tuple(shape), weak_type=False) for shape in found]

    def jvp(primals: Arrays, tangents: Arrays, *, linear: LinearMap, count: int) -> tuple[Arrays, Arrays]:
        constants, given = primals[:count], primals[count:]
        wrt = tuple([k for k, t in enumerate(tangents[:count]) if not isinstance(t, ad.Zero)])
        moved, parts = [tangents[k] for k in wrt], []
        if not all(isinstance(t, ad.Zero) for t in tangents[count:]):
            parts.append(linear(constants, list(map(ad.instantiate_zeros, tangents[count:]))))
        if wrt and (slope := _slope(linear, wrt, len(given))):
            parts.append(slope(primals, _spread(linear, wrt, moved)))
        elif wrt:
            parts.append(along(lambda c: list(linear.forward(c, given)), constants, wrt, moved))
        return linear(constants, given), [sum(terms[1:], terms[0]) for terms in zip(*parts)]

    def transpose(cotangents: Arrays, *arrays: Any, linear: LinearMap, count: int) -> Arrays:
        found = linear.transpose()(arrays[:count], list(map(ad.instantiate_zeros, cotangents)))
        return [*[None] * count, *found]

    def batch(arrays: Arrays, dims: Sequence[Any], *, linear: LinearMap, count: int) -> tuple[Arrays, Sequence[int]]:
        size = next(array.shape[axis] for array, axis in zip(arrays, dims) if axis is not None)
        axes, jnp = tuple([None if axis is None else 0 for axis in dims[:count]]), jax().numpy
        moved = [a if axis is None else jnp.moveaxis(a, axis, 0) for a, axis in zip(arrays, dims)]
        for k, axis in enumerate(dims[count:], count):
            moved[k] = jnp.broadcast_to(moved[k], (size, *moved[k].shape)) if axis is None else moved[k]
        found = _mapped(linear, axes, size)(moved[:count], moved[count:])
        return found, [0] * len(found)

    primitive: Any = core.Primitive("linear_map")
    primitive.multiple_results = True
    primitive.def_impl(jax().jit(run, static_argnames=("linear", "count")))
    primitive.def_abstract_eval(results)
    ad.primitive_jvps[primitive] = jvp
    ad.primitive_transposes[primitive] = transpose
    batching.primitive_batchers[primitive] = batch
    mlir.register_lowering(primitive, mlir.lower_fun(run, multiple_results=True))
    return primitive

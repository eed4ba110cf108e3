"""A compiled function as a pure function of JAX, for jit, grad, jvp, vmap and hessian, with the table's derivatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from microgradlib.compiler.engines.jax.blocks import Blocks
from microgradlib.compiler.engines.jax.functions import jax
from microgradlib.compiler.engines.jax.linear import LinearMap, along
from microgradlib.compiler.instructions import ProgramData
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.reverse import reverse

__all__ = ["pure_function"]

FEWEST = 2
"""So many blocks or fewer do not pay: in two loops XLA does not see what value and gradient have in common."""

Arrays = Sequence[Any]
Places = tuple[int, ...]


def pure_function(fast: Any, *, per_example: bool) -> Callable[..., Any]:
    """Return the function (parameters, *data) → value; see `Batched.as_function`."""
    made: dict[int, Any] = {}

    def function(parameters: Any, *data: Any) -> Any:
        jnp = jax().numpy
        arrays = [jnp.asarray(argument) for argument in data]
        batches = {array.shape[:1] for array in arrays}
        if len(batches) != 1 or batches in ({()}, {(0,)}):
            message = f"each argument is an array whose first axis is the batch, got shapes {[a.shape for a in arrays]}"
            raise ValueError(message)
        parameters = jnp.asarray(parameters)
        listed = fast._parameters.listed
        if parameters.shape != (len(listed),):
            message = f"there are {len(listed)} parameters, got an array of shape {parameters.shape}"
            raise ValueError(message)
        ready = fast._for(tuple([array.shape[1:] for array in arrays]))
        program, dtype = ready.engine.program, jnp.result_type(parameters, float)
        if not per_example and len(program.outputs) != 1:
            message = f"the function returns {len(program.outputs)} numbers, which have no mean: give per_example=True"
            raise ValueError(message)
        position = {parameter: i for i, parameter in enumerate(listed)}
        places = [position[p] for p in fast._parameters.distinct]
        own = parameters if places == list(range(len(listed))) else parameters[numpy().array(places, int)]
        numbers = jnp.concatenate([own, jnp.array([value._float for value in ready.captured], dtype)]).astype(dtype)
        if id(program) not in made:
            made[id(program)] = jax().jit(DifferentiableProgram(program, per_example=per_example))
        run = made[id(program)]
        values = run(numbers, *[array.reshape(len(array), -1).astype(dtype) for array in arrays])
        return ready.engine.shaped(values.T) if per_example else values[0].mean()

    return function


class DifferentiableProgram:
    """A forward program as a function of arrays c = (parameters, *columns) that JAX differentiates, to every order.

    Its derivatives are linear maps that are each other's transposes, so that JAX transposes no step of a program: of
    v(c), u ↦ J u is computed forward, w ↦ g = Jᵀ w by the joint program; of g(c, w), u ↦ (∂g/∂c) u is computed forward
    too, and is its own transpose, as second derivatives are symmetric. Those above the second order are JAX's.
    """

    def __init__(self, program: ProgramData, *, per_example: bool) -> None:
        self.program, self.per_example, self.forward = program, per_example, Blocks(program, fewest=FEWEST)
        self._joint: Blocks | None = None
        self.outputs = len(program.outputs)
        self._call = jax().custom_jvp(lambda *c: self.values(c))
        self._call.defjvp(self._tangent, symbolic_zeros=True)

    def __call__(self, *c: Any) -> Any:
        """Return the outputs, (outputs, batch)."""
        return self._call(*c)

    def values(self, c: Arrays) -> Any:
        """Return the outputs by steps whose derivatives forward are those of the table."""
        return self.forward(c[0], c[1:])[0]

    def gradients(self, c: Arrays, w: Any) -> list[Any]:
        """Return the derivatives of Σ w · outputs by each of the arrays, likewise."""
        if self._joint is None:
            self._joint = Blocks(reverse(self.program, wrt="both"), are_closed=self.per_example, fewest=FEWEST)
        jnp, np, order = jax().numpy, numpy(), self._joint.program
        seeds = jnp.where(w == 0, -0.0, w) if self.per_example else w
        _, (numbers, inputs) = self._joint(c[0], c[1:], [seeds])
        numbers, rows = numbers[np.argsort(order.parameter_order)], inputs[np.argsort(order.input_order)].T
        ends = np.cumsum([column.shape[1] for column in c[1:]])[:-1]
        return [numbers, *jnp.split(rows, ends, 1)]

    def _tangent(self, c: Arrays, tangents: Arrays) -> tuple[Any, Any]:
        zero = jax().custom_derivatives.SymbolicZero
        wrt = tuple([k for k, t in enumerate(tangents) if not isinstance(t, zero)])
        return self._call(*c), self.jacobian(wrt)(c, [tangents[k] for k in wrt])[0]

    def jacobian(self, wrt: Places) -> LinearMap:
        """Return u ↦ J u, by the arrays `wrt`."""
        return LinearMap(
            lambda c, u: [along(self.values, c, wrt, u)],
            lambda c, _: [(self.outputs, c[1][0])],
            lambda: self.gradient(wrt),
            lambda by: self.curvature(wrt, by),
        )

    def gradient(self, wrt: Places) -> LinearMap:
        """Return w ↦ Jᵀ w = g, for the arrays `wrt`."""
        return LinearMap(
            lambda c, w: _chosen(self.gradients(c, w[0]), wrt),
            lambda c, _: _chosen(c, wrt),
            lambda: self.jacobian(wrt),
            lambda by: self.second(wrt, by),
        )

    def second(self, of: Places, by: Places) -> LinearMap:
        """Return d ↦ (∂g/∂c) d, those g of the arrays `of`, by those of `by`."""
        return LinearMap(
            lambda cw, d: along(lambda c: _chosen(self.gradients(c, cw[-1]), of), cw[:-1], by, d),
            lambda cw, _: _chosen(cw, of),
            lambda: self.second(by, of),
        )

    def curvature(self, wrt: Places, by: Places) -> LinearMap:
        """Return d ↦ (∂(J u)/∂c) d, by the arrays `by`, with the transpose w ↦ (∂g/∂c) u."""
        count = -len(wrt)
        forward = LinearMap(
            lambda cu, d: [along(lambda c: along(self.values, c, wrt, cu[count:]), cu[:count], by, d)],
            lambda cu, _: [(self.outputs, cu[1][0])],
            lambda: transpose,
        )
        transpose = LinearMap(
            lambda cu, w: along(lambda c: _chosen(self.gradients(c, w[0]), by), cu[:count], wrt, cu[count:]),
            lambda cu, _: _chosen(cu, by),
            lambda: forward,
        )
        return forward


def _chosen(arrays: Arrays, places: Places) -> list[Any]:
    return [arrays[place] for place in places]

"""A compiled function as a pure function of JAX, for jit, grad, jvp, vmap and hessian, with the table's derivatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from microgradlib.compiler.engines.jax.differentiable import differentiable, safe_input, with_derivatives
from microgradlib.compiler.engines.jax.evaluation import Evaluation, Step
from microgradlib.compiler.engines.jax.functions import (
    Walled,
    array_functions,
    jax,
)
from microgradlib.compiler.engines.jax.steps import LINEAR_REDUCTIONS, computed, product, reduce_slopes, reduce_value
from microgradlib.compiler.instructions import ProgramData
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.ops import ZERO

__all__ = ["pure_function"]


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
        own = parameters[numpy().array([position[p] for p in fast._parameters.distinct], int)]
        numbers = jnp.concatenate([own, jnp.array([value._data for value in ready.captured], dtype)]).astype(dtype)
        if id(program) not in made:
            made[id(program)] = jax().jit(DifferentiableProgram(program).__call__)
        run = made[id(program)]
        values = run(numbers, [array.reshape(len(array), -1).astype(dtype) for array in arrays])
        return ready.engine.shaped(values.T) if per_example else values[0].mean()

    return function


class DifferentiableProgram:
    """A forward program as a function of (parameters, columns) that JAX differentiates, to every order.

    A first pass finds the closed branches, and with them what reaches the outputs: the derivatives of what does not are
    replaced before they are multiplied, as 0 · inf would be nan. It is left out for programs without such branches.
    """

    def __init__(self, program: ProgramData) -> None:
        self.program, self.evaluation = program, Evaluation(program)

    def __call__(self, parameters: Any, columns: Sequence[Any]) -> Any:
        """Return the outputs, (outputs, batch)."""
        reached = self._reached(*jax().lax.stop_gradient((parameters, columns)))
        return self.evaluation(partial(_differentiable_step, reached), parameters, columns)[0]

    def _reached(self, parameters: Any, columns: Sequence[Any]) -> dict[int, Any]:
        """Say whether an output depends on a result through open branches, for each of the steps where it may not.

        It is the gradient of the outputs of a linear program: each step adds up those inputs that are not closed.
        """
        jnp, results, walls = jax().numpy, dict[int, Any](), dict[int, list[Any]]()

        def watched(step: Step, arrays: list[Any]) -> Any:
            found = results[id(step)] = computed()(step, arrays)
            walls[id(step)] = _walls(step, found, arrays)
            return found

        self.evaluation(watched, parameters, columns)
        uncertain = _uncertain(self.program, self.evaluation.steps, walls)
        if not uncertain:
            return {}

        def outputs(probes: dict[int, Any]) -> Any:
            def linear(step: Step, arrays: list[Any]) -> Any:
                return _sum_of_open(step, walls[id(step)], arrays) + probes.get(id(step), 0.0)

            return self.evaluation(linear, *zeros)[0].sum()

        zeros = jnp.zeros(parameters.shape, jnp.float32), [jnp.zeros(c.shape, jnp.float32) for c in columns]
        probes = {
            name: jnp.zeros(jnp.shape(found), jnp.float32) for name, found in results.items() if name in uncertain
        }
        return {name: paths > 0 for name, paths in jax().grad(outputs)(probes).items()}


def _walls(step: Step, z: Any, arrays: Sequence[Any]) -> list[Any]:
    """Return where the derivative by each operand is closed: False, True, or an array."""
    op, kind = step.instruction.op, step.instruction.kind
    if kind == "matmul" or op.name in LINEAR_REDUCTIONS:
        return [False] * len(arrays)
    derivatives = reduce_slopes(op, z, *arrays) if kind == "reduce" else op.differentiate(array_functions(), z, *arrays)
    return [d.closed if isinstance(d, Walled) else d is ZERO for d in derivatives]


def _uncertain(program: ProgramData, steps: Sequence[Step], walls: dict[int, list[Any]]) -> set[int]:
    """Return the steps of which not every result is sure to reach an output, without passing any wall."""
    np = numpy()
    sure = [np.zeros(size + 1, bool) for size in program.sizes]
    for output in program.outputs:
        sure[output.space][output.slots] = True
    found = set[int]()
    for step in reversed(steps):
        i = step.instruction
        results = sure[i.space][i.results.slots]
        if not results.all():
            found.add(id(step))
        count, rows, _, columns = i.shape
        grid = results.reshape(count, rows, columns) if i.kind == "matmul" else results[:, None]
        passed = [grid.any(2)[:, :, None], grid.any(1)[:, None]] if i.kind == "matmul" else [grid] * len(i.operands)
        for operand, shape, wall, reached in zip(i.operands, step.shapes, walls[id(step)], passed):
            if wall is False:
                places = np.broadcast_to(reached if len(shape) > 1 else reached[:, 0], shape).ravel()
                sure[operand.space][operand.slots[places]] = True
    return found


def _sum_of_open(step: Step, walls: Sequence[Any], arrays: Sequence[Any]) -> Any:
    if step.instruction.kind == "matmul":
        w, x = arrays
        return w.sum(2)[:, :, None] + x.sum(1)[:, None]
    parts = [jax().numpy.where(wall, 0.0, x) for wall, x in zip(walls, arrays)]
    total = sum(parts[1:], parts[0])
    return total.sum(1) if step.instruction.kind == "reduce" else total


def _differentiable_step(reached: dict[int, Any], step: Step, arrays: Sequence[Any]) -> Any:
    """Compute a step by functions with the table's derivatives, closed where no output is reached."""
    op, kind = step.instruction.op, step.instruction.kind
    masks = [reached[id(step)]] if id(step) in reached else []
    if kind == "elementwise":
        return differentiable(op, reached=bool(masks))(*masks, *arrays)
    if kind == "matmul":
        return _product(step)(*masks, *arrays) if masks else product(step, *arrays)
    if op.name in LINEAR_REDUCTIONS and not masks:
        return reduce_value(step, arrays)
    value = lambda *xs: reduce_value(step, xs)  # noqa: E731  one line is easier to read here
    slopes = partial(_linear_slopes, step) if op.name in LINEAR_REDUCTIONS else partial(reduce_slopes, op)
    function = with_derivatives(
        value, slopes, reached=bool(masks), safe=partial(safe_input, op), total=lambda products: products.sum(1)
    )
    return function(*masks, *arrays)


def _linear_slopes(step: Step, _z: Any, *arrays: Any) -> tuple[Any, ...]:
    if len(arrays) == 2:
        return arrays[::-1]
    jnp, (x,) = jax().numpy, arrays
    if step.instruction.op.name != "mean":
        return (jnp.ones_like(x),)
    counts = numpy().asarray(step.counts if step.counts is not None else step.instruction.terms)
    return (jnp.broadcast_to((1 / counts).reshape(-1, 1, 1), x.shape).astype(x.dtype),)


def _product(step: Step) -> Any:
    """Return W X as a function of (reached, W, X): rows of W and columns of X that nothing reads count as 0."""

    def tangent(primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
        jnp, (reached, w, x), (_, dw, dx) = jax().numpy, primals, tangents
        z = function(*primals)
        total, zero = jnp.zeros_like(z), jax().custom_derivatives.SymbolicZero
        if not isinstance(dw, zero):
            total += product(step, dw, jnp.where(reached.any(1)[:, None], x, 0.0))
        if not isinstance(dx, zero):
            rows = reached.any(2)[:, :, None]
            total += product(step, jnp.where(rows if w.shape[-1] > 1 else rows.any(-1, keepdims=True), w, 0.0), dx)
        return z, jnp.where(reached, total, 0.0)

    function = jax().custom_jvp(lambda _reached, w, x: product(step, w, x))
    function.defjvp(tangent, symbolic_zeros=True)
    return function

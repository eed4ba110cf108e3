"""jax_loss: a compiled loss, on any engine, as a function that JAX differentiates, also inside `jax.jit`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from microgradlib._support.optional import import_optional
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.interop.mean_loss import MeanLoss

if TYPE_CHECKING:
    from microgradlib.compiler.batched import Batched

__all__ = ["jax_loss"]


def jax_loss(fast: Batched) -> Callable[..., Any]:
    """Return a function (parameters, *data) of JAX's arrays: the mean of a compiled loss over a batch.

    `parameters` is a flat array in the order of the compiled parameters, `data` are the arguments of `fast`. The result
    is an array without axes of the parameters' dtype, float32 too; it is computed in the precision of `fast`, by its
    engine, which `jax.pure_callback` calls on the host. `jax.grad` by the parameters and by floating data is that of
    `fast`, and so is `jax.jacrev(jax.grad(loss))`, the Hessian by the parameters; `jax.jit`, `vmap` and optax work.
    `fast` keeps the parameters that it has.

        loss = jax_loss(compile(lambda x, y: cross_entropy(model(x), y), model.parameters()))
        step = jax.jit(jax.value_and_grad(loss))
        value, gradient = step(jnp.array([p.data for p in model.parameters()]), X, y)

    Every call leaves JAX's program and enters it again. Where the loss is to be part of that program, on an accelerator
    too, use `compile(…, backend="jax")` and its `as_function("jax")`, which is JAX's own code.

    Raises `MissingExtraError` without JAX, `TypeError` for what is no compiled loss and, by JAX, for forward mode
    (`jax.jvp`, `jax.hessian`), `ValueError` for a loss compiled for the JAX engine, for which a callback would wait for
    ever, for parameters that are no flat array of floats, one for each parameter, and, by JAX, for third derivatives,
    `NotImplementedError` for derivatives of the gradient by the data. What else `fast.value_and_grad` raises comes out
    of JAX as `jax.errors.JaxRuntimeError`.
    """
    loss, jax = MeanLoss(fast), import_optional("jax", "jax_loss")
    if getattr(fast, "backend", "numpy") == "jax":
        raise ValueError('the loss is compiled for JAX itself: use fast.as_function("jax"), or another backend')
    mean_and_gradient, by_data = _differentiable(jax, loss)

    @jax.custom_vjp  # type: ignore[untyped-decorator]
    def mean(parameters: Any, *data: Any) -> Any:
        return mean_and_gradient(parameters, *data)[0]

    def forward(*primals: Any) -> Any:
        parameters, *data = [primal.value for primal in primals]
        value, gradient = mean_and_gradient(parameters, *data)
        is_wanted = [primal.perturbed for primal in primals[1:]]
        found = by_data(parameters, *data) if any(is_wanted) else [None] * len(data)
        return value, (gradient, *[slope if wanted else None for slope, wanted in zip(found, is_wanted)])

    def backward(slopes: Any, seed: Any) -> Any:
        return tuple([None if slope is None else (seed * slope).astype(slope.dtype) for slope in slopes])

    mean.defvjp(forward, backward, symbolic_zeros=True)

    def checked(parameters: Any, *data: Any) -> Any:
        parameters, *arrays = map(jax.numpy.asarray, (parameters, *data))
        if parameters.shape != (loss.count,) or not jax.numpy.issubdtype(parameters.dtype, jax.numpy.floating):
            given = f"{parameters.dtype} of shape {parameters.shape}"
            message = f"the parameters are one flat array of {loss.count} floats, got {given}"
            raise ValueError(message)
        return mean(parameters, *arrays)

    return checked


def _differentiable(jax: Any, loss: MeanLoss) -> tuple[Any, Any]:
    """Return the functions (parameters, *data) → (mean, gradient), whose derivative is the Hessian, → by_data."""

    def on_host(results: Any, function: Callable[..., Any], *arrays: Any) -> Any:
        """Return function(*arrays), computed outside of JAX: arrays of the shapes and dtypes of `results`."""

        def computed(*given: Any) -> Any:
            found = function(*map(numpy().asarray, given))
            return jax.tree.map(lambda result, x: numpy().asarray(x, result.dtype), results, found)

        return jax.pure_callback(computed, results, *arrays, vmap_method="sequential")

    def like(x: Any) -> Any:
        return jax.ShapeDtypeStruct(x.shape, x.dtype)

    @jax.custom_vjp  # type: ignore[untyped-decorator]
    def mean_and_gradient(parameters: Any, *data: Any) -> Any:
        results = jax.ShapeDtypeStruct((), parameters.dtype), like(parameters)
        return on_host(results, lambda p, *xs: loss.value_and_grad(p, xs), parameters, *data)

    def forward(*primals: Any) -> Any:
        if any(primal.perturbed for primal in primals[1:]):
            raise NotImplementedError(
                "a gradient is differentiated by the parameters alone, not by the data: write what is to be "
                "differentiated into the compiled loss"
            )
        inputs = [primal.value for primal in primals]
        return mean_and_gradient(*inputs), inputs

    def backward(inputs: Any, seeds: Any) -> Any:
        (parameters, *data), (_, vector) = inputs, seeds
        product = on_host(like(parameters), lambda p, v, *xs: loss.hvp(p, xs, v), parameters, vector, *data)
        return product, *[None] * len(data)

    mean_and_gradient.defvjp(forward, backward, symbolic_zeros=True)

    def by_data(parameters: Any, *data: Any) -> Any:
        kept = [x if jax.numpy.issubdtype(x.dtype, jax.numpy.floating) else parameters for x in data]
        results = [jax.ShapeDtypeStruct(x.shape, k.dtype) for x, k in zip(data, kept)]
        return on_host(results, lambda p, *xs: loss.data_gradients(p, xs), parameters, *data)

    return mean_and_gradient, by_data

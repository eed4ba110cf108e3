"""MLP(2, [16, 16, 1]) with hinge loss: ours, and by hand for NumPy, JAX, PyTorch, CasADi and Dr.Jit."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

# Peers and neighbouring files are imported where they are used: a peer may be absent, pytest reads this file too.
# ruff: noqa: PLC0415

UNITS = 16


def comparison(batch: int, dtype: str = "float64") -> Any:
    """Return the comparison on so many points."""
    from comparison import Comparison

    from microgradlib.nn import MLP

    draw = np.random.default_rng(0)
    points, labels = draw.normal(size=(batch, 2)).astype(dtype), draw.choice([-1.0, 1.0], batch).astype(dtype)
    model = MLP(2, [UNITS, UNITS, 1], rng=0)
    neurons = [layer.neurons for layer in model.layers]
    rivals = {
        "numpy, batch first": numpy_batch_first,
        "numpy, features first": numpy_features_first,
        "jax, batch first": partial(jax_rival, features_first=False),
        "jax, features first": partial(jax_rival, features_first=True),
        "torch, batch first": partial(torch_rival, features_first=False),
        "torch, features first": partial(torch_rival, features_first=True),
        "casadi, a gradient for each point": partial(casadi_rival, summed=False),
        "casadi, summed in the map": partial(casadi_rival, summed=True),
        "casadi, its C code compiled": partial(casadi_rival, summed=True, in_c=True),
        "drjit": partial(drjit_rival, frozen=False),
        "drjit, frozen": partial(drjit_rival, frozen=True),
    }
    return Comparison(
        name=f"mlp-{batch}",
        title=f"MLP(2, [16, 16, 1]), hinge loss, {batch} points",
        loss=lambda x, y: (1 - y * model(x)).relu(),
        parameters=model.parameters(),
        weights=[part for layer in neurons for part in ([n.w for n in layer], [n.b for n in layer])],
        data=(points, labels),
        rivals={name: partial(make, points, labels) for name, make in rivals.items()},
        dtype=dtype,
    )


def numpy_batch_first(x: Any, y: Any, arrays: list[Any]) -> Any:
    """One row for each point."""
    w1, b1, w2, b2, w3, b3 = arrays
    y, n = y[:, None], len(y)

    def step() -> tuple[Any, Any]:
        h1 = x @ w1.T
        h1 += b1
        np.maximum(h1, 0.0, out=h1)
        h2 = h1 @ w2.T
        h2 += b2
        np.maximum(h2, 0.0, out=h2)
        margins = 1.0 - y * (h2 @ w3.T + b3)
        loss = np.maximum(margins, 0.0).sum() / n
        d3 = (margins > 0.0) * y
        d3 /= -n
        d2 = d3 @ w3
        d2 *= h2 > 0.0
        d1 = d2 @ w2
        d1 *= h1 > 0.0
        return loss, [d1.T @ x, d1.sum(0), d2.T @ h1, d2.sum(0), d3.T @ h2, d3.sum(0)]

    return step


def numpy_features_first(x: Any, y: Any, arrays: list[Any]) -> Any:
    """One column for each point."""
    w1, b1, w2, b2, w3, b3 = arrays
    b1, b2, b3, x, n = b1[:, None], b2[:, None], b3[:, None], np.ascontiguousarray(x.T), len(y)

    def step() -> tuple[Any, Any]:
        h1 = w1 @ x
        h1 += b1
        np.maximum(h1, 0.0, out=h1)
        h2 = w2 @ h1
        h2 += b2
        np.maximum(h2, 0.0, out=h2)
        margins = 1.0 - y * (w3 @ h2 + b3)
        loss = np.maximum(margins, 0.0).sum() / n
        d3 = (margins > 0.0) * y
        d3 /= -n
        d2 = w3.T @ d3
        d2 *= h2 > 0.0
        d1 = w2.T @ d2
        d1 *= h1 > 0.0
        return loss, [d1 @ x.T, d1.sum(1), d2 @ h1.T, d2.sum(1), d3 @ h2.T, d3.sum(1)]

    return step


def jax_rival(x: Any, y: Any, arrays: list[Any], *, features_first: bool) -> Any:
    """Compiled by XLA."""
    import jax.numpy as jnp
    from comparison import jax_step

    def rows(parameters: Any, x: Any, y: Any) -> Any:
        w1, b1, w2, b2, w3, b3 = parameters
        h = jnp.maximum(x @ w1.T + b1, 0.0)
        h = jnp.maximum(h @ w2.T + b2, 0.0)
        scores = (h @ w3.T + b3)[:, 0]
        return jnp.maximum(0.0, 1.0 - y * scores).mean()

    def columns(parameters: Any, x: Any, y: Any) -> Any:
        w1, b1, w2, b2, w3, b3 = parameters
        h = jnp.maximum(w1 @ x + b1[:, None], 0.0)
        h = jnp.maximum(w2 @ h + b2[:, None], 0.0)
        return jnp.maximum(0.0, 1.0 - y * (w3 @ h + b3)).mean()

    if features_first:
        return jax_step(columns, arrays, np.ascontiguousarray(x.T), y)
    return jax_step(rows, arrays, x, y)


def torch_rival(x: Any, y: Any, arrays: list[Any], *, features_first: bool) -> Any:
    """Eager tensors."""
    import torch
    from comparison import torch_step
    from torch.nn.functional import linear

    def rows(tensors: Any, x: Any, y: Any) -> Any:
        w1, b1, w2, b2, w3, b3 = tensors
        h = linear(x, w1, b1).relu()
        h = linear(h, w2, b2).relu()
        scores = linear(h, w3, b3)[:, 0]
        return (1.0 - y * scores).relu().mean()

    def columns(tensors: Any, x: Any, y: Any) -> Any:
        w1, b1, w2, b2, w3, b3 = tensors
        h = torch.addmm(b1[:, None], w1, x).relu()
        h = torch.addmm(b2[:, None], w2, h).relu()
        return (1.0 - y * torch.addmm(b3[:, None], w3, h)).relu().mean()

    if features_first:
        return torch_step(columns, arrays, np.ascontiguousarray(x.T), y)
    return torch_step(rows, arrays, x, y)


def casadi_rival(x: Any, y: Any, arrays: list[Any], *, summed: bool, in_c: bool = False) -> Any:
    """A function of one point with its gradient, mapped over the points; the map sums, or NumPy does.

    CasADi's own virtual machine runs it, or (`in_c`) the C code that it writes, compiled by gcc.
    """
    import casadi
    from comparison import NotMeasuredError

    if x.dtype != np.float64:
        raise NotMeasuredError("its numbers are float64")
    n, flat = len(y), np.concatenate([array.ravel() for array in arrays])
    ends = np.cumsum([array.size for array in arrays])
    point, label, parameters = casadi.SX.sym("x", 2), casadi.SX.sym("y"), casadi.SX.sym("p", len(flat))
    shapes = [array.shape if array.ndim == 2 else (len(array), 1) for array in arrays]
    # CasADi's arrays lie column by column
    parts = zip(casadi.vertsplit(parameters, [0, *map(int, ends)]), shapes, strict=True)
    w1, b1, w2, b2, w3, b3 = (casadi.reshape(part, columns, rows).T for part, (rows, columns) in parts)
    h = casadi.fmax(w1 @ point + b1, 0)
    h = casadi.fmax(w2 @ h + b2, 0)
    loss = casadi.fmax(0, 1 - label * (w3 @ h + b3))
    one = casadi.Function("one", [point, label, parameters], [loss, casadi.gradient(loss, parameters)])
    every = one.map("every", "serial", n, [2], [0, 1] if summed else [])
    if in_c:
        every = compiled_by_gcc(every)
    columns, row = casadi.DM(x.T), casadi.DM(y[None])

    def step() -> tuple[Any, Any]:
        value, gradient = every(columns, row, flat)
        value, gradient = np.asarray(value).sum() / n, np.asarray(gradient).sum(1) / n
        return value, [part.reshape(a.shape) for part, a in zip(np.split(gradient, ends[:-1]), arrays)]

    return step


def compiled_by_gcc(function: Any) -> Any:
    """A function of CasADi's as the machine code of its C code."""
    import shutil
    import subprocess
    import tempfile
    from pathlib import Path

    import casadi
    from comparison import NotMeasuredError

    gcc = shutil.which("gcc")
    if gcc is None:
        raise NotMeasuredError("there is no gcc")
    folder = Path(tempfile.mkdtemp())  # the library is read from there as long as the process runs
    source, library = folder / "every.c", folder / "every.so"
    # CasADi writes into the present folder, under the name it is given
    generator = casadi.CodeGenerator("every.c")
    generator.add(function)
    source.write_text(generator.dump(), encoding="utf-8")
    options = ["-O3", "-march=native", "-ffast-math", "-fPIC", "-shared"]
    subprocess.run([gcc, *options, source, "-o", library], check=True)
    return casadi.external("every", str(library))


def drjit_rival(x: Any, y: Any, arrays: list[Any], *, frozen: bool) -> Any:
    """One thread of Dr.Jit's for each point, which gathers the weights; traced at each step, or frozen.

    With LLVM 15, `drjit.maximum` has no code on this backend: a `select` is as fast.
    """
    import drjit as dr
    from comparison import NotMeasuredError

    if not dr.has_backend(dr.JitBackend.LLVM):
        raise NotMeasuredError("it finds no LLVM: name its library in DRJIT_LIBLLVM_PATH")
    from drjit.llvm import ad

    dr.set_thread_count(1)
    number, integer = (ad.Float64 if x.dtype == np.float64 else ad.Float), ad.UInt
    x1, x2, labels = number(x[:, 0]), number(x[:, 1]), number(y)
    ends = np.cumsum([array.size for array in arrays])
    flat = number(np.concatenate([array.ravel() for array in arrays]))

    def relu(z: Any) -> Any:
        return dr.select(z > 0, z, 0)

    def loss(parameters: Any, x1: Any, x2: Any, labels: Any) -> Any:
        count = iter(range(int(ends[-1])))
        h = [x1, x2]
        for size in (UNITS, UNITS, 1):
            weights = [[dr.gather(number, parameters, integer(next(count))) for _ in h] for _ in range(size)]
            z = [dr.gather(number, parameters, integer(next(count))) for _ in range(size)]
            for column, entry in zip(zip(*weights), h):
                z = [dr.fma(weight, entry, total) for weight, total in zip(column, z)]
            h = list(map(relu, z)) if size > 1 else z
        return dr.mean(relu(1 - labels * h[0]))

    def gradient(parameters: Any, x1: Any, x2: Any, labels: Any) -> tuple[Any, Any]:
        dr.enable_grad(parameters)
        value = loss(parameters, x1, x2, labels)
        dr.backward(value)
        return dr.detach(value), dr.grad(parameters)

    run = dr.freeze(gradient) if frozen else gradient

    def step() -> tuple[Any, Any]:
        value, slopes = run(number(flat), x1, x2, labels)
        dr.eval(value, slopes)
        parts = np.split(slopes.numpy(), ends[:-1])
        return value.numpy()[0], [part.reshape(array.shape) for part, array in zip(parts, arrays)]

    return step

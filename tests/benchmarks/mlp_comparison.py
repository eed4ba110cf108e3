"""MLP(2, [16, 16, 1]) with hinge loss: ours, and by hand for NumPy, JAX, PyTorch and CasADi."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

# Peers and neighbouring files are imported where they are used: a peer may be absent, pytest reads this file too.
# ruff: noqa: PLC0415

BARS = {
    100: {"numpy": 1.15, "jax": 0.6, "torch": 0.25, "casadi": 0.04, "casadi summing": None},
    2000: {"numpy": 1.1, "jax": 0.9, "torch": 0.55},
}


def comparison(batch: int) -> Any:
    """Return the comparison on so many points."""
    from comparison import Comparison

    from microgradlib.nn import MLP

    draw = np.random.default_rng(0)
    points, labels = draw.normal(size=(batch, 2)), draw.choice([-1.0, 1.0], batch)
    model = MLP(2, [16, 16, 1], rng=0)
    neurons = [layer.neurons for layer in model.layers]
    rivals = {
        "numpy, batch first": numpy_batch_first,
        "numpy, features first": numpy_features_first,
        "jax": jax_rival,
        "torch": torch_rival,
        "casadi, a gradient for each point": partial(casadi_rival, summed=False),
        "casadi summing, in the map": partial(casadi_rival, summed=True),
    }
    return Comparison(
        title=f"MLP(2, [16, 16, 1]), hinge loss, {batch} points",
        loss=lambda x, y: (1 - y * model(x)).relu(),
        parameters=model.parameters(),
        weights=[part for layer in neurons for part in ([n.w for n in layer], [n.b for n in layer])],
        data=(points, labels),
        rivals={n: partial(make, points, labels) for n, make in rivals.items() if n.split(",")[0] in BARS[batch]},
        bars=BARS[batch],
        first_call_bar=0.1 if batch == 100 else None,
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


def jax_rival(x: Any, y: Any, arrays: list[Any]) -> Any:
    """Compiled by XLA."""
    import jax.numpy as jnp
    from comparison import jax_step

    def loss(parameters: Any, x: Any, y: Any) -> Any:
        w1, b1, w2, b2, w3, b3 = parameters
        h = jnp.maximum(x @ w1.T + b1, 0.0)
        h = jnp.maximum(h @ w2.T + b2, 0.0)
        scores = (h @ w3.T + b3)[:, 0]
        return jnp.maximum(0.0, 1.0 - y * scores).mean()

    return jax_step(loss, arrays, x, y)


def torch_rival(x: Any, y: Any, arrays: list[Any]) -> Any:
    """Eager tensors."""
    from comparison import torch_step
    from torch.nn.functional import linear

    def loss(tensors: Any, x: Any, y: Any) -> Any:
        w1, b1, w2, b2, w3, b3 = tensors
        h = linear(x, w1, b1).relu()
        h = linear(h, w2, b2).relu()
        scores = linear(h, w3, b3)[:, 0]
        return (1.0 - y * scores).relu().mean()

    return torch_step(loss, arrays, x, y)


def casadi_rival(x: Any, y: Any, arrays: list[Any], *, summed: bool) -> Any:
    """A function of one point with its gradient, mapped over the points; the map sums, or NumPy does."""
    import casadi

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
    columns, row = casadi.DM(x.T), casadi.DM(y[None])

    def step() -> tuple[Any, Any]:
        value, gradient = every(columns, row, flat)
        value, gradient = np.asarray(value).sum() / n, np.asarray(gradient).sum(1) / n
        return value, [part.reshape(a.shape) for part, a in zip(np.split(gradient, ends[:-1]), arrays)]

    return step

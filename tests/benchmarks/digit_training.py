"""An MLP that learns digits until it tells 95% of others: ours by `fit`, and by hand for PyTorch and JAX."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

# Neighbouring files and peers are imported where they are used: pytest reads this file too, and a peer may be absent.
# ruff: noqa: PLC0415

BATCH, RATE, ENOUGH = 32, 0.01, 0.95

Training = Callable[[], list[float]]
"""Trains from the start and returns the part of the others that is told right, after each epoch."""


def problem() -> tuple[dict[str, Callable[[], Training]], Callable[[list[float]], str]]:
    """Return the programs, and a function that says how well they did."""
    from microgradlib.data import digits
    from microgradlib.nn import MLP

    data = digits()
    inputs, targets = np.array(data.inputs), np.array(data.targets)
    order = np.random.default_rng(0).permutation(len(inputs))
    end = 3 * len(order) // 4
    parts = [inputs[order[:end]], targets[order[:end]], inputs[order[end:]], targets[order[end:]]]
    model = MLP([64, 32, 10], init="he", rng=0)
    arrays = [np.array([[w.data for w in n.w] for n in layer.neurons]) for layer in model.layers]
    offsets = [np.array([n.b.data for n in layer.neurons]) for layer in model.layers]
    start = [arrays[0], offsets[0], arrays[1], offsets[1]]
    programs = {
        "ours, fit": partial(our_digits, parts),
        "torch, fused Adam": partial(torch_digits, start, parts),
        "jax, one scan for each epoch": partial(jax_digits, start, parts),
    }
    return programs, lambda found: f"{found[-1]:.1%} of the others after {len(found)} epochs"


def our_digits(parts: list[Any]) -> Training:
    """`fit`, which also counts correct classes, records norms by layer, and checks for divergence."""
    from microgradlib.costs import cross_entropy
    from microgradlib.nn import MLP
    from microgradlib.optim import Adam
    from microgradlib.training import fit

    def done(model: Any, history: Any) -> bool:
        return history.validation_accuracy[-1] >= ENOUGH

    def train() -> list[float]:
        model = MLP([64, 32, 10], init="he", rng=0)
        x, y, *held_out = parts
        found = fit(
            model, cross_entropy, x, y, batch_size=BATCH, optimizer=partial(Adam, lr=RATE),
            validation=tuple(held_out), callbacks=done, backend="auto", progress=False,
        )  # fmt: skip
        return found.validation_accuracy[1:]

    train()
    return train


def torch_digits(start: list[Any], parts: list[Any]) -> Training:
    """Eager tensors, PyTorch's own Adam, a random order for each epoch."""
    import torch
    from torch.nn.functional import cross_entropy, linear

    inputs, targets, *held_out = map(torch.as_tensor, parts)

    def scores(tensors: Any, x: Any) -> Any:
        w1, b1, w2, b2 = tensors
        return linear(linear(x, w1, b1).relu(), w2, b2)

    def train() -> list[float]:
        tensors = [torch.tensor(array, requires_grad=True) for array in start]
        adam = torch.optim.Adam(tensors, lr=RATE, fused=True)
        torch.manual_seed(0)
        found = [0.0]
        while found[-1] < ENOUGH:
            order = torch.randperm(len(inputs))
            for x, y in zip(inputs[order].split(BATCH), targets[order].split(BATCH), strict=True):
                loss = cross_entropy(scores(tensors, x), y)
                adam.zero_grad()
                loss.backward()
                adam.step()
            with torch.no_grad():
                found.append((scores(tensors, held_out[0]).argmax(1) == held_out[1]).double().mean().item())
        return found[1:]

    return train


def jax_digits(start: list[Any], parts: list[Any]) -> Training:
    """An epoch compiled by XLA, with optax's Adam; the few examples beyond whole batches are left out of an epoch."""
    import jax
    import jax.numpy as jnp
    import optax

    adam = optax.adam(RATE)
    inputs, targets, *held_out = jax.device_put(parts)

    def scores(parameters: Any, x: Any) -> Any:
        w1, b1, w2, b2 = parameters
        return jnp.maximum(x @ w1.T + b1, 0.0) @ w2.T + b2

    def loss(parameters: Any, x: Any, y: Any) -> Any:
        return -jnp.take_along_axis(jax.nn.log_softmax(scores(parameters, x)), y[:, None], -1).mean()

    def step(state: Any, chosen: Any) -> Any:
        parameters, buffers = state
        gradients = jax.grad(loss)(parameters, inputs[chosen], targets[chosen])
        updates, buffers = adam.update(gradients, buffers)
        return (optax.apply_updates(parameters, updates), buffers), None

    @jax.jit
    def epoch(state: Any, key: Any) -> Any:
        order = jax.random.permutation(key, len(inputs))[: len(inputs) // BATCH * BATCH].reshape(-1, BATCH)
        state, _ = jax.lax.scan(step, state, order)
        return state, (scores(state[0], held_out[0]).argmax(1) == held_out[1]).mean()

    def train() -> list[float]:
        parameters = jax.device_put(start)
        state, key, found = (parameters, adam.init(parameters)), jax.random.key(0), [0.0]
        while found[-1] < ENOUGH:
            key, now = jax.random.split(key)
            state, share = epoch(state, now)
            found.append(float(share))
        return found[1:]

    train()
    return train

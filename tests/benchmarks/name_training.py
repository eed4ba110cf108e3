"""A GPT that learns names in 1,000 steps of Adam: ours, and by hand for PyTorch and JAX."""

from __future__ import annotations

import random
import statistics
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

# Neighbouring files and peers are imported where they are used: pytest reads this file too, and a peer may be absent.
# ruff: noqa: PLC0415

STEPS, BATCH, RATE, BETAS = 1000, 16, 0.02, (0.85, 0.99)

Training = Callable[[], list[float]]
"""Trains from the start and returns the losses."""


def texts() -> tuple[Any, Any, Any]:
    """Return the letters of names, those that follow, and the weights of the places: 1/length, then 0."""
    from microgradlib.data import Alphabet, names

    alphabet, chosen = Alphabet.of(names()), [name for name in names() if len(name) < 16]
    random.Random(0).shuffle(chosen)
    count = STEPS * BATCH
    letters, targets = np.zeros((2, count, 16), int)
    weights = np.zeros((count, 16))
    for i in range(count):
        tokens = alphabet.encode(chosen[i % len(chosen)])
        length = len(tokens) - 1
        letters[i, :length], targets[i, :length], weights[i, :length] = tokens[:-1], tokens[1:], 1 / length
    return letters, targets, weights


def problem() -> tuple[dict[str, Callable[[], Training]], Callable[[list[float]], str]]:
    """Return the programs, and a function that says how well they did."""
    sys.path.append(str(Path(__file__).resolve().parents[2] / "notebooks" / "networks"))
    from gpt_comparison import weights_of
    from microgpt import GPT

    model, data = GPT(), texts()
    flat = np.array([parameter.data for parameter in model.parameters()])
    positions = {parameter: i for i, parameter in enumerate(model.parameters())}
    places = [np.array([[positions[entry] for entry in row] for row in rows]) for rows in weights_of(model)]
    arrays = [flat[where] for where in places]
    programs = {
        "ours": partial(our_names, model, flat, data),
        "torch, fused Adam": partial(torch_names, arrays, data),
        "jax, a call for each step": partial(jax_names, arrays, data, scan=False),
        "jax, one scan over all steps": partial(jax_names, arrays, data, scan=True),
    }
    return programs, lambda losses: f"loss {losses[0]:.6f} at first, {statistics.fmean(losses[-100:]):.4f} at last"


def our_names(model: Any, flat: Any, data: Any) -> Training:
    """Scalars compiled; letters and targets are one-hot rows, a target's divided by the length of its name."""
    from microgradlib.compiler import compile  # noqa: A004
    from microgradlib.costs import cross_entropy
    from microgradlib.optim import Adam, linear

    letters, targets, weights = data
    rows, parameters = np.eye(27), flat.copy()
    inputs, labels = rows[letters], 16 * weights[..., None] * rows[targets]
    fast = compile(lambda x, y: cross_entropy(model(x), y), model.parameters())
    fast.check_labels = False  # rows of 0 are no distributions, but cost nothing
    fast.set_parameters(parameters)
    fast.value_and_grad(inputs[:BATCH], labels[:BATCH])

    def train() -> list[float]:
        parameters[:] = flat
        adam = Adam(parameters, lr=linear(RATE, 0.0, STEPS), betas=BETAS)
        losses = []
        for start in range(0, len(inputs), BATCH):
            loss, gradient = fast.value_and_grad(inputs[start : start + BATCH], labels[start : start + BATCH])
            adam.step(gradient)
            losses.append(loss)
        return losses

    return train


def torch_names(arrays: list[Any], data: Any) -> Training:
    """Eager tensors, fused attention, PyTorch's own Adam."""
    import torch
    from gpt_comparison import torch_scores
    from torch.nn.functional import cross_entropy

    letters, targets, weights = map(torch.as_tensor, data)

    def train() -> list[float]:
        tensors = [torch.tensor(array, requires_grad=True) for array in arrays]
        adam = torch.optim.Adam(tensors, lr=RATE, betas=BETAS, fused=True)
        schedule = torch.optim.lr_scheduler.LinearLR(adam, 1.0, 1e-12, STEPS)
        losses = []
        for x, y, w in zip(letters.split(BATCH), targets.split(BATCH), weights.split(BATCH), strict=True):
            scores = torch_scores(tensors, x, None).view(-1, 27)
            loss = (cross_entropy(scores, y.reshape(-1), reduction="none") * w.reshape(-1)).sum() / BATCH
            adam.zero_grad()
            loss.backward()
            adam.step()
            schedule.step()
            losses.append(loss.item())
        return losses

    return train


def jax_names(arrays: list[Any], data: Any, *, scan: bool) -> Training:
    """A step or all steps compiled by XLA, with optax's Adam; the data lie on the device."""
    import jax
    import jax.numpy as jnp
    import optax
    from gpt_comparison import jax_scores

    adam = optax.adam(optax.linear_schedule(RATE, 0.0, STEPS), *BETAS)
    batches = [jax.device_put(array.reshape(STEPS, BATCH, 16)) for array in data]

    def loss(parameters: Any, x: Any, y: Any, w: Any) -> Any:
        logarithms = jax.nn.log_softmax(jax_scores(parameters, x, indices=True))
        return -(jnp.take_along_axis(logarithms, y[..., None], -1)[..., 0] * w).sum() / BATCH

    def step(state: Any, batch: Any) -> Any:
        parameters, buffers = state
        value, gradients = jax.value_and_grad(loss)(parameters, *batch)
        updates, buffers = adam.update(gradients, buffers)
        return (optax.apply_updates(parameters, updates), buffers), value

    run = jax.jit(lambda state: jax.lax.scan(step, state, batches)[1]) if scan else jax.jit(step)

    def train() -> list[float]:
        parameters = jax.device_put(arrays)
        state = parameters, adam.init(parameters)
        if scan:
            return run(state).tolist()
        losses = []
        for batch in zip(*batches, strict=True):
            state, value = run(state, batch)
            losses.append(value)
        return [float(value) for value in losses]

    train()
    return train

"""The loss of microgpt's GPT: ours, and the same model over tensors for JAX and PyTorch."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

# Peers and neighbouring files are imported where they are used: a peer may be absent, pytest reads this file too.
# ruff: noqa: PLC0415

LETTERS, PLACES, WIDTH, HEADS, EPS = 27, 16, 16, 4, 1e-5
SCALE = (WIDTH // HEADS) ** -0.5


def comparison(batch: int, dtype: str = "float64") -> Any:
    """Return the comparison on so many texts of 16 letters, each with the letter that follows."""
    sys.path.append(str(Path(__file__).resolve().parents[2] / "notebooks" / "networks"))
    from comparison import Comparison
    from microgpt import GPT

    from microgradlib.costs import cross_entropy

    model, draw = GPT(LETTERS, PLACES, width=WIDTH, heads=HEADS), np.random.default_rng(0)
    letters, targets = draw.integers(LETTERS, size=(2, batch, PLACES))
    rivals = {
        "torch, scaled_dot_product_attention": partial(torch_rival, fused=True),
        "torch, matmul and mask": partial(torch_rival, fused=False),
        "jax, indices": partial(jax_rival, indices=True),
        "jax, one-hot": partial(jax_rival, indices=False),
    }
    return Comparison(
        name=f"gpt-{batch}",
        title=f"GPT of 16 places and width 16, cross-entropy, {batch} text{'s' * (batch > 1)}",
        loss=lambda x, y: cross_entropy(model(x), y),
        parameters=model.parameters(),
        weights=weights_of(model),
        data=(np.eye(LETTERS)[letters], np.eye(LETTERS)[targets]),
        rivals={name: partial(make, letters, targets) for name, make in rivals.items()},
        dtype=dtype,
    )


def weights_of(model: Any) -> list[Any]:
    """Return the model's parameters in the order in which the functions below take their arrays."""
    block = model.blocks[0]
    attention = block.attention
    layers = [attention.q, attention.k, attention.v, attention.o, block.widen, block.narrow, model.scores]
    return [model.token.w, model.position.w, *[[neuron.w for neuron in layer.neurons] for layer in layers]]


def torch_scores(tensors: Any, letters: Any, mask: Any) -> Any:
    """Return the scores of the next letters by eager tensors; without a mask attention is fused into one call."""
    import torch
    from torch.nn import functional

    token, place, wq, wk, wv, wo, widen, narrow, scores = tensors

    def norm(x: Any) -> Any:
        return x * torch.rsqrt((x * x).mean(-1, keepdim=True) + EPS)

    def heads(x: Any) -> Any:
        return x.view(-1, PLACES, HEADS, WIDTH // HEADS).transpose(1, 2)

    x = norm(functional.embedding(letters, token) + place)
    h = norm(x)
    q, k, v = (heads(functional.linear(h, w)) for w in (wq, wk, wv))
    if mask is None:
        read = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
    else:
        read = ((q * SCALE) @ k.transpose(-1, -2) + mask).softmax(-1) @ v
    x = x + functional.linear(read.transpose(1, 2).reshape(-1, PLACES, WIDTH), wo)
    x = x + functional.linear(functional.linear(norm(x), widen).relu(), narrow)
    return functional.linear(x, scores)


def torch_rival(letters: Any, targets: Any, arrays: list[Any], *, fused: bool) -> Any:
    """Eager tensors; attention fused into one call, or written out."""
    import torch
    from comparison import torch_step
    from torch.nn.functional import cross_entropy

    mask = torch.full((PLACES, PLACES), -torch.inf, dtype=torch.as_tensor(arrays[0]).dtype).triu(1)

    def loss(tensors: Any, letters: Any, targets: Any) -> Any:
        scores = torch_scores(tensors, letters, None if fused else mask)
        return cross_entropy(scores.view(-1, LETTERS), targets.view(-1))

    return torch_step(loss, arrays, letters, targets)


def jax_scores(parameters: Any, letters: Any, *, indices: bool) -> Any:
    """Return the scores of the next letters by JAX; letters are indices, or one-hot rows."""
    import jax
    import jax.numpy as jnp

    token, place, wq, wk, wv, wo, widen, narrow, scores = parameters
    mask = np.triu(np.full((PLACES, PLACES), -np.inf, token.dtype), 1)

    def norm(x: Any) -> Any:
        return x * jax.lax.rsqrt((x * x).mean(-1, keepdims=True) + EPS)

    def heads(x: Any) -> Any:
        return x.reshape(-1, PLACES, HEADS, WIDTH // HEADS).transpose(0, 2, 1, 3)

    x = norm((token[letters] if indices else letters @ token) + place)
    h = norm(x)
    q, k, v = (heads(h @ w.T) for w in (wq, wk, wv))
    read = jax.nn.softmax((q * SCALE) @ k.transpose(0, 1, 3, 2) + mask) @ v
    x = x + read.transpose(0, 2, 1, 3).reshape(-1, PLACES, WIDTH) @ wo.T
    x = x + jnp.maximum(norm(x) @ widen.T, 0.0) @ narrow.T
    return x @ scores.T


def jax_rival(letters: Any, targets: Any, arrays: list[Any], *, indices: bool) -> Any:
    """Compiled by XLA; letters looked up by their indices, or multiplied as one-hot rows."""
    import jax
    import jax.numpy as jnp
    from comparison import jax_step

    def loss(parameters: Any, letters: Any, targets: Any) -> Any:
        logarithms = jax.nn.log_softmax(jax_scores(parameters, letters, indices=indices))
        if indices:
            return -jnp.take_along_axis(logarithms, targets[..., None], -1).mean()
        return -(logarithms * targets).sum(-1).mean()

    one_hot = np.eye(LETTERS, dtype=arrays[0].dtype)
    data = (letters.astype(np.int32), targets.astype(np.int32)) if indices else (one_hot[letters], one_hot[targets])
    return jax_step(loss, arrays, *data)

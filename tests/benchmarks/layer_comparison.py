"""An LSTM and a convolutional network: ours, by PyTorch's modules, and by hand for JAX."""

from __future__ import annotations

import random
from functools import partial
from typing import Any

import numpy as np

# Peers and neighbouring files are imported where they are used: a peer may be absent, pytest reads this file too.
# ruff: noqa: PLC0415

BATCH, STEPS, INPUTS, UNITS, CLASSES, MAPS, DIGITS = 64, 20, 8, 16, 3, 4, 10


def lstm(dtype: str = "float64") -> Any:
    """Return the comparison of an LSTM whose last state is classified."""
    from comparison import Comparison

    from microgradlib.costs import cross_entropy
    from microgradlib.nn import LSTM, Layer

    draw = np.random.default_rng(0)
    sequences, classes = draw.normal(size=(BATCH, STEPS, INPUTS)).astype(dtype), draw.integers(CLASSES, size=BATCH)
    network, readout = LSTM(INPUTS, UNITS, rng=0), Layer(UNITS, CLASSES, "linear", rng=1)

    def loss(x: Any, y: Any) -> Any:
        hidden, _ = network(x)
        return cross_entropy(readout(hidden[-1]), y)

    cell = network.cell
    gates = [cell.input_gate, cell.forget_gate, cell.candidate, cell.output_gate]
    parts = [[part for gate in gates for part in getattr(gate, name)] for name in ("u", "w", "b")]
    return Comparison(
        name="lstm",
        title=f"LSTM of {UNITS} units, {STEPS} steps of {INPUTS} inputs, cross-entropy, {BATCH} sequences",
        loss=loss,
        parameters=[*network.parameters(), *readout.parameters()],
        weights=[*parts, [neuron.w for neuron in readout.neurons], [neuron.b for neuron in readout.neurons]],
        data=(sequences, np.eye(CLASSES)[classes]),
        rivals={
            "torch": partial(torch_lstm, sequences, classes),
            "jax, scan": partial(jax_lstm, sequences, classes, unroll=1),
            "jax, scan of 4 steps at once": partial(jax_lstm, sequences, classes, unroll=4),
            "jax, scan unrolled": partial(jax_lstm, sequences, classes, unroll=STEPS),
        },
        dtype=dtype,
    )


def torch_lstm(sequences: Any, classes: Any, arrays: list[Any]) -> Any:
    """PyTorch's LSTM and Linear; their LSTM has a second bias, here 0."""
    import torch

    class Classifier(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network, self.readout = torch.nn.LSTM(INPUTS, UNITS), torch.nn.Linear(UNITS, CLASSES)

        def forward(self, x: Any) -> Any:
            _, (h, _) = self.network(x)
            return self.readout(h[0])

    u, w, b, *readout = arrays
    # time first: what PyTorch's LSTM reads without a copy
    inputs = np.ascontiguousarray(sequences.transpose(1, 0, 2))
    return torch_module_step(Classifier(), [u, w, b, np.zeros_like(b), *readout], inputs, classes, unshared={3})


def jax_lstm(sequences: Any, classes: Any, arrays: list[Any], *, unroll: int) -> Any:
    """A scan over the time steps; the inputs' part of the gates is one product before it."""
    import jax
    import jax.numpy as jnp
    from comparison import jax_step

    def loss(parameters: Any, x: Any, y: Any) -> Any:
        u, w, b, weights, biases = parameters

        def cell(state: Any, inputs: Any) -> Any:
            h, c = state
            i, f, g, o = jnp.split(inputs + h @ w.T, 4, axis=-1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None

        start = jnp.zeros((BATCH, UNITS), x.dtype)
        (h, _), _ = jax.lax.scan(cell, (start, start), x @ u.T + b, unroll=unroll)
        return jax_cross_entropy(h @ weights.T + biases, y)

    return jax_step(loss, arrays, np.ascontiguousarray(sequences.transpose(1, 0, 2)), classes.astype(np.int32))


def jax_cross_entropy(scores: Any, classes: Any) -> Any:
    """Return the mean of −ln of the classes' probabilities."""
    import jax
    import jax.numpy as jnp

    return -jnp.take_along_axis(jax.nn.log_softmax(scores), classes[:, None], -1).mean()


def cnn(dtype: str = "float64") -> Any:
    """Return the comparison of a network of one convolution and one subsampling layer."""
    from comparison import Comparison

    from microgradlib.costs import cross_entropy
    from microgradlib.nn import AvgPool2d, Conv2d, Flatten, Layer, Sequential

    draw, generator = np.random.default_rng(0), random.Random(0)
    images, digits = draw.uniform(size=(BATCH, 1, 8, 8)).astype(dtype), draw.integers(DIGITS, size=BATCH)
    maps = Conv2d(1, MAPS, 3, activation="relu", rng=generator)
    readout = Layer(MAPS * 3 * 3, DIGITS, "linear", rng=generator)
    model = Sequential(maps, AvgPool2d(2), Flatten(), readout)
    return Comparison(
        name="cnn",
        title=f"Conv2d of {MAPS} 3 × 3 maps, AvgPool2d, {DIGITS} classes of 8 × 8 images, {BATCH} images",
        loss=lambda x, y: cross_entropy(model(x), y),
        parameters=model.parameters(),
        weights=[maps.w, maps.b, [neuron.w for neuron in readout.neurons], [neuron.b for neuron in readout.neurons]],
        data=(images, np.eye(DIGITS)[digits]),
        rivals={
            "torch": partial(torch_cnn, images, digits),
            "jax, maps first": partial(jax_cnn, images, digits, layout="NCHW"),
            "jax, maps last": partial(jax_cnn, images, digits, layout="NHWC"),
        },
        dtype=dtype,
    )


def torch_cnn(images: Any, digits: Any, arrays: list[Any]) -> Any:
    """PyTorch's modules in a Sequential."""
    from torch import nn

    readout = nn.Linear(MAPS * 3 * 3, DIGITS)
    model = nn.Sequential(nn.Conv2d(1, MAPS, 3), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(), readout)
    return torch_module_step(model, arrays, images, digits)


def jax_cnn(images: Any, digits: Any, arrays: list[Any], *, layout: str) -> Any:
    """A convolution by XLA, its channels first or last, and means of blocks."""
    import jax
    import jax.numpy as jnp
    from comparison import jax_step

    channels = layout.index("C")

    def loss(parameters: Any, x: Any, y: Any) -> Any:
        kernels, biases, weights, offsets = parameters
        if channels == 1:
            h = jax.lax.conv_general_dilated(x, kernels, (1, 1), "VALID") + biases[:, None, None]
            h = jnp.maximum(h, 0.0).reshape(BATCH, MAPS, 3, 2, 3, 2).mean((3, 5))
        else:
            kernels = kernels.transpose(2, 3, 1, 0)
            h = jax.lax.conv_general_dilated(x, kernels, (1, 1), "VALID", dimension_numbers=(layout, "HWIO", layout))
            h = jnp.maximum(h + biases, 0.0).reshape(BATCH, 3, 2, 3, 2, MAPS).mean((2, 4)).transpose(0, 3, 1, 2)
        return jax_cross_entropy(h.reshape(BATCH, -1) @ weights.T + offsets, y)

    return jax_step(loss, arrays, np.ascontiguousarray(np.moveaxis(images, 1, channels)), digits.astype(np.int32))


def torch_module_step(
    model: Any, arrays: list[Any], inputs: Any, classes: Any, unshared: frozenset[int] | set[int] = frozenset()
) -> Any:
    """Return the step of a PyTorch module with these parameters; ours has none in the places `unshared`."""
    import torch

    model = model.to(torch.as_tensor(inputs).dtype)
    parameters = list(model.parameters())
    with torch.no_grad():
        for parameter, array in zip(parameters, arrays, strict=True):
            parameter.copy_(torch.as_tensor(array))
    x, y = torch.as_tensor(inputs), torch.as_tensor(classes)

    def step() -> tuple[Any, Any]:
        model.zero_grad()
        value = torch.nn.functional.cross_entropy(model(x), y)
        value.backward()
        return value.item(), [p.grad for i, p in enumerate(parameters) if i not in unshared]

    return step

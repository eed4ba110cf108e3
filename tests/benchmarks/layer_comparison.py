"""An LSTM and a convolutional network: ours, and PyTorch's modules."""

from __future__ import annotations

import random
from functools import partial
from typing import Any

import numpy as np

# Peers and neighbouring files are imported where they are used: a peer may be absent, pytest reads this file too.
# ruff: noqa: PLC0415

BATCH, STEPS, INPUTS, UNITS, CLASSES, MAPS, DIGITS = 64, 20, 8, 16, 3, 4, 10


def lstm() -> Any:
    """Return the comparison of an LSTM whose last state is classified."""
    from comparison import Comparison

    from microgradlib.costs import cross_entropy
    from microgradlib.nn import LSTM, Layer

    draw = np.random.default_rng(0)
    sequences, classes = draw.normal(size=(BATCH, STEPS, INPUTS)), draw.integers(CLASSES, size=BATCH)
    network, readout = LSTM(INPUTS, UNITS, rng=0), Layer(UNITS, CLASSES, "linear", rng=1)

    def loss(x: Any, y: Any) -> Any:
        hidden, _ = network(x)
        return cross_entropy(readout(hidden[-1]), y)

    cell = network.cell
    gates = [cell.input_gate, cell.forget_gate, cell.candidate, cell.output_gate]
    parts = [[part for gate in gates for part in getattr(gate, name)] for name in ("u", "w", "b")]
    return Comparison(
        title=f"LSTM of {UNITS} units, {STEPS} steps of {INPUTS} inputs, cross-entropy, {BATCH} sequences",
        loss=loss,
        parameters=[*network.parameters(), *readout.parameters()],
        weights=[*parts, [neuron.w for neuron in readout.neurons], [neuron.b for neuron in readout.neurons]],
        data=(sequences, np.eye(CLASSES)[classes]),
        rivals={"torch": partial(torch_lstm, sequences, classes)},
        bars={"torch": 2.0},
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


def cnn() -> Any:
    """Return the comparison of a network of one convolution and one subsampling layer."""
    from comparison import Comparison

    from microgradlib.costs import cross_entropy
    from microgradlib.nn import AvgPool2d, Conv2d, Flatten, Layer, Sequential

    draw, generator = np.random.default_rng(0), random.Random(0)
    images, digits = draw.uniform(size=(BATCH, 1, 8, 8)), draw.integers(DIGITS, size=BATCH)
    maps = Conv2d(1, MAPS, 3, activation="relu", rng=generator)
    readout = Layer(MAPS * 3 * 3, DIGITS, "linear", rng=generator)
    model = Sequential(maps, AvgPool2d(2), Flatten(), readout)
    return Comparison(
        title=f"Conv2d of {MAPS} 3 × 3 maps, AvgPool2d, {DIGITS} classes of 8 × 8 images, {BATCH} images",
        loss=lambda x, y: cross_entropy(model(x), y),
        parameters=model.parameters(),
        weights=[maps.w, maps.b, [neuron.w for neuron in readout.neurons], [neuron.b for neuron in readout.neurons]],
        data=(images, np.eye(DIGITS)[digits]),
        rivals={"torch": partial(torch_cnn, images, digits)},
        bars={"torch": 2.0},
    )


def torch_cnn(images: Any, digits: Any, arrays: list[Any]) -> Any:
    """PyTorch's modules in a Sequential."""
    from torch import nn

    readout = nn.Linear(MAPS * 3 * 3, DIGITS)
    model = nn.Sequential(nn.Conv2d(1, MAPS, 3), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(), readout)
    return torch_module_step(model, arrays, images, digits)


def torch_module_step(
    model: Any, arrays: list[Any], inputs: Any, classes: Any, unshared: frozenset[int] | set[int] = frozenset()
) -> Any:
    """Return the step of a PyTorch module with these parameters; ours has none in the places `unshared`."""
    import torch

    model = model.double()
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

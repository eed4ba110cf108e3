"""Noise on the inputs is a regulariser (lecture 8, document 002; *Deep Learning*, 7.5; Bishop, 1995).

E over x + ξ, ξ ~ N(0, σ²I), is for small σ the same as E + σ²Ω with Tikhonov's Ω = ½ ∫ ‖∇y(x)‖² p(x) dx: the output
must not be steep where there are examples. For the linear model y = wx that holds for every σ, and the best slope
shrinks from w to w Var(x)/(Var(x) + σ²). A network is measured: Ω falls as σ grows.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from functools import partial
from typing import Any

from microgradlib import grad
from microgradlib.costs import squared_error
from microgradlib.data import RegressionDataset, gaussian_noise, sine
from microgradlib.nn import MLP, Neuron
from microgradlib.optim import Adam, linear
from microgradlib.training import fit

SLOPE = 2.0


def line(n: int = 100, rng: int = 0) -> RegressionDataset:
    """Return n points of y = 2x, x ~ N(0, 1)."""
    source = random.Random(rng)
    xs = [source.gauss(0.0, 1.0) for _ in range(n)]
    return RegressionDataset(tuple((x,) for x in xs), tuple(SLOPE * x for x in xs), ("x",), "2x")


def train(model: Any, data: RegressionDataset, sigma: float, *, rate: float, epochs: int, rng: int) -> None:
    """Train by Adam on fresh noise in every epoch; the rate falls to 0, so that the noise averages out."""
    batch = 20
    schedule = linear(start=rate, end=0.0, steps=epochs * math.ceil(len(data) / batch))
    fit(
        model, squared_error, data.inputs, data.targets, epochs=epochs, batch_size=batch,
        optimizer=partial(Adam, lr=schedule), augment=gaussian_noise(sigma), rng=rng, progress=False,
    )  # fmt: skip


def slope_found(sigma: float, data: RegressionDataset, epochs: int = 200, rng: int = 0) -> float:
    """Return the slope that a neuron wx + b finds from inputs with noise σ."""
    neuron = Neuron(1, "linear", rng=rng)
    train(neuron, data, sigma, rate=0.1, epochs=epochs, rng=rng)
    return neuron.w[0].data


def slope_expected(sigma: float, data: RegressionDataset) -> float:
    """Return w Var(x)/(Var(x) + σ²), Var(x) that of the points at hand."""
    mean = math.fsum(x for [x] in data.inputs) / len(data)
    variance = math.fsum((x - mean) ** 2 for [x] in data.inputs) / len(data)
    return SLOPE * variance / (variance + sigma**2)


def tikhonov(model: Any, data: RegressionDataset) -> float:
    """Return Ω = ½ · mean of ‖∇y(x)‖² over the examples."""
    slope = grad(model)
    return 0.5 * math.fsum(g * g for x in data.inputs for g in slope(list(x))) / len(data)


def smoothness(sigma: float, rng: int = 0, epochs: int = 200) -> float:
    """Return Ω of a network trained with noise σ on 20 points of a sine, itself with errors of 0.3."""
    data, model = sine(20, noise=0.3, rng=rng), MLP([1, 10, 1], activation="tanh", rng=rng)
    train(model, data, sigma, rate=0.05, epochs=epochs, rng=rng)
    return tikhonov(model, data)


def main(sigmas: Sequence[float] = (0.0, 0.25, 0.5, 1.0), seeds: Sequence[int] = range(3)) -> None:
    """Print the slopes found and expected, and Ω of the network, by σ."""
    data = line()
    print("y = 2x from inputs with noise σ\n   σ   slope found   w Var/(Var + σ²)")
    for sigma in sigmas:
        print(f"{sigma:4}   {slope_found(sigma, data):11.3f}   {slope_expected(sigma, data):16.3f}")
    print(f"\nMLP([1, 10, 1]) on a sine\n   σ   Ω, seeds {', '.join(map(str, seeds))}")
    for sigma in sigmas:
        print(f"{sigma:4}   " + "  ".join(f"{smoothness(sigma, rng):.3f}" for rng in seeds))


if __name__ == "__main__":
    main()

"""Noise on the inputs is a regulariser (lecture 8, document 002; *Deep Learning*, 7.5; Bishop, 1995).

For small σ the expected error on inputs x + ξ, ξ ~ N(0, σ²I), equals E + σ²Ω with Tikhonov's regulariser
Ω = ½ ∫ ‖∇y(x)‖² p(x) dx, which penalises steep outputs near the examples. For the linear model y = wx this holds for
every σ, and the optimal slope decreases from w to w Var(x)/(Var(x) + σ²). For a network the script measures Ω, which
decreases as σ grows.
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
    """Train by Adam with new noise in every epoch; the rate decreases to 0, so that the noise averages out."""
    batch = 20
    schedule = linear(start=rate, end=0.0, steps=epochs * math.ceil(len(data) / batch))
    fit(
        model, squared_error, data.inputs, data.targets, epochs=epochs, batch_size=batch,
        optimizer=partial(Adam, lr=schedule), augment=gaussian_noise(sigma), rng=rng, progress=False,
    )  # fmt: skip


def fitted_slope(sigma: float, data: RegressionDataset, epochs: int = 200, rng: int = 0) -> float:
    """Return the slope w of a neuron wx + b trained on inputs with noise σ."""
    neuron = Neuron(1, "linear", rng=rng)
    train(neuron, data, sigma, rate=0.1, epochs=epochs, rng=rng)
    return neuron.w[0].data


def expected_slope(sigma: float, data: RegressionDataset) -> float:
    """Return w Var(x)/(Var(x) + σ²), where Var(x) is the variance of these inputs."""
    mean = math.fsum(x for [x] in data.inputs) / len(data)
    variance = math.fsum((x - mean) ** 2 for [x] in data.inputs) / len(data)
    return SLOPE * variance / (variance + sigma**2)


def tikhonov(model: Any, data: RegressionDataset) -> float:
    """Return Ω = ½ · mean of ‖∇y(x)‖² over the examples."""
    slope = grad(model)
    return 0.5 * math.fsum(g * g for x in data.inputs for g in slope(list(x))) / len(data)


def tikhonov_after_training(sigma: float, rng: int = 0, epochs: int = 200) -> float:
    """Return Ω of a network trained with input noise σ on 20 points of a sine with noise 0.3 in the targets."""
    data, model = sine(20, noise=0.3, rng=rng), MLP([1, 10, 1], activation="tanh", rng=rng)
    train(model, data, sigma, rate=0.05, epochs=epochs, rng=rng)
    return tikhonov(model, data)


def main(sigmas: Sequence[float] = (0.0, 0.25, 0.5, 1.0), seeds: Sequence[int] = range(3)) -> None:
    """Print the fitted and the expected slope, and Ω of the network, for each σ."""
    data = line()
    print("y = 2x from inputs with noise σ\n   σ  fitted slope   w Var/(Var + σ²)")
    for sigma in sigmas:
        print(f"{sigma:4}   {fitted_slope(sigma, data):11.3f}   {expected_slope(sigma, data):16.3f}")
    print(f"\nMLP([1, 10, 1]) on a sine\n   σ   Ω, seeds {', '.join(map(str, seeds))}")
    for sigma in sigmas:
        print(f"{sigma:4}   " + "  ".join(f"{tikhonov_after_training(sigma, rng):.3f}" for rng in seeds))


if __name__ == "__main__":
    main()

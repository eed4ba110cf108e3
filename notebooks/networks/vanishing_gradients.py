"""Vanishing gradients: δ of deep MLPs by layer (document 004), ∂E_T/∂s_k of a vanilla RNN through time (document 001).

δˡ = (Wˡ⁺¹ᵀ δˡ⁺¹) ⊙ f′(zˡ), and ∂s_t/∂s_{t−1} = diag(f′) W: the gradient contains one such factor for each
layer or time step. σ′ is at most ¼, tanh′ at most 1, and relu′ is 1 where the unit is active.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from microgradlib import Value, dot, grad_table, tanh
from microgradlib.costs import cross_entropy, squared_error
from microgradlib.nn import ACTIVATIONS, Layer

INITIALISER = {"sigmoid": "glorot", "tanh": "glorot", "relu": "he"}


def norm(numbers: Sequence[float]) -> float:
    """Return ‖v‖ = √Σ v_i²."""
    return math.sqrt(math.fsum(v * v for v in numbers))


class DeepNetwork(NamedTuple):
    """Linear layers, all but the last followed by the activation f: a network that exposes its net inputs z."""

    layers: list[Layer]
    activation: str

    def net_inputs(self, x: Sequence[float]) -> list[list[Any]]:
        """Return z of every layer: z¹ = W¹x + b¹, zˡ = Wˡ f(zˡ⁻¹) + bˡ."""
        f = ACTIVATIONS[self.activation]
        z: list[list[Any]] = [self.layers[0].outputs(x)]
        for layer in self.layers[1:]:
            z.append(layer.outputs([f(z_k) for z_k in z[-1]]))
        return z


def deep_network(activation: str, depth: int = 10, width: int = 16, rng: int = 0) -> DeepNetwork:
    """Return `depth` hidden layers and one linear output, with an initialiser suitable for the activation."""
    generator, sizes = random.Random(rng), [width] * (depth + 1) + [1]
    init = INITIALISER[activation]
    layers = [Layer(n, m, "linear", rng=generator, init=init) for n, m in pairwise(sizes)]
    return DeepNetwork(layers, activation)


def deltas(network: DeepNetwork, x: Sequence[float], y: float) -> list[list[float]]:
    """Return δ = ∂L/∂z of every layer for L = ½ (ŷ − y)², from grad_table."""
    z = network.net_inputs(x)
    table = grad_table(squared_error(z[-1][0], y))
    return [[table[z_k] for z_k in layer] for layer in z]


def relative_delta_norms(
    activation: str, depth: int = 10, width: int = 16, seeds: Sequence[int] = range(5)
) -> list[float]:
    """Return ‖δˡ‖ / ‖δ of the last hidden layer‖ for l = 1 … depth, geometric means over random networks and inputs."""
    logarithms = [0.0] * depth
    for seed in seeds:
        x = [random.Random(seed).gauss(0.0, 1.0) for _ in range(width)]
        sizes = [norm(delta) for delta in deltas(deep_network(activation, depth, width, seed), x, y=1.0)[:-1]]
        logarithms = [total + math.log(size / sizes[-1]) for total, size in zip(logarithms, sizes)]
    return [math.exp(total / len(seeds)) for total in logarithms]


class Recurrent(NamedTuple):
    """The matrices of s_t = tanh(U x_t + W s_{t−1}) and o_t = softmax(V s_t), as rows of Values."""

    u: list[list[Value]]
    w: list[list[Value]]
    v: list[list[Value]]


def recurrent(units: int = 8, classes: int = 3, rng: int = 0) -> Recurrent:
    """Return U, W and V, uniform in (−k, k) with k = 1/√(number of inputs)."""
    generator = random.Random(rng)

    def matrix(nout: int, nin: int) -> list[list[Value]]:
        k = 1 / math.sqrt(nin)
        return [[Value(generator.uniform(-k, k)) for _ in range(nin)] for _ in range(nout)]

    return Recurrent(matrix(units, 1), matrix(units, units), matrix(classes, units))


def state_gradients(network: Recurrent, xs: Sequence[float], y: int) -> list[list[float]]:
    """Return ∂E_T/∂s_k for k = 0 … T, where E_T = −ln o_T[y] is the cross-entropy at the last step."""
    s = [Value(0.0) for _ in network.w]
    states = [s]
    for x in xs:
        s = [tanh(dot([*u_i, *w_i], [x, *s])) for u_i, w_i in zip(network.u, network.w)]
        states.append(s)
    table = grad_table(cross_entropy([dot(v_i, s) for v_i in network.v], y))
    return [[table[s_i] for s_i in state] for state in states]


def state_gradient_norms(steps: int = 20, rng: int = 0) -> list[float]:
    """Return ‖∂E_T/∂s_k‖ for k = 0 … T, for a random network and a random sequence."""
    generator = random.Random(rng)
    xs = [generator.uniform(-1.0, 1.0) for _ in range(steps)]
    return [norm(gradient) for gradient in state_gradients(recurrent(rng=rng), xs, y=0)]


def main() -> None:
    """Print the norms of δ from the last layer to the first, and of ∂E_T/∂s_k from the last step to the first."""
    norms = {activation: relative_delta_norms(activation) for activation in INITIALISER}
    print("‖δˡ‖ / ‖δ¹⁰‖\nlayer  " + "  ".join(f"{activation:>9}" for activation in norms))
    for layer in range(10, 0, -1):
        print(f"{layer:5}  " + "  ".join(f"{ratios[layer - 1]:9.1e}" for ratios in norms.values()))
    sizes = state_gradient_norms()
    print("\nvanilla RNN, T = 20\nT − k  ‖∂E_T/∂s_k‖")
    for back in range(0, len(sizes), 4):
        print(f"{back:5}  {sizes[-1 - back]:.1e}")


if __name__ == "__main__":
    main()

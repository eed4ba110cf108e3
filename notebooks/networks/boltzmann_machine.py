"""A restricted Boltzmann machine, small enough to enumerate all its states (the memory networks of document 004).

Binary units, v visible and h hidden, with energy E(v, h) = −Σ_i a_i v_i − Σ_j b_j h_j − Σ_ij v_i w_ij h_j and
p(v, h) = exp(−E(v, h))/Z. Without connections between hidden units the sum over h has a closed form, the free energy
F(v) = −ln Σ_h exp(−E(v, h)) = −Σ_i a_i v_i − Σ_j ζ(b_j + Σ_i v_i w_ij). The cost is the negative log-likelihood of the
data,

    L = −⟨ln p(v)⟩_data = ⟨F(v)⟩_data + ln Σ_v exp(−F(v)),   ∂L/∂w_ij = −⟨v_i h_j⟩_data + ⟨v_i h_j⟩_model

and likewise for a_i with v_i, b_j with h_j: the gradient is 0 where these means of data and model agree. Large machines
estimate ⟨…⟩_model by sampling; here both means are exact. (*Deep Learning*, 18.1 and 20.2; Smolensky, 1986.) The data
are the bars and stripes of 2 × 2 pixels: all rows alike, or all columns.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from itertools import product
from typing import Any, NamedTuple

from microgradlib import Value, dot, grad_table, logsumexp, mean, softplus
from microgradlib.nn import Module
from microgradlib.optim import SGD

State = tuple[int, ...]

BARS_AND_STRIPES = [(0, 0, 0, 0), (1, 1, 0, 0), (0, 0, 1, 1), (1, 0, 1, 0), (0, 1, 0, 1), (1, 1, 1, 1)]
"""The pixels of an image in the order upper left, upper right, lower left, lower right."""


class Machine(Module):
    """The parameters a_i, b_j and w_ij of `visible` and `hidden` units."""

    def __init__(self, visible: int = 4, hidden: int = 4, rng: int = 0) -> None:
        generator = random.Random(rng)
        self.a = [Value(0.0, label=f"a{i}") for i in range(visible)]
        self.b = [Value(0.0, label=f"b{j}") for j in range(hidden)]
        self.w = [[Value(generator.gauss(0.0, 0.5), label=f"w{i},{j}") for j in range(hidden)] for i in range(visible)]

    def energy(self, v: State, h: State) -> Value:
        """Return E(v, h)."""
        products = [v_i * h_j for v_i in v for h_j in h]
        weights = [w_ij for row in self.w for w_ij in row]
        return -dot([*self.a, *self.b, *weights], [*v, *h, *products])


class Means(NamedTuple):
    """⟨v_i⟩, ⟨h_j⟩ and ⟨v_i h_j⟩ under a distribution of the states."""

    v: list[float]
    h: list[float]
    vh: list[list[float]]


def states(units: int) -> list[State]:
    """Return all 2ⁿ states of n binary units."""
    return list(product((0, 1), repeat=units))


def free_energy(machine: Machine, v: State) -> Value:
    """Return F(v) = −Σ_i a_i v_i − Σ_j ζ(b_j + Σ_i v_i w_ij), ζ the softplus."""
    columns = zip(*machine.w)
    return -sum([softplus(dot(w_j, v, b_j)) for w_j, b_j in zip(columns, machine.b)], dot(machine.a, v))


def cost(machine: Machine, data: Sequence[State]) -> Value:
    """Return L = ⟨F(v)⟩_data + ln Σ_v exp(−F(v))."""
    energies = {v: free_energy(machine, v) for v in states(len(machine.a))}
    return mean([energies[v] for v in data]) + logsumexp([-f for f in energies.values()])


def model_distribution(machine: Machine) -> dict[tuple[State, State], float]:
    """Return p(v, h) = exp(−E(v, h))/Z for every state."""
    weights = {
        (v, h): math.exp(-machine.energy(v, h).data)
        for v in states(len(machine.a)) for h in states(len(machine.b))
    }  # fmt: skip
    z = math.fsum(weights.values())
    return {state: weight / z for state, weight in weights.items()}


def data_distribution(machine: Machine, data: Sequence[State]) -> dict[tuple[State, State], float]:
    """Return p_data(v) p(h | v) for every state: the visible units are the data's, the hidden ones follow the model."""
    p: dict[tuple[State, State], float] = {}
    joint = model_distribution(machine)
    for v in data:
        p_v = visible_probability(joint, v)
        for h in states(len(machine.b)):
            p[v, h] = p.get((v, h), 0.0) + joint[v, h] / p_v / len(data)
    return p


def visible_probability(joint: dict[tuple[State, State], float], v: State) -> float:
    """Return p(v) = Σ_h p(v, h)."""
    return math.fsum(p for (visible, _), p in joint.items() if visible == v)


def means(p: dict[tuple[State, State], float], visible: int, hidden: int) -> Means:
    """Return the means of v_i, h_j and v_i h_j under p."""

    def mean_of(units: Any) -> float:
        return math.fsum(p_vh * units(v, h) for (v, h), p_vh in p.items())

    return Means(
        [mean_of(lambda v, _, i=i: v[i]) for i in range(visible)],
        [mean_of(lambda _, h, j=j: h[j]) for j in range(hidden)],
        [[mean_of(lambda v, h, i=i, j=j: v[i] * h[j]) for j in range(hidden)] for i in range(visible)],
    )


def gradient_of_means(machine: Machine, data: Sequence[State]) -> dict[Value, float]:
    """Return ∂L/∂θ = −⟨…⟩_data + ⟨…⟩_model for every parameter."""
    sizes = len(machine.a), len(machine.b)
    of_data, of_model = means(data_distribution(machine, data), *sizes), means(model_distribution(machine), *sizes)
    gradient = {a_i: m - d for a_i, d, m in zip(machine.a, of_data.v, of_model.v)}
    gradient.update({b_j: m - d for b_j, d, m in zip(machine.b, of_data.h, of_model.h)})
    for row, d_row, m_row in zip(machine.w, of_data.vh, of_model.vh):
        gradient.update({w_ij: m - d for w_ij, d, m in zip(row, d_row, m_row)})
    return gradient


def train(machine: Machine, data: Sequence[State], steps: int = 300, rate: float = 1.0) -> list[float]:
    """Descend along ∂L/∂θ with momentum 0.9; return the cost before each step."""
    optimiser, costs = SGD(machine.parameters(), lr=rate, momentum=0.9), []
    for _ in range(steps):
        loss = cost(machine, data)
        machine.zero_grad()
        loss.backward()
        optimiser.step()
        costs.append(loss.data)
    return costs


def main(steps: int = 300) -> None:
    """Print the two gradients' largest difference, the costs, and the probability of every image after training."""
    machine = Machine()
    table, by_means = grad_table(cost(machine, BARS_AND_STRIPES)), gradient_of_means(machine, BARS_AND_STRIPES)
    difference = max(abs(table[theta] - number) for theta, number in by_means.items())
    print(f"∂L/∂θ by grad_table and −⟨…⟩_data + ⟨…⟩_model differ by at most {difference:.0e}")
    costs = [*train(machine, BARS_AND_STRIPES, steps), cost(machine, BARS_AND_STRIPES).data]
    print(f"−ln p of an image: {costs[0]:.3f} → {costs[-1]:.3f} in {steps} steps; at best ln 6 = {math.log(6):.3f}")
    joint = model_distribution(machine)
    print("\nimage     p(image)")
    for v in sorted(states(len(machine.a)), key=lambda v: -visible_probability(joint, v)):
        rows = ["".join("#" if pixel else "." for pixel in v[i : i + 2]) for i in (0, 2)]
        print(f"{rows[0]} / {rows[1]}   {visible_probability(joint, v):7.4f}{'   data' * (v in BARS_AND_STRIPES)}")


if __name__ == "__main__":
    main()

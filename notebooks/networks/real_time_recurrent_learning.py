"""Real-time recurrent learning: ∂s_t/∂θ carried forward in time, against backpropagation through time.

For s_t = f(U x_t + W s_{t−1} + b) and a parameter θ among U, W, b,

    ∂s_t/∂θ = (the step's own derivative with respect to θ) + (∂s_t/∂s_{t−1}) ∂s_{t−1}/∂θ
    ∂E_t/∂θ = (∂E_t/∂s_t) ∂s_t/∂θ

The first line is forward mode: one sweep of `tangent_table` through one step for each θ, with the tangents ∂s_{t−1}/∂θ
for the previous state. So the gradient of E_1 + … + E_t is known at time t, and no step has to be stored: n numbers
for each parameter instead of a graph that grows with t. Backpropagation through time needs the whole graph, but only
one sweep. (Williams and Zipser, 1989.) The task is to repeat the input of two steps before.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from microgradlib import Value, grad_table, tangent_table, topological_sort
from microgradlib.costs import squared_error
from microgradlib.nn import Layer, Module, RNNCell

Gradient = dict[Value, float]

LAG = 2


class Network(Module):
    """s_t = tanh(U x_t + W s_{t−1} + b) and the output o_t = V s_t + c."""

    def __init__(self, units: int = 4, rng: int = 0) -> None:
        generator = random.Random(rng)
        self.cell = RNNCell(1, units, rng=generator)
        self.readout = Layer(units, 1, "linear", rng=generator, init="fan_in")


class Step(NamedTuple):
    """What is known at time t: E_t and its gradient, and the state s_t with its derivatives ∂s_t/∂θ."""

    cost: float
    gradient: Gradient
    state: list[float]
    derivatives: dict[Value, list[float]]


def sequence(steps: int, rng: int = 0) -> tuple[list[list[float]], list[float]]:
    """Return random inputs of ±1 and the targets y_t = x_{t−2}, 0 for the first two."""
    generator = random.Random(rng)
    signs = [generator.choice((-1.0, 1.0)) for _ in range(steps)]
    return [[sign] for sign in signs], [0.0, 0.0, *signs][:steps]


def real_time_steps(net: Network, xs: Sequence[Sequence[float]], ys: Sequence[float]) -> Iterator[Step]:
    """Yield E_t, ∂E_t/∂θ, s_t and ∂s_t/∂θ at each time t; of the steps before only s_t and ∂s_t/∂θ are kept."""
    recurrent = net.cell.parameters()
    state = [0.0] * net.cell.nhidden
    derivatives = {theta: [0.0] * len(state) for theta in recurrent}
    for x, y in zip(xs, ys):
        before = [Value(s_k) for s_k in state]
        after = net.cell(x, before)
        for theta in recurrent:
            table = tangent_table(after, {theta: 1.0, **dict(zip(before, derivatives[theta]))})
            derivatives[theta] = [table[s_k] for s_k in after]
        cost = squared_error(net.readout(after), y)
        delta = grad_table(cost)
        gradient = {theta: _dot([delta[s_k] for s_k in after], derivatives[theta]) for theta in recurrent}
        gradient.update({v: delta[v] for v in net.readout.parameters()})
        state = [s_k.data for s_k in after]
        yield Step(cost.data, gradient, state, derivatives)


def real_time_gradient(net: Network, xs: Sequence[Sequence[float]], ys: Sequence[float]) -> Gradient:
    """Return the gradient of E = Σ_t E_t, added up while the sequence goes by."""
    total = dict.fromkeys(net.parameters(), 0.0)
    for step in real_time_steps(net, xs, ys):
        for theta, number in step.gradient.items():
            total[theta] += number
    return total


def unfolded_cost(net: Network, xs: Sequence[Sequence[float]], ys: Sequence[float]) -> Any:
    """Return E = Σ_t E_t as one graph over all time steps."""
    state: list[Value] | None = None
    costs = []
    for x, y in zip(xs, ys):
        state = net.cell(x, state)
        costs.append(squared_error(net.readout(state), y))
    return sum(costs)


def backpropagation_through_time(net: Network, xs: Sequence[Sequence[float]], ys: Sequence[float]) -> Gradient:
    """Return the gradient of E from one sweep of `grad_table` through the unfolded graph."""
    table = grad_table(unfolded_cost(net, xs, ys))
    return {theta: table[theta] for theta in net.parameters()}


def learn_online(net: Network, xs: Sequence[Sequence[float]], ys: Sequence[float], rate: float = 0.05) -> list[float]:
    """Descend after every time step, θ ← θ − η ∂E_t/∂θ, while the sequence goes on; return the costs E_t."""
    costs = []
    for step in real_time_steps(net, xs, ys):
        for theta, number in step.gradient.items():
            theta.data -= rate * number
        costs.append(step.cost)
    return costs


def main(lengths: Sequence[int] = (5, 50, 500), online_steps: int = 2000) -> None:
    """Print the difference of both gradients and what each stores, then the costs of learning at every step."""
    net = Network()
    print("steps   largest |RTRL − BPTT|   nodes of the graph   numbers carried forward")
    for steps in lengths:
        xs, ys = sequence(steps)
        forward, backward = real_time_gradient(net, xs, ys), backpropagation_through_time(net, xs, ys)
        difference = max(abs(forward[theta] - backward[theta]) for theta in forward)
        nodes = len(topological_sort(unfolded_cost(net, xs, ys)))
        carried = net.cell.nhidden * (1 + len(net.cell.parameters()))
        print(f"{steps:5}   {difference:21.0e}   {nodes:18,}   {carried:23,}")
    print(f"\nlearning to repeat the input of {LAG} steps before, one update for each step")
    costs = learn_online(net, *sequence(online_steps, rng=1))
    part = max(1, online_steps // 5)
    for start in range(0, online_steps, part):
        costs_of_part = costs[start : start + part]
        print(f"steps {start + 1:5} to {start + len(costs_of_part):5}: mean E_t = {_mean(costs_of_part):.4f}")


def _dot(a: Sequence[float], b: Sequence[float]) -> float:
    return math.fsum(a_k * b_k for a_k, b_k in zip(a, b))


def _mean(numbers: Sequence[float]) -> float:
    return math.fsum(numbers) / len(numbers)


if __name__ == "__main__":
    main()

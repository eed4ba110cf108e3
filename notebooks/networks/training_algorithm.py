"""The training algorithm of document 004: one update for each example, until the error rate on V no longer falls.

    repeat
        shuffle the training set D
        for each example (x, y) of D
            compute zˡ = Wˡ aˡ⁻¹ + bˡ and aˡ = f_l(zˡ) of every layer, with a⁰ = x
            compute δˡ = ∂L/∂zˡ of every layer
            Wˡ ← Wˡ − α (δˡ aˡ⁻¹ᵀ + λ Wˡ),   bˡ ← bˡ − α δˡ
    until the error rate on the validation set V no longer falls

L = −yᵀ ln ŷ, and λ/2 ‖W‖²_F is the regulariser of the structural risk, which leaves biases out. δˡ is read off
`grad_table`, whose keys include the net inputs zˡ. An error rate changes in steps of 1/|V| and may stay the same for a
while, so "no longer falls" is taken over several epochs, the patience; the parameters of the best epoch are returned.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, NamedTuple

from microgradlib import grad_table, no_grad
from microgradlib.costs import cross_entropy_from_probabilities
from microgradlib.data import Dataset, iris, split, standardise
from microgradlib.nn import MLP

Example = tuple[Sequence[float], int]


class Propagation(NamedTuple):
    """The net inputs zˡ and the outputs aˡ of every layer; a⁰ is the input."""

    z: list[list[Any]]
    a: list[list[Any]]


class Epoch(NamedTuple):
    """The mean cost of the training examples, each before its update, and the error rate on V afterwards."""

    cost: float
    error_rate: float


def forward(model: MLP, x: Sequence[float]) -> Propagation:
    """Return zˡ = Wˡ aˡ⁻¹ + bˡ and aˡ = f_l(zˡ) of every layer."""
    z: list[list[Any]] = []
    a: list[list[Any]] = [list(x)]
    for layer in model.layers:
        z.append(layer.net_inputs(a[-1]))
        a.append(layer.activated(z[-1]))
    return Propagation(z, a)


def update(model: MLP, x: Sequence[float], y: int, alpha: float, lambda_: float) -> float:
    """Update the parameters by one example, and return its cost before."""
    z, a = forward(model, x)
    cost = cross_entropy_from_probabilities(a[-1], y)
    table = grad_table(cost)
    for layer, z_l, a_before in zip(model.layers, z, a):
        for neuron, z_i in zip(layer.neurons, z_l):
            delta_i = table[z_i]
            for w_ij, a_j in zip(neuron.w, a_before):
                w_ij.data -= alpha * (delta_i * float(a_j) + lambda_ * w_ij.data)
            if neuron.b is not None:
                neuron.b.data -= alpha * delta_i
    return float(cost)


def error_rate(model: MLP, examples: Sequence[Example]) -> float:
    """Return the fraction of the examples whose most probable class is wrong."""
    with no_grad():
        outputs = [[float(p) for p in model(x)] for x, _ in examples]
    wrong = [y_hat.index(max(y_hat)) != y for y_hat, (_, y) in zip(outputs, examples)]
    return sum(wrong) / len(examples)


def train(
    model: MLP,
    training: Sequence[Example],
    validation: Sequence[Example],
    *,
    alpha: float = 0.1,
    lambda_: float = 1e-3,
    patience: int = 10,
    rng: int = 0,
) -> list[Epoch]:
    """Run the algorithm; the model then has the parameters of the epoch with the lowest error rate, the first of them.

    It ends after `patience` epochs without a new lowest error rate.
    """
    generator = random.Random(rng)
    epochs: list[Epoch] = []
    best, best_epoch, best_parameters = float("inf"), 0, model.state_dict()
    while len(epochs) - best_epoch < patience:
        shuffled = generator.sample(training, len(training))
        costs = [update(model, x, y, alpha, lambda_) for x, y in shuffled]
        epochs.append(Epoch(sum(costs) / len(costs), error_rate(model, validation)))
        if epochs[-1].error_rate < best:
            best, best_epoch, best_parameters = epochs[-1].error_rate, len(epochs), model.state_dict()
    model.load_state_dict(best_parameters)
    return epochs


def network(rng: int = 0) -> MLP:
    """Return a network with one hidden layer of five logistic units and a softmax output, for the irises."""
    return MLP([4, 5, 3], activation="sigmoid", output="softmax", rng=rng)


def examples(data: Dataset) -> list[Example]:
    """Return the pairs (x, y) of a data set."""
    return list(zip(data.inputs, data.targets))


def main(alpha: float = 0.1, lambda_: float = 1e-3, patience: int = 10) -> None:
    """Print the mean cost and the error rate of every epoch on the irises, and the epoch whose parameters are kept."""
    d, v = standardise(*split(iris(), held_out=1 / 3))
    model, validation = network(), examples(v)
    epochs = train(model, examples(d), validation, alpha=alpha, lambda_=lambda_, patience=patience)
    print(f"α = {alpha:g}, λ = {lambda_:g}, {len(d)} examples in D, {len(v)} in V\nepoch   mean cost   error rate on V")
    best = min(range(len(epochs)), key=lambda t: epochs[t].error_rate)
    for t, (cost, rate) in enumerate(epochs):
        print(f"{t + 1:5}   {cost:9.4f}   {rate:15.1%}{'   lowest' * (t == best)}")
    print(f"The error rate has not fallen for {patience} epochs; with the parameters of epoch {best + 1} it is "
          f"{error_rate(model, validation):.1%}.")  # fmt: skip


if __name__ == "__main__":
    main()

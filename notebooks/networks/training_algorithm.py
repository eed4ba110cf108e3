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
`fit` does the same with batches of one example, weight decay of the weights alone, and `EarlyStopping`.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, NamedTuple

from microgradlib import grad_table, no_grad
from microgradlib.costs import cross_entropy_from_probabilities
from microgradlib.data import Dataset, iris, split, standardise
from microgradlib.metrics import accuracy
from microgradlib.nn import MLP
from microgradlib.optim import SGD
from microgradlib.training import EarlyStopping, fit, random_order


class Settings(NamedTuple):
    """The learning rate α, the coefficient λ of the regulariser, and how many epochs to wait for a lower error rate."""

    alpha: float = 0.1
    lambda_: float = 1e-3
    patience: int = 10


SETTINGS = Settings()


class Propagation(NamedTuple):
    """The net inputs zˡ and the outputs aˡ of every layer; a⁰ is the input."""

    z: list[list[Any]]
    a: list[list[Any]]


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


def error_rate(model: MLP, data: Dataset) -> float:
    """Return the fraction of the examples whose most probable class is wrong."""
    with no_grad():
        outputs = [[float(p) for p in model(x)] for x in data.inputs]
    return 1 - accuracy([y_hat.index(max(y_hat)) for y_hat in outputs], data.targets)


def train(model: MLP, d: Dataset, v: Dataset, settings: Settings, rng: int = 0) -> list[float]:
    """Run the algorithm; return the error rates on V, before training and after each epoch.

    It ends after `patience` epochs without a new lowest error rate; the model then has the parameters of the first
    epoch with the lowest.
    """
    alpha, lambda_, patience = settings
    generator, rule = random.Random(rng), EarlyStopping(patience)
    rates = [error_rate(model, v)]
    while not rule.ends(len(rates) - 1, rates[-1], model):
        for n in random_order(len(d), generator):
            update(model, d.inputs[n], d.targets[n], alpha, lambda_)
        rates.append(error_rate(model, v))
    rule.restore(model)
    return rates


def train_by_fit(model: MLP, d: Dataset, v: Dataset, settings: Settings, rng: int = 0) -> list[float]:
    """Do the same by `fit`: W ← W − α (∂L/∂W + λ W) is gradient descent with weight decay, for the weights alone."""
    alpha, lambda_, patience = settings
    biases = [neuron.b for layer in model.layers for neuron in layer.neurons]
    groups: list[dict[str, Any]] = [{"params": model.weights(), "weight_decay": lambda_}, {"params": biases}]
    history = fit(
        model, cross_entropy_from_probabilities, d.inputs, d.targets, validation=(v.inputs, v.targets),
        epochs=1000, batch_size=1, optimizer=SGD(groups, lr=alpha), rng=rng, progress=False,
        early_stopping=EarlyStopping(patience, monitor="error_rate"),
    )  # fmt: skip
    return [1 - accuracy for accuracy in history.validation_accuracy]


def network(rng: int = 0) -> MLP:
    """Return a network with one hidden layer of five logistic units and a softmax output, for the irises."""
    return MLP([4, 5, 3], activation="sigmoid", output="softmax", rng=rng)


def main(settings: Settings = SETTINGS) -> None:
    """Print the error rate of every epoch on the irises, the epoch whose parameters are kept, and what `fit` does."""
    d, v = standardise(*split(iris(), held_out=1 / 3))
    model, twin = network(), network()
    rates = train(model, d, v, settings)
    print(f"α = {settings.alpha:g}, λ = {settings.lambda_:g}; {len(d)} examples in D, {len(v)} in V")
    print("epoch   error rate on V")
    best = rates.index(min(rates))
    for epoch, rate in enumerate(rates):
        print(f"{epoch:5}   {rate:15.1%}{'   lowest' * (epoch == best)}")
    print(f"It has not fallen for {settings.patience} epochs: the parameters are those of epoch {best}.")
    same_rates = train_by_fit(twin, d, v, settings)
    difference = max(abs(p.data - q.data) for p, q in zip(model.parameters(), twin.parameters()))
    print(f"fit ends after epoch {len(same_rates) - 1}; its parameters differ by at most {difference:.0e}.")


if __name__ == "__main__":
    main()

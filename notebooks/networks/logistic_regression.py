"""Logistic regression, a network without hidden layer: one neuron, σ(wᵀx + b) (document 001; *Deep Learning*, 6.2.2.2).

Trained on two Gaussian blobs by cross-entropy, whose gradient is (ŷ − y)x, plus weight decay ½λ‖w‖². The cost is
convex, so training ends at the same weights from every start. For equally frequent classes N(μ_k, s²I) the true
probability of class 1 is itself σ(wᵀx + b), with w = (μ_1 − μ_0)/s² and b = (‖μ_0‖² − ‖μ_1‖²)/2s².
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from microgradlib import grad_table, mean, sum as total
from microgradlib.costs import binary_cross_entropy
from microgradlib.data import Dataset, blobs
from microgradlib.nn import Neuron
from microgradlib.optim import SGD
from microgradlib.regularisers import L2
from microgradlib.training import fit

CENTRES, SPREAD = ((-1.0, 0.0), (1.0, 1.0)), 0.8


class Line(NamedTuple):
    """The weights of a neuron with two inputs; ŷ = ½ on the line w_1 x_1 + w_2 x_2 + b = 0."""

    w: tuple[float, float]
    b: float


def points(n: int = 100, rng: int = 0) -> Dataset:
    """Return n points of two Gaussian blobs, one for each class."""
    return blobs(n, SPREAD, rng, centres=CENTRES)


def train(data: Dataset, decay: float = 0.1, rng: int = 0, epochs: int = 300) -> tuple[Line, float]:
    """Return the weights after gradient descent on all examples, and the accuracy."""
    model = Neuron(2, "sigmoid", rng=rng)
    history = fit(
        model, binary_cross_entropy, data.inputs, data.targets, epochs=epochs, batch_size=None,
        optimizer=partial(SGD, lr=2.0), regulariser=L2(decay), progress=False,
    )  # fmt: skip
    w_1, w_2, b = model.state_dict().values()
    return Line((w_1, w_2), b), history.accuracy[-1]


def gradients(line: Line, data: Dataset, decay: float = 0.0) -> tuple[list[float], list[float]]:
    """Return ∂R/∂(w_1, w_2, b) by backpropagation, and by the formula 1/n Σ (ŷ − y)(x_1, x_2, 1) + λ(w_1, w_2, 0)."""
    model = Neuron(2, "sigmoid")
    model.load_state_dict({"w.0": line.w[0], "w.1": line.w[1], "b": line.b})
    outputs = [model(x) for x in data.inputs]
    table = grad_table(mean(map(binary_cross_entropy, outputs, data.targets)) + L2(decay)(model))
    errors = [y_hat.data - y for y_hat, y in zip(outputs, data.targets)]
    by_hand = [
        total(e * x_d for e, x_d in zip(errors, column)) / len(data) + decay * w_d
        for column, w_d in zip([*zip(*data.inputs), [1.0] * len(data)], [*line.w, 0.0])
    ]
    return [table[p] for p in model.parameters()], by_hand


def true_line(centres: Sequence[Sequence[float]] = CENTRES, spread: float = SPREAD) -> Line:
    """Return the weights for which σ(wᵀx + b) is the true probability of class 1."""
    mu_0, mu_1 = centres
    w = tuple((m_1 - m_0) / spread**2 for m_0, m_1 in zip(mu_0, mu_1))
    return Line((w[0], w[1]), total(m_0**2 - m_1**2 for m_0, m_1 in zip(mu_0, mu_1)) / (2 * spread**2))


def main(starts: int = 3, many: int = 1000) -> None:
    """Print the weights from several starts and decays, and the true ones."""
    data = points()
    print("100 points, R = mean cross-entropy + ½λ‖w‖²\n   λ   start     w_1       w_2       b     accuracy")
    for decay in (0.1, 0.01):
        for rng in range(starts):
            line, accuracy = train(data, decay, rng)
            print(f"{decay:5}  {rng:4}   {_row(line)}   {accuracy:.0%}")
    print(f"\ntrue weights     {_row(true_line())}")
    print(f"{many:5,} points    {_row(train(points(many), decay=0.0, epochs=120)[0])}   λ = 0")
    backpropagated, by_hand = gradients(true_line(), data)
    difference = max(abs(g - g_0) for g, g_0 in zip(backpropagated, by_hand))
    print(f"\nbackpropagation and 1/n Σ (ŷ − y)(x, 1) differ by at most {difference:.0e}")


def _row(line: Line) -> str:
    return "  ".join(f"{number:8.5f}" for number in (*line.w, line.b))


if __name__ == "__main__":
    main()

"""*Deep Learning*, 6.5.7, fig. 6.11 (documents 000, 003): the two gradient paths into the weights of an MLP.

H = max(0, X W⁽¹⁾) and U⁽²⁾ = H W⁽²⁾, without biases; J = J_MLE + λ(Σ(W⁽¹⁾)² + Σ(W⁽²⁾)²). The gradient
reaches the weights along two paths: through the cross-entropy, and through the weight decay, which always adds 2λW.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from microgradlib import Value, grad_table, topological_sort
from microgradlib.costs import cross_entropy
from microgradlib.nn import MLP
from microgradlib.regularisers import l2_norm

Matrix = list[list[float]]

X = [(0.9, 0.1), (0.8, -0.3), (-0.7, 0.6), (-0.5, 0.9), (-0.2, -0.8), (0.1, -0.9)]  # the design matrix of a mini-batch
Y = [0, 0, 1, 1, 2, 2]  # its labels, three classes
LAMBDA = 0.05


class Cost(NamedTuple):
    """The nodes J_MLE, λΩ and J = J_MLE + λΩ of fig. 6.11."""

    mle: Any
    decay: Any
    total: Any


class Paths(NamedTuple):
    """Derivatives with respect to a matrix W, in its shape: one row for each input, one column for each unit."""

    through_cross_entropy: Matrix
    through_decay: Matrix
    total: Matrix


def network(rng: int = 0, hidden: int = 4) -> MLP:
    """Return the MLP of the figure: 2 inputs, ReLU units, 3 classes, no biases."""
    return MLP([2, hidden, 3], activation="relu", bias=False, rng=rng)


def weight_matrix(model: MLP, layer: int) -> list[list[Value]]:
    """Return W of X W: the weights of a neuron are a column of W."""
    return [list(row) for row in zip(*[neuron.w for neuron in model.layers[layer].neurons])]


def cost(model: MLP, x: Sequence[Any] = X, y: Sequence[int] = Y, lam: float = LAMBDA) -> Cost:
    """Return J_MLE, the mean cross-entropy of the mini-batch; λΣW²; and their sum J."""
    mle = cross_entropy([model(x_i) for x_i in x], y)
    decay = l2_norm(model.weights(), 2 * lam)
    return Cost(mle, decay, mle + decay)


def gradient_paths(model: MLP, j: Cost, layer: int) -> Paths:
    """Return the gradients of J_MLE, of the decay, and of J, each from a separate grad_table."""
    w = weight_matrix(model, layer)
    tables = [grad_table(j.mle), grad_table(j.decay), grad_table(j.total)]
    return Paths(*[[[table[w_ij] for w_ij in row] for row in w] for table in tables])


def contributions(j: Cost, w: Value) -> list[tuple[str, float]]:
    """Return, for each node C computed from w, the path that C is on and its contribution ∂J/∂C · ∂C/∂w to ∂J/∂w."""
    table, decay_nodes = grad_table(j.total), set(topological_sort(j.decay))
    return [
        ("decay" if consumer in decay_nodes else "cross-entropy", table[consumer] * local_derivative)
        for consumer in table
        for parent, local_derivative in zip(consumer.parents, consumer.local_derivatives)
        if parent is w
    ]


def main() -> None:
    """Print both gradients of both matrices, and all contributions to the gradient of one weight."""
    model = network()
    j = cost(model)
    print(f"J = J_MLE + λΩ = {j.mle.data:.6f} + {j.decay.data:.6f} = {j.total.data:.6f},  λ = {LAMBDA}")
    for layer in (0, 1):
        paths = gradient_paths(model, j, layer)
        print(f"\nW{layer + 1}   cross-entropy   + decay 2λW   = total")
        for row, gradients in enumerate(zip(*paths)):
            for column, (mle, decay, total) in enumerate(zip(*gradients)):
                print(f"{row + 1}{column + 1}   {mle:+.6f}       {decay:+.6f}     {total:+.6f}")
    w = weight_matrix(model, 0)[0][0]
    print(f"\nW1[1][1] = {w.data:+.6f} is used in a net input for each example (0 where its ReLU is 0), twice in w·w")
    for path, contribution in contributions(j, w):
        print(f"  {path:13} {contribution + 0.0:+.6f}")


if __name__ == "__main__":
    main()

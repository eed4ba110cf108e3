"""Lecture 8, 5.6 (document 002): the worked example, with δ from grad_table and all gradients in closed form.

Two inputs, three tanh units, one regression and one binary output, `MLP([2, 3, 2], activation="tanh", output=["linear",
"sigmoid"])`; the cost is the sum of those of both outputs. A bias is the weight w_k0 of an input z_0 = 1. Three indices
are misprinted in the document and corrected here: w_31 in a_3⁽¹⁾ (printed w_21), ŷ_2 = σ(a_2⁽²⁾) (printed a_1⁽²⁾), and
δ_3⁽¹⁾ with tanh²(a_3⁽¹⁾) (printed a_2⁽¹⁾).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from microgradlib import dot, grad_table, sigmoid, tanh
from microgradlib.costs import binary_cross_entropy, squared_error
from microgradlib.nn import MLP

Matrix = Sequence[Sequence[float]]

INPUTS, TARGETS = (0.5, -1.0), (0.3, 1.0)
W1 = [[0.1, 0.4, -0.2], [-0.3, 0.2, 0.5], [0.2, -0.6, 0.1]]  # row k: w_k0⁽¹⁾, w_k1⁽¹⁾, w_k2⁽¹⁾
W2 = [[0.2, 0.7, -0.5, 0.3], [-0.1, 0.4, 0.6, -0.8]]  # row k: w_k0⁽²⁾ … w_k3⁽²⁾


class Activations(NamedTuple):
    """The results of forward propagation: net inputs a, outputs z of the hidden units, outputs ŷ."""

    a1: list[Any]
    z1: list[Any]
    a2: list[Any]
    y_hat: list[Any]


class Gradients(NamedTuple):
    """The results of backpropagation: δ = ∂L/∂a of both layers, and ∂L/∂w of both matrices."""

    delta1: list[float]
    delta2: list[float]
    dw1: list[list[float]]
    dw2: list[list[float]]


def forward(x: Sequence[float], w1: Any, w2: Any) -> Activations:
    """Return a⁽¹⁾ = W⁽¹⁾ x̄, z⁽¹⁾ = tanh a⁽¹⁾, a⁽²⁾ = W⁽²⁾ z̄⁽¹⁾ and ŷ = (a_1⁽²⁾, σ(a_2⁽²⁾)), written out."""
    a1 = [dot(w_k, [1.0, *x]) for w_k in w1]
    z1 = [tanh(a) for a in a1]
    a2 = [dot(w_k, [1.0, *z1]) for w_k in w2]
    return Activations(a1, z1, a2, [a2[0], sigmoid(a2[1])])


def loss(y_hat: Sequence[Any], y: Sequence[float]) -> Any:
    """Return L = ½ (y_1 − ŷ_1)² − [y_2 ln ŷ_2 + (1 − y_2) ln(1 − ŷ_2)]."""
    return squared_error(y_hat[0], y[0]) + binary_cross_entropy(y_hat[1], y[1])


def network(w1: Matrix, w2: Matrix) -> MLP:
    """Return the network with the weights w_kj of both matrices, the biases w_k0 among them."""
    model = MLP([2, 3, 2], activation="tanh", output=["linear", "sigmoid"])
    for layer, matrix in zip(model.layers, (w1, w2)):
        for neuron, (w_k0, *w_k) in zip(layer.neurons, matrix):
            for parameter, number in zip(neuron.parameters(), [*w_k, w_k0]):
                parameter.data = number
    return model


def backpropagate(x: Sequence[float], y: Sequence[float], w1: Matrix, w2: Matrix) -> Gradients:
    """Return δ and the gradients from one grad_table, whose keys include net inputs and weights."""
    hidden, output = network(w1, w2).layers
    a1 = hidden.net_inputs(x)
    a2 = output.net_inputs(hidden.activated(a1))
    table = grad_table(loss(output.activated(a2), y))
    dw1, dw2 = ([[table[w] for w in (n.b, *n.w)] for n in layer.neurons] for layer in (hidden, output))
    return Gradients(delta1=[table[a] for a in a1], delta2=[table[a] for a in a2], dw1=dw1, dw2=dw2)


def closed_form(x: Sequence[float], y: Sequence[float], w1: Matrix, w2: Matrix) -> Gradients:
    """Return the same from formulas: δ_k⁽²⁾ = ŷ_k − y_k, δ_j⁽¹⁾ = (1 − z_j²) Σ_k w_kj⁽²⁾ δ_k⁽²⁾, ∂L/∂w_kj = δ_k z_j."""
    _, z1, _, y_hat = forward(x, w1, w2)
    delta2 = [y_hat_k - y_k for y_hat_k, y_k in zip(y_hat, y)]
    delta1 = [(1 - z1[j] ** 2) * dot([w_k[j + 1] for w_k in w2], delta2) for j in range(len(z1))]
    dw1 = [[d * x_i for x_i in (1.0, *x)] for d in delta1]
    dw2 = [[d * z_j for z_j in (1.0, *z1)] for d in delta2]
    return Gradients(delta1, delta2, dw1, dw2)


def largest_difference(one: Gradients, other: Gradients) -> float:
    """Return the largest absolute difference between two sets of δ and gradients."""
    pairs = [*zip(one.delta1, other.delta1), *zip(one.delta2, other.delta2)]
    for row, other_row in zip([*one.dw1, *one.dw2], [*other.dw1, *other.dw2]):
        pairs += zip(row, other_row)
    return max(abs(a - b) for a, b in pairs)


def main() -> None:
    """Print the forward pass, δ, both gradients, and their largest difference from the closed forms."""
    net = forward(INPUTS, W1, W2)
    print(f"forward   a1 = {_row(net.a1)}   z1 = {_row(net.z1)}")
    print(f"          a2 = {_row(net.a2)}           ŷ  = {_row(net.y_hat)}   L = {loss(net.y_hat, TARGETS):.6f}")
    g = backpropagate(INPUTS, TARGETS, W1, W2)
    print(f"backward  δ2 = {_row(g.delta2)}           δ1 = {_row(g.delta1)}")
    for layer, gradient in ((2, g.dw2), (1, g.dw1)):
        print(f"\n∂L/∂W{layer}, row k: bias w_k0, then w_k1 …")
        for k, row in enumerate(gradient, start=1):
            print(f"  {k}  {_row(row)}")
    difference = largest_difference(g, closed_form(INPUTS, TARGETS, W1, W2))
    print(f"\nThe closed forms differ by at most {difference:.0e}.")


def _row(numbers: Sequence[float]) -> str:
    return " ".join(f"{number:+.6f}" for number in numbers)


if __name__ == "__main__":
    main()

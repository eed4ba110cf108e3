"""The four equations of backpropagation, and both paths of fig. 6.11, off grad_table, wherever the weights are."""

import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from microgradlib import grad_table
from microgradlib.costs import binary_cross_entropy, cross_entropy, squared_error
from microgradlib.nn import MLP
from microgradlib.regularisers import l2_norm

numbers = st.floats(-2, 2)


def rows(count, length):
    return st.lists(st.lists(numbers, min_size=length, max_size=length), min_size=count, max_size=count)


def set_weights(model, matrices):
    """The weights of `model` from a matrix for each layer: a row for each unit, its bias last where it has one."""
    for layer, matrix in zip(model.layers, matrices, strict=True):
        for neuron, row in zip(layer.neurons, matrix, strict=True):
            for parameter, number in zip(neuron.parameters(), row, strict=True):
                parameter.data = number


def by_hand(x, y, w1, w2):
    """Both δ and the gradients of two inputs, three tanh units, a linear and a sigmoid output, by math alone."""
    a = [math.tanh(w[0] * x[0] + w[1] * x[1] + w[2]) for w in w1]
    z2 = [w[0] * a[0] + w[1] * a[1] + w[2] * a[2] + w[3] for w in w2]
    delta2 = [z2[0] - y[0], 1 / (1 + math.exp(-z2[1])) - y[1]]
    delta1 = [(1 - a[j] ** 2) * (w2[0][j] * delta2[0] + w2[1][j] * delta2[1]) for j in range(3)]
    return delta2, delta1, np.outer(delta2, [*a, 1.0]), np.outer(delta1, [*x, 1.0])


@settings(max_examples=50, deadline=None)
@given(x=st.tuples(numbers, numbers), y=st.tuples(numbers, st.sampled_from([0.0, 1.0])), w1=rows(3, 3), w2=rows(2, 4))
def test_delta_and_gradients_are_rows_of_grad_table(x, y, w1, w2):
    model = MLP([2, 3, 2], activation="tanh", output=["linear", "sigmoid"])
    set_weights(model, (w1, w2))
    hidden, output = model.layers
    z1 = hidden.net_inputs(x)
    z2 = output.net_inputs(hidden.activated(z1))
    y_hat = output.activated(z2)
    table = grad_table(squared_error(y_hat[0], y[0]) + binary_cross_entropy(y_hat[1], y[1]))
    delta2, delta1, dw2, dw1 = by_hand(x, y, w1, w2)
    assert [table[z] for z in z2] == pytest.approx(delta2, rel=1e-13, abs=1e-14)
    assert [table[z] for z in z1] == pytest.approx(delta1, rel=1e-13, abs=1e-14)
    for layer, expected in ((output, dw2), (hidden, dw1)):
        found = [[table[p] for p in neuron.parameters()] for neuron in layer.neurons]
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-14)


X = np.array([(0.9, 0.1), (0.8, -0.3), (-0.7, 0.6), (-0.5, 0.9), (-0.2, -0.8), (0.1, -0.9)])
LABELS = [0, 0, 1, 1, 2, 2]


@settings(max_examples=15, deadline=None)
@given(rng=st.integers(0, 1000), lam=st.floats(0, 1))
def test_cross_entropy_and_decay_are_the_two_paths_into_both_matrices(rng, lam):
    model = MLP([2, 4, 3], activation="relu", bias=False, rng=rng)
    matrices = [[list(neuron.w) for neuron in layer.neurons] for layer in model.layers]
    w1, w2 = (np.array([[w.data for w in row] for row in matrix]).T for matrix in matrices)
    h = np.maximum(0, X @ w1)
    scores = np.exp(h @ w2)
    g = (scores / scores.sum(axis=1, keepdims=True) - np.eye(3)[LABELS]) / len(X)
    through_cost = [X.T @ ((g @ w2.T) * (X @ w1 > 0)), h.T @ g]
    table = grad_table(cross_entropy([model(x) for x in X], LABELS) + l2_norm(model.weights(), 2 * lam))
    for matrix, w, expected in zip(matrices, (w1, w2), through_cost, strict=True):
        found = np.array([[table[w] for w in row] for row in matrix]).T
        np.testing.assert_allclose(found, expected + 2 * lam * w, rtol=0, atol=2e-14)

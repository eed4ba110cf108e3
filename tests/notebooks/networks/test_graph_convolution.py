"""The graph convolution against its matrix form, its equivariance, and what it learns from two labels."""

import random

import numpy as np
import pytest

ROUNDING = {"rtol": 0, "atol": 1e-12}


def adjacency(edges, n):
    a = np.zeros((n, n))
    for i, j in edges:
        a[i, j] = a[j, i] = 1.0
    return a


def numbers(rows):
    return np.array([[float(value.data) for value in row] for row in rows])


def by_matrices(a, x, model):
    """softmax is left out: the logits tanh(Â X W) V + b."""
    a = a + np.eye(len(a))
    scale = np.diag(a.sum(axis=1) ** -0.5)
    w = numbers(model.convolution.w).T
    v = numbers([neuron.w for neuron in model.output.neurons]).T
    b = np.array([neuron.b.data for neuron in model.output.neurons])
    return np.tanh(scale @ a @ scale @ x @ w) @ v + b


def test_normalised_adjacency_and_logits_are_the_matrix_form(script):
    graph = script("graph_convolution")
    n = len(graph.COMMUNITY)
    a = adjacency(graph.EDGES, n)
    a_hat = graph.normalised_adjacency(graph.EDGES, n)
    degree = (a + np.eye(n)).sum(axis=1)
    np.testing.assert_allclose(a_hat, (a + np.eye(n)) / np.sqrt(np.outer(degree, degree)), **ROUNDING)
    x = np.random.default_rng(0).normal(size=(n, 3))
    model = graph.Network(3, rng=4)
    np.testing.assert_allclose(numbers(model(a_hat, x.tolist())), by_matrices(a, x, model), **ROUNDING)


@pytest.mark.parametrize("rng", range(4))
def test_renumbering_the_nodes_renumbers_the_outputs(script, rng):
    graph = script("graph_convolution")
    n = len(graph.COMMUNITY)
    number_of = random.Random(rng).sample(range(n), n)  # node i gets this number
    edges = [(number_of[i], number_of[j]) for i, j in graph.EDGES]
    x = np.random.default_rng(rng).normal(size=(n, 3)).tolist()
    renumbered_x = [None] * n
    for i, row in enumerate(x):
        renumbered_x[number_of[i]] = row
    model = graph.Network(3, rng=rng)
    outputs = numbers(model(graph.normalised_adjacency(graph.EDGES, n), x))
    renumbered = numbers(model(graph.normalised_adjacency(edges, n), renumbered_x))
    np.testing.assert_allclose(renumbered[number_of], outputs, **ROUNDING)
    assert not np.allclose(renumbered, outputs)


@pytest.mark.parametrize("rng", range(4))
def test_two_labels_name_every_node_whatever_the_seed(script, rng):
    graph = script("graph_convolution")
    n = len(graph.COMMUNITY)
    a_hat, x = graph.normalised_adjacency(graph.EDGES, n), graph.identity(n)
    model, costs = graph.train(a_hat, x, rng=rng)
    assert graph.predicted_classes(model, a_hat, x) == graph.COMMUNITY
    assert costs[-1] < 0.05 < costs[0]


def test_without_edges_only_the_labelled_nodes_learn(script):
    graph = script("graph_convolution")
    n = len(graph.COMMUNITY)
    a_hat, x = graph.normalised_adjacency([], n), graph.identity(n)
    before = numbers(graph.Network(n).convolution.w)
    after = numbers(graph.train(a_hat, x).model.convolution.w)
    moved = np.any(before != after, axis=0)
    assert np.flatnonzero(moved).tolist() == graph.LABELLED


def test_the_first_steps_are_those_of_gradient_descent(script):
    graph = script("graph_convolution")
    n = len(graph.COMMUNITY)
    a, x = adjacency(graph.EDGES, n), np.eye(n)
    start = graph.Network(n)
    z = by_matrices(a, x, start)[graph.LABELLED]
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    g = (p - np.eye(2)) / 2  # node 0 is of class 0, node 6 of class 1
    [after] = [graph.train(graph.normalised_adjacency(graph.EDGES, n), x.tolist(), steps=1, rate=0.5).model]
    b_before, b_after = ([n.b.data for n in model.output.neurons] for model in (start, after))
    np.testing.assert_allclose(b_after, b_before - 0.5 * g.sum(axis=0), **ROUNDING)
    hidden = numbers(start.convolution(graph.normalised_adjacency(graph.EDGES, n), x.tolist()))[graph.LABELLED]
    v_before, v_after = (numbers([n.w for n in model.output.neurons]) for model in (start, after))
    np.testing.assert_allclose(v_after, v_before - 0.5 * g.T @ hidden, **ROUNDING)


def test_main(script, capsys):
    script("graph_convolution").main()
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[2:]]
    assert len(rows) == 12
    assert all(row[3] == row[4] for row in rows)
    assert [int(row[0]) for row in rows if row[-1] == "labelled"] == [0, 6]

"""Jacobians of compiled functions and outputs carried along, held to the eager engine."""

import random
import tracemalloc

import numpy as np
import pytest
from eager_oracle import assert_close, assert_jacobian_matches_eager
from hypothesis import given, settings, strategies as st

import microgradlib as mg
from microgradlib import Value, costs, nn
from microgradlib.compiler import compile as compiled
from microgradlib.compiler.engines import engine, numpy_engine
from microgradlib.testing import graphs


@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid", "softplus"])
def test_the_jacobian_of_an_mlp(activation) -> None:
    model = nn.MLP([3, 5, 4, 2], activation=activation, rng=0)
    rows = np.random.default_rng(0).uniform(-2, 2, (6, 3)).tolist()
    assert_jacobian_matches_eager(model, model.parameters(), rows)


@pytest.mark.parametrize("module", [nn.Softmax(), nn.LogSoftmax(), nn.LayerNorm(3), nn.Maxout(3, 2, rng=0)], ids=str)
def test_the_jacobian_of_modules(module) -> None:
    assert_jacobian_matches_eager(module, module.parameters(), [[1.0, -2.0, 0.5], [0.0, 0.0, 1.0]])


def test_the_jacobian_of_a_signal() -> None:
    conv = nn.Conv1d(2, 2, 2, activation="tanh", rng=0)
    assert_jacobian_matches_eager(conv, conv.parameters(), np.random.default_rng(0).uniform(-1, 1, (3, 2, 4)).tolist())


def test_outputs_that_are_leaves_or_constant_or_the_same() -> None:
    w = Value(2.0)
    assert_jacobian_matches_eager(lambda x: [x[0], w, 3.0, x[0], w * x[1], mg.exp(w)], [w], [[1.0, 2.0], [3.0, 4.0]])


def test_in_blocks(monkeypatch) -> None:
    monkeypatch.setattr(numpy_engine, "CACHE_BYTES", 1)
    monkeypatch.setattr(numpy_engine, "SMALLEST_BLOCK", 3)
    assert_jacobian_matches_eager(lambda x: [x[0] * x[1], mg.sin(x[0])], [], [[0.1 * i, 1.0 + i] for i in range(11)])


@settings(max_examples=40, deadline=None)
@given(graphs(inputs=4, max_nodes=12), st.integers(1, 4), st.integers(0, 2**16))
def test_the_jacobian_of_random_graphs(graph, batch, seed) -> None:
    rng = random.Random(seed)
    rows = [[x + rng.uniform(-0.01, 0.01) * (i > 0) for x in graph.inputs] for i in range(batch)]
    assert_jacobian_matches_eager(lambda xs: [graph(*xs), xs[0] * graph(*xs)], [], rows, times=100)


def test_several_outputs_and_the_gradient_of_the_first() -> None:
    model = nn.MLP([2, 4, 3], activation="tanh", rng=0)
    x, y = [[0.5, -1.0], [2.0, 0.25], [0.0, 0.0]], [0, 2, 1]

    def loss(x, y):
        return costs.cross_entropy(model(x), y)

    def loss_and_scores(x, y):
        scores = model(x)
        return costs.cross_entropy(scores, y), scores

    (values, scores), gradient = compiled(loss_and_scores, model.parameters()).values_and_grad(x, y)
    alone = compiled(loss, model.parameters())
    assert_close(values.tolist(), alone(x, y).tolist())
    assert_close(gradient.tolist(), alone.value_and_grad(x, y)[1].tolist())
    assert_close(np.transpose(scores).ravel().tolist(), compiled(model, model.parameters())(x).ravel().tolist())


def test_a_wide_jacobian_is_made_in_parts() -> None:
    w = [Value(0.01 * k) for k in range(300)]
    rows = np.random.default_rng(0).uniform(-1, 1, (50, 2))
    fast = compiled(lambda x: [mg.tanh(v * x[0] + x[1]) for v in w], w)
    fast(rows)
    tracemalloc.start()
    try:
        found = fast.jacobian(rows)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 60e6
    slopes = 1 - np.tanh(rows[:, :1] * [v.data for v in w] + rows[:, 1:]) ** 2
    np.testing.assert_allclose(found, np.stack([slopes * [v.data for v in w], slopes], 2), rtol=1e-12)


@pytest.mark.parametrize(("rows", "seeds"), [(1, 100), (4, 100), (7, 100), (100, 2), (100, 9)])
def test_parts_of_any_size_give_the_same_jacobian(monkeypatch, rows, seeds) -> None:
    model, batch = nn.MLP([2, 3, 3], activation="tanh", rng=0), np.random.default_rng(0).uniform(-1, 1, (5, 2))
    expected = compiled(model, model.parameters()).jacobian(batch)
    monkeypatch.setattr(engine, "ROWS", rows)
    monkeypatch.setattr(engine, "SEEDS", seeds)
    np.testing.assert_allclose(compiled(model, model.parameters()).jacobian(batch), expected, rtol=1e-14)

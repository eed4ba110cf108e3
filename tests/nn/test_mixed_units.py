"""Units of different kinds in one layer: values, gradients, their costs, the spellings of MLP."""

import random

import pytest
from hypothesis import given, settings, strategies as st

from microgradlib import Symbol, evaluate, grad_table
from microgradlib.costs import binary_cross_entropy, cross_entropy_from_probabilities, squared_error
from microgradlib.nn import ACTIVATIONS, MLP, Layer, PReLU, load, save
from microgradlib.nn.activation import activation_function

names = st.lists(st.sampled_from(sorted(ACTIVATIONS)), min_size=1, max_size=5)
numbers = st.floats(-2, 2)


def randomised(model, seed=3):
    rng = random.Random(seed)
    for p in model.parameters():
        p.data = rng.uniform(-1, 1)
    return model


@settings(max_examples=15, deadline=None)
@given(names, st.integers(0, 99))
def test_each_unit_is_that_of_a_layer_of_its_kind(kinds, seed):
    layer, x = Layer(2, len(kinds), kinds, rng=seed), [0.75, -1.5]
    for k, kind in enumerate(kinds):
        same_kind = Layer(2, len(kinds), kind, rng=seed)
        assert layer.outputs(x)[k].data == same_kind.outputs(x)[k].data
    assert layer.summary_shape == f"2 → {len(kinds)} {', '.join(kinds)}"
    assert [neuron.activation for neuron in layer.neurons] == kinds


@settings(max_examples=15, deadline=None)
@given(st.lists(st.sampled_from(["linear", "sigmoid"]), min_size=1, max_size=4), st.data(), st.integers(0, 99))
def test_the_gradient_of_every_net_input_is_output_minus_target(kinds, data, seed):
    model = randomised(MLP([2, 3, len(kinds)], activation="tanh", output=kinds), seed)
    y = [data.draw(st.sampled_from([0.0, 1.0]) if kind == "sigmoid" else numbers) for kind in kinds]
    hidden = model.layers[0].outputs([0.5, -1.0])
    a = model.layers[1].net_inputs(hidden)
    y_hat = model.layers[1].activated(a)
    costs = {"linear": squared_error, "sigmoid": binary_cross_entropy}
    cost = sum(costs[kind](y_hat_k, y_k) for kind, y_hat_k, y_k in zip(kinds, y_hat, y))
    table = grad_table(cost)
    assert [table[a_k] for a_k in a] == pytest.approx([p.data - t for p, t in zip(y_hat, y)], rel=1e-12, abs=1e-15)


@settings(max_examples=10, deadline=None)
@given(st.integers(2, 5), st.data())
def test_independent_sigmoids_and_a_softmax_too(k, data):
    y = [data.draw(st.sampled_from([0.0, 1.0])) for _ in range(k)]
    layer = randomised(Layer(2, k, "sigmoid"))
    a = layer.net_inputs([0.5, -1.0])
    y_hat = layer.activated(a)
    table = grad_table(binary_cross_entropy(y_hat, y))
    assert [table[a_k] for a_k in a] == pytest.approx([p.data - t for p, t in zip(y_hat, y)], rel=1e-12)
    layer, target = randomised(Layer(2, k, "softmax")), data.draw(st.integers(0, k - 1))
    a = layer.net_inputs([0.5, -1.0])
    y_hat = layer.activated(a)
    table = grad_table(cross_entropy_from_probabilities(y_hat, target))
    expected = [p.data - (i == target) for i, p in enumerate(y_hat)]
    assert [table[a_k] for a_k in a] == pytest.approx(expected, rel=1e-12, abs=1e-15)


def test_one_activation_for_each_layer():
    of_hidden = MLP([2, 3, 4, 2], activation=["tanh", "relu"], output="sigmoid", rng=0)
    of_all = MLP([2, 3, 4, 2], activation=["tanh", "relu", "sigmoid"], rng=0)
    assert [row.shape for row in of_all.summary().rows] == ["2 → 3 tanh", "3 → 4 relu", "4 → 2 sigmoid"]
    assert [y.data for y in of_hidden([0.5, 1.0])] == [y.data for y in of_all([0.5, 1.0])]
    assert MLP([2, 1], activation=["sigmoid"]).summary().rows[0].shape == "2 → 1 sigmoid"
    mean, precision = MLP([2, 3, 1], activation=["tanh", "gaussian"], rng=0)([0.5, 1.0])
    assert precision.data > 0
    assert mean.op.name == "dot"
    assert MLP([2, 3, 1], activation=["tanh"]).summary().rows[1].shape == "3 → 1 linear"


def test_hidden_units_of_different_kinds_with_slopes_of_their_own():
    model = MLP([2, 3, 2], activation=[["tanh", "prelu", PReLU]], output=["linear", lambda a: a * a], rng=0)
    assert [name for name, _ in model.named_parameters() if "slope" in name] == [
        "layers.0.neurons.1.f.slope", "layers.0.neurons.2.f.slope",
    ]  # fmt: skip
    assert model.summary().rows[1].shape == "3 → 2 linear, a function"


def test_symbols_saving_and_loading(tmp_path):
    one, two = (MLP([2, 3, 2], output=("linear", "sigmoid"), rng=rng) for rng in (0, 1))
    assert load(two, save(one, tmp_path / "model.json")) == ([], [])
    assert two.state_dict() == one.state_dict()
    x = [Symbol("x0"), Symbol("x1")]
    at = dict(zip(x, [0.3, -0.7]))
    assert [evaluate(y, at) for y in one(x)] == [y.data for y in two([0.3, -0.7])]


def test_the_bias_and_the_expanded_form_are_those_of_the_neuron():
    layer = Layer(2, 2, ["tanh", "relu"], bias=False, expand=True, rng=0)
    assert all(neuron.b is None and neuron.expand for neuron in layer.neurons)
    assert layer.neurons[0].f is activation_function("tanh")

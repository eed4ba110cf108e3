"""Neurons, layers and MLPs: values and gradients by formulas, parameters, seeds, micrograd's API."""

import math
import random
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import microgradlib as mg
from microgradlib import Symbol, Value, evaluate, grad_table, topological_sort
from microgradlib.nn import ACTIVATIONS, MLP, Layer, Neuron
from microgradlib.numeric.differences import numeric_gradient

FORMULAS = {
    "linear": lambda z: z,
    "identity": lambda z: z,
    "sigmoid": lambda z: 1 / (1 + math.exp(-z)),
    "tanh": math.tanh,
    "relu": lambda z: max(0.0, z),
    "leaky_relu": lambda z: max(0.0, z) + 0.01 * min(0.0, z),
    "elu": lambda z: z if z > 0 else math.exp(z) - 1,
    "softplus": lambda z: math.log(1 + math.exp(z)),
    "hard_sigmoid": lambda z: max(0.0, min(1.0, z / 4 + 0.5)),
    "hard_tanh": lambda z: max(-1.0, min(1.0, z)),
    "abs": abs,
    "step": lambda z: float(z >= 0),
    "sgn": lambda z: 1.0 if z >= 0 else -1.0,
    "log_sigmoid": lambda z: -math.log(1 + math.exp(-z)),
    "selu": lambda z: 1.0507009873554805 * (z if z > 0 else 1.6732632423543772 * (math.exp(z) - 1)),
    "silu": lambda z: z / (1 + math.exp(-z)),
    "gelu": lambda z: z * (1 + math.erf(z / math.sqrt(2))) / 2,
    "gelu_tanh": lambda z: z * (1 + math.tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z**3))) / 2,
    "mish": lambda z: z * math.tanh(math.log(1 + math.exp(z))),
    "softsign": lambda z: z / (1 + abs(z)),
}
FORMULAS |= {"logistic": FORMULAS["sigmoid"], "hard_logistic": FORMULAS["hard_sigmoid"], "perceptron": FORMULAS["sgn"]}
numbers = st.floats(-2, 2)


def by_hand(model, x, f, output=FORMULAS["linear"]):
    """The network by the matrix form, from its parameters' numbers alone."""
    for i, layer in enumerate(model.layers):
        g = output if i == len(model.layers) - 1 else f
        x = [
            g(math.fsum(w.data * a for w, a in zip(n.w, x)) + (n.b.data if n.b is not None else 0.0))
            for n in layer.neurons
        ]
    return x


def randomised(model, seed=3):
    rng = random.Random(seed)
    for p in model.parameters():
        p.data = rng.uniform(-1, 1)
    return model


def test_every_activation_has_a_formula():
    assert set(ACTIVATIONS) == set(FORMULAS)


@pytest.mark.parametrize("name", sorted(FORMULAS))
@settings(max_examples=25, deadline=None)
@given(w=st.lists(numbers, min_size=2, max_size=2), x=st.lists(numbers, min_size=2, max_size=2), b=numbers)
def test_a_neuron(name, w, x, b):
    neuron = Neuron(2, name, rng=0)
    for p, number in zip(neuron.parameters(), [*w, b]):
        p.data = number
    z = w[0] * x[0] + w[1] * x[1] + b
    assert neuron.net_input(x).data == pytest.approx(z, rel=1e-12, abs=1e-12)
    if name in {"step", "sgn", "perceptron"}:
        z = neuron.net_input(x).data
    assert neuron(x).data == pytest.approx(FORMULAS[name](z), rel=1e-12, abs=1e-12)
    assert neuron([Value(a) for a in x]).data == neuron(x).data


@pytest.mark.parametrize("name", sorted(FORMULAS))
@pytest.mark.parametrize("bias", [True, False])
def test_an_mlp(name, bias):
    model = randomised(MLP([3, 4, 5, 2], activation=name, bias=bias, rng=1))
    for x in ([0.5, -1.0, 2.0], [0.1, 0.2, -0.3]):
        assert [y.data for y in model(x)] == pytest.approx(by_hand(model, x, FORMULAS[name]), rel=1e-12, abs=1e-12)


def test_the_output_activation():
    model = randomised(MLP(2, [3, 1], activation="relu", output="sigmoid", rng=1))
    [expected] = by_hand(model, [0.5, -1.0], FORMULAS["relu"], FORMULAS["sigmoid"])
    assert model([0.5, -1.0]).data == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "softplus", "elu"])
@pytest.mark.parametrize("expand", [False, True])
def test_gradients_of_a_network(name, expand):
    model = randomised(MLP(2, [3, 1], activation=name, rng=1, expand=expand))
    parameters = model.parameters()
    start = [p.data for p in parameters]

    def f(*at):
        for p, number in zip(parameters, at):
            p.data = number
        return model([0.5, -1.5]) ** 2

    table = grad_table(f(*start))
    assert [table[p] for p in parameters] == pytest.approx(numeric_gradient(f, start), rel=1e-8, abs=1e-9)


def test_both_spellings_are_the_same_network():
    one, two = MLP(2, [4, 3, 1], rng=5), MLP([2, 4, 3, 1], rng=5)
    assert [p.data for p in one.parameters()] == [p.data for p in two.parameters()]
    assert [n for n, _ in one.named_parameters()] == [n for n, _ in two.named_parameters()]
    assert repr(one) == repr(two)
    assert one([1.0, -1.0]).data == two([1.0, -1.0]).data


def test_parameter_names_and_order():
    model = MLP(2, [2, 1], rng=0)
    names = [name for name, _ in model.named_parameters()]
    assert names == [
        "layers.0.neurons.0.w.0", "layers.0.neurons.0.w.1", "layers.0.neurons.0.b",
        "layers.0.neurons.1.w.0", "layers.0.neurons.1.w.1", "layers.0.neurons.1.b",
        "layers.1.neurons.0.w.0", "layers.1.neurons.0.w.1", "layers.1.neurons.0.b",
    ]  # fmt: skip
    assert model.parameters() == [p for _, p in model.named_parameters()]
    first = model.layers[0].neurons[0]
    assert model.parameters()[:3] == [*first.w, first.b]
    assert [p.label for p in first.parameters()] == ["w0", "w1", "b"]


@pytest.mark.parametrize(("sizes", "count"), [([2, 16, 16, 1], 337), ([3, 4, 4, 1], 41), ([1, 1], 2)])
def test_parameter_counts(sizes, count):
    assert len(MLP(sizes, rng=0).parameters()) == count
    without = sum(n * m for n, m in pairwise(sizes))
    assert len(MLP(sizes, rng=0, bias=False).parameters()) == without


# Seeds


def test_a_seed_is_reproducible():
    def weights(rng):
        return [p.data for p in MLP(2, [4, 1], rng=rng).parameters()]

    assert weights(7) == weights(7) == weights(random.Random(7)) != weights(8)
    generator = random.Random(7)
    assert weights(generator) != weights(generator)


def test_a_seed_does_not_change_the_global_generator():
    random.seed(1)
    state = random.getstate()
    MLP(2, [3, 1], rng=0)
    assert random.getstate() == state


def test_without_rng_weights_are_drawn_as_micrograd_draws_them():
    random.seed(1337)
    model = MLP(2, [16, 16, 1])
    random.seed(1337)
    expected = []
    for nin, nout in [(2, 16), (16, 16), (16, 1)]:
        for _ in range(nout):
            expected += [random.uniform(-1, 1) for _ in range(nin)]
            expected.append(0)
    assert [p.data for p in model.parameters()] == expected


def test_weights_fill_the_interval():
    weights = [w.data for w in Neuron(2000, rng=0).w]
    assert -1 < min(weights) < -0.99
    assert 0.99 < max(weights) < 1
    assert abs(sum(weights) / 2000) < 0.05


@pytest.mark.parametrize("rng", ["7", 1.5, True, np.random.default_rng(0)], ids=["text", "float", "bool", "NumPy"])
@pytest.mark.parametrize("make", [lambda rng: Neuron(2, rng=rng), lambda rng: MLP(2, [1], rng=rng)])
def test_invalid_seeds_raise(make, rng):
    with pytest.raises(TypeError, match=r"seed.*random\.Random"):
        make(rng)


# Shapes of the graph


@given(st.lists(numbers, min_size=3, max_size=3))
def test_expanded_networks_give_the_same_numbers(x):
    models = [MLP(3, [4, 1], activation="tanh", rng=2, expand=expand) for expand in (False, True)]
    packed, expanded = (model(x) for model in models)
    assert packed.data == pytest.approx(expanded.data, rel=1e-12, abs=1e-14)
    tables = [grad_table(out) for out in (packed, expanded)]
    slopes = [[table[p] for p in model.parameters()] for table, model in zip(tables, models)]
    assert slopes[0] == pytest.approx(slopes[1], rel=1e-9, abs=1e-12)


def test_node_counts():
    ops = [node.op.name for node in topological_sort(Neuron(3, "tanh", rng=0)([1.0, 2.0, 3.0])) if node.op]
    assert ops == ["dot", "tanh"]
    expanded = topological_sort(Neuron(3, "tanh", rng=0, expand=True)([1.0, 2.0, 3.0]))
    assert sorted(node.op.name for node in expanded if node.op) == ["add"] * 3 + ["mul"] * 3 + ["tanh"]
    expanded = topological_sort(Neuron(3, "tanh", rng=0, expand=True, bias=False)([1.0, 2.0, 3.0]))
    assert sorted(node.op.name for node in expanded if node.op) == ["add"] * 2 + ["mul"] * 3 + ["tanh"]


def test_the_neurons_of_a_layer_share_their_inputs():
    out = mg.sum(Layer(2, 3, "linear", rng=0)([0.5, 1.5]))
    leaves = [node for node in topological_sort(out) if node.op is None]
    assert len(leaves) == 3 * 3 + 2


def test_a_single_output_is_not_a_list():
    assert isinstance(MLP(2, [3, 1], rng=0)([1.0, 2.0]), Value)
    assert [type(y) for y in MLP(2, [3, 2], rng=0)([1.0, 2.0])] == [Value, Value]
    assert isinstance(MLP([2, 1, 1, 1], rng=0)([1.0, 2.0]), Value)


def test_networks_accept_arrays_and_symbols():
    model = randomised(MLP(2, [3, 1], activation="tanh", rng=0))
    assert model(np.array([0.5, -1.0])).data == model([0.5, -1.0]).data
    x, y = Symbol("x"), Symbol("y")
    assert evaluate(model([x, y]), {x: 0.5, y: -1.0}) == model([0.5, -1.0]).data

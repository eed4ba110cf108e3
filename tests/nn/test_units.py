"""Units: PReLU, maxout, radial units, output units, activations by layer, initialisers."""

import math
import random

import pytest
from hypothesis import given, strategies as st

import microgradlib as mg
from microgradlib import Symbol, Value, evaluate, grad_table
from microgradlib.nn import INITIALISERS, MLP, RBF, GaussianOutput, Layer, Maxout, Neuron, PReLU, Sequential
from microgradlib.numeric import numeric_gradient

numbers = st.floats(-3, 3)


def set_numbers(model, *values):
    parameters = model.parameters()
    for p, number in zip(parameters, values, strict=True):
        p.data = number
    return model


@given(z=numbers, slope=st.floats(0, 2))
def test_prelu(z, slope):
    f, x = PReLU(slope), Value(z)
    y = f(x)
    table = grad_table(y)
    assert y.data == (z if z > 0 else slope * z)
    assert table[f.slope] == min(0.0, z)
    assert table[x] == (1.0 if z > 0 else slope)


def test_prelu_has_a_slope_for_each_neuron():
    layer = Layer(2, 3, "prelu", rng=0)
    names = [name for name, _ in layer.named_parameters()]
    assert [name for name in names if "slope" in name] == [f"neurons.{i}.f.slope" for i in range(3)]
    assert len(layer.parameters()) == 3 * 4
    assert len(layer.weights()) == 3 * 2


@given(x=st.lists(numbers, min_size=2, max_size=2), seed=st.integers(0, 9))
def test_maxout_is_the_largest_affine_piece(x, seed):
    unit = Maxout(2, 3, pieces=4, rng=seed)
    expected = [
        max(
            math.fsum(w.data * a for w, a in zip(piece.neurons[i].w, x)) + piece.neurons[i].b.data
            for piece in unit.pieces
        )
        for i in range(3)
    ]
    assert [y.data for y in unit(x)] == pytest.approx(expected, abs=1e-12)


def test_mlp_makes_layers_of_maxout_and_radial_units_by_name():
    model = MLP([2, 3, 2, 1], activation=["maxout", "rbf"], output="perceptron", rng=0)
    without = MLP([2, 3, 2, 1], activation=["maxout", "rbf"], bias=False, expand=True, init="zeros")
    assert [len(layer.parameters()) for layer in without.layers] == [12, 8, 2]
    assert float(without([1.0, 2.0])) == 0
    assert [type(layer) for layer in model.layers] == [Maxout, RBF, Layer]
    assert model([1.0, -2.0]).data in {-1.0, 1.0}
    by_hand = Maxout(2, 3, rng=(rng := random.Random(0)))
    assert [p.data for p in by_hand.parameters()] == [p.data for p in model.layers[0].parameters()]
    assert [p.data for p in RBF(3, 2, rng=rng).parameters()] == [p.data for p in model.layers[1].parameters()]


@pytest.mark.parametrize(("name", "unit"), [("maxout", "Maxout"), ("rbf", "RBF")])
def test_a_neuron_of_units_with_weights_of_their_own_names_their_class(name, unit):
    for make in (Neuron, lambda *given: Layer(2, *given)):
        with pytest.raises(ValueError, match=rf"write nn\.{unit}\(nin, nout\), or MLP"):
            make(2, name)


def test_maxout_can_be_a_rectifier_and_an_absolute_value():
    rectifier = set_numbers(Maxout(1, 1), 1.0, 0.0, 0.0, 0.0)
    absolute = set_numbers(Maxout(1, 1), 1.0, 0.0, -1.0, 0.0)
    for x in (-2.0, -0.5, 0.0, 3.0):
        assert rectifier([x]).data == max(0.0, x)
        assert absolute([x]).data == abs(x)


def test_the_gradient_of_maxout_goes_to_the_maximum():
    unit = set_numbers(Maxout(1, 1), 1.0, 0.0, -1.0, 0.0)
    table = grad_table(unit([-3.0]))
    assert [table[p] for p in unit.parameters()] == [0.0, 0.0, -3.0, 1.0]


@given(x=st.lists(numbers, min_size=2, max_size=2), width=st.floats(0.5, 3))
def test_a_radial_unit(x, width):
    unit = set_numbers(RBF(2, 1), 0.5, -1.0, width)
    at = [p.data for p in unit.parameters()]

    def by_hand(w0, w1, s):
        return math.exp(-((w0 - x[0]) ** 2 + (w1 - x[1]) ** 2) / s**2)

    assert unit(x).data == pytest.approx(by_hand(*at), rel=1e-12)
    table = grad_table(unit(x))
    assert [table[p] for p in unit.parameters()] == pytest.approx(numeric_gradient(by_hand, at), rel=1e-6, abs=1e-9)


def test_several_radial_units():
    layer = RBF(2, 3, rng=0)
    assert [p.data for p in layer.width] == [1.0] * 3
    assert [layer([w.data for w in layer.w[i]])[i].data for i in range(3)] == [1.0] * 3


# Output units


def test_softmax_and_log_softmax_layers():
    layer = Layer(2, 3, "softmax", rng=0)
    z = [neuron.net_input([0.5, -1.0]).data for neuron in layer.neurons]
    total = math.fsum(map(math.exp, z))
    assert [p.data for p in layer([0.5, -1.0])] == pytest.approx([math.exp(a) / total for a in z], rel=1e-14)
    log_layer = Layer(2, 3, "log_softmax", rng=0)
    assert [math.exp(p.data) for p in log_layer([0.5, -1.0])] == pytest.approx([math.exp(a) / total for a in z])


def test_softmax_needs_a_layer():
    with pytest.raises(
        ValueError, match=r"softmax needs the net inputs of a whole layer: Layer\(nin, nout, 'softmax'\)"
    ):
        Neuron(2, "softmax")


@pytest.mark.parametrize("output", ["linear", "sigmoid", "softmax"])
def test_output_units_by_name(output):
    model = MLP([2, 4, 3], output=output, rng=0)
    z = [neuron.net_input([h.data for h in model.layers[0]([1.0, 2.0])]).data for neuron in model.layers[1].neurons]
    total = math.fsum(map(math.exp, z))
    expected = {
        "linear": z,
        "sigmoid": [1 / (1 + math.exp(-a)) for a in z],
        "softmax": [math.exp(a) / total for a in z],
    }[output]
    assert [y.data for y in model([1.0, 2.0])] == pytest.approx(expected, rel=1e-12)


def test_the_gaussian_output_learns_a_precision_above_0():
    unit = GaussianOutput(2, 2, rng=0)
    means, precisions = unit([5.0, -5.0])
    z = [neuron.net_input([5.0, -5.0]).data for neuron in unit.precision.neurons]
    assert [p.data for p in precisions] == pytest.approx([math.log1p(math.exp(a)) for a in z], rel=1e-12)
    assert [m.data for m in means] == [neuron.net_input([5.0, -5.0]).data for neuron in unit.mean.neurons]
    model = MLP([2, 3, 1], output="gaussian", rng=0)
    mean, precision = model([0.0, 1.0])
    assert precision.data > 0
    assert mean.op.name == "dot"


def test_each_layer_its_own_activation():
    model = MLP([2, 3, 4, 1], activation=["tanh", mg.sigmoid], output="softplus", rng=0)
    assert [row.shape for row in model.summary().rows] == ["2 → 3 tanh", "3 → 4 sigmoid", "4 → 1 softplus"]
    with pytest.raises(ValueError, match="one entry for each of the 2 hidden layers, got"):
        MLP([2, 3, 4, 1], activation=["tanh"])


def test_any_function_may_be_an_activation():
    neuron = Neuron(1, lambda z: z * z, bias=False, rng=0)
    neuron.w[0].data = 3.0
    assert neuron([2.0]).data == 36.0


def test_sequential():
    model = Sequential(Layer(2, 3, "tanh", rng=0), lambda h: h[:2], Layer(2, 1, "linear", rng=1))
    h = [y.data for y in model.modules[0]([1.0, -1.0])][:2]
    neuron = model.modules[2].neurons[0]
    assert model([1.0, -1.0]).data == pytest.approx(sum(w.data * a for w, a in zip(neuron.w, h)) + neuron.b.data)
    with pytest.raises(TypeError, match="as separate arguments, got 3"):
        Sequential(3)


# Every unit takes Symbols too


@pytest.mark.parametrize(
    "unit", [Maxout(2, 2, rng=0), RBF(2, 2, rng=0), Layer(2, 3, "prelu", rng=0), Layer(2, 3, "softmax", rng=0)]
)
def test_symbols(unit):
    x = [Symbol("x0"), Symbol("x1")]
    at = dict(zip(x, [0.3, -0.7]))
    assert [evaluate(y, at) for y in unit(x)] == pytest.approx([y.data for y in unit([0.3, -0.7])], rel=1e-14)


# Initialisers


@pytest.mark.parametrize("name", sorted(INITIALISERS))
def test_initialisers_have_the_documented_variance(name):
    nin, nout, rng = 50, 30, random.Random(0)
    drawn = [INITIALISERS[name](rng, nin, nout) for _ in range(20_000)]
    variance = math.fsum(x * x for x in drawn) / len(drawn)
    expected = {
        "uniform": 1 / 3,
        "fan_in": 1 / (3 * nin),
        "fan_out": 1 / (3 * nout),
        "glorot": 2 / (nin + nout),
        "he": 2 / nin,
        "small": 0.08**2,
        "zeros": 0.0,
    }
    assert variance == pytest.approx(expected[name], rel=0.05)
    assert abs(math.fsum(drawn)) / len(drawn) <= 4 * math.sqrt(variance / len(drawn))


def test_initialisers_in_layers():
    assert {w.data for w in Layer(3, 4, init="zeros").weights()} == {0.0}
    assert [p.data for p in Layer(1, 2, init=lambda rng, nin, nout: 10 * nin + nout).weights()] == [12, 12]
    with pytest.raises(ValueError, match="no initialiser 'glorott'; did you mean 'glorot'"):
        Layer(3, 4, init="glorott")


@pytest.mark.parametrize("unit", [Maxout, RBF, GaussianOutput])
def test_sizes_are_checked(unit):
    with pytest.raises(ValueError, match="nout must be a whole number >= 1, got 0"):
        unit(2, 0)
    with pytest.raises(TypeError, match=r"nin must be a whole number >= 1, got 2\.5"):
        unit(2.5, 1)


def test_inputs_of_the_wrong_length():
    with pytest.raises(ValueError, match="the input of this layer must have 2 entries, got 3"):
        RBF(2, 1)([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="the input of this layer must have 2 entries, got 1"):
        Maxout(2, 1)([1.0])


@pytest.mark.parametrize("activation", ["tanh", "prelu", "softmax"])
def test_delta_is_the_gradient_of_the_net_inputs(activation):
    layer = Layer(2, 3, activation, rng=0)
    x = [0.5, -1.5]
    z = layer.net_inputs(x)
    loss = mg.dot([1.0, -2.0, 0.5], layer.activated(z)) ** 2
    table = grad_table(loss)
    for neuron, z_i in zip(layer.neurons, z):
        assert [table[w] for w in neuron.w] == [table[z_i] * x_d for x_d in x]
        assert table[neuron.b] == table[z_i]
    assert [y.data for y in layer.activated(z)] == [y.data for y in layer(x)]

"""Errors of networks: wrong activations, sizes and numbers of inputs."""

import pytest

from microgradlib.nn import MLP, Layer, LogSoftmax, Neuron, Softmax


def test_an_unknown_activation_names_the_nearest_and_the_known():
    for make in (lambda: Neuron(2, "rleu"), lambda: MLP(2, [3, 1], activation="rleu")):
        with pytest.raises(
            ValueError, match=r"no activation 'rleu'; did you mean 'relu'\? known: linear, identity, sigmoid, tanh"
        ):
            make()
    with pytest.raises(ValueError, match="known: linear"):
        Neuron(2, "")


@pytest.mark.parametrize("x", [[1.0], [1.0, 2.0, 3.0], []])
def test_a_wrong_number_of_inputs(x):
    for model in (Neuron(2, rng=0), Neuron(2, rng=0, expand=True), Layer(2, 3, rng=0), MLP(2, [3, 1], rng=0)):
        with pytest.raises(ValueError, match=rf"takes a list of 2 inputs, got {len(x)}"):
            model(x)


@pytest.mark.parametrize(("size", "error"), [(0, ValueError), (-1, ValueError), (2.0, TypeError), (True, TypeError)])
def test_wrong_sizes(size, error):
    for make in (lambda: Neuron(size), lambda: Layer(2, size), lambda: MLP([2, size, 1])):
        with pytest.raises(error, match=repr(size)):
            make()


def test_an_mlp_needs_two_sizes():
    with pytest.raises(ValueError, match=r"MLP\(\[2, 16, 1\]\), got \[2\]"):
        MLP([2])


def test_sizes_given_one_by_one_say_what_to_write():
    for make in (lambda: MLP(2, 4, 1), lambda: MLP([2], 4, 1), lambda: MLP(2, [4], 1), lambda: MLP(2, [4], [1])):
        with pytest.raises(TypeError, match=r"write MLP\(\[2, 4, 1\]\) or MLP\(2, \[4, 1\]\)"):
            make()


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"output": ["linear"]}, ValueError, r"one for all neurons or a list of 2, one for each, got \['linear'\]"),
        ({"output": ["linear", "softmax"]}, ValueError, "softmax needs the net inputs of a whole layer"),
        ({"output": ["linear", LogSoftmax()]}, ValueError, "log_softmax needs the net inputs of a whole layer"),
        ({"output": ["linear", Softmax]}, ValueError, "softmax needs the net inputs of a whole layer"),
        ({"output": ["linear", "gaussian"]}, ValueError, "no activation 'gaussian'"),
        ({"output": ["linear", "sigmod"]}, ValueError, "did you mean 'sigmoid'"),
        ({"activation": "swish"}, ValueError, "did you mean 'silu'"),
        ({"output": ["linear", 3]}, TypeError, "activation must be a name, as in 'tanh', or a function, got 3"),
        ({"activation": ["tanh", "relu", "relu"]}, ValueError, "one entry for each of the 1 hidden layers, got"),
        ({"activation": ["tanh", "relu"], "output": "linear"}, ValueError, "without output=…, one more entry is that"),
        ({"activation": [["tanh", "relu"]]}, ValueError, "a list of 3, one for each"),
        ({"activation": 3}, TypeError, "activation must be a name"),
    ],
)
def test_activations_that_do_not_fit(settings, error, message):
    with pytest.raises(error, match=message):
        MLP([2, 3, 2], **settings)


@pytest.mark.parametrize("activation", ["softmax", Softmax(), Softmax])
def test_a_single_neuron_has_no_softmax(activation):
    with pytest.raises(ValueError, match=r"softmax needs .*: Layer\(nin, nout, 'softmax'\), or nn.Softmax\(\)"):
        Neuron(2, activation)
    assert sum(p.data for p in Layer(2, 3, activation, rng=0)([0.5, -1.0])) == pytest.approx(1.0, rel=1e-15)

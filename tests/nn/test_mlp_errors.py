"""Errors of networks: wrong activations, sizes and numbers of inputs."""

import pytest

from microgradlib.nn import MLP, Layer, Neuron


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

"""Modules: parameters, names, zero_grad, reprs, training."""

import pickle

import microgradlib as mg
from microgradlib import Value
from microgradlib.nn import MLP, Module, Neuron


class Tied(Module):
    def __init__(self):
        self.name = "tied"
        self.shared = Value(1.0)
        self.again = self.shared
        self.table = {"a": Value(2.0), "b": [Value(3.0), (Value(4.0),)]}
        self.inner = Neuron(1, rng=0)
        self.derived = self.shared * 2


def test_parameters_of_any_module():
    module = Tied()
    names = ["shared", "table.a", "table.b.0", "table.b.1.0", "inner.w.0", "inner.b"]
    assert [name for name, _ in module.named_parameters()] == names
    assert [p.data for p in module.parameters()][:4] == [1.0, 2.0, 3.0, 4.0]
    assert Module().parameters() == []


def test_zero_grad():
    model = MLP(2, [3, 1], rng=0)
    loss = model([1.0, 2.0])
    loss.backward()
    assert any(p.grad for p in model.parameters())
    model.zero_grad()
    assert not any(p.grad for p in model.parameters())


def test_reprs_are_those_of_micrograd():
    assert repr(Neuron(2)) == "ReLUNeuron(2)"
    assert repr(Neuron(3, nonlin=False)) == "LinearNeuron(3)"
    assert repr(Neuron(3, "tanh")) == "tanhNeuron(3)"
    assert repr(MLP(2, [1, 1])) == "MLP of [Layer of [ReLUNeuron(2)], Layer of [LinearNeuron(1)]]"


def test_training_lowers_the_loss():
    model = MLP(2, [8, 1], activation="tanh", rng=3)
    points = [([0.0, 0.0], -1.0), ([0.0, 1.0], 1.0), ([1.0, 0.0], 1.0), ([1.0, 1.0], -1.0)]

    def total():
        return mg.mean([(model(x) - y) ** 2 for x, y in points])

    before = total().data
    for _ in range(300):
        loss = total()
        model.zero_grad()
        loss.backward()
        for p in model.parameters():
            p.data -= 0.2 * p.grad
    assert total().data < 0.01 < before


def test_parameters_keep_their_names_when_pickled():
    parameters = MLP(2, [1], rng=0).parameters()
    again = pickle.loads(pickle.dumps(parameters))
    assert (
        again.names == parameters.names == ("layers.0.neurons.0.w.0", "layers.0.neurons.0.w.1", "layers.0.neurons.0.b")
    )
    assert [parameter.data for parameter in again] == [parameter.data for parameter in parameters]

"""User-defined modules: attributes, methods, parameters, stored results, NumPy's numbers."""

import copy
import pickle
from dataclasses import dataclass, field

import numpy as np
import pytest

import microgradlib as mg
from microgradlib import Value, no_grad
from microgradlib.errors import LabelError
from microgradlib.nn import (
    GRU,
    LSTM,
    MLP,
    RBF,
    RNN,
    Embedding,
    Layer,
    LayerNorm,
    Module,
    Neuron,
    PReLU,
    RMSNorm,
    Sequential,
    Softmax,
    Unfolded,
    load,
    save,
)
from microgradlib.regularisers import L2


class Plain:
    """A layer that is not a Module."""

    def __init__(self):
        self.w = Value(2.0)


class Own(Module):
    """A class that defines parameters() itself, as in micrograd."""

    def __init__(self):
        self.layer, self.b = Plain(), Value(1.0)

    def parameters(self):
        return [self.layer.w, self.b]

    def __call__(self, x):
        return self.layer.w * x + self.b


def test_a_model_with_its_own_parameters(tmp_path):
    model, other = Own(), Own()
    model.layer.w.data = 5.0
    assert model.state_dict() == {"b": 1.0, "parameters.0": 5.0}
    load(other, save(model, tmp_path / "own.json"))
    assert other.layer.w.data == 5.0
    assert L2(2.0)(model).data == 25.0
    assert model.summary().total == 2
    assert [name for name, _ in Sequential(Own(), Own()).named_parameters()] == [
        "modules.0.b", "modules.0.parameters.0", "modules.1.b", "modules.1.parameters.0",
    ]  # fmt: skip


def test_parameters_may_be_yielded_but_nothing_else_than_values():
    class Yielding(Own):
        def parameters(self):
            yield from super().parameters()

    class Forgetful(Own):
        def parameters(self):
            super().parameters()

    model = Yielding()
    history = mg.fit(model, mg.costs.squared_error, [0.0, 1.0], [1.0, 4.0], epochs=2)
    assert history.loss[-1] < history.loss[0]
    assert model.parameters() == [model.layer.w, model.b]
    assert (model.summary().total, len(model.weights())) == (2, 1)
    for use in (Module.zero_grad, Module.summary, Module.state_dict, L2(1.0)):
        with pytest.raises(TypeError, match=r"parameters\(\) of Forgetful must return a list of Values, got None"):
            use(Forgetful())


def test_values_in_arrays_are_parameters_and_in_sets_refused():
    class Arrays(Module):
        def __init__(self, held):
            self.held = held

    table = np.array([[Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]])
    assert Arrays(table).state_dict() == {"held.0.0": 1.0, "held.0.1": 2.0, "held.1.0": 3.0, "held.1.1": 4.0}
    assert Arrays(np.array([1.0, 2.0])).parameters() == []
    assert Arrays({1, 2}).parameters() == []
    with pytest.raises(TypeError, match="a set of parameters or modules has no order"):
        Arrays({Value(1.0)}).parameters()


def test_stored_results_are_not_parameters():
    class Looking(Module):
        def __init__(self):
            self.first, self.last = Layer(2, 3, "tanh", rng=0), Layer(3, 1, "linear", rng=1)

        def __call__(self, x):
            self.seen = self.first(x)
            return self.last(self.seen)

    model = Looking()
    model([1.0, 2.0])
    assert len(model.parameters()) == 13
    with no_grad():
        model([1.0, 2.0])
    assert len(model.parameters()) == 13
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model.seen))[0]):
        assert len(twin.parameters()) == 13 if isinstance(twin, Looking) else twin.data == model.seen[0].data


def test_user_attributes_do_not_interfere():
    class Named(Module):
        def __init__(self):
            self.shape, self.weights, self.layer = (28, 28), [1.0], Layer(2, 1, "linear", rng=0)

    model = Named()
    assert model.summary().rows[0].layer == "layer"
    assert L2(1.0)(model).data == pytest.approx(sum(w.data**2 for w in model.layer.weights()) / 2)


def test_a_child_may_refer_to_its_parent():
    parent = Sequential(Layer(1, 1, rng=0))
    parent.modules[0].parent = parent
    assert len(parent.parameters()) == 2
    assert [name for name, _ in parent.named_modules()] == ["", "modules.0", "modules.0.neurons.0"]


def test_parameters_that_are_not_weights():
    class Line(Module):
        def __init__(self):
            self.slope, self.intercept, self.b = Value(1.0), Value(2.0), Value(3.0)

    line = Line()
    assert line.weights() == [line.slope, line.intercept]
    assert PReLU().weights() == LayerNorm(3).weights() == RMSNorm(3).weights() == []
    assert len(RBF(2, 3).weights()) == 6
    gru = GRU(2, 3, rng=0)
    assert len(gru.weights()) == 3 * 3 * 5
    assert len(gru.parameters()) - len(gru.weights()) == 12


@pytest.mark.parametrize("network", [RNN, LSTM, GRU])
def test_bias_is_a_flag(network):
    without = network(2, 3, bias=False, rng=0)
    assert without.parameters() == without.weights()
    states, _ = without([[1.0, 2.0]])
    assert len(states[0]) == 3
    zeros = network(2, 3, bias=True, init="zeros")
    assert {p.data for p in zeros.parameters()} == {0.0}


def test_numpy_integers_as_sizes():
    model = MLP(np.int64(2), [np.int64(3), 1], rng=np.int64(0))
    assert model.state_dict() == MLP(2, [3, 1], rng=0).state_dict()
    assert len(MLP([2, np.int32(3)]).parameters()) == 9
    assert len(MLP(2, 1).parameters()) == 3


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Layer(2, 3, "softmx"), "did you mean 'softmax'.* log_softmax"),
        (lambda: MLP([2, 3], output="sofmax"), "no output unit 'sofmax'; did you mean 'softmax'.* gaussian"),
        (lambda: MLP([2, 3], output="gausian"), "did you mean 'gaussian'"),
        (lambda: Neuron(2, "Tanh"), "did you mean 'tanh'"),
        (lambda: Neuron(1)(1.0), r"takes a list of 1 input, got 1.0; write \[x\]"),
        (
            lambda: Embedding(3, 2)([0, 1, 2]),
            r"must be one-hot or probabilities that sum to 1, got \[0, 1, 2\]; to look up several indices",
        ),
        (lambda: L2({}), "coefficient is an empty dict: give each group"),
    ],
)
def test_messages(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Neuron(2, None), "activation must be a name, as in 'tanh', or a function, got None"),
        (lambda: L2(0.1)([Value(1.0)]), r"a penalty takes a Module, got \[Value"),
        (lambda: save("model.json", Neuron(1)), "save takes a model and a path, in this order, got 'model.json' and "),
        (lambda: load("model.json", Neuron(1)), "load takes a model and a path, in this order, got 'model.json' and "),
        (lambda: Layer(2, 3)(1.0), r"a layer takes a list of inputs, got 1\.0; write \[x\]"),
        (lambda: Neuron(2, nout=1.5), r"nout must be a whole number >= 1, got 1\.5"),
        (lambda: PReLU("0.25"), "slope must be a number, got '0.25'"),
        (lambda: Unfolded(Neuron), "cell must be a recurrent cell, as in LSTMCell"),
        (lambda: RNN(1, 2, bias_start="1"), "bias_start must be a number, got '1'"),
        (lambda: LSTM(1, 2, forget_bias="1"), "forget_bias must be a number, got '1'"),
    ],
)
def test_wrong_types_raise(make, message):
    with pytest.raises(TypeError, match=message):
        make()


def test_classes_and_modules_as_activations():
    assert isinstance(Neuron(1, PReLU).f, PReLU)
    layer, named = Layer(2, 3, Softmax(), rng=0), Layer(2, 3, "softmax", rng=0)
    assert [p.data for p in layer([1.0, 2.0])] == [p.data for p in named([1.0, 2.0])]


def test_an_embedding_accepts_mixtures_and_padding():
    table = Embedding(3, 2, rng=0)
    assert [y.data for y in table([0.0, 0.0, 0.0])] == [0.0, 0.0]
    assert [y.data for y in table([0, 1, 0])] == [w.data for w in table.w[1]]
    half = [0.5 * (a.data + b.data) for a, b in zip(table.w[0], table.w[2])]
    assert [y.data for y in table([0.5, 0.0, 0.5])] == pytest.approx(half)
    with pytest.raises(LabelError, match=r"the index is 3\.0, but the 3 rows are 0 to 2"):
        table(3)


def test_deep_copies_are_independent_models():
    model = MLP([2, 3, 1], activation="prelu", rng=0)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert twin.state_dict() == model.state_dict()
        assert not set(twin.parameters()) & set(model.parameters())
        assert twin([1.0, 2.0]).data == model([1.0, 2.0]).data
    assert mg.grad_table(model([1.0, 2.0])).keys() >= set(model.parameters())


def test_modules_nested_deeper_than_the_stack():
    module = Module()
    module.w = Value(1.0)
    for _ in range(3000):
        outer = Module()
        outer.inner = module
        module = outer
    [(path, _)] = module.named_parameters()
    assert path == "inner." * 3000 + "w"
    assert len(module.state_dict()) == 1
    module.zero_grad()
    for _ in range(3000):  # from outside, as Python frees nested objects by recursion
        module = module.inner


def test_a_list_that_contains_itself_is_refused():
    module = Module()
    module.parts = [Value(1.0)]
    module.parts.append(module.parts)
    with pytest.raises(ValueError, match=r"contains itself, at parts\.1"):
        module.parameters()
    module.parts = [[Value(1.0)]] * 2  # twice the same list is none that contains itself
    assert len(module.parameters()) == 1


def test_parameters_that_belong_to_the_class_are_named_as_no_parameters():
    class Line(Module):
        slope, hidden, degree = Value(1.0), [MLP(2, [1], rng=0)], 3

        def __init__(self):
            self.intercept = Value(0.0)

    with (
        pytest.warns(UserWarning, match=r"Line\.slope belongs to the class.*assign self\.slope in __init__"),
        pytest.warns(UserWarning, match=r"Line\.hidden belongs to the class"),
    ):
        names = [name for name, _ in Line().named_parameters()]
    assert names == ["intercept"]


def test_fields_of_dataclasses_are_their_modules_own():
    @dataclass
    class Line(Module):
        slope: Value = Value(1.0)  # noqa: RUF009  one for all lines, which a program may want
        intercept: Value = field(default_factory=lambda: Value(0.0))

    assert [name for name, _ in Line().named_parameters()] == ["slope", "intercept"]

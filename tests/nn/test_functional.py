"""functional_call: a model with other parameters, and what stays as it was."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import microgradlib as mg
from microgradlib import Symbol, Value, evaluate, grad, grad_table, hessian, nn, no_grad, value_and_grad
from microgradlib._support.pytree import flatten
from microgradlib.krylov import hessian_products
from microgradlib.nn import functional_call

MODELS = {
    "MLP": (lambda: nn.MLP([2, 3, 1], activation="tanh", rng=0), [0.3, -0.4]),
    "LSTM": (lambda: nn.LSTM(2, 2, rng=0), [[1.0, 2.0], [3.0, 4.0]]),
    "GRU": (lambda: nn.GRU(2, 2, rng=0), [[1.0, 2.0], [3.0, 4.0]]),
    "Conv1d": (lambda: nn.Conv1d(1, 2, 2, rng=0), [[1.0, 2.0, 3.0]]),
    "attention": (lambda: nn.CausalSelfAttention(2, 1, rng=0), [[1.0, 2.0], [0.5, -1.0]]),
    "LayerNorm": (lambda: nn.LayerNorm(3), [1.0, 2.0, 4.0]),
    "Embedding": (lambda: nn.Embedding(3, 2, rng=0), 1),
}


def total(output):
    return mg.sum([y * y for y in flatten(output)])


class Containers(nn.Module):
    """Parameters wherever a module may have them, one of them twice, and a forward pass that asks for all."""

    def __init__(self):
        self.w = Value(2.0)
        self.pair = (Value(3.0), [Value(4.0)])
        self.array = np.array([[Value(1.0), Value(2.0)]])
        self.by_key = {"shared": self.w}
        self.rate = 0.5

    def __call__(self, x, power=1):
        first, [second] = self.pair
        y = (self.w * x + first * second + self.array.sum() * self.by_key["shared"]) ** power
        return y + self.rate * mg.sum([p * p for p in self.parameters()])


def state_of(model):
    return {name: id(p) for name, p in model.named_parameters()}, model.state_dict()


@pytest.mark.parametrize("name", MODELS)
def test_derivatives_by_parameters(name):
    make, x = MODELS[name]
    model = make()
    before = state_of(model)
    slopes = grad(lambda parameters: total(functional_call(model, parameters, x)))(model.state_dict())
    table = grad_table(total(model(x)))
    assert slopes == {path: table.get(p, 0.0) for path, p in model.named_parameters()}
    assert state_of(model) == before


def test_the_hessian_by_parameters():
    model = nn.MLP([2, 3, 1], activation="tanh", rng=0)
    parameters = model.parameters()
    loss = lambda ps: (functional_call(model, ps, [0.3, -0.4]) - 1) ** 2  # noqa: E731
    product = hessian_products((model([0.3, -0.4]) - 1) ** 2, parameters)
    n = len(parameters)
    columns = np.array([product([float(i == j) for j in range(n)]) for i in range(n)])
    numbers = [p.data for p in parameters]
    assert hessian(loss)(numbers) == pytest.approx(columns, abs=1e-12)
    assert hessian(loss)(np.array(numbers)) == pytest.approx(columns, abs=1e-12)
    assert [[e.data for e in row] for row in hessian(loss)(parameters)] == pytest.approx(columns, abs=1e-12)
    by_name = hessian(loss)(model.state_dict())
    assert [[by_name[a][b] for b in by_name] for a in by_name] == pytest.approx(columns, abs=1e-12)


@given(st.lists(st.floats(-2, 2), min_size=5, max_size=5), st.floats(-2, 2), st.integers(1, 2))
@settings(max_examples=25)
def test_the_numbers_are_those_of_a_model_with_these_parameters(numbers, x, power):
    model, loaded = Containers(), Containers()
    names = list(model.state_dict())
    assert names == ["w", "pair.0", "pair.1.0", "array.0.0", "array.0.1"]
    loaded.load_state_dict(dict(zip(names, numbers)))
    before = state_of(model)
    expected = loaded(x, power=power)
    table = grad_table(expected)
    by_name = dict(zip(names, numbers))
    halves = ({name: by_name[name] for name in names[:2]}, {name: by_name[name] for name in names[2:]})
    for parameters in (numbers, by_name, list(map(Value, numbers)), np.array(numbers), halves):
        output = functional_call(model, parameters, x, {"power": power})
        assert output.data == expected.data
    f = lambda parameters: functional_call(model, parameters, (x,), {"power": power})  # noqa: E731
    value, slopes = value_and_grad(f)(dict(zip(names, numbers)))
    assert value == expected.data
    assert slopes == {name: table.get(p, 0.0) for name, p in loaded.named_parameters()}
    symbols = {name: Symbol(name) for name in names}
    assert evaluate(f(symbols), {symbols[name]: y for name, y in zip(names, numbers)}) == expected.data
    assert state_of(model) == before


def test_nested_transforms_see_the_nodes_that_stand_in():
    """A forward pass that asks for its own parameters, under a node that is no leaf."""
    model = Containers()
    slope = lambda w: grad(lambda ps: functional_call(model, ps, 2.0))({"w": w})["w"]  # noqa: E731
    assert slope(3.0) == 2.0 + 3.0 + 3.0  # x, the shared use times the array's sum, the penalty
    assert grad(slope)(3.0) == 1.0


def test_names_left_out_keep_the_models_own():
    model = Containers()
    w = model.w
    output = functional_call(model, {"pair.0": 0.0}, 1.0)
    assert grad_table(output)[w] != 0.0
    with pytest.raises(ValueError, match=r"missing w, pair\.1\.0"):
        functional_call(model, {"pair.0": 0.0}, 1.0, strict=True)


class Captured(nn.Module):
    def __init__(self):
        self.w = Value(2.0)
        self.function = lambda x, w=self.w: w * x

    def __call__(self, x):
        return self.function(x)


class Listed(nn.Module):
    def parameters(self):
        return [WEIGHT]

    def __call__(self, x):
        return WEIGHT * x


WEIGHT = Value(2.0)


@pytest.mark.parametrize(
    ("model", "parameters", "error", "words"),
    [
        (Containers(), {"v": 1.0}, ValueError, "Containers has no parameter 'v': the names are those of state_dict"),
        (Containers(), ({"w": 1.0}, {"w": 1.0}), ValueError, "a name in common"),
        (Containers(), [1.0, 2.0], ValueError, "5 parameters, got 2 numbers"),
        (Containers(), {"w": "2"}, TypeError, r"^w: expected a real number, got str"),
        (Captured(), {"w": 3.0}, ValueError, "cannot replace the parameter 'w'"),
        (Listed(), [3.0], ValueError, r"cannot replace the parameter 'parameters\.0'"),
    ],
)
def test_invalid_use_raises_and_changes_nothing(model, parameters, error, words):
    before = state_of(model)
    with pytest.raises(error, match=words):
        functional_call(model, parameters, 1.0)
    assert state_of(model) == before


def test_the_model_is_restored_after_an_error_in_it():
    model = nn.Sequential(nn.MLP([2, 2, 1], rng=0), lambda y: 1 / 0)
    before = state_of(model)
    with pytest.raises(ZeroDivisionError):
        functional_call(model, [0.5] * 9, [1.0, 2.0])
    assert state_of(model) == before
    assert not nn.search.SUBSTITUTES.get()


def test_inputs_may_depend_on_the_models_own_parameters():
    model = nn.Neuron(1, "linear", init="zeros")
    h = model([2.0])
    output = functional_call(model, [3.0, 0.0], [h])
    assert grad_table(output)[model.w[0]] == 6.0
    with no_grad():
        assert functional_call(model, [3.0, 0.0], [2.0]).data == 6.0

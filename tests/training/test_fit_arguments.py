"""Arguments of fit: no_grad, optimizers, models with their own parameters, soft labels, errors."""

import math
import tracemalloc
from functools import partial

import numpy as np
import pytest

from microgradlib import Value, no_grad
from microgradlib.costs import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    cross_entropy_from_probabilities,
    squared_error,
)
from microgradlib.data import moons
from microgradlib.nn import MLP, Dropout, Layer, Module, Neuron, Sequential
from microgradlib.optim import SGD
from microgradlib.regularisers import L2, TangentPropagation
from microgradlib.training import EarlyStopping, fit, score

POINTS = moons(30, noise=0.1, rng=0)
X, Y = list(POINTS.inputs), list(POINTS.targets)
LOSS = binary_cross_entropy_with_logits


def model():
    return MLP([2, 4, 1], activation="tanh", rng=0)


def test_costs_of_probabilities_are_exact_in_evaluation_too():
    certain = MLP([1, 1], output="sigmoid", init=lambda rng, nin, nout: 1.0)
    x, y = [[1.0], [-1000.0]], [1, 1]
    history = fit(certain, binary_cross_entropy, x, y, epochs=2, validation=(x, y))
    assert history.loss[0] == history.validation_loss[0] == pytest.approx((1000 + math.log1p(math.exp(-1))) / 2)
    assert all(map(math.isfinite, history.validation_loss))
    softmax = MLP([1, 2], output="softmax", init="zeros")
    for neuron, weight in zip(softmax.layers[0].neurons, [0.0, 1000.0]):
        neuron.w[0].data = weight
    assert score(softmax, cross_entropy_from_probabilities, [[1.0], [-1.0]], [0, 1]).loss == 1000.0


def test_fit_trains_inside_no_grad():
    one, other = model(), model()
    with no_grad():
        fit(one, LOSS, X, Y, epochs=2)
    fit(other, LOSS, X, Y, epochs=2)
    assert one.state_dict() == other.state_dict() != model().state_dict()


def test_an_optimizer_of_another_model_raises():
    with pytest.raises(ValueError, match="the optimizer has no parameter of this model"):
        fit(model(), LOSS, X, Y, epochs=1, optimizer=SGD(model().parameters(), lr=0.1))


def test_a_parameter_that_only_the_optimizer_holds_is_trained_and_zeroed():
    m, scale = Neuron(1, "linear", init="zeros"), Value(1.0)
    optimizer = SGD([*m.parameters(), scale], lr=0.1)
    seen = []

    def loss(output, target):
        seen.append(scale.data)
        return (output - target) ** 2 + (scale - 3.0) ** 2

    fit(m, loss, [[0.0]], [0.0], epochs=2, optimizer=optimizer)
    assert scale.data == pytest.approx(3 - 2 * 0.8**2)


class Own(Module):
    """A model whose layers are not Modules, with its own parameters()."""

    def __init__(self):
        self.layer = type("Plain", (), {"w": Value(2.0)})()

    def parameters(self):
        return [self.layer.w]

    def __call__(self, x):
        return self.layer.w * x[0]


def test_models_with_their_own_parameters():
    m = Own()
    history = fit(
        m, squared_error, [(1.0,), (2.0,)], [0.0, 0.0], epochs=40, early_stopping=5, optimizer=partial(SGD, lr=0.9)
    )
    assert history.best_epoch == 0
    assert history.epochs == 5
    assert m.layer.w.data == 2.0
    assert list(history.gradient_norms) == ["parameters"]


def test_soft_labels_have_an_accuracy():
    m = MLP([2, 8, 2], activation="tanh", rng=0)
    rows = [[0.9, 0.1] if y == 0 else [0.1, 0.9] for y in Y]
    expected = sum((a.data < b.data) == y for (a, b), y in zip(map(m, X), Y)) / 30
    assert 0 < expected < 1
    assert score(m, cross_entropy, X, rows).accuracy == score(m, cross_entropy, X, Y).accuracy == expected
    assert fit(m, cross_entropy, X, rows, epochs=1).accuracy[0] == expected
    one = fit(model(), LOSS, X, [0.1 if y == 0 else 0.9 for y in Y], epochs=1)
    assert one.accuracy[0] == fit(model(), LOSS, X, Y, epochs=1).accuracy[0]


@pytest.mark.parametrize(
    "loose",
    [
        {"validation": None},
        {"validation": POINTS},
        {"early_stopping": False},
        {"early_stopping": np.int64(3)},
        {"callbacks": lambda m, h: None},
        {"callbacks": None},
        {"callbacks": lambda m, h: 1},
        {"callbacks": lambda m, h: np.ones(3)},
        {"regulariser": None},
        {"batch_size": np.int64(7)},
        {"epochs": np.int64(2)},
        {"penalty": TangentPropagation(np.array([1.0, 0.0]))},
    ],
)
def test_loose_arguments(loose):
    history = fit(model(), LOSS, X, Y, **{"epochs": 2, **loose})
    assert history.epochs == 2
    assert history.stopped == ""


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            {"early_stopping": True},
            "early_stopping must be a whole number >= 1, the epochs to wait for a better loss, got True",
        ),
        ({"early_stopping": 3.0}, r"early_stopping must be a whole number >= 1, .* got 3\.0"),
        ({"callbacks": 3}, "callbacks must be a function or a list of functions, got 3"),
        ({"regulariser": 0.1}, r"regulariser must be a function or a list of functions, got 0\.1"),
        (
            {"optimizer": "adam"},
            r"optimizer must have a method step, as Adam\(model.parameters\(\), lr=0.01\) has, got 'adam'",
        ),
        ({"validation": "0.2"}, "validation must be a number >= 0 and < 1, the fraction of the examples, got '0.2'"),
        ({"loss": "mse"}, r"loss must be a function \(output, target\) → cost, such as costs.cross_entropy, got 'mse'"),
        ({"loss": lambda o, t: None}, r"example 0: .* loss\(output, target\) returned None"),
        ({"loss": lambda o, t: [o]}, r"example 0: .* returned \[Value"),
    ],
)
def test_wrong_arguments_are_named(wrong, message):
    given = {"loss": LOSS, "epochs": 1, **wrong}
    with pytest.raises(TypeError, match=message):
        fit(model(), given.pop("loss"), X, Y, **given)


def test_an_interrupt_before_the_first_epoch_returns_an_empty_history():
    def interrupt(output, target):
        raise KeyboardInterrupt

    history = fit(model(), interrupt, X, Y)
    assert (history.stopped, history.epochs, history.loss) == ("interrupted", 0, [])


def test_an_interrupted_epoch_is_recorded_completely_or_not_at_all():
    for last in range(60, 130, 7):
        calls = []

        def loss(output, target, calls=calls, last=last):
            calls.append(1)
            if len(calls) == last:
                raise KeyboardInterrupt
            return LOSS(output, target)

        loss.decision = LOSS.decision
        history = fit(MLP([2, 4, 1], rng=0), loss, X, Y, epochs=9, validation=(X[:5], Y[:5]))
        records = [history.validation_loss, history.accuracy, history.validation_accuracy, history.dead_relus]
        records += history.gradient_norms.values()
        assert {len(record) for record in records} == {len(history.loss)}


def test_dropout_in_evaluation_mode_stays_off():
    m = Sequential(Layer(2, 4, "tanh", rng=0), Dropout(0.5, rng=0), Layer(4, 1, "linear", rng=0))
    twin = Sequential(Layer(2, 4, "tanh", rng=0), Layer(4, 1, "linear", rng=0))
    m.modules[1].eval()
    fit(m, LOSS, X, Y, epochs=2)
    fit(twin, LOSS, X, Y, epochs=2)
    assert list(m.state_dict().values()) == list(twin.state_dict().values())
    assert not m.training
    awake = Sequential(Layer(2, 4, "tanh", rng=0), Dropout(0.5, rng=0), Layer(4, 1, "linear", rng=0)).eval()
    fit(awake, LOSS, X, Y, epochs=2)
    assert awake.state_dict() != m.state_dict()


def test_several_regularisers_and_groups():
    m = model()
    history = fit(
        m, LOSS, X, Y, epochs=2, regulariser=[L2(0.1), L2({"layers.0": 0.2})], early_stopping=EarlyStopping(9)
    )
    assert history.epochs == 2


def test_an_epoch_keeps_no_graphs():
    big = [[float(i % 7), float(i % 5)] for i in range(200)]
    labels = [i % 2 for i in range(200)]
    m = MLP([2, 8, 8, 1], rng=0)

    def peak(n):
        tracemalloc.start()
        fit(m, LOSS, big[:n], labels[:n], epochs=1, batch_size=8, compiled=False)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(8)
    assert peak(200) < 2 * peak(20)


def test_the_outputs_of_a_sequence_have_classes():
    class Tagger(Module):
        def __init__(self):
            self.layer = Layer(1, 2, "linear", rng=0)

        def __call__(self, xs):
            return [self.layer([x]) for x in xs]

    xs, ys = [[1.0, -1.0], [2.0, 3.0], [-2.0, 1.0]], [[1, 0], [1, 1], [0, 1]]
    history = fit(Tagger(), cross_entropy, xs, ys, epochs=200, optimizer=partial(SGD, lr=0.5))
    assert history.accuracy[-1] == 1.0


class Table:
    """A table of another library: iterating over it gives its columns' names, as an array it has its rows."""

    def __len__(self):
        return len(X)

    def __iter__(self):
        return iter(["a", "b"])

    def __array__(self, dtype=None, copy=None):
        return np.array(X, dtype)


def test_tables_are_taken_by_their_rows():
    losses = [fit(MLP([2, 3, 1], rng=0), squared_error, inputs, Y, epochs=2).loss for inputs in (Table(), X)]
    assert losses[0] == losses[1]

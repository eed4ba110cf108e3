"""fit with compiled programs: the same trajectory as eager training, and the report of which was used."""

from functools import partial

import numpy as np
import pytest

import microgradlib as mg
from microgradlib.costs import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    gaussian_nll,
    squared_error,
)
from microgradlib.data import digits, iris, moons, standardise
from microgradlib.errors import LabelError, SymbolHasNoValueError
from microgradlib.nn import LSTM, MLP, Dropout, Layer, Module, Neuron, Sequential
from microgradlib.optim import SGD, Adam
from microgradlib.regularisers import L1, L2, TangentPropagation
from microgradlib.training import fit

POINTS = moons(40, noise=0.1, rng=0)
X, Y = list(POINTS.inputs), list(POINTS.targets)


class Last(Module):
    def __init__(self):
        self.lstm, self.out = LSTM(2, 4, rng=0), Layer(4, 1, "linear", rng=1)

    def __call__(self, xs):
        return self.out(self.lstm(xs)[0][-1])


SEQUENCES = [[list(x), list(y)] for x, y in zip(X, X[1:] + X[:1])]
CASES = {
    "mlp": (lambda: MLP([2, 8, 1], activation="tanh", rng=0), binary_cross_entropy_with_logits, X, Y, {}),
    "relu": (lambda: MLP([2, 8, 1], rng=0), binary_cross_entropy_with_logits, X, Y, {"validation": 0.25}),
    "probabilities": (lambda: MLP([2, 8, 1], output="sigmoid", rng=0), binary_cross_entropy, X, Y, {}),
    "classes": (lambda: MLP([2, 8, 2], rng=0), cross_entropy, X, Y, {"regulariser": [L2(0.01), L1(0.001)]}),
    "rows": (lambda: MLP([2, 8, 2], rng=0), cross_entropy, X, [[1 - y, y] for y in Y], {"clip_norm": 0.5}),
    "tangents": (
        lambda: MLP([2, 6, 1], activation="tanh", rng=0), binary_cross_entropy_with_logits, X, Y,
        {"penalty": TangentPropagation([1.0, -1.0], 0.3), "clip_value": 0.1},
    ),
    "gaussian": (lambda: MLP([2, 6, 1], output="gaussian", rng=0), gaussian_nll, X, [x[0] for x in X], {}),
    "sequences": (Last, squared_error, SEQUENCES, [float(y) for y in Y], {"early_stopping": 3, "validation": 0.2}),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(CASES))
def test_the_same_trajectory(name):
    make, loss, x, y, settings = CASES[name]
    runs = []
    for compiled in (True, False):
        model = make()
        history = fit(
            model, loss, x, y, epochs=6, batch_size=7, optimizer=partial(Adam, lr=0.02), compiled=compiled, **settings
        )
        runs.append((history, model))
    (one, fast), (other, slow) = runs
    assert one.engine.startswith("compiled: ")
    assert other.engine == "example by example"
    assert list(fast.state_dict().values()) == pytest.approx(list(slow.state_dict().values()), rel=1e-9, abs=1e-11)
    for record in ("loss", "validation_loss", "accuracy", "validation_accuracy", "dead_relus"):
        assert getattr(one, record) == pytest.approx(getattr(other, record), rel=1e-9)
    for layer, norms in one.gradient_norms.items():
        assert norms[1:] == pytest.approx(other.gradient_norms[layer][1:], rel=1e-8)
    assert (one.epochs, one.stopped, one.best_epoch) == (other.epochs, other.stopped, other.best_epoch)


class Branching(Module):
    def __init__(self):
        self.neuron = Neuron(2, "linear", rng=0)

    def __call__(self, x):
        z = self.neuron(x)
        return z if z > 0 else 0.1 * z


def test_uncompilable_models_are_trained_eagerly():
    history = fit(Branching(), squared_error, X, Y, epochs=2)
    assert history.engine.startswith("example by example, as it cannot be compiled: Symbol(op='>') has no truth value")
    with pytest.raises(SymbolHasNoValueError, match=r"test_fit_compiled\.py"):
        fit(Branching(), squared_error, X, Y, epochs=2, compiled=True)
    noisy = Sequential(Layer(2, 4, "tanh", rng=0), Dropout(0.5, rng=0), Layer(4, 1, "linear", rng=0))
    assert "Dropout" in fit(noisy, squared_error, X, Y, epochs=1).engine
    ragged = fit(lambda_sum(), squared_error, [[1.0], [1.0, 2.0]], [1.0, 3.0], epochs=1)
    assert "rows differ in length" in ragged.engine


def lambda_sum():
    class Sum(Module):
        def __init__(self):
            self.w = mg.Value(0.5)

        def __call__(self, xs):
            return self.w * mg.sum(xs)

    return Sum()


def test_other_values_are_not_compiled_as_constants():
    scale, seen = mg.Value(1.0), []

    def change(model, history):
        seen.append(history.loss[-1])
        scale.data = 3.0

    model = Neuron(1, "linear", init="zeros")
    model.b.data = 1.0
    fit(
        model, lambda output, target: scale * (output - target) ** 2, [[0.0]], [0.0], epochs=1,
        optimizer=partial(SGD, lr=0.0), callbacks=change,
    )  # fmt: skip
    assert seen == [1.0, 3.0]


def test_wrong_labels_are_found_before_anything_changes():
    for part, message in (({"y": [0, 1, 2]}, "example 2: the label is 2.0"), ({}, "example 1: the label is 5.0")):
        model = MLP([1, 2], rng=0)
        before = model.state_dict()
        validation = ([[1.0], [2.0]], [0, 5])
        with pytest.raises(LabelError, match=message):
            fit(
                model,
                cross_entropy,
                [[0.0], [1.0], [2.0]],
                part.get("y", [0, 1, 1]),
                validation=validation,
                compiled=True,
            )
        assert model.state_dict() == before


def test_invalid_compiled_settings_raise():
    with pytest.raises(ValueError, match=r"compiled must be True, False or .auto., got 'always'"):
        fit(MLP([2, 1]), squared_error, X, Y, compiled="always")


def test_iris():
    train, test = standardise(*mg.data.split(iris(), rng=0))
    model = MLP([4, 8, 3], activation="tanh", rng=0)
    history = fit(
        model,
        cross_entropy,
        train.inputs,
        train.targets,
        epochs=60,
        batch_size=8,
        validation=(test.inputs, test.targets),
    )
    assert history.engine.startswith("compiled")
    assert history.validation_accuracy[-1] >= 0.93


@pytest.mark.slow
def test_digits_to_95_percent():
    pytest.importorskip("sklearn")
    train, test = mg.data.split(digits(), rng=0)
    model = MLP([64, 32, 10], init="he", rng=0)
    history = fit(
        model, cross_entropy, train.inputs, train.targets, epochs=30, batch_size=32, optimizer=partial(Adam, lr=0.005),
        validation=(test.inputs, test.targets), callbacks=lambda m, h: h.validation_accuracy[-1] >= 0.95,
    )  # fmt: skip
    assert history.validation_accuracy[-1] >= 0.95
    assert np.isfinite(history.loss).all()

"""A call of fit that raises before its first update changes nothing: model, modes, gradients, optimizer, generators."""

import random

import numpy as np
import pytest
from state_snapshots import changes, global_state, snapshot

from microgradlib import costs, data
from microgradlib.errors import DivergedError
from microgradlib.nn import Dropout, Layer, Sequential
from microgradlib.optim import SGD
from microgradlib.training import EarlyStopping, fit

X, Y = [[0.0, 1.0], [1.0, 0.5], [2.0, -1.0], [-1.0, 0.0]], [0.5, 1.0, -1.0, 0.0]


def one_argument(x):
    return 0.0


def model(dropout=True):
    """Return a model with gradients; with dropout it has a generator of its own, and cannot be compiled."""
    dropouts = [Dropout(0.5, rng=random.Random(1)), Dropout(0.1)] if dropout else []
    made = Sequential(Layer(2, 3, "tanh", rng=0), *dropouts, Layer(3, 1, "linear", rng=0))
    made([0.5, -1.0]).backward()
    made.modules[0].eval()
    return made


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(
    "wrong",
    [
        {"optimizer": "sgd"},
        {"optimizer": int},
        {"optimizer": lambda parameters: None},
        {"optimizer": SGD},  # the class has a step, and no learning rate of its own is needed: right, see below
        {"callbacks": 3},
        {"callbacks": [one_argument]},
        {"clip_norm": -1},
        {"clip_value": "1"},
        {"compiled": "yes"},
        {"compiled": [True]},
        {"augment": 3},
        {"augment": one_argument},
        {"augment": lambda x, rng: x[:1]},
        {"augment": lambda x, rng: None},
        {"regulariser": lambda: 0.0},
        {"regulariser": lambda m: "text"},
        {"penalty": one_argument},
        {"validation": 2.0},
        {"validation": (X, Y[:2])},
        {"early_stopping": 0},
        {"early_stopping": EarlyStopping(monitor="error_rate")},
        {"early_stopping": EarlyStopping(monitor=one_argument)},
        {"epochs": 1.5},
        {"batch_size": 0},
        {"backend": "metal"},
        {"devices": 2},
        {"live": 1},
        {"progress": "bar"},
        {"y": ["a", "b", "c", "d"]},
        {"y": [[1.0], [2.0], [3.0], [4.0, 5.0]]},
        {"X": [*X[:3], [1.0]]},
        {"loss": one_argument},
        {"loss": costs.cross_entropy},
    ],
)
def test_a_refused_call_changes_nothing(wrong, training, compiled):
    m, rng = model(dropout=not compiled), random.Random(3)
    m.training = training
    given = {"X": X, "y": Y, "epochs": 2, "batch_size": 2, "compiled": compiled, "validation": 0.25, "rng": rng,
             "optimizer": SGD(m.parameters(), lr=0.1, momentum=0.9), "loss": costs.squared_error, **wrong}  # fmt: skip
    before, outside = snapshot(m, given), global_state()
    if wrong == {"optimizer": SGD}:
        assert fit(m, given.pop("loss"), **given).steps == 4
        assert changes(before, snapshot(m, given))
        return
    loss = given.pop("loss")
    with pytest.raises((TypeError, ValueError)):
        fit(m, loss, **given)
    given["loss"] = loss
    assert changes(before, snapshot(m, {name: given[name] for name in before_order(wrong)})) == []
    assert changes(outside, global_state()) == []


def before_order(wrong):
    names = ["X", "y", "epochs", "batch_size", "compiled", "validation", "rng", "optimizer", "loss"]
    return [*names, *[name for name in wrong if name not in names]]


def test_an_error_after_the_first_update_keeps_what_was_learnt():
    m = model()
    before = m.state_dict()

    def fail(model, history):
        if history.epochs == 2:
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        fit(m, costs.squared_error, X, Y, epochs=5, callbacks=fail)
    assert m.state_dict() != before
    assert not m.training


def test_a_first_step_that_diverges_leaves_the_model_as_it_was():
    m = Layer(1, 1, "linear", rng=0)
    before = snapshot(m)
    with pytest.raises(DivergedError):
        fit(m, lambda output, target: output * 1e200 * 1e200, np.ones((2, 1)), np.ones(2))
    assert changes(before, snapshot(m)) == []


def test_augmentations_of_the_library_are_taken():
    assert fit(model(), costs.squared_error, X, Y, epochs=1, augment=data.gaussian_noise(0.1)).epochs == 1

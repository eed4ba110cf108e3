"""Ends of training: early stopping, Ctrl-C, nan, wrong arguments; and progress output."""

import builtins
import io
import math
import sys

import pytest

import microgradlib as mg
from microgradlib.costs import binary_cross_entropy_with_logits, cross_entropy, squared_error
from microgradlib.errors import DivergedError, LabelError
from microgradlib.nn import MLP, Module, Neuron
from microgradlib.optim import SGD
from microgradlib.training import EarlyStopping, fit, score
from microgradlib.training.progress import Progress

X, Y = [[0.0], [1.0], [2.0], [3.0]], [1.0, 3.0, 5.0, 7.0]


def line(seed=0):
    return Neuron(1, "linear", rng=seed)


def descent(rate):
    return lambda parameters: SGD(parameters, lr=rate)


# Early stopping


def test_early_stopping_keeps_the_best_parameters():
    model, kept = line(), []
    away = ([[0.0], [1.0]], [0.0, 0.0])  # the validation examples want another line: there is a best point on the way
    history = fit(
        model, squared_error, X, Y, epochs=500, batch_size=None, optimizer=descent(0.02), validation=away,
        early_stopping=5, callbacks=[lambda m, h: kept.append(m.state_dict())],
    )  # fmt: skip
    best = min(range(len(history.validation_loss)), key=history.validation_loss.__getitem__)
    assert history.best_epoch == best
    assert history.epochs == best + 5
    assert history.stopped == f"no better loss since epoch {best}"
    assert model.state_dict() == kept[best]


def test_without_validation_the_training_loss_is_watched():
    model = line()
    model.load_state_dict({"w.0": 2.0, "b": 1.0})  # nothing better can come
    history = fit(model, squared_error, X, Y, epochs=50, early_stopping=3)
    assert (history.best_epoch, history.epochs) == (0, 3)


def test_gains_below_min_delta_do_not_count():
    watch, model = EarlyStopping(patience=1, min_delta=0.5), line()
    assert [watch.ends(e, loss, model) for e, loss in enumerate([3.0, 2.4, 2.0])] == [False, False, True]
    assert watch.best_epoch == 1


def test_a_nan_loss_is_never_the_best():
    watch, model = EarlyStopping(patience=2), line()
    assert [watch.ends(e, loss, model) for e, loss in enumerate([1.0, math.nan, math.nan])] == [False, False, True]
    assert watch.best_epoch == 0
    late = EarlyStopping(patience=2)
    assert [late.ends(e, loss, model) for e, loss in enumerate([math.nan, 3.0, 2.0, 2.5])] == [False] * 4
    assert (late.best_epoch, late.best_loss) == (2, 2.0)


def test_one_stopping_rule_serves_several_trainings():
    rule = EarlyStopping(patience=2)
    runs = [fit(line(), squared_error, X, Y, epochs=3, early_stopping=rule) for _ in range(2)]
    assert runs[0].best_epoch == runs[1].best_epoch == 3
    assert rule == EarlyStopping(patience=2)


def test_the_error_rate_may_be_watched():
    """Document 004: train until the error rate on the validation examples no longer falls."""
    points = mg.data.moons(40, noise=0.2, rng=1)
    one, kept = MLP([2, 4, 1], activation="tanh", rng=4), []
    for compiled in (True, False):
        model = MLP([2, 4, 1], activation="tanh", rng=4)
        history = fit(
            model, binary_cross_entropy_with_logits, points.inputs, points.targets, epochs=300, validation=0.25,
            optimizer=descent(0.3), early_stopping=EarlyStopping(20, monitor="error_rate"), compiled=compiled,
            callbacks=[lambda m, h: kept.append(m.state_dict())],
        )  # fmt: skip
        rates = [1 - a for a in history.validation_accuracy]
        best = rates.index(min(rates))
        assert history.best_epoch == best > 0
        assert history.epochs == best + 20
        assert history.stopped == f"no better error rate since epoch {best}"
        assert model.state_dict() == kept[best] != one.state_dict()
        kept.clear()


def test_without_validation_the_training_error_rate_is_watched():
    points = mg.data.moons(20, noise=0.1, rng=0)
    history = fit(
        MLP([2, 4, 1], rng=0), binary_cross_entropy_with_logits, points.inputs, points.targets, epochs=100,
        early_stopping=EarlyStopping(2, monitor="error_rate"),
    )  # fmt: skip
    assert history.best_epoch == history.accuracy.index(max(history.accuracy))


def test_a_function_may_be_watched():
    def size_of_weight(model, history):
        return mg.Value(abs(model.w[0].data) - history.epochs) if history.epochs < 3 else math.nan

    rule = EarlyStopping(patience=2, monitor=size_of_weight)
    history = fit(line(), squared_error, X, Y, epochs=50, early_stopping=rule)
    assert (history.best_epoch, history.epochs) == (2, 4)
    assert history.stopped == "no better size of weight since epoch 2"
    with pytest.raises(TypeError, match="the function that early stopping watches must return a number: expected"):
        fit(line(), squared_error, X, Y, early_stopping=EarlyStopping(monitor=lambda m, h: "low"))


def test_the_error_rate_of_a_cost_that_does_not_classify_is_refused():
    model = line()
    before = model.state_dict()
    with pytest.raises(ValueError, match="early stopping is to watch the error rate, but this loss does not classify"):
        fit(model, squared_error, X, Y, early_stopping=EarlyStopping(monitor="error_rate"))
    assert model.state_dict() == before
    for wrong in ("accuracy", None, 3):
        with pytest.raises(ValueError, match=r"monitor must be 'loss', 'error_rate' or a function .*, got "):
            EarlyStopping(monitor=wrong)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"patience": 0}, "patience must be a whole number >= 1, the epochs to wait, got 0"),
        ({"min_delta": -1.0}, r"min_delta must be a finite number >= 0, got -1\.0"),
        ({"min_delta": math.nan}, "min_delta must be a finite number >= 0, got nan"),
    ],
)
def test_invalid_stopping_rules_raise(wrong, message):
    with pytest.raises(ValueError, match=message):
        EarlyStopping(**wrong)


def test_a_callback_may_end_it():
    history = fit(line(), squared_error, X, Y, epochs=50, callbacks=[lambda m, h: h.epochs == 4])
    assert (history.epochs, history.stopped) == (4, "a callback returned True")


# Ctrl-C


def test_an_interrupt_keeps_the_parameters():
    def interrupt(model, history):
        if history.epochs == 3:
            raise KeyboardInterrupt

    model, other = line(), line()
    history = fit(model, squared_error, X, Y, epochs=50, callbacks=[interrupt])
    fit(other, squared_error, X, Y, epochs=3)
    assert (history.epochs, history.stopped) == (3, "interrupted")
    assert model.state_dict() == other.state_dict()


def test_an_interrupt_in_the_middle_of_an_epoch():
    calls = []

    def cost(output, target):
        calls.append(1)
        if len(calls) == 11:  # 4 before training, 4 in epoch 1, 3 in epoch 2
            raise KeyboardInterrupt
        return squared_error(output, target)

    model, other = line(), line()
    history = fit(model, cost, X, Y, epochs=50, batch_size=None, compiled=False)
    fit(other, squared_error, X, Y, epochs=1, batch_size=None, compiled=False)
    assert (history.epochs, history.steps, len(history.loss)) == (1, 1, 2)
    assert model.state_dict() == other.state_dict()
    assert not model.training


# nan


class Root(Module):
    def __init__(self):
        self.neuron = Neuron(1, "linear", init="zeros")

    def __call__(self, x):
        return mg.sqrt(self.neuron(x) + 1.0)


def test_a_nan_loss_names_step_example_op_and_line():
    model, states = Root(), []
    with pytest.raises(DivergedError) as caught:
        fit(
            model, squared_error, [[0.0], [1.0], [-5.0]], [1.0, 2.0, 1.0], epochs=50, batch_size=None,
            optimizer=descent(20.0), callbacks=[lambda m, h: states.append(m.state_dict())],
        )  # fmt: skip
    message = str(caught.value)
    epoch = caught.value.history.epochs + 1
    assert message.startswith(f"step {epoch}, in epoch {epoch}: the loss is nan; at example 2, sqrt gave nan from")
    assert "test_fit_stops.py" in message
    assert "clip_norm=1.0" in message
    assert model.state_dict() == states[-1]
    assert caught.value.history.loss == pytest.approx(caught.value.history.loss)


def test_an_infinite_gradient_is_found_too():
    model = Root()
    model.neuron.b.data = -1.0  # sqrt′(0) is inf
    with pytest.raises(DivergedError, match=r"step 1, in epoch 1: the gradient has norm .* at example 0"):
        fit(model, squared_error, [[0.0]], [1.0], epochs=1)


# What cannot be learnt from is refused before anything changes


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"y": [0, 1, 7, 1]}, LabelError, r"example 2: the label is 7\.0, but the 3 classes"),
        ({"y": [0, 1, math.nan, 1]}, LabelError, "example 2: the label is nan"),
        ({"y": [0, 1, "two", 1]}, TypeError, "example 2: expected a real number, got str"),
        ({"X": [[0.0], [1.0], [2.0, 5.0], [3.0]]}, ValueError, "example 2: this neuron takes a list of 1 input"),
        ({"y": [0, 1]}, ValueError, "training: 4 inputs but 2 targets"),
        ({"X": [], "y": []}, ValueError, "training: there are no examples"),
        ({"X": 3.0}, TypeError, "inputs and targets must be lists of examples, got 3"),
        ({"epochs": 0}, ValueError, "epochs must be a whole number >= 1, got 0"),
        ({"batch_size": 0}, ValueError, "batch_size must be a whole number >= 1, got 0"),
        ({"batch_size": 2.5}, TypeError, "batch_size must be a whole number >= 1"),
        (
            {"validation": 1.0},
            ValueError,
            r"validation must be a number >= 0 and < 1, the fraction of the examples, got 1\.0",
        ),
        ({"validation": ([[0.0]], [0], 3)}, ValueError, "got 3 entries"),
        ({"validation": ([[0.0]], [9])}, LabelError, "example 0: the label is 9"),
    ],
)
def test_wrong_arguments(change, error, message):
    model = MLP([1, 3], rng=0)
    before = model.state_dict()
    given = {"X": X, "y": [0, 1, 2, 1], "epochs": 2, **change}
    with pytest.raises(error, match=message):
        fit(model, cross_entropy, given.pop("X"), given.pop("y"), **given)
    assert model.state_dict() == before


def test_a_model_is_a_module():
    with pytest.raises(TypeError, match=r"model must be a Module of microgradlib\.nn, got a lambda function"):
        fit(lambda x: x, squared_error, X, Y)
    with pytest.raises(TypeError, match=r"model must be a Module of microgradlib\.nn, got a lambda function"):
        score(lambda x: x, squared_error, X, Y)


# Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def shown(monkeypatch, stream, show, *, tqdm):
    real = builtins.__import__
    if not tqdm:
        monkeypatch.setitem(sys.modules, "tqdm.auto", None)
        monkeypatch.setitem(sys.modules, "tqdm", None)
    assert builtins.__import__ is real
    monkeypatch.setattr(sys, "stderr", stream)
    fit(line(), squared_error, X, Y, epochs=3, progress=show)
    return stream.getvalue()


def test_no_progress_without_a_terminal(monkeypatch):
    assert shown(monkeypatch, io.StringIO(), None, tqdm=False) == ""
    assert shown(monkeypatch, Terminal(), False, tqdm=False) == ""


def test_progress_without_tqdm_is_one_line(monkeypatch):
    text = shown(monkeypatch, Terminal(), None, tqdm=False)
    assert text.count("\r") == 3
    assert "epoch 3 of 3: loss " in text
    assert text.endswith("\n")


def test_progress_in_a_file_is_a_line_for_every_tenth_of_the_epochs(monkeypatch):
    assert shown(monkeypatch, io.StringIO(), True, tqdm=False).count("\nepoch ") == 3
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    fit(line(), squared_error, X, Y, epochs=95, progress=True)
    assert len(stream.getvalue().splitlines()) == 11
    assert "epoch 95 of 95: loss " in stream.getvalue()
    assert "\x1b" not in stream.getvalue()


def test_the_bar_of_tqdm(monkeypatch):
    pytest.importorskip("tqdm")
    text = shown(monkeypatch, Terminal(), True, tqdm=True)
    assert "3/3" in text
    assert "loss " in text


def test_progress_without_updates_prints_nothing(monkeypatch):
    stream = Terminal()
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    monkeypatch.setattr(sys, "stderr", stream)
    Progress(3).close()
    assert stream.getvalue() == ""


def test_cost_names_the_wrong_kind_of_output():
    with pytest.raises(ValueError, match="example 0: the output must have one number for each class"):
        fit(line(), cross_entropy, X, [0, 1, 0, 1])
    history = fit(line(), binary_cross_entropy_with_logits, X, [0, 0, 1, 1], epochs=200)
    assert history.accuracy[-1] == 1.0


def test_progress_lines_fit_the_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    text = shown(monkeypatch, Terminal(), None, tqdm=False)
    engine, *lines = text.replace("\n", "\r").split("\r")
    assert engine == fit(line(), squared_error, X, Y, epochs=1, progress=False).engine  # a line that stays: all of it
    assert 0 < max(len(updated.removeprefix("\x1b[K")) for updated in lines) <= 20
    monkeypatch.setattr(sys, "stderr", None)
    assert not Progress(3, show=True).shown

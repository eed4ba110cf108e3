"""The training algorithm of document 004: an update against NumPy, an epoch against SGD, its end, what it keeps."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from microgradlib.costs import cross_entropy_from_probabilities
from microgradlib.data import Dataset
from microgradlib.nn import MLP
from microgradlib.optim import SGD
from microgradlib.training import random_order


def matrices(model):
    return [
        (np.array([[w.data for w in n.w] for n in layer.neurons]), np.array([n.b.data for n in layer.neurons]))
        for layer in model.layers
    ]


def updated(matrices, x, y, alpha, lambda_):
    """W and b of a logistic layer and a softmax layer after one update, and the cost before, by the four equations."""
    (w1, b1), (w2, b2) = matrices
    a1 = 1 / (1 + np.exp(-(w1 @ x + b1)))
    z2 = w2 @ a1 + b2
    y_hat = np.exp(z2) / np.exp(z2).sum()
    delta2 = y_hat - np.eye(len(y_hat))[y]
    delta1 = a1 * (1 - a1) * (w2.T @ delta2)
    after = [
        (w1 - alpha * (np.outer(delta1, x) + lambda_ * w1), b1 - alpha * delta1),
        (w2 - alpha * (np.outer(delta2, a1) + lambda_ * w2), b2 - alpha * delta2),
    ]
    return after, -np.log(y_hat[y])


@settings(max_examples=10, deadline=None)
@given(
    example=st.tuples(st.lists(st.floats(-2, 2), min_size=4, max_size=4), st.integers(0, 2)),
    seed=st.integers(0, 99),
    rates=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_one_update(script, example, seed, rates):
    (x, y), (alpha, lambda_) = example, rates
    algorithm = script("training_algorithm")
    model = algorithm.network(seed)
    expected, cost = updated(matrices(model), np.array(x), y, alpha, lambda_)
    assert algorithm.update(model, x, y, alpha, lambda_) == pytest.approx(cost, rel=1e-12)
    for (w, b), (w_expected, b_expected) in zip(matrices(model), expected):
        assert w == pytest.approx(w_expected, rel=1e-12, abs=1e-13)
        assert b == pytest.approx(b_expected, rel=1e-12, abs=1e-13)


def flowers(algorithm, every=4):
    """Return one of `every` irises of D and of V, standardised."""
    d, v = algorithm.standardise(*algorithm.split(algorithm.iris(), held_out=1 / 3))
    return tuple(replace(x, inputs=x.inputs[::every], targets=x.targets[::every]) for x in (d, v))


def test_an_epoch_is_that_of_sgd_with_weight_decay_on_the_weights_alone(script, monkeypatch):
    algorithm = script("training_algorithm")
    rates = iter([0.5, 0.1, 0.1])
    monkeypatch.setattr(algorithm, "error_rate", lambda model, data: next(rates))
    model, twin, (d, v) = algorithm.network(1), algorithm.network(1), flowers(algorithm, every=10)
    algorithm.train(model, d, v, algorithm.Settings(0.2, 0.01, patience=1), rng=5)
    biases = [n.b for layer in twin.layers for n in layer.neurons]
    optimiser = SGD([{"params": twin.weights(), "weight_decay": 0.01}, {"params": biases}], lr=0.2)
    for n in random_order(len(d), 5):
        twin.zero_grad()
        cross_entropy_from_probabilities(twin(d.inputs[n]), d.targets[n]).backward()
        optimiser.step()
    after, expected = ([p.data for p in m.parameters()] for m in (model, twin))
    assert after == pytest.approx(expected, rel=1e-12)


def test_fit_does_the_same(script):
    algorithm = script("training_algorithm")
    model, twin, (d, v) = algorithm.network(1), algorithm.network(1), flowers(algorithm)
    settings = algorithm.Settings(alpha=0.3, patience=2)
    rates, same_rates = algorithm.train(model, d, v, settings, 3), algorithm.train_by_fit(twin, d, v, settings, 3)
    assert rates == pytest.approx(same_rates, abs=1e-15)
    after, expected = ([p.data for p in m.parameters()] for m in (model, twin))
    assert after == pytest.approx(expected, rel=1e-9)


def test_it_ends_when_the_error_rate_has_not_fallen_and_keeps_the_best_parameters(script, monkeypatch):
    algorithm = script("training_algorithm")
    rates, states = iter([0.5, 0.4, 0.4, 0.3, 0.3, 0.5, 0.3, 0.0]), []

    def error_rate(model, data):
        states.append(model.state_dict())
        return next(rates)

    monkeypatch.setattr(algorithm, "error_rate", error_rate)
    model, (d, v) = algorithm.network(), flowers(algorithm, every=20)
    assert algorithm.train(model, d, v, algorithm.Settings(patience=3)) == [0.5, 0.4, 0.4, 0.3, 0.3, 0.5, 0.3]
    assert model.state_dict() == states[3]


def test_error_rate(script):
    model = MLP([1, 2], output="softmax", init="zeros")
    model.layers[0].neurons[1].w[0].data = 1.0  # class 1 for x > 0
    points = Dataset(((1.0,), (-1.0,), (2.0,), (-2.0,)), (1, 0, 0, 0), ("x",), ("low", "high"))
    assert script("training_algorithm").error_rate(model, points) == 0.25


def test_main_prints_a_line_for_each_epoch(script, capsys):
    script("training_algorithm").main(script("training_algorithm").Settings(patience=1))
    lines = capsys.readouterr().out.splitlines()
    assert [int(line.split()[0]) for line in lines[2:-2]] == list(range(len(lines) - 4))
    [best] = [epoch for epoch, line in enumerate(lines[2:-2]) if line.endswith("lowest")]
    assert lines[-2].endswith(f"those of epoch {best}.")
    assert float(lines[-1].split()[-1].rstrip(".")) < 1e-9


@pytest.mark.slow
def test_it_learns_the_irises(script):
    algorithm = script("training_algorithm")
    rates = algorithm.train(algorithm.network(), *flowers(algorithm, every=1), algorithm.SETTINGS)
    # Measured: 3.9% at epoch 15 of 25, 27.5% after the first; with the seeds 1 to 3, 3.9% too, and 22 to 33%.
    assert rates[1] > 0.2
    assert min(rates) < 0.08
    assert rates.index(min(rates)) == len(rates) - 11

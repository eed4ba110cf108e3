"""fit against hand-written loops: updates, order, history, regularisers, clipping, seeds."""

import math
import random
from functools import partial

import numpy as np
import pytest

from microgradlib import mean
from microgradlib.costs import binary_cross_entropy_with_logits, cross_entropy, squared_error
from microgradlib.data import moons
from microgradlib.nn import MLP, Dropout, Layer, Neuron, Sequential
from microgradlib.optim import SGD, Adam
from microgradlib.regularisers import L2, TangentPropagation
from microgradlib.training import History, fit, random_order

POINTS = moons(24, noise=0.1, rng=0)
X, Y = list(POINTS.inputs), list(POINTS.targets)
LOSS = binary_cross_entropy_with_logits


def model(seed=0, activation="tanh"):
    return MLP([2, 4, 1], activation=activation, rng=seed)


def numbers(m):
    return [p.data for p in m.parameters()]


def by_hand(m, batches, rate, extra=lambda m: 0.0):
    """Gradient descent on the mean cost of each batch of indices, one graph a batch."""
    for batch in batches:
        loss = mean([LOSS(m(X[i]), Y[i]) for i in batch]) + extra(m)
        m.zero_grad()
        loss.backward()
        for p in m.parameters():
            p.data -= rate * p.grad
    return numbers(m)


def test_all_examples_at_once_is_batch_gradient_descent():
    one, other = model(), model()
    fit(one, LOSS, X, Y, epochs=3, batch_size=None, optimizer=partial(SGD, lr=0.5))
    assert numbers(one) == pytest.approx(by_hand(other, [range(24)] * 3, 0.5), rel=1e-12, abs=1e-14)


def test_mini_batches_in_a_new_order_each_epoch():
    one, other, rng = model(), model(), random.Random(7)
    batches = []
    for _ in range(2):
        order = random_order(24, rng)
        batches += [order[i : i + 5] for i in range(0, 24, 5)]
    fit(one, LOSS, X, Y, epochs=2, batch_size=5, optimizer=partial(SGD, lr=0.5), rng=7)
    assert sorted(batches[0]) != sorted(batches[5])
    assert numbers(one) == pytest.approx(by_hand(other, batches, 0.5), rel=1e-12, abs=1e-14)


def test_regularisers_and_penalties_are_part_of_the_gradient():
    one, other = model(), model()
    decay, slope = L2(0.1), TangentPropagation([1.0, -1.0], 0.3)
    fit(one, LOSS, X, Y, epochs=2, batch_size=None, optimizer=partial(SGD, lr=0.5), regulariser=decay, penalty=slope)
    both = by_hand(other, [range(24)] * 2, 0.5, lambda m: decay(m) + mean([slope(m, x) for x in X]))
    assert numbers(one) == pytest.approx(both, rel=1e-11, abs=1e-13)


def test_several_regularisers():
    one, other = model(), model()
    for m, terms in ((one, [L2(0.1), L2(0.2, biases=True)]), (other, lambda m: L2(0.1)(m) + L2(0.2, biases=True)(m))):
        fit(m, LOSS, X, Y, epochs=2, regulariser=terms)
    assert numbers(one) == pytest.approx(numbers(other), rel=1e-12)


@pytest.mark.parametrize(("option", "size"), [("clip_norm", "norm"), ("clip_value", "largest")])
def test_clipping(option, size):
    one = model()
    before = numbers(one)
    fit(one, LOSS, X, Y, epochs=1, batch_size=None, optimizer=partial(SGD, lr=1.0), **{option: 1e-3})
    change = [a - b for a, b in zip(numbers(one), before)]
    measured = {"norm": math.hypot(*change), "largest": max(map(abs, change))}[size]
    assert measured == pytest.approx(1e-3, rel=1e-2)


def test_history_by_hand():
    m, before, after = model(), [], []

    def risk(m):
        return math.fsum(LOSS(m(x), y).data for x, y in zip(X, Y)) / 24

    def look(m, history):
        (after if history.epochs else before).append((risk(m), [m(x).data >= 0 for x in X]))

    history = fit(
        m, LOSS, X, Y, epochs=2, batch_size=None, optimizer=partial(SGD, lr=0.5), callbacks=[look], validation=(X, Y)
    )
    assert history.loss[0] == pytest.approx(before[0][0], rel=1e-14)
    assert history.loss[1] == pytest.approx(before[0][0], rel=1e-14)  # a batch's cost is taken before its update
    assert history.loss[2] == pytest.approx(after[0][0], rel=1e-14)
    assert history.validation_loss[1:] == pytest.approx([risk for risk, _ in after], rel=1e-14)
    share = [sum(told == y for told, y in zip(classes, Y)) / 24 for _, classes in (before + after)]
    assert history.validation_accuracy == share
    assert history.accuracy == [share[0], share[0], share[1]]
    assert (history.epochs, history.steps, history.stopped) == (2, 2, "")


def test_gradient_norms_by_layer():
    m = model()
    loss = mean([LOSS(m(x), y) for x, y in zip(X, Y)])
    m.zero_grad()
    loss.backward()
    expected = {f"layers.{i}": math.hypot(*[p.grad for p in layer.parameters()]) for i, layer in enumerate(m.layers)}
    history = fit(m, LOSS, X, Y, epochs=1, batch_size=None)
    assert {name: norms[1] for name, norms in history.gradient_norms.items()} == pytest.approx(expected, rel=1e-12)
    assert all(math.isnan(norms[0]) for norms in history.gradient_norms.values())


def test_dead_rectifiers_are_counted():
    m = model(activation="relu")
    for neuron, bias in zip(m.layers[0].neurons, [-100.0, 0.0, -100.0, 100.0]):
        neuron.b.data = bias
    dead = [not any(neuron(x).data > 0 for x in X) for neuron in m.layers[0].neurons]
    assert dead[0]
    assert dead[2]
    history = fit(m, LOSS, X, Y, epochs=1)
    assert history.dead_relus[0] == sum(dead) / 4
    assert len(history.dead_relus) == 2
    assert fit(model(), LOSS, X, Y, epochs=1).dead_relus == []


def test_the_same_seed_gives_the_same_run():
    def run(rng):
        m = Sequential(Layer(2, 4, "tanh", rng=0), Dropout(0.3, rng=1), Layer(4, 1, "linear", rng=2))
        history = fit(m, LOSS, X, Y, epochs=3, batch_size=5, validation=0.25, rng=rng)
        return numbers(m), history.loss, history.validation_loss

    assert run(5) == run(5) == run(random.Random(5)) != run(6)


def test_dropout_is_off_in_validation_and_after_training():
    m = Sequential(Layer(2, 8, "tanh", rng=0), Dropout(0.5, rng=1), Layer(8, 1, "linear", rng=2))
    history = fit(m, LOSS, X, Y, epochs=1, validation=(X, Y))
    again = math.fsum(LOSS(m(x), y).data for x, y in zip(X, Y)) / 24
    assert history.validation_loss[-1] == again


def test_the_validation_share_is_not_trained_on():
    seen = []

    class Spy(Neuron):
        def __call__(self, x):
            if self.training:
                seen.append(tuple(x))
            return super().__call__(x)

    history = fit(Spy(2, "linear", rng=0), LOSS, X, Y, epochs=1, validation=0.25, compiled=False)
    assert len(set(seen)) == 18
    assert len(history.validation_loss) == 2


def test_augmentation_applies_to_training_examples_only():
    used = []

    def shifted(x, rng):
        used.append(rng)
        return [x[0] + 1.0, x[1]]

    one, other, rng = model(), model(), random.Random(3)
    moved = [[x[0] + 1.0, x[1]] for x in X]
    one_history = fit(one, LOSS, X, Y, epochs=2, augment=shifted, rng=rng, validation=(X, Y))
    fit(other, LOSS, moved, Y, epochs=2, rng=3)
    assert numbers(one) == numbers(other)
    assert len(used) == 48
    assert all(r is rng for r in used)
    assert one_history.validation_loss[-1] == pytest.approx(
        math.fsum(LOSS(one(x), y).data for x, y in zip(X, Y)) / 24, rel=1e-14
    )


def test_inputs_may_be_arrays():
    one, other = model(), model()
    fit(one, LOSS, np.array(X), np.array(Y), epochs=2)
    fit(other, LOSS, X, Y, epochs=2)
    assert numbers(one) == numbers(other)


def test_optimizer_instances_and_factories():
    one, other, default = model(), model(), model()
    fit(one, LOSS, X, Y, epochs=2, optimizer=Adam(one.parameters(), lr=0.01))
    fit(other, LOSS, X, Y, epochs=2, optimizer=partial(Adam, lr=0.01))
    fit(default, LOSS, X, Y, epochs=2)
    assert numbers(one) == numbers(other) == numbers(default)


def test_regression_has_no_accuracy():
    history = fit(Neuron(2, "linear", rng=0), squared_error, X, [x[0] + 2 * x[1] for x in X], epochs=200)
    assert history.loss[-1] < 1e-2 < history.loss[0]
    assert history.accuracy == history.validation_accuracy == []


def test_three_classes_are_learnt():
    m = MLP([2, 8, 3], activation="tanh", rng=0)
    classes = [0 if x[0] < 0 else 1 if x[0] < 1 else 2 for x in X]
    history = fit(m, cross_entropy, X, classes, epochs=100, batch_size=8, optimizer=partial(Adam, lr=0.05))
    assert history.accuracy[-1] == 1.0


def test_plots():
    history = fit(model(activation="relu"), LOSS, X, Y, epochs=2, validation=0.25)
    for what in ("loss", "accuracy", "gradient_norms", "dead_relus"):
        assert "<svg" in history.plot(what)._repr_svg_()
    assert "training: 3 numbers" in history.plot().text
    with pytest.raises(ValueError, match=r"a history can plot 'loss', .*, got 'losses'"):
        history.plot("losses")
    with pytest.raises(ValueError, match="no accuracy to plot"):
        History(loss=[1.0]).plot("accuracy")
    assert repr(history).startswith("<History of 2 epochs: loss 0.")

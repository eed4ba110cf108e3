"""Parameters in one array during fit: the same bits as steps by hand; what callbacks and interrupts see; optimizers."""

import math
import random
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import microgradlib as mg
from microgradlib.costs import binary_cross_entropy_with_logits as cost, squared_error
from microgradlib.data import gaussian_noise, moons
from microgradlib.errors import DivergedError
from microgradlib.nn import MLP, Module, Neuron
from microgradlib.optim import SGD, Adagrad, Adam, AdamW, Optimiser, RMSprop, cosine
from microgradlib.training import fit, random_order

POINTS = moons(20, noise=0.1, rng=0)
X, Y = list(POINTS.inputs), list(POINTS.targets)
train = partial(fit, loss=cost, X=X, y=Y, batch_size=7, progress=False, compiled=True)
OPTIMIZERS = [
    partial(SGD, lr=0.1),
    partial(SGD, lr=cosine(0.5, 0.0, 6), momentum=0.9, nesterov=True, weight_decay=0.01),
    partial(Adam, lr=0.02, amsgrad=True),
    partial(AdamW, lr=0.02),
    partial(RMSprop, lr=0.01, centered=True, momentum=0.3),
    partial(Adagrad, lr=0.1, lr_decay=0.1),
]


def model(seed=0):
    return MLP([2, 4, 1], activation="tanh", rng=seed)


def numbers(m):
    return [p.data for p in m.parameters()]


@settings(max_examples=8)
@given(make=st.sampled_from(OPTIMIZERS), batch=st.integers(1, 21), seed=st.integers(0, 99), maximize=st.booleans())
def test_the_bits_are_those_of_steps_by_hand(make, batch, seed, maximize):
    m, other, rng = model(), model(), random.Random(seed)
    fit(m, cost, X, Y, epochs=2, batch_size=batch, optimizer=partial(make, maximize=maximize), rng=seed, compiled=True)
    fast = mg.compile(lambda x, y: cost(other(x), y), other.parameters())
    optimizer = make(other.parameters(), maximize=maximize)
    for _ in range(2):
        order = random_order(20, rng)
        for start in range(0, 20, batch):
            places = order[start : start + batch]
            _, gradient = fast.value_and_grad(np.array(X)[places], np.array(Y)[places])
            optimizer.step(gradient)
    assert numbers(m) == numbers(other)


def test_callbacks_see_the_values_the_gradients_and_the_state_of_the_optimizer():
    seen = {}
    for compiled in (True, False):
        m = model()
        optimizer = Adam(m.parameters(), lr=0.05)
        record = seen[compiled] = []

        def look(m, history, record=record, optimizer=optimizer):
            buffers = optimizer.state_dict()["buffers"]
            slopes = [p.grad for p in m.parameters()] if history.epochs else []
            record.append([*numbers(m), *slopes, *buffers["m"], *buffers["v"], optimizer.steps, history.steps])

        train(m, epochs=3, optimizer=optimizer, callbacks=look, compiled=compiled)
    for one, other in zip(seen[True], seen[False], strict=True):
        assert one == pytest.approx(other, rel=1e-9, abs=1e-12)
    assert [record[-1] for record in seen[True]] == [0, 3, 6, 9]


def test_what_a_callback_changes_is_used():
    def intervene(m, history):
        if history.epochs == 1:
            for p in m.parameters():
                p.data = 0.25
            m.optimizer.param_groups[0]["lr"] = 0.0

    m = model()
    m.optimizer = SGD(m.parameters(), lr=0.5)
    train(m, epochs=3, optimizer=m.optimizer, callbacks=intervene)
    assert set(numbers(m)) == {0.25}


def test_an_optimizer_goes_on_in_the_next_run():
    runs = []
    for compiled in (True, False):
        m = model()
        optimizer = Adam(m.parameters(), lr=0.05)
        for seed in (0, 1):
            train(m, epochs=2, optimizer=optimizer, rng=seed, compiled=compiled)
        optimizer.step([1.0] * len(m.parameters()))  # and by itself
        assert optimizer.steps == 13
        assert {type(x) for x in optimizer.buffers["m"]} == {float}
        runs.append(numbers(m))
    assert runs[0] == pytest.approx(runs[1], rel=1e-9, abs=1e-12)


def test_groups_and_frozen_parameters():
    m, other = model(), model()
    last = m.layers[1].parameters()
    train(m, epochs=2, optimizer=SGD(last, lr=0.5))
    assert numbers(m.layers[0]) == numbers(other.layers[0])
    assert numbers(m.layers[1]) != numbers(other.layers[1])
    runs = []
    for compiled in (True, False):
        m = model()
        groups = [
            {"params": m.layers[1].parameters(), "lr": 0.1, "momentum": 0.5},
            {"params": m.layers[0].parameters(), "weight_decay": 0.1},
        ]
        train(m, epochs=2, optimizer=SGD(groups, lr=0.3), compiled=compiled)
        runs.append(numbers(m))
    assert runs[0] == pytest.approx(runs[1], rel=1e-10, abs=1e-12)


def test_a_group_may_be_added_in_a_callback():
    runs = []
    for compiled in (True, False):
        m = model()
        optimizer = Adam(m.layers[1].parameters(), lr=0.1)

        def thaw(m, history, optimizer=optimizer):
            if history.epochs == 1:
                optimizer.add_param_group({"params": m.layers[0].parameters(), "lr": 0.01})

        train(m, epochs=3, optimizer=optimizer, callbacks=thaw, compiled=compiled)
        runs.append(numbers(m))
    assert runs[0] == pytest.approx(runs[1], rel=1e-9, abs=1e-12)


def test_parameters_of_elsewhere_are_stepped_too():
    m, elsewhere = model(), mg.Value(1.0)
    elsewhere.grad = 1.0
    optimizer = SGD(m.parameters(), lr=0.5)

    def add(m, history):
        if history.epochs == 1:
            optimizer.add_param_group({"params": [elsewhere]})

    train(m, epochs=2, optimizer=optimizer, callbacks=add)
    assert elsewhere.data == 1.0 - 3 * 0.5


class Sign(Optimiser):
    """A rule for single numbers only."""

    def update(self, xp, t, lr, p, g):
        return (p - lr if g > 0 else p + lr,)


class Foreign:
    """An optimizer of somebody else's."""

    def __init__(self, parameters):
        self.parameters = parameters

    def step(self):
        for p in self.parameters:
            p.data -= 0.1 * p.grad


@pytest.mark.parametrize("make", [partial(Sign, lr=0.01), Foreign])
def test_optimizers_that_arrays_do_not_suit(make):
    runs = []
    for compiled in (True, False):
        m = model()
        states = []
        train(
            m,
            epochs=2,
            optimizer=make,
            callbacks=lambda m, h, states=states: states.append(numbers(m)),
            compiled=compiled,
        )
        assert states[-1] == numbers(m)
        runs.append(numbers(m))
    assert runs[0] == pytest.approx(runs[1], rel=1e-10, abs=1e-12)
    assert runs[0] != numbers(model())


def test_augmentations_see_the_values_of_each_step():
    seen = {}
    for compiled in (True, False):
        m = model()
        seen[compiled] = []

        def noisy(x, rng, m=m, record=seen[compiled]):
            record.append(numbers(m)[0])
            return gaussian_noise(0.1)(x, rng)

        train(m, epochs=2, augment=noisy, compiled=compiled)
    assert seen[True] == pytest.approx(seen[False], rel=1e-9)
    assert len(set(seen[True])) == 6


class Interrupting:
    """A schedule that raises at its n-th call."""

    def __init__(self, n, error):
        self.n, self.error = n, error

    def __call__(self, t):
        self.n -= 1
        if self.n < 0:
            raise self.error
        return 0.1


@pytest.mark.parametrize("steps", [0, 1, 3, 4, 8])
def test_an_interrupt_within_an_epoch_keeps_all_steps(steps):
    m, other = model(), model()
    optimizer = Adam(m.parameters(), lr=Interrupting(steps, KeyboardInterrupt()))
    history = train(m, epochs=5, optimizer=optimizer)
    assert (history.stopped, history.steps, optimizer.steps) == ("interrupted", steps, steps)
    same = Adam(other.parameters(), lr=Interrupting(steps, KeyboardInterrupt()))
    train(other, epochs=5, optimizer=same, compiled=False)
    assert numbers(m) == pytest.approx(numbers(other), rel=1e-9)
    assert optimizer.buffers["v"] == pytest.approx(same.buffers["v"], rel=1e-9)
    assert not m.training


def test_an_error_within_an_epoch_keeps_all_steps():
    m, other = model(), model()
    with pytest.raises(RuntimeError, match="no rate"):
        train(m, epochs=5, optimizer=SGD(m.parameters(), lr=Interrupting(5, RuntimeError("no rate"))))
    train(other, epochs=5, optimizer=SGD(other.parameters(), lr=Interrupting(5, KeyboardInterrupt())))
    assert numbers(m) == numbers(other)


def test_a_diverged_run_has_the_parameters_before_that_step():
    class Root(Module):
        def __init__(self):
            self.neuron = Neuron(1, "linear", init="zeros")

        def __call__(self, x):
            return mg.sqrt(self.neuron(x) + 1.0)

    inputs, targets = [[0.0], [0.5], [1.0], [-1.0]], [-9.0, -9.0, -9.0, -9.0]
    after = {}
    for compiled in (True, False):
        m = Root()
        with pytest.raises(DivergedError, match="step 4, in epoch 1: the loss is nan; at example 1, sqrt"):
            fit(m, squared_error, inputs, targets, epochs=5, batch_size=1, optimizer=partial(SGD, lr=0.06), rng=3,
                compiled=compiled)  # fmt: skip
        after[compiled] = numbers(m)
    assert after[True] == pytest.approx(after[False], rel=1e-12)
    assert after[True] != [0.0, 0.0]
    assert all(map(math.isfinite, after[True]))


def test_arrays_are_not_copied_into_lists():
    inputs, targets = np.random.default_rng(0).normal(size=(64, 2)), np.arange(64) % 2
    one, other = model(), model()
    for m, x, y in ((one, inputs, targets), (other, inputs.tolist(), targets.tolist())):
        for compiled in (True, False):
            fit(m, cost, x, y, epochs=1, validation=0.25, compiled=compiled, augment=gaussian_noise(0.1))
    assert numbers(one) == numbers(other)
    assert np.array_equal(inputs, np.random.default_rng(0).normal(size=(64, 2)))

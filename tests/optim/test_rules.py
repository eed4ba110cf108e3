"""Update rules: 50 steps against PyTorch, on Values and arrays; closed forms; IEEE 754 results."""

import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from peer_records import as_recorded, peer_record

from microgradlib import Value, exp, tanh, value_and_grad
from microgradlib.optim import (
    SGD,
    Adagrad,
    Adam,
    AdamW,
    Optimiser,
    RMSprop,
    constant,
    cosine,
    linear,
    step_decay,
    warm_up,
)

PEER = peer_record("optim")
CLASSES = {kind.__name__: kind for kind in (SGD, Adam, AdamW, RMSprop, Adagrad)}
PLANS = {
    "constant": constant(0.3),
    "linear": linear(0.3, 0.03, 30),
    "cosine": cosine(0.3, 0.02, 49),
    "step_decay": step_decay(0.3, every=7, factor=0.5),
    "inverse": lambda t: 0.3 / (1 + t),
    "warm_up": warm_up(5, then=step_decay(0.3, every=7, factor=0.5)),
}
finite = st.floats(-10, 10)


def loss(p):
    """The function of tests/peers/record_optim.py."""
    a, b, c, d = p
    return (1 - a) ** 2 + 3 * (b - a * a) ** 2 + tanh(c * a - d) + exp(-c * d) + d**4 / 10


def slopes(numbers):
    return value_and_grad(loss)(list(numbers))[1]


def on_values(kind, settings):
    """Yield the parameters after each step, read from `grad`."""
    values = [Value(x) for x in PEER["start"]]
    optimiser = kind((v for v in values), **settings)
    while True:
        optimiser.zero_grad()
        loss(values).backward()
        optimiser.step()
        yield [v.data for v in values]


def on_array(kind, settings, dtype=float):
    array = np.array(PEER["start"], dtype=dtype)
    optimiser = kind(array, **settings)
    while True:
        optimiser.step(np.array(slopes(array)))
        yield array.tolist()


cases = pytest.mark.parametrize("rule", PEER["rules"], ids=lambda rule: f"{rule['class']} {rule['settings']}")
runs = pytest.mark.parametrize("run", [on_values, on_array])


@cases
@runs
def test_steps_are_pytorchs(rule, run):
    for step, numbers in zip(range(1, 51), run(CLASSES[rule["class"]], rule["settings"])):
        if str(step) in rule["shown"]:
            assert numbers == as_recorded(rule["shown"][str(step)]), step


@pytest.mark.parametrize("name", PLANS)
@runs
def test_steps_with_a_schedule_are_pytorchs(name, run):
    kind, settings = PEER["planned"]
    for step, numbers in zip(range(1, 51), run(CLASSES[kind], {**settings, "lr": PLANS[name]})):
        if str(step) in PEER["plans"][name]["shown"]:
            assert numbers == as_recorded(PEER["plans"][name]["shown"][str(step)]), step


@cases
def test_arrays_step_as_values_do(rule):
    kind, settings = CLASSES[rule["class"]], rule["settings"]
    values = [Value(x) for x in PEER["start"]]
    array = np.array(PEER["start"])
    one, other = kind(values, **settings), kind(array, **settings)
    for _ in range(20):
        gradient = slopes(array)
        one.step(gradient)
        other.step(gradient)
        assert [v.data for v in values] == pytest.approx(array.tolist(), rel=1e-15, abs=1e-15)
        array[:] = [v.data for v in values]


@cases
def test_single_precision_is_kept(rule):
    array = np.array(PEER["start"], dtype=np.float32)
    optimiser = CLASSES[rule["class"]](array, **rule["settings"])
    for _ in range(10):
        optimiser.step(np.array(slopes(array.tolist())))
    assert {b.dtype for b in optimiser.buffers.values()} <= {np.dtype(np.float32)}
    assert array.tolist() == pytest.approx(rule["shown"]["10"], rel=1e-4, abs=1e-4)


# Closed forms


@given(start=finite, target=finite, rate=st.floats(0, 1), steps=st.integers(1, 30))
def test_sgd_on_a_quadratic(start, target, rate, steps):
    w = Value(start)
    optimiser = SGD([w], lr=rate)
    for _ in range(steps):
        optimiser.zero_grad()
        ((w - target) ** 2 / 2).backward()
        optimiser.step()
    assert w.data == pytest.approx(target + (1 - rate) ** steps * (start - target), rel=1e-9, abs=1e-12)


@given(st.lists(finite, min_size=1, max_size=8))
def test_momentum_under_a_constant_gradient(gradient):
    """v_t = g (1 − μᵗ) / (1 − μ), summed: p_t = p_0 − η Σ v."""
    values = [Value(0.0) for _ in gradient]
    optimiser = SGD(values, lr=1.0, momentum=0.5)
    for _ in range(10):
        optimiser.step(gradient)
    total = sum((1 - 0.5**t) / 0.5 for t in range(1, 11))
    assert [v.data for v in values] == pytest.approx([-g * total for g in gradient], rel=1e-12)


@given(st.lists(st.floats(1e-3, 1e3) | st.floats(-1e3, -1e-3), min_size=1, max_size=8))
def test_adams_first_step_is_the_rate_whatever_the_gradient(gradient):
    values = [Value(0.0) for _ in gradient]
    Adam(values, lr=0.1, eps=0.0).step(gradient)
    assert [v.data for v in values] == pytest.approx([-math.copysign(0.1, g) for g in gradient], rel=1e-12)


@pytest.mark.parametrize("kind", [list, np.array])
def test_the_variance_of_centred_rmsprop_is_not_negative(kind):
    """A constant gradient: the variance is g² q (1 − q), q = αᵗ; r − a² would be −1.4e-14 at step 53."""
    g, alpha, p = 9.355999898403429, 0.5, kind([Value(0.0)] if kind is list else [0.0])
    optimiser = RMSprop(p, lr=1e-9, alpha=alpha, centered=True)
    for t in range(1, 101):
        optimiser.step([g])
        q = alpha**t
        assert optimiser.buffers["r"][0] == pytest.approx(g * g * q * (1 - q), rel=1e-12)
    assert math.isfinite(float(p[0].data if kind is list else p[0]))


@settings(max_examples=50)
@given(
    gradients=st.lists(st.floats(-1e150, 1e150) | st.sampled_from([1.0, 1 + 2**-52]), min_size=1, max_size=40),
    alpha=st.floats(0.01, 0.999),
)
def test_centred_rmsprop_stays_finite(gradients, alpha):
    w, array = Value(0.0), np.zeros(1)
    one, other = (RMSprop(p, lr=0.01, alpha=alpha, centered=True) for p in ([w], array))
    for g in [*gradients, *[gradients[-1]] * 40]:
        one.step([g])
        other.step([g])
        assert one.buffers["r"][0] >= 0.0
    assert w.data == array[0]
    assert math.isfinite(w.data)


def test_adamw_without_decay_is_adam():
    one, other = Value(1.0), Value(1.0)
    Adam([one], lr=0.1).step([3.0])
    AdamW([other], lr=0.1, weight_decay=0.0).step([3.0])
    assert one.data == other.data


# Numbers are IEEE 754's


@pytest.mark.parametrize("kind", [Adam, RMSprop, Adagrad])
def test_zero_by_zero_is_nan_for_values_and_arrays(kind):
    values, array = [Value(1.0), Value(2.0)], np.array([1.0, 2.0])
    kind(values, lr=0.1, eps=0.0).step([0.0, 3.0])
    kind(array, lr=0.1, eps=0.0).step([0.0, 3.0])
    assert math.isnan(values[0].data)
    assert math.isnan(array[0])
    assert values[1].data == array[1] < 2.0
    assert type(values[0].data) is float


@pytest.mark.parametrize("gradient", [[math.inf, 1e200, 0.5], [math.nan, -1e300, 0.0]])
@pytest.mark.parametrize("kind", CLASSES.values())
def test_overflow_is_the_same_for_values_and_arrays(kind, gradient):
    values, array = [Value(1.0) for _ in gradient], np.ones(3)
    one, other = kind(values, lr=0.1), kind(array, lr=0.1)
    for _ in range(3):
        one.step(gradient)
        other.step(gradient)
    np.testing.assert_allclose([v.data for v in values], array, rtol=1e-15)


# A rule of one's own


def test_a_user_defined_rule_runs_on_values_and_arrays():
    class Perceptron(Optimiser):
        """Steps of ±η, and their number."""

        def buffer_starts(self):
            return {"count": self.first}

        def update(self, xp, t, lr, p, g, *buffers):
            return p - lr * xp.where(g > 0, 1.0, -1.0), buffers[0] + 1

    value, array = Value(3.0), np.array([3.0, 3.0])
    one, other = Perceptron([value], 0.5, first=10), Perceptron(array, 0.5, first=10)
    one.step([0.1])
    other.step([-7.0, 2.0])
    assert (value.data, one.buffers) == (2.5, {"count": [11]})
    assert array.tolist() == [3.5, 2.5]
    assert other.buffers["count"].tolist() == [11.0, 11.0]
    assert repr(one) == "Perceptron(1 parameter, lr=0.5, first=10)"


def test_a_rule_that_returns_a_non_number_changes_nothing():
    class Wrong(Optimiser):
        def update(self, xp, t, lr, p, g, *buffers):
            return (p if p == 1.0 else "two",)

    values = [Value(1.0), Value(2.0)]
    with pytest.raises(TypeError, match=r"what the rule returns: .* 'two'"):
        Wrong(values, 0.5).step([1.0, 1.0])
    assert [v.data for v in values] == [1.0, 2.0]


def test_the_base_has_no_rule():
    with pytest.raises(NotImplementedError):
        Optimiser([Value(1.0)], lr=0.1).step([1.0])

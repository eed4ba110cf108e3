"""Negative log-likelihoods, Kullback–Leibler divergence, Huber and smooth L1: PyTorch's numbers, laws, errors."""

import math
from functools import partial

import mpmath
import numpy as np
import pytest
from eager_oracle import assert_matches_eager
from hypothesis import given, settings, strategies as st
from peer_records import peer_record

import microgradlib as mg
from microgradlib import Symbol, Value, evaluate, grad_table, log_softmax
from microgradlib.costs import (
    absolute_error,
    cross_entropy,
    decision_of,
    huber,
    kl_div,
    nll,
    nll_of,
    poisson_nll,
    smooth_l1,
    squared_error,
)
from microgradlib.errors import LabelError

PYTORCH = peer_record("likelihoods")
numbers = st.floats(-20, 20)
logits = st.lists(st.floats(-30, 30), min_size=2, max_size=5)
COSTS = {
    "nll": (nll, "log_p", "classes"),
    "nll weighted": (partial(nll, weight=PYTORCH["weight"]), "log_p", "classes"),
    "nll ignored": (partial(nll, weight=PYTORCH["weight"], ignore_index=-100), "log_p", "kept"),
    "poisson log False": (poisson_nll, "rates", "counts"),
    "poisson log True": (partial(poisson_nll, full=True), "rates", "counts"),
    "poisson rate False": (partial(poisson_nll, log_input=False), "rates", "counts"),
    "poisson rate True": (partial(poisson_nll, log_input=False, full=True), "rates", "counts"),
    "kl": (kl_div, "log_p", "p"),
    "kl log": (partial(kl_div, log_target=True), "log_p", "log_target"),
    **{f"huber {d}": (partial(huber, delta=d), "outputs", "targets") for d in (0.5, 1.0, 3.0)},
    **{f"smooth_l1 {b}": (partial(smooth_l1, beta=b), "outputs", "targets") for b in (0.0, 0.5, 1.0, 3.0)},
}


@pytest.mark.parametrize("case", [case for case in PYTORCH["cases"] if case != "gaussian"])
def test_values_and_gradients_are_those_of_pytorch(case):
    name, _, reduction = case.rpartition(" ")
    cost, outputs, targets = COSTS[name]
    leaves = [[Value(x) for x in row] for row in PYTORCH[outputs]]
    result = cost(leaves, PYTORCH[targets], reduction=reduction)
    table = grad_table(mg.sum(result) if reduction == "none" else result)
    expected = PYTORCH["cases"][case]
    value = [float(v) for v in result] if reduction == "none" else result.data
    assert value == pytest.approx(np.ravel(expected["value"]) if reduction == "none" else expected["value"], rel=1e-13)
    gradient = [[table.get(x, 0.0) for x in row] for row in leaves]
    np.testing.assert_allclose(gradient, expected["gradient"], rtol=1e-12, atol=1e-14)


@settings(max_examples=30)
@given(logits, st.data())
def test_nll_of_log_softmax_is_cross_entropy(z, data):
    k = data.draw(st.integers(0, len(z) - 1))
    assert nll(log_softmax(z), k) == pytest.approx(cross_entropy(z, k), rel=1e-13, abs=1e-13)
    assert decision_of(nll) is decision_of(cross_entropy)


@settings(max_examples=30)
@given(logits, logits)
def test_the_divergence_is_cross_entropy_less_entropy_and_not_negative(z, w):
    n = min(len(z), len(w))
    log_q, log_p = log_softmax(z[:n]), log_softmax(w[:n])
    p = [math.exp(x) for x in log_p]
    divergence = kl_div(log_q, p)
    assert divergence == pytest.approx(math.fsum(a * (b - c) for a, b, c in zip(p, log_p, log_q)), abs=1e-12)
    assert divergence >= -1e-13
    assert kl_div(log_q, log_p, log_target=True) == pytest.approx(divergence, abs=1e-12)
    assert kl_div(log_p, p) == pytest.approx(0.0, abs=1e-14)


def test_impossible_events_that_do_not_occur_cost_nothing():
    z = Value(-math.inf)
    for cost in (kl_div([0.0, z], [1.0, 0.0]), nll([0.0, z], [1.0, 0.0]), poisson_nll(z, 0)):
        value = cost.data if isinstance(cost, Value) else cost
        assert value == 0.0
    assert poisson_nll(0.0, 0, log_input=False, eps=0.0) == 0.0
    assert kl_div([0.0, -math.inf], [0.5, 0.5]) == math.inf


@settings(max_examples=30)
@given(rate=st.floats(1e-3, 50), count=st.integers(0, 40))
def test_poisson_against_the_probability(rate, count):
    exact = -mpmath.log(mpmath.exp(-mpmath.mpf(rate)) * mpmath.mpf(rate) ** count / mpmath.factorial(count))
    up_to_a_constant = float(exact - mpmath.log(mpmath.factorial(count)))
    z = Value(math.log(rate))
    loss = poisson_nll(z, count)
    assert loss.data == pytest.approx(up_to_a_constant, rel=1e-12, abs=1e-11)
    assert poisson_nll(rate, count, log_input=False, eps=0.0) == pytest.approx(up_to_a_constant, rel=1e-12, abs=1e-11)
    assert grad_table(loss)[z] == pytest.approx(rate - count, rel=1e-12, abs=1e-12)


@settings(max_examples=30)
@given(y_hat=numbers, y=numbers, delta=st.floats(0.01, 30))
def test_huber_is_the_square_inside_and_linear_outside(y_hat, y, delta):
    a, d = Value(y_hat), y_hat - y
    loss = huber(a, y, delta=delta)
    assert loss.data == pytest.approx(0.5 * d * d if abs(d) <= delta else delta * (abs(d) - delta / 2), rel=1e-13)
    assert grad_table(loss)[a] == pytest.approx(min(max(d, -delta), delta), rel=1e-13, abs=1e-300)
    assert smooth_l1(y_hat, y, beta=delta) == pytest.approx(loss.data / delta, rel=1e-13)
    assert huber(y_hat, y, delta=100.0) == pytest.approx(squared_error(y_hat, y), rel=1e-13, abs=1e-300)
    assert smooth_l1(y_hat, y, beta=0) == absolute_error(y_hat, y)


@pytest.mark.parametrize("scale", [1e-320, 1e-300, 1e-170, 1e170, 1e300])
def test_smooth_l1_is_homogeneous_over_the_range_of_floats(scale):
    inside, outside = Value(scale), Value(3 * scale)
    small, large = smooth_l1(inside, 0.0, beta=2 * scale), smooth_l1(outside, 0.0, beta=2 * scale)
    assert (small.data, large.data) == pytest.approx((0.25 * scale, 2 * scale), rel=1e-3 if scale < 1e-307 else 1e-15)
    assert grad_table(large)[outside] == 1
    assert scale < 1e-307 or grad_table(small)[inside] == 0.5  # 1/β overflows below


@pytest.mark.parametrize("y_hat", [math.inf, -math.inf, 1e200])
def test_an_outlier_has_a_bounded_gradient(y_hat):
    a = Value(y_hat)
    loss = huber(a, 0.0, delta=2.0)
    assert loss.data == 2 * abs(y_hat)
    assert grad_table(loss)[a] == math.copysign(2.0, y_hat)


def test_the_cost_of_a_density_of_ones_own():
    laplace = nll_of(lambda output, y: -abs(y - output[0]) - math.log(2))
    assert laplace([1.0], 3.0) == pytest.approx(2 + math.log(2))
    assert laplace([[1.0], [3.0]], [3.0, 3.0]) == pytest.approx(1 + math.log(2))
    assert laplace([[1.0], [3.0]], [3.0, 3.0], reduction="none") == pytest.approx([2 + math.log(2), math.log(2)])


def test_compiled():
    w = [Value(0.3, "w"), Value(-0.7, "v")]
    rows, counts = [[0.5, -0.25], [-1.0, 0.75], [0.1, -3.0], [2.0, 2.0]], [0.0, 2.0, 5.0, 1.0]

    def z(x):
        return mg.linear([w, [w[1], 1.0]], x)

    for cost in (huber, partial(smooth_l1, beta=0.5), poisson_nll, partial(poisson_nll, full=True)):
        assert_matches_eager(lambda x, y, cost=cost: cost(mg.dot(w, x), y), w, rows, counts, leaf=float)
    assert_matches_eager(lambda x, y: nll(log_softmax(z(x)), y), w, rows, [0, 1, 1, 0], leaf=float)
    p = [[0.0, 1.0], [0.25, 0.75], [0.5, 0.5], [1.0, 0.0]]
    assert_matches_eager(lambda x, y: kl_div(log_softmax(z(x)), y), w, rows, p, leaf=float)


def test_ignored_labels():
    log_p = [[-0.5, -1.0], [-2.0, -0.25], [-3.0, -0.05]]
    assert nll(log_p, [0, 9, 1], ignore_index=9) == pytest.approx((0.5 + 0.05) / 2)
    assert nll(log_p, [0, 1, 1], ignore_index=1, reduction="none") == [0.5, 0.0, 0.0]
    assert math.isnan(nll(log_p, [9, 9, 9], ignore_index=9))
    y, z = Symbol("y"), Value(-0.5)
    for ignored in (-100, 1):
        cost = nll([z, -1.0], y, ignore_index=ignored, weight=[2.0, 3.0])
        assert [evaluate(cost, {y: label}) for label in (0, 1, -100)] == [1.0, 0.0 if ignored == 1 else 3.0, 0.0]


def test_symbols():
    z, y = Symbol("z"), Symbol("y")
    for cost in (huber, smooth_l1, poisson_nll, kl_div):
        assert evaluate(cost(z, y), {z: 0.5, y: 3.0}) == pytest.approx(cost(0.5, 3.0), rel=1e-15)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: huber(1.0, 0.0, delta=0), ValueError, "delta must be a finite number > 0"),
        (lambda: smooth_l1(1.0, 0.0, beta=-1), ValueError, "beta must be a finite number >= 0"),
        (lambda: huber([1.0], [math.nan]), LabelError, "the target is nan"),
        (lambda: poisson_nll([[0.0], [0.0]], [[1], [-1]]), LabelError, "example 1: the target is -1.0, but a count"),
        (lambda: poisson_nll(0.0, 1, eps=-1.0), ValueError, "eps must be"),
        (lambda: poisson_nll(0.0, 1, full=1), TypeError, "full must be True or False"),
        (lambda: kl_div([0.0], [-0.5]), LabelError, "a probability is a number >= 0"),
        (lambda: kl_div([0.0, 0.0], [0.5]), ValueError, "2 components"),
        (lambda: nll([0.0, 0.0], 2), LabelError, "the 2 classes are 0 to 1"),
        (lambda: nll(0.0, 0), ValueError, "one number for each class"),
        (lambda: huber(1.0, 0.0, reduction="average"), ValueError, "no reduction 'average'"),
        (lambda: kl_div([0.0], [0.5], reduction="batch"), ValueError, "known: none, sum, mean, batchmean"),
        (lambda: huber([], []), ValueError, "of no components"),
        (lambda: nll_of(3.0), TypeError, "log_density must be a function, got 3.0"),
        (lambda: nll_of(math.pow, batch=True), TypeError, "batch must be a function, got True"),
        (lambda: nll([0.0, 0.0], 0, ignore_index=1.5), TypeError, "ignore_index must be a whole number, got 1.5"),
    ],
)
def test_errors(make, error, message):
    with pytest.raises(error, match=message):
        make()

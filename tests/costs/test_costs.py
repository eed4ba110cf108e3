"""Costs: closed forms, PyTorch's reductions and weights, δ = ŷ − y, forms of labels."""

import math
from functools import partial

import mpmath
import numpy as np
import pytest
from hypothesis import given, strategies as st
from peer_records import peer_record

from microgradlib import Symbol, Value, evaluate, grad_table, sigmoid, softmax
from microgradlib.costs import (
    absolute_error,
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    cross_entropy_from_probabilities,
    decision_of,
    gaussian_nll,
    hinge,
    squared_error,
)

PYTORCH = peer_record("costs")
numbers = st.floats(-20, 20)
logits = st.lists(st.floats(-1000, 1000), min_size=2, max_size=5)


def values(rows):
    return [[Value(x) for x in row] for row in rows]


COSTS = {
    "cross_entropy": (cross_entropy, "logits", "classes"),
    "cross_entropy weighted": (partial(cross_entropy, weight=PYTORCH["weight"]), "logits", "classes"),
    "cross_entropy soft": (cross_entropy, "logits", "soft"),
    "cross_entropy soft weighted": (partial(cross_entropy, weight=PYTORCH["weight"]), "logits", "soft"),
    "with_logits": (binary_cross_entropy_with_logits, "scores", "labels"),
    "with_logits weighted": (partial(binary_cross_entropy_with_logits, pos_weight=3.0), "scores", "labels"),
    "twice squared": (lambda *given, **options: doubled(squared_error(*given, **options)), "scores", "labels"),
    "absolute": (absolute_error, "scores", "labels"),
}


def doubled(costs):
    return [2 * cost for cost in costs] if isinstance(costs, list) else 2 * costs


@pytest.mark.parametrize("case", [case for case in PYTORCH["cases"] if not case.startswith("binary")])
def test_reductions_and_weights_are_those_of_pytorch(case):
    name, _, reduction = case.rpartition(" ")
    cost, output, target = COSTS[name]
    outputs, expected = values(PYTORCH[output]), PYTORCH["cases"][case]
    result = cost(outputs, PYTORCH[target], reduction=reduction)
    table = grad_table(sum(result) if reduction == "none" else result)
    numbers = [v.data for v in result] if reduction == "none" else result.data
    assert numbers == pytest.approx(
        np.ravel(expected["value"]) if reduction == "none" else expected["value"], rel=1e-13
    )
    gradient = [[table.get(x, 0.0) for x in row] for row in outputs]
    np.testing.assert_allclose(gradient, expected["gradient"], rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
def test_binary_cross_entropy_of_probabilities_is_that_of_pytorch(reduction):
    expected = PYTORCH["cases"][f"binary {reduction}"]
    p = values([[1 / (1 + math.exp(-a)) for a in PYTORCH["scores"][0]]])
    result = binary_cross_entropy(p, PYTORCH["labels"][:1], reduction=reduction)
    table = grad_table(sum(result) if reduction == "none" else result)
    assert ([v.data for v in result] if reduction == "none" else result.data) == pytest.approx(
        expected["value"][0] if reduction == "none" else expected["value"], rel=1e-13
    )
    assert [table[x] for x in p[0]] == pytest.approx(expected["gradient"][0], rel=1e-12)


# The three pairs of output unit and cost share ∂L/∂a = ŷ − y


@given(a=st.lists(numbers, min_size=1, max_size=4), y=st.lists(numbers, min_size=4, max_size=4))
def test_linear_units_with_squared_error(a, y):
    z = [Value(x) for x in a]
    table = grad_table(squared_error(z, y[: len(z)]))
    assert [table[x] for x in z] == [x - t for x, t in zip(a, y)]


@given(a=st.floats(-1000, 1000), y=st.sampled_from([0, 1, 0.25]))
@pytest.mark.parametrize("from_probability", [False, True])
def test_sigmoid_units_with_binary_cross_entropy(from_probability, a, y):
    z = Value(a)
    loss = binary_cross_entropy(sigmoid(z), y) if from_probability else binary_cross_entropy_with_logits(z, y)
    with mpmath.workdps(700):
        p = 1 / (1 + mpmath.exp(-mpmath.mpf(a)))
        exact = -y * mpmath.log(p) - (1 - y) * mpmath.log(1 - p)
        delta = p - y
    assert loss.data == pytest.approx(float(exact), rel=1e-14, abs=5e-324)
    assert grad_table(loss)[z] == pytest.approx(float(delta), rel=1e-13, abs=1e-16)


@given(z=logits, data=st.data())
@pytest.mark.parametrize("from_probability", [False, True])
def test_softmax_units_with_cross_entropy(from_probability, z, data):
    k = data.draw(st.integers(0, len(z) - 1))
    a = [Value(x) for x in z]
    loss = cross_entropy_from_probabilities(softmax(a), k) if from_probability else cross_entropy(a, k)
    with mpmath.workdps(60):
        exponentials = [mpmath.exp(x) for x in z]
        total = mpmath.fsum(exponentials)
        exact = mpmath.log(total) - z[k]
        delta = [e / total - (i == k) for i, e in enumerate(exponentials)]
    assert loss.data == pytest.approx(float(exact), rel=1e-13, abs=3e-13)
    table = grad_table(loss)
    assert [table.get(x, 0.0) for x in a] == pytest.approx(list(map(float, delta)), rel=1e-11, abs=1e-15)


@given(mean=numbers, precision=st.floats(0.01, 100), y=numbers)
def test_the_gaussian_with_learned_precision(mean, precision, y):
    m, b = Value(mean), Value(precision)
    table = grad_table(gaussian_nll((m, b), y))
    density = math.sqrt(precision / (2 * math.pi)) * mpmath.exp(-precision * mpmath.mpf(y - mean) ** 2 / 2)
    expected = float(-mpmath.log(density) - mpmath.log(2 * mpmath.pi) / 2)
    assert gaussian_nll((mean, precision), y) == pytest.approx(expected, rel=1e-12, abs=1e-12)
    assert table[m] == pytest.approx(precision * (mean - y), rel=1e-12, abs=1e-12)
    assert table[b] == pytest.approx((y - mean) ** 2 / 2 - 1 / (2 * precision), rel=1e-12, abs=1e-12)


def test_the_gaussian_of_several_components_and_of_a_batch():
    parts = [gaussian_nll((1.0, 2.0), 3.0), gaussian_nll((-1.0, 0.5), 0.0)]
    assert gaussian_nll(([1.0, -1.0], [2.0, 0.5]), [3.0, 0.0]) == pytest.approx(sum(parts))
    assert gaussian_nll([(1.0, 2.0), (-1.0, 0.5)], [3.0, 0.0]) == pytest.approx(sum(parts) / 2)


@given(st.lists(numbers, min_size=1, max_size=9))
def test_the_mean_minimises_squared_error_and_the_median_absolute_error(ys):
    def risk(cost, y_hat):
        return cost([[y_hat]] * len(ys), [[y] for y in ys])

    mean, median = math.fsum(ys) / len(ys), float(np.median(ys))
    for step in (-0.5, -1e-3, 1e-3, 0.5):
        assert risk(squared_error, mean) <= risk(squared_error, mean + step) + 1e-12
        assert risk(absolute_error, median) <= risk(absolute_error, median + step) + 1e-12


@pytest.mark.parametrize(
    ("a", "y", "cost", "slope"), [(0.25, 1, 0.75, -1), (2, 1, 0, 0), (0.5, -1, 1.5, 1), (-3, -1, 0, 0)]
)
def test_hinge(a, y, cost, slope):
    score = Value(a)
    loss = hinge(score, y)
    assert (loss.data, grad_table(loss)[score]) == (cost, slope)


def test_the_default_is_the_mean_over_examples_of_the_sum_over_components():
    outputs, targets = [[1.0, 2.0], [0.0, 0.0]], [[0.0, 4.0], [0.0, 1.0]]
    assert squared_error(outputs, targets) == (2.5 + 0.5) / 2
    assert squared_error(outputs[0], targets[0]) == 2.5
    weighted = cross_entropy([[0.0, 0.0], [0.0, 0.0]], [0, 1], weight=[1.0, 3.0])
    assert weighted == pytest.approx(math.log(2) * (1 + 3) / 2)


# Kinds of label


@pytest.mark.parametrize(
    "label", [1, 1.0, np.int64(1), np.float32(1), True, Value(1.0), [0, 1, 0], np.array([0, 1, 0])]
)
def test_equivalent_forms_of_a_class_label(label):
    assert cross_entropy([0.5, -1.0, 2.0], label) == pytest.approx(3.2413, abs=1e-4)


def test_floats_give_floats_and_symbols_symbols():
    assert isinstance(cross_entropy([0.5, 1.0], 1), float)
    z, y = [Symbol("a"), Symbol("b"), Symbol("c")], Symbol("y")
    at = dict(zip([*z, y], [0.5, -1.0, 2.0, 1.0]))
    expected = cross_entropy([0.5, -1.0, 2.0], 1)
    assert evaluate(cross_entropy(z, y), at) == pytest.approx(expected, rel=1e-14)
    assert evaluate(cross_entropy_from_probabilities(softmax(z), y), at) == pytest.approx(expected, rel=1e-14)
    assert evaluate(cross_entropy(z, y, weight=[1, 2, 3]), at) == pytest.approx(2 * expected, rel=1e-14)
    rows = [Symbol("0"), y, Symbol("2")]
    assert evaluate(cross_entropy(z, rows), {**at, rows[0]: 0.0, rows[2]: 0.0}) == pytest.approx(expected, rel=1e-14)
    for cost in (binary_cross_entropy_with_logits, squared_error, hinge):
        assert evaluate(cost(z[0], y), at) == pytest.approx(cost(0.5, 1), rel=1e-15)


def test_an_all_zero_symbolic_target():
    z, y = [Value(0.5), Value(1.0)], [Symbol("0"), Symbol("1")]
    assert evaluate(cross_entropy(z, y), dict.fromkeys(y, 0.0)) == 0.0


def test_classes_of_probability_0_cost_nothing_if_not_observed():
    assert cross_entropy([0.0, 0.0, -math.inf], 0) == pytest.approx(math.log(2))
    assert cross_entropy([0.0, 0.0, -math.inf], [1.0, 0.0, 0.0]) == pytest.approx(math.log(2))
    assert cross_entropy_from_probabilities([1.0, 0.0], 0) == 0.0
    assert cross_entropy_from_probabilities([1.0, 0.0], 1) == math.inf
    assert binary_cross_entropy(1.0, 1) == 0.0
    assert binary_cross_entropy(0.0, 1) == math.inf


def test_decision_rules_of_classification_costs():
    rules = [decision_of(c) for c in (cross_entropy, binary_cross_entropy, binary_cross_entropy_with_logits, hinge)]
    assert [rule(x) for rule, x in zip(rules, [[0.1, 0.9, 0.3], 0.5, -0.1, -0.1])] == [1, 1, 0, -1]
    assert [rule([0.2, -0.1]) for rule in rules[1:]] == [[0, 0], [1, 0], [1, -1]]
    assert decision_of(partial(cross_entropy, weight=[1, 2])) is rules[0]
    assert decision_of(gaussian_nll) is None

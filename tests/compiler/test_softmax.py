"""Compiled softmax reductions against the eager engine: confident rows and others, any weights, Jacobians."""

import math

import numpy as np
import pytest
from hypothesis import example, given, settings, strategies as st

import microgradlib as mg
from microgradlib.compiler import compile as compiled
from microgradlib.core.value import Value
from microgradlib.ops import TABLE

CROSS_ENTROPY, NEG_LOG_SOFTMAX = TABLE["cross_entropy"], TABLE["neg_log_softmax"]
ROWS = st.lists(st.lists(st.floats(-60, 60), min_size=6, max_size=6), min_size=1, max_size=4)
FUNCTIONS = {
    "cross_entropy": lambda x: CROSS_ENTROPY(*[mg.abs(a) for a in x[:3]], *x[3:]),
    "cross_entropy of one more logit": lambda x: CROSS_ENTROPY(*[mg.abs(a) for a in x[:2]], *x[2:5]),
    "neg_log_softmax": lambda x: NEG_LOG_SOFTMAX(*x),
    "logsumexp": mg.logsumexp,
    "two rows": lambda x: CROSS_ENTROPY(0.25, 0.75, *x[:2]) + CROSS_ENTROPY(1.0, 0.0, *x[2:4]) + x[4] * x[5],
    "weights that do not vary": lambda x: CROSS_ENTROPY(*WEIGHTS, *x[:3]) * CROSS_ENTROPY(*WEIGHTS, *x[3:]),
    "logits that do not vary": lambda x: CROSS_ENTROPY(*[mg.abs(a) for a in x[:3]], *WEIGHTS) + x[3],
    "nothing varies": lambda x: CROSS_ENTROPY(*WEIGHTS, *WEIGHTS) * x[0],
}
EXACT = {"neg_log_softmax", "logsumexp"}
"""Whose slopes are no differences; those of cross-entropy are, where several classes have weight."""

WEIGHTS = [Value(0.5), Value(2.0), Value(0.25)]


def close(found, expected):
    return np.array(found) == pytest.approx(np.array(expected), rel=2e-12, abs=1e-280)


@pytest.mark.parametrize("name", FUNCTIONS)
@settings(max_examples=10)
@given(rows=ROWS)
def test_values_and_derivatives(name, rows):
    function = FUNCTIONS[name]
    fast = compiled(function, WEIGHTS)
    outputs, slopes, gradient = [], [], np.zeros(len(WEIGHTS))
    for row in rows:
        values = [Value(x) for x in row]
        output = function(values)
        table = mg.grad_table(output)
        outputs.append(output.data)
        slopes.append([table.get(x, 0.0) for x in values])
        gradient += [table.get(w, 0.0) / len(rows) for w in WEIGHTS]
    assert close(fast(np.array(rows)), outputs)
    found = np.reshape(fast.jacobian(np.array(rows)), (len(rows), 6))
    assert found == pytest.approx(np.array(slopes), rel=2e-12, abs=1e-280 if name in EXACT else 1e-13)
    assert fast.value_and_grad(np.array(rows))[1] == pytest.approx(gradient, rel=1e-9, abs=1e-12)


def test_infinite_logits_take_the_rules_of_the_table():
    fast = compiled(lambda x: CROSS_ENTROPY(0.0, 1.0, *x))
    rows = np.array([[-math.inf, 1.0], [1.0, 1.0], [50.0, -math.inf]])
    assert fast(rows).tolist() == [0.0, math.log(2), math.inf]
    assert fast.jacobian(rows[:2]).reshape(2, 2).tolist() == [[0.0, 0.0], [0.5, -0.5]]


TIES = st.integers(2, 14).flatmap(
    lambda n: st.lists(st.lists(st.integers(-1, 1), min_size=n, max_size=n), min_size=1, max_size=3)
)


@settings(max_examples=12)
@given(rows=TIES, scale=st.sampled_from([0.25, 3.0, 60.0]), offset=st.sampled_from([0.0, 1e15]))
@example(rows=[[1, *[0] * 11], [0] * 12, [1, 1, *[-1] * 10]], scale=60.0, offset=0.0)
def test_log_softmax_keeps_its_digits_compiled(rows, scale, offset):
    """Of few numbers and of many, with one largest or several."""
    rows = [[scale * x + offset for x in row] for row in rows]
    fast, weights = compiled(mg.log_softmax), [Value(0.0) for _ in rows[0]]
    with_parameters = compiled(lambda x: mg.log_softmax([w + a for w, a in zip(weights, x)])[0], weights)
    found, jacobians = fast(np.array(rows)), fast.jacobian(np.array(rows))
    for row, numbers, jacobian in zip(rows, found, jacobians):
        values = [Value(x) for x in row]
        outputs = mg.log_softmax(values)
        tables = [mg.grad_table(output) for output in outputs]
        assert close(numbers, [output.data for output in outputs])
        assert close(jacobian, [[table.get(x, 0.0) for x in values] for table in tables])
        assert close(with_parameters.value_and_grad(np.array([row]))[1], [tables[0].get(x, 0.0) for x in values])


@settings(max_examples=12)
@given(rows=TIES)
@example(rows=[[1, math.nan, 0], [math.inf, 0, math.inf], [0, 0, 0]])
@pytest.mark.parametrize("function", [mg.maximum, mg.minimum])
def test_winners_share_the_gradient(function, rows):
    found = compiled(function).jacobian(np.array(rows, dtype=float))
    for row, slopes in zip(rows, found.reshape(len(rows), -1)):
        values = [Value(x) for x in row]
        table = mg.grad_table(function(values) * 3)
        assert np.array(slopes * 3) == pytest.approx([table.get(x, 0.0) for x in values], rel=1e-15, nan_ok=True)

"""Softmax and its logarithm against mpmath: values and slopes keep their digits, of Values and of Symbols."""

import math
from fractions import Fraction

import mpmath
import pytest
from hypothesis import example, given, settings, strategies as st

import microgradlib as mg
from microgradlib import Symbol, Value, evaluate, grad_table, gradients, topological_sort


def exact_shares(xs):
    """Return p, 1 − p and ln p for the softmax p, as mpmath's numbers."""
    with mpmath.workdps(40):
        powers = [mpmath.exp(mpmath.mpf(x) - mpmath.mpf(max(xs))) for x in xs]
        others = [mpmath.fsum(powers[:i] + powers[i + 1 :]) for i in range(len(xs))]
        rows = [(e / (e + o), o / (e + o), -mpmath.log1p(o / e)) for e, o in zip(powers, others)]
    return zip(*rows)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-300, 300), min_size=1, max_size=5), st.sampled_from([0.0, 1e8, -1e15, 2.0**60]))
@example([50.0, 0.0], 0.0)
@example([0.0, 40.0, 40.0], 1e8)
@example([3.0, 3.0], 0.0)
def test_softmax_and_log_softmax_keep_their_digits(numbers, offset):
    xs = [x + offset for x in numbers]
    values, (p, rest, logarithms) = [Value(x) for x in xs], exact_shares(xs)
    allowed = 2.3e-16 * (10 + (max(xs) - min(xs)))
    for i, (share, logarithm) in enumerate(zip(mg.softmax(values), mg.log_softmax(values))):
        assert share.data == pytest.approx(float(p[i]), rel=allowed, abs=1e-300)
        assert logarithm.data == pytest.approx(float(logarithms[i]), rel=allowed, abs=1e-300)
        of_share, of_logarithm = grad_table(share), grad_table(logarithm)
        for j, x in enumerate(values):
            slope = rest[i] if i == j else -p[j]
            assert of_share.get(x, 0.0) == pytest.approx(float(p[i] * slope), rel=allowed, abs=1e-300)
            assert of_logarithm.get(x, 0.0) == pytest.approx(float(slope), rel=allowed, abs=1e-300)


@settings(max_examples=10, deadline=None)
@given(st.lists(st.sampled_from([-3.0, 0.5, 40.0]), min_size=9, max_size=12))
@example([40.0, *[0.5] * 9])
def test_log_softmax_of_many_symbols_is_that_of_values(xs):
    symbols, values = [Symbol(f"x{i}") for i in range(len(xs))], [Value(x) for x in xs]
    at, i = dict(zip(symbols, xs)), len(xs) // 2
    of_symbols, of_values = mg.log_softmax(symbols)[i], mg.log_softmax(values)[i]
    slopes, expected = gradients(of_symbols, symbols), gradients(of_values, values)
    seconds, seconds_expected = gradients(slopes[0], symbols), gradients(expected[0], values)
    found = evaluate([of_symbols, *slopes, *seconds], at)
    true = [x.data for x in (of_values, *expected, *seconds_expected)]
    assert found == pytest.approx(true, rel=1e-13, abs=1e-300)


def test_softmax_of_one_number_of_masked_and_of_infinite_ones():
    x, y = Value(2.0), Value(-math.inf)
    for function, number in ((mg.softmax, 1.0), (mg.log_softmax, 0.0)):
        (only,) = function([x])
        assert (only.data, grad_table(only)[x]) == (number, 0.0)
    assert [p.data for p in mg.softmax([y, x, y])] == [0.0, 1.0, 0.0]
    assert [p.data for p in mg.log_softmax([y, x])] == [-math.inf, 0.0]
    for numbers in ([math.inf, 0.0], [0.0, math.nan], [-math.inf, -math.inf]):
        assert all(math.isnan(p) for p in mg.softmax(numbers))
        assert all(math.isnan(p.data) for p in mg.softmax(list(map(Value, numbers))))
    assert [type(p) for p in mg.softmax([1, Fraction(1, 2)])] == [float, float]
    assert [type(p) for p in mg.softmax([5, x])] == [Value, Value]


@pytest.mark.parametrize("plain", [[], [0], [1, 2], [0, 2]])
def test_numbers_among_values_make_the_graph_that_values_make(plain):
    """The largest is known at once, whether it is a Value or a number: it is subtracted, and becomes the constant 0."""
    numbers = [1.5, 2.5, -0.5, 0.25]
    xs = [x if i in plain else Value(x) for i, x in enumerate(numbers)]
    expected = mg.log_softmax([Value(x) for x in numbers])
    found = mg.log_softmax(xs)
    assert [y.data for y in found] == [y.data for y in expected]
    assert [y.op.name for y in found] == ["sub"] * 4
    assert {node.op.name for node in topological_sort(*found) if node.op} == {"sub", "logsumexp"}
    for i, x in enumerate(xs):
        if isinstance(x, Value):
            shares = mg.softmax(numbers)
            assert grad_table(found[3])[x] == pytest.approx((i == 3) - shares[i], rel=1e-14)

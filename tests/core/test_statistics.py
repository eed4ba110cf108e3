"""var and std: NumPy's and the exact numbers, a common offset, derivatives to second order, errors."""

import math
import statistics
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from eager_oracle import assert_matches_eager
from hypothesis import given, settings, strategies as st

import microgradlib as mg
from microgradlib import Symbol, Value, evaluate, grad_table, gradients, hessian

lists = st.lists(st.floats(-100, 100), min_size=2, max_size=6)


@settings(max_examples=30)
@given(lists, st.sampled_from([0, 1, 0.5]))
def test_values_are_the_exact_ones(xs, correction):
    expected = float(statistics.pvariance(map(Fraction, xs))) * len(xs) / (len(xs) - correction)
    assert mg.var(xs, correction=correction) == pytest.approx(expected, rel=1e-12, abs=1e-300)
    assert mg.std(xs, correction=correction) == pytest.approx(math.sqrt(expected), rel=1e-12, abs=1e-150)
    nodes = [Value(x) for x in xs]
    assert mg.var(nodes, correction=correction).data == mg.var(xs, correction=correction)
    assert mg.std(nodes, correction=correction).data == mg.std(xs, correction=correction)


def test_the_correction_is_numpys():
    xs = [1.0, 4.0, -2.5]
    for c in (0, 1, 0.5):
        assert mg.var(xs, correction=c) == pytest.approx(np.var(xs, ddof=c), rel=1e-15)
        assert mg.std(xs, correction=c) == pytest.approx(np.std(xs, ddof=c), rel=1e-15)


@settings(max_examples=30)
@given(st.lists(st.integers(-1000, 1000), min_size=2, max_size=6), st.sampled_from([0.0, 1e15, -(2.0**52), 1e9]))
def test_a_common_offset_costs_no_digits(whole, offset):
    moved = [x + offset for x in whole]
    assert mg.var(moved) == pytest.approx(float(statistics.pvariance(whole)), rel=4e-15, abs=0)
    assert mg.var(moved, correction=1) == pytest.approx(float(statistics.variance(whole)), rel=4e-15, abs=0)
    xs = [Value(x) for x in moved]
    slopes = [2 * (x - mpmath.mpf(sum(whole)) / len(whole)) / len(whole) for x in whole]
    table = grad_table(mg.var(xs))
    assert [table[x] for x in xs] == pytest.approx([float(d) for d in slopes], rel=1e-14, abs=1e-13)


@pytest.mark.parametrize("n", [2, 3, 5])
def test_the_hessian_of_the_variance_is_constant_and_symmetric(n):
    xs = [1e8 + k * k for k in range(n)]
    expected = [[2 / n * ((i == j) - 1 / n) for j in range(n)] for i in range(n)]
    for row, exact in zip(hessian(lambda x: mg.var(x))(xs), expected, strict=True):
        assert row == pytest.approx(exact, rel=1e-14, abs=1e-15)


@settings(max_examples=30)
@given(st.lists(st.floats(-10, 10), min_size=3, max_size=5, unique=True))
def test_the_square_of_std_is_var(xs):
    spread = max(xs) - min(xs)
    if spread < 1e-3:
        return
    nodes = [Value(x) for x in xs]
    by_std, by_var = (gradients(y, nodes) for y in (mg.std(nodes) ** 2, mg.var(nodes)))
    assert [a.data for a in by_std] == pytest.approx([b.data for b in by_var], rel=1e-11, abs=1e-12)
    for a, b in zip(by_std, by_var):
        one, other = grad_table(a), grad_table(b)
        assert [one.get(x, 0.0) for x in nodes] == pytest.approx([other.get(x, 0.0) for x in nodes], abs=1e-8)


def test_equal_numbers_and_extreme_ones():
    xs = [Value(3.0), Value(3.0)]
    table = grad_table(mg.std(xs))
    assert [table[x] for x in xs] == [0.0, 0.0]
    assert [node.op.name for node in mg.kinks(mg.std(xs))] == ["std"]
    assert mg.std([1e200, 3e200]) == pytest.approx(1e200)
    assert mg.std([1e-200, 3e-200]) == pytest.approx(1e-200)
    assert mg.var([1e200, 3e200]) == math.inf
    assert mg.var([5.0]) == mg.std([5.0]) == 0.0
    assert math.isnan(mg.var([1.0, math.inf]))
    assert math.isnan(mg.std([1.0, math.nan]))


def test_symbols_and_compiled():
    a, b = Symbol("a"), Symbol("b")
    assert evaluate([mg.var([a, b]), mg.std([a, b], correction=1)], {a: 1.0, b: 3.0}) == [1.0, math.sqrt(2)]
    w = Value(0.7)
    for f in (mg.var, mg.std):
        assert_matches_eager(lambda x, f=f: f([w * x[0], x[1], w], correction=1), [w], [[0.5, 1.0], [2.0, -3.0]])


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: mg.var([]), ValueError, "var of no numbers"),
        (lambda: mg.std([1.0], correction=1), ValueError, "std with correction 1 needs more than 1 numbers, got 1"),
        (lambda: mg.var([1.0, 2.0], correction=-1), ValueError, "correction must be"),
        (lambda: mg.var(3.0), TypeError, "var takes a list of numbers"),
    ],
)
def test_errors(make, error, message):
    with pytest.raises(error, match=message):
        make()

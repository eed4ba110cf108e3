"""Standard scores against mpmath, at all scales, offsets and mixtures of floats; exact values."""

import math

import mpmath
import pytest
from hypothesis import given, settings, strategies as st

from microgradlib.data import Dataset, RegressionDataset, standardise
from microgradlib.data.standard_scores import standard_score

numbers = st.floats(allow_nan=False, allow_infinity=False)
scales = st.sampled_from([5e-324, 1e-310, 1e-300, 1e-200, 1e-8, 1.0, 1e16, 1e200, 1e300])
columns = (
    st.lists(numbers, min_size=2, max_size=6)
    | st.builds(lambda c, s: [x * s for x in c], st.lists(st.floats(-9, 9), min_size=2, max_size=6), scales)
    | st.builds(lambda c, s: [s + x for x in c], st.lists(st.integers(0, 9), min_size=2, max_size=6), scales)
)


def by_mpmath(column, x):
    """Return the score of x as a float, rounded from 5,000 bits."""
    with mpmath.workprec(5000):
        mean = mpmath.fsum(map(mpmath.mpf, column)) / len(column)
        std = mpmath.sqrt(mpmath.fsum([(mpmath.mpf(c) - mean) ** 2 for c in column]) / len(column))
        return (mpmath.mpf(x) - mean) / std


@settings(max_examples=60)
@given(columns, numbers)
def test_scores_are_the_exact_ones_rounded(column, other):
    if len(set(column)) < 2:
        assert standard_score(column)(other) == other - column[0]
        return
    score = standard_score(column)
    for x in (*column, other):
        exact = by_mpmath(column, x)
        if abs(exact) > 1.7e308:
            continue
        assert abs(mpmath.mpf(score(x)) - exact) <= 0.51 * math.ulp(score(x))


@settings(max_examples=60)
@given(st.lists(st.integers(-9, 9), min_size=2, max_size=6), st.integers(-1070, 1000))
def test_a_power_of_two_as_scale_changes_nothing(column, exponent):
    scaled = [math.ldexp(x, exponent) for x in column]
    if len(set(column)) > 1:
        one, other = standard_score(column), standard_score(scaled)
        assert [one(x) for x in column] == [other(x) for x in scaled]


@pytest.mark.parametrize("unit", [5e-324, 1e-310, 1e-200, 1.0, 1e200, 5e307])
def test_three_equal_steps(unit):
    data = RegressionDataset(((unit,), (2 * unit,), (3 * unit,)), (0.0, 1.0, 2.0), ("x",))
    scaled, _ = standardise(data, data)
    assert [z for (z,) in scaled.inputs] == pytest.approx([-math.sqrt(1.5), 0.0, math.sqrt(1.5)], rel=1e-15)


def test_an_offset_costs_no_digits():
    column = [1e16, 1e16 + 2, 1e16 + 2]  # the mean is no float
    score = standard_score(column)
    assert [score(x) for x in column] == [-math.sqrt(2), math.sqrt(0.5), math.sqrt(0.5)]
    top = [1.7e308, -1.7e308, 1.7e308]  # the sum of squares is no float
    assert [standard_score(top)(x) for x in top] == [math.sqrt(0.5), -math.sqrt(2), math.sqrt(0.5)]
    assert standard_score([1e-300, 1e300])(1e-300) == -1.0


def test_what_is_beyond_the_range_of_floats_is_refused():
    assert standard_score([0.0, 5e-324])(1e300) == math.inf
    assert standard_score([0.0, 5e-324])(-1e300) == -math.inf
    narrow = Dataset(((0.0,), (5e-324,)), (0, 1), ("x",), ("a", "b"))
    with pytest.raises(ValueError, match=r"row 0 is .*inf"):
        standardise(narrow, Dataset(((1e300,),), (0,), ("x",), ("a", "b")))

"""Estimated errors of numeric derivatives: bounds for steep and flat functions, near poles and far from 0."""

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

import microgradlib as mg
from microgradlib import Value
from microgradlib.numeric.differences import numeric_derivative, numeric_derivatives, numeric_gradient


@pytest.mark.parametrize(
    ("f", "x", "slope", "accuracy"),
    [
        (math.exp, 1.0, math.e, 1e-11),
        (lambda x: math.exp(100 * x), 1.0, 100 * math.exp(100), 1e-9),
        (lambda x: math.exp(x * 1e-8), 1e8, 1e-8 * math.e, 1e-10),
        (lambda x: math.sin(1e8 * x), 1.0, 1e8 * math.cos(1e8), 1e-3),
        (lambda x: x**3, 1e8, 3e16, 1e-11),
        (math.log, 1e-8, 1e8, 1e-9),
        (lambda x: 1 / x, 1e-8, -1e16, 1e-9),
        (math.sqrt, 1e-300, 5e149, 1e-9),
        (math.log, 1e300, 1e-300, 1e-9),
        (lambda x: (1 - math.cos(x)) / x**2, 1e-3, -1e-3 / 12, 1e-2),
        (lambda x: x**3 - 3 * x, 1.0, 0.0, 1e-9),
        (math.cos, 0.0, 0.0, 1e-10),
        (lambda x: 7.0, 3.0, 0.0, 1e-10),
        (lambda x: math.sqrt(x - 1), 1.001, 0.5 / math.sqrt(0.001), 1e-9),
    ],
)
def test_the_reported_error_is_small_and_a_bound(f, x, slope, accuracy):
    found = numeric_derivative(f, x)
    assert abs(found.value - slope) <= 10 * found.error + 1e-15 * abs(slope)
    assert found.error <= accuracy * max(abs(slope), 1e-3)


@given(st.floats(-3, 3), st.floats(-20, 20), st.floats(-2, 2))
def test_the_reported_error_is_a_bound_for_smooth_functions(x, a, b):
    found = numeric_derivative(lambda x: math.exp(b * x) * math.sin(a * x), x)
    slope = math.exp(b * x) * (b * math.sin(a * x) + a * math.cos(a * x))
    assert abs(found.value - slope) <= 10 * found.error + 1e-14


def test_a_jump_or_a_pole_gives_no_small_error():
    assert numeric_derivative(lambda x: 1.0 if x > 0 else 0.0, 0.0).error > 1
    assert numeric_derivative(abs, 0.0).value == 0  # the mean of both sides
    assert numeric_derivative(abs, 0.0).error >= 1
    assert numeric_derivative(math.sqrt, 0.0).error == math.inf
    assert math.isnan(numeric_derivative(math.sqrt, 0.0).value)


def test_errors_of_f_at_the_point_are_raised():
    with pytest.raises(ValueError, match=r"math domain error|expected a positive"):
        numeric_derivative(math.log, -1.0)
    with pytest.raises(TypeError, match="expected a real number, got str"):
        numeric_derivative(lambda x: "one", 1.0)


def test_the_error_includes_cancellation_in_f():
    found = numeric_derivative(lambda x: (1.1 * x + 1e8) - 1e8, 0.3)
    assert abs(found.value - 1.1) <= 10 * found.error
    assert found.error > 1e-9


def test_one_derivative_for_each_argument():
    by_x, by_y = numeric_derivatives(lambda x, y: mg.exp(x) * y, [0.0, 2.0])
    assert abs(by_x.value - 2) <= by_x.error < 1e-10
    assert abs(by_y.value - 1) <= by_y.error < 1e-10
    assert numeric_gradient(lambda x, y: mg.exp(x) * y, [0.0, 2.0]) == [by_x.value, by_y.value]


@pytest.mark.parametrize(
    ("f", "x", "slope"),
    [
        (lambda x: mg.cos(mg.atan2(2.265, x)), 4.4651572792915136e-163, 1 / 2.265),
        (lambda x: mg.cos(mg.atan2(1.625, x)), 8.502412528902859e-131, 1 / 1.625),
        (lambda x: mg.logit(0.5 + 0.4 * mg.tanh(1.6953125 * x)), 7.48e-299, 2.7125),
        (lambda x: 1 + x, 1e-200, 1.0),
    ],
)
def test_rounding_over_wide_steps_is_seen_at_tiny_arguments(f, x, slope):
    numeric = numeric_derivative(f, x)
    assert abs(numeric.value - slope) <= numeric.error <= 1e-9


@pytest.mark.parametrize("check", [mg.gradcheck, numeric_gradient, numeric_derivatives])
def test_a_single_number_is_a_point_of_one(check):
    for x in (1.5, np.float64(1.5), np.array(1.5), Value(1.5)):
        several, one = check(lambda v: v * v, [x]), check(lambda v: v * v, x)
        assert repr(one) == repr(several[0] if isinstance(several, list) else several)


@pytest.mark.parametrize("check", [mg.gradcheck, numeric_gradient, numeric_derivatives])
@pytest.mark.parametrize("wrong", [None, "1", {"x": 1.0}, {1.0}, [[1.0, 2.0]], [None], ["1"], [1j]])
def test_what_is_no_point_is_refused(check, wrong):
    with pytest.raises(TypeError, match=r"expected a (list of numbers, one for each argument of f|real number), got"):
        check(lambda *xs: xs[0] * xs[0], wrong)

"""Polygamma functions against mpmath, at their poles, and for infinite and nan arguments."""

import math

import mpmath
import pytest
from hypothesis import given, settings, strategies as st

import microgradlib as mg
from microgradlib import Value, grad_table, gradients
from microgradlib._support.polygamma import polygamma


def exact(x, order):
    with mpmath.workdps(40):
        return float(mpmath.psi(order, mpmath.mpf(x)))


def close(got, expected, relative):
    return got == expected or abs(got - expected) <= relative * max(abs(expected), 1e-3)


@settings(max_examples=200, deadline=None)
@given(st.floats(1e-3, 60.0), st.integers(0, 8))
def test_positive_arguments(x, order):
    assert close(polygamma(x, order), exact(x, order), 1e-13)


@settings(max_examples=100, deadline=None)
@given(st.floats(-12.0, -0.01).filter(lambda x: abs(x - round(x)) > 1e-3), st.integers(0, 5))
def test_negative_arguments(x, order):
    expected = exact(x, order)
    scale = exact(1 - x, order)  # the reflection subtracts two terms: its error is that of the larger
    assert abs(polygamma(x, order) - expected) <= 1e-11 * max(abs(expected), abs(scale), 1.0)


@pytest.mark.parametrize("order", [0, 1, 2, 5])
@pytest.mark.parametrize("x", [1e3, 1e8, 1e100, 1e200, 1e300])
def test_large_arguments(x, order):
    assert close(polygamma(x, order), exact(x, order), 1e-14)


@pytest.mark.parametrize("order", [0, 1, 2, 3])
@pytest.mark.parametrize("x", [1e-5, 1e-10, 1e-60])
def test_small_arguments(x, order):
    assert polygamma(x, order) == pytest.approx(exact(x, order), rel=1e-13)


def test_overflow_next_to_the_pole():
    assert [polygamma(1e-200, order) for order in (1, 2, 3)] == [math.inf, -math.inf, math.inf]
    assert mg.polygamma(1e-200, 2) == -math.inf


def test_known_constants():
    euler = 0.5772156649015329
    assert polygamma(1.0) == pytest.approx(-euler, rel=1e-15)
    assert polygamma(0.5) == pytest.approx(-euler - 2 * math.log(2), rel=1e-15)
    assert polygamma(1.0, 1) == pytest.approx(math.pi**2 / 6, rel=1e-15)
    assert polygamma(1.0, 3) == pytest.approx(math.pi**4 / 15, rel=1e-15)


@given(st.floats(0.1, 30.0), st.integers(0, 6))
def test_the_recurrence(x, order):
    """ψ⁽ⁿ⁾(x+1) = ψ⁽ⁿ⁾(x) + (−1)ⁿ n! / xⁿ⁺¹."""
    step = (-1) ** order * math.factorial(order) / x ** (order + 1)
    scale = max(abs(step), abs(polygamma(x, order)), 1e-3)
    assert abs(polygamma(x + 1, order) - polygamma(x, order) - step) <= 1e-12 * scale


def test_infinite_and_nan_arguments():
    assert polygamma(math.inf) == math.inf
    assert polygamma(math.inf, 1) == polygamma(math.inf, 4) == 0.0
    assert math.isnan(polygamma(math.nan, 2))


@pytest.mark.parametrize("pole", [0.0, -0.0, -1.0, -7.0, -1e20, -math.inf])
@pytest.mark.parametrize("order", [0, 1, 2])
def test_poles_raise_and_are_nan_in_the_op(pole, order):
    with pytest.raises(ValueError, match="pole"):
        polygamma(pole, order)
    assert math.isnan(mg.polygamma(pole, order))
    assert math.isnan(mg.polygamma(Value(pole), order).data)


@pytest.mark.parametrize("order", [-1, 0.5, -3.5, math.nan, math.inf])
def test_orders_are_whole_numbers(order):
    with pytest.raises(ValueError, match="whole number"):
        polygamma(1.0, order)
    assert math.isnan(mg.polygamma(1.0, order))


@pytest.mark.parametrize("x", [0.3, 1.7, 12.0, 1e200])
def test_derivative_is_the_next_order(x):
    v = Value(x)
    chain = [mg.lgamma(v)]
    for order in range(4):
        chain += gradients(chain[-1], [v])
        assert chain[-1].data == pytest.approx(exact(x, order), rel=1e-13)


def test_gamma_by_digamma():
    y = Value(2.5)
    slope = grad_table(mg.gamma(y))[y]
    assert slope == pytest.approx(math.gamma(2.5) * exact(2.5, 0), rel=1e-14)


@settings(max_examples=60, deadline=None)
@given(st.integers(21, 400), st.one_of(st.floats(1e-2, 1e4), st.floats(1e4, 1e30), st.floats(-12.0, -0.3)))
def test_high_orders(order, x):
    if x < 0 and abs(x * 2 - round(x * 2)) < 1e-2:
        x = round(x) + 0.3125  # away from the poles, and from the halves, where two terms cancel
    with mpmath.workdps(60):
        expected = float(mpmath.psi(order, mpmath.mpf(x)))
    assert polygamma(x, order) == expected or abs(polygamma(x, order) / expected - 1) < 1e-11 or abs(expected) < 1e-300


def test_enormous_orders_take_no_time():
    for order in (1e10, 2.0**53, 1e300):
        assert polygamma(0.5, order) == polygamma(1e5, order) == polygamma(-2.5, order) == -math.inf
        assert polygamma(-2.25, order) == math.inf
        assert polygamma(1e305, order) == 0.0
    assert polygamma(-3.5, 100) == pytest.approx(
        -math.factorial(100) * sum((4.5 + k) ** -101 for k in range(9)), rel=1e-12
    )

"""ln Γ and digamma near their zeros, and the cube root near the ends of the range, against mpmath."""

import math

import mpmath
import pytest
from hypothesis import example, given, strategies as st

from microgradlib import cbrt, gamma, lgamma, polygamma


def exact(function, x):
    with mpmath.workdps(40):
        return float(function(mpmath.mpf(x)))


@given(st.floats(1e-3, 30))
@example(1.0)
@example(2.0)
@example(1 + 2.0**-52)
@example(2 - 2.0**-51)
@example(1.4616321449683622)
@example(0.75)
@example(1.25)
@example(1.75)
@example(2.5)
@example(8.0)
def test_log_gamma(x):
    true = exact(mpmath.loggamma, x)
    magnified = max(1.0, abs(x * exact(mpmath.digamma, x) / true)) if true else 1.0
    assert abs(lgamma(x) - true) <= 4 * math.ulp(true) * magnified


@pytest.mark.parametrize("distance", [s * 2.0**-k for k in (3, 10, 20, 30, 40, 50) for s in (1, -1)])
@pytest.mark.parametrize("zero", [1.0, 2.0])
def test_log_gamma_near_its_zeros_is_exact_relative_to_the_distance(zero, distance):
    x = zero + distance
    assert lgamma(x) == pytest.approx(exact(mpmath.loggamma, x), rel=1e-15, abs=0)


@pytest.mark.parametrize("order", [0, 1, 2, 3])
def test_polygamma_beside_its_pole(order):
    below = -1.0 if order % 2 == 0 else 1.0
    assert polygamma(-5e-324, order) == math.inf
    assert polygamma(5e-324, order) == below * math.inf
    x = -1e-20
    assert polygamma(x, order) == pytest.approx(exact(lambda y: mpmath.psi(order, y), x), rel=1e-15)


def test_gamma_beside_its_pole():
    assert (gamma(-5e-324), gamma(5e-324)) == (-math.inf, math.inf)


@given(st.floats(min_value=5e-324, allow_infinity=False))
@example(8e307)
@example(1.7976931348623157e308)
@example(5e-324)
@example(1e280)
@example(1e-280)
def test_cube_root(x):
    true = exact(mpmath.cbrt, x)
    assert abs(cbrt(x) - true) <= 2 * math.ulp(true)
    assert cbrt(-x) == -cbrt(x)

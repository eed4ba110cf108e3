"""logaddexp, xlog1py, digamma: ends of the range, cancellation, symmetric Hessians, engines."""

import math

import mpmath
import numpy as np
import pytest
from eager_oracle import assert_jacobian_matches_eager
from equality import same
from hypothesis import given, settings, strategies as st

import microgradlib as mg
from microgradlib import Value, grad_table, hessian

INF, NAN = math.inf, math.nan
numbers = st.floats(-800, 800) | st.floats(-3, 3)


def slopes(f, *at):
    xs = [Value(x) for x in at]
    out = f(*xs)
    table = grad_table(out)
    return [out.data, *[table.get(x, 0.0) for x in xs]]


@pytest.mark.parametrize(
    ("f", "at", "expected"),
    [
        (mg.logaddexp, (INF, 0), [INF, 1, 0]),
        (mg.logaddexp, (INF, INF), [INF, 0.5, 0.5]),
        (mg.logaddexp, (-INF, INF), [INF, 0, 1]),
        (mg.logaddexp, (-INF, 2), [2, 0, 1]),
        (mg.logaddexp, (-INF, -INF), [-INF, 0, 0]),
        (mg.logaddexp, (1e308, -1e308), [1e308, 1, 0]),
        (mg.logaddexp, (NAN, 1), [NAN, NAN, NAN]),
        (mg.xlog1py, (0, -1), [0, -INF, 0]),
        (mg.xlog1py, (2, -1), [-INF, -INF, INF]),
        (mg.xlog1py, (0, NAN), [NAN, NAN, NAN]),
        (mg.xlog1py, (2, -2), [NAN, NAN, NAN]),
        (mg.xlog1py, (0, 3), [0, math.log(4), 0]),
        (mg.digamma, (INF,), [INF, 0]),
        (mg.digamma, (0,), [NAN, NAN]),
        (mg.digamma, (-3,), [NAN, NAN]),
        (mg.digamma, (NAN,), [NAN, NAN]),
    ],
)
def test_the_ends_of_the_range(f, at, expected):
    assert all(map(same, slopes(f, *map(float, at)), expected)), slopes(f, *map(float, at))


@settings(max_examples=30)
@given(numbers, numbers)
def test_logaddexp_against_mpmath(x, y):
    with mpmath.workdps(750):
        z = mpmath.log(mpmath.exp(x) + mpmath.exp(y))
        share = 1 / (1 + mpmath.exp(mpmath.mpf(y) - x))
    value, by_x, by_y = slopes(mg.logaddexp, x, y)
    assert value == pytest.approx(float(z), rel=1e-15, abs=1e-15 * max(abs(x), abs(y)))
    assert by_x == pytest.approx(float(share), rel=1e-15 * (1 + abs(x) + abs(y)), abs=1e-323)
    assert by_x + by_y == pytest.approx(1.0, rel=1e-15)
    (xx, xy), (yx, yy) = hessian(lambda a: mg.logaddexp(*a))([x, y])
    assert xy == yx == -xx == -yy


def test_logaddexp_is_logsumexp_of_two_and_keeps_the_tail():
    assert mg.logaddexp(0.0, -40.0) == 4.248354255291589e-18
    assert mg.logaddexp(1000.0, 1000.0) == 1000 + math.log(2)


@settings(max_examples=30)
@given(st.floats(-100, 100), st.floats(-0.999, 1e6))
def test_xlog1py_and_its_hessian(x, y):
    value, by_x, by_y = slopes(mg.xlog1py, x, y)
    assert value == pytest.approx(x * math.log1p(y), rel=1e-15, abs=5e-324)
    assert (by_x, by_y) == (math.log1p(y), pytest.approx(x / (1 + y), rel=1e-15, abs=1e-323))
    (xx, xy), (yx, yy) = hessian(lambda a: mg.xlog1py(*a))([x, y])
    assert xx == 0.0
    assert xy == yx == pytest.approx(1 / (1 + y), rel=1e-15)
    assert yy == pytest.approx(-x / (1 + y) ** 2, rel=1e-14, abs=1e-300)


@pytest.mark.parametrize("x", [0.25, 1.0, 1.4616321449683622, 7.5, 100.0, -0.5, -3.75])
def test_digamma_and_its_derivatives(x):
    value, slope = slopes(mg.digamma, x)
    assert value == pytest.approx(float(mpmath.digamma(x)), rel=1e-13, abs=1e-15)
    assert slope == pytest.approx(float(mpmath.psi(1, x)), rel=1e-13)
    assert hessian(mg.digamma)(x) == pytest.approx(float(mpmath.psi(2, x)), rel=1e-12)


def test_compiled_at_the_ends_too():
    ends = [0.0, -0.0, 1.0, -1.0, 700.0, -700.0, 1e308, -1e308, INF, -INF, NAN]
    rows = [[x, y] for x in ends for y in ends]
    with np.errstate(all="ignore"):
        assert_jacobian_matches_eager(lambda row: mg.logaddexp(*row), [], rows)
        assert_jacobian_matches_eager(lambda row: mg.xlog1py(*row), [], rows)

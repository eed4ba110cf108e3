"""Remainders and floor division against Python's on floats; copysign, norms, sinc near 0."""

import math
import operator

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import microgradlib as mg
from microgradlib import Symbol, Value, evaluate, grad_table, gradcheck, gradients

finite = st.floats(-1e6, 1e6)
divisors = st.floats(1e-3, 1e3) | st.floats(-1e3, -1e-3)


@given(finite, divisors)
def test_operators_give_pythons_numbers(x, y):
    assert (Value(x) % y).data == (x % Value(y)).data == mg.mod(x, y) == x % y
    assert (Value(x) // y).data == (x // Value(y)).data == mg.floordiv(x, y) == x // y
    assert mg.fmod(x, y) == math.fmod(x, y)
    assert mg.copysign(x, y) == math.copysign(x, y)
    assert [part.data for part in divmod(Value(x), y)] == list(divmod(x, y))
    assert [part.data for part in divmod(x, Value(y))] == list(divmod(x, y))


@given(finite, divisors)
def test_derivatives_are_one_and_minus_the_whole_quotient(x, y):
    a, b = Value(x), Value(y)
    table = grad_table(a % b)
    assert (table[a], table[b]) == (1.0, -(x // y))
    table = grad_table(mg.fmod(a, b))
    assert (table[a], table[b]) == (1.0, -math.trunc((x - math.fmod(x, y)) / y + math.copysign(0.5, x / y)))
    table = grad_table(a // b)
    assert (table[a], table[b]) == (0.0, 0.0)


def test_symbols_and_arrays():
    x = Symbol("x")
    assert evaluate([x % 3, 7 // x, mg.fmod(x, 3)], {x: -4.0}) == [2.0, -2.0, -1.0]
    [slope] = gradients((x % 3) ** 2, [x])
    assert evaluate(slope, {x: 4.0}) == 2.0
    assert [node.data for node in np.array([5.0, -5.0]) % Value(3.0)] == [2.0, 1.0]


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (lambda x: x % 0, math.nan),
        (lambda x: x // 0, math.inf),
        (lambda x: -x // 0, -math.inf),
        (lambda x: mg.fmod(x, 0), math.nan),
        (lambda x: x % math.inf, 5.0),
        (lambda x: x / 0 % 2, math.nan),
        (lambda x: mg.copysign(x, -0.0), -5.0),
    ],
)
def test_ieee_754_answers(operation, expected):
    assert operation(Value(5.0)).data == pytest.approx(expected, nan_ok=True)


def test_a_derivative_where_the_value_is_nan_is_nan():
    x, y = Value(5.0), Value(0.0)
    table = grad_table(x % y)
    assert math.isnan(table[x])
    assert math.isnan(table[y])


def test_other_operands_raise():
    for operate in (operator.mod, operator.floordiv):
        with pytest.raises(TypeError, match="expected a real number, got str"):
            operate(Value(1.0), "3")


@pytest.mark.parametrize("x", [1e-12, 1e-6, 1e-3, 0.05, 0.0999, 0.1001, 0.5, 1.0, 2.5])
def test_sinc_and_its_derivatives_have_no_cancellation(x):
    for sign in (1, -1):
        a = Value(sign * x)
        [slope] = gradients(mg.sinc(a), [a])
        with mpmath.workdps(40):
            value, first, second = [float(mpmath.diff(mpmath.sincpi, sign * mpmath.mpf(x), n)) for n in range(3)]
        assert mg.sinc(a).data == pytest.approx(value, rel=1e-14, abs=1e-16)
        assert slope.data == pytest.approx(first, rel=1e-13)
        assert grad_table(slope)[a] == pytest.approx(second, rel=1e-10)


def test_sinc_at_zero():
    a = Value(0.0)
    [slope] = gradients(mg.sinc(a), [a])
    assert (mg.sinc(a).data, slope.data) == (1.0, 0.0)
    assert grad_table(slope)[a] == pytest.approx(-(math.pi**2) / 3, rel=1e-15)


@settings(max_examples=50)
@given(st.lists(st.floats(-10, 10).filter(lambda x: abs(x) > 1e-3), min_size=1, max_size=5))
def test_norm_and_dist(xs):
    assert mg.norm(xs) == pytest.approx(math.hypot(*xs))
    assert mg.dist(xs, [0.0] * len(xs)) == pytest.approx(math.hypot(*xs))
    assert gradcheck(lambda *values: mg.norm(values), xs).ok


def test_norms_at_the_edges():
    zero = Value(0.0)
    assert grad_table(mg.norm([zero, 0.0]))[zero] == 0.0
    assert mg.norm([]) == 0.0
    assert mg.norm([1e200, 1e200]) == pytest.approx(math.sqrt(2) * 1e200)
    with pytest.raises(ValueError, match="2 and 1"):
        mg.dist([1, 2], [3])


def test_exp2_square_reciprocal_and_the_like():
    x = Value(3.0)
    for node, value, slope in (
        (mg.square(x), 9.0, 6.0),
        (mg.reciprocal(x), 1 / 3, -1 / 9),
        (mg.exp2(x), 8.0, 8 * math.log(2)),
        (mg.degrees(x), math.degrees(3.0), 180 / math.pi),
        (mg.radians(x), math.radians(3.0), math.pi / 180),
    ):
        assert node.data == value
        assert grad_table(node)[x] == pytest.approx(slope, rel=1e-15)

"""Every op against mpmath over the whole range of float64: values to 4 ulp, first and second derivatives to 16.

The bound is multiplied by the condition number where that is larger than 1. Every run holds the worst points that were
recorded; the slow test draws hundreds for each op.
"""

import math
import random

import mpmath
import pytest
from accuracy import BOUNDS, EXCEPTIONS, computed, errors, points, ulps
from peer_records import peer_record

from microgradlib import Symbol, Value, evaluate, grad_table, gradients, tangent_table
from microgradlib.ops import TABLE, accuracy

RECORDED = peer_record("accuracy")
ARITIES = {"dot": 4, "cross_entropy": 4}


def arity_of(op):
    return op.arity or ARITIES.get(op.name, 3)


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_points(name):
    op = TABLE[name]
    for orders, point, true, magnified in RECORDED[name]:
        found = computed(op, point, len(point) - (name == "polygamma"))[tuple(orders)]
        with mpmath.workdps(40):
            exact = mpmath.mpf(true)
        for got in found if isinstance(found, list) else [found]:
            assert ulps(got, exact) <= BOUNDS[sum(orders)] * magnified, (orders, point)


@pytest.mark.slow
@pytest.mark.parametrize("name", TABLE)
def test_hard_points(name):
    op, exceptions = TABLE[name], set()
    documented = accuracy.LARGEST_ERRORS.get(name, BOUNDS)
    for orders, point, true, error, magnified, exception in errors(op, arity_of(op), random.Random(name)):
        exceptions.add(exception)
        bound = min(BOUNDS[sum(orders)], documented[sum(orders)] + 0.5)  # the last digit of elementary functions varies
        assert exception or error <= bound * magnified, (orders, point, mpmath.nstr(true, 20))
    assert exceptions <= {"", *EXCEPTIONS}


def test_the_table_names_every_op_and_keeps_the_bounds():
    assert accuracy.LARGEST_ERRORS.keys() == TABLE.keys() - {"detach"}
    for errors_by_order in accuracy.LARGEST_ERRORS.values():
        assert all(error <= bound for error, bound in zip(errors_by_order, BOUNDS))


SMALL_DIFFERENCES = [
    ("hypot", (1.0, 1e-9), 1e-18), ("hypot", (1.0, 1e-300), 0.0), ("atan", (1e100,), -2e-300),
    ("tanh", (300.0,), -2.1203172424034493e-260), ("asin", (1e-200,), 1e-200), ("acos", (1e-200,), -1e-200),
    ("atanh", (1e-200,), 2e-200), ("sigmoid", (1e-200,), -1.25e-201), ("log2", (1e-154,), -1.4426950408889634e308),
    ("norm", (1.0, 1e-9, 1e-9), 2e-18), ("logsumexp", (0.0, 40.0), 4.248354255291589e-18),
]  # fmt: skip
"""Second derivatives by the first input, where the first is a small difference of large terms."""


@pytest.mark.parametrize(("name", "point", "expected"), SMALL_DIFFERENCES)
def test_second_derivatives_along_every_road(name, point, expected):
    """Reverse over reverse, forward over reverse, and by Symbols."""
    op, values, symbols = TABLE[name], [Value(x) for x in point], [Symbol(f"x{i}") for i in range(len(point))]
    slope = gradients(op(*values), values)[0]
    by_symbols = gradients(gradients(op(*symbols), symbols)[0], symbols)[0]
    assert grad_table(slope)[values[0]] == pytest.approx(expected, rel=1e-14)
    assert tangent_table(slope, {values[0]: 1.0})[slope] == pytest.approx(expected, rel=1e-14)
    assert evaluate(by_symbols, dict(zip(symbols, point))) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(
    ("name", "x", "expected"),
    [("acosh", 1.0, -math.inf), ("erf", 1e308, 0.0), ("erfc", -1e308, 0.0), ("erf", math.inf, 0.0)],
)
def test_second_derivatives_at_the_ends(name, x, expected):
    v = Value(x)
    slope = gradients(TABLE[name](v), [v])[0]
    assert grad_table(slope).get(v, 0.0) == tangent_table(slope, {v: 1.0})[slope] == expected


ONE_OR_TWO = [name for name, op in TABLE.items() if op.arity in {1, 2} and name not in {"detach", "polygamma"}]


def agree(name, point, a, b):
    """Return whether two numbers are the same but for rounding, or one of them overflowed, as is documented of unit."""
    if math.isfinite(a) and math.isfinite(b):
        return abs(a - b) <= 128 * math.ulp(b)
    undefined = math.isnan(a) and math.isnan(b)
    return a == b or undefined or (name == "unit" and math.hypot(*point) < 1e-150)


@pytest.mark.slow
@pytest.mark.parametrize("name", ONE_OR_TWO)
def test_reverse_and_forward_mode_agree_on_second_derivatives(name):
    """They multiply the same factors in opposite orders: no product on the way may over- or underflow alone."""
    op = TABLE[name]
    for point in points(op, op.arity, random.Random(3)):
        values = [Value(x) for x in point]
        for slope in gradients(op(*values), values):
            reverse = grad_table(slope)
            for x in values:
                forward = tangent_table(slope, {x: 1.0})[slope]
                assert agree(name, point, reverse.get(x, 0.0), forward), (point, reverse.get(x, 0.0), forward)


@pytest.fixture
def wrong_op(temporary_op):
    def define(value, derivative):
        return temporary_op("wrong", value, [derivative], formula="for this test", reference=lambda mp, x: x * x)

    return define


@pytest.mark.parametrize(
    ("value", "derivative", "order"),
    [
        (lambda xp, x: x * x * (1 + 2.0**-49), lambda xp, z, x: 2 * x, 0),
        (lambda xp, x: x * x, lambda xp, z, x: 2 * x * (1 + 2.0**-47), 1),
        (lambda xp, x: x * x, lambda xp, z, x: 2 * x + (xp.detach(x) - x) * 1e-13, 2),
    ],
)
def test_the_checker_finds_lost_digits(wrong_op, value, derivative, order):
    op = wrong_op(value, derivative)
    found = {sum(orders) for orders, *_, error, magnified, exception in errors(op, 1, random.Random(0))
             if error > BOUNDS[sum(orders)] * magnified and not exception}  # fmt: skip
    assert order in found

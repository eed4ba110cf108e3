"""assert_derivative_rule at kinks, edges, boundaries of branches, 0, ±1 and ties: wrong rules fail, right ones pass."""

import math

import pytest
from hypothesis import given, settings, strategies as st

from microgradlib.ops import TABLE
from microgradlib.testing import assert_derivative_rule
from microgradlib.testing.special_points import branch_boundaries, special_points


@pytest.fixture
def define(temporary_op):
    count = 0

    def defined(value, *derivatives, **properties):
        nonlocal count
        count += 1
        return temporary_op(f"special_{count}", value, list(derivatives), formula="on trial", **properties)

    return defined


def exponential(xp, x):
    return xp.exp(x)


@settings(max_examples=15)
@given(
    at=st.one_of(st.sampled_from([0.0, 1.0, -1.0]), st.floats(1e-99, 3), st.floats(-3, -1e-99)),
    order=st.sampled_from([1, 2]),
)
def test_a_rule_that_is_wrong_at_one_point_fails(at, order) -> None:
    from microgradlib.ops import define_op, forget_op  # noqa: PLC0415  a fixture would last for all examples

    wrong = 0.0 if order == 1 else math.exp(at)  # to second order, a constant branch has derivative 0
    op = define_op(
        "lone", exponential, [lambda xp, z, x: xp.where(xp.abs(x - at) <= 0, wrong, z)], formula="eˣ, wrong at a point"
    )
    try:
        with pytest.raises(AssertionError, match=r"is 0.0, the numeric derivative .* at inputs"):
            assert_derivative_rule(op)
        assert_derivative_rule(op, at + 0.125)
    finally:
        forget_op("lone")


def test_equality_in_a_rule_is_found(define) -> None:
    op = define(exponential, lambda xp, z, x: xp.where(x == 0.7, 0.0, z))
    with pytest.raises(AssertionError, match=r"derivatives\[0\] is 0.0, .* at inputs 0.7 "):
        assert_derivative_rule(op)


def test_a_rule_is_checked_at_the_edge_of_its_domain(define) -> None:
    def power(xp, x):
        return xp.sqrt(x) * x * xp.sqrt(x)

    right = define(power, lambda xp, z, x: xp.where(x >= 0, 2 * x, math.nan), sample=((0.3, 3.0),))
    assert_derivative_rule(right)
    wrong = define(power, lambda xp, z, x: xp.where(x <= 0, 1.0, 2 * x), sample=((0.3, 3.0),))
    with pytest.raises(AssertionError, match=r"derivatives\[0\] is 1.0, .* at inputs 0.0 "):
        assert_derivative_rule(wrong)


def test_a_nan_fails_inside_the_sample_intervals_only(define) -> None:
    def value(xp, x):
        return xp.where(xp.abs(x) > 0, xp.sin(x) / x, 1.0)

    def slope(xp, z, x):
        return (xp.cos(x) - z) / x

    assert_derivative_rule(define(value, slope, sample=((0.5, 3.0),)))
    with pytest.raises(AssertionError, match=r"derivatives\[0\] is nan, .* at inputs 0.0 "):
        assert_derivative_rule(define(value, slope, sample=((-3.0, 3.0),)))


@pytest.mark.parametrize(("convention", "right"), [(0.0, True), (0.5, True), (1.0, True), (1.5, False), (-1.0, False)])
def test_a_convention_lies_between_the_one_sided_derivatives(define, convention, right) -> None:
    op = define(
        lambda xp, x: xp.maximum(x, 0.0),
        lambda xp, z, x: xp.where(x > 0, 1.0, xp.where(x < 0, 0.0, convention)),
        kink=lambda x: x == 0,
    )
    if right:
        assert_derivative_rule(op)
    else:
        with pytest.raises(AssertionError, match=r"between 0.0 and 1.0, at inputs 0.0 "):
            assert_derivative_rule(op)


def test_a_branch_of_the_value_is_checked_on_both_sides(define) -> None:
    def value(xp, x):
        return xp.where(x > 0.75, x * x, 1.5 * x - 0.5625)

    assert_derivative_rule(define(value, lambda xp, z, x: xp.where(x > 0.75, 2 * x, 1.5)))
    wrong = define(value, lambda xp, z, x: xp.where(x > 0.75, 2 * x, xp.where(x < 0.75, 1.5, 0.0)))
    with pytest.raises(AssertionError, match=r"derivatives\[0\] is 0.0, .* at inputs 0.75 "):
        assert_derivative_rule(wrong)


def test_a_rule_that_is_wrong_where_inputs_are_equal_fails(define) -> None:
    op = define(
        lambda xp, x, y: xp.exp(x * y),
        lambda xp, z, x, y: z * y * xp.where(x == y, 0.0, 1.0),
        lambda xp, z, x, y: z * x,
    )
    with pytest.raises(AssertionError, match=r"derivatives\[0\] is 0.0"):
        assert_derivative_rule(op)


@pytest.mark.parametrize(
    ("name", "inputs", "index", "boundaries"),
    [
        ("hard_tanh", [0.3], 0, {-1.0, 0.0, 1.0}),
        ("log1p", [0.3], 0, {-1.0}),
        ("asin", [0.3], 0, {-1.0, 1.0}),
        ("maximum", [0.3, 1.7], 0, {1.7}),
        ("maximum", [0.3, 1.7], 1, {0.3}),
        ("less", [0.3, 1.7], 0, {1.7}),
        ("exp", [0.3], 0, set()),
    ],
)
def test_boundaries_are_found_to_the_float(name, inputs, index, boundaries) -> None:
    found = branch_boundaries(TABLE[name], inputs, index)
    assert boundaries <= set(found)
    assert all(any(abs(x - b) <= 2.0**-50 for b in boundaries) for x in found)


def test_special_points_contain_0_1_and_ties() -> None:
    points = set(special_points(TABLE["mul"], [0.3, 1.7]))
    assert {(0.0, 1.7), (1.0, 1.7), (-1.0, 1.7), (0.3, 0.0), (0.3, 1.0), (0.3, -1.0), (0.3, 0.3), (0.0, 0.0)} == points
    condition = [point[0] for point in special_points(TABLE["where"], [1.0, 0.3, 1.7])]
    assert set(condition) == {1.0, 0.0}  # the condition is not differentiated, but 0 when all inputs are

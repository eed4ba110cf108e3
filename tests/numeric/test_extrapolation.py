"""Numeric derivatives where wide steps mislead: oscillations, kinks, edges; the error is never falsely small."""

import math

import pytest
from hypothesis import given, settings, strategies as st

from microgradlib.numeric.differences import numeric_derivative
from microgradlib.numeric.extrapolation import extrapolate, power_of_two


def test_a_step_is_a_power_of_two():
    assert [power_of_two(x) for x in (1.0, 0.99, 3.0, 1e-300)] == [1.0, 0.5, 2.0, 2.0**-997]


def test_steps_that_skip_whole_periods_are_not_believed():
    found = numeric_derivative(lambda x: math.cos(2 * x) + x, 1e8)
    assert abs(found.value - (1 - 2 * math.sin(2e8))) <= found.error < 1e-4
    found = numeric_derivative(math.sin, 1e14)
    assert abs(found.value - math.cos(1e14)) <= found.error < 0.01


OSCILLATIONS = {
    "sin x": (math.sin, math.cos, 300),
    "cos 2x + x": (lambda x: math.cos(2 * x) + x, lambda x: 1 - 2 * math.sin(2 * x), 12),
    "x sin x": (lambda x: x * math.sin(x), lambda x: math.sin(x) + x * math.cos(x), 13),
    "2 sin 3x + cos x/7": (
        lambda x: 2 * math.sin(3 * x) + math.cos(x / 7),
        lambda x: 6 * math.cos(3 * x) - math.sin(x / 7) / 7,
        60,
    ),
}


@pytest.mark.parametrize(("f", "slope", "largest"), OSCILLATIONS.values(), ids=OSCILLATIONS.keys())
@settings(max_examples=60)
@given(st.data())
def test_oscillations_far_from_0_are_right_or_uncertain(f, slope, largest, data):
    x = data.draw(st.sampled_from([-1, 1])) * 10 ** data.draw(st.floats(0, largest))
    found = numeric_derivative(f, x)
    assert math.isinf(found.error) or abs(found.value - slope(x)) <= 5 * found.error


@pytest.mark.parametrize("x", [-75457200000000.0, -78302200000000.0, 28613500000000.0, 85966700000000.0, 3e12])
def test_a_wide_step_over_an_oscillation_is_within_a_period(x):
    """Where a period is a hundred floats, steps of 2¹⁴ floats gave errors up to 723 times too small."""
    f, slope, _ = OSCILLATIONS["2 sin 3x + cos x/7"]
    found = numeric_derivative(f, x)
    assert abs(found.value - slope(x)) <= found.error


def test_a_function_that_is_irregular_from_float_to_float_has_an_infinite_error():
    for x in (1e17, 1e20, -1e100):
        assert numeric_derivative(math.sin, x).error == math.inf
    assert numeric_derivative(lambda x: math.sin(x * 1e30), 1.0).error == math.inf


@given(st.floats(-3, 3), st.floats(0.1, 3), st.floats(-3, 3))
def test_a_kink_gives_the_mean_and_the_gap(left, gap, x):
    right = left + gap
    found = numeric_derivative(lambda t: math.sin(t) + (right if t > x else left) * (t - x), x)
    assert found.value == pytest.approx(math.cos(x) + (left + right) / 2, abs=1e-4)
    assert found.gap == pytest.approx(gap, rel=0.1)
    assert found.error >= gap / 2.2
    assert numeric_derivative(lambda t: max(t, 0.0), 0.0, "backward").value == 0


@pytest.mark.parametrize("f", [math.sin, math.exp, math.atan, lambda x: x * x * abs(x), lambda x: 3 * x + 1])
@given(st.floats(-3, 3))
def test_a_smooth_point_has_no_gap(f, x):
    assert numeric_derivative(f, x).gap == 0


def test_at_the_edge_of_a_domain_one_side_is_used():
    found = numeric_derivative(lambda x: math.acos(x) ** 2, 1.0)
    assert abs(found.value + 2) <= 5 * found.error < 1e-9
    found = numeric_derivative(lambda x: math.sqrt(x) * x, 0.0)
    assert abs(found.value) <= 5 * found.error < 1e-6
    assert numeric_derivative(math.asin, 1.0).error == math.inf  # a vertical tangent


def test_the_rounding_error_that_is_given_counts():
    exact = extrapolate(lambda x: (math.exp(x), 1e-16), 0.0)
    rough = extrapolate(lambda x: (math.exp(x), 1e-6), 0.0)
    assert abs(exact.value - 1) <= exact.error < 1e-12
    assert abs(rough.value - 1) <= rough.error
    assert 1e-6 < rough.error < 1e-3


@pytest.mark.parametrize(
    ("f", "x", "slope"),
    [
        (lambda x: float(x > 0), 0.0, None),
        (lambda x: float(x > 1), 1.0, None),
        (lambda x: math.copysign(abs(x) ** (1 / 3), x), 0.0, None),
        (math.sqrt, 0.0, None),
        (lambda x: math.tanh(1e40 * x), 0.0, 1e40),
        (lambda x: 1 / x if abs(x) < 1e-290 else math.nan, 1e-140, None),
        (lambda x: x / (x * x + 1e-200), 0.0, 1e200),
    ],
    ids=["jump", "jump at 1", "cbrt", "sqrt", "tanh", "undefined", "narrow"],
)
def test_jumps_and_what_changes_over_tiny_steps_take_few_evaluations(f, x, slope):
    calls = []

    def counted(at):
        calls.append(at)
        try:
            return f(at), 0.0
        except ValueError:
            return math.nan, 0.0

    found = extrapolate(counted, x)
    assert len(calls) < 1000
    if slope is None:
        assert math.isinf(found.error)
    else:
        assert abs(found.value - slope) <= found.error < 1e-6 * slope


def places(x, f=math.sin, *, rounding=0.0, own_scale=False, **options):
    """Extrapolate, and return the distances from x at which f was evaluated, or those at its own scale."""
    wide, own = [], []

    def evaluate(at, distances):
        distances.append(at - x)
        return f(at), rounding

    own_function = (lambda at: evaluate(at, own)) if own_scale else None
    extrapolate(lambda at: evaluate(at, wide), x, own_scale=own_function, **options)
    return own if own_scale else wide


@pytest.mark.parametrize(
    ("x", "first"), [(0.0, 1 / 16), (-1.0, 1 / 16), (15.5, 0.5), (16.5, 1.0), (-992.0, 32.0), (1056.0, 64.0)]
)
def test_the_first_step_is_a_sixteenth_of_x_or_of_1(x, first):
    assert max(map(abs, places(x))) == first


@pytest.mark.parametrize("x", [2.0**-20, -1.03 * 2.0**-20, 1.97 * 2.0**-30])
def test_a_small_x_has_a_second_sequence_of_steps_from_its_own_size(x):
    assert max(map(abs, places(x, rounding=1e-3, own_scale=True))) == power_of_two(abs(x)) / 16


@pytest.mark.parametrize("x", [0.0, 0.5])
def test_what_is_0_or_not_small_has_no_second_sequence(x):
    assert places(x, rounding=1e-3, own_scale=True) == []


@pytest.mark.parametrize("side", [1, -1])
def test_one_side_means_that_f_is_not_called_on_the_other(side):
    distances = places(0.3, math.exp, side=side)
    assert all(distance * side >= 0 for distance in distances)
    assert len(distances) > 5
    assert extrapolate(lambda x: (x * x + x, 0.0), 0.0, side=side).value == 1


@pytest.mark.parametrize("x", [1.0, -1.0])
def test_steps_that_change_x_on_one_side_only_are_too_small(x):
    found = extrapolate(lambda at: (at, 0.0), x, widest=2.0**-7)  # to 2⁻⁵³: x itself on the side away from 0
    assert (found.value, found.gap) == (1.0, 0.0)


def test_the_step_of_a_result_is_the_widest_in_it():
    found = extrapolate(lambda x: (x**3, 0.0), 1.0)  # two quotients, over 1/16 and 1/64, give it exactly
    assert (found.value, found.step) == (3.0, 1 / 16)


def test_a_gap_that_finer_steps_do_not_confirm_is_none():
    found = extrapolate(lambda x: (32 * x * x if abs(x) >= 1 / 64 or x == 0 else math.nan, 0.0), 0.0)
    assert (found.value, found.gap) == (0.0, 0.0)  # f″ h is 4 and 1 at the two steps

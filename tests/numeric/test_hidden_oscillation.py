"""Oscillations that floats near x do not show: the error is inf, not that of the mean slope over many waves."""

import math

import pytest
from hypothesis import given, settings, strategies as st

from microgradlib.numeric.differences import numeric_derivative
from microgradlib.numeric.hidden_oscillation import narrowest_wave

RIPPLES = {
    "cos 2x + x": (lambda x: math.cos(2 * x) + x, lambda x: 1 - 2 * math.sin(2 * x)),
    "sin x + sin 50x / 100": (
        lambda x: math.sin(x) + 0.01 * math.sin(50 * x),
        lambda x: math.cos(x) + 0.5 * math.cos(50 * x),
    ),
    "x + sin 20x / 1e6": (lambda x: x + 1e-6 * math.sin(20 * x), lambda x: 1 + 2e-5 * math.cos(20 * x)),
    "10x + cos 50x": (lambda x: 10 * x + math.cos(50 * x), lambda x: 10 - 50 * math.sin(50 * x)),
    "sin x / x": (lambda x: math.sin(x) / x, lambda x: math.cos(x) / x - math.sin(x) / x / x),
}
SMOOTH = {
    "x": (lambda x: 3 * x + 1, lambda _: 3.0),
    "x³": (lambda x: x * x * x, lambda x: 3 * x * x),
    "√(1 + x²)": (lambda x: math.sqrt(1 + x * x), lambda x: x / math.sqrt(1 + x * x)),
    "1/x": (lambda x: 1 / x, lambda x: -1 / x / x),
    "√|x|": (lambda x: math.sqrt(abs(x)), lambda x: math.copysign(0.5 / math.sqrt(abs(x)), x)),
    "log x²": (lambda x: math.log(x * x), lambda x: 2 / x),
    "exp(x / 10¹²)": (lambda x: math.exp(x / 1e12), lambda x: math.exp(x / 1e12) / 1e12),
}


@pytest.mark.parametrize(("f", "slope"), [*RIPPLES.values(), *SMOOTH.values()], ids=[*RIPPLES, *SMOOTH])
@settings(max_examples=25)
@given(sign=st.sampled_from([-1, 1]), exponent=st.floats(8, 14.5))
def test_the_error_is_a_bound_far_from_0(f, slope, sign, exponent):
    x = sign * 10**exponent
    found = numeric_derivative(f, x)
    assert math.isinf(found.error) or abs(found.value - slope(x)) <= found.error


@pytest.mark.parametrize("f", [f for f, _ in RIPPLES.values()], ids=RIPPLES)
@pytest.mark.parametrize("x", [1e17, -3.7e17])
def test_what_no_float_shows_has_an_infinite_error(f, x):
    assert numeric_derivative(f, x).error == math.inf


@pytest.mark.parametrize(("f", "slope"), SMOOTH.values(), ids=SMOOTH)
@settings(max_examples=25)
@given(sign=st.sampled_from([-1, 1]), exponent=st.floats(8, 14.5))
def test_smooth_functions_keep_their_small_errors(f, slope, sign, exponent):
    x = sign * 10**exponent
    found = numeric_derivative(f, x)
    assert found.error <= 1e-6 * abs(slope(x))


@pytest.mark.parametrize("x", [3e9, 1e12, 1e15, 1e18])
def test_waves_that_grow_with_x_are_seen_there(x):
    for f in (lambda t: math.sin(math.sqrt(t)), lambda t: math.sin(20 * math.log(t))):
        assert narrowest_wave(f, x, 2.0**-52) > 0


def test_steps_of_a_grid_are_no_waves():
    assert narrowest_wave(lambda x: round(x * 1e3) / 1e3, 1e15, 2.0**-52) == math.inf
    assert narrowest_wave(lambda x: math.sin(x) + 1e-3 * math.sin(300 * x), 1e15, 2.0**-52) == 0


@pytest.mark.parametrize("x", [1e6, math.inf, math.nan])
def test_nothing_is_hidden_nearer_to_0(x):
    assert narrowest_wave(lambda x: x + 1e-13 * math.sin(1e3 * x), x, 2.0**-52) == math.inf

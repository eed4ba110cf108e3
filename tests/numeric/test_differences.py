"""Numeric derivatives: accuracy, estimated errors, comparison with backpropagation."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import microgradlib as mg
from microgradlib import Value, grad_table
from microgradlib.numeric.differences import numeric_derivative, numeric_derivatives, numeric_gradient

SMOOTH = {
    "sin": (math.sin, math.cos),
    "exp": (math.exp, math.exp),
    "cube": (lambda x: x**3, lambda x: 3 * x * x),
    "tanh": (math.tanh, lambda x: 1 / math.cosh(x) ** 2),
    "runge": (lambda x: 1 / (1 + x * x), lambda x: -2 * x / (1 + x * x) ** 2),
    "line": (lambda x: 3 * x + 1, lambda x: 3.0),
    "constant": (lambda x: 5.0, lambda x: 0.0),
}


@pytest.mark.parametrize(("f", "slope"), SMOOTH.values(), ids=SMOOTH.keys())
@settings(max_examples=40, deadline=None)
@given(x=st.floats(-3, 3))
def test_smooth_functions(f, slope, x):
    found = numeric_derivative(f, x)
    assert abs(found.value - slope(x)) <= 1e-9 * max(1.0, abs(slope(x)))
    assert abs(found.value - slope(x)) <= 20 * found.error + 1e-15  # an estimate, not a bound
    assert found.error < 1e-6 * max(1.0, abs(slope(x)))
    assert found.step > 0


@pytest.mark.parametrize("x", [1e-3, 0.05, 1.0, 50.0, 1e4, 1e8])
def test_the_step_suits_the_scale_of_x(x):
    assert numeric_derivative(mg.log, x).value == pytest.approx(1 / x, rel=1e-6)
    assert numeric_derivative(lambda t: t * t, x).value == pytest.approx(2 * x, rel=1e-9)


def test_a_jump_has_a_large_error():
    assert numeric_derivative(lambda x: float(x > 0), 0.0).error > 1.0


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-2, 2), min_size=3, max_size=3))
def test_a_gradient_of_several_arguments(at):
    x, y, z = at
    found = numeric_gradient(lambda x, y, z: x * x * y + mg.sin(y * z), at)
    expected = [2 * x * y, x * x + z * math.cos(y * z), y * math.cos(y * z)]
    assert found == pytest.approx(expected, rel=1e-8, abs=1e-8)


def loss(x, y):
    return mg.tanh(x * y + 1) ** 2 + mg.logsumexp([x, y, x - y]) / (1 + y * y)


@settings(max_examples=40, deadline=None)
@given(st.floats(-2, 2), st.floats(-2, 2))
def test_it_agrees_with_backpropagation_and_disagrees_with_a_wrong_gradient(x, y):
    values = [Value(x), Value(y)]
    table = grad_table(loss(*values))
    found = numeric_gradient(loss, [x, y])
    assert found == pytest.approx([table[v] for v in values], rel=1e-8, abs=1e-9)
    assert found != pytest.approx([table[v] + 1e-6 for v in values], rel=1e-8, abs=1e-9)


def test_functions_may_return_values_and_record_nothing():
    kept = []

    def f(x):
        assert type(x) is float
        kept.append(Value(x) * 2)
        return kept[-1]

    assert numeric_gradient(f, [3]) == pytest.approx([2.0], rel=1e-12)
    assert all(v.parents == () for v in kept)
    assert (Value(1.0) * 2).parents != ()


def test_recording_resumes_after_an_error():
    def fail(_):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        numeric_gradient(fail, [1.0])
    assert (Value(1.0) * 2).parents != ()


def test_other_real_numbers_are_accepted():
    at = [Fraction(1, 2), np.float32(2.0), 3, True]
    found = numeric_gradient(lambda a, b, c, d: a * b * c * d, at)
    assert found == pytest.approx([6.0, 1.5, 1.0, 3.0], rel=1e-10)
    with pytest.raises(TypeError, match="real number"):
        numeric_gradient(lambda x: x, ["1"])
    with pytest.raises(TypeError, match="real number"):
        numeric_gradient(lambda x: "text", [1.0])
    assert numeric_gradient(lambda: 1.0, []) == []


def test_numeric_derivatives_return_errors():
    by_x, by_y = numeric_derivatives(lambda x, y: x * x * y, [3.0, 2.0])
    assert abs(by_x.value - 12.0) <= by_x.error < 1e-8
    assert abs(by_y.value - 9.0) <= by_y.error < 1e-8


def test_no_usable_step_gives_nan():
    found = numeric_derivative(lambda x: math.nan, 1.0)
    assert math.isnan(found.value)
    assert found.error == math.inf


def test_numeric_derivatives_of_plain_python_beyond_its_domain():
    assert numeric_derivative(math.log, 0.01).value == pytest.approx(100.0, rel=1e-6)
    assert numeric_derivative(math.sqrt, 0.02).value == pytest.approx(0.5 / math.sqrt(0.02), rel=1e-6)


QUOTIENTS = {
    "central": lambda f, x, e: (f(x + e) - f(x - e)) / (2 * e),
    "forward": lambda f, x, e: (f(x + e) - f(x)) / e,
    "backward": lambda f, x, e: (f(x) - f(x - e)) / e,
}


@pytest.mark.parametrize("method", QUOTIENTS)
@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(1e-12, 1.0))
def test_a_step_gives_the_plain_quotient_to_the_bit(method, x, y, step):
    def f(x, y):
        return math.sin(x) * y

    by_x = QUOTIENTS[method](lambda x: f(x, y), x, step)
    by_y = QUOTIENTS[method](lambda y: f(x, y), y, step)
    assert numeric_gradient(f, [x, y], method, step) == [by_x, by_y]


def test_the_error_over_the_step_has_the_order_of_the_method():
    def error(method, step):
        return abs(numeric_gradient(math.exp, [0.0], method, step)[0] - 1)

    assert error("central", 1e-2) / error("central", 1e-3) == pytest.approx(100, rel=1e-2)
    assert error("forward", 1e-2) / error("forward", 1e-3) == pytest.approx(10, rel=1e-2)
    assert error("backward", 1e-2) / error("backward", 1e-3) == pytest.approx(10, rel=1e-2)
    assert error("central", 1e-13) > error("central", 1e-5)  # rounding


def test_one_sided_derivatives_are_extrapolated_too():
    for method, slope in (("forward", 1.0), ("backward", -1.0)):
        found = numeric_derivative(lambda x: abs(x) * math.exp(x), 0.0, method)
        assert abs(found.value - slope) <= found.error < 1e-9
    assert numeric_gradient(lambda x, y: abs(x) + y, [0.0, 1.0], "backward") == pytest.approx([-1.0, 1.0])
    [found] = numeric_derivatives(math.cos, [1.0], "forward")
    assert abs(found.value + math.sin(1.0)) <= found.error < 1e-7


@pytest.mark.parametrize("step", [0.0, -1e-3, math.inf, math.nan])
def test_a_step_is_finite_and_positive(step):
    with pytest.raises(ValueError, match="step must be a finite number > 0, or None to extrapolate to step 0, got"):
        numeric_gradient(math.sin, [1.0], step=step)


def test_an_unknown_method_is_named():
    for call in (numeric_gradient, numeric_derivatives):
        with pytest.raises(ValueError, match="method is 'central', 'forward' or 'backward', got 'left'"):
            call(math.sin, [1.0], "left")
    with pytest.raises(ValueError, match="got 'left'"):
        numeric_derivative(math.sin, 1.0, "left")
    with pytest.raises(TypeError, match="step must be a finite number > 0"):
        numeric_gradient(math.sin, [1.0], step="small")

"""The bound on the rounding error of a recorded computation holds, and is not much too large."""

from fractions import Fraction

import pytest
from hypothesis import given, strategies as st

import microgradlib as mg
from microgradlib.numeric.branch_changes import record
from microgradlib.numeric.extrapolation import EPSILON
from microgradlib.numeric.rounding import errors_inside_ops, op_rounding_error, rounding_error
from microgradlib.ops import TABLE


def polynomial(x, y):
    return (x * y + 3) * (x - y) + x / 7


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_the_bound_holds_for_arithmetic(x, y):
    exact = polynomial(Fraction(x), Fraction(y))
    recorded = record(polynomial, [x, y])
    assert abs(Fraction(recorded.output.data) - exact) <= Fraction(rounding_error(recorded))


def test_inputs_are_exact_unless_asked_otherwise():
    recorded = record(mg.sin, [1e14])
    assert rounding_error(recorded) <= 2 * EPSILON
    assert rounding_error(recorded, of_inputs=True) > 1e-3


@pytest.mark.parametrize(("name", "at"), [("exp", [1.0]), ("mul", [2.0, 3.0]), ("tanh", [0.5])])
def test_an_op_that_is_one_function_has_no_error_inside(name, at):
    assert op_rounding_error(TABLE[name], at) == 0


def test_an_op_of_several_functions_has_an_error_inside():
    assert 0 < op_rounding_error(TABLE["softplus"], [1.0]) < 1e-14
    recorded = record(lambda x: mg.sinc(x), [3.0])  # at a zero of sinc, the error is not relative to the value
    [(absolute, relative)] = [errors for errors in errors_inside_ops(recorded) if errors[0]]
    assert 1e-18 < absolute < 1e-15
    assert relative == 64 * EPSILON
    assert rounding_error(recorded, inside=errors_inside_ops(recorded)) == rounding_error(recorded)

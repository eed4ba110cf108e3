"""gradcheck at single points: derivatives that are wrong there only, kinks, edges, and "cannot tell"."""

import math

import pytest
from hypothesis import given, settings, strategies as st

import microgradlib as mg
from microgradlib.core.value import Value
from microgradlib.errors import GradcheckError
from microgradlib.numeric.gradient_check import gradcheck
from microgradlib.numeric.taylor import taylor_slope


def report_of(f, xs, order=1):
    try:
        return gradcheck(f, xs, order)
    except GradcheckError as error:
        return error.report


def verdicts(f, *xs):
    return [check.verdict for check in report_of(f, xs).checks]


@pytest.fixture
def exponential(temporary_op):
    """Define eˣ with a derivative that is `rule(xp, z, x)`."""
    return lambda rule, **properties: temporary_op(
        "exponential", lambda xp, x: xp.exp(x), [rule], formula="eˣ", **properties
    )


@pytest.mark.parametrize("at", [0.0, 1.0, -1.0, 0.1, 1e-9, -3e4 / 7e5])
def test_a_derivative_that_is_wrong_at_one_point_fails(exponential, at):
    op = exponential(lambda xp, z, x: xp.where(xp.abs(x - at) <= 0, 0.5 * z, z))
    [check] = report_of(op, [at]).failures
    assert check.fault.op == "exponential"
    assert check.reverse == pytest.approx(0.5 * math.exp(at))
    assert abs(check.numeric.value - math.exp(at)) <= check.numeric.error < 1e-9
    beside = at + 2.0**-40
    assert gradcheck(op, [beside]).ok
    assert report_of(lambda x: mg.sin(op(x) * 3), [at]).failures[0].fault.op == "exponential"


def test_a_sigmoid_without_slope_at_0_fails_to_first_and_second_order(temporary_op):
    op = temporary_op(
        "double_sigmoid",
        lambda xp, x: 2 * xp.sigmoid(x),
        [lambda xp, z, x: xp.where(xp.abs(x) <= 0, 0.0, z * xp.sigmoid(-x))],
        formula="2 σ(x)",
    )
    for order in (1, 2):
        with pytest.raises(
            GradcheckError, match=r"reverse gives 0.0, .* differences give 0\.[45].*traced to double_sigmoid"
        ):
            gradcheck(op, [0.0], order)


def test_a_second_derivative_that_is_wrong_at_one_point_fails(exponential):
    op = exponential(lambda xp, z, x: xp.where(xp.abs(x) <= 0, 1.0, z))
    assert gradcheck(op, [0.0]).ok
    report = report_of(op, [0.0], order=2)
    assert [check.verdict for check in report.checks] == ["ok"]
    [failure] = report.failures
    assert "another path at this very point" in failure.reason


@settings(max_examples=40)
@given(
    st.floats(-2, 1), st.floats(-11, -0.1), st.sampled_from([-1, 1]), st.sampled_from(["point", "right", "left", "all"])
)
def test_a_fault_beyond_ten_times_the_error_is_found(at, size, sign, where):
    class Faulty(type(mg.exp)):
        def record(self, inputs):
            output, [slope] = super().record(inputs)
            x = inputs[0]
            hit = {"point": x == at, "right": x >= at, "left": x <= at, "all": True}[where]
            return output, (slope * (1 + sign * 10**size) if hit else slope,)

    op = Faulty(**vars(mg.exp))
    report = report_of(lambda x: mg.tanh(op(x)) + x, [at])
    [check] = report.checks
    right = 1 + math.exp(at) / math.cosh(math.exp(at)) ** 2
    if abs(check.reverse - right) > 10 * check.numeric.error:
        assert check.verdict == "FAIL"
    elif abs(check.reverse - right) < check.numeric.error / 10:
        assert check.verdict == "ok"


@pytest.mark.parametrize(
    ("f", "at", "slope"),
    [
        (lambda x: mg.cbrt(x) ** 3, 0.0, 1.0),
        (lambda x: mg.acos(x) ** 2, 1.0, -2.0),
        (lambda x: mg.sqrt(x) ** 2, 0.0, 1.0),
    ],
)
def test_zero_times_infinity_is_a_failure_that_names_the_node(f, at, slope):
    report = report_of(f, [at])
    [check] = report.failures
    assert math.isnan(check.reverse)
    assert check.numeric.value == pytest.approx(slope)
    assert "indeterminate, 0 · inf" in check.reason
    assert "not comparable" in str(report)


def test_a_nan_at_a_kink_is_no_failure_but_is_explained():
    report = gradcheck(lambda x: mg.sqrt(x * x), [0.0])
    [check] = report.undecided
    assert check.verdict == "kink"
    assert check.numeric.gap == pytest.approx(2)
    assert "write abs(x) for sqrt(x*x)" in str(report)


@pytest.mark.parametrize(
    ("convention", "verdict"), [(0.0, "kink"), (0.5, "kink"), (1.0, "kink"), (5.0, "FAIL"), (-0.1, "FAIL")]
)
def test_a_convention_lies_between_the_one_sided_derivatives(temporary_op, convention, verdict):
    op = temporary_op(
        "ramp",
        lambda xp, x: xp.maximum(x, 0.0),
        [lambda xp, z, x: xp.where(x > 0, 1.0, xp.where(x < 0, 0.0, convention))],
        formula="max(0, x)",
        kink=lambda x: x == 0,
    )
    assert verdicts(op, 0.0) == [verdict]
    assert verdicts(lambda x: op(x) * 2 + x, 0.0) == [verdict]


def test_a_kink_does_not_excuse_another_op(exponential):
    op = exponential(lambda xp, z, x: 1.2 * z)
    assert verdicts(lambda x: mg.relu(x) + op(x), 0.0) == ["FAIL"]
    assert verdicts(lambda x: mg.relu(x) - mg.relu(-x) + op(x), 0.0) == ["FAIL"]
    assert verdicts(lambda x: mg.relu(x) - mg.relu(-x), 0.0) == ["kink"]  # each op by its convention, not their sum


def test_branches_in_python_that_join_smoothly_are_checked():
    assert verdicts(lambda x: x * x if x > 1 else 2 * x - 1, 1.0) == ["ok"]
    assert verdicts(lambda x: x * x if x > 1 else 2.001 * x - 1.001, 1.0) == ["kink"]
    assert verdicts(lambda x: x * 1.0 if x.data != 2 else x.detach() * 1.0, 2.0) == ["FAIL"]


PERIODIC = [mg.sin, lambda x: mg.cos(2 * x) + x, lambda x: mg.erf(mg.sin(x)) * mg.cos(3 * x), mg.tan]


@pytest.mark.parametrize("f", PERIODIC)
@settings(max_examples=10)
@given(st.floats(0, 300), st.sampled_from([-1, 1]))
def test_steps_that_skip_periods_raise_no_false_alarm(f, size, sign):
    [check] = gradcheck(f, [sign * 10**size]).checks
    assert check.verdict == "ok" or (size > 10 and check.verdict == "cannot tell")


def test_cannot_tell_is_reported_and_not_raised():
    report = gradcheck(lambda x, y: mg.sin(x) + y, [1e17, 1.0])
    assert report.ok
    assert [check.verdict for check in report.checks] == ["cannot tell", "ok"]
    assert [check.argument for check in report.undecided] == ["x"]
    assert "cannot tell" in str(report)
    assert "1 of 2 derivatives agree" in str(report)


def test_a_wrong_op_is_found_where_differences_of_the_function_cannot_tell(exponential):
    op = exponential(lambda xp, z, x: 1.01 * z)
    assert verdicts(lambda x: mg.sin(1e20 + x) * 0.0 + mg.sin(1e9 * ((x + 1e9) - 1e9)) + op(x), 0.3) == ["FAIL"]


def test_nodes_made_by_hand_are_checked():
    assert verdicts(lambda x: Value(math.log(x.data), (x,), (1 / x.data,)) * 2, 3.0) == ["ok"]
    [failure] = report_of(lambda x: Value(math.log(x.data), (x,), (1.01 / x.data,)) * 2, [3.0]).failures
    assert "made by hand" in failure.reason


def test_a_missing_dependency_is_found_through_rounding_that_the_graph_does_not_show():
    assert verdicts(lambda x: mg.tanh(((x + 1e6) - 1e6).detach()) * x, 0.7) == ["FAIL"]
    assert verdicts(lambda x: mg.sin(x * math.pi).detach() + 0.0 * x, 1e6) == ["FAIL"]


@given(st.floats(0.5, 3), st.floats(-3, 0))
@settings(max_examples=20)
def test_the_taylor_remainder_refutes_a_gradient_of_which_one_term_is_missing(x, size):
    remainder = taylor_slope(lambda x: mg.exp(x) + 10**size * (x * 3).detach(), [x])
    assert remainder.refutes
    assert not taylor_slope(lambda x: mg.exp(x) + 10**size * (x * 3), [x]).refutes


def test_remainders_that_the_allowed_error_explains_do_not_refute():
    def f(x):
        return mg.exp(x) + (1e-3 * x).detach()

    assert taylor_slope(f, [0.5], [1.0]).refutes
    assert not taylor_slope(f, [0.5], [1.0], allowed=2e-3).refutes
    assert math.isnan(taylor_slope(f, [0.5], [0.0]).slope)

"""gradcheck: correct functions pass at any scale; wrong ones are named by argument, numbers, op and line."""

import inspect
import math
import re

import pytest
from hypothesis import given, settings, strategies as st

import microgradlib as mg
from microgradlib import Value
from microgradlib.errors import GradcheckError, MicrogradError
from microgradlib.nn import MLP
from microgradlib.numeric.gradient_check import SAFETY, gradcheck
from microgradlib.numeric.taylor import taylor_slope
from microgradlib.ops import TABLE


def verdicts(report):
    return [check.verdict for check in report.checks]


@pytest.fixture
def wrong_op(temporary_op):
    """Define an op of x and y whose value is x·y² and whose derivatives are as given."""

    def define(by_x=lambda xp, z, x, y: y * y, by_y=lambda xp, z, x, y: 2 * x * y):
        return temporary_op("wrong", lambda xp, x, y: x * y * y, [by_x, by_y], formula="x y²")

    return define


def test_a_correct_function_passes():
    report = gradcheck(lambda w, x: mg.tanh(w * x), [0.5, 2.0])
    assert report.ok
    assert report.value == math.tanh(1)
    slope = 1 / math.cosh(1) ** 2
    for check, expected in zip(report.checks, [2 * slope, 0.5 * slope]):
        assert check.reverse == check.forward == pytest.approx(expected)
        assert abs(check.numeric.value - expected) <= check.numeric.error < 1e-10
        assert check.allowed == SAFETY * check.numeric.error
    text = str(report).splitlines()
    assert text[0] == f"gradcheck at w = 0.5, x = 2.0: f = {math.tanh(1)!r}; 2 of 2 derivatives agree"
    assert text[1].split() == ["argument", "reverse", "forward", "numeric", "±", "estimated", "error", "verdict"]
    assert re.fullmatch(r"  w +0\.839948683228 +0\.839948683228 +0\.8399486832\d* +\d\.\de-1\d +ok", text[2])
    assert text[4] == "Taylor remainder: falls as h^2.00 (as for a correct gradient)"


@pytest.mark.parametrize("op", list(TABLE.values()), ids=str)
@given(data=st.data())
@settings(max_examples=3, deadline=None)
def test_every_op_of_the_table_passes(op, data):
    if op.name in {"detach", "polygamma"}:
        return
    count = op.arity or 4
    xs = [data.draw(st.floats(*op.sample[min(i, len(op.sample) - 1)])) for i in range(count)]
    report = gradcheck(op, xs)
    assert set(verdicts(report)) <= {"ok", "kink"}
    if op.kink is None:
        assert set(verdicts(report)) == {"ok"} or op.name == "where"


@pytest.mark.parametrize(
    ("factor_x", "factor_y", "argument", "position"),
    [(1.001, 1, "a", 0), (-1, 1, "a", 0), (1, 0.5, "b", 1), (1, 1.001, "b", 1), (1, 0, "b", 1), (1, math.nan, "b", 1)],
)
def test_a_wrong_rule_is_rejected_and_traced_to_its_op_and_line(wrong_op, factor_x, factor_y, argument, position):
    op = wrong_op(lambda xp, z, x, y: factor_x * y * y, lambda xp, z, x, y: factor_y * 2 * x * y)

    def f(a, b):
        c = mg.tanh(a)
        d = op(c, b)
        return d * 2 + mg.exp(c)

    with pytest.raises(GradcheckError) as caught:
        gradcheck(f, [0.3, 0.7])
    report = caught.value.report
    [failure] = report.failures
    assert failure.argument == argument
    assert (failure.fault.op, failure.fault.input) == ("wrong", position)
    assert failure.fault.at == (math.tanh(0.3), 0.7)
    line = inspect.getsourcelines(f)[1] + 2
    assert failure.fault.line == f"{__file__}:{line}, in f"
    assert f"made at {__file__}:{line}, in f: its derivative by input {position + 1}" in str(caught.value)
    assert f"by {argument}: reverse gives {failure.reverse!r}, forward {failure.forward!r}" in str(caught.value)
    assert f"where {failure.allowed:.3g} is allowed; traced to wrong(" in str(caught.value)
    assert "FAIL" in str(report)
    assert not report.taylor.agrees


def test_gradcheck_error_is_an_assertion_error(wrong_op):
    op = wrong_op(by_y=lambda xp, z, x, y: x * y)
    with pytest.raises(AssertionError):
        gradcheck(op, [1.0, 2.0])
    with pytest.raises(MicrogradError, match="1 of 2 derivatives agree"):
        gradcheck(op, [1.0, 2.0])


def test_a_missing_dependency_is_rejected():
    for f in (lambda x: x * x.data, lambda x: x * x.detach(), lambda x: 2.0 * x.data):
        with pytest.raises(GradcheckError, match=r"every op agrees .* look for .data, float"):
            gradcheck(f, [3.0])


@pytest.mark.parametrize(
    ("f", "xs"),
    [
        (lambda x: mg.exp(100 * x), [1.0]),
        (lambda x: mg.exp(-100 * x), [5.0]),
        (lambda x: mg.sin(1e8 * x), [1.0]),
        (lambda x: x + 1e-9 * mg.sin(1e9 * x), [1.0]),
        (lambda x: mg.log(x) + 1 / x, [1e-8]),
        (lambda x, y: mg.log(x) * y**3, [1e8, 1e-8]),
        (lambda x, y: x * y, [1e8, 1e-8]),
        (lambda x, y: 1e8 * x / y, [1e-8, 1e8]),
        (mg.sqrt, [1e-300]),
        (lambda x: (x + 1e8) - 1e8, [0.3]),
        (lambda x: (1 - mg.cos(x)) / x**2, [1e-4]),
        (lambda x, y: x * x - y * y, [1.0, 1.0 + 1e-9]),
        (lambda x: mg.tanh(50 * x), [0.5]),
        (lambda x: x**3 - 3 * x, [1.0]),
        (lambda x: 0.0 * x + 1, [0.5]),
        (lambda x: mg.logsumexp([x, x, 0.0]), [0.0]),
        (lambda x, y: mg.softmax([x, y, 1.0])[1], [1.0, 1.0]),
        (mg.sigmoid, [0.0]),
    ],
)
def test_no_false_alarms_at_extreme_scales(f, xs):
    report = gradcheck(f, xs)
    assert set(verdicts(report)) == {"ok"}


@pytest.mark.parametrize("x", [1e-8, 1e-3, 1.0, 1e3, 1e8])
@pytest.mark.parametrize("y", [1e-8, 1.0, 1e8])
def test_a_relative_error_of_a_thousandth_is_detected_at_every_scale(wrong_op, x, y):
    op = wrong_op(by_x=lambda xp, z, x, y: 1.001 * y * y)
    with pytest.raises(GradcheckError) as caught:
        gradcheck(op, [x, y])
    assert [check.argument for check in caught.value.report.failures] == ["x"]


@pytest.mark.parametrize(
    ("f", "x", "name"),
    [
        (mg.relu, 0.0, "relu"),
        (mg.abs, 0.0, "abs"),
        (lambda x: mg.relu(x - 1) + x, 1 + 2.0**-52, "relu"),
        (lambda x: mg.maximum(x, 2.0) * x, 2.0, "max"),
        (lambda x: mg.clip(x, -1.0, 1.0), 1.0, "clip -1,1"),
        (lambda x: mg.where(x > 1, x, 2 * x), 1.0, "where"),
        (lambda x: x if x > 1 else x * 2, 1.0, "another path through the function"),
        (mg.floor, 3.0, "floor"),
        (mg.step, 0.0, "step"),
        (lambda x: mg.relu(mg.sin(x)), 0.0, "relu"),
    ],
)
def test_a_kink_is_named_and_not_a_failure(f, x, name):
    report = gradcheck(f, [x])
    assert report.ok
    assert verdicts(report) == ["kink"]
    assert report.checks[0].crossed == name
    assert f"kink: {name}" in str(report)


@pytest.mark.parametrize("x", [1e-9, 1e-3, 0.01, -0.01, 1e-12])
def test_a_nearby_kink_is_named_and_the_check_uses_one_side(x):
    report = gradcheck(lambda x: mg.relu(x) * x + x, [x])
    assert verdicts(report) == ["ok"]
    assert report.checks[0].reverse == pytest.approx(1 + 2 * max(x, 0))
    assert "ok (kink of relu beyond the step)" in str(report)


def test_a_wrong_rule_near_a_kink_is_detected(wrong_op):
    op = wrong_op(by_y=lambda xp, z, x, y: x * y)
    with pytest.raises(GradcheckError, match="traced to wrong"):
        gradcheck(lambda x: op(x + 1, mg.relu(x) + 1), [0.001])


def test_a_kink_of_one_argument_does_not_excuse_another(wrong_op):
    op = wrong_op(by_y=lambda xp, z, x, y: x * y)
    with pytest.raises(GradcheckError) as caught:
        gradcheck(lambda x, y: mg.relu(x) + op(2.0, y), [0.0, 1.0])
    assert [check.verdict for check in caught.value.report.checks] == ["kink", "FAIL"]


def test_the_edge_of_a_domain_is_not_a_failure():
    assert verdicts(gradcheck(mg.sqrt, [0.0])) == ["edge"]
    assert verdicts(gradcheck(mg.cbrt, [0.0])) == ["edge"]
    assert verdicts(gradcheck(lambda x: x**1.5, [0.0])) == ["ok"]  # by the quotients to the right


def test_functions_that_cannot_be_checked_raise():
    with pytest.raises(ValueError, match=r"f is finite, got f\(-1.0\) = nan"):
        gradcheck(mg.log, [-1.0])
    with pytest.raises(TypeError, match=r"one Value, got \[Value.*: check one output at a time"):
        gradcheck(lambda x: [x], [1.0])
    with pytest.raises(ValueError, match="order 1 or 2, got order=3"):
        gradcheck(mg.exp, [1.0], order=3)


def test_order_two_checks_each_entry_of_the_gradient():
    report = gradcheck(lambda x, y: mg.exp(x * y) + x**3, [0.5, 2.0], order=2)
    e = math.e
    expected = [4 * e + 3, 2 * e, 2 * e, 0.25 * e]
    assert [check.argument for check in report.second] == [f"∂f/∂{a} by {b}" for a in "xy" for b in "xy"]
    for check, slope in zip(report.second, expected):
        assert check.reverse == pytest.approx(slope)
        assert abs(check.numeric.value - slope) <= check.allowed
    assert "6 of 6 derivatives agree" in str(report)


def test_order_two_rejects_a_derivative_that_is_right_but_not_differentiable(temporary_op):
    op = temporary_op(
        "half_square",
        lambda xp, x: x * x / 2,
        [lambda xp, z, x: xp.detach(x)],
        formula="x²/2",
    )
    assert gradcheck(op, [3.0]).ok
    with pytest.raises(GradcheckError, match=r"by ∂f/∂x by x: reverse gives 0.0"):
        gradcheck(op, [3.0], order=2)


def test_networks_pass_in_every_parameter():
    parameters = [p.data for p in MLP(2, [4, 1], activation="tanh", rng=1).parameters()]

    def loss(*weights):
        return sum((network(weights, x) - y) ** 2 for x, y in (([0.3, -0.8], 1.0), ([1.5, 0.2], -1.0)))

    report = gradcheck(loss, parameters)
    assert set(verdicts(report)) == {"ok"}


def network(weights, x):
    weights = iter(weights)
    hidden = [mg.tanh(mg.dot([next(weights) for _ in x], x, next(weights))) for _ in range(4)]
    return mg.dot([next(weights) for _ in hidden], hidden, next(weights))


def test_taylor_slopes():
    assert taylor_slope(lambda x, y: mg.exp(x * y), [0.5, 2.0]).slope == pytest.approx(2, abs=0.02)
    assert taylor_slope(mg.sin, [0.0]).slope == pytest.approx(3, abs=0.05)
    assert taylor_slope(lambda x: x * x.data, [2.0]).slope == pytest.approx(1, abs=0.02)
    assert taylor_slope(lambda x: mg.exp(100 * x), [1.0]).slope == pytest.approx(2, abs=0.05)
    assert taylor_slope(lambda x, y: x * y, [1.0, 2.0], direction=[1.0, 0.0]).slope == math.inf
    assert math.isnan(taylor_slope(mg.relu, [0.0]).slope) or taylor_slope(mg.relu, [0.0]).slope == math.inf


def test_the_text_of_a_taylor_test():
    assert str(taylor_slope(lambda x: x * 3 + 1, [2.0])).endswith("rounding only (f is linear along the direction)")
    wrong = taylor_slope(lambda x: x * x.data, [2.0])
    assert str(wrong) == "Taylor remainder: falls as h^1.00 (a correct gradient gives 2, a wrong one 1)"
    assert not wrong.agrees
    with pytest.raises(ValueError, match="one number for each of the 2 arguments, got 1"):
        taylor_slope(lambda x, y: x, [1.0, 2.0], direction=[1.0])


def test_f_is_run_as_a_function_of_numbers():
    """As `grad` runs it: == compares numbers, and what would lose the derivative in silence is an error."""
    assert gradcheck(lambda x: x * x if x - x == 0 else x, [3.0]).checks[0].reverse == 6.0
    with pytest.raises(TypeError, match="derivative be lost"):
        gradcheck(lambda x: x * next(map(math.exp, [x])), [3.0])


class WithoutSignature:
    """A function that does not say what its arguments are."""

    __signature__ = "none"

    def __call__(self, x, y):
        return x * y


def test_arguments_without_names_are_numbered():
    report = gradcheck(WithoutSignature(), [1.0, 2.0])
    assert [check.argument for check in report.checks] == ["x0", "x1"]
    assert [check.reverse for check in report.checks] == [2.0, 1.0]


def test_reports_of_many_failures_say_how_many_are_left_out():
    n = 6
    with pytest.raises(GradcheckError) as refused:
        gradcheck(lambda *xs: mg.sum([Value(2.0 * x.data, (x,), "wrong", (3.0,)) for x in xs]), [1.0] * n)
    notes = refused.value.report.notes(most=2)
    assert notes[-1] == f"… {n - 2:,} more: show() shows all"
    assert len(notes) == 4
    assert len(refused.value.report.notes(most=None)) == n + 1

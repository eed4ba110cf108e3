"""FaultFinder: faults that differences of f show and those of its ops do not, and missing dependencies."""

import math

import pytest

import microgradlib as mg
from microgradlib.errors import GradcheckError
from microgradlib.numeric import faults
from microgradlib.numeric.gradient_check import gradcheck


def failures_of(f, xs):
    with pytest.raises(GradcheckError) as caught:
        gradcheck(f, xs)
    return caught.value.report.failures


@pytest.fixture
def length(temporary_op):
    """Define the Euclidean norm of two numbers, its derivative by the second one multiplied by a factor."""
    return lambda factor: temporary_op(
        "length",
        lambda xp, x, y: xp.hypot(x, y),
        [lambda xp, z, x, y: x / z, lambda xp, z, x, y: factor * y / z],
        formula="√(x² + y²)",
    )


@pytest.mark.parametrize("factor", [1 - 1e-11, 1 + 4e-12, 1 + 1e-10, 1 + 1e-6, 0.5])
@pytest.mark.parametrize("x", [0.3316969965170964, -2.0, 1e6])
def test_a_fault_that_differences_of_f_alone_show_is_traced_by_complex_steps(length, factor, x):
    """√(x² + x²) is linear in x, so its differences are exact; those of the op by one of its inputs are not."""
    op = length(factor)
    [failure] = failures_of(lambda x: op(x, x), [x])
    assert (failure.fault.op, failure.fault.input) == ("length", 1)
    assert failure.fault.recorded == pytest.approx(factor * math.copysign(math.sqrt(0.5), x), rel=1e-15)
    assert abs(failure.fault.numeric.value - math.copysign(math.sqrt(0.5), x)) <= failure.fault.numeric.error
    method = "differences of its value give" if failure.fault.numeric.step else "a complex step gives"
    assert method in failure.failure()
    if abs(factor - 1) < 5e-12:
        assert failure.fault.numeric.step == 0


def test_a_correct_op_raises_no_alarm_where_differences_of_f_are_exact(length):
    op = length(1.0)
    assert gradcheck(lambda x: op(x, x), [0.3316969965170964]).checks[0].verdict == "ok"


@pytest.mark.parametrize(
    ("f", "x", "slope"),
    [
        (lambda x: mg.mod(x.data, 1.6061761281741245) * 1.0, -3922280.7020762786, 1.0),
        (lambda x: mg.mod(x.detach(), 1.6061761281741245), -3922280.7020762786, 1.0),
        (lambda x: mg.elu(mg.tanh((x.detach() + 137881.5) - 137881.5)), -2.5e-12, 1.0),
        (lambda x: mg.cos(1e6 * ((x.detach() + 2e6) - 2e6)), 0.7309, -1e6 * math.sin(730900)),
    ],
)
def test_a_missing_dependency_is_found_or_the_error_admits_it(f, x, slope):
    try:
        [check] = gradcheck(f, [x]).checks
    except GradcheckError as error:
        [check] = error.report.checks
    assert abs(check.numeric.value - slope) <= 10 * check.numeric.error
    assert check.verdict == ("FAIL" if abs(slope) > 10 * check.numeric.error else "cannot tell")


def test_a_function_that_is_0_at_every_step_has_the_rounding_error_of_terms_of_size_1():
    """tanh(80) is 1 to all digits: 0 at every step does not show a derivative of 0 to 300 digits."""
    [check] = gradcheck(lambda x: mg.tanh(mg.tanh(x).data - 1.0), [80.0]).checks
    assert check.verdict == "ok"
    assert 1e-18 < check.numeric.error < 1e-13


def test_each_op_is_looked_at_once_for_all_arguments(monkeypatch):
    looked = []
    original = faults.compare
    monkeypatch.setattr(faults, "compare", lambda op, *rest: looked.append(op) or original(op, *rest))
    failures = failures_of(lambda *xs: mg.sum([x.data * x for x in xs]), [1.0 + i / 8 for i in range(8)])
    assert ["missing from the graph" in failure.reason for failure in failures] == [True] * 8
    assert len(looked) <= 8 + 2 * 8  # the inputs of the sum and of the products

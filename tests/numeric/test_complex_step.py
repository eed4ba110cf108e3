"""The complex step: full precision, and errors that name the reason."""

import math

import pytest
from hypothesis import given, settings, strategies as st

import microgradlib as mg
from microgradlib.errors import SymbolHasNoValueError
from microgradlib.numeric.complex_step import complex_step_derivative, op_derivative
from microgradlib.ops import TABLE

REAL_ONLY = {"erf", "erfc", "gamma", "lgamma", "polygamma", "digamma", "gelu", "ndtr"}


@pytest.mark.parametrize("op", [op for op in TABLE.values() if op.name not in REAL_ONLY], ids=str)
@given(data=st.data())
@settings(max_examples=25)
def test_complex_step_equals_the_derivative_rules(op, data):
    count = op.arity or 4
    xs = [data.draw(st.floats(*op.sample[min(i, len(op.sample) - 1)])) for i in range(count)]
    if op.kink is not None and op.kink(*xs):
        return
    inputs = [mg.Value(x) for x in xs]
    table = mg.grad_table(op(*inputs))
    for i, x in enumerate(inputs):
        found = complex_step_derivative(lambda z, i=i: op(*xs[:i], z, *xs[i + 1 :]), xs[i])
        assert found == pytest.approx(table[x], rel=1e-14, abs=1e-14)  # a small slope is a difference of terms near 1


def test_complex_step_has_no_cancellation():
    def f(x):
        return mg.exp(x) / mg.sqrt(mg.sin(x) ** 3 + mg.cos(x) ** 3)

    x = mg.Value(1.5)
    assert complex_step_derivative(f, 1.5) == pytest.approx(mg.grad_table(f(x))[x], rel=1e-15)
    assert complex_step_derivative(lambda x: (x + 1e8) - 1e8, 0.3) == 1.0
    assert complex_step_derivative(lambda x: 3.0, 0.3) == 0.0


@pytest.mark.parametrize(
    ("f", "x", "says"),
    [
        (mg.relu, 0.0, r"differentiate relu\(0.0\): it has a kink there \(relu′\(0\) = 0\); use numeric_derivative"),
        (lambda x: mg.maximum(x, 2.0), 2.0, r"cannot differentiate maximum\(2.0, 2.0\): it has a kink"),
        (lambda x: mg.where(x > 1, x, 0.0), 1.0, r"cannot differentiate greater\(1.0, 1.0\): it has a kink"),
        (mg.erf, 0.5, r"cannot differentiate erf\(0.5\): it has no complex form here \(erf\)"),
        (mg.log, -1.0, r"cannot differentiate log\(-1.0\): it is not finite and real there"),
        (mg.asin, 2.0, r"cannot differentiate asin\(2.0\): it is not finite and real there"),
        (lambda x: x**0.5, -2.0, r"cannot differentiate pow\(-2.0.*\): it is not finite and real"),
        (lambda x: 1 / (x - x), 2.0, r"cannot differentiate div\(1.0, 0.0\): it has no finite value there"),
    ],
)
def test_complex_step_errors_name_the_reason(f, x, says):
    with pytest.raises(ValueError, match=says):
        complex_step_derivative(f, x)


def test_complex_step_rejects_python_branches():
    with pytest.raises(SymbolHasNoValueError, match="truth value"):
        complex_step_derivative(lambda x: x if x > 0 else -x, 1.0)
    with pytest.raises(TypeError, match="expected a real number, got list"):
        complex_step_derivative(lambda x: [x], 1.0)


def test_complex_step_of_user_defined_ops(temporary_op):
    temporary_op(
        "swish_of_softplus",
        value=lambda xp, x: x * xp.softplus(x),
        derivatives=[lambda xp, z, x: xp.softplus(x) + x * xp.sigmoid(x)],
        formula="x ζ(x)",
    )
    op = TABLE["swish_of_softplus"]
    x = mg.Value(0.7)
    assert complex_step_derivative(op, 0.7) == pytest.approx(mg.grad_table(op(x))[x], rel=1e-15)


@pytest.mark.parametrize("exponent", [100.0, 101.0, 102.0, -101.0, 151.0, -150.0])
@pytest.mark.parametrize("x", [-1.1, -0.9, 1.1])
def test_large_whole_powers_of_negative_numbers(x, exponent):
    assert complex_step_derivative(lambda v: v**exponent, x) == pytest.approx(exponent * x ** (exponent - 1), rel=1e-12)


def test_the_sign_of_0_is_0_in_an_op_of_ones_own(temporary_op):
    op = temporary_op("signed_exp", lambda xp, x: xp.exp(x) * xp.sign(x), [lambda xp, z, x: z], formula="eˣ sign x")
    assert [op_derivative(op, [x], 0) for x in (-1.0, 0.0, 1.0)] == [-math.exp(-1), 0.0, math.exp(1)]


@pytest.mark.parametrize("x", [1e-20, 1e-31, 1e-40, -1e-40, 1e-200, 1e-290])
def test_arguments_smaller_than_the_step_at_1(x):
    assert complex_step_derivative(lambda x: mg.atan2(x, 1e-40), x) == pytest.approx(1e-40 / (1e-80 + x * x), rel=1e-13)
    assert complex_step_derivative(mg.sin, x) == 1.0
    if x > 0:
        assert complex_step_derivative(mg.sqrt, x) == pytest.approx(0.5 / math.sqrt(x), rel=1e-13)
        assert complex_step_derivative(lambda x: x**1.5, x) == pytest.approx(1.5 * math.sqrt(x), rel=1e-13)
        assert op_derivative(TABLE["sqrt"], [x], 0) == pytest.approx(0.5 / math.sqrt(x), rel=1e-13)

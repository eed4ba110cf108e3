"""The complex step: full precision, and errors that name the reason."""

import math

import pytest
from hypothesis import given, settings, strategies as st

import microgradlib as mg
from microgradlib.errors import SymbolHasNoValueError
from microgradlib.numeric.complex_step import _RULES, complex_step_derivative, op_derivative
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


@pytest.mark.parametrize("exponent", [*range(-5, 6), *(sign * n for n in (98, 99, 100, 101) for sign in (1, -1))])
@pytest.mark.parametrize("x", [-2.0, -1.0, -0.5, 0.5, 1.0, 2.0, 0.0])
def test_whole_powers_are_products_at_any_sign(x, exponent):
    """Exact where the powers of ½, 1 and 2 are: the logarithm of a negative number, or of 2, would round."""
    if x == 0 and exponent <= 0:  # a pole, and the convention that x⁰ has slope 0
        with pytest.raises(ValueError, match="pow"):
            complex_step_derivative(lambda v: v**exponent, x)
        return
    expected = exponent * x ** (exponent - 1) if exponent else 0.0
    exact = abs(exponent) <= (100 if x < 0 else 3)
    found = complex_step_derivative(lambda v: v**exponent, x)
    assert found == (expected if exact else pytest.approx(expected, rel=1e-13))


OUTSIDE = {
    "sqrt": [-1e-7, -1e-200, -5.0], "asin": [1 + 1e-9, -1 - 1e-9, 3.0], "acos": [1 + 1e-9], "acosh": [1 - 1e-9, -1.0],
    "atanh": [1.0, -1.0, 1 + 1e-9], "log": [0.0, -1e-9], "log1p": [-1.0, -1 - 1e-9], "reciprocal": [0.0],
}  # fmt: skip
VERTICAL = {"sqrt": [0.0], "asin": [1.0, -1.0], "acos": [1.0, -1.0], "acosh": [1.0], "cbrt": [0.0]}


@pytest.mark.parametrize(("points", "says"), [(OUTSIDE, "finite"), (VERTICAL, "slope is infinite there")])
def test_just_outside_a_domain_and_at_its_edge_there_is_no_slope(points, says):
    """Numbers of up to 10³³ were found there."""
    for name, xs in points.items():
        for x in xs:
            with pytest.raises(ValueError, match=says):
                complex_step_derivative(TABLE[name], x)
            assert op_derivative(TABLE[name], [x], 0) is None


@pytest.mark.parametrize("power", [0.02, 0.3, 0.5, 0.9, 0.98, 1.0, 1.02, 1.1, 1.5, 1.9, 2.0, 2.5])
@pytest.mark.parametrize("factor", [1e-30, -1.0, 1e30])
def test_a_power_at_0_has_the_slope_inf_1_or_0(power, factor):
    if power < 1:
        with pytest.raises(ValueError, match=r"f at 0\.0: its slope is infinite there"):
            complex_step_derivative(lambda x: factor * x**power, 0.0)
    else:
        assert complex_step_derivative(lambda x: factor * x**power, 0.0) == (factor if power == 1 else 0.0)


def test_large_slopes_are_found():
    """They were taken for a domain that was left."""
    assert complex_step_derivative(mg.exp, 100.0) == pytest.approx(math.exp(100), rel=1e-15)
    assert complex_step_derivative(mg.exp2, 1000.0) == pytest.approx(math.log(2) * 2.0**1000, rel=1e-12)
    assert complex_step_derivative(lambda x: 1e40 * x, 1.0) == 1e40
    assert complex_step_derivative(lambda x: x**3, 1e15) == pytest.approx(3e30, rel=1e-15)
    assert complex_step_derivative(lambda x: 1 / x, 1e-150) == pytest.approx(-1e300, rel=1e-15)


@pytest.mark.parametrize("exponent", [0.5, -0.5, 2.5, -3.25, 1e-3, 20.5])
@pytest.mark.parametrize("x", [0.25, 1.0, 4.0, 1e3])
def test_broken_powers_of_positive_numbers(x, exponent):
    found = complex_step_derivative(lambda v: v**exponent, x)
    assert found == pytest.approx(exponent * x ** (exponent - 1), rel=1e-13)
    by_exponent = complex_step_derivative(lambda v: x**v, exponent)
    assert by_exponent == pytest.approx(math.log(x) * x**exponent, rel=1e-13)


FUNCTIONS = {
    "exp2": (lambda x: math.log(2) * 2.0**x, [-3.5, 0.0, 2.25]),
    "log2": (lambda x: 1 / (x * math.log(2)), [0.25, 1.0, 700.0]),
    "log10": (lambda x: 1 / (x * math.log(10)), [0.25, 1.0, 700.0]),
    "log1p": (lambda x: 1 / (1 + x), [-0.75, 0.0, 1e-12, 700.0]),
    "expm1": (math.exp, [-40.0, -1e-12, 0.0, 3.0]),
    "cbrt": (lambda x: math.copysign(abs(x) ** (-2 / 3) / 3, 1.0), [-27.0, -1e-3, 1e-3, 8.0]),
    "sigmoid": (lambda x: math.exp(-abs(x)) / (1 + math.exp(-abs(x))) ** 2, [-800.0, -30.0, 0.0, 1.0, 30.0, 800.0]),
    "floor": (lambda x: 0.0, [-2.5, 2.5]),
    "ceil": (lambda x: 0.0, [-2.5, 2.5]),
    "sign": (lambda x: 0.0, [-2.5, 2.5]),
    "abs": (lambda x: math.copysign(1.0, x), [-2.5, 2.5]),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_over_complex_numbers_have_their_slopes(name):
    slope, points = FUNCTIONS[name]
    for x in points:
        assert op_derivative(TABLE[name], [x], 0) == pytest.approx(slope(x), rel=1e-13, abs=1e-300)


@pytest.mark.parametrize("y", [-3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0])
@pytest.mark.parametrize("x", [-2.0, -1.0, 1.0, 2.0, 0.25, -0.25])
def test_the_angle_of_a_point_in_every_octant(x, y):
    size = x * x + y * y
    assert op_derivative(TABLE["atan2"], [y, x], 0) == pytest.approx(x / size, rel=1e-15)
    assert op_derivative(TABLE["atan2"], [y, x], 1) == pytest.approx(-y / size, rel=1e-15, abs=1e-300)
    angle = _RULES["atan2"](complex(y, 2.0**-60), complex(x))
    assert angle.real == pytest.approx(math.atan2(y, x), rel=1e-15)


@pytest.mark.parametrize("y", [0.75, 2.0, -2.0])
@pytest.mark.parametrize("x", [-5.5, -1.25, 0.3, 1.9, 7.0])
def test_remainders_by_both_inputs(x, y):
    assert op_derivative(TABLE["mod"], [x, y], 0) == 1.0
    assert op_derivative(TABLE["mod"], [x, y], 1) == -math.floor(x / y)


def test_the_larger_input_has_the_slope_1():
    for name, expected in [("maximum", [0.0, 1.0, 0.0]), ("minimum", [1.0, 0.0, 0.0])]:
        assert [op_derivative(TABLE[name], [-3.0, 2.0, 0.5], i) for i in range(3)] == expected
    assert [op_derivative(TABLE["hypot"], [3.0, 4.0], i) for i in range(2)] == pytest.approx([0.6, 0.8], rel=1e-15)
    assert [op_derivative(TABLE["sum"], [3.0, 4.0, 5.0], i) for i in range(3)] == [1.0, 1.0, 1.0]
    assert op_derivative(TABLE["detach"], [3.0], 0) == 0.0

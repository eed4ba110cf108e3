"""The assertions pass correct derivatives and reject wrong ones with a message that names the place."""

import math

import pytest
from hypothesis import given, settings

import microgradlib as mg
from microgradlib.ops import TABLE
from microgradlib.testing import assert_derivative_rule, assert_gradients_close, inputs_for

DERIVATIVE = r"derivatives\[0\] is .*, the numeric derivative"


@pytest.fixture
def define(temporary_op):
    names = []

    def defined(value, *derivatives, **properties):
        names.append(f"tried_{len(names)}")
        return temporary_op(names[-1], value, list(derivatives), formula="on trial", **properties)

    return defined


def right(xp, z, x):
    return z * (1 - z) + 0.0 * x  # of the sigmoid


def sigmoid(xp, x):
    return 1 / (1 + xp.exp(-x))


def test_a_correct_rule_passes(define) -> None:
    assert_derivative_rule(define(sigmoid, right))
    assert_derivative_rule(define(lambda xp, x, y: x * y, lambda xp, z, x, y: y, lambda xp, z, x, y: x), 2.0, 3.0)


@pytest.mark.parametrize(
    ("rule", "complaint"),
    [
        (lambda xp, z, x: 1.001 * z * (1 - z), DERIVATIVE),
        (lambda xp, z, x: (1 + 1e-6) * z * (1 - z), DERIVATIVE),
        (lambda xp, z, x: -z * (1 - z), DERIVATIVE),
        (lambda xp, z, x: 0.0, DERIVATIVE),
        (lambda xp, z, x: math.nan, "not finite numbers"),
        (lambda xp, z, x: z * (1 - z) if isinstance(z, float) else math.nan, "but nan as a graph of Values"),
        (
            lambda xp, z, x: z * (1 - z) * (math.nan if isinstance(x, mg.Symbol) else 1.0),
            "but nan as a graph of Symbols",
        ),
        (lambda xp, z, x: z * (1 - z) if isinstance(z, float) else (1 - z) * z * 1.0000001, "as a graph of Values"),
        (lambda xp, z, x: z * (1 - xp.detach(z)), r"the derivative of derivatives\[0\] by input 0 is"),
    ],
)
def test_a_wrong_rule_fails(define, rule, complaint) -> None:
    op = define(sigmoid, rule)
    with pytest.raises(AssertionError, match=complaint) as caught:
        assert_derivative_rule(op)
    assert str(caught.value).startswith(f"{op.name}: ")
    assert "at inputs " in str(caught.value)


def test_a_wrong_rule_of_the_second_input_fails(define) -> None:
    op = define(lambda xp, x, y: x / y, lambda xp, z, x, y: 1 / y, lambda xp, z, x, y: z / y, sample=((0.5, 3.0),))
    with pytest.raises(AssertionError, match=r"derivatives\[1\] is .*, the numeric derivative"):
        assert_derivative_rule(op)


def test_a_non_finite_value_in_the_sample_region_fails(define) -> None:
    with pytest.raises(AssertionError, match="not finite numbers"):
        assert_derivative_rule(define(lambda xp, x: xp.log(x), lambda xp, z, x: 1 / x))


def test_an_undeclared_jump_fails(define) -> None:
    op = define(lambda xp, x: xp.floor(x), lambda xp, z, x: 0.0)
    with pytest.raises(AssertionError, match="a kink or a pole is near"):
        assert_derivative_rule(op, 2.0)


def test_declared_kinks_are_avoided(define) -> None:
    bent = define(lambda xp, x: xp.abs(x - 1), lambda xp, z, x: xp.sign(x - 1), kink=lambda x: x == 1)

    @settings(deadline=None)
    @given(inputs_for(bent))
    def check(inputs) -> None:
        assert abs(inputs[0] - 1) >= 0.1
        assert_derivative_rule(bent, *inputs)

    check()


@pytest.mark.parametrize("order", [1, 2])
def test_correct_gradients_pass(order) -> None:
    assert_gradients_close(lambda x, y: mg.exp(x) * mg.sin(y) / (x * x + 1), [0.3, 2.0], order=order)
    assert_gradients_close(lambda x, _: mg.relu(x), [1.5, 2.0], order=order)
    assert_gradients_close(lambda *_: 3.0, [1.5, 2.0], order=order)


@pytest.mark.parametrize("check", [assert_gradients_close, mg.gradcheck])
def test_the_result_of_a_function_in_its_place_is_refused(check) -> None:
    x = mg.Value(0.5)
    with pytest.raises(TypeError, match=r"a function of the numbers, .* not its result; got Value"):
        check(mg.tanh(x), [x])


def test_branching_functions_pass_without_symbols() -> None:
    def f(x):
        return x * x if x > 0 else -x

    with pytest.raises(mg.errors.SymbolHasNoValueError):
        assert_gradients_close(f, [2.0])
    assert_gradients_close(f, [2.0], symbolic=False)
    assert_gradients_close(f, [-2.0], symbolic=False, order=2)


def test_disagreement_shows_all_numbers() -> None:
    with pytest.raises(AssertionError) as caught:
        assert_gradients_close(lambda x, y: x * y + mg.tanh(x).detach(), [0.5, 2.0])
    title, heading, first, second = str(caught.value).splitlines()
    assert title.startswith("gradients of f disagree")
    assert heading.split() == ["argument", "at", "reverse", "forward", "symbolic", "numeric", "allowed", "error"]
    assert first.split()[:5] == ["x[0]", "0.5", "2.0", "2.0", "2.0"]
    assert first.endswith("<- numeric")
    assert "<-" not in second


def test_a_jump_fails_as_too_uncertain() -> None:
    with pytest.raises(AssertionError, match="choose xs away from kinks and poles"):
        assert_gradients_close(mg.floor, [2.0])


def test_second_order_detects_more_than_first_order(define) -> None:
    halved = define(lambda xp, x: x * x, lambda xp, z, x: x + xp.detach(x))
    assert_gradients_close(halved, [1.5])
    with pytest.raises(AssertionError, match=r"gradients of ∂\(f\)/∂x\[0\] disagree"):
        assert_gradients_close(halved, [1.5], order=2)


def test_detach_is_not_its_own_derivative() -> None:
    with pytest.raises(AssertionError, match=DERIVATIVE):
        assert_derivative_rule(TABLE["detach"])

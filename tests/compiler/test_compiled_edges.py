"""Edge cases, compiled: kinks, strong zeros, saturation, inf and nan are what the eager engine makes of them."""

import math
import warnings
from itertools import product

import numpy as np
import pytest
from eager_oracle import assert_matches_eager
from edge_cases import CASES as EDGE_CASES
from equality import same, same_bits

import microgradlib as mg
from microgradlib import Value
from microgradlib.compiler import compile as compiled
from microgradlib.core.autodiff import gradients

INF, NAN = math.inf, math.nan
each_trap = pytest.mark.parametrize("trap", EDGE_CASES, ids=[c.name for c in EDGE_CASES])
ROUNDED = {"logsumexp(1000, 1000)", "logsumexp(-1000, -1000)"}
"""Where the derivative is not exact: exp(x − z) with the rounding of a z near 1000, 1e-13."""


def roles_of(trap):
    """Return the ways in which the arguments are parameters and inputs: all, or one kind only for three and more."""
    ways = product("pi", repeat=len(trap.at))
    return [roles for roles in ways if len(roles) <= 2 or len(set(roles)) == 1]


def compiled_case(trap, roles):
    parameters = [Value(x) for x, role in zip(trap.at, roles) if role == "p"]

    def function(row):
        take = {"p": iter(parameters), "i": iter(row)}
        return trap.f(*[next(take[role]) for role in roles])

    row = [x for x, role in zip(trap.at, roles) if role == "i"]
    slopes = [slope for slope, role in zip(trap.slopes, roles) if role == "p"]
    return compiled(function, parameters), row, slopes


@each_trap
def test_the_rows_of_the_eager_engine(trap) -> None:
    for roles in roles_of(trap):
        compare_with_eager_engine(trap, roles)


def compare_with_eager_engine(trap, roles):
    fast, row, slopes = compiled_case(trap, roles)
    [value] = fast([row]).tolist()
    mean, gradient = fast.value_and_grad([row])
    assert same_bits(value, trap.value)
    assert same(mean, trap.value)
    if trap.name in ROUNDED:
        assert gradient.tolist() == pytest.approx(slopes, rel=1e-12)
    else:
        assert all(map(same, gradient.tolist(), slopes)), gradient


@each_trap
def test_beside_ordinary_examples(trap) -> None:
    """The odd example stands in the middle of a batch, whose others have the values they have alone."""
    for roles in roles_of(trap):
        if "i" in roles:
            compare_beside_ordinary_examples(trap, roles)


def compare_beside_ordinary_examples(trap, roles):
    fast, row, _ = compiled_case(trap, roles)
    usual = [0.75] * len(row)
    [alone] = fast([usual]).tolist()
    first, odd, *rest = fast([usual, row, *[usual] * 7]).tolist()
    assert same(odd, trap.value)
    assert [first, *rest] == pytest.approx([alone] * 8, rel=1e-15, nan_ok=True)


@each_trap
def test_derivatives_as_outputs(trap) -> None:
    """The gradient written as an expression by `gradients`, then compiled."""

    def slopes(xs):
        return gradients(trap.f(*xs), xs)

    assert all(map(same, compiled(slopes)([list(trap.at)])[0].tolist(), trap.slopes))


@pytest.mark.parametrize(
    ("f", "at", "expected"),
    [
        (lambda x: x**2, 0.0, [0, 0, 2, 0, 0]),
        (lambda x: x**3, 0.0, [0, 0, 0, 6, 0]),
        (lambda x: x**0, 0.0, [1, 0, 0]),
        (lambda x: mg.where(x > 0, mg.log(x), 0), -1.0, [0, 0, 0, 0]),
        (lambda x: mg.where(x > 0, mg.log(x), 0), 0.5, [math.log(0.5), 2, -4, 16]),
        (lambda x: mg.where(x > 0, mg.sqrt(x), 0), 0.0, [0, 0, 0]),
        (mg.relu, 0.0, [0, 0, 0]),
        (abs, -2.0, [2, -1, 0]),
        (lambda x: mg.maximum(x, 2 * x), 1.0, [2, 2, 0]),
        (mg.sin, 0.0, [0, 1, 0, -1, 0]),
    ],
)
def test_higher_derivatives(f, at, expected) -> None:
    def chain(x):
        results = [f(x)]
        for _ in expected[1:]:
            results += gradients(results[-1], [x])
        return results

    assert compiled(chain)([at, at])[1].tolist() == expected


ODD = [INF, -INF, NAN, 0.0, -1.0, 1e200, -1e200]


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("place", [0, 3, 6])
@pytest.mark.parametrize(
    "f",
    [
        lambda w, x: mg.where(x > 0, mg.log(x) * w, w),
        lambda w, x: mg.where(x < 1e100, w * x, 0) ** 2,
        lambda w, x: mg.tanh(w * x),
        lambda w, x: mg.softplus(w * x) - mg.relu(x),
        lambda w, x: mg.softmax([w, x, 0.0])[0],
        lambda w, x: mg.logsumexp([w * x, x, -x]),
        lambda w, x: 1 / (1 + mg.exp(w * x)),
        lambda w, x: mg.maximum(w, x) * mg.minimum(w, x, 0.0),
        lambda w, x: mg.clip(w * x, -1, 1) + mg.dot([w, w], [x, 1.0], w),
    ],
)
def test_one_odd_example_in_a_batch(f, odd, place) -> None:
    column = [0.5, 1.5, -0.25, 2.0, -3.0, 1.0, 0.125]
    column[place] = odd
    w = Value(0.75)
    assert_matches_eager(lambda x: f(w, x), [w], column)


def test_a_node_may_be_infinite_though_the_loss_is_not() -> None:
    w, v = Value(2.0), Value(3.0)
    assert_matches_eager(lambda x: 1 / mg.exp(w * x) + v, [w, v], [1.0, 1000.0])
    assert_matches_eager(lambda x: mg.where(x > 0, mg.sqrt(w * x), v * x), [w, v], [1.0, 0.0, -1.0])
    assert_matches_eager(lambda x: mg.sqrt(w * x) * 0.0 + v, [w, v], [1.0, 0.0])
    assert_matches_eager(lambda x: mg.minimum(mg.exp(w * x), v), [w, v], [0.1, 1000.0])


def test_a_gradient_whose_square_overflows() -> None:
    w, v = Value(1.0), Value(1.0)
    fast = compiled(lambda x: 1e200 * w * x + v, [w, v])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mean, gradient = fast.value_and_grad([1.0, 2.0])
    assert mean == pytest.approx(1.5e200)
    assert gradient.tolist() == pytest.approx([1.5e200, 1.0])


def test_a_gradient_that_overflows_is_infinite() -> None:
    w = Value(1.0)
    assert compiled(lambda x: (1e200 * w) * (1e200 * x), [w]).value_and_grad([1.0])[1].tolist() == [INF]


def test_ties_in_a_maximum_share_whatever_the_batch() -> None:
    w = [Value(2.0), Value(2.0), Value(1.0)]
    assert_matches_eager(lambda x: mg.maximum(*w, x), w, [2.0, 1.0, 3.0, 2.0])


@pytest.mark.parametrize("net", [2.0, 15.0, 20.0, -30.0, 350.0])
def test_saturated_units_keep_their_digits(net) -> None:
    w = Value(net)
    for f in (mg.tanh, mg.sigmoid, mg.softplus):
        assert_matches_eager(lambda x, f=f: f(w * x), [w], [1.0, -1.0])
        expected = gradients(f(w), [w])[0].data
        assert compiled(lambda x, f=f: f(w) + 0 * x, [w]).value_and_grad([1.0])[1].tolist() == pytest.approx(
            [expected], rel=1e-12, abs=0
        )


def test_the_logarithm_of_a_tiny_probability() -> None:
    w = Value(1.0)
    assert_matches_eager(lambda x: mg.log(mg.sigmoid(w * x)), [w], [-700.0, -720.0, -740.0])


@pytest.mark.parametrize("size", [1.0, 1e3, 1e6, 1e9])
def test_large_logits_keep_their_digits(size) -> None:
    w = [Value(0.0), Value(1.0)]
    fast = compiled(lambda x: mg.logsumexp([x + w[0], x + w[1]]), w)
    share = 1 / (1 + math.exp(1))
    assert fast.value_and_grad([size])[1].tolist() == pytest.approx([share, 1 - share], rel=1e-12)


def test_infinite_inputs_give_no_warnings() -> None:
    w = Value(1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fast = compiled(lambda x: mg.log(w * x) - x / x, [w])
        assert np.isnan(fast([INF, NAN, 0.0, -1.0])).all()
        fast.value_and_grad([INF, NAN, 0.0, -1.0])


def test_a_strong_zero_that_a_comparison_hides() -> None:
    """0 · inf is 0 for a weight of 0; taken for nan it would be less than nothing, and no nan be left to be seen."""
    times, less = mg.ops.TABLE["strong_mul"], mg.ops.TABLE["less"]
    w = Value(0.0)
    assert_matches_eager(lambda x: less(times(w, x), 0.5) * x**0 + w, [w], [1.0, INF, NAN])
    assert_matches_eager(lambda x: mg.where(less(times(w, x), 0.5), 2 * w, 3 * w), [w], [1.0, INF, NAN])


@pytest.mark.parametrize("power", [0.5, -0.5, 1.5, -1.5, 1 / 3])
def test_powers_at_infinities_and_signed_zeros_have_the_bits_of_the_eager_engine(power) -> None:
    column = [-INF, -0.0, 0.0, INF, -4.0, 4.0, NAN]
    expected = [(mg.Value(x) ** power).data for x in column]
    got = compiled(lambda x: x**power)(column).tolist()
    assert list(map(str, got)) == list(map(str, expected))

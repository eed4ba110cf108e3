"""sgn, heaviside, trunc, round: values at and around the jumps, slopes 0, engines, infinities behind them."""

import math

import numpy as np
import pytest
from eager_oracle import assert_jacobian_matches_eager
from equality import same
from hypothesis import given, strategies as st

import microgradlib as mg
from microgradlib import Symbol, Value, evaluate, grad_table, gradients, kinks
from microgradlib.ops import TABLE

INF, NAN = math.inf, math.nan
anywhere = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-9, 9).map(lambda k: k / 2)


@given(anywhere)
def test_values_are_those_of_python_and_numpy(x):
    assert mg.round(x) == float(round(x)) == np.round(x)
    assert mg.trunc(x) == float(math.trunc(x)) == np.trunc(x)
    assert mg.sgn(x) == (1.0 if x >= 0 else -1.0)
    assert mg.heaviside(x, 0.25) == np.heaviside(x, 0.25)
    assert mg.heaviside(x) == np.heaviside(x, 0.5)
    for name, function in [("floor", np.floor), ("ceil", np.ceil), ("trunc", np.trunc), ("round", np.round)]:
        assert math.copysign(1.0, TABLE[name](x)) == math.copysign(1.0, function(x))  # −0.0 too


@given(anywhere, st.sampled_from(["sgn", "heaviside", "trunc", "round"]))
def test_slopes_are_0_to_second_order(x, name):
    op, v, s = TABLE[name], Value(x), Symbol("s")
    assert grad_table(op(v))[v] == 0.0
    [slope] = gradients(op(s) * s, [s])
    assert evaluate(slope, {s: x}) == op(x)
    [second] = gradients(slope, [s])
    assert evaluate(second, {s: x}) == 0.0


@pytest.mark.parametrize(
    ("name", "at", "value", "kink"),
    [
        ("sgn", 0.0, 1, True),
        ("sgn", -0.0, 1, True),
        ("sgn", -5e-324, -1, False),
        ("sgn", -INF, -1, False),
        ("heaviside", 0.0, 0.5, True),
        ("heaviside", INF, 1, False),
        ("trunc", -1.5, -1, False),
        ("trunc", 2.0, 2, True),
        ("trunc", 0.0, 0, False),
        ("trunc", -INF, -INF, False),
        ("round", 2.5, 2, True),
        ("round", -3.5, -4, True),
        ("round", 0.49999999999999994, 0, False),
        ("round", 2.0**53 + 2, 2.0**53 + 2, False),
        ("round", INF, INF, False),
        *[(name, NAN, NAN, False) for name in ("sgn", "heaviside", "trunc", "round")],
    ],
)
def test_jumps_and_ends(name, at, value, kink):
    out, s = TABLE[name](Value(at)), Symbol("s")
    assert same(out.data, value)
    assert same(evaluate(TABLE[name](s), {s: at}), value)
    assert bool(kinks(out)) == kink


def test_the_value_at_0_of_heaviside_is_a_parent_or_a_setting():
    h = Value(0.25)
    for x, slope in ((0.0, 1.0), (-0.0, 1.0), (2.0, 0.0), (-INF, 0.0)):
        assert grad_table(mg.heaviside(Value(x), h))[h] == slope
    assert mg.heaviside(Value(0.0), 1).data == 1.0
    assert mg.heaviside(Value(0.0), 1).op.settings == (1.0,)


@pytest.mark.parametrize("name", ["sgn", "heaviside", "trunc", "round"])
def test_compiled(name):
    rows = [[x] for x in (-2.5, -1.0, -0.5, -0.0, 0.0, 0.5, 1.5, 2.5, 1e300, INF, -INF, NAN)]
    with np.errstate(all="ignore"):
        assert_jacobian_matches_eager(lambda row: TABLE[name](row[0]) + row[0], [], rows)


def test_sgn_differs_from_sign_and_from_torch_at_0():
    assert (mg.sgn(0.0), mg.sign(0.0), mg.step(0.0)) == (1.0, 0.0, 1.0)


@given(st.sampled_from(["sgn", "heaviside", "trunc", "round"]), st.sampled_from([0.0, -1.0, -INF, NAN]))
def test_a_derivative_that_is_0_everywhere_stops_infinities_and_nan(name, x):
    op = TABLE[name]

    def f(v):
        return op(mg.log(v)) + op(mg.sqrt(v)) * op(1 / v)

    assert mg.grad(f)(x) == 0.0
    assert mg.jvp(f, (x,), (1.0,))[1] == 0.0
    s = Symbol("s")
    [slope] = gradients(f(s), [s])
    assert evaluate(slope, {s: x}) == 0.0

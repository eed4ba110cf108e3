"""SiLU, GELU, Mish, SELU, softsign, log-sigmoid, the normal distribution function: identities, tails, ends, engines."""

import math

import mpmath
import numpy as np
import pytest
from eager_oracle import assert_jacobian_matches_eager
from equality import same
from hypothesis import given, strategies as st

import microgradlib as mg
from microgradlib import Symbol, Value, evaluate, grad_table, gradients
from microgradlib.ops import TABLE

INF, NAN = math.inf, math.nan
NAMES = ["log_sigmoid", "softsign", "selu", "silu", "mish", "ndtr", "gelu", "gelu_tanh"]
anywhere = st.floats(allow_nan=False) | st.floats(-50, 50)


def to_second_order(f, at):
    """Return f and its first two derivatives at a number, through Values and through Symbols."""
    for x, number in ((Value(at), lambda y: y.data), (symbol := Symbol("x"), lambda y: evaluate(y, {symbol: at}))):
        chain = [f(x)]
        for _ in range(2):
            chain += gradients(chain[-1], [x])
        yield [number(y) for y in chain]


@pytest.mark.parametrize(
    ("name", "at", "expected"),
    [
        ("log_sigmoid", INF, [0, 0, 0]),
        ("log_sigmoid", -INF, [-INF, 1, 0]),
        ("log_sigmoid", -800.0, [-800, 1, 0]),
        ("softsign", INF, [1, 0, 0]),
        ("softsign", -INF, [-1, 0, 0]),
        ("softsign", 0.0, [0, 1, 0]),
        ("softsign", 1e308, [1, 0, 0]),
        ("selu", 0.0, [0, 1.7580993408473766, 1.7580993408473766]),
        ("selu", INF, [INF, 1.0507009873554805, 0]),
        ("selu", -INF, [-1.7580993408473766, 0, 0]),
        ("silu", INF, [INF, 1, 0]),
        ("silu", -INF, [0, 0, 0]),
        ("silu", 0.0, [0, 0.5, 0.5]),
        ("mish", INF, [INF, 1, 0]),
        ("mish", -INF, [0, 0, 0]),
        ("mish", 1e300, [1e300, 1, 0]),
        ("ndtr", INF, [1, 0, 0]),
        ("ndtr", -INF, [0, 0, 0]),
        ("ndtr", 1e200, [1, 0, 0]),
        ("gelu", INF, [INF, 1, 0]),
        ("gelu", -INF, [0, 0, 0]),
        ("gelu", -1e200, [0, 0, 0]),
        ("gelu_tanh", INF, [INF, 1, 0]),
        ("gelu_tanh", -INF, [0, 0, 0]),
        ("gelu_tanh", -1e200, [0, 0, 0]),
        *[(name, NAN, [NAN, NAN, NAN]) for name in NAMES],
    ],
)
def test_the_ends_of_the_range(name, at, expected):
    for chain in to_second_order(TABLE[name], at):
        assert all(map(same, chain, expected)), chain


def phi(x):
    return mpmath.exp(-x * x / 2) / mpmath.sqrt(2 * mpmath.pi)


def normal(x):
    return mpmath.erfc(-x / mpmath.sqrt(2)) / 2


def logistic(x):
    return 1 / (1 + mpmath.exp(-x))


TAILS = {
    "log_sigmoid": lambda x: [-mpmath.log1p(mpmath.exp(-x)), logistic(-x), -logistic(x) * logistic(-x)],
    "silu": lambda x: [
        x * logistic(x),
        logistic(x) * (1 + x * logistic(-x)),
        logistic(x) * logistic(-x) * (2 + x * (logistic(-x) - logistic(x))),
    ],
    "ndtr": lambda x: [normal(x), phi(x), -x * phi(x)],
    "gelu": lambda x: [x * normal(x), normal(x) + x * phi(x), (2 - x * x) * phi(x)],
}


@pytest.mark.parametrize("name", TAILS)
@pytest.mark.parametrize("x", [-744.0, -720.0, -37.5, -30.0, -8.0, -1e-9, 1e-300, 0.7, 8.0, 30.0, 37.5, 700.0])
def test_tails_keep_their_digits(name, x):
    if name in {"ndtr", "gelu"} and abs(x) > 40:
        return
    with mpmath.workdps(60):
        exact = [float(y) for y in TAILS[name](mpmath.mpf(x))]
    relative = 2e-15 * (1 + (x * x if name in {"ndtr", "gelu"} else 0.0))  # the condition number
    for chain in to_second_order(TABLE[name], x):
        assert chain == pytest.approx(exact, rel=relative, abs=2e-323)


@given(anywhere)
def test_identities(x):
    assert mg.log_sigmoid(x) == -mg.softplus(-x)
    for op in (mg.silu, mg.gelu, mg.gelu_tanh):  # x · gate(x) with gate(x) + gate(−x) = 1
        if math.isfinite(x):
            assert op(x) - op(-x) == pytest.approx(x, rel=1e-15, abs=1e-300)
    assert mg.ndtr(x) + mg.ndtr(-x) == pytest.approx(1.0, rel=1e-15)
    assert mg.softsign(-x) == -mg.softsign(x)
    assert mg.selu(x) == pytest.approx(1.0507009873554805 * mg.elu(x, 1.6732632423543772), rel=1e-15, abs=5e-324)
    v = Value(x)
    for op in (mg.silu, mg.mish, mg.gelu, mg.gelu_tanh):
        assert op(x) > -0.3089 or x > 0
        assert -0.14 < grad_table(op(v))[v] < 1.14


@pytest.mark.parametrize("name", NAMES)
def test_compiled_at_the_ends_too(name):
    rows = [[x] for x in (INF, -INF, NAN, 0.0, -0.0, -745.0, -708.0, -45.0, -20.0, -1.0, 0.5, 3.0, 45.0, 745.0, 1e300)]
    with np.errstate(all="ignore"):
        assert_jacobian_matches_eager(lambda row: TABLE[name](row[0]), [], rows)

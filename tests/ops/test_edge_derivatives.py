"""Higher derivatives at kinks, at strong zeros, at saturation."""

import math

import mpmath
import pytest

import microgradlib as mg
from microgradlib import Symbol, Value, evaluate, grad_table, gradients
from microgradlib.ops import TABLE


def derivatives_of(f, at, orders):
    """f and its derivatives at a number, through Values and through Symbols."""
    chains = []
    for x, number in ((Value(at), lambda y: y.data), (symbol := Symbol("x"), lambda y: evaluate(y, {symbol: at}))):
        chain = [f(x)]
        for _ in range(orders):
            chain += gradients(chain[-1], [x])
        chains.append([number(y) for y in chain])
    return chains


@pytest.mark.parametrize(
    ("f", "at", "expected"),
    [
        (lambda x: x**2, 0.0, [0, 0, 2, 0, 0]),
        (lambda x: x**2.0, 0.0, [0, 0, 2, 0]),
        (lambda x: x**3, 0.0, [0, 0, 0, 6, 0]),
        (lambda x: x**0, 0.0, [1, 0, 0]),
        (lambda x: mg.where(x > 0, mg.log(x), 0), -1.0, [0, 0, 0, 0]),
        (lambda x: mg.where(x > 0, mg.log(x), 0), 0.5, [math.log(0.5), 2, -4, 16]),
        (lambda x: mg.where(x > 0, mg.sqrt(x), 0), 0.0, [0, 0, 0]),
        (mg.relu, 0.0, [0, 0, 0]),
        (mg.relu, 2.0, [2, 1, 0]),
        (abs, 0.0, [0, 0, 0]),
        (abs, -2.0, [2, -1, 0]),
        (lambda x: mg.maximum(x, 2 * x), 1.0, [2, 2, 0]),
        (lambda x: x * x * x, 3.0, [27, 27, 18, 6, 0]),
        (mg.exp, 0.0, [1, 1, 1, 1, 1]),
        (mg.sin, 0.0, [0, 1, 0, -1, 0]),
    ],
)
def test_higher_derivatives(f, at, expected):
    for chain in derivatives_of(f, at, len(expected) - 1):
        assert chain == expected


@pytest.mark.parametrize("x", [0.5, 3.0, 10.0, 19.0, 20.0, -20.0, 100.0, 350.0])
def test_tanh_derivatives_have_no_cancellation_at_saturation(x):
    v = Value(x)
    with mpmath.workdps(400):
        exact = float(mpmath.sech(x) ** 2)
    assert grad_table(v.tanh())[v] == pytest.approx(exact, rel=1e-14, abs=0)


def test_tanh_at_20_is_not_flat():
    x = Value(20.0)
    assert x.tanh().data == 1.0
    assert f"{grad_table(x.tanh())[x]:.2e}" == "1.70e-17"


INF, NAN = math.inf, math.nan


@pytest.mark.parametrize(
    ("name", "inputs", "output", "derivatives"),
    [
        ("unit", (0.0, 0.0), 0.0, (0.0, 0.0)),
        ("hypot", (0.0, 0.0), 0.0, (0.0, 0.0)),
        ("atan2", (0.0, 0.0), 0.0, (0.0, 0.0)),
        ("copysign", (0.0, 0.0), 0.0, (0.0, 0.0)),
        ("logsumexp", (0.0, INF), INF, (0.0, 1.0)),
        ("logsumexp", (INF, INF), INF, (0.5, 0.5)),
        ("logsumexp", (-INF, -INF), -INF, (0.0, 0.0)),
        ("logsumexp", (INF, NAN), NAN, (NAN, NAN)),
        ("neg_log_softmax", (0.0, INF), INF, (-1.0, 1.0)),
        ("neg_log_softmax", (0.0, INF, INF), INF, (-1.0, 0.5, 0.5)),
        ("neg_log_softmax", (-INF, 0.0), INF, (-1.0, 1.0)),
        ("neg_log_softmax", (0.0, -INF), 0.0, (0.0, 0.0)),
        ("neg_log_softmax", (-INF, -INF), NAN, (NAN, NAN)),
        ("prod", (3.0,), 3.0, (1.0,)),
        ("prod", (0.0, 3.0, 0.0), 0.0, (0.0, 0.0, 0.0)),
        ("norm", (0.0, 0.0), 0.0, (0.0, 0.0)),
        ("std", (2.0, 2.0, 2.0), 0.0, (0.0, 0.0, 0.0)),
        ("std", (2.0,), 0.0, (0.0,)),
        ("mean", (2.0,), 2.0, (1.0,)),
        ("trunc", (0.5,), 0.0, (0.0,)),
        ("trunc", (-0.5,), -0.0, (0.0,)),
    ],
)
def test_derivatives_at_edges_as_numbers_and_as_a_graph(name, inputs, output, derivatives):
    op = TABLE[name]
    values, symbols = [Value(x) for x in inputs], [Symbol("x") for _ in inputs]
    node = op(*values)
    graph = evaluate(gradients(op(*symbols), symbols), dict(zip(symbols, inputs)))
    for found in ((node.data, *node.local_derivatives), (output, *graph)):
        assert found == pytest.approx((output, *derivatives), rel=0, abs=0, nan_ok=True)

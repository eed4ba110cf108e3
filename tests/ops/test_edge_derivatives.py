"""Higher derivatives at kinks, at strong zeros, at saturation."""

import math

import mpmath
import pytest

import microgradlib as mg
from microgradlib import Symbol, Value, evaluate, grad_table, gradients


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

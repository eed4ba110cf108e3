"""Derivatives of Symbols under conditions: closed branches stop everything, undefined ones are nan; no extra nodes."""

import math
from collections import Counter

import pytest

import microgradlib as mg
from microgradlib import Symbol, Value, evaluate, grad_table, gradients, topological_sort
from microgradlib.ops import TABLE, ZERO


@pytest.fixture
def ops(temporary_op):
    """Define x, whose derivative is undefined below −2; x where it is positive, else −5; slopes 2, 1 and none."""
    within = temporary_op(
        "within", lambda xp, x: x + 0.0, [lambda xp, z, x: xp.where(x >= -2, 1.0, xp.undefined(x))], formula="x"
    )
    positive = temporary_op(
        "positive", lambda xp, x: xp.where(x > 0, x, -5.0), [lambda xp, z, x: xp.where(x > 0, 1.0, ZERO)], formula="x"
    )
    bent = temporary_op(
        "bent",
        lambda xp, x: xp.where(x > 1, 2 * x, xp.where(x > 0, x + 1, 0.0)),
        [lambda xp, z, x: xp.where(x > 1, 2.0, xp.where(x > 0, 1.0, ZERO))],
        formula="2 x, x + 1 or 0",
    )
    return within, positive, bent


FUNCTIONS = {
    "a domain outside a closed branch": lambda within, positive, bent, x: within(positive(x)),
    "a closed branch outside a domain": lambda within, positive, bent, x: positive(within(x)),
    "a choice of a branch and a number, times inf": lambda within, positive, bent, x: 1 / bent(x),
    "a domain as a factor": lambda within, positive, bent, x: mg.exp(within(x)),
    "a sum of domains": lambda within, positive, bent, x: mg.exp(within(x)) + mg.exp(within(2 * x)),
    "a choice of domains": lambda within, positive, bent, x: mg.where(x > 0, within(x), mg.exp(within(x))),
    "five conditions": lambda within, positive, bent, x: bent(bent(bent(within(positive(x))))),
    "domains and branches in a sum": lambda within, positive, bent, x: within(positive(x)) * 3 + 1 / bent(x) + x,
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("at", [-3.0, -1.5, -1.0, 0.0, 0.5, 1.0, 2.0])
def test_derivatives_of_symbols_are_those_of_numbers(ops, name, at):
    def f(x):
        return FUNCTIONS[name](*ops, x)

    x, symbol = Value(at), Symbol("x")
    [slope] = gradients(f(symbol), [symbol])
    try:
        expected = grad_table(f(x)).get(x, 0.0)
    except ZeroDivisionError:  # of 1/0: the value itself is undefined
        expected = 0.0
    found = evaluate(slope, {symbol: at})
    assert found == pytest.approx(expected, rel=1e-14, abs=0) or (math.isnan(found) and math.isnan(expected))


@pytest.mark.parametrize(
    ("f", "choices", "products"),
    [
        (lambda within, positive, bent, x: within(x), 1, 1),
        (lambda within, positive, bent, x: mg.exp(within(x)), 1, 2),
        (lambda within, positive, bent, x: within(x) + within(3.0 + x), 2, 2),
        (lambda within, positive, bent, x: sum(map(within, [u := mg.sin(x), 3.0 + u])), 2, 3),
        (lambda within, positive, bent, x: positive(x) + mg.exp(within(x)), 2, 2),
        (lambda within, positive, bent, x: within(positive(x)), 2, 1),
    ],
)
def test_a_number_inside_a_domain_is_one_choice_and_no_factor(ops, f, choices, products):
    """Each domain has one product, nan · x."""
    symbol = Symbol("x")
    [slope] = gradients(f(*ops, symbol), [symbol])
    counts = Counter(node.op.name for node in topological_sort(slope) if node.op)
    assert (counts["where"], counts["mul"]) == (choices, products)


def test_powers_of_0_and_1_are_no_nodes_of_derivatives():
    x = Symbol("x")
    for f, order, slope in [(lambda x: x**1.0, 1, 1.0), (lambda x: x**2, 2, 2.0), (lambda x: x**2.0, 2, 2.0)]:
        y = f(x)
        for _ in range(order):
            [y] = gradients(y, [x])
        assert (y.data, y.parents) == (slope, ())


def test_a_logarithm_to_the_first_power_is_written_without_it():
    x, y = Symbol("x"), Symbol("y")
    [slope] = gradients(x**y, [y])
    assert mg.to_text(slope) == "x**y*log(x)"


def test_a_power_that_overflows_at_0_stays_infinite_whatever_its_logarithm():
    pow_log = TABLE["pow_log"]
    for y, m, expected in [(-0.5, 1.0, -math.inf), (-0.5, 2.0, math.inf), (-2.0, 1.0, -math.inf)]:
        assert mg.compile(lambda x, y=y, m=m: pow_log(x, y, m))([0.0]).tolist() == [expected]

"""Derivatives of Symbols under conditions: closed branches stop everything, undefined ones are nan; no extra nodes."""

import math
from collections import Counter

import pytest

import microgradlib as mg
from microgradlib import Symbol, Value, evaluate, grad_table, gradients, topological_sort
from microgradlib.ops import TABLE, ZERO
from microgradlib.ops.guards import Undefined, choose


@pytest.fixture
def ops(temporary_op):
    """Define x, whose derivative is undefined below −2; x where positive, else −5; slopes 2, 1 and none; a strip."""
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
    strip = temporary_op(
        "strip",
        lambda xp, x: xp.where(x > 0, 2 * x, 0.0),
        [
            lambda xp, z, x: xp.where(
                x >= -2, xp.where(x > 0, xp.where(x < 1.5, 2.0, xp.undefined(x)), ZERO), xp.undefined(x)
            )
        ],
        formula="2 x or 0",
    )
    return within, positive, bent, strip


FUNCTIONS = {
    "a domain outside a closed branch": lambda within, positive, bent, strip, x: within(positive(x)),
    "a closed branch outside a domain": lambda within, positive, bent, strip, x: positive(within(x)),
    "a choice of a branch and a number, times inf": lambda within, positive, bent, strip, x: 1 / bent(x),
    "a domain as a factor": lambda within, positive, bent, strip, x: mg.exp(within(x)),
    "a sum of domains": lambda within, positive, bent, strip, x: mg.exp(within(x)) + mg.exp(within(2 * x)),
    "a choice of domains": lambda within, positive, bent, strip, x: mg.where(x > 0, within(x), mg.exp(within(x))),
    "a closed branch between domains": lambda within, positive, bent, strip, x: strip(x),
    "a closed branch between domains, as a factor": lambda within, positive, bent, strip, x: mg.exp(strip(x)) / x,
    "five conditions": lambda within, positive, bent, strip, x: bent(bent(bent(within(positive(x))))),
    "domains and branches in a sum": lambda within, positive, bent, strip, x: within(positive(x)) * 3 + 1 / bent(x) + x,
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
        (lambda within, positive, bent, strip, x: within(x), 1, 1),
        (lambda within, positive, bent, strip, x: mg.exp(within(x)), 1, 2),
        (lambda within, positive, bent, strip, x: within(x) + within(3.0 + x), 2, 2),
        (lambda within, positive, bent, strip, x: sum(map(within, [u := mg.sin(x), 3.0 + u])), 2, 3),
        (lambda within, positive, bent, strip, x: positive(x) + mg.exp(within(x)), 2, 2),
        (lambda within, positive, bent, strip, x: within(positive(x)), 2, 1),
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


@pytest.mark.parametrize(
    ("name", "expected"),
    [("positive", [1, 2, 3, 4, 5, 11, 12, 13, 14, 20]), ("within", [*range(1, 11)])],
)
def test_choices_along_a_path_are_one_for_each_op_and_some_that_join_those_before(ops, name, expected):
    """Four are written one by one; a fifth joins them to a condition of its own, so that the number grows with n."""
    op = {"within": ops[0], "positive": ops[1]}[name]
    counts = []
    for n in range(1, 11):
        symbol = y = Symbol("x")
        for _ in range(n):
            y = mg.sin(op(y))
        [slope] = gradients(y, [symbol])
        counts.append(sum(node.op is TABLE["where"] for node in topological_sort(slope)))
    assert counts == expected


def test_a_choice_that_is_known_is_no_node():
    x, y = Symbol("x"), Symbol("y")
    assert choose(x > 0, y, y) is y
    assert [choose(condition, x, y) for condition in (True, 1.0, 2, False, 0.0, 0)] == [x, x, x, y, y, y]
    assert choose(x > 0, x, y).op is TABLE["where"]


def test_nan_as_a_node_depends_on_what_it_is_made_of():
    x, y = Symbol("x"), Symbol("y")
    nan = Undefined(x)
    assert nan.times(2.0).op is nan.node().op is TABLE["exp"]
    product = nan.times(y)
    assert (product.op, product.parents[1]) == (TABLE["mul"], y)
    for node in (x, y):
        assert math.isnan(evaluate(gradients(product, [node])[0], {x: 2.0, y: 3.0}))

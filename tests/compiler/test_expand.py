"""Adjoints written out: second derivatives by the rule of an op of the user's, whatever that rule is made of."""

from collections import Counter

import numpy as np
import pytest

import microgradlib as mg
from microgradlib import Value, costs
from microgradlib.compiler.canonicalize import canonicalize
from microgradlib.compiler.expand import expand
from microgradlib.compiler.reverse import reverse
from microgradlib.compiler.trace import trace
from microgradlib.compiler.vectorize import vectorize
from microgradlib.ops import TABLE

ROWS = np.array([[0.5, -1.25, 2.0], [1.5, 0.75, -0.25]])
OF_ANY_NUMBER = {
    "derivatives that are 0": (lambda xp, *xs: xs[0] ** 2, lambda xp, z, *xs: (2 * xs[0], *[0.0] * (len(xs) - 1))),
    "an input, and 0": (lambda xp, *xs: xs[0] * xs[1], lambda xp, z, *xs: (xs[1], xs[0], *[0.0] * (len(xs) - 2))),
    "a dot": (
        lambda xp, *xs: xp.dot(*xs, *xs) ** 2 / 4,
        lambda xp, z, *xs: tuple([x * xp.dot(*xs, *xs) for x in xs]),
    ),
    "a dot with a bias": (
        lambda xp, *xs: xs[0] * xp.sum(*xs),
        lambda xp, z, *xs: (xp.dot(*[1.0] * len(xs), *xs, xs[0]), *[xs[0]] * (len(xs) - 1)),
    ),
}
OF_TWO = {
    "sum, mean and dot": (
        lambda xp, x, y: x * y * (x + y),
        lambda xp, z, x, y: xp.dot(x, y, y, x, y * y),
        lambda xp, z, x, y: xp.sum(x * x, 2 * xp.mean(x * y, x * y)),
    ),
    "prod and log-sum-exp": (
        lambda xp, x, y: y * xp.log(xp.exp(x) + xp.exp(y)),
        lambda xp, z, x, y: xp.prod(y, xp.exp(x - xp.logsumexp(x, y))),
        lambda xp, z, x, y: xp.sum(xp.logsumexp(x, y), xp.prod(y, xp.exp(y - xp.logsumexp(x, y)))),
    ),
    "a choice": (
        lambda xp, x, y: xp.where(x > y, x * x * y, x * y * y),
        lambda xp, z, x, y: xp.where(x > y, 2 * x * y, y * y),
        lambda xp, z, x, y: xp.where(x > y, x * x, 2 * x * y),
    ),
    "a weighted cross-entropy": (  # its weights are 1 and 0
        lambda xp, x, y: x * xp.log(1 + xp.exp(y - x)),
        lambda xp, z, x, y: xp.cross_entropy(1.0, 0.0, x, y) - x * xp.exp(y - xp.logsumexp(x, y)),
        lambda xp, z, x, y: x * xp.exp(y - xp.logsumexp(x, y)),
    ),
}
ARGUMENTS = {
    "batched": lambda w, x: [a * b for a, b in zip(w, x)],
    "of both kinds": lambda w, x: [w[0] * x[0], *w[1:]],
    "unbatched": lambda w, x: w,
}


def check_hessian(op, count, arguments):
    """Hold the Hessian of a function of three parameters, which has the op in it, to the eager engine's."""
    w = [Value(0.75), Value(-1.5), Value(1.25)]

    def function(w, x):
        return op(*arguments(w, x)[:count]) * x[0]

    found = mg.compile(lambda x: function(w, x), w, backend="numpy").hessian(ROWS)
    numbers = [parameter.data for parameter in w]
    expected = [mg.hessian(lambda *w, row=row: function(w, row), range(3))(*numbers) for row in ROWS.tolist()]
    np.testing.assert_allclose(found, np.mean(expected, axis=0), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("arguments", ARGUMENTS)
@pytest.mark.parametrize("name", OF_ANY_NUMBER)
def test_the_hessian_by_an_op_of_any_number_of_inputs(temporary_op, name, arguments):
    value, derivatives = OF_ANY_NUMBER[name]
    op = temporary_op("of_any_number_for_a_test", value=value, derivatives=derivatives, formula="f")
    for count in (2, 3):
        check_hessian(op, count, ARGUMENTS[arguments])


@pytest.mark.parametrize("arguments", ARGUMENTS)
@pytest.mark.parametrize("name", OF_TWO)
def test_the_hessian_by_an_op_of_two_inputs(temporary_op, name, arguments):
    value, *derivatives = OF_TWO[name]
    op = temporary_op("of_two_for_a_test", value=value, derivatives=derivatives, formula="f")
    check_hessian(op, 2, ARGUMENTS[arguments])


@pytest.mark.parametrize(
    "name", ["maximum", "minimum", "prod", "norm", "var", "std", "logsumexp", "div", "pow", "hypot"]
)
def test_the_hessian_by_an_op_of_the_table(name):
    op = TABLE[name]
    for arguments in ARGUMENTS.values():
        for count in [2, 3] if op.variadic else [2]:
            check_hessian(lambda *xs: op(*[1.5 + x * x for x in xs]), count, arguments)


@pytest.mark.parametrize("arguments", ARGUMENTS)
def test_the_hessian_by_a_weighted_cross_entropy(arguments):
    op = TABLE["cross_entropy"]
    check_hessian(lambda *xs: op(*[0.25, 0.5, 0.75][: len(xs)], *xs), 3, ARGUMENTS[arguments])
    check_hessian(lambda *xs: op(*[x * x for x in xs], *xs), 2, ARGUMENTS[arguments])


@pytest.mark.parametrize("op", [mg.logsumexp, mg.maximum, lambda xs: costs.cross_entropy(xs, 1)])
def test_what_is_done_with_each_term_of_a_list_is_one_instruction(op):
    def exponentials(n):
        program = vectorize(canonicalize(trace(lambda x: op([w * v for v in x]), [[0.5] * n], [w])))
        names = Counter(i.op.name for i in expand(reverse(program)).instructions)
        return {name: names[name] for name in ("exp", "where", "sub", "greater_equal", "mul")}

    w = Value(3.0)
    assert exponentials(40) == exponentials(20)

"""What rules of ops share: derivatives that are known to be 0 everywhere, branches, and sums of all inputs but one."""

import copy
import math
import operator
import pickle

import pytest
from hypothesis import given, settings, strategies as st

from microgradlib._support.floats import FLOATS
from microgradlib.ops import ZERO
from microgradlib.ops.rules import branch, closed_rules, of_the_others

CLOSED = {
    "0": lambda xp, z, x, y: 0.0,
    "whole 0": lambda xp, z, x, y: 0,
    "−0": lambda xp, z, x, y: -0.0,
    "0 on both sides of an unknown condition": lambda xp, z, x, y: xp.where(x > 0, 0.0, 0.0),
    "0 on both sides of a comparison of either": lambda xp, z, x, y: xp.where(1 - x / 2 >= y, 0.0, -0.0),
    "the side of a known condition": lambda xp, z, x, y: xp.where(xp.cos(0.0) > 0, 0.0, x),
    "the other side of a known condition": lambda xp, z, x, y: xp.where(xp.sin(0.0) > 0, x, 0.0),
    "a choice inside a choice": lambda xp, z, x, y: xp.where(x > y, xp.where(z < 2**x, 0.0, 0.0), 0.0),
    "a function of known numbers": lambda xp, z, x, y: xp.sin(0.0),
    "an op of the table of known numbers": lambda xp, z, x, y: xp.softsign(0.0),
}
OPEN = {
    "1": lambda xp, z, x, y: 1.0,
    "an input": lambda xp, z, x, y: x,
    "the output": lambda xp, z, x, y: z,
    "0 times an input, which may be infinite": lambda xp, z, x, y: 0.0 * x,
    "a difference": lambda xp, z, x, y: x - x,
    "0 on one side": lambda xp, z, x, y: xp.where(x > 0, 0.0, 1.0),
    "0 on the other side": lambda xp, z, x, y: xp.where(x > 0, 1.0, 0.0),
    "0 or an input": lambda xp, z, x, y: xp.where(x > 0, 0.0, y),
    "an input or 0": lambda xp, z, x, y: xp.where(x > 0, y, 0.0),
    "a function of an input": lambda xp, z, x, y: xp.sign(-x),
    "an op of the table of inputs": lambda xp, z, x, y: xp.softsign(y**2.0),
    "a function of known numbers that is not 0": lambda xp, z, x, y: xp.cos(0.0),
    "nan": lambda xp, z, x, y: math.nan,
    "a text": lambda xp, z, x, y: "0",
    "nothing": lambda xp, z, x, y: None,
    "no function of the table": lambda xp, z, x, y: xp.no_such_op(0.0),
    "an error at known numbers": lambda xp, z, x, y: 1.0 / 0.0,
    "a method that inputs do not have": lambda xp, z, x, y: x.real_part(),
}


@pytest.mark.parametrize("name", [*CLOSED, *OPEN])
def test_derivatives_that_are_0_whatever_the_inputs_are_structural_zeros(name):
    rule = CLOSED.get(name) or OPEN[name]
    found, other = closed_rules([rule, OPEN["an input"]])
    assert (found is not rule) == (name in CLOSED)
    assert other is OPEN["an input"]
    if name in CLOSED:
        assert found(FLOATS, 3.0, 1.0, 2.0) is ZERO


def test_settings_of_an_op_are_known_to_its_rules():
    def rule(xp, z, x, order):
        return xp.where(order > 1, x, 0.0)

    assert closed_rules([rule], [2.0]) == (rule,)
    assert closed_rules([rule], [1.0]) != (rule,)


def test_the_structural_zero_is_one_object():
    assert [copy.copy(ZERO), copy.deepcopy(ZERO), pickle.loads(pickle.dumps(ZERO))] == [0.0] * 3
    assert all(x is ZERO for x in (copy.copy(ZERO), copy.deepcopy(ZERO), pickle.loads(pickle.dumps(ZERO))))
    assert type(ZERO + 0.0) is type(-ZERO) is float


@pytest.mark.parametrize("taken", [True, False])
@pytest.mark.parametrize("closed", [True, False])
def test_a_branch_is_taken_closed_or_undefined(taken, closed):
    found = branch(FLOATS, math.nan, taken, closed, 3.0)
    assert found is ZERO if closed else found == 3.0 if taken else math.isnan(found)
    assert branch(FLOATS, 1.0, taken=True, closed=False) == 1.0


@settings(max_examples=100)
@given(xs=st.lists(st.integers(-50, 50), min_size=1, max_size=8), of_none=st.integers(-3, 3))
def test_sums_products_and_largest_of_the_others(xs, of_none):
    for combine in (operator.add, operator.mul, max):
        for i, found in enumerate(of_the_others(combine, xs, of_none)):
            expected, *further = [*xs[:i], *xs[i + 1 :]] or [of_none]
            for x in further:
                expected = combine(expected, x)
            assert found == expected
    assert len(of_the_others(operator.add, xs)) == len(xs)
    assert of_the_others(operator.add, xs[:1]) == [0.0]

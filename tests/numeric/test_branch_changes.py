"""changed_branch: an op that jumps is named, however large its quotient; one that joins smoothly is not."""

import pytest
from hypothesis import given, strategies as st

import microgradlib as mg
from microgradlib.numeric.branch_changes import changed_branch, record


@pytest.mark.parametrize("op", [mg.mod, mg.fmod, mg.floordiv])
@given(quotient=st.integers(1, 2**40), y=st.sampled_from([0.5, 1.0, 2.0, 16.0]), sign=st.sampled_from([1, -1]))
def test_a_new_quotient_is_a_jump_however_large(op, quotient, y, sign):
    before, inside, after = (record(lambda x: op(x, y), [sign * y * (quotient + part)]) for part in (-0.25, 0.25, 0.75))
    assert changed_branch(before, inside) == changed_branch(inside, before) == op.__name__
    assert changed_branch(inside, after) == ""


@pytest.mark.parametrize("op", [mg.floor, mg.ceil, mg.trunc])
@given(whole=st.integers(1, 2**40))
def test_a_new_whole_number_is_a_jump_however_large(op, whole):
    before, inside, after = (record(op, [whole + part]) for part in (-0.25, 0.25, 0.75))
    assert changed_branch(before, inside) == op.__name__
    assert changed_branch(inside, after) == ""


def test_another_choice_that_joins_smoothly_is_no_change():
    left, right = (record(lambda x: mg.logsumexp([x, 0.0]), [x]) for x in (-1e-6, 1e-6))
    assert changed_branch(left, right) == ""
    assert changed_branch(record(mg.relu, [-1e-6]), record(mg.relu, [1e-6])) == "relu"


def test_other_ops_are_another_path():
    def f(x):
        return mg.sin(x) if x.data > 0 else mg.exp(x)

    assert changed_branch(record(f, [-1.0]), record(f, [1.0])) == "another path through the function"
    assert changed_branch(record(f, [1.0]), record(f, [2.0])) == ""


def test_a_sign_that_an_op_of_ones_own_takes_by_abs_is_a_choice(temporary_op):
    def slope(xp, z, x):
        return xp.where(x > 0, 2.0, xp.where(x < 0, -2.0, 0.0))

    op = temporary_op("twice_abs", lambda xp, x: 2 * xp.abs(x), [slope], formula="2 |x|", kink=lambda x: x == 0)
    left, here, right, further = (record(op, [x]) for x in (-1.0, 0.0, 1.0, 2.0))
    assert changed_branch(left, right) == changed_branch(here, right) == changed_branch(left, here) == "twice_abs"
    assert changed_branch(right, further) == ""

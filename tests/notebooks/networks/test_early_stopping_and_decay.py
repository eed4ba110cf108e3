"""Early stopping against weight decay: the descent against its closed form, the decayed optimum, and τη ~ 1/λ."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from microgradlib import Value, grad_table
from microgradlib.regularisers import l2_norm


@settings(max_examples=15, deadline=None)
@given(steps=st.integers(0, 60), rate=st.floats(0.01, 1.5))
def test_the_trajectory_is_the_closed_form(script, steps, rate):
    early = script("early_stopping")
    a, w_star = np.array(early.CURVATURES), np.array(early.OPTIMUM)
    expected = (1 - (1 - rate * a) ** steps) * w_star
    np.testing.assert_allclose(early.gradient_descent(steps, rate), expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(early.closed_form(steps, rate), expected, rtol=0, atol=1e-14)


@settings(max_examples=15, deadline=None)
@given(decay=st.floats(0, 10))
def test_the_decayed_optimum_has_gradient_0(script, decay):
    early = script("early_stopping")
    w = [Value(number) for number in early.decayed_minimum(decay)]
    table = grad_table(early.cost(w) + l2_norm(w, decay))
    assert [table[w_i] for w_i in w] == pytest.approx([0.0] * 3, abs=1e-14)


def test_descent_with_decay_ends_at_the_decayed_optimum(script):
    early = script("early_stopping")
    assert early.gradient_descent(300, rate=0.5, decay=0.3) == pytest.approx(early.decayed_minimum(0.3), abs=1e-12)


@settings(max_examples=25)
@given(a=st.floats(0.001, 1), steps=st.integers(1, 100), rate=st.floats(0.01, 0.5))
def test_the_equivalent_decay_shrinks_exactly_as_stopping_does(script, a, steps, rate):
    early = script("early_stopping")
    decay = early.equivalent_decay(a, steps, rate)
    assert a / (a + decay) == pytest.approx(1 - (1 - rate * a) ** steps, rel=1e-12)
    # 1/(τη) − a ≤ λ ≤ 1/(τη): the two agree where a is small beside 1/(τη)
    assert 1 / (steps * rate) - a - 1e-9 <= decay <= (1 + 1e-9) / (steps * rate)


def test_the_flatter_the_direction_the_nearer_the_equivalent_decay_to_one_over_tau_eta(script):
    early = script("early_stopping")
    products = [early.equivalent_decay(a, 100, 0.05) * 100 * 0.05 for a in (1e-1, 1e-2, 1e-4, 1e-6)]
    assert products == sorted(products)
    assert products[-1] == pytest.approx(1.0, abs=1e-5)


def test_the_table_sets_both_side_by_side(script):
    early = script("early_stopping")
    rows = early.table(stops=(4, 50))
    assert [row.steps for row in rows] == [4, 50]
    for row in rows:
        assert row.decay == 1 / (row.steps * early.RATE)
        assert row.stopped == pytest.approx(early.closed_form(row.steps), abs=1e-13)
        assert row.decayed == early.decayed_minimum(row.decay)
    flattest = [(row.stopped[-1], row.decayed[-1]) for row in rows]
    assert flattest[0][0] == pytest.approx(flattest[0][1], rel=2e-3)


def test_main(script, capsys):
    script("early_stopping").main()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[2:]] == ["5", "20", "100", "500", "2000"]
    assert lines[2].endswith("0.9985")

"""Real-time recurrent learning: the gradient of backpropagation through time, tangents by NumPy's recursion."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from microgradlib.numeric.differences import numeric_gradient


def numbers(rows):
    return np.array([[w.data for w in row] for row in rows])


@settings(max_examples=8, deadline=None)
@given(steps=st.integers(1, 8), units=st.integers(1, 3), rng=st.integers(0, 99))
def test_both_gradients_agree(script, steps, units, rng):
    rtrl = script("real_time_recurrent_learning")
    net, (xs, ys) = rtrl.Network(units, rng), rtrl.sequence(steps, rng)
    forward, backward = rtrl.real_time_gradient(net, xs, ys), rtrl.backpropagation_through_time(net, xs, ys)
    assert list(forward) == list(backward) == net.parameters()
    assert list(forward.values()) == pytest.approx(list(backward.values()), rel=1e-12, abs=1e-13)


def test_the_gradient_by_differences(script):
    rtrl = script("real_time_recurrent_learning")
    net, (xs, ys) = rtrl.Network(2), rtrl.sequence(5)
    parameters = net.parameters()

    def cost(*at):
        for theta, number in zip(parameters, at):
            theta.data = number
        return rtrl.unfolded_cost(net, xs, ys)

    start = [theta.data for theta in parameters]
    gradient = rtrl.real_time_gradient(net, xs, ys)
    assert list(gradient.values()) == pytest.approx(numeric_gradient(cost, start), rel=1e-7, abs=1e-9)


def test_the_derivatives_follow_the_recursion(script):
    """∂s_t/∂W_ij = diag(1 − s_t²) (e_i s_{t−1,j} + W ∂s_{t−1}/∂W_ij), and U and b likewise."""
    rtrl = script("real_time_recurrent_learning")
    net, (xs, ys) = rtrl.Network(3), rtrl.sequence(6)
    u, w, b = numbers(net.cell.u), numbers(net.cell.w), np.array([b_i.data for b_i in net.cell.b])
    s, ds_dw, ds_du, ds_db = np.zeros(3), np.zeros((3, 3, 3)), np.zeros((3, 3)), np.zeros((3, 3))
    for [x], step in zip(xs, rtrl.real_time_steps(net, xs, ys)):
        before, s = s, np.tanh(u[:, 0] * x + w @ s + b)
        slope = (1 - s**2)[:, None]
        ds_dw = np.einsum(
            "k,kij->kij", slope[:, 0], np.einsum("ki,j->kij", np.eye(3), before) + np.tensordot(w, ds_dw, 1)
        )
        ds_du, ds_db = slope * (np.eye(3) * x + w @ ds_du), slope * (np.eye(3) + w @ ds_db)
        assert step.state == pytest.approx(s, rel=1e-12)
        for i in range(3):
            assert step.derivatives[net.cell.u[i][0]] == pytest.approx(ds_du[:, i], rel=1e-11, abs=1e-14)
            assert step.derivatives[net.cell.b[i]] == pytest.approx(ds_db[:, i], rel=1e-11, abs=1e-14)
            for j in range(3):
                assert step.derivatives[net.cell.w[i][j]] == pytest.approx(ds_dw[:, i, j], rel=1e-11, abs=1e-14)


def test_the_gradient_at_time_t_needs_no_later_input(script):
    rtrl = script("real_time_recurrent_learning")
    net, (xs, ys) = rtrl.Network(2), rtrl.sequence(8)
    whole = [step.cost for step in rtrl.real_time_steps(net, xs, ys)]
    first = [step.cost for step in rtrl.real_time_steps(net, xs[:3], ys[:3])]
    assert first == whole[:3]


@pytest.mark.slow
def test_learning_online_lowers_the_cost(script):
    rtrl = script("real_time_recurrent_learning")
    costs = rtrl.learn_online(rtrl.Network(), *rtrl.sequence(300, rng=1))
    # Measured: 0.469 over the first hundred steps, 0.018 over the last.
    assert np.mean(costs[-100:]) < 0.3 * np.mean(costs[:100])


def test_the_task(script):
    xs, ys = script("real_time_recurrent_learning").sequence(6, rng=3)
    assert ys == [0.0, 0.0, *[x for [x] in xs]][:6]
    assert {abs(x) for [x] in xs} == {1.0}


def test_main(script, capsys):
    script("real_time_recurrent_learning").main(lengths=(3, 6), online_steps=20)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:3]] == ["3", "6"]
    assert all(float(line.split()[1]) < 1e-13 for line in lines[1:3])
    assert sum("mean E_t" in line for line in lines) == 5

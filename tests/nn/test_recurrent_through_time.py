"""Backpropagation through time by the sum over k ≤ t, and the reach of gradients."""

import random

import numpy as np
import pytest

import microgradlib as mg
from microgradlib import Value, grad_table
from microgradlib.nn import Layer
from microgradlib.nn.gated_cells import GRUCell, LSTMCell
from microgradlib.nn.recurrent import GRU, LSTM, RNN, Unfolded
from microgradlib.nn.recurrent_cells import RNNCell

STEPS, NIN, NHIDDEN, NOUT = 4, 2, 3, 2


def array(values):
    return np.array([[v.data for v in row] if isinstance(row, list) else row.data for row in values])


def sequence(steps, nin, seed=5):
    rng = random.Random(seed)
    return [[rng.uniform(-1, 1) for _ in range(nin)] for _ in range(steps)]


@pytest.fixture
def rnn():
    return RNN(NIN, NHIDDEN, rng=0)


@pytest.fixture
def readout():
    """o = softmax(V s), without a bias, as in s_t = f(U x_t + W s_{t−1}), o_t = softmax(V s_t)."""
    return Layer(NHIDDEN, NOUT, "softmax", bias=False, rng=1)


def last_cost(states, readout, y=1):
    """E_3 = −y_3 ln ŷ_3, the cost of the last of the steps 0 … 3, and ŷ_3."""
    outputs = readout(states[-1])
    return -mg.log(outputs[y]), outputs


def test_the_readout_gradient(rnn, readout):
    """∂E_3/∂V = (ŷ_3 − y_3) ⊗ s_3."""
    states, _ = rnn(sequence(STEPS, NIN))
    cost, outputs = last_cost(states, readout)
    table = grad_table(cost)
    gradient = [[table[v] for v in neuron.w] for neuron in readout.neurons]
    expected = np.outer(array(outputs) - [0.0, 1.0], array(states[-1]))
    assert np.array(gradient) == pytest.approx(expected, rel=1e-12, abs=1e-14)


def test_the_sum_over_earlier_steps(rnn, readout):
    """∂E_3/∂W = Σ_k ∂E_3/∂s_3 (Π_{j=k+1}^3 ∂s_j/∂s_{j−1}) ∂s_k/∂W, and so for U, as matrices."""
    xs = sequence(STEPS, NIN)
    states, _ = rnn(xs)
    cost, outputs = last_cost(states, readout)
    table = grad_table(cost)

    w = array(rnn.cell.w)
    s = [np.zeros(NHIDDEN), *array(states)]  # s[k] is the state before step k
    delta = (array(outputs) - [0.0, 1.0]) @ array([neuron.w for neuron in readout.neurons])  # ∂E_3/∂s_3
    by_u, by_w, by_b = np.zeros((NHIDDEN, NIN)), np.zeros((NHIDDEN, NHIDDEN)), np.zeros(NHIDDEN)
    for k in reversed(range(STEPS)):
        through_f = delta * (1 - s[k + 1] ** 2)
        by_u += np.outer(through_f, xs[k])
        by_w += np.outer(through_f, s[k])
        by_b += through_f
        delta = through_f @ w
    for ours, expected in ((rnn.cell.u, by_u), (rnn.cell.w, by_w), ([rnn.cell.b], [by_b])):
        found = np.array([[table[p] for p in row] for row in ours])
        assert found == pytest.approx(np.array(expected), rel=1e-11, abs=1e-14)


@pytest.mark.parametrize("make", [RNNCell, LSTMCell, GRUCell])
def test_shared_weights_sum_the_gradients_of_their_copies(make, readout):
    """Gradients of separate weights for each time step sum to the gradients of the shared weights."""
    shared = Unfolded(make(NIN, NHIDDEN, rng=0))
    xs = sequence(STEPS, NIN)
    cost, _ = last_cost(shared(xs)[0], readout)
    together = grad_table(cost)

    copies = [make(NIN, NHIDDEN, rng=0) for _ in xs]
    state, states = None, []
    for cell, x in zip(copies, xs):
        state = cell(x, state)
        states.append(cell.hidden(state))
    apart, _ = last_cost(states, readout)
    table = grad_table(apart)
    assert apart.data == cost.data
    for p, *each in zip(shared.parameters(), *[cell.parameters() for cell in copies]):
        assert together[p] == pytest.approx(sum(table[copy] for copy in each), rel=1e-12, abs=1e-15)
    assert any(table[p] != 0 for p in copies[0].parameters())  # the sum reaches back to the first step


def test_costs_of_several_steps_add_up(rnn, readout):
    """∂E/∂W = Σ_t ∂E_t/∂W."""
    xs, ys = sequence(STEPS, NIN), [1, 0, 0, 1]
    costs = [-mg.log(readout(s)[y]) for s, y in zip(rnn(xs)[0], ys)]
    total, each = grad_table(mg.sum(costs)), [grad_table(cost) for cost in costs]
    for p in rnn.parameters():
        assert total[p] == pytest.approx(sum(table.get(p, 0.0) for table in each), rel=1e-12, abs=1e-15)


def test_later_inputs_do_not_affect_earlier_costs(rnn):
    xs = [[Value(x) for x in row] for row in sequence(STEPS, NIN)]
    states, _ = rnn(xs)
    reached = grad_table(mg.sum(states[1]))
    assert all(x in reached for x in xs[0] + xs[1])
    assert not any(x in reached for x in xs[2] + xs[3])


def test_detached_states_end_the_gradient(rnn):
    xs = [[Value(x) for x in row] for row in sequence(STEPS, NIN)]
    _, state = rnn(xs[:2])
    states, _ = rnn(xs[2:], [s.detach() for s in state])
    reached = grad_table(mg.sum(states[-1]))
    assert not any(x in reached for x in xs[0] + xs[1])
    assert states[-1][0].data == rnn(xs)[1][0].data


# How far back


def test_a_forget_gate_alone():
    """With all weights 0, c_t = σ(b) c_{t−1}: the gradient shrinks by σ(b) a step, which `forget_bias` sets."""
    for bias, steps in ((0.0, 10), (1.0, 10), (5.0, 200)):
        lstm, c = LSTM(1, 1, init="zeros", forget_bias=bias), Value(2.0)
        _, (_, [last]) = lstm([[0.5]] * steps, ([0.0], [c]))
        kept = (1 / (1 + np.exp(-bias))) ** steps
        assert last.data == pytest.approx(2.0 * kept, rel=1e-12)
        assert grad_table(last)[c] == pytest.approx(kept, rel=1e-12)


def test_an_update_gate_alone():
    """With all weights 0 but the bias b of z, h_t = σ(b) h_{t−1}."""
    gru, h = GRU(1, 1, init="zeros"), Value(0.5)
    gru.cell.update_gate.b[0].data = 3.0
    _, [last] = gru([[1.0]] * 20, [h])
    kept = (1 / (1 + np.exp(-3.0))) ** 20
    assert last.data == pytest.approx(0.5 * kept, rel=1e-12)
    assert grad_table(last)[h] == pytest.approx(kept, rel=1e-12)


def reach(make, steps=60, seeds=range(3)):
    """Σ |∂h_T/∂x_1|, the influence of the first input on the last state."""
    total = 0.0
    for seed in seeds:
        net, first = make(seed), Value(1.0)
        states, _ = net([[first], *sequence(steps, 1, seed)])
        total += abs(grad_table(mg.sum(states[-1]))[first])
    return total


def test_gates_preserve_a_gradient_that_vanishes_in_an_rnn():
    def gru(seed):
        net = GRU(1, 4, rng=seed)
        for b in net.cell.update_gate.b:
            b.data = 4.0
        return net

    vanilla = reach(lambda seed: RNN(1, 4, rng=seed))
    assert vanilla < 1e-7
    assert reach(lambda seed: LSTM(1, 4, rng=seed, forget_bias=4.0)) > 1000 * vanilla
    assert reach(gru) > 1000 * vanilla

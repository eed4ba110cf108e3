"""Recurrent networks: NumPy's formulas, backpropagation through time, states, seeds."""

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import microgradlib as mg
from microgradlib import Symbol, Value, evaluate, grad_table
from microgradlib.nn import Layer
from microgradlib.nn.gated_cells import GRUCell, LSTMCell
from microgradlib.nn.recurrent import GRU, LSTM, RNN, Unfolded
from microgradlib.nn.recurrent_cells import Cell, RNNCell
from microgradlib.numeric.differences import numeric_gradient

numbers = st.floats(-2, 2)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def array(values):
    return np.array([[v.data for v in row] if isinstance(row, list) else row.data for row in values])


def randomised(model, seed=3):
    rng = random.Random(seed)
    for p in model.parameters():
        p.data = rng.uniform(-1, 1)
    return model


def sequence(steps, nin, seed=5):
    rng = random.Random(seed)
    return [[rng.uniform(-1, 1) for _ in range(nin)] for _ in range(steps)]


# One step each, in NumPy


def affine(gate, x, h):
    return array(gate.u) @ x + array(gate.w) @ h + array(gate.b)


def rnn_step(cell, x, s):
    return np.tanh(affine(cell, x, s))


def lstm_step(cell, x, state):
    h, c = state
    i, f, o = (sigmoid(affine(gate, x, h)) for gate in (cell.input_gate, cell.forget_gate, cell.output_gate))
    c = f * c + i * np.tanh(affine(cell.candidate, x, h))
    return o * np.tanh(c), c


def gru_step(cell, x, h):
    r, z = sigmoid(affine(cell.reset_gate, x, h)), sigmoid(affine(cell.update_gate, x, h))
    candidate = cell.candidate
    u, w, b = array(candidate.u), array(candidate.w), array(candidate.b)
    if hasattr(candidate, "c"):
        n = np.tanh(u @ x + b + r * (w @ h + array(candidate.c)))
    else:
        n = np.tanh(u @ x + w @ (r * h) + b)
    return (1 - z) * n + z * h


CELLS = {
    "rnn": (lambda *sizes, **options: RNNCell(*sizes, **options), rnn_step),
    "lstm": (LSTMCell, lstm_step),
    "gru": (GRUCell, gru_step),
    "gru, reset before": (lambda *sizes, **options: GRUCell(*sizes, reset_after=False, **options), gru_step),
}
each_cell = pytest.mark.parametrize("kind", CELLS)


@each_cell
@pytest.mark.parametrize("nhidden", [1, 3])
@settings(max_examples=20, deadline=None)
@given(x=st.lists(numbers, min_size=2, max_size=2), seed=st.integers(0, 1000))
def test_a_step_by_its_formula(kind, nhidden, x, seed):
    make, step = CELLS[kind]
    cell = randomised(make(2, nhidden), seed)
    h, c = sequence(2, nhidden, seed)
    before = (h, c) if kind == "lstm" else h
    after = cell(x, before)
    expected = step(cell, np.array(x), np.array(before))
    assert array(list(after)) == pytest.approx(np.array(expected), rel=1e-12, abs=1e-12)
    assert cell.hidden(after) is (after[0] if kind == "lstm" else after)


@each_cell
def test_without_a_state_it_is_zeros(kind):
    make, _ = CELLS[kind]
    cell = randomised(make(2, 3))
    zeros = ([0.0] * 3, [0.0] * 3) if kind == "lstm" else [0.0] * 3
    assert (array(list(cell([1.0, -0.5]))) == array(list(cell([1.0, -0.5], zeros)))).all()
    hidden, last = Unfolded(cell)([[1.0, -0.5]])
    assert (array(list(last)) == array(list(cell([1.0, -0.5])))).all()
    assert hidden[0] is cell.hidden(last)


@each_cell
def test_gradients_by_differences(kind):
    make, _ = CELLS[kind]
    net = Unfolded(randomised(make(2, 2)))
    parameters = net.parameters()
    start, xs = [p.data for p in parameters], sequence(3, 2)

    def cost(*at):
        for p, number in zip(parameters, at):
            p.data = number
        hidden, _ = net(xs)
        return mg.sum([h * (k + 1) for k, row in enumerate(hidden) for h in row])

    table = grad_table(cost(*start))
    assert [table[p] for p in parameters] == pytest.approx(numeric_gradient(cost, start), rel=1e-7, abs=1e-9)


@each_cell
def test_a_sequence_in_two_calls(kind):
    make, _ = CELLS[kind]
    net, xs = Unfolded(randomised(make(2, 3))), sequence(5, 2)
    whole, last = net(xs)
    first, state = net(xs[:2])
    second, end = net(xs[2:], state)
    assert (array(whole) == array(first + second)).all()
    assert (array(list(last)) == array(list(end))).all()


@each_cell
def test_symbols_give_the_same_numbers(kind):
    make, _ = CELLS[kind]
    net, xs = Unfolded(randomised(make(2, 3))), sequence(3, 2)
    symbols = [[Symbol(f"x{t}{d}") for d in range(2)] for t in range(3)]
    numbers_of = {symbol: x for row, at in zip(symbols, xs) for symbol, x in zip(row, at)}
    outputs, _ = net(symbols)
    computed = [[evaluate(h, numbers_of) for h in row] for row in outputs]
    assert computed == array(net(xs)[0]).tolist()
    assert array(net(np.array(xs))[0]).tolist() == computed


@each_cell
def test_symbols_as_the_state(kind):
    make, _ = CELLS[kind]
    cell = randomised(make(1, 1))
    s, c = Symbol("s"), Symbol("c")
    state, at = (([s], [c]), ([0.25], [-0.5])) if kind == "lstm" else ([s], [0.25])
    [h] = cell.hidden(cell([0.75], state))
    assert evaluate(h, {s: 0.25, c: -0.5} if kind == "lstm" else {s: 0.25}) == cell.hidden(cell([0.75], at))[0].data


@each_cell
def test_two_thousand_steps(kind):
    make, _ = CELLS[kind]
    net = Unfolded(make(1, 1, rng=0))
    xs = [[Value(0.001)] for _ in range(2000)]
    hidden, _ = net(xs)
    mg.sum([row[0] for row in hidden]).backward()
    assert xs[-1][0].grad != 0
    assert all(math.isfinite(p.grad) for p in net.parameters())


def test_a_chain_of_two_thousand_factors():
    """s_t = w s_{t−1}, so ∂s_T/∂s_0 = wᵀ to full precision."""
    net, start = RNN(1, 1, "linear", init="zeros"), Value(1.0)
    w = net.cell.w[0][0]
    w.data = 0.999
    _, [last] = net([[0.0]] * 2000, [start])
    last.backward()
    assert last.data == pytest.approx(0.999**2000, rel=1e-12)
    assert start.grad == pytest.approx(0.999**2000, rel=1e-12)
    assert w.grad == pytest.approx(2000 * 0.999**1999, rel=1e-12)


# Any cell of one's own


class Sum(Cell):
    nin = nhidden = 1
    shape = "1 → 1"

    def next_state(self, x, state):
        return [x[0] + state[0]]


def test_a_user_defined_cell():
    hidden, last = Unfolded(Sum())([[1.0], [2.0], [3.0]])
    assert array(hidden).tolist() == [[1.0], [3.0], [6.0]]
    assert last[0].data == 6.0
    with pytest.raises(NotImplementedError):
        Cell.next_state(Sum(), [], [])


def test_networks_stack():
    below, above = RNN(2, 3, rng=0), GRU(3, 1, rng=1)
    xs = sequence(4, 2)
    middle, top, s, h = [], [], np.zeros(3), np.zeros(1)
    for x in xs:
        s = rnn_step(below.cell, np.array(x), s)
        h = gru_step(above.cell, s, h)
        middle.append(s)
        top.append(h)
    outputs, _ = above(below(xs)[0])
    assert array(outputs) == pytest.approx(np.array(top), rel=1e-12, abs=1e-12)


def test_a_readout_learns_from_each_step():
    rnn, readout = RNN(2, 3, rng=0), Layer(3, 2, "softmax", rng=1)
    states, _ = rnn(sequence(3, 2))
    cost = -mg.sum([mg.log(readout(s)[y]) for s, y in zip(states, [1, 0, 1])])
    table = grad_table(cost)
    assert all(table[p] != 0 for p in [*rnn.parameters(), *readout.parameters()])


def test_lstm_is_the_sequence_of_its_cell():
    lstm, xs = randomised(LSTM(2, 3)), sequence(4, 2)
    state = None
    for x in xs:
        state = lstm.cell(x, state)
    hidden, (h, c) = lstm(xs)
    assert array(list(state)).tolist() == array([h, c]).tolist()
    assert hidden[-1] is h

"""Parameters of recurrent networks: counts, names, initial values, errors."""

import math
import pickle
import random

import pytest

from microgradlib import Value
from microgradlib.nn.gated_cells import GRUCell, LSTMCell
from microgradlib.nn.initialisers import INITIALISERS
from microgradlib.nn.recurrent import GRU, LSTM, RNN
from microgradlib.nn.recurrent_cells import RNNCell

CELLS, SEQUENCES = [RNNCell, LSTMCell, GRUCell], [RNN, LSTM, GRU]


def data(things):
    return [thing.data for thing in things]


@pytest.mark.parametrize(("nin", "n"), [(1, 1), (3, 2), (2, 5)])
def test_parameter_counts(nin, n):
    gate = n * (nin + n + 1)
    makes = [RNNCell, LSTMCell, GRUCell, lambda *sizes: GRUCell(*sizes, reset_after=False)]
    assert [len(make(nin, n).parameters()) for make in makes] == [gate, 4 * gate, 3 * gate + n, 3 * gate]
    assert [len(make(nin, n).weights()) for make in makes] == [n * (nin + n) * gates for gates in (1, 4, 3, 3)]


def test_names():
    assert list(RNNCell(2, 2, rng=0).state_dict()) == [
        "u.0.0", "u.0.1", "u.1.0", "u.1.1", "w.0.0", "w.0.1", "w.1.0", "w.1.1", "b.0", "b.1",
    ]  # fmt: skip
    gates = ["input_gate", "forget_gate", "candidate", "output_gate"]
    assert list(LSTM(1, 1).state_dict()) == [f"cell.{gate}.{p}" for gate in gates for p in ("u.0.0", "w.0.0", "b.0")]
    assert list(GRUCell(1, 1).state_dict())[-4:] == [
        "candidate.u.0.0", "candidate.w.0.0", "candidate.b.0", "candidate.c.0",
    ]  # fmt: skip
    cell = RNNCell(1, 2)
    assert [p.label for p in (cell.u[1][0], cell.w[0][1], cell.b[1])] == ["u1,0", "w0,1", "b1"]


def test_biases_are_zero_but_for_the_forget_gate():
    assert data(RNNCell(2, 3, rng=0).b) == [0.0] * 3
    cell = LSTMCell(2, 3, rng=0, forget_bias=1.5)
    assert data(cell.forget_gate.b) == [1.5] * 3
    assert {b.data for gate in (cell.input_gate, cell.candidate, cell.output_gate) for b in gate.b} == {0.0}
    assert data(LSTMCell(2, 3).forget_gate.b) == [0.0] * 3
    assert [data(b) for b in (GRUCell(2, 3, rng=0).candidate.b, GRUCell(2, 3, rng=0).candidate.c)] == [[0.0] * 3] * 2


@pytest.mark.parametrize("make", CELLS)
def test_weights_fill_the_interval_of_the_state(make):
    weights = data(make(2, 25, rng=0).weights())
    assert 0.19 < max(weights) < 0.2
    assert -0.2 < min(weights) < -0.19
    assert abs(sum(weights) / len(weights)) < 0.02


def test_weights_are_drawn_row_by_row():
    cell, rng, bound = RNNCell(2, 3, rng=7), random.Random(7), 1 / math.sqrt(3)
    assert data(cell.weights()) == [rng.uniform(-bound, bound) for _ in range(3 * 2 + 3 * 3)]
    assert INITIALISERS["fan_out"](random.Random(1), 99, 4) == random.Random(1).uniform(-0.5, 0.5)


def test_other_initialisers():
    assert set(data(LSTM(2, 3, init="zeros").parameters())) == {0.0}
    assert data(GRUCell(1, 1, init=lambda rng, nin, nout: 10 * nin + nout).weights()) == [11.0] * 6
    cell = RNNCell(3, 2, init=lambda rng, nin, nout: 10 * nin + nout)
    assert {w.data for row in cell.u for w in row} == {32.0}
    assert {w.data for row in cell.w for w in row} == {22.0}


@pytest.mark.parametrize("make", [*CELLS, *SEQUENCES])
def test_a_seed_is_reproducible(make):
    def weights(rng):
        return data(make(2, 3, rng=rng).weights())

    assert weights(7) == weights(7) == weights(random.Random(7)) != weights(8)
    assert len(set(weights(7))) == len(weights(7))  # no gate is a copy of another
    random.seed(1)
    state = random.getstate()
    weights(7)
    assert random.getstate() == state
    drawn = weights(None)
    random.seed(1)
    assert weights(None) == drawn


@pytest.mark.parametrize("make", SEQUENCES)
def test_saved_and_loaded(make):
    one, two = make(2, 3, rng=0), make(2, 3, rng=1)
    xs = [[0.5, -1.0], [0.25, 2.0]]
    two.load_state_dict(one.state_dict())
    assert data(one(xs)[0][-1]) == data(two(xs)[0][-1]) == data(pickle.loads(pickle.dumps(one))(xs)[0][-1])


def test_reprs():
    assert repr(RNN(2, 3, "relu")) == "RNN(2 → 3 relu)"
    assert repr(LSTMCell(2, 3)) == "LSTMCell(2 → 3)"
    assert repr(RNNCell(2, 3)) == "RNNCell(2 → 3 tanh)"
    [row] = GRU(2, 3).summary().rows
    assert (row.kind, row.shape, row.parameters) == ("GRU", "2 → 3", 3 * 3 * 6 + 3)


def test_activations():
    assert data(RNNCell(1, 1, "linear", init=lambda *_: 2.0)([3.0], [0.5])) == [7.0]
    assert data(RNNCell(1, 1, lambda z: -z, init=lambda *_: 2.0)([3.0], [0.5])) == [-7.0]
    prelu = RNNCell(1, 2, "prelu", rng=0)
    assert [name for name, _ in prelu.named_parameters() if "slope" in name] == ["f.slope"]


# What is refused


@pytest.mark.parametrize("make", CELLS)
def test_a_cell_rejects_wrong_lengths(make):
    cell = make(2, 3, rng=0)
    zeros = [0.0] * 3
    with pytest.raises(ValueError, match="the input of this cell must have 2 entries, got 1"):
        cell([1.0])
    with pytest.raises(TypeError, match=r"the input of this cell must be a list of 2 entries, got 1\.0"):
        cell(1.0)
    with pytest.raises(ValueError, match=r"the (h in the )?state of this cell.* must have 3 entries, got 2"):
        cell([1.0, 2.0], ([0.0] * 2, zeros) if make is LSTMCell else [0.0] * 2)
    with pytest.raises(TypeError, match="number"):
        cell(["a", 2.0])


def test_the_state_of_an_lstm_is_a_pair():
    cell = LSTMCell(1, 2)
    with pytest.raises(ValueError, match=r"the state of this cell, the pair \(h, c\), must have 2 entries, got 3"):
        cell([1.0], [0.0, 0.0, 0.0])
    with pytest.raises(TypeError, match=r"h in the state of this cell must be a list of 2 entries, got 0\.5"):
        cell([1.0], [0.5, 0.5])
    with pytest.raises(ValueError, match="c in the state of this cell must have 2 entries, got 3"):
        cell([1.0], ([0.0] * 2, [0.0] * 3))
    with pytest.raises(TypeError, match="pair"):
        cell([1.0], 0.5)


@pytest.mark.parametrize("make", SEQUENCES)
def test_errors_name_the_step_of_the_sequence(make):
    net = make(2, 3, rng=0)
    with pytest.raises(ValueError, match=r"xs\[2\], the input at time step 2, must have 2 entries, got 3"):
        net([[1.0, 2.0], [1.0, 2.0], [1.0, 2.0, 3.0]])
    with pytest.raises(TypeError, match=r"xs\[0\], the input at time step 0, must be a list of 2 entries, got 1.0"):
        net([1.0, 2.0])
    with pytest.raises(ValueError, match="at least one time step"):
        net([])
    with pytest.raises(TypeError, match=r"a list of input vectors, .* got a generator"):
        net(x for x in [[1.0, 2.0]])
    with pytest.raises(ValueError, match="got 4"):
        net([[1.0, 2.0]], ([0.0] * 4, [0.0] * 4) if make is LSTM else [0.0] * 4)


@pytest.mark.parametrize("make", [*CELLS, *SEQUENCES])
def test_invalid_settings_raise(make):
    with pytest.raises(ValueError, match="nin must be a whole number >= 1"):
        make(0, 2)
    with pytest.raises(ValueError, match="nhidden must be a whole number >= 1"):
        make(2, 0)
    with pytest.raises(TypeError, match="nhidden must be a whole number"):
        make(2, 2.5)
    with pytest.raises(TypeError, match="seed"):
        make(2, 2, rng="7")
    with pytest.raises(ValueError, match="no initialiser 'fanin'"):
        make(2, 2, init="fanin")
    with pytest.raises(TypeError):
        make(2, 2, layers=3)


def test_layer_activations_raise():
    with pytest.raises(ValueError, match="softmax needs"):
        RNN(2, 2, "softmax")
    with pytest.raises(ValueError, match="did you mean 'tanh'"):
        RNNCell(2, 2, "tnah")


def test_states_may_be_nodes_or_numbers():
    cell = RNNCell(1, 1, rng=0)
    state = Value(0.5)
    assert data(cell([1.0], [state])) == data(cell([1.0], [0.5]))
    assert state.data == 0.5

"""Recurrent networks of several layers and in both directions: PyTorch's numbers, composition, states, dropout."""

import pickle
import random

import pytest
from hypothesis import given, settings, strategies as st
from peer_records import as_recorded, peer_record

import microgradlib as mg
from microgradlib import Symbol, Value, evaluate, grad_table, nn
from microgradlib.errors import SymbolHasNoValueError
from microgradlib.nn.recurrent import GRU, LSTM, RNN
from microgradlib.nn.unfolded import Unfolded

STACKS = peer_record("recurrent")["stacks"]
NETWORKS = {"RNN": RNN, "LSTM": LSTM, "GRU": GRU}
GATES = {
    "RNN": [""],
    "LSTM": ["input_gate.", "forget_gate.", "candidate.", "output_gate."],
    "GRU": ["reset_gate.", "update_gate.", "candidate."],
}
"""In the order in which PyTorch stacks their rows."""


def data(x):
    return [data(entry) for entry in x] if isinstance(x, (list, tuple)) else x.data


def sequence(steps, nin, seed=0):
    rng = random.Random(seed)
    return [[rng.uniform(-1, 1) for _ in range(nin)] for _ in range(steps)]


def by_our_names(kind, n, numbers):
    """PyTorch's arrays, "weight_ih_l1_reverse" and so on, as a state_dict of ours."""
    named = {}
    for suffix in (name.removeprefix("weight_ih") for name in numbers if name.startswith("weight_ih")):
        w_x, w_h, b_x, b_h = (numbers[f"{name}{suffix}"] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
        for k, gate in enumerate(GATES[kind]):
            for i in range(n):
                path, row = f"cell{suffix}.{gate}", k * n + i
                named.update({f"{path}u.{i}.{j}": w for j, w in enumerate(w_x[row])})
                named.update({f"{path}w.{i}.{j}": w for j, w in enumerate(w_h[row])})
                named[f"{path}b.{i}"] = b_x[row]
                if (kind, gate) == ("GRU", "candidate."):
                    named[f"{path}c.{i}"] = b_h[row]
    return named


@pytest.mark.parametrize("case", STACKS, ids=lambda c: f"{c['kind']} {c['num_layers']} {c['bidirectional']}")
def test_outputs_states_and_every_gradient_are_pytorchs(case):
    kind, n = case["kind"].split()[0], case["nhidden"]
    model = NETWORKS[kind](case["nin"], n, num_layers=case["num_layers"], bidirectional=case["bidirectional"])
    weights = by_our_names(kind, n, case["weights"])
    model.load_state_dict(weights)
    cells = case["num_layers"] * (1 + case["bidirectional"])
    assert len(model.cells) == cells

    def per_cell(flat):
        return [[flat[k * n + i] for i in range(n)] for k in range(cells)]

    xs = [[Value(x) for x in row] for row in case["xs"]]
    before = None if case["state"] is None else [[[Value(s) for s in h] for h in per_cell(p)] for p in case["state"]]
    outputs, last = model(xs, before if before is None or kind == "LSTM" else before[0])
    parts = list(last) if kind == "LSTM" else [last]
    assert data(outputs) == [as_recorded(row) for row in case["outputs"]]
    assert data(parts) == [[as_recorded(h) for h in per_cell(part)] for part in case["last"]]

    flat_parts = [[s for h in part for s in h] for part in parts]
    rows = zip([*case["factors"], *case["last_factors"]], [*outputs, *flat_parts])
    cost = mg.sum([k * s for factors, row in rows for k, s in zip(factors, row)])
    table = grad_table(cost)
    assert [[table[x] for x in row] for row in xs] == [as_recorded(row) for row in case["xs_gradients"]]
    if before is not None:
        gradients = [[table[s] for h in part for s in h] for part in before]
        assert gradients == [as_recorded(part) for part in case["state_gradients"]]
    expected = by_our_names(kind, n, case["gradients"])
    assert {name: table[p] for name, p in model.named_parameters()} == as_recorded(expected)
    assert set(expected) == set(model.state_dict())


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(sorted(NETWORKS)), st.integers(1, 3), st.booleans(), st.integers(1, 3), st.integers(0, 99))
def test_a_stack_is_its_cells_applied_one_after_another(kind, num_layers, bidirectional, steps, seed):
    model = NETWORKS[kind](2, 2, num_layers=num_layers, bidirectional=bidirectional, rng=seed)
    xs, cells = sequence(steps, 2, seed), iter(model.cells)
    expected, lasts = xs, []
    for _ in range(num_layers):
        forward, last = Unfolded(next(cells))(expected)
        lasts.append(last)
        if bidirectional:
            backward, last = Unfolded(next(cells))(expected[::-1])
            lasts.append(last)
            forward = [one + other for one, other in zip(forward, backward[::-1])]
        expected = forward
    outputs, last = model(xs)
    assert data(outputs) == data(expected)
    if len(lasts) == 1:
        assert data(last) == data(lasts[0])
    else:
        assert data(last) == data(list(zip(*lasts)) if kind == "LSTM" else lasts)


@pytest.mark.parametrize("kind", NETWORKS)
def test_a_sequence_in_two_calls(kind):
    model, xs = NETWORKS[kind](2, 3, num_layers=2, rng=1), sequence(5, 2)
    whole, end = model(xs)
    first, state = model(xs[:2])
    second, last = model(xs[2:], state)
    assert data(whole) == data(first + second)
    assert data(end) == data(last)


@pytest.mark.parametrize("kind", NETWORKS)
def test_both_directions_see_the_whole_sequence(kind):
    model, xs = NETWORKS[kind](1, 1, bidirectional=True, rng=0), [[Value(x)] for x in (0.5, -1.0, 2.0)]
    outputs, _ = model(xs)
    for t, (forward, backward) in enumerate(outputs):
        seen, seen_backward = (set(mg.topological_sort(h)) for h in (forward, backward))
        assert [x in seen for [x] in xs] == [s <= t for s in range(3)]
        assert [x in seen_backward for [x] in xs] == [s >= t for s in range(3)]


def test_names_order_and_counts():
    model = RNN(2, 3, num_layers=2, bidirectional=True, rng=0)
    cells = list(dict.fromkeys(name.split(".")[0] for name, _ in model.named_parameters()))
    assert cells == ["cell", "cell_l0_reverse", "cell_l1", "cell_l1_reverse"]
    assert [len(cell.parameters()) for cell in model.cells] == [3 * (2 + 3 + 1)] * 2 + [3 * (6 + 3 + 1)] * 2
    assert model.cells[0] is model.cell
    assert [len(cell.weights()) for cell in model.cells] == [15, 15, 27, 27]
    assert list(RNN(1, 1, num_layers=1, bidirectional=False).state_dict()) == ["cell.u.0.0", "cell.w.0.0", "cell.b.0"]


@pytest.mark.parametrize("kind", NETWORKS)
def test_the_first_cell_is_drawn_as_that_of_one_layer(kind):
    one, several = NETWORKS[kind](2, 3, rng=7), NETWORKS[kind](2, 3, num_layers=2, bidirectional=True, rng=7)
    state = several.state_dict()
    assert {name: state[name] for name in one.state_dict()} == one.state_dict()
    weights = [w.data for w in several.weights()]
    assert len(set(weights)) == len(weights)
    _, unknown = one.load_state_dict(state, strict=False)
    assert unknown == [name for name in state if not name.startswith("cell.")]


@pytest.mark.parametrize("kind", NETWORKS)
def test_saved_loaded_pickled_and_summarised(kind, tmp_path):
    def make(rng):
        return NETWORKS[kind](2, 2, num_layers=2, bidirectional=True, dropout=0.25, rng=rng).eval()

    one, two, xs = make(0), make(1), sequence(3, 2)
    assert nn.load(two, nn.save(one, tmp_path / "model.json")) == ([], [])
    assert data(one(xs)) == data(two(xs)) == data(pickle.loads(pickle.dumps(one))(xs))
    [row] = one.summary().rows
    shape = "2 → 2 tanh" if kind == "RNN" else "2 → 2"
    assert row.shape == f"{shape}, 2 layers, bidirectional, dropout 0.25"
    assert repr(one) == f"{kind}({row.shape})"
    assert row.parameters == len(one.parameters()) == sum(len(cell.parameters()) for cell in one.cells)


def test_settings_of_the_cell_reach_every_cell():
    lstm = LSTM(1, 2, num_layers=2, bidirectional=True, forget_bias=1.5, bias=True)
    assert [b.data for cell in lstm.cells for b in cell.forget_gate.b] == [1.5] * 8
    gru = GRU(1, 2, num_layers=2, reset_after=False, bias=False, init="zeros")
    assert {p.data for p in gru.parameters()} == {0.0}
    assert all("b" not in name for name in ("".join(n.split(".")[-2:-1]) for n in gru.state_dict()))
    rnn = RNN(1, 2, "prelu", num_layers=2)
    assert [name for name, _ in rnn.named_parameters() if "slope" in name] == ["cell.f.slope", "cell_l1.f.slope"]


def test_dropout_acts_between_layers_in_training_mode():
    model = RNN(1, 1, "linear", num_layers=2, dropout=0.5, rng=3, init=lambda *_: 1.0)
    for cell in model.cells:
        cell.w[0][0].data = 0.0  # each layer passes its input on
    outputs, last = model([[1.0]] * 200)
    kept = [y.data for [y] in outputs]
    assert set(kept) == {0.0, 2.0}
    assert 60 < kept.count(0.0) < 140  # within six standard deviations of 100
    assert data(last)[0] == [1.0]  # the state of the lower layer is not dropped
    assert data(model.eval()([[1.0]] * 3)[0]) == [[1.0]] * 3
    assert data(model.train()([[1.0]] * 200)[0]) != data(outputs)


def test_dropout_is_seeded_and_refused_by_the_compiler_in_training_mode():
    def outputs():
        return data(GRU(1, 2, num_layers=2, dropout=0.5, rng=3)([[1.0]] * 4))

    assert outputs() == outputs()
    with pytest.raises(SymbolHasNoValueError, match="eval"):
        GRU(1, 2, num_layers=2, dropout=0.5, rng=3)([[Symbol("x")]])


@pytest.mark.parametrize("kind", NETWORKS)
def test_symbols_give_the_same_numbers(kind):
    model, x = NETWORKS[kind](1, 2, num_layers=2, bidirectional=True, rng=0), Symbol("x")
    outputs, _ = model([[x], [0.5]])
    assert [evaluate(h, {x: -0.25}) for row in outputs for h in row] == [
        h for row in data(model([[-0.25], [0.5]])[0]) for h in row
    ]


@pytest.mark.parametrize("kind", NETWORKS)
def test_states_of_another_shape_raise(kind):
    model = NETWORKS[kind](1, 2, num_layers=2, bidirectional=True, rng=0)
    pair = kind == "LSTM"
    name = "h in the state" if pair else "the state"
    three, short, flat = [[0.0] * 2] * 3, [[0.0] * 2, [0.0], [0.0] * 2, [0.0] * 2], [0.0] * 4
    with pytest.raises(ValueError, match=f"{name} of this network, one list for each cell, must have 4 entries, got 3"):
        model([[1.0]], (three, three) if pair else three)
    with pytest.raises(ValueError, match=f"{name} of cell_l0_reverse must have 2 entries, got 1"):
        model([[1.0]], (short, short) if pair else short)
    with pytest.raises(TypeError, match=f"{name} of cell must be a list of 2 entries"):
        model([[1.0]], (flat, flat) if pair else flat)
    with pytest.raises(ValueError, match=r"xs\[1\], the input at time step 1, must have 1 entry, got 2"):
        model([[1.0], [1.0, 2.0]])
    with pytest.raises(ValueError, match="at least one time step"):
        model([])


def test_the_state_of_several_lstm_cells_is_a_pair():
    with pytest.raises(ValueError, match=r"the state of this network, the pair \(h, c\), must have 2 entries, got 3"):
        LSTM(1, 2, num_layers=3)([[1.0]], [[0.0] * 2] * 3)


@pytest.mark.parametrize("make", NETWORKS.values())
@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"num_layers": 0}, ValueError, "num_layers must be a whole number >= 1"),
        ({"num_layers": 2.0}, TypeError, "num_layers must be a whole number"),
        ({"bidirectional": 1}, TypeError, "bidirectional must be True or False"),
        ({"num_layers": 2, "dropout": 1.0}, ValueError, "dropout must be a number >= 0 and < 1"),
        ({"dropout": 0.5}, ValueError, "needs num_layers >= 2, got dropout=0.5 and one layer"),
    ],
)
def test_settings_out_of_range_raise(make, settings, error, message):
    with pytest.raises(error, match=message):
        make(2, 3, **settings)

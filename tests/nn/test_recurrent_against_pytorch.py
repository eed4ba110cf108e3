"""RNN, LSTM and GRU against PyTorch: outputs, states and every gradient."""

import pytest
from peer_records import as_recorded, peer_record

import microgradlib as mg
from microgradlib import Value, grad_table
from microgradlib.nn.recurrent import GRU, LSTM, RNN

RECORDED = peer_record("recurrent")
GATES = {
    "LSTM": ["input_gate", "forget_gate", "candidate", "output_gate"],
    "GRU": ["reset_gate", "update_gate", "candidate"],
}
"""In the order in which PyTorch stacks their rows."""
each_case = pytest.mark.parametrize(
    "case", RECORDED["cases"], ids=lambda case: f"{case['kind']} {case['nin']}-{case['nhidden']}"
)


def by_our_names(case, numbers):
    """PyTorch's stacked rows as a state_dict of ours: the recorded weights, or their gradients."""
    n, named = case["nhidden"], {}
    for k, gate in enumerate(GATES.get(case["kind"], [""])):
        path = f"cell.{gate}." if gate else "cell."
        two_biases = case["kind"] == "GRU" and gate == "candidate"
        for i in range(n):
            row = k * n + i
            named.update({f"{path}u.{i}.{j}": x for j, x in enumerate(numbers["weight_ih"][row])})
            named.update({f"{path}w.{i}.{j}": x for j, x in enumerate(numbers["weight_hh"][row])})
            named[f"{path}b.{i}"] = numbers["bias_ih"][row]
            if two_biases:
                named[f"{path}c.{i}"] = numbers["bias_hh"][row]
    return named


def network(case):
    """Our network with the recorded weights."""
    kind, _, activation = case["kind"].partition(" ")
    sizes = case["nin"], case["nhidden"]
    made = RNN(*sizes, activation, rng=0) if kind == "RNN" else {"LSTM": LSTM, "GRU": GRU}[kind](*sizes, rng=0)
    made.load_state_dict(by_our_names(case, case["weights"]))
    return made


def run(case, model):
    """Return the inputs, the states before, the outputs, the states after, as lists of lists of Values."""
    xs = [[Value(x) for x in row] for row in case["xs"]]
    before = None if case["state"] is None else [[Value(s) for s in row] for row in case["state"]]
    several = case["kind"] == "LSTM"
    outputs, last = model(xs, before if several or before is None else before[0])
    return xs, before, outputs, list(last) if several else [last]


def data(rows):
    return [[x.data for x in row] for row in rows]


def assert_same(rows, recorded):
    assert len(rows) == len(recorded)
    for row, numbers in zip(rows, recorded):
        assert row == as_recorded(numbers)


@each_case
def test_values_and_every_gradient(case):
    model = network(case)
    xs, before, outputs, last = run(case, model)
    assert_same(data(outputs), case["outputs"])
    assert_same(data(last), case["last"])

    terms = zip([*case["factors"], *case["last_factors"]], [*outputs, *last])
    cost = mg.sum([k * s for factors, row in terms for k, s in zip(factors, row)])
    assert cost.data == as_recorded(case["cost"])
    table = grad_table(cost)
    assert_same([[table[x] for x in row] for row in xs], case["xs_gradients"])
    if before is not None:
        assert_same([[table[s] for s in row] for row in before], case["state_gradients"])
    expected = by_our_names(case, case["gradients"])
    assert {name: table[p] for name, p in model.named_parameters()} == as_recorded(expected)

    cost.backward()
    assert {name: p.grad for name, p in model.named_parameters()} == as_recorded(expected)


def test_every_kind_and_a_single_unit_are_recorded():
    kinds = {case["kind"] for case in RECORDED["cases"]}
    assert kinds == {"RNN tanh", "RNN relu", "LSTM", "GRU"}
    assert all(any(c["nhidden"] == 1 and c["kind"] == kind for c in RECORDED["cases"]) for kind in kinds)
    assert all(any(len(c["xs"]) == 1 and c["kind"] == kind for c in RECORDED["cases"]) for kind in kinds)


PAIRS = [(kind, a, b) for kind, gates in GATES.items() for i, a in enumerate(gates) for b in gates[i + 1 :]]


@pytest.mark.parametrize(("kind", "one", "other"), PAIRS)
def test_swapping_two_gates_is_noticed(kind, one, other):
    case = next(c for c in RECORDED["cases"] if c["kind"] == kind and c["state"] is not None)
    model = network(case)
    first, second = getattr(model.cell, one), getattr(model.cell, other)
    for ours, theirs in zip([*first.weights()], [*second.weights()]):
        ours.data, theirs.data = theirs.data, ours.data
    *_, outputs, _ = run(case, model)
    assert max(abs(y - t) for y, t in zip(data(outputs)[0], case["outputs"][0])) > 1e-3


@pytest.mark.parametrize("kind", ["RNN tanh", "LSTM", "GRU"])
def test_transposed_recurrent_weights_are_noticed(kind):
    case = next(c for c in RECORDED["cases"] if c["kind"] == kind and c["nhidden"] > 1)
    model = network(case)
    gate = model.cell if kind == "RNN tanh" else model.cell.candidate
    gate.w[0][1].data, gate.w[1][0].data = gate.w[1][0].data, gate.w[0][1].data
    *_, outputs, _ = run(case, model)
    assert max(abs(y - t) for y, t in zip(data(outputs)[-1], case["outputs"][-1])) > 1e-3

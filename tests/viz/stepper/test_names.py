"""Names in the stepper: the book's notation where paths tell it, each full name once."""

from hypothesis import given, strategies as st

from microgradlib import Value, tanh
from microgradlib.nn import MLP, RNN, Layer, Neuron
from microgradlib.viz.boxes.groups import find_groups
from microgradlib.viz.snapshots.capture import capture
from microgradlib.viz.snapshots.snapshot import Snapshot, SnapshotNode
from microgradlib.viz.stepper.tapes.names import name_nodes


def names_of(output, **options):
    snapshot, _ = capture(output, **options)
    found = name_nodes(find_groups(snapshot))
    return {node.name: name.full for node, name in zip(snapshot.nodes, found) if node.name}


def test_weights_of_a_network_have_the_indices_of_unit_and_input_and_the_number_of_the_layer():
    model = MLP(2, [12, 1], rng=0)
    names = names_of(model([1.0, 2.0]) * 2, model=model)
    assert names["layers.0.neurons.2.w.1"] == "w₂₁⁽¹⁾"
    assert names["layers.0.neurons.11.w.1"] == "w₁₁,₁⁽¹⁾"
    assert names["layers.0.neurons.11.b"] == "b₁₁⁽¹⁾"
    assert names["layers.1.neurons.0.w.3"] == "w₃⁽²⁾"
    assert names["x.0"] == "x₀"


def test_parameters_of_other_modules():
    neuron, layer = Neuron(2, rng=0), Layer(2, 2, rng=0)
    assert names_of(neuron([1.0, 2.0]), model=neuron)["w.1"] == "w₁"
    a, b = layer([1.0, 2.0])
    assert names_of(a + b, model=layer)["neurons.1.w.0"] == "w₁₀"


def test_units_of_recurrent_cells_have_the_number_of_their_step():
    model = RNN(1, 2, rng=0)
    outputs, _ = model([[0.5], [0.25]])
    snapshot, _ = capture(outputs[1][0] + outputs[1][1], names={})
    full = {name.full for name in name_nodes(find_groups(snapshot))}
    assert {"a₀⁽¹⁾", "a₁⁽¹⁾", "a₀⁽²⁾", "a₁⁽²⁾"} <= full
    values = {name.full: node.data for node, name in zip(snapshot.nodes, name_nodes(find_groups(snapshot)))}
    assert (values["x₀⁽¹⁾"], values["x₀⁽²⁾"]) == (0.5, 0.25)


def test_two_nodes_of_one_label_are_told_apart():
    x, other = Value(1.0, label="x"), Value(2.0, label="x")
    snapshot, _ = capture(x * other + x, names={})
    assert [name.full for name in name_nodes(find_groups(snapshot))] == ["x", "x₂", "u1", "u2"]


def test_labels_are_set_as_mathematics():
    x, theta, out = Value(1.0, label="x_1^(2)"), Value(2.0, label=r"\theta"), Value(3.0, label="w_out")
    assert list(names_of(x * theta * out, names={}).values())[:3] == ["x₁⁽²⁾", "θ", "w_out"]


def test_generated_names_avoid_labels():
    x = Value(1.0, label="u1")
    snapshot, _ = capture(tanh(x), names={})
    assert [name.full for name in name_nodes(find_groups(snapshot))] == ["u1", "u2"]


@given(st.lists(st.sampled_from(["x", "x₂", "x₂⁽²⁾", "a⁽¹⁾", "w.0", "u1", "", "x.0"]), max_size=12))
def test_full_names_are_unique(labels):
    leaves = [SnapshotNode(i, "input", label) for i, label in enumerate(labels)]
    output = SnapshotNode(len(labels), "output", op="Σ", parents=tuple(range(len(labels))) or (), op_name="sum")
    names = [name.full for name in name_nodes(find_groups(Snapshot((*leaves, output), (len(labels),))))]
    assert len(set(names)) == len(names)


def test_many_nodes_of_one_label_are_numbered():
    leaves = [SnapshotNode(i, "input", "x") for i in range(20_000)]
    output = SnapshotNode(20_000, "output", op="Σ", parents=tuple(range(20_000)))
    groups = find_groups(Snapshot((*leaves, output), (20_000,)))
    assert name_nodes(groups)[19_999].full == "x₂₀₀₀₀"

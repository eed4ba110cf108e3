"""Which ops are a neuron: a dot, or products and sums, with a function after it; and which leaves are its rows."""

from scoped_graphs import Layers, Recorder, batch, plain

from microgradlib import Value, dot, exp, tanh
from microgradlib.viz.boxes.absorption import absorb
from microgradlib.viz.boxes.groups import find_groups


def found(snapshot):
    return absorb(find_groups(snapshot))


def named(snapshot, indices):
    return sorted(snapshot.nodes[i].name for i in indices)


def values(*names):
    return [Value(0.1 * (k + 1), label=name) for k, name in enumerate(names)]


def test_calls_of_neurons_are_neurons_and_so_is_a_layer_of_one():
    snapshot = batch(1)
    absorbed = found(snapshot)
    assert sorted(scope.name for scope in absorbed.neurons) == [
        "layers.1", "neurons.0", "neurons.0", "neurons.1", "neurons.2",
    ]  # fmt: skip
    neuron = next(neuron for scope, neuron in absorbed.neurons.items() if scope.name == "neurons.1")
    assert [snapshot.nodes[weight.parameter].name for weight in neuron.weights] == [
        "layers.0.neurons.1.w.0", "layers.0.neurons.1.w.1", "layers.0.neurons.1.b",
    ]  # fmt: skip
    edges = [weight.edge for weight in neuron.weights]
    assert edges == [(neuron.net_input, 2), (neuron.net_input, 3), None]
    assert [snapshot.nodes[i].op for i in neuron.functions] == ["tanh"]


def test_products_and_sums_are_the_same_neuron_as_a_dot():
    w1, w2, b, x1, x2 = values("w1", "w2", "b", "x1", "x2")
    other = tanh(x1 * 2.0 + x2 * 3.0)  # so that the inputs are read more often than the weights
    snapshot = plain(tanh(w1 * x1 + x2 * w2 + b) + other)
    absorbed = found(snapshot)
    assert named(snapshot, absorbed.parameters) == ["b", "w1", "w2"]
    neuron = next(iter(absorbed.loose.values()))
    assert [snapshot.nodes[weight.parameter].name for weight in neuron.weights] == ["w1", "w2", "b"]
    assert [snapshot.nodes[i].op for i in neuron.nodes] == ["×", "×", "+", "+", "tanh"]


def test_weights_and_inputs_that_cannot_be_told_apart_are_boxes():
    w, x, b = values("w", "x", "b")
    assert not found(plain(tanh(w * x + b))).loose


def test_a_dot_of_named_leaves_reads_its_weights_first():
    w1, w2, x1, x2, b = values("w1", "w2", "x1", "x2", "b")
    hidden = [tanh(dot([w1, w2], [x1, x2], b)), tanh(dot([x2, x1], [x1, x2]))]
    snapshot = plain(*hidden)
    assert named(snapshot, found(snapshot).parameters) == ["b", "w1", "w2"]


def test_a_weight_that_is_read_in_another_way_too_is_a_box():
    w1, w2, x1, x2 = values("w1", "w2", "x1", "x2")
    h = tanh(w1 * tanh(x1) + w2 * tanh(x2))
    snapshot = plain(h + exp(w1))
    absorbed = found(snapshot)
    assert "w1" not in named(snapshot, absorbed.parameters)
    every_use = {weight.use for neuron in absorbed.loose.values() for weight in neuron.weights}
    for i in absorbed.parameters:
        assert all(
            (node.index, place) in every_use
            for node in snapshot.nodes
            for place, parent in enumerate(node.parents)
            if parent == i
        )


def test_a_bias_that_is_added_elsewhere_too_is_a_box():
    w1, w2, b, x1, x2 = values("w1", "w2", "b", "x1", "x2")
    snapshot = plain(tanh(w1 * tanh(x1) + w2 * tanh(x2) + b) * exp(tanh(x1 * x2) + b))
    absorbed = found(snapshot)
    assert named(snapshot, absorbed.parameters) == ["w1", "w2"]
    assert {weight.parameter for neuron in absorbed.loose.values() for weight in neuron.weights} == absorbed.parameters


def test_leaves_times_numbers_are_weights_only_if_several_sums_read_them():
    (x,) = values("x")
    z = x * 0.9 + x * 0.2
    assert not found(plain(tanh(z * 0.9 + z * 0.2))).loose
    assert not found(plain(tanh(2.0 * x + 1.0))).loose
    w, b = values("w", "b")
    snapshot = plain((w * 1.0 + b) * (w * 2.0 + b))
    assert named(snapshot, found(snapshot).parameters) == ["b", "w"]


def test_a_state_times_numbers_is_no_weight_of_a_sum_without_a_bias():
    s1, s2, s3 = values("s1", "s2", "s3")
    assert not found(plain(tanh(2.0 * s1 - 1.0 * s2), tanh(3.0 * s2 + 4.0 * s3), tanh(0.5 * s1 + s3 * 2.0))).parameters


def test_one_leaf_times_another_is_no_neuron():
    x, y = values("x", "y")
    assert not found(plain(tanh(x * y + 1.0) + y * 2.0)).loose
    recorder = Recorder()
    with recorder.scope("block"):
        z = recorder.note(tanh(recorder.note(recorder.note(x * 1.1) + 0.1)))
    assert not found(recorder.snapshot(z)).neurons


def test_attributes_of_one_object_times_numbers_are_weights():
    w0, w1, b = values("net.neurons[0].w[0]", "net.neurons[0].w[1]", "net.neurons[0].b")
    assert len(found(plain(tanh(w0 * 2.0 + w1 * 3.0 + b))).parameters) == 3


def test_an_addend_outside_of_neurons_is_a_box():
    a, b = values("a", "b")
    assert not found(plain(tanh(a) + b)).parameters


def test_a_group_with_other_ops_is_no_neuron():
    recorder = Recorder()
    w = recorder.leaf(0.5, "layer.w", "parameter")
    x = recorder.leaf(1.0, "x")
    with recorder.scope("layer", "module", "layer") as scope:
        y = recorder.note(recorder.note(exp(x)) * w)
        z = recorder.note(y + recorder.note(exp(y)))
    absorbed = found(recorder.snapshot(z))
    assert scope not in absorbed.neurons
    assert len(absorbed.parameters) == 1  # still a row, of the product


def test_a_parameter_read_outside_its_module_is_a_row_there_too():
    recorder = Recorder()
    model = Layers(recorder, (1, 1))
    x = recorder.leaf(1.0, "x")
    y = model([x])[0]
    penalty = recorder.note(model.weights[0][0][0][0] ** 2)
    snapshot = recorder.snapshot(recorder.note(y + penalty))
    assert named(snapshot, found(snapshot).parameters) == ["layers.0.neurons.0.b", "layers.0.neurons.0.w.0"]


def test_a_net_input_that_is_read_elsewhere_too_is_still_in_its_neuron():
    recorder = Recorder()
    w, x = recorder.leaf(0.5, "layer.w", "parameter"), recorder.leaf(1.0, "x")
    with recorder.scope("layer", "neuron", "layer") as scope:
        z = recorder.note(dot([w], [x]))
        h = recorder.note(tanh(z))
    neuron = found(recorder.snapshot(recorder.note(h * z))).neurons[scope]
    assert len(neuron.nodes) == 2


def test_a_product_alone_is_no_neuron():
    recorder = Recorder()
    w, x = recorder.leaf(0.5, "m.w", "parameter"), recorder.leaf(1.0, "x")
    assert not found(recorder.snapshot(recorder.note(tanh(recorder.note(w * x))))).loose


def test_nameless_numbers_stand_in_the_op_unless_it_has_no_other_operand():
    x = Value(2.0, label="x")
    snapshot = plain(x * 0.25 + 1.0)
    assert [snapshot.nodes[i].data for i in found(snapshot).numbers] == [0.25, 1.0]
    assert not found(plain(Value(2.0) * Value(3.0))).numbers


def test_a_long_chain_of_sums_is_read_once():
    total = Value(0.5, label="x")
    for _ in range(3_000):
        total = total + 1.0
    assert not found(plain(total)).loose

"""Scopes of nodes: modules, layers and neurons, time steps, heads, softmax, costs, examples, blocks."""

import contextlib
import copy
import pickle
import threading

import pytest

import microgradlib as mg
from microgradlib import Symbol, Value, mean, scope
from microgradlib.costs import cross_entropy, hinge, squared_error
from microgradlib.nn import (
    GRU,
    LSTM,
    MLP,
    RNN,
    CausalSelfAttention,
    Conv1d,
    Conv2d,
    Layer,
    LSTMCell,
    Module,
    Neuron,
    RNNCell,
    Sequential,
    functional_call,
)  # fmt: skip
from microgradlib.viz.snapshots.capture import capture, snapshot
from microgradlib.viz.snapshots.records import DEEPEST


def path(node):
    return " > ".join(scope.name for scope in node.scopes)


def paths(shot):
    """Return the different scopes of the nodes of ops, in the order of the nodes."""
    return list(dict.fromkeys(path(node) for node in shot.nodes if node.parents))


def leaves(shot, kind):
    return {node.name: node.data for node in shot.nodes if node.kind == kind}


@pytest.mark.parametrize("expand", [False, True])
def test_an_mlp_has_layers_and_neurons(expand):
    model = MLP(2, [2, 1], activation="tanh", rng=0, expand=expand)
    loss = squared_error(model([0.5, -1.0]), 1.0)
    shot = snapshot(loss)
    assert set(paths(shot)) == {
        "model > layers.0 > neurons.0", "model > layers.0 > neurons.1", "model > layers.1 > neurons.0", "squared error",
    }  # fmt: skip
    neuron = next(node for node in shot.nodes if path(node).endswith("layers.0 > neurons.1")).scopes
    assert [(scope.kind, scope.path, scope.formula) for scope in neuron] == [
        ("module", "", ""), ("layer", "layers.0", "tanh(W x + b)"),
        ("neuron", "layers.0.neurons.1", "tanh(w x + b)"),
    ]  # fmt: skip
    assert [scope.parent for scope in neuron] == [None, *neuron[:2]]
    assert leaves(shot, "input") == {"x.0": 0.5, "x.1": -1.0}
    assert leaves(shot, "target") == {"y": 1.0}


def test_nodes_of_one_neuron_share_one_scope_object():
    model = MLP(2, [2, 1], activation="tanh", rng=0)
    y = model([0.5, -1.0])
    neurons = [node.scopes[-1] for node in snapshot(y).nodes if path(node).endswith("layers.0 > neurons.1")]
    assert len(neurons) == 2
    assert neurons[0] is neurons[1]


def test_a_model_called_twice_has_two_scopes():
    model = MLP(1, [1], rng=0)
    y = model([1.0]) - model([2.0])
    scopes = [node.scopes[0] for node in snapshot(y).nodes if node.scopes]
    assert [scope.name for scope in scopes] == ["model", "model"]
    assert scopes[0] is not scopes[1]


def test_a_model_is_drawn_though_nothing_refers_to_it():
    assert leaves(snapshot(MLP(1, [1], rng=0)([2.0])), "parameter").keys() == {
        "layers.0.neurons.0.w.0", "layers.0.neurons.0.b",
    }  # fmt: skip


def test_an_activation_after_a_layer_is_not_the_neuron_s():
    layer = Layer(1, 2, "linear", rng=0)
    y = mg.sum([z.tanh() for z in layer([1.0])])
    by_op = {node.op_name: path(node) for node in snapshot(y).nodes if node.parents}
    assert by_op == {"dot": "layer > neurons.1", "tanh": "", "sum": ""}


@pytest.mark.parametrize("activation", ["relu", "prelu", "sigmoid", "leaky_relu", "gelu", "linear", "softplus", "abs"])
def test_the_activation_is_the_neuron_s(activation):
    neuron = Neuron(2, activation, rng=0)
    y = neuron([1.0, 2.0]) * 1.0
    inside = [node for node in snapshot(y).nodes if node.parents][:-1]
    assert len(inside) == 1 + (activation != "linear")
    assert {path(node) for node in inside} == {"neuron"}


def test_softmax_stands_inside_its_layer():
    layer = Layer(2, 3, "softmax", rng=0)
    p = layer([0.5, -1.0])
    loss = -mg.log(p[0])
    shot = snapshot(loss)
    assert set(paths(shot)) == {*[f"layer > neurons.{i}" for i in range(3)], "layer > softmax", ""}
    assert leaves(shot, "constant") == {"largest less itself": 0.0}


@pytest.mark.parametrize("function", [mg.softmax, mg.log_softmax])
def test_a_softmax_of_any_numbers_is_a_scope(function):
    z = [Value(0.5), Value(2.0), Value(1.0)]
    p = function(z)
    y = mg.sum([w * x for w, x in zip([2.0, 3.0, 4.0], p)])
    names = {"softmax": "softmax", "log_softmax": "log softmax"}
    inside = {node.op_name for node in snapshot(y).nodes if path(node) == names[function.__name__]}
    assert inside == ({"sub", "exp", "sum", "div"} if function is mg.softmax else {"sub", "logsumexp"})


def test_a_softmax_of_symbols_names_the_largest():
    p = mg.softmax([Symbol("a"), Symbol("b")])
    assert [node.name for node in snapshot(p[0]).nodes if node.op_name == "detach"] == ["largest"]


def test_a_quotient_that_is_no_softmax_is_no_scope():
    a, b, c = Value(1.0), Value(2.0), Value(3.0)
    e = [mg.exp(a), mg.exp(b), mg.exp(c)]
    y = e[0] / mg.sum(e[1:])
    z = mg.exp(a - b) / mg.sum([mg.exp(a - b), mg.exp(b - c)])
    assert paths(snapshot(y)) == paths(snapshot(z)) == [""]


@pytest.mark.parametrize("network", [RNN, LSTM, GRU])
def test_time_steps_are_numbered(network):
    net, readout = network(1, 2, rng=0), Layer(2, 1, "linear", rng=1)
    states, _ = net([[0.5], [-1.0], [2.0]])
    loss = squared_error(readout(states[-1]), 1.0)
    shot = snapshot(loss)
    steps = list(
        dict.fromkeys(node.scopes[0].name for node in shot.nodes if node.scopes and node.scopes[0].kind == "step")
    )
    assert steps == ["step 1", "step 2", "step 3"]
    assert {node.scopes[0].path for node in shot.nodes if node.scopes and node.scopes[0].kind == "step"} == {"net.cell"}
    assert {path(node) for node in shot.nodes if node.name == "loss"} == {"squared error"}
    assert sorted(x for name, x in ((n.name, n.data) for n in shot.nodes) if name == "x.0") == [-1.0, 0.5, 2.0]


def test_gates_are_layers_in_their_step():
    cell = LSTMCell(1, 1, rng=0)
    state = cell([0.5])
    (h,), _ = cell([1.0], state)
    gates = {node.scopes[1].name for node in snapshot(h).nodes if len(node.scopes) > 1}
    assert gates == {"input_gate", "forget_gate", "candidate", "output_gate"}


def test_a_step_that_the_user_frames_is_named_by_its_path():
    cell, state = RNNCell(1, 1, rng=0), None
    for t in range(2):
        with scope(f"step {t + 1}"):
            state = cell([0.5], state)
    y = state[0] * 2
    assert [path(node) for node in snapshot(y).nodes if node.op_name == "tanh"] == [
        "step 1 > cell > unit 0", "step 2 > cell > unit 0",
    ]  # fmt: skip


def test_one_call_of_a_cell_is_no_step():
    cell = RNNCell(1, 1, rng=0)
    y = cell([0.5])[0]
    assert paths(snapshot(y)) == ["cell > unit 0"]


def test_heads_of_attention():
    attention = CausalSelfAttention(4, heads=2, rng=0)
    outputs = attention([[0.1, 0.2, 0.3, 0.4], [0.5, 0.6, 0.7, 0.8]])
    shot = snapshot(outputs[1])
    found = set(paths(shot))
    assert found >= {f"attention > head {k} > softmax" for k in (0, 1)} | {"attention > q > neurons.3"}
    assert {node.name for node in shot.nodes if node.kind == "constant"} == {"1/√d", "largest less itself"}
    assert sorted(leaves(shot, "input").items()) == [
        ("x.0.0", 0.1), ("x.0.1", 0.2), ("x.0.2", 0.3), ("x.0.3", 0.4),
        ("x.1.0", 0.5), ("x.1.1", 0.6), ("x.1.2", 0.7), ("x.1.3", 0.8),
    ]  # fmt: skip
    assert sum(node.kind == "input" for node in shot.nodes) == 8


def test_attention_with_a_cache_leaves_earlier_positions_to_their_call():
    attention, cache = CausalSelfAttention(2, rng=0), []
    attention([[0.1, 0.2]], cache)
    y = attention([[0.3, 0.4]], cache)[0][0]
    shot = snapshot(y)
    keys = [node for node in shot.nodes if node.scopes and node.scopes[-1].path == "k.neurons.0"]
    assert sorted(path(node) for node in keys) == ["attention > k > neurons.0", "k > neurons.0"]


def test_a_penalty_is_no_example():
    model = MLP(1, [1], rng=0)
    loss = (model([0.5]) - 1) ** 2 + 0.01 * mg.sum([p * p for p in model.parameters()])
    assert all(scope.kind != "example" for node in snapshot(loss).nodes for scope in node.scopes)


def test_numbers_given_to_convolutions_are_inputs_in_their_places():
    image = Conv2d(1, 1, 2, rng=0)([[[1.0, 2.0], [3.0, 4.0]]])[0][0][0]
    assert leaves(snapshot(image), "input") == {"x.0.0.0": 1.0, "x.0.0.1": 2.0, "x.0.1.0": 3.0, "x.0.1.1": 4.0}
    signal = Conv1d(1, 1, 2, rng=0)([[1.0, 2.0, 3.0]])[0][1]
    assert leaves(snapshot(signal), "input") == {"x.0.1": 2.0, "x.0.2": 3.0}


class Net(Module):
    def __init__(self):
        self.first, self.second = Layer(1, 2, "tanh", rng=0), Neuron(2, "linear", rng=1)
        self.memory = []

    def __call__(self, x):
        hidden = [mg.sin(h) for h in self.first(x)]
        with scope("tail", formula="2 z"):
            self.memory.append(self.second(hidden) * 2)
        return mg.sum(self.memory)


def test_modules_of_a_user_hold_layers_blocks_and_nodes_of_their_own():
    net = Net()
    y = net([0.5]) + 1
    assert set(paths(snapshot(y))) == {
        "net > first > neurons.0", "net > first > neurons.1", "net", "net > tail > second", "net > tail", "",
    }  # fmt: skip


def test_a_module_that_reads_its_state_does_not_swallow_its_former_calls():
    net = Net()
    net([0.5])
    y = net([1.0])
    scopes = [node.scopes[0] for node in snapshot(y, model=net).nodes if node.op_name == "tanh"]
    assert scopes[0] is scopes[1]  # the call whose nodes the state is: the first call's output, its sum, is gone
    net = Net()
    first = net([0.5])
    y = net([1.0])
    scopes = [node.scopes[0] for node in snapshot(first, y, model=net).nodes if node.op_name == "sin"]
    assert len({id(scope) for scope in scopes}) == 2


def test_sequential_names_modules_by_their_places():
    model = Sequential(Layer(1, 2, "tanh", rng=0), lambda xs: [x * x for x in xs], Neuron(2, rng=1))
    y = model([0.5])
    assert set(paths(snapshot(y))) == {
        "model > modules.0 Layer > neurons.0", "model > modules.0 Layer > neurons.1", "model",
        "model > modules.2 Neuron",
    }  # fmt: skip


def test_blocks_around_calls_and_their_kinds():
    model = MLP(1, [1], rng=0)
    with scope("example 1"):
        y = model([1.0])
    with scope("layer1", formula="y²"):
        z = y * y
    shot = snapshot(z)
    assert paths(shot) == ["example 1 > model > layers.0 > neurons.0", "layer1"]
    assert [node.scopes[0].kind for node in shot.nodes if node.parents] == ["example", "layer"]
    assert shot.nodes[-1].scopes[0].formula == "y²"


# examples


def term(model, x, y):
    return (model(x) - y) ** 2


@pytest.mark.parametrize(
    "loss",
    [
        lambda model: mean([term(model, [0.1 * k], 1.0) for k in range(3)]),
        lambda model: mg.sum([term(model, [0.1 * k], 1.0) for k in range(3)]) / 3,
        lambda model: sum(term(model, [0.1 * k], 1.0) for k in range(3)) * 0.5,
        lambda model: mean([hinge(model([0.1 * k]), 1) for k in range(3)]),
        lambda model: squared_error([[model([0.1 * k])] for k in range(3)], [[1.0]] * 3),
        lambda model: mean([term(model, [0.1 * k], 1.0) for k in range(3)]) + mg.regularisers.L2(0.1)(model),
    ],
)
def test_terms_of_one_model_are_examples(loss):
    model = MLP(1, [2, 1], rng=0)
    total = loss(model)
    shot = snapshot(total)
    examples = list(dict.fromkeys(n.scopes[0] for n in shot.nodes if n.scopes and n.scopes[0].kind == "example"))
    assert [scope.name for scope in examples] == ["example 1", "example 2", "example 3"]
    for number, example in enumerate(examples):
        inside = [node for node in shot.nodes if example in node.scopes]
        assert [node.data for node in inside if node.name == "x.0"] == [0.1 * number]
        assert any(node.scopes[1:2] and node.scopes[1].name == "model" for node in inside)
    assert all(
        not node.scopes or node.scopes[0] in examples or node.scopes[0].kind == "function" for node in shot.nodes
    )


def test_terms_that_share_nodes_or_read_other_parameters_are_no_examples():
    model, other = MLP(1, [2], rng=0), MLP(1, [2], rng=1)
    shared = mean([z * z for z in model([0.5])])
    components = mg.sum([model.layers[0].neurons[0]([0.5]), model.layers[0].neurons[1]([0.5])])
    models = mean([model([0.5])[0], other([0.5])[0]])
    values = mean([Value(1.0) * 2, Value(2.0) * 2])
    x = [Value(1.0)]
    same_point = mean([model(x)[0], model(x)[0]])
    for y in (shared, components, models, values, same_point):
        assert all(scope.kind != "example" for node in snapshot(y).nodes for scope in node.scopes)


def test_blocks_of_the_user_tell_the_examples_already():
    model, errors = MLP(1, [1], rng=0), []
    for k in range(2):
        with scope(f"point {k}"):
            errors.append(term(model, [0.1 * k], 1.0))
    loss = mean(errors)
    assert {node.scopes[0].name for node in snapshot(loss).nodes if node.scopes} == {"point 0", "point 1"}


def test_the_mean_of_a_batch_stands_outside_of_its_examples():
    model = MLP(1, [2], rng=0)
    loss = cross_entropy([model([0.1]), model([0.2])], [0, 1])
    shot = snapshot(loss)
    assert paths(shot)[-1] == ""
    assert {path(node) for node in shot.nodes if node.op_name == "neg_log_softmax"} == {
        "example 1 > cross-entropy", "example 2 > cross-entropy",
    }  # fmt: skip


# beside other parts


@pytest.mark.parametrize("k", range(4))
def test_one_output_of_several_is_enough(k):
    model = MLP(1, [2, 4], rng=0)
    y = model([0.5])[k]
    assert set(paths(snapshot(y))) == {
        "model > layers.0 > neurons.0", "model > layers.0 > neurons.1", f"model > layers.1 > neurons.{k}",
    }  # fmt: skip


def test_of_many_outputs_the_layers_are_known_though_only_one_is_left():
    model = MLP(1, [2, 9], rng=0)
    y = model([0.5])[4]
    assert set(paths(snapshot(y))) == {"layers.0 > neurons.0", "layers.0 > neurons.1", "layers.1 > neurons.4"}
    outputs = model([0.5])
    assert all(path.startswith("model > ") for path in paths(snapshot(outputs[4])))


class Doubled(MLP):
    def __call__(self, x):
        return super().__call__(x) * 2


def test_a_call_of_the_base_class_is_no_scope_of_its_own():
    model = Doubled(2, [1], rng=0)
    y = model([1.0, 2.0])
    paths = [[scope.name for scope in node.scopes] for node in capture(y).snapshot.nodes if node.parents]
    assert paths == [["model", "layers.0", "neurons.0"], ["model"]]


@pytest.mark.parametrize("activation", ["relu", "tanh", "prelu", "logistic"])
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_the_activations_of_a_copied_model_are_its_neurons(copied, activation):
    neuron = copied(Neuron(1, activation, rng=0))
    y = neuron([1.0])
    assert all(
        [scope.name for scope in node.scopes] == ["neuron"] for node in capture(y).snapshot.nodes if node.parents
    )


def test_copies_of_a_graph_have_no_wrong_scopes():
    model = MLP(1, [1], rng=0)
    loss = squared_error(model([0.5]), 1.0)
    copied = copy.deepcopy(loss)
    assert paths(snapshot(copied)) == [""]


def test_functional_call_names_what_stands_for_parameters():
    model = MLP(1, [1], rng=0)
    w, b = Value(2.0, label="w"), Value(0.5, label="b")
    y = functional_call(model, [w, b], [3.0])
    shot = snapshot(y)
    assert {"w", "b"} <= {node.name for node in shot.nodes}
    assert not any(node.name.startswith("layers") for node in shot.nodes)


class Scaled(Module):
    def __init__(self):
        self.w = Value(2.0)

    def __call__(self, x):
        return self.w * x


class Shifted(Scaled):
    def __call__(self, x):
        return mg.tanh(self.w * x) + mg.exp(self.shift)


def test_what_a_variable_held_before_is_not_inside_a_call_that_reads_it():
    model, a = Shifted(), Value(3.0)
    shift = (a * 2).relu()
    model.shift = shift
    y = model(Value(1.0))
    assert paths(snapshot(y)) == ["model", ""]
    found = capture(y)
    scopes = {node: path(shown) for node, shown in zip(found.nodes, found.snapshot.nodes)}
    assert [scopes[node] for node in (shift, *shift.parents)] == ["", ""]
    assert scopes[y] == scopes[y.parents[0]] == "model"


def test_what_a_call_computes_from_constants_and_parameters_is_inside_it():
    model = Shifted()
    model.shift = model.w * 2
    y = model(Value(1.0))
    shot = snapshot(y)
    assert paths(shot) == ["model"]
    model.shift = 0.5
    y = model(1.0)
    assert paths(snapshot(y)) == ["model"]


class Twin(Module):
    def __init__(self):
        self.layer = Layer(1, 1, "tanh", rng=0)

    def __call__(self, x, z):
        return self.layer([x]) + self.layer([z])


def test_a_sum_in_a_model_has_no_examples():
    model = Twin()
    y = model(1.0, 2.0)
    assert paths(snapshot(y)) == ["model > layer > neurons.0", "model"]


def test_functional_call_does_not_swallow_how_its_parameters_were_made():
    model = Sequential(Scaled(), Scaled())
    doubled = {name: parameter * 2 for name, parameter in model.named_parameters()}
    y = functional_call(model, doubled, Value(1.0)) + functional_call(model, doubled, Value(3.0))
    found = capture(y)
    scopes = {node: path(shown) for node, shown in zip(found.nodes, found.snapshot.nodes)}
    assert [scopes[node] for node in doubled.values()] == ["", ""]
    assert {scopes[node] for node in y.parents} == {"model > modules.1 Scaled"}
    assert {scopes[node.parents[1]] for node in y.parents} == {"model > modules.0 Scaled"}


def test_calls_in_threads_keep_to_themselves():
    model, outputs = MLP(1, [2, 1], rng=0), []
    threads = [threading.Thread(target=lambda k=k: outputs.append(model([float(k)]))) for k in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    total = mg.sum(outputs)
    assert len({id(node.scopes[1]) for node in snapshot(total).nodes if len(node.scopes) > 1}) == 3


def test_capturing_changes_nothing():
    model = MLP(1, [2, 1], rng=0)
    loss = squared_error(model([0.5]), 1.0)
    loss.backward()
    first, listed = capture(loss)
    labels = [node.label for node in listed]
    second, _ = capture(loss)
    assert [node.label for node in listed] == labels
    assert [(n.name, n.kind, n.grad, path(n)) for n in first.nodes] == [
        (n.name, n.kind, n.grad, path(n)) for n in second.nodes
    ]  # fmt: skip


def test_a_cost_of_probabilities_that_reads_their_logits_does_not_hold_the_model():
    model = MLP(2, [2, 1], activation="tanh", output="sigmoid", rng=0)
    loss = mg.costs.binary_cross_entropy(model([0.5, -1.0]), 0.0)
    nodes = snapshot(loss, model=model).nodes
    assert {node.op for node in nodes if any(scope.name == "binary cross-entropy" for scope in node.scopes)} == {
        "softplus"
    }


def test_of_blocks_nested_very_deep_the_outermost_are_kept():
    y = Value(1.0, label="x")
    with contextlib.ExitStack() as stack:
        for k in range(1000):
            stack.enter_context(scope(f"block {k}"))
            y = y * 1.01
    scopes = [node.scopes for node in snapshot(y).nodes if node.op]
    assert [len(chain) for chain in scopes] == [min(k, DEEPEST) for k in range(1, 1001)]
    assert [block.name for block in scopes[-1]] == [f"block {k}" for k in range(DEEPEST)]

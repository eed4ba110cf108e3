"""Snapshots: order, kinds, numbers, gradients and what is stale."""

import math
import subprocess
import sys

import pytest
from hypothesis import given, settings, strategies as st

import microgradlib as mg
from microgradlib import Symbol, Value, gradients, no_grad, topological_sort
from microgradlib.core.graph import descendants
from microgradlib.costs import squared_error
from microgradlib.nn import MLP, Layer
from microgradlib.ops import ZERO
from microgradlib.optim import SGD
from microgradlib.testing import graphs
from microgradlib.viz.snapshots.capture import capture, snapshot


def by_name(shot):
    return {node.name: node for node in shot.nodes if node.name}


def test_nodes_are_in_topological_order_with_their_live_nodes():
    x, w = Value(3.0, label="x"), Value(2.0, label="w")
    y = (w * x).tanh() + x
    shot, nodes = capture(y)
    assert nodes == topological_sort(y)
    assert [node.index for node in shot.nodes] == list(range(5))
    assert [node.parents for node in shot.nodes] == [(), (), (0, 1), (2,), (3, 1)]
    assert [(node.op, node.op_name) for node in shot.nodes[2:]] == [("×", "mul"), ("tanh", "tanh"), ("+", "add")]
    assert shot.outputs == (4,)


def test_several_outputs_and_lists_of_them():
    x = Value(3.0, label="x")
    first, second = x * 2, x * 3
    assert snapshot([first, (second, first)]).outputs == (2, 4)
    assert snapshot(first, second) == snapshot([first, second])


def test_kinds_of_leaves():
    model, x, t = MLP(1, [1], rng=0), Value(2.0, label="x"), Value(1.0, label="t")
    loss = squared_error(model([x]) + 3.0, t)
    nodes = by_name(snapshot(loss))
    assert {name: node.kind for name, node in nodes.items() if not node.parents} == {
        "x": "input", "t": "target", "layers.0.neurons.0.w.0": "parameter", "layers.0.neurons.0.b": "parameter",
    }  # fmt: skip
    assert [node.data for node in snapshot(loss).nodes if node.kind == "constant"] == [0.5, 3.0]
    assert nodes["loss"].kind == "output"


def test_a_nameless_leaf_that_is_read_twice_and_has_a_gradient_is_no_plain_number():
    y = sum(w * Value(3.0, label="x") for w in [Value(2.0)] * 2) * 5.0
    y.backward()
    assert {node.data: node.kind for node in snapshot(y).nodes if not node.parents} == {
        2.0: "input", 3.0: "input", 5.0: "constant",
    }  # fmt: skip


def test_numbers_that_derivatives_read_again_are_plain_numbers():
    x = Value(0.5, label="x")
    y = 3.0 * x * x
    [slope] = gradients(y, [x])
    assert [node.kind for node in snapshot(y, slope).nodes if node.data == 3.0 and not node.parents] == ["constant"]


def test_targets_may_be_given():
    y_hat, y = Value(1.0, label="ŷ"), Value(2.0, label="y")
    loss = (y_hat - y) ** 2
    assert [node.kind for node in snapshot(loss, targets=[y]).nodes] == ["input", "target", "op", "output"]


def test_a_leaf_that_is_an_output_keeps_its_kind():
    x = Value(2.0)
    assert [(node.kind, node.name) for node in snapshot(x).nodes] == [("input", "x")]


def test_gradients_are_none_until_reached_and_for_constants_and_targets():
    w, x = Value(2.0, label="w"), Value(0.0, label="x")
    loss = squared_error(w * x, 1.0)
    assert all(node.grad is None for node in snapshot(loss).nodes)
    loss.backward()
    shot = snapshot(loss)
    nodes = by_name(shot)
    assert (nodes["w"].grad, nodes["x"].grad, nodes["loss"].grad) == (0.0, -2.0, 1.0)
    assert all(node.grad is None for node in shot.nodes if node.kind in {"constant", "target"})


def test_a_gradient_that_a_wall_stopped_is_none():
    x = Value(-1.0, label="x")
    y = x.relu() * 2
    y.backward()
    nodes = snapshot(y).nodes
    assert nodes[0].grad is None
    assert nodes[1].local_derivatives[0] is ZERO


def test_symbols_have_no_numbers():
    x = Symbol("x")
    y = mg.tanh(x) * 2
    shot = snapshot(y)
    assert [(node.kind, node.data) for node in shot.nodes] == [
        ("input", None), ("op", None), ("constant", 2.0), ("output", None),
    ]  # fmt: skip
    assert [node.local_derivatives for node in shot.nodes] == [(), (None,), (), (None, None)]


def test_nodes_made_by_hand():
    x = Value(2.0, label="x")
    known = Value(4.0, (x,), (4.0,))
    unknown = Value(math.tanh(2.0), (x,), "tanh")
    nodes = snapshot(known, unknown).nodes
    assert [(node.op, node.op_name, node.local_derivatives) for node in nodes[1:]] == [
        ("", "", (4.0,)), ("tanh", "", (None,)),
    ]  # fmt: skip


def test_results_without_history_are_constants():
    x = Value(2.0)
    with no_grad():
        y = x * x
    z = y + 1
    del x, y
    assert [node.kind for node in snapshot(z).nodes] == ["constant", "constant", "output"]


def test_what_is_no_node_is_refused():
    with pytest.raises(TypeError, match="expected a Value or Symbol"):
        snapshot(3.0)


def test_a_derivative_beside_its_original():
    x = Value(0.5, label="x")
    y = x.tanh()
    [slope] = gradients(y, [x])
    shot = snapshot(y, slope)
    assert [shot.nodes[i].name for i in shot.outputs] == ["y", "slope"]


def test_the_largest_number_that_derivatives_subtract_is_named():
    x, y = Value(1.0, label="x"), Value(2.0, label="y")
    [slope] = gradients(mg.logsumexp([x, y]), [x])
    assert [node.data for node in snapshot(slope).nodes if node.name == "largest"] == [y.data]


def test_a_deep_chain_needs_no_recursion():
    y = Value(0.5, label="x")
    for _ in range(2500):
        y = y * 0.99 + 0.01
    assert len(snapshot(y).nodes) == 10_001


@pytest.mark.slow
def test_the_hash_seed_changes_nothing():
    program = (
        "import microgradlib as mg\nfrom microgradlib.viz.snapshots.capture import snapshot\n"
        "m = mg.nn.LSTM(1, 2, rng=0); h, _ = m([[0.5], [1.0]]); loss = mg.costs.squared_error(h[-1], [0.0, 1.0])\n"
        "for n in snapshot(loss).nodes: print(n.name, n.kind, n.parents, [s.name for s in n.scopes])"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1


# stale


@settings(max_examples=15)
@given(graphs(max_nodes=10))
def test_nothing_is_stale_in_a_new_graph(graph):
    output = graph(*[Value(x) for x in graph.inputs])
    shot = snapshot(output)
    assert not any(node.stale for node in shot.nodes)
    assert shot.changed == ()


@settings(max_examples=15)
@given(graphs(max_nodes=10), st.floats(0.1, 0.9))
def test_stale_is_what_differs_when_computed_anew_and_what_depends_on_it(graph, shift):
    leaves = [Value(x, label=name) for name, x in zip(graph.names, graph.inputs)]
    output = graph(*leaves)
    leaves[0].data += shift
    order = topological_sort(output)
    different = [n for n in order if n.op and not _same(n.op.record([p.data for p in n.parents])[0], n.data)]
    expected = descendants(order, different) if different else set()
    shot = snapshot(output)
    assert [node.stale for node in shot.nodes] == [node in expected for node in order]
    assert shot.nodes[order.index(leaves[0])].stale is False
    if different:
        assert graph.names[0] in shot.changed


def _same(x, y):
    return repr(float(x)) == repr(float(y))  # -0.0 is not 0.0, nan is nan


def test_the_changed_leaf_is_named_and_no_other():
    w, x, b = Value(2.0, label="w"), Value(3.0, label="x"), Value(1.0, label="b")
    y = w * x + b
    w.data = 5.0
    shot = snapshot(y)
    assert shot.changed == ("w",)
    assert [node.name for node in shot.nodes if node.stale] == ["", "y"]


def test_a_changed_bias_of_a_dot_is_told_from_its_weights():
    layer = Layer(2, 1, "linear", rng=0)
    x = [Value(1.0, label="x0"), Value(2.0, label="x1")]
    y = layer(x)
    layer.neurons[0].b.data = 0.5
    assert snapshot(y).changed == ("neurons.0.b",)
    layer.neurons[0].b.data, x[1].data = 0.0, 4.0
    assert snapshot(y).changed == ("x1",)


def test_a_leaf_that_another_node_agrees_with_is_not_changed():
    a, b = Value(1.0, label="a"), Value(2.0, label="b")
    y = (a + b) * b.exp()
    a.data = 3.0
    assert snapshot(y).changed == ("a",)


def test_a_leaf_that_a_square_agrees_with_is_named_if_no_other_explains_the_difference():
    x = Value(3.0, label="x")
    y = x * x + mg.tanh(x)
    x.data = -3.0
    assert snapshot(y).changed == ("x",)


def test_in_a_sum_both_are_candidates():
    a, b = Value(1.0, label="a"), Value(2.0, label="b")
    y = a + b
    a.data = 3.0
    assert snapshot(y).changed == ("a", "b")


def test_nan_and_minus_zero_are_told_as_they_are():
    x = Value(-1.0, label="x")
    y = mg.log(x)
    assert not snapshot(y).nodes[-1].stale
    x.data = 0.0
    z = x * 2
    x.data = -0.0
    assert snapshot(z).nodes[-1].stale


def test_nodes_made_by_hand_are_stale_only_with_their_parents():
    x = Value(2.0, label="x")
    by_hand = Value(5.0, (x,), (1.0,))
    y = by_hand * 2
    assert not any(node.stale for node in snapshot(y).nodes)
    z = Value(1.0, (x * x,), (1.0,))
    x.data = 3.0
    assert [node.stale for node in snapshot(z).nodes] == [False, True, True]


def test_after_a_training_step_the_old_graph_is_stale():
    model = MLP(2, [2, 1], activation="tanh", rng=0)
    loss = squared_error(model([0.5, -1.0]), 1.0)
    loss.backward()
    for parameter in model.parameters():
        parameter.data -= 0.1 * parameter.grad
    shot = snapshot(loss)
    assert set(shot.changed) == {path for path, _ in model.named_parameters()}
    assert shot.nodes[-1].stale


def test_zero_grad_takes_back_what_was_reached():
    model = MLP([2, 2, 1], activation="tanh", rng=0)
    optimiser = SGD(model.parameters(), lr=0.1)
    for zero_grad in (model.zero_grad, optimiser.zero_grad):
        loss = model([1.0, 2.0])
        loss.backward()
        assert None not in gradients_of_parameters(loss)
        zero_grad()
        assert set(gradients_of_parameters(loss)) == {None}


def gradients_of_parameters(loss):
    return [node.grad for node in snapshot(loss).nodes if node.kind == "parameter"]

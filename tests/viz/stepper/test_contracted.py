"""Closed scopes: one node with the gradients inside as local derivatives, the same gradients outside."""

import math

import pytest
from hypothesis import given, settings, strategies as st

from microgradlib import Value, grad_table, mean, scope, tanh
from microgradlib.costs import squared_error
from microgradlib.nn import MLP
from microgradlib.ops import ZERO
from microgradlib.viz.boxes.groups import find_groups
from microgradlib.viz.snapshots.capture import capture
from microgradlib.viz.stepper.tapes.cards import make_cards
from microgradlib.viz.stepper.tapes.contracted import closable, closed_at, contract, levels
from microgradlib.viz.stepper.tapes.frames import replay, reverse_frames
from microgradlib.viz.stepper.tapes.level import step_edges


def network(sizes=(2, 3, 1), seed=3):
    model = MLP(list(sizes), activation="tanh", rng=seed)
    inputs = [Value(0.5 * i - 0.7, label=f"x{i}") for i in range(sizes[0])]
    return squared_error(model(inputs), 0.25)


def batch():
    model = MLP(2, [2, 1], activation="tanh", rng=0)
    losses = []
    for k, (x, y) in enumerate([([1.0, -1.0], 0.5), ([0.3, 0.8], -0.2)]):
        with scope(f"example {k}"):
            losses.append(squared_error(model(x), y))
    return mean(losses)


def groups_of(output):
    snapshot, live = capture(output)
    return find_groups(snapshot), live


def gradients(graph):
    edges = step_edges(graph)
    slopes = [slope for node in graph.nodes for slope in node.local_derivatives]
    return replay(edges, reverse_frames(edges), slopes).result


@pytest.mark.parametrize("make", [network, batch, lambda: network((3, 4, 4, 2, 1))])
def test_gradients_of_all_levels_are_those_of_grad_table(make):
    output = make()
    groups, live = groups_of(output)
    table = grad_table(output)
    found = levels(groups)
    assert len(found) > 1
    for _, closed in found:
        graph = contract(groups, closed)
        for node, gradient in zip(graph.nodes, gradients(graph)):
            if groups.snapshot.nodes[node.of].kind not in {"constant", "target"}:
                assert math.isclose(gradient, table[live[node.of]], rel_tol=1e-12, abs_tol=1e-15)


@settings(max_examples=20)
@given(st.data())
def test_any_closable_scopes_may_be_closed_together(data):
    output = network((2, 3, 2, 1))
    groups, live = groups_of(output)
    closed = data.draw(st.lists(st.sampled_from(list(closable(groups))), unique=True))
    graph = contract(groups, closed)
    table = grad_table(output)
    by_index = dict(zip([node.of for node in graph.nodes], gradients(graph)))
    for i, node in enumerate(groups.snapshot.nodes):
        if node.kind in {"parameter", "input"}:
            assert math.isclose(by_index[i], table[live[i]], rel_tol=1e-12, abs_tol=1e-15)


def test_a_neuron_closes_to_a_node_and_keeps_its_weights_as_leaves():
    groups, _ = groups_of(network())
    graph = contract(groups, closed_at(groups, "neuron"))
    closed = [node for node in graph.nodes if node.scope is not None]
    assert [len(node.members) for node in closed] == [2, 2, 2]
    assert [len(node.parents) for node in closed] == [5, 5, 5]  # two weights, two inputs, a bias
    assert all(node.scope.kind == "neuron" for node in closed)


def test_a_layer_of_several_outputs_stays_open():
    groups, _ = groups_of(network())
    kinds = {scope.kind for scope in closable(groups)}
    assert "neuron" in kinds
    layer = next(scope for scope in groups.order if scope.kind == "layer")
    with pytest.raises(ValueError, match="only a scope of several ops with one output"):
        contract(groups, [layer])


def test_the_branches_closed_inside_a_group_stay_closed():
    x, y = Value(-1.0, label="x"), Value(2.0, label="y")
    with scope("part"):
        part = (x.relu() * y) ** 2
    graph = contract(groups := groups_of(part + x)[0], list(closable(groups)))
    [closed] = [node for node in graph.nodes if node.scope is not None]
    where = dict(zip([groups.snapshot.nodes[graph.nodes[p].of].name for p in closed.parents], closed.local_derivatives))
    assert where["x"] is ZERO
    assert where["y"] == 0.0
    assert where["y"] is not ZERO


def test_a_level_that_changes_nothing_is_left_out():
    x = Value(0.5, label="x")
    assert [key for key, _ in levels(groups_of(tanh(x * x))[0])] == ["nodes"]


def test_depths_close_from_the_inside():
    groups, _ = groups_of(batch())
    assert closed_at(groups, 0) == ()
    sizes = [len(contract(groups, closed_at(groups, depth)).nodes) for depth in range(5)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[4] < sizes[0]


@pytest.mark.parametrize(("collapse", "error"), [("neurons", ValueError), (-1, ValueError), (1.5, TypeError)])
def test_other_words_and_numbers_are_refused(collapse, error):
    with pytest.raises(error, match="collapse must be"):
        closed_at(groups_of(batch())[0], collapse)


def test_inputs_of_a_closed_example_are_rows_and_its_target_is_inside():
    groups, _ = groups_of(batch())
    graph = contract(groups, closed_at(groups, "example"))
    cards = make_cards(graph)
    closed = [i for i, node in enumerate(graph.nodes) if node.scope is not None]
    assert [len(cards.rows[i]) for i in closed] == [2, 2]
    kinds = [graph.snapshot_node(i).kind for i in range(len(graph.nodes))]
    assert kinds.count("target") == 0
    assert all(cards.stands(i) for i, kind in enumerate(kinds) if kind == "parameter")  # both examples read them

"""The live widget: sliders are answered with Python's own Values, groups with levels that close them."""

import pytest
from tape_gradients import gradients_of

from microgradlib import Value, explain, grad_table, tanh
from microgradlib.costs import squared_error
from microgradlib.nn import MLP
from microgradlib.viz.stepper.sentences import decode

anywidget = pytest.importorskip("anywidget")


def network():
    model = MLP(2, [3, 1], activation="tanh", rng=3)
    return model, squared_error(model([Value(1.0, label="x"), Value(2.0, label="y")]), 0.5)


def test_a_moved_leaf_gives_the_gradients_of_the_new_graph():
    x, y = Value(2.0, label="x"), Value(3.0, label="y")
    widget = explain(tanh(x * y) + x).widget
    nodes = widget.tape["levels"][0]["nodes"]
    [of] = [node["of"] for node in nodes if node["full"] == "x"]
    widget.leaves = {str(of): 0.25}
    moved = Value(0.25)
    table = grad_table(tanh(moved * y) + moved)
    level = widget.tape["levels"][0]
    found = dict(zip([node["full"] for node in level["nodes"]], gradients_of(level)))
    assert (found["x"], found["y"]) == (table[moved], table[y])
    assert widget.tape["leaves"] == {str(of): 0.25}
    widget.leaves = {str(of): "Infinity"}
    assert decode(widget.tape["levels"][0]["nodes"][of]["value"]) == float("inf")
    widget.leaves = {}
    assert widget.tape["levels"][0]["nodes"] == nodes
    assert x.data == 2.0


def test_groups_are_closed_one_by_one():
    _, loss = network()
    widget = explain(loss).widget
    level = widget.tape["levels"][0]
    neurons = [group["id"] for group in level["groups"] if group["kind"] == "neuron"]
    widget.closed = neurons[:1]
    level = widget.tape["levels"][widget.tape["start"]]
    assert level["closed"] == neurons[:1]
    assert [node["closed"] for node in level["nodes"] if "closed" in node] == neurons[:1]
    count = len(widget.tape["levels"])
    widget.closed = []
    assert (widget.tape["start"], len(widget.tape["levels"])) == (0, count)


def test_a_graph_with_a_node_made_by_hand_is_not_live():
    x = Value(2.0, label="x")
    assert explain(Value(8.0, (x,), (12.0,)) + x).widget.live is False


def test_the_widget_shows_the_page_of_the_file():
    explanation = explain(network()[1], lang="zh", theme="dark", height=500)
    widget = explanation.widget
    assert (widget.lang, widget.theme, widget.height, widget.live) == ("zh", "dark", 500, True)
    assert {**widget.tape, "live": False} == explanation.tape
    assert widget is explanation.widget

"""mg.explain: what it shows, in words, as JSON and as a page; what it refuses."""

import json
import math
import random
import re

import pytest
from hypothesis import given, settings
from tape_gradients import gradients_of

from microgradlib import Symbol, Value, explain, grad_table, mean, relu, scope, tanh, topological_sort
from microgradlib.costs import cross_entropy_from_probabilities, squared_error
from microgradlib.errors import GraphTooLargeError
from microgradlib.nn import MLP
from microgradlib.ops import TABLE, ZERO, reductions
from microgradlib.testing import graphs
from microgradlib.viz.stepper.sentences import decode


def neuron():
    w, x, b = Value(0.5, label="w"), Value(3.0, label="x"), Value(-1.0, label="b")
    return tanh(w * x + b)


def network():
    return MLP(2, [3, 1], activation="tanh", rng=3)


def exact(x):
    return None if x is ZERO else float(x).hex()


@settings(max_examples=15)
@given(graphs())
def test_the_tape_gives_grad_table_after_a_round_trip_through_json(graph):
    output = graph(*[Value(x, label=f"x{i}") for i, x in enumerate(graph.inputs)])
    explanation = explain(output, check=False)
    level = json.loads(json.dumps(explanation.tape, allow_nan=False))["levels"][0]
    order, table = topological_sort(output), grad_table(output)
    assert [decode(node["value"]) for node in level["nodes"]] == [node.data for node in order]
    for node, found in zip(level["nodes"], gradients_of(level)):
        if node["role"] not in {"constant", "target"}:
            assert exact(found) == exact(table[order[node["id"]]])


SPECIAL = (0.0, -0.0, 1.0, -1.0, 0.5, 3.0, 1e300, math.inf, -math.inf, math.nan)


@pytest.mark.slow
@pytest.mark.parametrize("op", TABLE.values(), ids=TABLE)
def test_every_op_can_be_explained_at_special_numbers(op):
    rng = random.Random(op.name)
    for _ in range(6):
        leaves = [Value(rng.choice(SPECIAL), label=f"x{i}") for i in range(op.arity or 3)]
        if op.name == "polygamma":  # of a whole order
            leaves[1] = Value(1.0, label="x1")
        output = op(*leaves) * leaves[0]
        explanation = explain(output, names={})
        assert json.loads(json.dumps(explanation.tape, allow_nan=False)) == explanation.tape
        assert len(explanation.lines) == len(explanation.frames)
        table = grad_table(output)
        for node, found in zip(topological_sort(output), gradients_of(explanation.level)):
            if node.op is not None or node in leaves:
                assert (found is ZERO, repr(found)) == (table[node] is ZERO, repr(table[node]))


def test_nan_infinity_and_closed_branches_pass_through_json():
    x = Value(0.0, label="x")
    explanation = explain((1 / x) * relu(x - 1) + x / x, check=False)
    text = json.dumps(explanation.tape, allow_nan=False)
    values = [decode(node["value"]) for node in json.loads(text)["levels"][0]["nodes"]]
    assert math.inf in values
    assert any(math.isnan(value) for value in values)
    assert any(edge["local"] is None for edge in json.loads(text)["levels"][0]["edges"])


def test_the_steps_are_told_in_words_with_their_numbers():
    assert explain(neuron(), names={}).lines[1:8] == [
        "u1 = w · x = 0.5 · 3 = 1.5",
        "u2 = u1 + b = 1.5 + (−1) = 0.5",
        "u3 = tanh(u2) = tanh(0.5) = 0.4621",
        "u3.grad = 1",
        "u2.grad += u3.grad · ∂u3/∂u2 = 1 · 0.7864 → 0 + 0.7864 = 0.7864 (∂u3/∂u2 = 1 − u3²)",
        "u1.grad += u2.grad · ∂u2/∂u1 = 0.7864 · 1 → 0 + 0.7864 = 0.7864",
        "b.grad += u2.grad · ∂u2/∂b = 0.7864 · 1 → 0 + 0.7864 = 0.7864",
    ]


def test_terms_of_a_node_used_twice_are_counted():
    x = Value(3.0, label="x")
    assert explain(x * x, names={}).lines[3:5] == [
        "x.grad += u1.grad · ∂u1/∂x = 1 · 3 → 0 + 3 = 3 (∂u1/∂x = x; term 1 of 2)",
        "x.grad += u1.grad · ∂u1/∂x = 1 · 3 → 3 + 3 = 6 (∂u1/∂x = x; term 2 of 2)",
    ]


def test_a_closed_branch_is_told_from_a_product_with_0():
    x, y = Value(-1.0, label="x"), Value(0.0, label="y")
    lines = explain(relu(x) * y, names={}).lines
    assert "x.grad: ∂u1/∂x is 0 whatever the numbers: a closed branch. Nothing passes to x." in lines
    assert any(line.startswith("u1.grad += u2.grad · ∂u2/∂u1 = 1 · 0 → 0 + 0 = 0") for line in lines)


def test_forward_mode_has_a_sweep_for_each_input():
    lines = explain(neuron(), mode="forward", names={}).lines
    assert sum("Forward mode, sweep" in line for line in lines) == 3
    assert lines[-1] == "Done. 3 sweeps used arrows 8 times; reverse mode needs one sweep and 5."


def test_chinese_words():
    explanation = explain(neuron(), lang="zh")
    assert explanation.lines[0] == "计算图，尚未开始计算。"
    assert '<html lang="zh">' in explanation.html


def test_a_training_step_is_that_of_gradient_descent():
    model = network()
    before = [p.data for p in model.parameters()]
    explanation = explain(model, squared_error, [1.0, -2.0], 0.5, lr=0.05)
    training, level = explanation.level["training"], explanation.level
    loss = squared_error(model([1.0, -2.0]), 0.5)
    table = grad_table(loss)
    by_path = dict(model.named_parameters())
    for place in training["parameters"]:
        parameter = by_path[level["nodes"][place]["path"]]
        assert training["new"][str(place)] == parameter.data - 0.05 * table[parameter]
        parameter.data -= 0.05 * table[parameter]
    assert training["before"] == loss.data
    assert training["after"] == squared_error(model([1.0, -2.0]), 0.5).data < training["before"]
    assert len(training["parameters"]) == len(before)
    assert [frame["do"] for frame in explanation.frames].count("update") == len(before)
    assert explanation.lines[-2].startswith("The loss with the new parameters: 0.2979 before, ")
    assert "− 0.05 ·" in explanation.lines[-3]


def test_explaining_changes_nothing():
    model = network()
    before = [(p.data, p.grad) for p in model.parameters()]
    explain(model, squared_error, [1.0, -2.0], 0.5)
    assert [(p.data, p.grad) for p in model.parameters()] == before


def test_later_changes_do_not_show():
    x = Value(3.0, label="x")
    explanation = explain(x * x)
    x.data = 5.0
    assert "3 · 3 = 9" in explanation.text


def test_a_graph_whose_leaves_were_changed_is_computed_anew():
    x = Value(3.0, label="x")
    square = x * x
    x.data = 5.0
    assert explain(square, names={}).lines[1] == "square = x · x = 5 · 5 = 25"
    assert square.data == 9.0


def test_numeric_derivatives_stand_beside_gradients():
    level = explain(neuron()).level
    gradients = gradients_of(level)
    assert level["checks"].keys() == set(map(str, level["inputs"]))
    for place, check in level["checks"].items():
        assert abs(check["value"] - gradients[int(place)]) <= 10 * check["error"]
        assert not check["kink"]


def test_a_kink_has_two_derivatives_and_a_note():
    x = Value(0.0, label="x")
    level = explain(relu(x) * 2).level
    [check] = level["checks"].values()
    assert (check["left"], check["right"], check["kink"]) == (0.0, 2.0, True)
    assert [node.get("kink") for node in level["nodes"] if node["role"] == "op"] == ["relu′(0) = 0"]


def test_checks_are_scaled_by_the_seed_and_can_be_left_out():
    assert explain(neuron(), check=False).level["checks"] == {}
    x = Value(3.0, label="x")
    [check] = explain(x * x, seed=-2.0).level["checks"].values()
    assert check["value"] == pytest.approx(-12.0)
    assert check["error"] >= 0


def test_large_graphs_check_some_inputs_only():
    model = MLP(6, [8, 8, 6, 1], activation="tanh", rng=0)
    level = explain((model([0.1 * i for i in range(6)]) - 1.0) ** 2).level
    assert 0 < len(level["checks"]) < len(level["inputs"])


def test_levels_of_detail_and_collapse():
    model = network()
    loss = squared_error(model([Value(1.0, label="x"), Value(2.0, label="y")]), 0.5)
    explanation = explain(loss)
    assert [level["key"] for level in explanation.tape["levels"]] == ["nodes", "neuron", "all"]
    assert explanation.tape["start"] == 0
    assert explain(loss, collapse="neuron").level["key"] == "neuron"
    assert explain(loss, collapse=0).level["closed"] == []
    assert explain(loss, collapse=1).level["closed"] != []


def test_delta_of_a_layer_is_the_gradients_of_its_net_inputs():
    model = network()
    loss = squared_error(model([Value(1.0, label="x"), Value(2.0, label="y")]), 0.5)
    level = explain(loss).level
    layers = {group["symbol"]: group["row"] for group in level["groups"] if "row" in group}
    assert {symbol: len(delta) for symbol, delta in layers.items()} == {"δ⁽¹⁾": 3, "δ⁽²⁾": 1}
    assert [level["nodes"][i]["full"] for i in layers["δ⁽¹⁾"]] == ["a₀⁽¹⁾", "a₁⁽¹⁾", "a₂⁽¹⁾"]


def test_parameters_are_rows_of_their_neuron():
    model = network()
    level = explain((model([Value(1.0, label="x"), Value(2.0, label="y")]) - 1.0) ** 2).level
    rows = [[level["nodes"][i]["name"] for i in node["rows"]] for node in level["nodes"] if "rows" in node]
    assert rows == [["w₀", "w₁", "b"]] * 3 + [["w₀", "w₁", "w₂", "b"]]
    standing = [node for node in level["nodes"] if "row_of" not in node]
    assert len(standing) == 12


def test_a_parameter_outside_its_frame_has_its_full_name():
    model = network()
    loss = squared_error(model([0.1, 1.0]), 0.5) + squared_error(model([0.3, -1.0]), 0.5)
    level = explain(loss, collapse=0).level
    names = [node["name"] for node in level["nodes"] if node["role"] == "parameter"]
    assert "w₀₁⁽¹⁾" in names
    assert len(set(names)) == len(names)


def test_a_batch_can_be_closed_by_examples():
    model = network()
    losses = []
    for k in range(4):
        with scope(f"example {k}"):
            losses.append(squared_error(model([0.1 * k, 1.0]), 0.5))
    assert len([n for n in explain(mean(losses), collapse="example").level["nodes"] if "closed" in n]) >= 1


def test_a_large_network_begins_with_its_neurons_closed():
    model = MLP(64, [32, 10], activation="relu", output="softmax", rng=0)
    explanation = explain(cross_entropy_from_probabilities(model([0.01 * i for i in range(64)]), 3))
    assert explanation.level["key"] != "nodes"
    assert len(explanation.level["nodes"]) < 600


def test_a_graph_that_cannot_be_stepped_is_refused():
    values = [Value(0.001), Value(0.002)]
    for _ in range(160):
        values.append(reductions.sum(*values))
    with pytest.raises(GraphTooLargeError, match=r"with mg\.scope"):
        explain(values[-1])


def test_a_long_chain_is_stepped_by_blocks():
    y = x = Value(0.5, label="x")
    for _ in range(2000):
        y = tanh(y * 1.01)
    level = explain(y, check=False).level
    assert len(level["nodes"]) <= 120
    assert level["key"] == "all"
    assert gradients_of(level)[0] == pytest.approx(grad_table(y)[x], rel=1e-9)
    assert level["program"]


def test_a_node_made_by_hand_has_no_sliders_but_its_gradients():
    x = Value(2.0, label="x")
    level = explain(Value(8.0, (x,), (12.0,)) + x).level
    assert (level["program"], level["checks"]) == (None, {})
    assert gradients_of(level)[0] == 13.0


HOSTILE = '</script><img src=x onerror="alert(1)">&\'"]]>\u2028{0}'


def test_labels_cannot_break_out_of_the_page():
    explanation = explain(Value(2.0, label=HOSTILE) * Value(3.0, label="<b>"), title=HOSTILE)
    page = explanation.html
    assert page.count("</script>") == 2  # the data and the module, both of ours
    assert "<img src=x" not in page
    assert "<b>" not in page
    data = re.search(r'<script type="application/json" id="tape">(.*?)</script>', page, re.DOTALL)
    assert json.loads(data[1])["levels"][0]["nodes"][0]["full"] == HOSTILE.replace("\u2028", " ")
    frame = explanation._repr_mimebundle_()["text/html"]
    assert re.findall("<[^>]*>", re.sub('srcdoc="[^"]*"', "", frame))[0] == "<div>"
    assert set(re.findall(r"<(\w+)", frame)) == {
        "div",
        "iframe",
        "details",
        "summary",
        "pre",
    }  # what is in it is escaped


def test_text_that_no_file_can_hold_is_replaced(tmp_path):
    explanation = explain(Value(2.0, label="a\ud800\x00\nb") * 2, title="a\ud800b")
    assert "a\ufffdb" in explanation.save(tmp_path / "page.html").read_text(encoding="utf-8")


def test_the_page_needs_no_network():
    page = explain(neuron()).html
    assert not re.search(r'(?:src|href)\s*=\s*["\']?https?:|import\s*\(|url\(\s*["\']?http', page)
    assert len(page.encode()) < 300_000


def test_save_writes_the_page(tmp_path):
    explanation = explain(neuron())
    assert explanation.save(tmp_path / "page.html").read_text(encoding="utf-8") == explanation.html
    with pytest.raises(ValueError, match=r"the suffix '\.png' is not one of \.html, \.htm"):
        explanation.save(tmp_path / "page.png")


def test_what_a_notebook_shows():
    explanation = explain(neuron(), title="a neuron")
    bundle = explanation._repr_mimebundle_()
    assert bundle.keys() == {"text/html", "text/plain"}
    assert bundle["text/html"].startswith("<div><iframe srcdoc=")
    assert "<summary>The steps in words</summary><pre>&lt;Explanation of a neuron" in bundle["text/html"]
    assert 'sandbox="allow-scripts' in bundle["text/html"]
    assert bundle["text/plain"].startswith("<Explanation of a neuron: 6 nodes, 10 steps>\n  The graph")
    assert explanation._repr_mimebundle_(include={"text/plain"}).keys() == {"text/plain"}


def test_long_texts_are_cut():
    x = Value(0.5, label="x")
    for _ in range(40):
        x = tanh(x)
    explanation = explain(x, check=False)
    text = explanation._repr_mimebundle_()["text/plain"]
    assert len(text.splitlines()) == 31
    assert text.endswith("more: print(explanation.text)")
    assert len(explanation.text.splitlines()) == len(explanation.frames) + 1


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((3,), {}, TypeError, "explain takes a Value, or a model"),
        (([Value(1.0)],), {}, TypeError, "takes one Value, got a list of 1"),
        ((Symbol("x"),), {}, TypeError, "explain shows numbers"),
        ((MLP(2, [1], rng=0),), {}, TypeError, "a training step needs a model, a loss"),
        ((Value(1.0), squared_error, 1.0, 1.0), {}, TypeError, "a training step needs a model"),
        ((MLP(1, [1], rng=0), lambda y, _: float(y), 1.0, 1.0), {}, TypeError, "must be a Value"),
        ((Value(1.0),), {"lang": "de"}, ValueError, "no language 'de'"),
        ((Value(1.0),), {"theme": "blue"}, ValueError, "theme must be 'light' or 'dark'.*'blue'"),
        ((Value(1.0),), {"mode": "backward"}, ValueError, "no mode 'backward'"),
        ((Value(1.0),), {"mode": "training"}, ValueError, "needs a model"),
        ((Value(1.0),), {"bug": "leak"}, ValueError, "no bug 'leak'"),
        ((Value(1.0),), {"collapse": "neurons"}, ValueError, "collapse must be"),
        ((Value(1.0),), {"seed": math.nan}, ValueError, "seed must be"),
        ((MLP(1, [1], rng=0), squared_error, 1.0, 1.0), {"lr": 0.0}, ValueError, "lr must be"),
        ((Value(1.0),), {"height": 10}, ValueError, "height must be"),
        ((Value(1.0),), {"names": ["x"]}, TypeError, "names must be a dict"),
        ((Value(1.0),), {"model": 3}, TypeError, "model must be a module"),
        ((Value(1.0),), {"targets": [1.0]}, TypeError, "targets must be Values"),
    ],
)
def test_wrong_arguments_are_refused(arguments, options, error, message):
    with pytest.raises(error, match=message):
        explain(*arguments, **options)


def test_a_single_leaf_can_be_explained():
    explanation = explain(Value(3.0, label="x"))
    assert [frame["do"] for frame in explanation.frames] == ["start", "seed", "done"]


def test_the_same_graph_gives_the_same_page():
    assert explain(neuron()).html == explain(neuron()).html


def test_a_widget_is_made_only_in_a_notebook():
    with pytest.raises(NotImplementedError):  # IPython then shows the MIME bundle
        explain(neuron())._ipython_display_()

"""What stands in boxes: single nodes, neurons, layers as tables, closed groups, leaves together, what is left out."""

import pytest
from scoped_graphs import Layers, Recorder, batch, plain, recurrent

import microgradlib as mg
from microgradlib import Symbol, Value, dot, exp, gradients, tanh
from microgradlib.ops import ZERO
from microgradlib.viz.boxes.build import MOST_APART, build
from microgradlib.viz.boxes.choice import Step
from microgradlib.viz.boxes.options import Options
from microgradlib.viz.numbers import number
from microgradlib.viz.snapshots.capture import capture
from microgradlib.viz.snapshots.snapshot import Scope, Snapshot, SnapshotNode


def box(diagram, title):
    return next(box for box in diagram.boxes if box.title == title)


def rows(box):
    return [(row.name, row.value, row.gradient) for row in box.rows]


def labelled(**values):
    return [Value(value, label=name) for name, value in values.items()]


def test_a_small_graph_has_a_box_for_each_node_with_data_and_grad():
    a, b = labelled(a=2.0, b=-3.0)
    y = (a * b).tanh()
    y.label = "y"
    y.backward()
    diagram = build(plain(y))
    assert diagram.captions
    assert [(one.title, one.op, one.kind) for one in diagram.boxes] == [
        ("a", "", "input"), ("b", "", "input"), ("", "×", "op"), ("y", "tanh", "output"),
    ]  # fmt: skip
    assert rows(box(diagram, "y")) == [("data", "−0.99999", ""), ("grad", "", "1")]
    assert diagram.note == ""


def test_a_gradient_that_nothing_has_reached_is_a_dash_and_a_zero_is_a_zero():
    x, y = labelled(x=2.0, y=3.0)
    z = x * 0.0 + y
    assert [row.gradient for one in build(plain(z)).boxes for row in one.rows if row.name == "grad"] == ["—"] * 4
    z.backward()
    assert rows(box(build(plain(z)), "x"))[1] == ("grad", "", "0")


def test_nameless_numbers_are_part_of_the_op():
    (x,) = labelled(x=2.0)
    diagram = build(plain(1.0 / x * 0.25 - 3.0))
    assert [one.op for one in diagram.boxes] == ["", "1 ÷", "× 0.25", "− 3"]
    assert [one.op for one in build(plain(2.0 - x)).boxes] == ["", "2 −"]
    assert [one.op for one in build(plain(3.0 + x)).boxes] == ["", "+ 3"]
    assert [one.op for one in build(plain(mg.maximum(x, 0.0))).boxes][1] == "max(·, 0)"


def test_symbols_have_no_numbers():
    x, y = Symbol("x"), Symbol("y")
    diagram = build(plain(mg.sin(x * y) + 2 * x))
    assert all(not row.value and not row.gradient for one in diagram.boxes for row in one.rows)
    assert all(not arrow.text for arrow in diagram.arrows)
    assert [one.op for one in diagram.boxes if one.op] == ["×", "sin", "× 2", "+"]


def test_a_leaf_alone_and_several_outputs():
    assert [one.kind for one in build(plain(Value(1.0, label="x"))).boxes] == ["input"]
    (x,) = labelled(x=1.0)
    diagram = build(plain(tanh(x), exp(x)))
    assert [one.output for one in diagram.boxes] == [False, True, True]


def test_many_leaves_that_are_the_outputs_are_one_box():
    diagram = build(plain(*(Value(float(k), label=f"x.{k}") for k in range(30))))
    assert [(one.title, one.output, one.rows[0].name) for one in diagram.boxes] == [("x", True, "30 inputs")]


def test_a_neuron_is_one_card_with_inputs_beside_their_weights():
    diagram = build(batch(1))
    card = box(diagram, "neurons.1")
    assert card.kind == "card"
    assert [name for name, _, _ in rows(card)] == ["w.0", "w.1", "b", "z = w·x + b", "tanh(z)"]
    assert [row.kind for row in card.rows] == ["parameter"] * 3 + ["number"] * 2
    into = [arrow for arrow in diagram.arrows if arrow.head == card.id]
    assert [(arrow.tail, arrow.port) for arrow in into] == [
        (box(diagram, "x.0").id, 0), (box(diagram, "x.1").id, 1),
    ]  # fmt: skip
    assert card.rows[0].tooltip == "layers.0.neurons.1.w.0"


def test_a_layer_of_one_neuron_is_that_neuron():
    assert [name for name, _, _ in rows(box(build(batch(1)), "layers.1"))][:4] == ["w.0", "w.1", "w.2", "b"]


def test_products_are_rows_of_a_card_beside_their_weights():
    weights = labelled(w1=0.5, w2=-0.25, b=1.0)
    x1, x2 = labelled(x1=1.0, x2=2.0)
    hidden = tanh(weights[0] * x1 + weights[1] * x2 + weights[2])
    other = exp(x1) * exp(x2) + exp(x1 * x2) + exp(x1 + x2)
    card = next(one for one in build(plain(hidden + other)).boxes if one.kind == "card")
    assert [name for name, _, _ in rows(card)] == ["w1", "w2", "b", "w1·x1", "w2·x2", "z = w·x + b", "tanh(z)"]
    assert [value for _, value, _ in rows(card)] == ["0.5", "−0.25", "1", "0.5", "−0.5", "1", "0.762"]


def test_many_weights_are_counted_and_shown_as_squares():
    recorder = Recorder()
    y = Layers(recorder, (20, 1))([recorder.leaf(0.1 * i, f"x.{i}") for i in range(20)])[0]
    card = box(build(recorder.snapshot(y)), "layers.0")
    assert rows(card)[0] == ("21 parameters", "", "")
    assert [(strip.name, len(strip.numbers)) for strip in card.strips] == [("weights", 21), ("gradient", 21)]


def test_a_layer_is_a_table():
    diagram = build(batch(1, (2, 4, 1)), Step(weights=False, tables=True))
    table = box(diagram, "layers.0")
    assert table.kind == "table"
    assert table.op == "tanh(W x + b)"
    assert table.table.columns == ("w.0", "w.1", "b", "z", "tanh")
    assert table.table.parameters == 3
    assert [name for name, _ in table.table.rows] == ["0", "1", "2", "3"]
    assert [row.value for row in table.table.rows[1][1][:3]] == ["−0.05", "0.05", "0.1"]
    into = sorted((arrow.tail, arrow.port) for arrow in diagram.arrows if arrow.head == table.id)
    assert into == sorted([(box(diagram, "x.0").id, 0), (box(diagram, "x.1").id, 1)])
    assert [arrow.tail_port for arrow in diagram.arrows if arrow.tail == table.id] == [0, 1, 2, 3]


@pytest.mark.parametrize(("sizes", "kinds"), [((2, 2, 1), {"card"}), ((2, 13, 1), {"card"}), ((7, 3, 1), {"card"})])
def test_two_neurons_and_many_and_many_weights_are_no_table(sizes, kinds):
    diagram = build(batch(1, sizes), Step(weights=False, tables=True))
    assert {one.kind for one in diagram.boxes if one.group} == kinds


def test_a_wide_layer_of_one_input_is_a_table():
    assert "table" in {one.kind for one in build(batch(1, (1, 8, 1)), Step()).boxes}


def test_a_closed_group_says_what_it_computes_and_shows_its_outputs():
    diagram = build(batch(1, (2, 5, 1)), Step(weights=False, layers=True))
    closed = box(diagram, "layers.0")
    assert closed.kind == "closed"
    assert [name for name, _, _ in rows(closed)] == ["tanh(W x + b)", "5 outputs, 15 parameters"]
    assert [(strip.name, len(strip.numbers)) for strip in closed.strips] == [("value", 5), ("gradient", 5)]
    assert [arrow.lines for arrow in diagram.arrows if arrow.tail == closed.id] == [5]


def test_a_closed_group_of_one_output_has_its_number():
    diagram = build(batch(2), Step(kinds=frozenset({"example"})))
    closed = box(diagram, "example 2")
    assert [name for name, _, _ in rows(closed)] == ["13 parameters", ""]
    assert closed.rows[1].value == "1.089"


def test_many_inputs_read_alike_are_one_box_and_a_square_number_an_image():
    few = build(batch(1, (7, 3, 1)), Step(layers=True))
    assert box(few, "x").rows[0].name == "7 inputs"
    assert [strip.image for strip in box(few, "x").strips] == [False, False]
    image = box(build(batch(1, (16, 3, 1)), Step(layers=True)), "x")
    assert [(strip.image, len(strip.numbers)) for strip in image.strips] == [(True, 16)]
    assert image.strips[0].numbers == tuple(0.25 - 0.5 * i for i in range(16))


def test_leaves_of_two_lists_are_two_boxes():
    w, x = ([Value(0.1 * k, label=f"{name}[{k}]") for k in range(8)] for name in "wx")
    assert [one.title for one in build(plain(dot(w, x))).boxes] == ["w", "x", ""]


def test_the_middle_of_a_series_is_one_box():
    diagram = build(recurrent(12), Step(fold=True, ends=2, height=5))
    middle = next(one for one in diagram.boxes if one.kind == "elided")
    assert middle.title == "step 3 … 9"
    assert middle.rows[0].name == "7 more, all alike"


def test_a_share_is_the_part_of_this_use_and_the_total_stands_once():
    snapshot = batch(3)
    diagram = build(snapshot)
    cards = [one for one in diagram.boxes if one.title == "neurons.2"]
    shares = [one.rows[0] for one in cards]
    assert all(row.share for row in shares)
    totals = next(one for one in diagram.boxes if one.id == "totals")
    assert [one.id for one in diagram.boxes].count("totals") == 1
    total = next(row for row in totals.rows if row.name == "layers.0.neurons.2.w.0")
    parameter = snapshot.nodes[total.node]
    parts = [
        node.grad * node.local_derivatives[place]
        for node in snapshot.nodes
        for place, parent in enumerate(node.parents)
        if parent == parameter.index
    ]
    assert len(parts) == 3
    assert sum(parts) == pytest.approx(parameter.grad, rel=1e-12)
    assert [row.gradient for row in shares] == [number(part, 3) for part in parts]
    assert not total.share


def test_a_parameter_of_one_use_has_its_gradient_and_there_are_no_totals():
    diagram = build(batch(1))
    assert not any(row.share for one in diagram.boxes for row in one.rows)
    assert all(one.id != "totals" for one in diagram.boxes)


def test_before_a_backward_pass_there_are_no_shares():
    recorder = Recorder()
    model = Layers(recorder, (1, 1))
    outputs = [model([recorder.leaf(0.5 * k, "x")])[0] for k in range(2)]
    diagram = build(recorder.snapshot(*outputs, backward=False))
    assert not any(row.share for one in diagram.boxes for row in one.rows)
    assert all(one.id != "totals" for one in diagram.boxes)


def test_a_share_that_a_wall_stops_is_not_reached():
    w = SnapshotNode(0, "parameter", "m.w", data=1.0, grad=2.0)
    x = SnapshotNode(1, "input", "x", data=3.0)
    scope = Scope("m", "module", "m")
    uses = [
        SnapshotNode(2 + k, "op", op="×", op_name="mul", data=3.0, grad=2.0, parents=(0, 1),
                     local_derivatives=(slope, 1.0), scopes=(scope,))
        for k, slope in enumerate((ZERO, 1.0))
    ]  # fmt: skip
    y = SnapshotNode(
        4, "output", op="+", op_name="add", data=6.0, grad=1.0, parents=(2, 3), local_derivatives=(1.0, 1.0)
    )
    more = [SnapshotNode(5 + k, "op", op="tanh", op_name="tanh", data=0.0, parents=(4 + k,)) for k in range(9)]
    diagram = build(Snapshot((w, x, *uses, y, *more), (13,)))
    shares = [row.gradient for one in diagram.boxes for row in one.rows if row.share]
    assert shares == ["—", "2"]


def test_a_factor_of_a_derivative_is_one_box_written_as_in_books():
    w = Value(0.5, label="w")
    u = tanh(w)
    z = tanh(u)
    u.label, z.label = "u", "z"
    (g,) = gradients(z, [w])
    captured = capture(z, g, names={})
    diagram = build(captured.snapshot, options=Options(ops=tuple(node.op for node in captured.nodes)))
    assert [(one.title, one.op) for one in diagram.boxes if "′" in one.title] == [
        ("tanh′(u)", "1 − z²"), ("tanh′(w)", "1 − u²"),
    ]  # fmt: skip


def test_hand_made_nodes_have_a_question_mark_for_what_is_not_known():
    x = SnapshotNode(0, "input", "x", data=1.0)
    y = SnapshotNode(1, "output", "y", "?", "", 2.0, None, (0,), (None,))
    diagram = build(Snapshot((x, y), (1,)))
    assert [arrow.text for arrow in diagram.arrows] == ["?"]


def test_stale_numbers_are_marked_and_the_note_names_what_changed():
    x = SnapshotNode(0, "input", "x", data=5.0)
    y = SnapshotNode(1, "output", "y", "tanh", "tanh", 0.9, None, (0,), (0.1,), stale=True)
    diagram = build(Snapshot((x, y), (1,), changed=("x",)))
    assert [row.stale for row in diagram.boxes[1].rows][:1] == [True]
    assert [arrow.text for arrow in diagram.arrows] == ["0.1*"]
    assert "x has changed since" in diagram.note


def test_inputs_of_one_name_say_whose_they_are():
    model = mg.nn.RNN(1, 1, rng=0)
    boxes = build(capture(model([[0.5], [1.0]])[0][-1][0], model=model).snapshot).boxes
    assert sorted((box.title, box.note) for box in boxes if box.kind == "input") == [
        ("s.0", ""), ("x.0", "step 1"), ("x.0", "step 2"),
    ]  # fmt: skip


def test_topological_numbers():
    (x,) = labelled(x=1.0)
    diagram = build(plain(tanh(x)), options=Options(numbers=True))
    assert [one.number for one in diagram.boxes] == ["1", "2"]
    assert not any(row.number for one in diagram.boxes for row in one.rows)
    card = box(build(batch(1), options=Options(numbers=True)), "neurons.0")
    assert all(row.number for row in card.rows)
    assert not any(one.number for one in build(plain(tanh(x))).boxes)


def test_a_leaf_read_far_apart_has_several_boxes():
    w, h = labelled(w=0.9, h=0.1)
    for _ in range(4):
        h = tanh(w * h)
    diagram = build(plain(h))
    copies = [one for one in diagram.boxes if one.title == "w"]
    assert [(one.id.partition("_")[2], one.note) for one in copies] == [("", "1 of 2"), ("2", "2 of 2")]
    assert [sum(arrow.tail == one.id for arrow in diagram.arrows) for one in copies] == [2, 2]


def test_dots_of_plain_numbers_keep_their_numbers_as_boxes():
    w = labelled(w1=1.0, w2=2.0)
    diagram = build(plain(dot(w, [0.5, 0.25])))
    assert [one.kind for one in diagram.boxes].count("constant") == 2


@pytest.mark.parametrize(("n", "lines"), [(MOST_APART, MOST_APART), (MOST_APART + 1, 1)])
def test_of_very_many_arrows_between_two_boxes_there_is_one_line(n, lines):
    x = mg.Value(1.0, label="x")
    arrows = mg.draw(mg.sum([x] * n)).diagram.arrows
    assert [len(arrows), sum(len(arrow.edges) for arrow in arrows)] == [lines, n]

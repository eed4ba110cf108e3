"""Lines between boxes: texts, tooltips, bars, and where no gradient passes."""

import pytest
from scoped_graphs import Recorder, batch, plain

from microgradlib import Value, dot, exp, maximum, relu, sum as total, tanh
from microgradlib.viz.boxes.build import build
from microgradlib.viz.boxes.choice import Step
from microgradlib.viz.boxes.options import Options
from microgradlib.viz.snapshots.capture import capture


def leaves(count, **options):
    return [Value(0.5 + k, label=f"x{k}") for k in range(count)]


def test_equal_operands_have_a_line_each_in_a_small_graph():
    (x,) = leaves(1)
    assert [arrow.text for arrow in build(plain(x * x)).arrows] == ["0.5", "0.5"]


def test_local_derivatives_are_written_into_boxes_of_at_most_six_lines():
    assert [arrow.text for arrow in build(plain(maximum(leaves(6)))).arrows] == ["0"] * 5 + ["1"]
    many = build(plain(maximum(leaves(7)))).arrows
    assert [arrow.text for arrow in many] == [""] * 7
    assert all("∂" in arrow.tooltip for arrow in many)


@pytest.mark.parametrize(("shown", "text"), [("number", "3"), ("formula", "∂t/∂w = x = 3"), (None, "")])
def test_local_derivatives_as_numbers_as_formulas_or_not_at_all(shown, text):
    w, x = Value(0.5, label="w"), Value(3.0, label="x")
    t = w * x
    t.label = "t"
    captured = capture(t, names={})
    options = Options(shown, ops=tuple(node.op for node in captured.nodes))
    arrow = build(captured.snapshot, options=options).arrows[0]
    assert arrow.text == text
    assert arrow.tooltip == "∂t/∂w = x = 3"


def test_nodes_without_a_name_have_one_in_formulas():
    x = Value(0.5, label="x")
    captured = capture(tanh(x * 2.0), names={})
    diagram = build(captured.snapshot, options=Options("formula", ops=tuple(node.op for node in captured.nodes)))
    assert [box.title for box in diagram.boxes] == ["x", "u1", "u2"]
    assert diagram.arrows[1].text == "∂u2/∂u1 = 1 − u2² = 0.42"


def test_lines_along_which_no_gradient_passes():
    x, y = leaves(2)
    z = relu(-x) + y
    z.backward()
    diagram = build(plain(z))
    passes = {(arrow.tail, arrow.head): arrow.passes for arrow in diagram.arrows}
    by_title = {box.title or box.op: box.id for box in diagram.boxes}
    assert passes[by_title["−"], by_title["relu"]] is False  # a closed branch
    assert passes[by_title["x0"], by_title["−"]] is False  # the gradient upstream has not been reached
    assert passes[by_title["x1"], by_title["+"]] is True


def test_no_gradient_passes_where_it_is_0_upstream():
    x, y = leaves(2)
    zero = Value(0.0, label="zero")
    z = tanh(x + y) * zero
    z.backward()
    diagram = build(plain(z))
    tanh_box = next(box for box in diagram.boxes if box.op == "tanh")
    into = [arrow for arrow in diagram.arrows if arrow.head == tanh_box.id]
    assert [(arrow.text == "0", arrow.passes) for arrow in into] == [(False, False)]


def test_before_a_backward_pass_only_zero_derivatives_stop_a_gradient():
    x, y = leaves(2)
    diagram = build(plain(relu(-x) + y))
    assert [arrow.passes for arrow in diagram.arrows].count(False) == 1


def test_boxes_that_read_the_same_sources_get_a_bar():
    diagram = build(batch(1, (4, 13, 1)), Step(weights=False))
    bars = [box for box in diagram.boxes if box.kind == "bus"]
    assert [len(bar.rows) for bar in bars] == [4]
    assert [row.name for row in bars[0].rows] == ["x.0", "x.1", "x.2", "x.3"]
    into = [arrow for arrow in diagram.arrows if arrow.head == bars[0].id]
    out = [arrow for arrow in diagram.arrows if arrow.tail == bars[0].id]
    assert [arrow.port for arrow in into] == [0, 1, 2, 3]
    assert [arrow.lines for arrow in out] == [4] * 13
    edges = {edge for arrow in out for edge in arrow.edges}
    assert len(edges) == 52


def test_groups_with_many_outputs_are_sources_of_bars_too():
    recorder = Recorder()
    layers = []
    for name in "abc":
        with recorder.scope(name, "layer"):
            x = recorder.leaf(0.5, f"x.{name}")
            layers.append([recorder.note(tanh(x)), recorder.note(exp(x))])
    outputs = []
    for k in range(3):
        with recorder.scope(f"reader {k}", "layer"):
            pairs = [recorder.note(recorder.note(total([one, other])) * (k + 1.0)) for one, other in zip(*layers[:2])]
            outputs.append(recorder.note(total([*pairs, *layers[2]])))
    diagram = build(recorder.snapshot(recorder.note(total(outputs))), Step(kinds=frozenset({"layer"})))
    bar = next(box for box in diagram.boxes if box.kind == "bus")
    assert [row.name for row in bar.rows] == ["a", "b", "c"]
    assert [arrow.lines for arrow in diagram.arrows if arrow.head == bar.id] == [2, 2, 2]
    assert [arrow.lines for arrow in diagram.arrows if arrow.tail == bar.id] == [3, 3, 3]


def test_few_lines_need_no_bar():
    assert not any(box.kind == "bus" for box in build(batch(1), Step(weights=False)).boxes)


def test_every_arrow_of_the_graph_between_two_boxes_is_on_a_line():
    for step in (Step(), Step(weights=False, tables=True), Step(layers=True), Step(cards=False)):
        snapshot = batch(2, (3, 5, 1))
        diagram = build(snapshot, step)
        owner = {i: box.id for box in diagram.boxes if box.id != "totals" for i in box.nodes}
        expected = {
            (node.index, place)
            for node in snapshot.nodes
            for place, parent in enumerate(node.parents)
            if parent in owner and owner[parent] != owner[node.index]
        }
        drawn = [edge for arrow in diagram.arrows for edge in arrow.edges]
        assert len(drawn) == len(set(drawn))
        assert set(drawn) == expected


def test_a_folded_group_says_how_many_on_its_line():
    diagram = build(batch(5), Step(fold=True))
    assert [frame.count for frame in diagram.frames if not frame.parent] == [5]
    assert [arrow.text for arrow in diagram.arrows][-1] == "×5"


def test_lines_into_a_long_sum_have_no_texts():
    assert {arrow.text for arrow in build(plain(total(leaves(20)))).arrows} == {""}


def test_a_dot_in_a_small_graph_shows_its_weights_as_local_derivatives():
    w, x = leaves(2), [Value(3.0, label="a"), Value(4.0, label="b")]
    assert [arrow.text for arrow in build(plain(dot(w, x))).arrows] == ["3", "4", "0.5", "1.5"]

"""grad_table and tangent_table as tables: every number in its place, the terms sum to it, any label is harmless."""

import copy
import pickle
import re

import pytest
from hypothesis import given, settings, strategies as st

import microgradlib as mg
from microgradlib import Value, grad_table, tangent_table, topological_sort
from microgradlib.nn import MLP
from microgradlib.ops import ZERO
from microgradlib.testing import graphs
from microgradlib.viz.cells.node_tables import gradient_table, tangents_table
from microgradlib.viz.cells.table import Gap
from microgradlib.viz.markup import escape
from microgradlib.viz.numbers import number, precision


def example():
    x, w = Value(3.0, label="x"), Value(-0.5, label="w")
    u = w * x
    u.label = "u"
    y = mg.tanh(u) + x * x
    y.label = "y"
    return x, w, u, y


def test_the_table_of_the_book():
    x, _, _, y = example()
    text = repr(grad_table(y))
    assert text.splitlines()[0] == "∂y/∂u for each node u, from the output to the inputs"
    lines = [re.split(r" {2,}", line.strip()) for line in text.splitlines()]
    assert lines[1] == ["node", "value", "local derivatives", "upstream · local", "gradient"]
    assert ["u = w · x", "−1.5", "∂u1/∂u = 1 − u1² = 0.1807", "1 · 0.1807 = 0.1807", "0.1807"] in lines
    assert ["x", "3", "∂u2/∂x (operand 1) = x = 3", "1 · 3 = 3", number(grad_table(y)[x])] in lines
    assert ["∂u/∂x = w = −0.5", "+ 0.1807 · (−0.5) = −0.09035"] in lines


def test_a_number_rounded_to_a_whole_one_is_not_equal_to_it():
    x = Value(8.988, label="x")
    lines = [re.split(r" {2,}", line.strip()) for line in repr(grad_table(mg.tanh(x) * 2)).splitlines()]
    assert ["2 (constant)", "2", "∂u2/∂(2) = u1 ≈ 1", "1 · (≈1) ≈ 1", "≈1"] in lines
    assert "tanh(x)</span> ≈ <" in mg.tanh(x)._repr_html_()


def test_forward_mode():
    x, _, _, y = example()
    lines = [re.split(r" {2,}", line.strip()) for line in repr(tangent_table(y, {x: 1.0})).splitlines()]
    assert ["x", "3", "given", "1"] in lines
    assert ["w", "−0.5", "—"] in lines
    assert ["u = w · x", "−1.5", "∂u/∂w = x = 3", "—", "−0.5"] in lines
    assert ["∂u/∂x = w = −0.5", "+ 1 · (−0.5) = −0.5"] in lines


def test_what_is_not_reached_has_a_dash_and_no_number():
    x = Value(-1.0, label="x")
    text = repr(grad_table(mg.relu(x)))
    assert text.splitlines()[-1].split() == ["x", "−1", "∂u1/∂x", "=", "0,", "closed", "—", "—"]
    assert repr(grad_table(mg.relu(x), 0.0)).count("—") == 3


def test_a_changed_input_is_said():
    x, _, _, y = example()
    table = grad_table(y)
    x.data = 7.0
    assert repr(table).splitlines()[-1].startswith("x changed since:")
    assert "= x = 3" not in repr(table)


def spoken(cell):
    return "".join(span.text for line in cell for span in line)


@settings(max_examples=10)
@given(graphs())
def test_every_number_is_that_of_the_table(graph):
    output = graph(*map(Value, graph.inputs))
    for table, made, order in (
        (grad_table(output), gradient_table, reversed),
        (tangent_table(output, dict.fromkeys(topological_sort(output)[:1], 1.0)), tangents_table, list),
    ):
        rows = made(table, None).rows
        digits = precision(len(table))
        wanted = ["—" if table[node] is ZERO else number(table[node], digits) for node in order(list(table))]
        assert [spoken(row[-1]) for row in rows] == wanted
        assert [spoken(row[1]) for row in rows] == [number(node.data, digits) for node in order(list(table))]


def test_terms_are_written_only_where_they_sum_to_the_number():
    x, _, _, y = example()
    table = grad_table(y)
    table[x] = 17.0
    last = next(row for row in gradient_table(table, None).rows if spoken(row[0]) == "x")
    assert [spoken(cell) for cell in last[2:]] == ["", "", "17"]


def test_it_is_still_a_dict():
    _, _, _, y = example()
    table = grad_table(y)
    assert table == dict(table)
    assert isinstance(table, dict)
    assert list(table) == topological_sort(y)
    assert type(table.copy()) is type(table)
    assert type(copy.copy(table)) is type(table)
    again = pickle.loads(pickle.dumps(table))
    assert list(again.values()) == list(table.values())
    assert type(tangent_table(y, {}).copy()) is type(tangent_table(y, {}))
    table.clear()
    assert repr(table) == "{}"
    assert table._repr_html_() is not None


def test_large_tables_show_both_ends_and_all_on_request():
    model = MLP(8, [16, 16, 1], rng=0)
    table = grad_table((model([0.1] * 8) - 1) ** 2)
    rows = gradient_table(table, 30).rows
    assert len([row for row in rows if not isinstance(row, Gap)]) == 30
    assert f"… {len(table) - 30} more nodes: show() shows all" in repr(table)
    assert len(repr(table).splitlines()) < 45
    assert len(repr(table.show()).splitlines()) >= len(table)
    assert table.show(5)._repr_html_().count("<tr>") == 7


def test_a_long_chain_is_shown_on_a_screen():
    x = Value(0.5, label="x")
    y = x
    for _ in range(5_000):
        y = y * 1.0
    table = grad_table(y)
    assert len(repr(table).splitlines()) < 40


@pytest.mark.slow
def test_a_million_nodes_are_shown():
    x = Value(0.5, label="x")
    y = x
    for _ in range(1_000_000):
        y = y * 1.0
    lines = repr(grad_table(y)).splitlines()
    assert len(lines) < 40
    assert "u2000001 = u1999999 · 1" in lines[2]
    assert lines[-1].split()[:2] == ["x", "0.5"]


def test_a_table_of_which_entries_were_removed():
    _, w, u, y = example()
    table = grad_table(y)
    del table[w], table[u]
    assert "x" in repr(table)


def test_a_node_used_often_has_a_few_terms():
    w = Value(2.0, label="w")
    table = grad_table(mg.sum([w * i for i in range(100)]))
    assert "… 96 more terms" in repr(table)


@settings(max_examples=15)
@given(st.text(max_size=40))
def test_labels_cannot_break_out(label):
    x = Value(1.0, label=label)
    html = grad_table(x * 2)._repr_html_()
    without_ours = re.sub(r"</?(div|style|table|thead|tbody|tr|th|td|span|br)\b[^<>]*>", "", html)
    assert "<" not in without_ours
    assert "\x00" not in html


@pytest.mark.parametrize(
    "label", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "&amp;", "]]>", "层 1"]
)
def test_hostile_labels_stay_text(label):
    html = grad_table(Value(1.0, label=label) * 2)._repr_html_()
    assert "<script" not in html
    assert "<img" not in html
    assert escape(label) in html

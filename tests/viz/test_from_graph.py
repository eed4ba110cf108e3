"""Conversion of graphs of Values and Symbols to diagrams."""

import pytest
from hash_seeds import outputs_by_hash_seed

import microgradlib as mg
from microgradlib import Symbol, Value
from microgradlib.errors import GraphTooLargeError
from microgradlib.viz.diagram import Arrow
from microgradlib.viz.from_graph import NEAR, from_graph


def test_boxes_of_a_neuron():
    w, x, b = Value(2.0, label="w"), Value(0.5, label="x"), Value(-1.0, label="b")
    o = (w * x + b).tanh()
    o.label = "o"
    o.backward()
    diagram = from_graph(o)
    assert [box.text for box in diagram.boxes] == [
        "n0  w  data 2  grad 0.5",
        "n1  x  data 0.5  grad 2",
        "n2  ×  data 1  grad 1",
        "n3  b  data -1  grad 1",
        "n4  +  data 0  grad 1",
        "n5  o  tanh  data 0  grad 1",
    ]
    assert [box.kind for box in diagram.boxes] == ["leaf", "leaf", "op", "leaf", "op", "output"]
    assert diagram.arrows == (
        Arrow("n0", "n2", "0.5"),
        Arrow("n1", "n2", "2"),
        Arrow("n2", "n4", "1"),
        Arrow("n3", "n4", "1"),
        Arrow("n4", "n5", "1"),
    )


def test_a_square_has_two_arrows():
    x = Value(3.0)
    assert from_graph(x * x).arrows == (Arrow("n0", "n1", "3"), Arrow("n0", "n1", "3"))


def test_symbols_show_no_numbers_and_constants_beside_them_only_their_own():
    x = Symbol("x")
    diagram = from_graph(mg.exp(x) * 2.0)
    assert [box.text for box in diagram.boxes] == ["n0  x", "n1  exp", "n2  data 2", "n3  ×"]
    assert {arrow.text for arrow in diagram.arrows} == {""}


def test_a_single_leaf():
    (box,) = from_graph(Value(float("nan"), label="x")).boxes
    assert (box.kind, box.rows) == ("leaf", (("data", "nan"), ("grad", "0")))


def test_a_leaf_used_nearby_is_drawn_once():
    x = Value(2.0, label="x")
    y = x * x
    for _ in range(NEAR):
        y = y * x
    assert [box.title for box in from_graph(y).boxes].count("x") == 1


def test_a_shared_weight_has_a_box_near_each_distant_use():
    w, h = Value(0.5, label="w"), Value(1.0, label="h")
    for _ in range(4):
        h = (w * h).tanh().exp()
    boxes = from_graph(h).boxes
    shared = [box for box in boxes if box.title == "w"]
    assert [box.id for box in shared] == ["n0", "n0_2", "n0_3", "n0_4"]
    assert [box.note for box in shared] == ["1 of 4", "2 of 4", "3 of 4", "4 of 4"]
    tails = [arrow.tail for arrow in from_graph(h).arrows if arrow.tail.startswith("n0")]
    assert tails == ["n0", "n0_2", "n0_3", "n0_4"]


def test_a_repeated_leaf_without_a_label_is_called_by_its_id():
    w, h = Value(0.5), Value(1.0, label="h")
    for _ in range(2):
        h = (w * h).tanh().exp().exp()
    assert [box.title for box in from_graph(h).boxes if box.note] == ["n0", "n0"]


def test_inner_nodes_are_never_repeated():
    x = Value(1.0, label="x")
    hub = x.exp()
    y = hub
    for _ in range(10):
        y = y.tanh() * hub
    diagram = from_graph(y)
    assert len(diagram.boxes) == len(mg.topological_sort(y))


def test_too_many_nodes_raise_with_count_limit_and_remedies():
    y = Value(1.0)
    for _ in range(30):
        y = y.tanh()
    assert len(from_graph(y, max_nodes=31).boxes) == 31
    with pytest.raises(
        GraphTooLargeError, match=r"has 31 nodes .* at most 30\..*smaller part.*max_nodes.*dot\(ws, xs, bias\)"
    ):
        from_graph(y, max_nodes=30)


@pytest.mark.parametrize("length", [100_001, pytest.param(1_000_000, marks=pytest.mark.slow)])
def test_a_long_chain_raises_before_it_is_fully_counted(length):
    y = Value(0.5)
    for _ in range(length):
        y = y + y
    with pytest.raises(GraphTooLargeError, match="more than 100,000 nodes"):
        from_graph(y)


def test_a_chain_far_deeper_than_pythons_stack_can_be_described():
    y = Value(0.5)
    for _ in range(5_000):
        y = y + y
    assert len(from_graph(y, max_nodes=10_000).boxes) == 5_001


@pytest.mark.parametrize("limit", [0, -5])
def test_a_limit_below_one_raises(limit):
    with pytest.raises(ValueError, match=f"max_nodes must be a whole number >= 1, got {limit}"):
        from_graph(Value(1.0), max_nodes=limit)


def test_the_drawing_does_not_depend_on_the_hash_seed():
    program = (
        "import hashlib\n"
        "from microgradlib import Value, dot\n"
        "from microgradlib.viz import draw\n"
        "xs = [Value(i / 7, label=f'x{i}') for i in range(5)]\n"
        "h = [dot([Value(0.3 * i + j) for j in range(5)], xs).tanh() for i in range(4)]\n"
        "d = draw(dot(h, h) + h[0])\n"
        "print(hashlib.sha256((d.svg + d.source + d.text).encode()).hexdigest())\n"
    )
    outputs = outputs_by_hash_seed(program, 0, 1, 77)
    assert len(outputs) == 1

"""Highlighted routes: their number, products and sum, how arrows are drawn, and what is written below."""

import math
from itertools import islice

import pytest
from hypothesis import given, settings, strategies as st

from microgradlib import Symbol, Value, grad_table, tanh, topological_sort
from microgradlib.ops import ZERO
from microgradlib.testing import graphs
from microgradlib.viz.boxes.diagram import Arrow, Box, Diagram
from microgradlib.viz.routes.search import MOST, arrow_styles, find_node, highlight
from microgradlib.viz.routes.text import caption, caption_text, count_text
from microgradlib.viz.snapshots.snapshot import Scope, Snapshot, SnapshotNode
from microgradlib.viz.typography import sans_width


def snapshot(output, **changes):
    """Return a snapshot of a graph, and its nodes."""
    live = topological_sort(output)
    index = {node: i for i, node in enumerate(live)}
    nodes = tuple(
        SnapshotNode(
            i,
            "op" if node.op else "input",
            node.label,
            {"*": "×"}.get(node.op.symbol, node.op.symbol) if node.op else "",
            node.op.name if node.op else "",
            node.data if isinstance(node, Value) else None,
            None if isinstance(node, Symbol) or node.grad is ZERO else node.grad,
            tuple(index[parent] for parent in node.parents),
            node.local_derivatives if isinstance(node, Value) else (None,) * len(node.parents),
        )
        for i, node in enumerate(live)
    )
    return Snapshot(nodes, (len(nodes) - 1,), **changes), live


def every_route(graph, start, end):
    """Yield all routes as lists of arrows, by walking them one after another: the oracle."""
    stack = [(end, ())]
    while stack:
        node, way = stack.pop()
        if node == start:
            yield way
        for place, parent in enumerate(graph.nodes[node].parents):
            if graph.nodes[node].local_derivatives[place] is not ZERO:
                stack.append((parent, ((node, place), *way)))


def factors(graph, way):
    return [graph.nodes[node].local_derivatives[place] for node, place in way]


@settings(max_examples=40)
@given(graphs(inputs=2, max_nodes=10), st.data())
def test_the_sum_over_all_routes_is_the_gradient(drawn, data):
    output = drawn(*[Value(x) for x in drawn.inputs])
    graph, live = snapshot(output)
    start = data.draw(st.integers(0, len(live) - 1))
    found = highlight(graph, start, len(live) - 1)
    assert found.total == pytest.approx(grad_table(output)[live[start]], rel=1e-12, nan_ok=True)
    ways = list(islice(every_route(graph, start, len(live) - 1), 5000))
    products = sorted((abs(math.prod(factors(graph, way))) for way in ways), reverse=True)
    assert found.count == len(ways)
    assert [abs(route.product) for route in found.routes] == pytest.approx(products[:MOST], rel=1e-12)
    assert len({route.edges for route in found.routes}) == len(found.routes)
    for route in found.routes:
        assert route.edges in ways
        assert route.product == pytest.approx(math.prod(factors(graph, route.edges)), rel=1e-12)
    assert found.edges == {edge for way in ways for edge in way}


def test_bits_agree_with_the_gradient_table():
    x = y = Value(0.3, "x")
    for k in range(40):
        y = (y * x).tanh() + y * (0.02 * k) if k % 3 else y.sin() * 0.2 + x
    graph, live = snapshot(y)
    assert highlight(graph, live.index(x), len(live) - 1).total == grad_table(y)[x]


def test_a_closed_branch_is_no_route():
    x = Value(-2.0, "x")
    y = x.relu() * 3 + x
    y.label = "y"
    graph, live = snapshot(y)
    found = highlight(graph, 0, len(live) - 1)
    assert (found.count, found.total, found.stopped) == (1, 1.0, True)
    off = Value(-1.0, "x").relu()
    graph, live = snapshot(off)
    found = highlight(graph, 0, 1)
    assert (found.count, found.total, found.routes, found.edges) == (0, 0.0, (), frozenset())
    assert caption_text(graph, found) == "each way meets a closed branch, so ∂relu/∂x = 0"


def test_what_is_on_no_route():
    x, y = Value(2.0, "x"), Value(3.0, "y")
    graph, live = snapshot(x * y)
    found = highlight(graph, live.index(x), live.index(y))
    assert (found.count, found.total, found.stopped) == (0, 0.0, False)
    assert caption_text(graph, found) == "no route leads from x to y, so ∂y/∂x = 0"
    back = highlight(graph, 2, 0)
    assert back.count == 0
    itself = highlight(graph, 2, 2)
    assert (itself.count, itself.total, itself.routes[0].edges) == (1, 1.0, ())


@pytest.mark.parametrize("bad", [math.inf, math.nan])
def test_infinite_and_undefined_products_are_counted(bad):
    x = Value(1.0, "x")
    output = x * Value(bad) * Value(0.0) + x
    graph, live = snapshot(output)
    found = highlight(graph, 0, len(live) - 1)
    assert found.count == 2
    assert math.isnan(found.total)
    assert math.isnan(found.routes[0].product)
    assert "nan" in caption_text(graph, found)


def test_a_node_made_by_hand_has_an_unknown_derivative():
    x = SnapshotNode(0, "input", "x", data=1.0)
    odd = SnapshotNode(1, "output", "odd", "", "", 2.0, 1.0, (0, 0), (3.0, None))
    graph = Snapshot((x, odd), (1,))
    found = highlight(graph, 0, 1)
    assert (found.count, found.total) == (2, None)
    assert "x → odd:   ?\n" in caption_text(graph, found)
    assert caption_text(graph, found).endswith("∂odd/∂x = unknown, as a local derivative is")


def test_symbols_have_routes_without_numbers():
    x = Symbol("x")
    graph, _ = snapshot(x * x)
    found = highlight(graph, 0, 1)
    assert (found.count, found.total) == (2, None)
    assert [route.edges for route in found.routes] == [((1, 0),), ((1, 1),)]
    assert caption_text(graph, found).splitlines()[-1] == (
        "sum of 2 routes:   ∂×/∂x = unknown, as a local derivative is"
    )


def test_symbols_have_formulas_where_the_ops_are_known():
    x, y = Symbol("x"), Symbol("y")
    z = tanh(x * y) - x * 2
    z.label = "z"
    graph, live = snapshot(z)
    found = highlight(graph, live.index(x), len(live) - 1, ops=[node.op for node in live])
    assert caption_text(graph, found).splitlines() == [
        "x → u1 → u2 → z:   y · (1 − u2²) · 1",
        "x → u4 → z:   2 · (−1)",
        "∂z/∂x = y · (1 − u2²) + 2 · (−1)",
    ]


def test_many_routes_are_counted_exactly():
    y = x = Value(1.0, "x")
    for _ in range(2_000):
        y = y * 0.5 + y * 0.5
    graph, live = snapshot(y)
    found = highlight(graph, 0, len(live) - 1)
    text = caption_text(graph, found)
    assert found.count == 2**2_000
    assert found.total == grad_table(y)[x] == 1.0
    assert len(found.routes) == MOST
    assert "… 3,988 more … → " in text
    assert "about 1.148e602 more routes:   1" in text
    assert count_text(10**15 - 1) == "999,999,999,999,999"
    assert count_text(10**15) == "about 1e15"


@pytest.fixture
def fan():
    """w reaches the loss by two routes, of which the parts near the loss are common."""
    w = Value(0.5, "w")
    u, v = w * 3, w.exp()
    loss = (u + v) ** 2
    loss.label = "loss"
    return w, loss


def test_the_lines_below_say_what_the_sum_is(fan):
    w, loss = fan
    graph, live = snapshot(loss)
    lines = caption_text(graph, highlight(graph, live.index(w), len(live) - 1)).splitlines()
    assert lines == [
        "w → × → + → loss:   3 · 1 · 6.3 = 18.89",
        "w → exp → + → loss:   1.65 · 1 · 6.3 = 10.38",
        "sum of 2 routes:   18.89 + 10.38 = 29.28 = ∂loss/∂w",
        "no backward pass yet",
    ]
    loss.backward()
    graph, _ = snapshot(loss)
    found = highlight(graph, live.index(w), len(live) - 1)
    assert caption_text(graph, found).splitlines()[-1].endswith("= 29.28 = ∂loss/∂w, the gradient of w")
    loss.backward()
    graph, _ = snapshot(loss)
    assert caption_text(graph, found).splitlines()[-1] == (
        "w.grad is 58.55, not 29.28: it comes from another backward pass, or from several that were added up"
    )


def test_another_seed_is_taken_into_account(fan):
    w, loss = fan
    loss.backward(seed=2.0)
    graph, live = snapshot(loss)
    text = caption_text(graph, highlight(graph, live.index(w), len(live) - 1))
    assert text.endswith("= ∂loss/∂w, times loss.grad = 2: the gradient of w")


def test_numbers_changed_since_are_named(fan):
    w, loss = fan
    loss.backward()
    graph, live = snapshot(loss, changed=("w",))
    nodes = tuple(node.__class__(**{**vars(node), "stale": bool(node.parents)}) for node in graph.nodes)
    graph = Snapshot(nodes, graph.outputs, graph.changed)
    text = caption_text(graph, highlight(graph, live.index(w), len(live) - 1))
    assert text.endswith("the local derivatives are those from before the change of w: build the graph anew")


def test_lines_are_wrapped_between_steps(fan):
    w, loss = fan
    graph, live = snapshot(loss)
    found = highlight(graph, live.index(w), len(live) - 1)
    lines = caption(graph, found, 260.0, 12.0)
    assert all(sans_width(line.text, 12.0) <= 260.0 for line in lines)
    joined = " ".join(line.text for line in lines if line.style == "route0")
    assert joined.split() == ["w", "→", "×", "→", "+", "→", "loss:", "3", "·", "1", "·", "6.3", "=", "18.89"]
    assert [line.style for line in lines if line.first][:2] == ["route0", "route1"]


def test_steps_without_a_name_say_in_which_neuron_they_are():
    first, second = Scope("layers.0", "layer", "layers.0"), Scope("layers.1", "layer", "layers.1")
    one = Scope("neurons.0", "neuron", "layers.0.neurons.0", parent=first)
    other = Scope("neurons.1", "neuron", "layers.0.neurons.1", parent=first)
    last = Scope("neurons.0", "neuron", "layers.1.neurons.0", parent=second)
    w = SnapshotNode(0, "parameter", "layers.0.neurons.1.w.0", data=1.0)
    aside = SnapshotNode(1, "op", "", "dot", "dot", 1.0, None, (), (), (first, one))
    z = SnapshotNode(2, "op", "", "dot", "dot", 1.0, None, (0,), (0.5,), (first, other))
    h = SnapshotNode(3, "op", "", "tanh", "tanh", 1.0, None, (2, 1), (0.25, 1.0), (first, other))
    y = SnapshotNode(4, "op", "", "dot", "dot", 1.0, None, (3,), (3.0,), (second, last))
    loss = SnapshotNode(5, "output", "loss", "^2", "pow", 1.0, 1.0, (4,), (2.0,))
    graph = Snapshot((w, aside, z, h, y, loss), (5,))
    lines = caption_text(graph, highlight(graph, 0, 5)).splitlines()
    assert lines[0] == "layers.0.neurons.1.w.0 → z → tanh → layers.1 z → loss:   0.5 · 0.25 · 3 · 2 = 0.75"
    assert lines[1] == "the only route:   ∂loss/∂w.0 = 0.75"
    found = caption_text(graph, highlight(graph, 1, 5)).splitlines()[0]
    assert found.startswith("dot → layers.0.neurons.1 tanh → layers.1 z → loss:")


def test_nodes_are_found_by_identity_name_and_path():
    a, b, c = Value(1.0, "layers.0.w.1"), Value(2.0, "b"), Value(3.0)
    graph, live = snapshot(a * b * c)
    assert find_node(graph, live, a) == find_node(graph, live, "layers.0.w.1") == find_node(graph, live, "w.1") == 0
    assert live[find_node(graph, live, c)] is c
    with pytest.raises(ValueError, match=r"is not part of the drawn graph"):
        find_node(graph, live, Value(1.0))
    with pytest.raises(ValueError, match=r"no node named 'w\.2'.*layers\.0\.w\.1"):
        find_node(graph, live, "w.2")
    with pytest.raises(ValueError, match=r"no node named ''"):
        find_node(graph, live, "")
    with pytest.raises(TypeError, match=r"two nodes or their names, as in highlight=\(w, loss\), got 3"):
        find_node(graph, live, 3)
    graph, live = snapshot(Value(1.0, "x") * Value(2.0, "x"))
    with pytest.raises(ValueError, match=r"2 nodes are named 'x'"):
        find_node(graph, live, "x")


def test_arrows_are_drawn_by_the_routes_on_them():
    boxes = tuple(Box(name, "op") for name in "abcd")
    diagram = Diagram(
        boxes,
        (
            Arrow("a", "b", edges=((1, 0),)),
            Arrow("a", "c", edges=((2, 0),)),
            Arrow("b", "d", edges=((3, 0), (3, 1))),
            Arrow("a", "d", edges=((9, 9),)),
            Arrow("c", "d", edges=((5, 0),)),
        ),
    )
    x = SnapshotNode(0, "input", "x", data=1.0)
    nodes = [x, *(SnapshotNode(i, "op", data=1.0, parents=(0,), local_derivatives=(float(i),)) for i in (1, 2))]
    nodes.append(SnapshotNode(3, "op", data=1.0, parents=(1, 2), local_derivatives=(1.0, 1.0)))
    found = highlight(Snapshot(tuple(nodes), (3,)), 0, 3)
    assert arrow_styles(diagram, found) == ("route1", "route0", "shared", "", "")
    few = highlight(Snapshot(tuple(nodes), (3,)), 0, 3, most=1)
    assert arrow_styles(diagram, few) == ("other", "route0", "route0", "", "")

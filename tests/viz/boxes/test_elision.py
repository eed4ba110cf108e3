"""Frames with very many ops, circles that leaving out would make, and the order of parts."""

import random

import pytest
from hypothesis import given, settings, strategies as st
from scoped_graphs import Recorder, batch, plain, recurrent

from microgradlib import Value, exp, sum as total, tanh
from microgradlib.viz.boxes.build import build, choose_parts, lay_open
from microgradlib.viz.boxes.choice import Step
from microgradlib.viz.boxes.circles import strongly_connected
from microgradlib.viz.boxes.parts import edges_between
from microgradlib.viz.boxes.structure import find_structure

STEPS = [
    Step(),
    Step(cards=False),
    Step(weights=False, tables=True),
    Step(layers=True, fold=True),
    Step(height=0, fold=True, ends=1),
    Step(weights=False, layers=True, vectors=True),
    Step(height=9, most=4, everything=True, fold=True, ends=1),
]


def random_graph(seed, nodes, scoped=True):
    """Return the snapshot of a graph whose ops are in scopes at random, so that groups depend on one another."""
    chance = random.Random(seed)
    recorder = Recorder()
    values = [recorder.leaf(chance.random(), f"a{i}") for i in range(4)]
    while len(values) < nodes:
        depth = chance.randrange(3) if scoped else 0
        names = [f"{chance.choice('abc')}{level}" for level in range(depth)]
        contexts = [recorder.scope(name) for name in names]
        for context in contexts:
            context.__enter__()
        for _ in range(chance.randrange(1, 6)):
            a, b = chance.choice(values), chance.choice(values)
            values.append(
                recorder.note(chance.choice([lambda a=a, b=b: a * b, lambda a=a: tanh(a), lambda a=a, b=b: a + b])())
            )
        for context in reversed(contexts):
            context.__exit__(None, None, None)
    return recorder.snapshot(recorder.note(total(values[-5:])))


def mixed(seed, nodes):
    """Return a graph whose ops are in one of few scopes each, by chance: groups in circles."""
    chance = random.Random(seed)
    recorder = Recorder()
    values = [recorder.leaf(chance.random(), f"a{i}") for i in range(3)]
    scopes = []
    for name in "abc":
        with recorder.scope(name) as scope:
            scopes.append(scope)
    for _ in range(nodes):
        value = exp(tanh(chance.choice(values)) * chance.choice(values))
        scope = chance.choice(scopes)
        for node in (value, value.parents[0], value.parents[0].parents[0]):
            recorder.paths[node] = (scope,)
        values.append(value)
    return recorder.snapshot(recorder.note(total(values[-3:])))


def check(diagram, snapshot):
    """The laws of every diagram."""
    ids = [box.id for box in diagram.boxes]
    assert len(ids) == len(set(ids))
    place = {name: at for at, name in enumerate(ids)}
    frames = [""]
    for frame in diagram.frames:
        assert frame.parent in frames
        frames.append(frame.id)
    assert len(frames) == len(set(frames))
    for box in diagram.boxes:
        assert box.frame in frames
    for arrow in diagram.arrows:
        assert place[arrow.tail] < place[arrow.head], "boxes are in topological order, without circles"
    drawn = [i for box in diagram.boxes if box.id != "totals" and "_" not in box.id for i in box.nodes]
    assert len(drawn) == len(set(drawn)) <= len(snapshot.nodes)
    assert [arrow.head for arrow in diagram.arrows] == sorted((arrow.head for arrow in diagram.arrows), key=place.get)
    for output in snapshot.outputs:
        assert any(output in box.nodes and box.output for box in diagram.boxes)


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.integers(5, 60), st.sampled_from(STEPS))
def test_every_diagram_has_a_direction_and_holds_each_node_once(seed, nodes, step):
    snapshot = random_graph(seed, nodes)
    check(build(snapshot, step), snapshot)


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.sampled_from(STEPS))
def test_groups_that_depend_on_one_another_in_a_circle_become_one_box(seed, step):
    snapshot = mixed(seed, 12)
    check(build(snapshot, step), snapshot)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("snapshot", [batch(1), batch(5), recurrent(9), batch(2, scoped=False), batch(1, (14, 13, 1))])
def test_networks_have_a_direction_at_every_step(snapshot, step):
    check(build(snapshot, step), snapshot)


def test_equal_ops_side_by_side_are_one_box():
    x = [Value(0.1 * k, label=f"x.{k}") for k in range(5)]
    y = [Value(0.2 * k, label=f"y.{k}") for k in range(5)]
    z = [exp(a * b) for a, b in zip(x, y, strict=True)]
    snapshot = plain(total(z))
    diagram = build(snapshot, Step(vectors=True))
    check(diagram, snapshot)
    assert [(box.kind, box.op) for box in diagram.boxes][-3:] == [("closed", "×"), ("closed", "exp"), ("output", "sum")]
    assert [strip.name for strip in diagram.boxes[-2].strips] == ["value", "gradient"]
    assert [arrow.lines for arrow in diagram.arrows][-2:] == [5, 5]


def test_a_group_of_equal_ops_alone_is_closed_until_it_is_opened():
    recorder = Recorder()
    x = [recorder.leaf(0.1 * k, f"x.{k}") for k in range(4)]
    with recorder.scope("activation", "layer", "activation") as scope:
        h = [recorder.note(tanh(one)) for one in x]
    snapshot = recorder.snapshot(recorder.note(total(h)))
    closed = build(snapshot, Step(vectors=True))
    assert [(box.kind, box.title) for box in closed.boxes][-2:] == [("closed", "activation"), ("output", "")]
    assert not closed.frames
    opened = build(snapshot, Step(vectors=True, opened=frozenset({find_structure(snapshot).groups.keys[scope]})))
    assert [box.op for box in opened.boxes].count("tanh") == 4


def test_ops_that_depend_on_one_another_are_no_vector():
    y = Value(0.5, label="x")
    for k in range(14):
        y = y * Value(0.5, label=f"a{'bcdefghijklmnop'[k]}")
    diagram = build(plain(y), Step(vectors=True))
    assert [box.op for box in diagram.boxes].count("×") == 14
    assert not any(box.kind in {"closed", "elided"} for box in diagram.boxes)


def test_neurons_without_a_layer_are_one_box():
    x = [Value(0.1 * k, label=f"x.{k}") for k in range(4)]
    h = [tanh(total([Value(0.2, label=f"w{i}{j}") * x[j] for j in range(4) if j != i])) for i in range(4)]
    diagram = build(plain(total(h)), Step(vectors=True))
    layer = next(box for box in diagram.boxes if box.kind == "closed")
    assert [row.name for row in layer.rows] == ["tanh(W x)", "4 neurons, 12 parameters"]


def test_the_same_snapshot_gives_the_same_diagram():
    snapshot = random_graph(3, 60)
    assert all(build(snapshot, step) == build(snapshot, step) for step in STEPS)


def test_of_a_long_chain_the_first_and_the_last_three_are_drawn():
    y = Value(0.5, label="x")
    for k in range(1_000):
        y = y * 0.5 if k % 2 else y + 0.25
    diagram = build(plain(y))
    assert [box.kind for box in diagram.boxes] == ["input", "op", "op", "op", "elided", "op", "op", "output"]
    middle = diagram.boxes[4]
    assert middle.title == "… 994 more"
    assert middle.rows[0].name == "497 ×, 497 +"
    assert diagram.note.endswith("nodes in 8 boxes, collapsed")


def test_leaves_that_only_the_middle_reads_go_with_it():
    y = Value(0.5, label="x")
    for k in range(100):
        y = tanh(y * Value(0.1, label=f"w{k}"))
    diagram = build(plain(y), Step(cards=False))
    assert len(diagram.boxes) < 20


def test_parts_are_in_topological_order_whatever_was_left_out():
    structure = find_structure(random_graph(11, 200, scoped=False))
    sheet = lay_open(structure, *choose_parts(structure, Step(most=12)))
    assert all(tail < head for tail, head in edges_between(structure, sheet.parts))


def components(count, edges):
    """Strongly connected components by reachability: the oracle."""
    reach = {v: {v} for v in range(count)}
    for _ in range(count):
        for tail, head in edges:
            for v in range(count):
                if tail in reach[v]:
                    reach[v].add(head)
    return {frozenset(w for w in reach[v] if v in reach[w]) for v in range(count)}


@settings(max_examples=40)
@given(st.integers(1, 6).flatmap(lambda n: st.tuples(
    st.just(n), st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=20))))  # fmt: skip
def test_strongly_connected_components(drawn):
    count, edges = drawn
    assert {frozenset(component) for component in strongly_connected(count, edges)} == components(count, edges)


def test_a_long_path_has_its_components_without_recursion():
    assert len(strongly_connected(9_000, [(i, i + 1) for i in range(8_999)])) == 9_000

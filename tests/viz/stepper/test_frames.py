"""Frames, replayed with numbers: equal to grad_table and tangent_table on drawn graphs, bit for bit."""

import math

import pytest
from hypothesis import given, settings, strategies as st

from microgradlib import Value, grad_table, tangent_table
from microgradlib.core.graph import topological_sort
from microgradlib.ops import ZERO
from microgradlib.testing import graphs
from microgradlib.viz.stepper.tapes.frames import (
    edges_of,
    forward_frames,
    new_parameters,
    order_frames,
    replay,
    reverse_frames,
    sweep_frames,
    training_frames,
    twice_frames,
)


def drawn(graph):
    """A drawn function as a graph of Values: its nodes, edges and local derivatives."""
    order = topological_sort(graph(*[Value(x) for x in graph.inputs]))
    index = {node: i for i, node in enumerate(order)}
    edges = edges_of([[index[p] for p in node.parents] for node in order])
    return order, edges, [d for node in order for d in node.local_derivatives]


def exact(numbers):
    return [None if x is ZERO else float(x).hex() for x in numbers]


@settings(max_examples=25)
@given(graphs(), st.sampled_from([1.0, -2.5, 0.0]))
def test_reverse_frames_give_grad_table(graph, seed):
    order, edges, slopes = drawn(graph)
    result = replay(edges, reverse_frames(edges), slopes, seed or ZERO).result
    table = grad_table(order[-1], seed)
    assert exact(result) == exact(table[node] for node in order)


@settings(max_examples=25)
@given(graphs(), st.data())
def test_a_sweep_gives_tangent_table(graph, data):
    order, edges, slopes = drawn(graph)
    leaves = [i for i, node in enumerate(order) if node.op is None]
    x = data.draw(st.sampled_from(leaves))
    played = replay(edges, sweep_frames(edges, x), slopes)
    table = tangent_table(order[-1], {order[x]: 1.0})
    assert exact(played.result) == exact(table[node] for node in order)
    assert exact([played.sweeps[x]]) == exact([table[order[-1]]])


@settings(max_examples=25)
@given(graphs())
def test_reverse_mode_uses_every_arrow_once(graph):
    _, edges, _ = drawn(graph)
    used = [frame["edge"] for frame in reverse_frames(edges) if frame["do"] == "term"]
    assert sorted(used) == list(range(len(edges.edges)))


@settings(max_examples=25)
@given(graphs())
def test_terms_are_counted_for_each_node(graph):
    _, edges, _ = drawn(graph)
    seen = {}
    for frame in reverse_frames(edges):
        if frame["do"] == "term":
            tail = edges.edges[frame["edge"]].tail
            seen[tail] = seen.get(tail, 0) + 1
            assert frame["k"] == seen[tail]
            assert frame["of"] == sum(edge.tail == tail for edge in edges.edges)


def test_nothing_passes_a_closed_branch_or_from_an_unreached_node():
    chain = edges_of([[], [0], [1]])
    rows = replay(chain, reverse_frames(chain), [math.inf, ZERO]).rows
    assert [(row.added, row.after is ZERO) for row in rows] == [(0.0, True), (0.0, True)]


def test_a_computed_zero_times_infinity_is_nan():
    chain = edges_of([[], [0], [1]])
    assert math.isnan(replay(chain, reverse_frames(chain), [math.inf, 0.0]).result[0])


FAN_OUT = edges_of([[], [], [0, 0], [0, 1], [2, 3]])  # u = x·x, v = x·y, f = u + v at x = 3, y = 4
SLOPES = [3.0, 3.0, 4.0, 3.0, 1.0, 1.0]


def test_an_assignment_for_an_addition_keeps_the_last_term():
    assert replay(FAN_OUT, reverse_frames(FAN_OUT), SLOPES).result[:2] == [10.0, 3.0]
    assert replay(FAN_OUT, reverse_frames(FAN_OUT), SLOPES, bug="assign").result[:2] == [3.0, 3.0]


def test_a_forgotten_zero_grad_doubles_the_gradients_of_leaves_alone():
    frames = twice_frames(FAN_OUT)
    assert replay(FAN_OUT, frames, SLOPES).result == [10.0, 3.0, 1.0, 1.0, 1.0]
    assert replay(FAN_OUT, frames, SLOPES, bug="stale").result == [20.0, 6.0, 1.0, 1.0, 1.0]


def test_a_search_in_breadth_passes_gradients_on_too_early():
    cubic = edges_of([[], [0, 0], [1, 0], [2, 0]])  # a³ + a
    wrong = order_frames(cubic)
    slopes = [2.0, 2.0, 2.0, 4.0, 1.0, 1.0]
    assert wrong.kind == "unreversed"  # each inner node has one consumer, so its search order is right
    diamond = edges_of([[], [0], [1], [1, 2]])  # u, v = f(u), y = u + v: u is met before v has reported
    wrong = order_frames(diamond)
    assert wrong.kind == "breadth"
    right = replay(diamond, reverse_frames(diamond), [2.0, 3.0, 1.0, 1.0]).result
    assert (right[0], replay(diamond, wrong.frames, [2.0, 3.0, 1.0, 1.0]).result[0]) == (8.0, 2.0)
    assert replay(cubic, order_frames(cubic).frames, slopes).result[0] == 1.0


def test_a_single_op_has_no_wrong_order():
    assert order_frames(edges_of([[], [0, 0]])) is None
    assert order_frames(edges_of([[]])) is None


def test_no_term_goes_to_a_constant():
    product = edges_of([[], [], [0, 1]], quiet=[1])
    assert [frame["edge"] for frame in reverse_frames(product) if frame["do"] == "term"] == [0]


def test_forward_frames_have_at_most_sixteen_sweeps():
    wide = edges_of([*[[] for _ in range(20)], list(range(20))])
    frames = forward_frames(wide, range(20))
    assert [frame["node"] for frame in frames if frame["do"] == "sweep"] == list(range(16))


def test_an_output_that_is_an_input_has_derivative_1():
    leaf = edges_of([[]])
    assert replay(leaf, reverse_frames(leaf), []).result == [1.0]
    assert replay(leaf, sweep_frames(leaf, 0), []).sweeps == {0: 1.0}


def test_a_training_step_updates_every_parameter_then_looks_at_the_loss():
    frames = training_frames(FAN_OUT, [0, 1])
    assert [frame["do"] for frame in frames[-4:]] == ["update", "update", "after", "done"]
    assert new_parameters({0: 3.0, 1: 4.0}, [10.0, ZERO, 1.0], rate=0.1) == {0: 2.0, 1: 4.0}


@pytest.mark.parametrize("make", [reverse_frames, twice_frames])
def test_frames_hold_no_numbers_but_places(make):
    assert all(isinstance(x, (int, str)) for frame in make(FAN_OUT) for x in frame.values())

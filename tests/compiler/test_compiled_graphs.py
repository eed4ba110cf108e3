"""Random graphs, compiled: values and gradients are the eager engine's, whatever is shared, for any batch."""

import random

import pytest
from eager_oracle import assert_matches_eager
from hypothesis import HealthCheck, given, settings, strategies as st

from microgradlib.compiler import compile as compiled
from microgradlib.core.value import Value
from microgradlib.ops import TABLE
from microgradlib.testing import graphs

HONEST = [op for op in TABLE.values() if op.name != "detach"]
TIMES = 100
"""Graphs of a dozen ops in a row enlarge rounding: 1e-10 of a number, 1e-12 of the largest one met."""


def check(examples):
    return settings(max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def compiled_graphs(draw, **limits):
    """Draw a function of inputs, alone or in a vector, and parameters, with a batch of rows for its arguments."""
    graph = draw(graphs(list(TABLE.values()), **limits))
    roles = draw(st.lists(st.sampled_from("piv"), min_size=len(graph.names), max_size=len(graph.names)))
    batch = draw(st.integers(1, 7))
    rng = random.Random(draw(st.integers(0, 2**16)))  # one draw for all rows: they differ a little from the point
    parameters = [Value(x) for x, role in zip(graph.inputs, roles) if role == "p"]

    def column(x):
        return [x + rng.uniform(-0.01, 0.01) * (i > 0) for i in range(batch)]

    alone = [column(x) for x, role in zip(graph.inputs, roles) if role == "i"]
    together = [column(x) for x, role in zip(graph.inputs, roles) if role == "v"]
    vectors = [list(row) for row in zip(*together)] or [[0.0, 1.0]] * batch

    def function(vector, *numbers):
        take = {"p": iter(parameters), "i": iter(numbers), "v": iter(vector)}
        return graph(*[next(take[role]) for role in roles])

    return function, parameters, [vectors, *alone]


@check(200)
@given(compiled_graphs(inputs=4, max_nodes=14))
def test_small_graphs(graph) -> None:
    function, parameters, columns = graph
    assert_matches_eager(function, parameters, *columns, times=TIMES)


@check(40)
@given(compiled_graphs(inputs=7, max_nodes=60))
def test_large_graphs(graph) -> None:
    function, parameters, columns = graph
    assert_matches_eager(function, parameters, *columns, times=TIMES)


@pytest.mark.slow
@check(800)
@given(compiled_graphs(inputs=5, max_nodes=20))
def test_hundreds_of_graphs(graph) -> None:
    function, parameters, columns = graph
    assert_matches_eager(function, parameters, *columns, times=TIMES)


@check(60)
@given(compiled_graphs(inputs=4, max_nodes=14), st.integers(0, 2**16))
def test_parameters_that_change_between_calls_are_seen(graph, seed) -> None:
    function, parameters, columns = graph
    fast = compiled(function, parameters)
    fast(*columns)
    rng = random.Random(seed)
    for p in parameters:
        p.data += rng.uniform(-0.01, 0.01)
    assert_matches_eager(function, parameters, *columns, fast=fast, times=TIMES)


@check(60)
@given(compiled_graphs(inputs=4, max_nodes=14), st.integers(1, 6))
def test_batches_of_other_sizes_by_the_same_program(graph, size) -> None:
    function, parameters, columns = graph
    fast = compiled(function, parameters)
    fast(*columns)
    assert_matches_eager(function, parameters, *[(column * size)[:size] for column in columns], fast=fast, times=TIMES)


@check(60)
@given(st.lists(graphs(HONEST, inputs=3, max_nodes=8), min_size=2, max_size=4))
def test_several_graphs_of_the_same_numbers_as_one_output_each(several) -> None:
    parameters = [Value(x) for x in several[0].inputs]
    inputs = [x for graph in several[1:] for x in graph.inputs]

    def function(row):
        rows = iter(row)
        return {"first": several[0](*parameters), "others": [g(*[next(rows) for _ in g.names]) for g in several[1:]]}

    assert_matches_eager(function, parameters, [inputs] * 3, times=TIMES)

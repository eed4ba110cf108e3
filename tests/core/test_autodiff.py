"""Backpropagation (Algorithm 6.2): by hand, over random graphs, and against the other methods."""

import math

import pytest
from equality import bits
from hypothesis import given, settings, strategies as st

import microgradlib as mg
from microgradlib import Symbol, Value, evaluate, grad_table, gradients, topological_sort

# Numbers: Algorithm 6.2


def test_a_graph_computed_by_hand():
    """The example of micrograd's lecture: L = (a·b + c)·f."""
    a, b, c, f = Value(2.0), Value(-3.0), Value(10.0), Value(-2.0)
    e = a * b
    d = e + c
    loss = d * f
    assert loss.data == -8.0
    expected = {loss: 1.0, d: -2.0, f: 4.0, e: -2.0, c: -2.0, a: 6.0, b: -4.0}
    assert grad_table(loss) == expected
    loss.backward()
    assert {node: node.grad for node in expected} == expected


def test_a_neuron_computed_by_hand():
    x1, x2, w1, w2, b = Value(2.0), Value(0.0), Value(-3.0), Value(1.0), Value(6.8813735870195432)
    out = (x1 * w1 + x2 * w2 + b).tanh()
    table = grad_table(out)
    assert out.data == pytest.approx(math.sqrt(0.5), rel=1e-12)
    assert [table[v] for v in (x1, w1, x2, w2)] == pytest.approx([-1.5, 1.0, 0.5, 0.0], rel=1e-12)


def test_the_table_is_in_topological_order_and_stores_nothing():
    x = Value(3.0)
    y = x * x + x
    table = grad_table(y)
    assert list(table) == topological_sort(y)
    assert [node.grad for node in table] == [0.0, 0.0, 0.0]


def test_a_leaf_is_its_own_derivative():
    x = Value(3.0)
    assert grad_table(x) == {x: 1.0}
    x.backward()
    x.backward(2.0)
    assert x.grad == 3.0


def test_a_reused_node_sums_the_contributions_of_its_edges():
    x = Value(3.0)
    square = x * x
    assert square.parents == (x, x)
    assert square.local_derivatives == (3.0, 3.0)
    assert grad_table(square + square * x)[x] == 2 * 3.0 + 3 * 9.0


def test_the_seed_scales_every_gradient():
    x, y = Value(3.0), Value(4.0)
    product = x * y
    assert grad_table(product, seed=2.5) == {x: 10.0, y: 7.5, product: 2.5}
    product.backward(2.5)
    assert (x.grad, y.grad, product.grad) == (10.0, 7.5, 2.5)


def test_backward_adds_into_leaves_and_sets_inner_nodes():
    x = Value(3.0)
    y = x * x
    z = y * x
    for time in (1, 2, 3):
        z.backward()
        assert (x.grad, y.grad, z.grad) == (27.0 * time, 3.0, 1.0)


def test_two_losses_are_summed_in_the_leaves():
    x = Value(3.0)
    shared = x * x
    (shared * 2).backward()
    (shared * 5).backward()
    assert x.grad == 42.0
    assert shared.grad == 5.0


def test_backward_of_a_sum_of_losses():
    x = Value(3.0)
    ((x * x) * 2 + (x * x) * 5).backward()
    assert x.grad == 42.0


# Random graphs with sharing

UNARY = [
    mg.tanh,
    mg.exp,
    mg.relu,
    mg.sin,
    mg.sigmoid,
    abs,
    mg.log,
    mg.sqrt,
    lambda x: x**2,
    lambda x: -x,
    lambda x: 1 / x,
]
BINARY = [
    lambda x, y: x + y, lambda x, y: x * y, lambda x, y: x - y, lambda x, y: x / y, mg.maximum, mg.hypot,
    lambda x, y: mg.where(x > y, x, y * x), lambda x, y: mg.dot([x, y], [y, y], bias=x),
    lambda x, y: mg.sum([x, y, x]), lambda x, y: mg.prod([x, y, y]), lambda x, y: mg.logsumexp([x, y, y]),
]  # fmt: skip
numbers = st.floats(-3, 3) | st.sampled_from([0.0, -0.0, 1.0, -1.0, 1e200, math.inf, math.nan])
steps = st.lists(
    st.tuples(st.integers(0, len(UNARY) + len(BINARY) - 1), st.integers(0, 100), st.integers(0, 100)),
    min_size=1,
    max_size=12,
)


def build(leaves, steps):
    """Run the steps, each on any two earlier nodes, and return all nodes."""
    nodes = list(leaves)
    for op, i, j in steps:
        first, second = nodes[i % len(nodes)], nodes[j % len(nodes)]
        nodes.append(UNARY[op](first) if op < len(UNARY) else BINARY[op - len(UNARY)](first, second))
    return nodes


@settings(max_examples=150, deadline=None)
@given(st.lists(numbers, min_size=1, max_size=3), steps)
def test_backward_is_grad_table_bit_for_bit(leaves, steps):
    nodes = build([Value(x) for x in leaves], steps)
    table = grad_table(nodes[-1])
    nodes[-1].backward()
    assert [bits(node.grad) for node in table] == [bits(gradient) for gradient in table.values()]


@settings(max_examples=150, deadline=None)
@given(st.lists(numbers, min_size=1, max_size=3), steps, st.sets(st.integers(0, 2)))
def test_a_gradient_of_none_counts_as_0(leaves, steps, without):
    nodes = build([Value(x) for x in leaves], steps)
    table = grad_table(nodes[-1])
    for x in [nodes[i] for i in without if i < len(leaves)]:
        x.grad = None
    nodes[-1].backward()
    given_none = {node for node in nodes if node.grad is None}  # what nothing has reached
    assert all(bits(0.0 if node in given_none else node.grad) == bits(g) for node, g in table.items())


@settings(max_examples=150, deadline=None)
@given(st.lists(numbers, min_size=1, max_size=3), steps)
def test_symbols_evaluate_to_what_values_compute(leaves, steps):
    symbols = [Symbol(f"x{i}") for i in range(len(leaves))]
    values = [Value(x) for x in leaves]
    bound = dict(zip(symbols, leaves))
    eager, symbolic = build(values, steps), build(symbols, steps)
    assert [bits(x) for x in evaluate(symbolic, bound)] == [bits(node.data) for node in eager]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(-2, 2), min_size=1, max_size=3), steps)
def test_the_three_ways_to_a_gradient_agree(leaves, steps):
    symbols = [Symbol(f"x{i}") for i in range(len(leaves))]
    values = [Value(x) for x in leaves]
    out, expression = build(values, steps)[-1], build(symbols, steps)[-1]
    table = grad_table(out)
    expected = [table.get(x, 0.0) for x in values]
    if all(abs(g) < 1e100 for g in table.values()):  # nan and inf meet zeros in another order: see ops/test_edge_cases
        assert [g.data for g in gradients(out, values)] == pytest.approx(expected, rel=1e-9, abs=1e-12)
        got = evaluate(gradients(expression, symbols), dict(zip(symbols, leaves)))
        assert got == pytest.approx(expected, rel=1e-9, abs=1e-12)


@settings(max_examples=100, deadline=None)
@given(st.lists(numbers, min_size=1, max_size=3), steps)
def test_topological_order(leaves, steps):
    order = topological_sort(build([Value(x) for x in leaves], steps)[-1])
    place = {node: i for i, node in enumerate(order)}
    assert len(place) == len(order)
    assert all(place[parent] < place[node] for node in order for parent in node.parents)

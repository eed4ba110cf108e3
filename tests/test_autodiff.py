"""Backpropagation: numbers (grad_table, backward), new graph (gradients), evaluation of Symbols."""

import math
import os
import struct
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import microgradlib as mg
from microgradlib import Symbol, Value, evaluate, grad_table, gradients, topological_sort
from microgradlib.errors import SymbolHasNoValueError
from microgradlib.ops import define_op, forget_op


def bits(x):
    return "nan" if math.isnan(x) else struct.pack("<d", x).hex()


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


def test_a_reused_node_gets_a_contribution_for_every_edge():
    x = Value(3.0)
    square = x * x
    assert square.parents == (x, x)
    assert square.local_derivatives == (3.0, 3.0)
    assert grad_table(square + square * x)[x] == 2 * 3.0 + 3 * 9.0


def test_the_seed_scales():
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


def test_summing_and_backward_at_once_agree():
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
    if all(abs(g) < 1e100 for g in table.values()):  # nan and inf meet zeros in another order: see test_edge_cases
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


# New graph: Algorithms 6.5 and 6.6


@pytest.fixture
def spy_op():
    """An op x·y that notes which of its derivatives are asked for."""
    asked = []

    def derivative(name, of):
        return lambda xp, z, x, y: asked.append(name) or of(x, y)

    op = define_op(
        "spied_product",
        value=lambda xp, x, y: x * y,
        derivatives=[derivative("x", lambda x, y: y), derivative("y", lambda x, y: x)],
        formula="x y",
    )
    yield op, asked
    forget_op("spied_product")


def test_nothing_is_computed_for_inputs_not_asked_for(spy_op):
    op, asked = spy_op
    x, y = Symbol("x"), Symbol("y")
    gradients(op(x, y), [x])
    assert asked == ["x"]


def test_nothing_is_computed_for_branches_that_do_not_matter(spy_op):
    op, asked = spy_op
    x, y, z = Symbol("x"), Symbol("y"), Symbol("z")
    [slope] = gradients(op(y, z) + 2 * x, [x])
    assert asked == []
    assert evaluate(slope, {}) == 2.0
    assert len(topological_sort(slope)) == 1


def test_gradients_are_pruned_to_the_nodes_that_matter():
    x, y = Symbol("x"), Symbol("y")
    [slope] = gradients(mg.sin(x) * mg.exp(mg.tanh(mg.log(y))), [x])
    names = [node.op.name if node.op else node.label for node in topological_sort(slope)]
    assert sorted(names) == sorted(["y", "log", "tanh", "exp", "x", "cos", "strong_mul"])


def test_figure_6_10_of_deep_learning():
    """z = f(f(f(w))): the derivative is f'(y) f'(x) f'(w), two products, with x and y shared and z not needed."""
    f_prime = define_op("f_prime", lambda xp, x: xp.cos(x), [lambda xp, z, x: -xp.sin(x)], formula="f'")
    f = define_op("f", lambda xp, x: xp.sin(x), [lambda xp, z, x: xp.f_prime(x)], formula="f")
    try:
        w = Symbol("w")
        x = f(w)
        y = f(x)
        z = f(y)
        [dz_dw] = gradients(z, [w])
        graph = topological_sort(dz_dw)
        assert sorted(node.op.name for node in graph if node.op) == ["f"] * 2 + ["f_prime"] * 3 + ["strong_mul"] * 2
        assert {w, x, y} < set(graph)
        assert z not in graph
        assert {node.parents[0] for node in graph if node.op is f_prime} == {w, x, y}
        nested = math.cos(math.sin(math.sin(0.5))) * math.cos(math.sin(0.5)) * math.cos(0.5)
        assert evaluate(dz_dw, {w: 0.5}) == pytest.approx(nested, rel=1e-15)
        dz_dx, dz_dy = gradients(z, [x, y])
        assert dz_dy.op is f_prime
        assert dz_dx.parents[0].op is dz_dx.parents[1].op is f_prime
    finally:
        forget_op("f")
        forget_op("f_prime")


@pytest.mark.parametrize(
    ("f", "closed_forms"),
    [
        (mg.sin, [math.sin, math.cos, lambda x: -math.sin(x), lambda x: -math.cos(x), math.sin]),
        (mg.exp, [math.exp] * 5),
        (mg.log, [math.log, lambda x: 1 / x, lambda x: -1 / x**2, lambda x: 2 / x**3, lambda x: -6 / x**4]),
        (lambda x: x**5, [lambda x: x**5, lambda x: 5 * x**4, lambda x: 20 * x**3, lambda x: 60 * x**2]),
        (lambda x: 1 / (1 + x * x), [
            lambda x: 1 / (1 + x * x),
            lambda x: -2 * x / (1 + x * x) ** 2,
            lambda x: (6 * x * x - 2) / (1 + x * x) ** 3,
            lambda x: 24 * x * (1 - x * x) / (1 + x * x) ** 4,
        ]),
        (mg.tanh, [
            math.tanh,
            lambda x: 1 - math.tanh(x) ** 2,
            lambda x: -2 * math.tanh(x) * (1 - math.tanh(x) ** 2),
            lambda x: (1 - math.tanh(x) ** 2) * (6 * math.tanh(x) ** 2 - 2),
        ]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("at", [0.3, 0.9, 2.0])
def test_higher_orders_against_closed_forms(f, closed_forms, at):
    expected = [closed_form(at) for closed_form in closed_forms]
    x, v = Symbol("x"), Value(at)
    symbolic, eager = [f(x)], [f(v)]
    for _ in closed_forms[1:]:
        symbolic += gradients(symbolic[-1], [x])
        eager += gradients(eager[-1], [v])
    assert evaluate(symbolic, {x: at}) == pytest.approx(expected, rel=1e-12)
    assert [y.data for y in eager] == pytest.approx(expected, rel=1e-12)


def test_mixed_second_derivatives_are_symmetric():
    x, y = Symbol("x"), Symbol("y")
    dx, dy = gradients(mg.exp(x * y) + mg.sin(x) * y**3, [x, y])
    at = {x: 0.7, y: -0.4}
    [xy], [yx] = gradients(dx, [y]), gradients(dy, [x])
    expected = (1 - 0.28) * math.exp(-0.28) + math.cos(0.7) * 3 * 0.16
    assert evaluate([xy, yx], at) == pytest.approx([expected, expected], rel=1e-14)


@pytest.mark.parametrize("make", [Value, lambda x: Symbol(f"s{x}")])
def test_an_unrelated_input_has_gradient_0(make):
    x, unrelated = make(1.0), make(2.0)
    slope, none = gradients(x * x, [x, unrelated])
    bound = {} if isinstance(x, Value) else {x: 1.0}
    assert evaluate([slope, none], bound) == [2.0, 0.0]


def test_gradients_of_an_output_by_itself_and_by_inner_nodes():
    x = Value(3.0)
    square = x * x
    out = square * square
    assert [g.data for g in gradients(out, [out, square, x])] == [1.0, 18.0, 108.0]


def test_gradients_leave_the_graph_alone():
    x = Value(3.0)
    y = x * x
    before = (y.parents, y.local_derivatives, y.data, y.grad, x.grad)
    gradients(y, [x])
    assert (y.parents, y.local_derivatives, y.data, y.grad, x.grad) == before


# Symbols


def test_evaluate_several_outputs_and_constants():
    x, y = Symbol("x"), Symbol("y")
    c = Value(10.0)
    outputs = [x * y, x + c, c]
    assert evaluate(outputs, {x: 2.0, y: 3.0}) == [6.0, 12.0, 10.0]
    assert evaluate(tuple(outputs), {x: 2, y: 3, c: 1}) == [6.0, 3.0, 1.0]
    assert evaluate([], {}) == []


def test_evaluate_by_an_inner_node():
    x = Symbol("x")
    square = x * x
    assert evaluate(square + x, {square: 5.0, x: 1.0}) == 6.0


def test_evaluate_computes_eager_graphs_anew():
    x = Value(3.0)
    y = x * x
    assert evaluate(y, {x: 5.0}) == 25.0
    x.data = 4.0
    assert evaluate(y, {}) == 16.0
    assert y.data == 9.0


def test_values_in_place_of_numbers_give_values():
    x, y = Symbol("x"), Symbol("y")
    v, w = Value(2.0), Value(3.0)
    out = evaluate(x * y + x, {x: v, y: w})
    assert isinstance(out, Value)
    assert (out.data, grad_table(out)[v], grad_table(out)[w]) == (8.0, 4.0, 2.0)


def test_a_missing_symbol_is_named():
    x, y = Symbol("x"), Symbol("height")
    with pytest.raises(SymbolHasNoValueError, match=r"height.*pass \{height: 2\.0\}"):
        evaluate(x * y, {x: 1.0})


def test_a_value_met_by_a_symbol_gives_a_symbol():
    x, v = Symbol("x"), Value(3.0)
    for out in (x + v, v + x, x * v, v * x, v**x, x**v, mg.maximum(v, x), mg.dot([v], [x]), mg.where(v > 0, x, v)):
        assert type(out) is Symbol
    assert evaluate(v * x + v, {x: 2.0}) == 9.0
    dx, dv = gradients(v * x * x, [x, v])
    assert evaluate([dx, dv], {x: 2.0}) == [12.0, 4.0]


def test_comparisons_of_symbols_give_symbols():
    x, y = Symbol("x"), Symbol("y")
    expressions = [x < y, x <= y, x > y, x >= y, x < 1, 1 < x, Value(1.0) < x, x >= Value(2.0)]
    assert all(type(e) is Symbol for e in expressions)
    assert evaluate(expressions, {x: 2.0, y: 2.0}) == [0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 1.0, 1.0]


def test_gradients_through_where_on_symbols():
    x = Symbol("x")
    f = mg.where(x > 1, x**3, mg.exp(x))
    [slope] = gradients(f, [x])
    [curvature] = gradients(slope, [x])
    assert evaluate([f, slope, curvature], {x: 2.0}) == [8.0, 12.0, 12.0]
    assert evaluate([f, slope, curvature], {x: 0.0}) == [1.0, 1.0, 1.0]


def test_detach_stops_gradients():
    x = Symbol("x")
    [slope] = gradients(x * x.detach(), [x])
    assert evaluate(slope, {x: 3.0}) == 3.0
    v = Value(3.0, label="v")
    assert grad_table(v * v.detach())[v] == 3.0
    assert (v.detach().label, v.detach() is v) == ("v", False)


@pytest.mark.parametrize(
    ("use", "instead"),
    [
        (lambda x: x.data, "evaluate"),
        (lambda x: x.grad, "gradients"),
        (lambda x: x.local_derivatives, "gradients"),
        (lambda x: x.backward(), "gradients"),
        (bool, "where"),
        (lambda x: 1 if x > 0 else 2, "where"),
        (lambda x: max(x, 1), "maximum"),
        (float, "evaluate"),
        (int, "evaluate"),
        (round, "evaluate"),
        (math.sin, r"microgradlib\.exp"),
        (math.floor, "microgradlib"),
        (lambda x: x and 1, "where"),
    ],
)
def test_a_symbol_says_what_to_write_instead(use, instead):
    with pytest.raises(SymbolHasNoValueError, match=instead):
        use(Symbol("x"))
    with pytest.raises(TypeError):  # so that hasattr, callers of float() and the like see what they expect
        use(Symbol("x") + 1)


@pytest.mark.parametrize("label", ["", None, 3.0, Value(1.0)])
def test_a_symbol_needs_a_name(label):
    with pytest.raises(TypeError, match="name"):
        Symbol(label)


# Determinism and safety

PROGRAM = """
import random
from microgradlib import Value, grad_table, gradients, logsumexp, topological_sort
from microgradlib.nn import MLP
model = MLP(3, [8, 8, 2], activation="tanh", rng=7)
rng = random.Random(1)
loss = Value(0.0)
for _ in range(4):
    a, b = model([rng.uniform(-1, 1) for _ in range(3)])
    loss = loss + logsumexp([a, b, a * b]) - (a - b) ** 2 / (1 + a * a)
table = grad_table(loss)
loss.backward()
print([g.hex() for g in table.values()])
print([p.grad.hex() for p in model.parameters()])
print([str(n.op) for n in topological_sort(loss)])
print([g.data.hex() for g in gradients(loss, model.parameters()[:5])])
"""


def test_bits_do_not_depend_on_the_hash_seed():
    outputs = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "4242")
    }
    assert len(outputs) == 1
    assert len(outputs.pop()) > 10_000


@pytest.mark.parametrize(
    "fail",
    [
        lambda x: x + "text",
        lambda x: x * None,
        lambda x: x ** (1j),
        lambda x: mg.dot([x, x], [x]),
        lambda x: mg.sum([x, "text"]),
        lambda x: mg.maximum(x, 1j),
        lambda x: x + 10**400,
        lambda x: x.backward("seed"),
        lambda x: grad_table(x, "seed"),
        lambda x: mg.atan2(x),
    ],
)
def test_a_failing_operation_leaves_its_operands_alone(fail):
    x = Value(3.0, label="x")
    y = x * x
    y.backward()
    before = [(n.data, n.grad, n.parents, n.local_derivatives, n.label, n.op) for n in (x, y)]
    with pytest.raises((TypeError, ValueError, OverflowError)):
        fail(y)
    assert [(n.data, n.grad, n.parents, n.local_derivatives, n.label, n.op) for n in (x, y)] == before

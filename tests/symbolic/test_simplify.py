"""simplify: removes operations without effect, folds constants, never changes a value."""

import math

import pytest
from hypothesis import assume, given, strategies as st

import microgradlib as mg
from microgradlib import Symbol, Value, evaluate, gradients, simplify, to_text, topological_sort
from microgradlib.ops import TABLE, arithmetic, derivative_graph

X, Y = Symbol("x"), Symbol("y")


@pytest.mark.parametrize(
    ("expression", "simpler"),
    [
        (0 * X, "0"),
        (X * 0, "0"),
        (1 * X, "x"),
        (X * 1, "x"),
        (X + 0, "x"),
        (0 + X, "x"),
        (X - 0, "x"),
        (0 - X, "-x"),
        (X / 1, "x"),
        (arithmetic.neg(-X), "x"),
        (-1 * X, "-x"),
        (-1 * -X, "x"),
        (X * -Y, "-x*y"),
        (-X * -Y, "x*y"),
        (-X / Y, "-x/y"),
        (X + -Y, "x - y"),
        (X - -Y, "x + y"),
        (2 * -X, "-2*x"),
        (X**1, "x"),
        (X**0, "1"),
        (X**2, "x**2"),
        (X ** (Value(3.0) - 1), "x**2"),
        (2 * Value(3.0) + X, "6 + x"),
        (mg.tanh(Value(0.0)) * X, "0"),
        ((X + 0) * (Y * 1) - 0 * X, "x*y"),
        (derivative_graph.strong_mul(Value(2.0), X), "2*x"),
        (derivative_graph.strong_mul(X, Value(1.0)), "x"),
        (derivative_graph.strong_mul(X, Value(0.0)), "0"),
        (mg.where(X > 0, Y, Y), "y"),
        (mg.where(Value(1.0), X, Y), "x"),
        (mg.where(Value(0.0), X, Y), "y"),
        (mg.sum([X, 0, Y]), "x + y"),
        (mg.sum([0, X, 0]), "x"),
        (mg.prod([1, X, Y]), "x*y"),
        (mg.prod([X, 0, Y]), "0"),
        (mg.dot([X, 0], [Y, X]), "x*y"),
        (mg.dot([X, Y], [2, 3], bias=0), "x*2 + y*3"),
        (mg.dot([X, 0], [0, Y], bias=X), "x"),
        (mg.dot([X], [0]), "0"),
        (mg.dot([1], [X]), "x"),
    ],
)
def test_simplified_expressions(expression: Symbol, simpler: str) -> None:
    assert to_text(simplify(expression)) == simpler


@pytest.mark.parametrize("expression", [X + 1, 2 * X, X / 2, 1 / X, X - X, X / X, mg.mean([X, 0]), 0 / X, 1 - X])
def test_expressions_that_are_not_simplified(expression: Symbol) -> None:
    assert to_text(simplify(expression)) == to_text(expression)


def test_labelled_values_are_variables_and_never_merged() -> None:
    zero, twin = Value(0.0, label="b"), Value(0.0, label="b")
    result = simplify(zero * X + twin)
    assert to_text(result) == "b*x + b_2"
    assert {zero, twin, X} <= set(topological_sort(result))


def test_equal_constants_become_one_leaf() -> None:
    assert len(topological_sort(simplify((X + 2.0) * (Y - Value(2.0))))) == 6


def test_zeros_of_both_signs_are_two_constants() -> None:
    assert evaluate(simplify(mg.atan2(Value(-0.0), X) + mg.atan2(Value(0.0), X)), {X: -1.0}) == 0.0


def test_keep_makes_unlabelled_leaves_variables() -> None:
    w = Value(2.0)
    assert simplify(w * w).op is None
    kept = simplify(w * w + 0, keep=[w])
    kept.backward()
    assert (kept.data, w.grad) == (4.0, 4.0)


def test_a_list_keeps_its_sharing() -> None:
    shared = mg.tanh(X + 0)
    first, second = simplify([shared * 1 * Y, shared + 0])
    assert first.parents[0] is second


def test_the_graph_is_new_but_its_leaves_are_the_old_ones() -> None:
    x = Value(3.0, label="x")
    old = x * x + 0
    old.label = "loss"
    new = simplify(old)
    new.backward()
    assert (new is old, new.label, old.grad, x.grad) == (False, "loss", 0.0, 6.0)


def test_domain_guards_are_kept() -> None:
    [slope] = gradients(mg.log(X), [X])
    simple = simplify(slope)
    assert evaluate(simple, {X: 2.0}) == 0.5
    assert math.isnan(evaluate(simple, {X: -2.0}))


def test_only_numbers_and_nodes_are_accepted() -> None:
    assert simplify(2).data == 2.0
    with pytest.raises(TypeError):
        simplify("x")


def test_a_chain_of_100_000_nodes() -> None:
    z = X
    for _ in range(100_000):
        z = z * 1
    assert simplify(z) is X


CONSTANTS = [0.0, 1.0, -1.0, 2.0, 0.5]
OPS = [op for op in TABLE.values() if op.name not in {"floor", "ceil", "detach", "polygamma", "gamma", "lgamma"}]


@st.composite
def graphs(draw: st.DrawFn) -> Symbol:
    pool = [X, Y, *[Value(c) for c in CONSTANTS]]
    for _ in range(draw(st.integers(1, 8))):
        op = draw(st.sampled_from([*OPS, *[TABLE[name] for name in ("add", "sub", "mul", "neg", "div", "strong_mul")]]))
        count = op.arity or draw(st.integers(1, 5))
        pool.append(op(*[draw(st.sampled_from(pool)) for _ in range(count)]))
    return pool[-1]


NUMBERS = st.sampled_from([-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0])


@given(graphs(), NUMBERS, NUMBERS)
def test_the_value_is_the_same_float(z: Symbol, x: float, y: float) -> None:
    nodes = topological_sort(z)
    assume(all(map(math.isfinite, evaluate(nodes, {X: x, Y: y}))))
    assert evaluate(simplify(z), {X: x, Y: y}) == evaluate(z, {X: x, Y: y})


def _size(outputs: list[Symbol]) -> int:
    # Without signs: x·(−y) becomes −(x·y), which is one more node where −y is used elsewhere too.
    return sum(node.op is not TABLE["neg"] for node in topological_sort(*outputs))


@given(graphs(), NUMBERS, NUMBERS)
def test_derivatives_keep_their_value_and_do_not_grow(z: Symbol, x: float, y: float) -> None:
    slopes = gradients(z, [X, Y])
    nodes = topological_sort(*slopes)
    simple = simplify(slopes)
    assert _size(simple) <= _size(slopes)
    assume(all(map(math.isfinite, evaluate(nodes, {X: x, Y: y}))))
    assert evaluate(simple, {X: x, Y: y}) == evaluate(slopes, {X: x, Y: y})

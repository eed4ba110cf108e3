"""Derivatives as new nodes (Algorithms 6.5 and 6.6): pruned, exact, differentiable again."""

import math

import pytest

import microgradlib as mg
from microgradlib import Symbol, Value, evaluate, grad_table, gradients, kinks, topological_sort


@pytest.fixture
def spy_op(temporary_op):
    """Define an op x·y that records which of its derivatives are evaluated."""
    asked = []

    def derivative(name, of):
        return lambda xp, z, x, y: asked.append(name) or of(x, y)

    op = temporary_op(
        "spied_product",
        value=lambda xp, x, y: x * y,
        derivatives=[derivative("x", lambda x, y: y), derivative("y", lambda x, y: x)],
        formula="x y",
    )
    asked.clear()  # define_op runs each rule once
    return op, asked


def test_no_rule_is_evaluated_for_other_inputs(spy_op):
    op, asked = spy_op
    x, y = Symbol("x"), Symbol("y")
    gradients(op(x, y), [x])
    assert asked == ["x"]


def test_no_rule_is_evaluated_for_unrelated_branches(spy_op):
    op, asked = spy_op
    x, y, z = Symbol("x"), Symbol("y"), Symbol("z")
    [slope] = gradients(op(y, z) + 2 * x, [x])
    assert asked == []
    assert evaluate(slope, {}) == 2.0
    assert len(topological_sort(slope)) == 1


def test_gradients_are_pruned_to_relevant_nodes():
    x, y = Symbol("x"), Symbol("y")
    [slope] = gradients(mg.sin(x) * mg.exp(mg.tanh(mg.log(y))), [x])
    names = [node.op.name if node.op else node.label for node in topological_sort(slope)]
    assert sorted(names) == sorted(["y", "log", "tanh", "exp", "x", "cos", "mul"])


def test_figure_6_10_of_deep_learning(temporary_op):
    """z = f(f(f(w))): the derivative is f'(y) f'(x) f'(w), two products, with x and y shared and z not needed."""
    f_prime = temporary_op("f_prime", lambda xp, x: xp.cos(x), [lambda xp, z, x: -xp.sin(x)], formula="f'")
    f = temporary_op("f", lambda xp, x: xp.sin(x), [lambda xp, z, x: xp.f_prime(x)], formula="f")
    w = Symbol("w")
    x = f(w)
    y = f(x)
    z = f(y)
    [dz_dw] = gradients(z, [w])
    graph = topological_sort(dz_dw)
    assert sorted(node.op.name for node in graph if node.op) == ["f"] * 2 + ["f_prime"] * 3 + ["mul"] * 2
    assert {w, x, y} < set(graph)
    assert z not in graph
    assert {node.parents[0] for node in graph if node.op is f_prime} == {w, x, y}
    nested = math.cos(math.sin(math.sin(0.5))) * math.cos(math.sin(0.5)) * math.cos(0.5)
    assert evaluate(dz_dw, {w: 0.5}) == pytest.approx(nested, rel=1e-15)
    dz_dx, dz_dy = gradients(z, [x, y])
    assert dz_dy.op is f_prime
    assert dz_dx.parents[0].op is dz_dx.parents[1].op is f_prime


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


def test_gradients_do_not_change_the_graph():
    x = Value(3.0)
    y = x * x
    before = (y.parents, y.local_derivatives, y.data, y.grad, x.grad)
    gradients(y, [x])
    assert (y.parents, y.local_derivatives, y.data, y.grad, x.grad) == before


@pytest.mark.parametrize(
    "misuse",
    [
        lambda: topological_sort(3),
        lambda: grad_table(3.0),
        lambda: gradients(3.0, [Value(1.0)]),
        lambda: evaluate(3.0, {}),
        lambda: kinks(3.0),
    ],
)
def test_non_nodes_raise(misuse):
    with pytest.raises(TypeError, match="expected a Value or Symbol, the output of a graph, got 3"):
        misuse()


def test_a_single_input_gives_a_single_derivative():
    x = Value(2.0)
    slope = gradients(x * x, x)
    assert (slope.data, gradients(slope, x).data) == (4.0, 2.0)

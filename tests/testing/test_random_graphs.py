"""Every op and a thousand random graphs: numeric, reverse, forward and symbolic derivatives agree."""

import pytest
from hypothesis import given, settings

import microgradlib as mg
from microgradlib.core.autodiff import evaluate, grad_table, gradients
from microgradlib.ops import TABLE
from microgradlib.testing import assert_derivative_rule, assert_gradients_close, graphs, inputs_for

HONEST = [op for op in TABLE.values() if op.name != "detach"]  # detach has derivative 0 by intent


def check(examples: int):
    return settings(max_examples=examples, deadline=None)


@pytest.mark.parametrize("op", HONEST, ids=lambda op: op.name)
def test_rules_of_every_op_in_its_sample_region(op) -> None:
    assert_derivative_rule(op, order=1)


@pytest.mark.slow
@pytest.mark.parametrize("op", HONEST, ids=lambda op: op.name)
def test_rules_of_every_op_to_second_order(op) -> None:
    assert_derivative_rule(op)


@pytest.mark.parametrize("op", HONEST, ids=lambda op: op.name)
def test_rules_of_every_op_at_random_points(op) -> None:
    @check(3)
    @given(inputs_for(op))
    def at(inputs) -> None:
        assert_derivative_rule(op, *inputs)

    at()


@check(200)
@given(graphs())
def test_smooth_graphs_to_first_order(graph) -> None:
    assert_gradients_close(graph, graph.inputs)


@check(40)
@given(graphs(max_nodes=8))
def test_smooth_graphs_to_second_order(graph) -> None:
    assert_gradients_close(graph, graph.inputs, order=2)


@check(120)
@given(graphs(HONEST))
def test_graphs_with_kinks_to_first_order(graph) -> None:
    assert_gradients_close(graph, graph.inputs)


@check(40)
@given(graphs(max_nodes=80, inputs=6))
def test_large_graphs(graph) -> None:
    assert_gradients_close(graph, graph.inputs)


def numbers_by_values(graph):
    """Return every ∂f/∂xᵢ and ∂²f/∂xᵢ∂xⱼ by `gradients` and `grad_table` over Values."""
    leaves = [mg.Value(x) for x in graph.inputs]
    output = graph(*leaves)
    reverse = grad_table(output)
    slopes = gradients(output, leaves)
    tables = [grad_table(slope) for slope in slopes]
    return [reverse[x] for x in leaves], [table.get(x, 0.0) for table in tables for x in leaves]


# In a derivative graph the weight of a strong product is multiplied last: numbers agree but for rounding.
IN_ORDER = [op for op in HONEST if op.name != "strong_mul"]


@check(200)
@given(graphs(IN_ORDER, max_nodes=16, inputs=4))
def test_reverse_mode_and_symbols_agree_bit_for_bit(graph) -> None:
    first, second = numbers_by_values(graph)
    symbols = [mg.Symbol(name) for name in graph.names]
    point = dict(zip(symbols, graph.inputs))
    slopes = gradients(graph(*symbols), symbols)
    assert evaluate(slopes, point) == first
    curvatures = [d for slope in slopes for d in gradients(slope, symbols)]
    assert evaluate(curvatures, point) == pytest.approx(second, rel=1e-11, abs=1e-12)  # added in another order


@check(100)
@given(graphs(HONEST))
def test_backward_stores_the_gradients_of_grad_table(graph) -> None:
    leaves = [mg.Value(x) for x in graph.inputs]
    output = graph(*leaves)
    table = grad_table(output)
    output.backward()
    assert [x.grad for x in leaves] == [table[x] for x in leaves]

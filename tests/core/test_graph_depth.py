"""No recursion over graphs: every function works on a chain of a million nodes."""

import copy
import gc
import math
import pickle
import sys
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from microgradlib import Symbol, Value, evaluate, grad_table, gradients, kinks, topological_sort
from microgradlib.viz import draw

FACTOR = 1.0000001
MILLION = pytest.param(1_000_000, marks=pytest.mark.slow)
FEWER = pytest.param(200_000, marks=pytest.mark.slow)  # for what takes long; tests/large takes a million by hand
at_each_length = pytest.mark.parametrize("length", [20_000, MILLION])  # either is far beyond any stack


def chain(start: Any, factor: Any, length: int) -> Any:
    """Return start × factor × … × factor: `length` nodes and the two leaves."""
    node = start
    for _ in range(length):
        node = node * factor
    return node


def power(length: int) -> float:
    return math.exp(length * math.log(FACTOR))


def close(number: float) -> Any:
    return pytest.approx(number, rel=1e-8)  # a million roundings of 1e-16


def without_recursion(work: Callable[[], Any]) -> Any:
    """Run the work with a recursion limit of some tens of frames, too few to recurse over the graph."""
    depth, frame = 0, sys._getframe().f_back
    while frame is not None:
        depth, frame = depth + 1, frame.f_back
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(depth + 51)
    try:
        return work()
    finally:
        sys.setrecursionlimit(limit)


def test_the_recursion_limit_detects_recursion() -> None:
    def recursive_sort(node: Value, order: list[Value]) -> None:
        for parent in node.parents:
            recursive_sort(parent, order)
        order.append(node)

    output = chain(Value(2.0), Value(FACTOR), 100)
    with pytest.raises(RecursionError):
        without_recursion(lambda: recursive_sort(output, []))


@at_each_length
def test_sort_lists_the_chain_from_start_to_end(length: int) -> None:
    x, factor = Value(2.0), Value(FACTOR)
    output = without_recursion(lambda: chain(x, factor, length))
    order = without_recursion(lambda: topological_sort(output))
    assert len(order) == length + 2
    assert order[:2] == [x, factor]
    assert order[-1] is output
    assert all(node.parents[0] is before for before, node in zip([x, *order[2:]], order[2:]))


@at_each_length
def test_backward_gives_the_derivatives_of_a_power(length: int) -> None:
    x, factor = Value(2.0), Value(FACTOR)
    output = chain(x, factor, length)
    assert output.data == close(2 * power(length))
    without_recursion(output.backward)
    assert x.grad == close(power(length))
    assert factor.grad == close(2 * length * power(length) / FACTOR)
    table = without_recursion(lambda: grad_table(output))
    assert (table[x], table[factor]) == (x.grad, factor.grad)
    assert without_recursion(lambda: kinks(output)) == []


@pytest.mark.parametrize("length", [20_000, FEWER])
def test_gradients_of_a_deep_graph(length: int) -> None:
    x, factor = Value(2.0), Value(FACTOR)
    output = chain(x, factor, length)
    slopes = without_recursion(lambda: gradients(output, [x, factor]))
    assert [slope.data for slope in slopes] == [close(power(length)), close(2 * length * power(length) / FACTOR)]


@pytest.mark.parametrize("length", [20_000, FEWER])
def test_symbols_are_evaluated_and_differentiated(length: int) -> None:
    x, factor = Symbol("x"), Symbol("factor")
    output = chain(x, factor, length)
    numbers: dict[Any, float] = {x: 2.0, factor: FACTOR}
    assert without_recursion(lambda: evaluate(output, numbers)) == close(2 * power(length))
    slopes = without_recursion(lambda: gradients(output, [x, factor]))
    found = without_recursion(lambda: evaluate(slopes, numbers))
    assert found == [close(power(length)), close(2 * length * power(length) / FACTOR)]


def pickled(node: Any) -> Any:
    return pickle.loads(pickle.dumps(node))


@at_each_length
@pytest.mark.parametrize("duplicate", [copy.deepcopy, pickled])
def test_copies_of_a_deep_graph_are_complete_and_independent(length: int, duplicate: Callable[[Any], Any]) -> None:
    x, factor = Value(2.0, label="x"), Value(FACTOR, label="factor")
    output = chain(x, factor, length)
    output.label = "output"
    twin = without_recursion(lambda: duplicate(output))
    order = topological_sort(twin)
    assert len(order) == length + 2
    assert [order[0].label, order[1].label, order[-1].label] == ["x", "factor", "output"]
    assert twin.data == output.data
    twin.backward()
    assert order[0].grad == close(power(length))
    assert x.grad == 0.0
    assert {id(node) for node in order}.isdisjoint(map(id, topological_sort(output)))


@pytest.mark.parametrize("duplicate", [copy.deepcopy, pickled])
def test_deep_graphs_of_symbols_are_copied(duplicate: Callable[[Any], Any]) -> None:
    x, factor = Symbol("x"), Symbol("factor")
    twin = without_recursion(lambda: duplicate(chain(x, factor, 20_000)))
    twin_x, twin_factor = topological_sort(twin)[:2]
    assert evaluate(twin, {twin_x: 2.0, twin_factor: FACTOR}) == close(2 * power(20_000))


def test_pickled_together_chains_stay_one_graph() -> None:
    x, factor = Value(2.0), Value(FACTOR)
    middle = chain(x, factor, 10_000)
    first, second = chain(middle, factor, 10_000), chain(middle, factor, 10_001)
    one, other = without_recursion(lambda: pickled([first, second]))
    assert len({*topological_sort(one), *topological_sort(other)}) == 2 + 10_000 + 10_000 + 10_001


@at_each_length
@pytest.mark.parametrize("leaf", [Value, lambda _: Symbol("x")])
def test_a_graph_is_freed_at_once_without_the_cycle_collector(length: int, leaf: Callable[[float], Any]) -> None:
    enabled = gc.isenabled()
    gc.disable()
    try:
        output = chain(leaf(2.0), leaf(FACTOR), length)
        if isinstance(output, Value):
            output.backward()
        nodes = [weakref.ref(node) for node in topological_sort(output)]  # other tests' nodes may die meanwhile
        assert len(nodes) == length + 2
        del output
        assert all(node() is None for node in nodes)
    finally:
        if enabled:
            gc.enable()


def test_a_graph_in_a_cycle_is_not_freed_at_once() -> None:
    cycle: list[Any] = [Value(2.0)]
    cycle.append(cycle)
    node = weakref.ref(cycle[0])
    gc.disable()
    try:
        del cycle
        assert node() is not None
    finally:
        gc.enable()


@pytest.mark.parametrize("length", [5_000, FEWER])
def test_a_drawing_collapses(length: int) -> None:
    output = chain(Value(2.0), Value(FACTOR), length)
    drawing = without_recursion(lambda: draw(output))
    assert len(drawing.diagram.boxes) < 30


def test_cost_is_linear_in_nodes_for_2_to_the_1000_paths() -> None:
    x = Value(1.0)
    node = x
    for _ in range(1000):
        node = node + node
    node.backward()
    assert x.grad == 2.0**1000
    assert [slope.data for slope in gradients(node, [x])] == [2.0**1000]

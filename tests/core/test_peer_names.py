"""The names of other engines on Values: _prev, _op, _children, _local_grads, and _backward called by hand."""

import copy
import math
import pickle

import pytest
from hypothesis import given, settings, strategies as st

import microgradlib as mg
from microgradlib import Symbol, Value, topological_sort
from microgradlib.core.own_attributes import own_attributes
from microgradlib.core.peer_names import DistinctParents
from microgradlib.engine import declare_attributes
from microgradlib.errors import MissingRuleError
from microgradlib.ops import TABLE


def test_prev_is_usable_as_a_set_and_in_order():
    a, b, c = Value(1.0), Value(2.0), Value(3.0)
    prev = mg.maximum(b, a, c, a)._prev
    assert prev == {a, b, c}
    assert prev == frozenset({a, b, c})
    assert {a, b, c} == prev
    assert prev != {a, b}
    assert [*prev] == list(prev) == [b, a, c] == [*reversed(tuple(reversed(prev)))]
    first, *others = prev
    assert (first, others) == (b, [a, c])
    assert a in prev
    assert Value(1.0) not in prev
    assert set(prev) == {a, b, c}
    assert (len(prev), prev[0]) == (3, b)
    assert prev | {a} == {a, b, c} == {a} | prev == prev.union([a]) == prev | prev
    assert prev & {a, Value(0.0)} == {a} == {a} & prev == prev.intersection([a])
    assert prev - {a} == {b, c} == prev.difference([a])
    assert {a, *(extra := {Value(9.0)})} - prev == extra
    assert prev ^ {a} == {b, c} == {a} ^ prev == prev.symmetric_difference({a})
    assert prev.issubset({a, b, c})
    assert prev.issuperset({a})
    assert prev.isdisjoint({Value(1.0)})
    assert {prev: 1}[frozenset({a, b, c})] == 1
    assert prev.copy() == prev
    assert next(iter(pickle.loads(pickle.dumps(prev)))).data == 2.0
    assert [x.data for x in copy.deepcopy(prev)] == [2.0, 1.0, 3.0]
    visited = set()
    visited |= prev
    visited.update(prev)
    assert visited == {a, b, c}
    assert isinstance(prev, DistinctParents)
    assert a._prev == set()
    assert not a._prev


def test_prev_has_each_parent_once_and_children_has_repeats():
    x = Value(3.0)
    square = x * x
    assert (square._prev, square._children, square.parents) == ({x}, (x, x), (x, x))
    assert square._local_grads == (3.0, 3.0)


def test_texts_of_ops():
    x, y = Value(2.0), Value(3.0)
    texts = {
        "+": x + y, "*": x * y, "-": x - y, "/": x / y, "**2": x**2, "**-1": x**-1, "ReLU": x.relu(), "tanh": x.tanh(),
        "exp": x.exp(), "": x, "my text": Value(1.0, (x,), "my text"),
    }  # fmt: skip
    for text, node in texts.items():
        assert node._op == text
    assert (-x)._op == str((-x).op)
    assert Symbol("s")._op == ""
    assert Symbol("s").relu()._prev[0].label == "s"


def test_the_text_of_an_op_can_be_set_and_the_rule_stays():
    x = Value(3.0)
    square = x * x
    square._op = "square"
    assert (square._op, square.op) == ("square", mg.mul)
    square.backward()
    assert x.grad == 6.0
    assert mg.gradients(square, [x])[0].data == 6.0


STEPS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 5)), min_size=1, max_size=12)


def graph(steps):
    """Return the nodes of a graph; each step is an op and the places of its inputs."""
    nodes = [Value(1.5), Value(-0.5)]
    for i, j, kind in steps:
        a, b = nodes[i % len(nodes)], nodes[j % len(nodes)]
        nodes.append((a + b, a * b, a - b, a.tanh(), a.relu(), mg.sum([a, b, a]) * 0.25)[kind])
    return nodes


@settings(max_examples=60)
@given(steps=STEPS, seed=st.floats(-100, 100))
def test_backward_by_hand_gives_what_backward_gives(steps, seed):
    """Each node's `_backward` in reverse topological order, from the output's gradient; bit for bit."""
    by_hand, expected = graph(steps), graph(steps)
    by_hand[-1].grad = seed
    for node in reversed(topological_sort(by_hand[-1])):
        node._backward()
    expected[-1].backward(seed)
    assert [repr(node.grad + 0.0) for node in by_hand] == [repr(node.grad + 0.0) for node in expected]


def test_setting_prev_makes_a_node_by_hand_or_a_leaf():
    x, y = Value(2.0), Value(5.0)
    node = x * y
    node.color = "red"
    node._prev = {x, y}  # what they are already: nothing changes
    assert node.op is mg.mul
    node._prev = (y,)
    assert (node.parents, node._op, node.color) == ((y,), "*", "red")
    node._local_grads = (4.0,)
    node.backward()
    assert (x.grad, y.grad) == (0.0, 4.0)
    node._backward = None
    with pytest.raises(MissingRuleError, match="without local derivatives"):
        node.backward()
    node._prev = set()
    assert (node.parents, node.local_derivatives, node.op, node._op, node.color) == ((), (), None, "*", "red")
    node.grad = 0.0
    (node * 2.0).backward()
    assert node.grad == 2.0
    for leaf in (Value(1.0), Value(1.0, (), "input")):
        before = leaf._op
        leaf._backward, leaf._prev, leaf._children, leaf._local_grads = None, (), [], ()
        assert (leaf.parents, leaf.op, leaf.local_derivatives, leaf._op) == ((), None, (), before)


def test_walls_hold_by_hand():
    x = Value(-1.0)
    out = mg.where(x > 0, mg.log(x), 0.0)
    out.grad = 1.0
    for node in reversed(topological_sort(out)):
        node._backward()
    assert x.grad == 0.0


def test_backward_by_hand_adds_and_a_leaf_passes_nothing_on():
    x, y = Value(2.0), Value(5.0)
    product = x * y
    product.grad = 1.0
    product._backward()
    product._backward()
    x._backward()
    assert (x.grad, y.grad) == (10.0, 4.0)


def test_a_walk_over_children_and_local_grads():
    """microgpt's backward, over our nodes."""
    x, y = Value(0.5), Value(-2.0)
    out = (x * y + x.exp()) ** 2
    order = topological_sort(out)
    for node in order:
        node.grad = 0
    out.grad = 1
    for node in reversed(order):
        for child, local in zip(node._children, node._local_grads):
            child.grad += local * node.grad
    inner = x.data * y.data + math.exp(x.data)
    assert x.grad == pytest.approx(2 * inner * (y.data + math.exp(0.5)), rel=1e-15)
    assert y.grad == pytest.approx(2 * inner * 0.5, rel=1e-15)


@settings(max_examples=30)
@given(steps=STEPS, seed=st.floats(1, 100))
def test_functions_that_call_the_one_before_change_nothing(steps, seed):
    """As a program sets hooks: it puts a function of its own around each node's."""
    called = []

    def hook(node):
        before = node._backward
        node._backward = lambda: (called.append(node), before())

    hooked, expected = graph(steps), graph(steps)
    for node in topological_sort(hooked[-1]):
        hook(node)
        hook(node)
    hooked[-1].backward(seed)
    expected[-1].backward(seed)
    assert [repr(node.grad + 0.0) for node in hooked] == [repr(node.grad + 0.0) for node in expected]
    assert called[::2] == called[1::2]
    assert len(set(called)) == len(called) // 2
    assert hooked[-1] in called


def test_a_function_may_clip_the_gradient_that_it_passes_on():
    x = Value(2.0)
    y = x * 30
    before = y._backward

    def clipped():
        y.grad = max(-1.0, min(1.0, y.grad))
        before()

    y._backward = clipped
    (y * 5).backward()
    assert (x.grad, y.grad) == (30.0, 1.0)


def test_functions_of_leaves_run_at_the_end_of_the_pass():
    """A hook on a parameter; a node made by hand of which the program did not name the parents."""
    x, grads = Value(3.0), []
    x._backward = lambda: grads.append(x.grad)
    (x * x + x).backward()
    x._backward = None
    (x * x).backward()
    assert grads == [7.0]
    x.grad = 0.0
    square = Value(9.0)

    def passed_on():
        x.grad += 6 * square.grad

    square._backward = passed_on
    (square * 2).backward()
    assert x.grad == 12.0


def test_setting_children_makes_a_node_by_hand_unless_they_are_the_same():
    x, y = Value(2.0), Value(3.0)
    node = x * y
    node._children = (x, y)
    assert (node.op, node.local_derivatives) == (TABLE["mul"], (3.0, 2.0))
    node._children = (y, x)
    assert node._children == (y, x)
    assert [math.isnan(derivative) for derivative in node.local_derivatives] == [True, True]
    with pytest.raises(MissingRuleError):
        node.backward()


@pytest.mark.parametrize(
    "make", [lambda: Value(2.0) * Value(3.0), lambda: Value(6.0, (Value(2.0),), "*"), lambda: Value(1.0)]
)
def test_the_text_of_an_op_is_text(make):
    node = make()
    before = node._op
    with pytest.raises(TypeError, match="the text of an op is text, got 3"):
        node._op = 3
    assert node._op == before


@pytest.mark.parametrize("wrong", [3, "text", [print]])
@pytest.mark.parametrize("kind", ["leaf", "product", "sum of three"])
def test_a_backward_that_is_no_function_is_refused_and_nothing_changes(kind, wrong):
    x, y = Value(2.0), Value(3.0)
    node = {"leaf": Value(6.0), "product": x * y, "sum of three": mg.sum([x, y, x])}[kind]
    before = (node.op, node.parents, node.local_derivatives, node._op)
    with pytest.raises(TypeError, match="_backward is a function without arguments that adds to the parents' grad"):
        node._backward = wrong
    assert (node.op, node.parents, node.local_derivatives, node._op) == before
    node.backward()
    assert x.grad == {"leaf": 0.0, "product": 3.0, "sum of three": 2.0}[kind]


@pytest.mark.parametrize("kind", ["product", "square", "sum of three", "tanh"])
def test_a_backward_of_ones_own_leaves_the_parents(kind):
    x, y = Value(2.0), Value(3.0)
    node = {"product": x * y, "square": x * x, "sum of three": mg.sum([x, y, x]), "tanh": x.tanh()}[kind]
    parents, text, calls = node.parents, node._op, []
    node._backward = lambda: calls.append("called")
    node._backward()
    assert (node.parents, node._children, node._op, calls) == (parents, parents, text, ["called"])
    (node * 2.0).backward()
    assert (node.grad, x.grad, calls) == (2.0, 0.0, ["called", "called"])


def test_the_text_that_an_op_has_already_is_no_attribute_of_ones_own():
    x = Value(2.0)
    node = x * x
    node._op = "*"
    assert not own_attributes(node)
    node._op = "square"
    node._op = "*"
    assert (node._op, node.op) == ("*", mg.mul)


def test_local_derivatives_are_as_many_as_parents():
    x, y = Value(2.0), Value(3.0)
    for node, given_ones in [(Value(1.0), [1.0]), (x * y, []), (x * y, [1.0]), (x * y, [1.0, 2.0, 3.0])]:
        before = (node.op, node.local_derivatives)
        counts = f"got {len(given_ones)} for {len(node.parents)} parents"
        with pytest.raises(ValueError, match=f"a local derivative for each parent, {counts}"):
            node._local_grads = given_ones
        assert (node.op, node.local_derivatives) == before


def test_the_text_of_a_node_made_by_hand_is_that_of_its_op():
    node = Value(6.0, (Value(2.0),), "*")
    node._op = "square"
    assert (node._op, str(node.op), node.op.name) == ("square", "square", "hand-made square")
    assert not own_attributes(node)


def test_names_of_attributes_are_texts_and_one_wrong_name_declares_none():
    for wrong, error in [(3, TypeError), (None, TypeError), ("two words", ValueError), ("data", ValueError)]:
        with pytest.raises(error, match="name"):
            declare_attributes("heat_of_this_test", wrong)
    with pytest.raises(AttributeError):
        Value(1.0).heat_of_this_test = 3.0

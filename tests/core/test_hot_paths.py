"""Value's hot paths and backward's loop agree with the table and with grad_table, bit for bit."""

import contextlib
import contextvars
import functools
import math
import operator
import re
import struct

import pytest
from hypothesis import example, given, settings, strategies as st

from microgradlib import Value, detect_anomaly, grad_table, no_grad, topological_sort
from microgradlib._support.floats import FLOATS
from microgradlib.core.autodiff import grad_table as reference_table
from microgradlib.core.hot_paths import BINARY, UNARY, Source, Term, source_of, weighted_sum
from microgradlib.core.modes import current_mode
from microgradlib.core.node import Node
from microgradlib.errors import AnomalyError
from microgradlib.ops import TABLE, ZERO, activations, arithmetic, reductions

anything = st.floats() | st.sampled_from([0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan, 5e-324, 1.8e308])
often = settings(max_examples=75, deadline=None)


def bits(x):
    if x is ZERO:
        return "structural zero"
    assert type(x) is float
    return "nan" if math.isnan(x) else struct.pack("<d", x).hex()


def assert_made_by(node, op, inputs):
    """Assert that a node is op(*inputs) by the table: data, local derivatives, op, parents, other fields."""
    data, local_derivatives = op.record([x.data for x in inputs])
    assert type(node) is Value
    assert bits(node.data) == bits(data)
    assert [bits(x) for x in node.local_derivatives] == [bits(x) for x in local_derivatives]
    assert type(node.local_derivatives) is type(node.parents) is tuple
    assert node.op is op
    assert len(node.parents) == len(inputs)
    assert all(parent is x for parent, x in zip(node.parents, inputs))
    assert (node.grad, node.label) == (0.0, "")


@often
@given(anything, anything)
@example(-0.0, -0.0)
@example(math.inf, -math.inf)
@example(0.0, math.inf)
def test_plus_and_times(a, b):
    x, y = Value(a), Value(b)
    assert_made_by(x + y, arithmetic.add, [x, y])
    assert_made_by(x * y, arithmetic.mul, [x, y])
    assert_made_by(x + x, arithmetic.add, [x, x])
    assert_made_by(x * x, arithmetic.mul, [x, x])


@often
@given(anything, anything | st.integers(-(10**20), 10**20) | st.booleans())
def test_plus_and_times_with_plain_numbers(a, number):
    x = Value(a)
    for operation, op in ((operator.add, arithmetic.add), (operator.mul, arithmetic.mul)):
        node = operation(x, number)
        assert node.parents[0] is x
        assert_made_by(node, op, node.parents)
        assert bits(node.parents[1].data) == bits(float(number))
        if type(number) is int and number == 0 and op is arithmetic.add:
            continue  # see the next test
        node = operation(number, x)
        assert node.parents[1] is x
        assert_made_by(node, op, node.parents)
        assert bits(node.parents[0].data) == bits(float(number))


def test_the_zero_of_builtin_sum_makes_no_node():
    x = Value(3.0)
    assert 0 + x is x
    assert sum([x]) is x
    assert (0.0 + x).op is (x + 0).op is (False + x).op is arithmetic.add


@often
@given(anything)
@example(0.0)
@example(-0.0)
@example(math.nan)
def test_relu(a):
    x = Value(a)
    assert_made_by(x.relu(), activations.relu, [x])


@contextlib.contextmanager
def mode_elsewhere():
    """Enter `no_grad()` in another context, which must not affect this one."""
    with no_grad():
        context = contextvars.copy_context()
    yield context


@pytest.mark.parametrize("mode", [contextlib.nullcontext, detect_anomaly, mode_elsewhere])
@pytest.mark.parametrize("name", UNARY)
@settings(max_examples=50)
@given(anything)
def test_methods_and_functions_of_one_number(name, mode, a):
    x, op = Value(a), UNARY[name]
    with mode(), contextlib.suppress(AnomalyError):
        assert_made_by(getattr(x, name)(), op, [x])
        assert_made_by(op(x), op, [x])


@pytest.mark.parametrize("mode", [contextlib.nullcontext, detect_anomaly, mode_elsewhere])
@pytest.mark.parametrize("name", BINARY)
@settings(max_examples=50)
@given(anything, anything | st.integers(1, 10**20) | st.booleans())
def test_operators_of_two_numbers(name, mode, a, b):
    x, y, op = Value(a), Value(b), BINARY[name]
    operation = getattr(operator, name)
    with mode(), contextlib.suppress(AnomalyError):
        assert_made_by(operation(x, y), op, [x, y])
        for node in (operation(x, b), operation(b, x)):
            assert_made_by(node, op, node.parents)
            assert sorted(bits(parent.data) for parent in node.parents) == sorted([bits(x.data), bits(y.data)])


@often
@given(anything, anything | st.integers(-(10**20), 10**20) | st.booleans())
@example(0.0, -1)
@example(-8.0, 1 / 3)
@example(1e200, 2)
def test_powers(a, exponent):
    x = Value(a)
    assert_made_by(x**exponent, arithmetic.pow.bind(float(exponent)), [x])


@often
@given(anything, anything)
def test_hot_paths_under_no_grad_return_leaves(a, b):
    x, y = Value(a), Value(b)
    for name in (*UNARY, *BINARY):
        inputs = [y] * (name in BINARY)
        operation = getattr(x, name) if name in UNARY else getattr(x, f"__{name}__")
        recorded = operation(*inputs)
        with no_grad():
            leaf = operation(*inputs)
        assert bits(leaf.data) == bits(recorded.data)
        assert (leaf.op, leaf.parents, leaf.local_derivatives, leaf.grad, leaf.label) == (None, (), (), 0.0, "")


@often
@given(st.lists(st.tuples(anything, anything), min_size=1, max_size=6), st.none() | anything)
@example([(-0.0, 1.0)], None)
@example([(-0.0, 1.0)], -0.0)
@example([(1.0, 1e100), (1.0, 1.0), (1.0, -1e100)], None)
def test_weighted_sum(pairs, bias):
    weights, inputs = [Value(w) for w, _ in pairs], [Value(x) for _, x in pairs]
    b = None if bias is None else Value(bias)
    terms = [*weights, *inputs] if b is None else [*weights, *inputs, b]
    assert_made_by(weighted_sum(weights, inputs, b), reductions.dot, terms)


def test_weighted_sum_with_plain_numbers():
    w = Value(2.0)
    node = weighted_sum([w, 3], [4.0, 5], 1)
    assert_made_by(node, reductions.dot, node.parents)
    assert (node.data, node.parents[0]) == (24.0, w)
    assert weighted_sum([2.0], [3.0]) == 6.0


def expressions(x, y, z):
    """A graph with every hot path, nodes of one, two and more parents, and sharing."""
    s = x + y
    p = s * x
    r = p.relu() + s.relu() * z
    d = weighted_sum([x, r, p], [s, s, z], y)
    return (d * d + r) * s + p


@often
@given(anything, anything, anything, anything)
@example(0.0, -0.0, math.inf, 1.0)
def test_backward_equals_the_table(a, b, c, seed):
    x, y, z = Value(a), Value(b), Value(c)
    out = expressions(x, y, z)
    table = reference_table(out, seed)
    out.backward(seed)
    assert [bits(node.grad) for node in topological_sort(out)] == [bits(g) for g in table.values()]
    out.backward(seed)
    assert [bits(node.grad) for node in table if node.parents] == [bits(g) for n, g in table.items() if n.parents]
    assert bits(float(x.grad)) == bits(float(twice(table[x], x, out, seed)))


def twice(first, leaf, out, seed):
    """Return the gradient of a leaf after two passes, each of which adds its terms one edge at a time."""
    table, total = grad_table(out, seed), 0.0 + first
    for node in reversed(table):
        for parent, local in zip(node.parents, node.local_derivatives):
            if parent is leaf and local is not ZERO and table[node] is not ZERO:
                total += table[node] * local
    return total


@often
@given(anything, anything)
def test_no_grad_does_not_change_numbers(a, b):
    x, y = Value(a), Value(b)
    plain = [x + y, x * y, x.relu(), weighted_sum([x], [y], x), x + 1, 2 * y]
    with no_grad():
        leaves = [x + y, x * y, x.relu(), weighted_sum([x], [y], x), x + 1, 2 * y]
    assert [bits(node.data) for node in leaves] == [bits(node.data) for node in plain]
    assert all((leaf.parents, leaf.op, leaf.local_derivatives) == ((), None, ()) for leaf in leaves)


@often
@given(st.floats(-1e100, 1e100), st.floats(-1e100, 1e100))
def test_anomaly_detection_does_not_change_nodes(a, b):
    x, y = Value(a), Value(b)
    with detect_anomaly():
        nodes = [x + y, x * y, x.relu(), weighted_sum([x], [y], x)]
        expected = [
            (arithmetic.add, [x, y]),
            (arithmetic.mul, [x, y]),
            (activations.relu, [x]),
            (reductions.dot, [x, y, x]),
        ]
        for node, (op, inputs) in zip(nodes, expected):
            assert_made_by(node, op, inputs)
        assert list(current_mode().lines) == nodes


HUGE = Value(1.5e308)


@pytest.mark.parametrize(
    ("operation", "symbol"),
    [
        (lambda: HUGE + HUGE, r"\+"),
        (lambda: HUGE * HUGE, r"\*"),
        (lambda: HUGE * 2, r"\*"),
        (lambda: 2.0 * HUGE, r"\*"),
        (lambda: HUGE + 1.5e308, r"\+"),
        (lambda: Value(math.inf).relu(), "relu"),
        (lambda: Value(math.nan).relu(), "relu"),
        (lambda: weighted_sum([HUGE], [HUGE]), "dot"),
    ],
)
def test_anomaly_detection_covers_hot_paths(operation, symbol):
    operation()
    with detect_anomaly(), pytest.raises(AnomalyError, match=f"^{symbol} gave (inf|nan)"):
        operation()


def test_subclasses_do_not_use_hot_paths():
    class Labelled(Value):
        __slots__ = ()

    x, y = Labelled(2.0), Value(3.0)
    for node, op in (
        (x + y, arithmetic.add),
        (y + x, arithmetic.add),
        (x * y, arithmetic.mul),
        (y * x, arithmetic.mul),
    ):
        assert_made_by(node, op, node.parents)
        assert set(node.parents) == {x, y}


class Own(Value):
    """A Value whose operations return nodes of its class."""

    __slots__ = ()

    @staticmethod
    def __apply_op__(op, inputs):
        node = Value.__apply_op__(op, inputs)
        if node is not NotImplemented:
            own = Own(node.data)
            own.op, own.parents, own.local_derivatives = node.op, node.parents, node.local_derivatives
            node = own
        return node


class OwnTanh(Own):
    """A subclass of the subclass, with one method of its own."""

    __slots__ = ()

    def tanh(self):
        return "own tanh"


@pytest.mark.parametrize("kind", [Own, OwnTanh])
@pytest.mark.parametrize("number", [2, 2.5, True, Value(3.0), Own(3.0)], ids=repr)
def test_a_subclass_with_apply_op_makes_every_node(kind, number):
    x = kind(0.5)
    for name in BINARY:
        operation = getattr(operator, name)
        assert type(operation(x, number)) is type(operation(number, x)) is Own
    assert type(x**2) is Own
    assert all(type(getattr(x, name)()) is Own for name in UNARY if name != "tanh" or kind is Own)
    assert kind is Own or x.tanh() == "own tanh"
    assert all(type(op(x)) is Own for op in UNARY.values())


def test_hot_paths_have_the_names_of_their_methods():
    for name in (*UNARY, "__add__", "__radd__", "__rtruediv__", "__pow__"):
        method = getattr(Value, name)
        assert method is not getattr(Node, name)
        assert (method.__name__, method.__qualname__) == (name, f"Value.{name}")
        assert method.__doc__ == getattr(Node, name).__doc__


@pytest.mark.parametrize("op", UNARY.values(), ids=UNARY.keys())
def test_a_hot_path_writes_out_ops_that_have_rules_of_their_own(op):
    called = set(re.findall(r"\b(\w+)\(", source_of(op)))
    assert not {name for name in called & TABLE.keys() if isinstance(getattr(FLOATS, name), functools.partial)}


@pytest.mark.parametrize("number", [-2.0, -0.5, 3.0, 0.0])
def test_a_hot_path_writes_negative_numbers_so_that_powers_are_theirs(number):
    source = Source()
    term = Term("x", source)
    results = [number**term, number - term, term - number]
    numbers = {"x": 2.0}
    for expression, name in source.names.items():
        numbers[name.name] = eval(expression, {}, numbers)  # noqa: S307  source of our own
    assert [numbers[result.name] for result in results] == [number**2, number - 2, 2 - number]

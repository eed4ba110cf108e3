"""Copies and pickles preserve graphs of any depth: shape, sharing, ops, labels."""

import copy
import io
import math
import pickle

import pytest
from hypothesis import given, settings, strategies as st

import microgradlib as mg
from microgradlib import Symbol, Value, evaluate, grad_table, gradients, no_grad, topological_sort
from microgradlib.core import copying
from microgradlib.nn import MLP, Module
from microgradlib.ops import define_op, forget_op


def by_pickle(protocol):
    return lambda thing: pickle.loads(pickle.dumps(thing, protocol))


def by_pure_python(thing):
    """Pickle and unpickle by the standard library's Python implementations, which recurse in Python."""
    stream = io.BytesIO()
    pickle._Pickler(stream).dump(thing)
    stream.seek(0)
    return pickle._Unpickler(stream).load()


WAYS = {
    "deepcopy": copy.deepcopy,
    "pure Python pickle": by_pure_python,
    **{f"pickle {protocol}": by_pickle(protocol) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)},
}
every_way = pytest.mark.parametrize("duplicate", WAYS.values(), ids=WAYS.keys())


def described(*outputs):
    """Return a graph as data: the fields of each node, with parents as indices."""
    order = list(dict.fromkeys(node for output in outputs for node in topological_sort(output)))
    number = {node: i for i, node in enumerate(order)}
    return [
        (
            type(node), node.op, node.label, [number[parent] for parent in node.parents],
            (repr(node.data), repr(node.grad), node.local_derivatives) if isinstance(node, Value) else None,
        )
        for node in order
    ]  # fmt: skip


def sample():
    x, y = Value(3.0, label="x"), Value(-2.0, label="y")
    square = x * x
    square.label = "square"
    out = mg.sum([square, x**3, mg.leaky_relu(y, 0.2), mg.dot([x, y], [y, square]), mg.clip(x, -1, 1)])
    out.backward()
    return x, y, square, out


@every_way
def test_a_copied_graph_is_equal(duplicate):
    *_, out = sample()
    twin = duplicate(out)
    assert described(twin) == described(out)
    assert not set(topological_sort(twin)) & set(topological_sort(out))
    assert list(grad_table(twin).values()) == list(grad_table(out).values())


@every_way
def test_a_copy_is_independent(duplicate):
    x, _, _, out = sample()
    before = described(out)
    twin = duplicate(out)
    for node in topological_sort(twin):
        node.grad = 99.0
    twin.backward()
    assert described(out) == before
    x.data = 100.0
    assert 100.0 not in [node.data for node in topological_sort(twin)]


@every_way
def test_objects_copied_together_stay_connected(duplicate):
    x, y, square, out = sample()
    other = square + y
    x2, out2, more, other2, again = duplicate([x, out, {"square": square}, other, out])
    assert again is out2
    assert more["square"] in topological_sort(out2)
    assert more["square"] is other2.parents[0]
    assert x2 in topological_sort(out2)
    assert described(out2, other2) == described(out, other)
    x2.grad = 0.0
    out2.backward()
    assert x2.grad == grad_table(out)[x]


@every_way
def test_copying_an_output_before_its_ancestors(duplicate):
    x, _, square, out = sample()
    out2, square2, x2 = duplicate((out, square, x))
    assert {square2, x2} < set(topological_sort(out2))
    assert square2.parents == (x2, x2)


@every_way
def test_copies_keep_exponents_and_settings(duplicate):
    x = Value(2.0)
    for out in (x**3, x**0.5, mg.clip(x, 0, 1), mg.elu(x, 0.7), mg.polygamma(x, 2)):
        twin = duplicate(out)
        assert twin.op is out.op
        assert twin.op.settings == out.op.settings
        [slope] = gradients(twin, twin.parents)
        assert repr(slope.data) == repr(grad_table(out)[x])


class Weight(Value):
    """A subclass of Value that adds nothing."""


@every_way
def test_results_of_no_grad_stay_leaves_and_subclasses_keep_their_class(duplicate):
    w = Weight(2.0, label="w")
    with no_grad():
        constants = [w * 3, w.tanh(), w**3, mg.sum([w, w, w]), mg.dot([w], [w], w), 1 / Value(0.0)]
    twins = duplicate([w, *constants, mg.sum(constants) * w])
    assert [type(twin) for twin in twins] == [Weight, *[Value] * (len(constants) + 1)]
    for twin, constant in zip(twins[1:-1], constants):
        assert (twin.data, twin.op, twin.parents, twin.local_derivatives) == (constant.data, None, (), ())
    holder = Module()
    holder.w, holder.constants = twins[0], twins[1:-1]
    assert holder.parameters() == [twins[0]]  # results of no_grad are no parameters
    assert set(twins[:-1]) < set(topological_sort(twins[-1]))


@every_way
def test_copies_of_symbols(duplicate):
    x = Symbol("x")
    out = mg.where(x > Value(1.0, label="c"), x**2, mg.exp(x))
    twin = duplicate(out)
    assert described(twin) == described(out)
    [x2] = [node for node in topological_sort(twin) if node.label == "x"]
    assert evaluate([twin, *gradients(twin, [x2])], {x2: 3.0}) == [9.0, 6.0]


@every_way
def test_copies_keep_user_defined_ops(temporary_op, duplicate):
    cube = temporary_op("cube_to_copy", lambda xp, x: x * x * x, [lambda xp, z, x: 3 * x * x], formula="x³")
    twin = duplicate(cube(Value(2.0)))
    assert twin.op is cube
    assert grad_table(twin)[twin.parents[0]] == 12.0


def test_loading_an_undefined_op_raises():
    cube = define_op("cube_to_lose", lambda xp, x: x * x * x, [lambda xp, z, x: 3 * x * x], formula="x³")
    stored = pickle.dumps(cube(Value(2.0)))
    forget_op("cube_to_lose")
    with pytest.raises(LookupError, match=r"cube_to_lose.*define_op"):
        pickle.loads(stored)


@every_way
def test_copies_of_ops_are_the_same_object(duplicate):
    assert duplicate(mg.tanh) is mg.tanh
    assert duplicate(mg.pow.bind(3.0)) is mg.pow.bind(3.0)


@every_way
@pytest.mark.parametrize("activation", ["relu", "tanh", "linear"])
def test_copies_of_networks(duplicate, activation):
    model = MLP(2, [3, 2], activation=activation, rng=0)
    loss = mg.sum(model([0.5, -1.0]))
    loss.backward()
    model2, loss2 = duplicate((model, loss))
    assert [p.data for p in model2.parameters()] == [p.data for p in model.parameters()]
    assert [p.grad for p in model2.parameters()] == [p.grad for p in model.parameters()]
    assert [name for name, _ in model2.named_parameters()] == [name for name, _ in model.named_parameters()]
    assert not set(model.parameters()) & set(model2.parameters())
    assert set(model2.parameters()) < set(topological_sort(loss2))
    assert [y.data for y in model2([1.0, 2.0])] == [y.data for y in model([1.0, 2.0])]


@every_way
@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan, -0.0, 5e-324])
def test_copies_keep_nan_inf_and_signed_zero(duplicate, number):
    twin = duplicate(Value(number, label="λ"))
    assert (repr(twin.data), twin.label) == (repr(number), "λ")


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=25), st.data())
def test_shared_graphs_of_any_shape(edges, data):
    nodes = [Value(1.5)]
    for i, j in edges:
        nodes.append(nodes[i % len(nodes)] * nodes[j % len(nodes)])  # each step needs the ones before
    chosen = data.draw(st.lists(st.sampled_from(nodes), min_size=1, max_size=4))
    for duplicate in (copy.deepcopy, by_pure_python, by_pickle(pickle.DEFAULT_PROTOCOL)):
        assert described(*duplicate(chosen)) == described(*chosen)


def test_a_shallow_copy_shares_its_parents():
    x, _, square, _ = sample()
    twin = copy.copy(square)
    assert twin is not square
    assert twin.parents == (x, x)
    assert (twin.data, twin.grad, twin.op, twin.label) == (square.data, square.grad, square.op, "square")
    twin.grad = 5.0
    assert square.grad != 5.0
    assert copy.copy(Symbol("s")).label == "s"


def test_deepcopy_uses_the_memo():
    x, _, _, out = sample()
    memo = {}
    twin = copy.deepcopy(out, memo)
    assert copy.deepcopy(x, memo) in topological_sort(twin)
    assert copy.deepcopy(out, memo) is twin


def chain(length):
    node = Value(1.0)
    for _ in range(length):
        node = node + node
        node._float = 1.0
    return node


@every_way
def test_deep_graphs(duplicate):
    deep = chain(3_000)  # three times what recursion could bear
    twin = duplicate([deep, deep.parents[0]])
    assert len(topological_sort(twin[0])) == 3_001
    assert twin[0].parents == (twin[1], twin[1])
    nested = duplicate({"a": [deep], "b": chain(2_000)})
    assert len(topological_sort(nested["b"])) == 2_001


def test_two_deep_graphs_with_shared_nodes():
    deep = chain(3_000)
    left, right = deep + 1, deep * 2
    for duplicate in WAYS.values():
        left2, right2 = duplicate((left, right))
        assert left2.parents[0] is right2.parents[0]


def test_a_failed_pickle_leaves_no_state():
    deep = chain(3_000)
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps([deep, lambda: None])
    assert described(pickle.loads(pickle.dumps(deep))) == described(deep)
    assert described(pickle.loads(pickle.dumps(deep.parents[0]))) == described(deep.parents[0])


class FullDisk(io.RawIOBase):
    def write(self, _):
        raise OSError("no space left")


def test_a_failing_write_leaves_no_state():
    deep = chain(20_000)
    inner = deep
    for _ in range(5_000):
        inner = inner.parents[0]
    with pytest.raises(OSError, match="no space"):
        pickle.dump(deep, FullDisk())
    assert len(topological_sort(pickle.loads(pickle.dumps(inner)))) == 15_001


@pytest.mark.parametrize("slots", [None, (), ("note",), ("__dict__",)])
@pytest.mark.parametrize("base", [Value, Symbol])
def test_where_classes_have_no_dictoffset_their_bases_tell_of_dicts(base, slots):
    kind = type("Kind", (base,), {} if slots is None else {"__slots__": slots})
    assert copying._has_dict_by_bases(kind) is bool(kind.__dictoffset__) is (slots in (None, ("__dict__",)))
    assert not copying._has_dict_by_bases(base)

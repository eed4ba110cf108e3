"""Nodes made by hand: the forms of the constructor, first derivatives, `_backward` functions, and what they refuse."""

import copy
import gc
import math
import pickle
import weakref

import pytest
from hypothesis import given, settings, strategies as st

import microgradlib as mg
from microgradlib import Symbol, Value, grad_table, tangent_table, topological_sort
from microgradlib.errors import AnomalyError, GradcheckError, MissingRuleError

ADVICE = r"define_op\(name, value, derivatives"


def with_function(data, parents, derivatives, text="f"):
    """Return a node with a `_backward` function that adds each parent's part, as micrograd's ops do."""
    node = Value(data, parents, text)

    def backward():
        for parent, derivative in zip(parents, derivatives):
            parent.grad += derivative * node.grad

    node._backward = backward
    return node


def set_afterwards(data, parents, derivatives, text="f"):
    node = Value(data)
    node._prev, node._op = parents, text
    if len(set(parents)) < len(parents):
        node._children = parents
    node._local_grads = derivatives
    return node


STYLES = {
    "positional": lambda data, parents, derivatives: Value(data, parents, derivatives),
    "text and derivatives": lambda data, parents, derivatives: Value(data, parents, "f", derivatives),
    "parents=": lambda data, parents, derivatives: Value(data, parents=parents, local_derivatives=derivatives),
    "children=": lambda data, parents, derivatives: Value(data, children=parents, local_grads=derivatives),
    "_children=": lambda data, parents, derivatives: Value(
        data, _children=list(parents), local_grads=derivatives, _op="f"
    ),
    "_prev=": lambda data, parents, derivatives: Value(data, _prev=parents, _local_grads=list(derivatives)),
    "generators": lambda data, parents, derivatives: Value(data, iter(parents), iter(derivatives)),
    "function": with_function,
    "attributes": set_afterwards,
}
every_style = pytest.mark.parametrize("make", STYLES.values(), ids=STYLES.keys())


def test_the_forms_of_the_constructor():
    a, b = Value(2.0, label="a"), Value(-3.0)
    forms = {
        "lecture": Value(-6.0, (a, b), "*", label="c"),
        "all positional": Value(-6.0, (a, b), "*", "c"),
        "keywords": Value(-6.0, _children=(a, b), _op="*", label="c"),
        "other keywords": Value(data=-6.0, children=[a, b], op="*", label="c"),
        "label first": Value(-6.0, "c", (a, b), "*"),
    }
    for name, c in forms.items():
        assert (c.data, c.grad, c.parents, c._op, str(c.op), c.label) == (-6.0, 0.0, (a, b), "*", "*", "c"), name
        assert type(c) is Value
    leaves = [Value(1.0, ()), Value(1.0, (), ""), Value(1.0, _children=(), _op=""), Value(1.0, label="")]
    for leaf in leaves:
        assert (leaf.parents, leaf.op, leaf.local_derivatives, leaf._op, leaf.label) == ((), None, (), "", "")
    assert (Value(1.0, (), "input")._op, Value(1.0, (), "input").op) == ("input", None)
    assert Value(1.0, {a}, "id").parents == (a,)


def test_local_derivatives_may_be_values_of_which_the_numbers_count():
    p = Value(0.25, label="p")
    log = Value(math.log(p.data), (p,), (1 / p,))
    log.backward()
    assert (p.grad, log.local_derivatives) == (4.0, (4.0,))
    with pytest.raises(MissingRuleError, match=ADVICE):
        mg.gradients(log, [p])
    with pytest.raises(TypeError, match=r"use microgradlib\.log"):
        Value(math.log(p), (p,), (1 / p,))


def test_parents_in_a_set_have_an_order_of_their_own():
    xs = [Value(float(n), label=str(n)) for n in range(20)]
    assert Value(1.0, set(xs), "f").parents == tuple(sorted(xs, key=lambda x: x.label))


@every_style
@settings(max_examples=25)
@given(
    numbers=st.lists(st.floats(-10, 10), min_size=1, max_size=4),
    seed=st.floats(-10, 10),
    picks=st.lists(st.integers(0, 2), min_size=4, max_size=4),
)
def test_first_derivatives_are_those_of_the_same_node_made_by_an_op(make, numbers, seed, picks):
    """Of Σ dᵢ xᵢ, made by `dot` and by hand, with repeats among the x, between other ops."""

    def graph(node):
        leaves = [Value(1.5, label="x"), Value(-0.75, label="y"), Value(0.3, label="z")]
        inner = [leaf * 2.0 for leaf in leaves]
        parents = tuple([inner[i] for i in picks[: len(numbers)]])
        return leaves, node(parents) * 3.0 + inner[0]

    leaves, out = graph(lambda parents: make(1.0, parents, tuple(numbers)))
    expected_leaves, expected = graph(lambda parents: mg.dot([Value(number) for number in numbers], list(parents)))
    out.backward(seed)
    expected.backward(seed)
    assert [x.grad for x in leaves] == pytest.approx([x.grad for x in expected_leaves], rel=1e-14, abs=1e-300)
    table, expected_table = grad_table(out, seed), grad_table(expected, seed)
    for x, y in zip(leaves, expected_leaves):
        assert table.get(x, 0.0) == pytest.approx(expected_table.get(y, 0.0), rel=1e-14, abs=1e-300)
    tangent = tangent_table(out, dict.fromkeys(leaves, 1.0))[out]
    assert tangent == pytest.approx(tangent_table(expected, dict.fromkeys(expected_leaves, 1.0))[expected], abs=1e-13)


@every_style
def test_transforms_give_first_derivatives(make):
    def sin(x):
        return make(math.sin(x.data), (x,), (math.cos(x.data),))

    assert mg.grad(sin)(2.0) == math.cos(2.0)
    assert mg.value_and_grad(lambda x: 3 * sin(x))(2.0) == (3 * math.sin(2.0), 3 * math.cos(2.0))
    assert mg.jvp(sin, (2.0,), (5.0,))[1] == pytest.approx(5 * math.cos(2.0), rel=1e-15)
    assert mg.jacobian(lambda v: [sin(v[0]), v[0] * v[1]])([2.0, 3.0]) == [[math.cos(2.0), 0.0], [3.0, 2.0]]


@every_style
def test_what_needs_a_rule_refuses_and_names_define_op(make):
    x = Value(2.0, label="x")

    def sin(x):
        return make(math.sin(x.data), (x,), (math.cos(x.data),))

    y = sin(x) * 2.0
    for attempt in (
        lambda: mg.grad(mg.grad(sin))(2.0),
        lambda: mg.hessian(sin)(2.0),
        lambda: mg.gradients(y, [x]),
        lambda: mg.evaluate(y, {x: 3.0}),
        lambda: mg.evaluate(y, {x: Symbol("s")}),
        lambda: mg.simplify(y),
        lambda: mg.compile(lambda z: y * z, [x])([1.0]),
        lambda: mg.compile(lambda z: y * z, [x]).value_and_grad([1.0]),
        lambda: mg.compile(lambda z: make(1.0, (x,), (1.0,)) * z, [x])([1.0]),
        lambda: mg.compile(lambda z: Value(1.0, (z,), (1.0,)) * z, [x])([1.0]),
    ):
        with pytest.raises(MissingRuleError, match=ADVICE):
            attempt()
    y.backward()
    assert x.grad == 2 * math.cos(2.0)  # and nothing is left behind


def test_export_to_sympy_refuses():
    pytest.importorskip("sympy")
    with pytest.raises(MissingRuleError, match=ADVICE):
        mg.to_sympy(Value(1.0, (Value(2.0),), (1.0,), "exp"))  # its text is no rule either


@every_style
def test_gradcheck_judges_local_derivatives_given_by_hand(make):
    def sin(x, factor=1.0):
        return make(math.sin(x.data), (x,), (factor * math.cos(x.data),)) * 2.0

    assert mg.gradcheck(sin, [2.0])
    with pytest.raises(GradcheckError, match="was made by hand"):
        mg.gradcheck(lambda x: sin(x, 1.001), [2.0])


def test_a_node_without_local_derivatives_is_an_error_where_a_gradient_would_pass():
    x, y = Value(2.0, label="x"), Value(3.0, label="y")
    c = Value(6.0, (x, y), "*", label="c")
    out = c + y
    for attempt in (out.backward, c._backward, lambda: grad_table(out), lambda: tangent_table(out, {x: 1.0})):
        c.grad = 1.0
        with pytest.raises(
            MissingRuleError, match=r"the node '\*' was made by hand without local derivatives.*_backward"
        ):
            attempt()
    Value(6.0, (x, y), "*")._backward()  # no gradient has reached it, nothing to pass
    y.grad = 0.0
    (mg.where(y > 0, y, c)).backward()
    assert y.grad == 1.0


def test_drawings_show_text_label_and_derivatives():
    x = Value(2.0, label="x")
    made = Value(4.0, (x, x), "my op", label="made")
    drawn = mg.draw(made + with_function(1.0, (x,), (0.125,), "closure")).svg
    assert all(text in drawn for text in ("my op", "made", "closure", "0.125", "?"))


def test_wrong_arguments_are_named_and_change_nothing():
    x = Value(2.0)
    for arguments, keywords, error, message in (
        ((1.0, (x,), (1.0, 2.0)), {}, ValueError, "a local derivative for each parent, got 2 for 1"),
        ((1.0, (x, 2.0), "+"), {}, TypeError, "the parents of a node are Values, got 2.0"),
        ((1.0, (x,), "+", "a", "b"), {}, TypeError, "label twice"),
        ((1.0,), {"_children": (x,), "children": (x,)}, TypeError, "parents twice"),
        ((1.0,), {"colour": 3}, TypeError, "no argument 'colour'; known: label, parents, children"),
        ((1.0, (x,), (1j,)), {}, TypeError, "real number"),
        ((1.0, (Symbol("s"),), (1.0,)), {}, MissingRuleError, f"parent Symbol.'s'. has none. {ADVICE}"),
        ((1.0, x), {}, TypeError, "a label is text"),
        ((1.0,), {"parents": 3}, TypeError, "a tuple of Values"),
        ((1.0,), {"op": 3}, TypeError, "the text of an op is text"),
        (("a", (x,), (1.0,)), {}, TypeError, "real number"),
    ):
        with pytest.raises(error, match=message):
            Value(*arguments, **keywords)
    node = x * x
    for attribute, content in (("_backward", 3), ("_prev", 3), ("_op", 3), ("_local_grads", [1.0])):
        with pytest.raises((TypeError, ValueError)):
            setattr(node, attribute, content)
    assert (node.parents, node.local_derivatives, node.op) == ((x, x), (2.0, 2.0), mg.mul)


def test_a_backward_function_in_place_of_an_op_is_the_one_that_runs():
    a, b = Value(2.0), Value(3.0)
    product = a * b
    seen = []

    def backward():
        seen.append(product.grad)
        a.grad += max(-1.0, min(1.0, product.grad)) * 10  # not linear: a gradient that is clipped

    product._backward = backward
    assert product._backward is backward
    (product * 5.0).backward()
    assert (seen, a.grad, b.grad, product.grad, product._op) == ([5.0], 10.0, 0.0, 5.0, "*")
    with pytest.raises(MissingRuleError, match=ADVICE):
        mg.gradients(product, [a])


def test_a_backward_function_of_a_leaf_is_kept_for_calls_by_hand():
    leaf, calls = Value(2.0), []
    leaf._backward = lambda: calls.append(1)
    leaf._backward()
    assert calls == [1]
    assert leaf.parents == ()
    (leaf * 3.0).backward()
    (leaf * 3.0).backward()
    assert leaf.grad == 6.0  # still a leaf: gradients add
    assert pickle.loads(pickle.dumps(leaf)).data == 2.0


def test_running_backward_twice_is_right():
    x = Value(3.0)
    cube = with_function(27.0, (x,), (27.0,))
    out = cube * 1.0
    out.backward()
    out.backward()
    assert (x.grad, cube.grad) == (54.0, 1.0)


@pytest.mark.parametrize(
    "copy_of", [copy.deepcopy, lambda node: pickle.loads(pickle.dumps(node))], ids=["deepcopy", "pickle"]
)
@every_style
def test_copies_keep_first_derivatives_and_do_not_touch_the_original(make, copy_of):
    x = Value(2.0, label="x")
    out = make(5.0, (x, x, x * 2.0), (1.0, 2.0, 3.0)) * 2.0
    twin = copy_of(out)
    twin.backward()
    [x2] = [node for node in topological_sort(twin) if node.label == "x"]
    assert x2.grad == 18.0
    assert x.grad == 0.0
    assert twin.parents[0]._op == out.parents[0]._op
    with pytest.raises(MissingRuleError, match=ADVICE):
        mg.gradients(twin, [x2])


def test_a_graph_with_backward_functions_is_collected():
    x = Value(2.0)
    node = with_function(1.0, (x,), (1.0,))
    reference = weakref.ref(node)
    node.color = "red"
    del node
    gc.collect()
    assert reference() is None


def test_modes_apply():
    x = Value(2.0, label="x")
    with mg.no_grad():
        node = Value(4.0, (x,), (4.0,), "square", "s")
    assert (node.parents, node.op, node.local_derivatives, node.label, node.data) == ((), None, (), "s", 4.0)
    with mg.detect_anomaly(), pytest.raises(AnomalyError, match=r"log gave nan from x = 2\.0"):
        Value(math.nan, (x,), "log")
    with mg.detect_anomaly(), pytest.raises(AnomalyError, match="local derivative of steep"):
        (Value(1.0, (x,), "steep", (math.inf,)) * 2.0).backward()


@pytest.mark.parametrize("length", [3_000, pytest.param(300_000, marks=pytest.mark.slow)])
def test_long_chains(length):
    x = node = Value(1.0)
    for _ in range(length):
        node = Value(node.data, (node,), (1.0,), "id")
    node.backward()
    assert x.grad == 1.0
    twin = copy.deepcopy(node)
    assert len(topological_sort(twin)) == length + 1


def test_a_missing_derivative_is_shown_as_unknown_and_survives_pickling():
    node = Value(3.0, (Value(1.0),), "mine")
    [missing] = node.local_derivatives
    assert (f"{missing:.3g}", math.isnan(missing)) == ("?", True)
    again = pickle.loads(pickle.dumps(missing))
    for derivative in (missing, again):
        with pytest.raises(MissingRuleError, match="the node 'mine' was made by hand"):
            2.0 * derivative


def test_each_parent_is_a_value_and_has_one_derivative():
    a, b = Value(1.0), Value(2.0)
    for derivatives in [(1.0,), (1.0, 2.0, 3.0), ()]:
        with pytest.raises(ValueError, match="a local derivative for each parent"):
            Value(3.0, (a, b), "f", derivatives)
    for parent in [2.0, "x", None, [b]]:
        with pytest.raises(TypeError, match="the parents of a node are Values"):
            Value(3.0, (a, parent), "f", (1.0, 1.0))

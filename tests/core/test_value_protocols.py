"""Python's protocols for numbers on Values: +=, ==, float(), format(), math, long loops."""

import math

import pytest
from hypothesis import given, strategies as st

import microgradlib as mg
from microgradlib import Symbol, Value, grad_table, topological_sort


def test_changing_data_does_not_change_local_derivatives():
    x = Value(3.0)
    y = x * x
    x.data = 100.0
    assert y.local_derivatives == (3.0, 3.0)


def test_in_place_operators_rebind():
    c = first = Value(1.0)
    c += 1
    c *= 3
    assert c is not first
    assert (first.data, c.data) == (1.0, 6.0)
    assert first.parents == ()
    assert grad_table(c)[first] == 3.0


def test_backward_twice_with_the_leaf_zeroed():
    x = Value(3.0)
    y = x * x * x
    y.backward()
    assert x.grad == 27.0
    x.grad = 0.0
    y.backward()
    assert x.grad == 27.0


def test_equality_and_hash_are_identity():
    a, b = Value(1.0), Value(1.0)
    assert a == a  # noqa: PLR0124
    assert a != b
    assert a != 1.0
    assert len({a, b, a}) == 2


def test_conversions_act_on_data():
    v = Value(2.75)
    assert (float(v), int(v), bool(v), round(v), round(v, 1)) == (2.75, 2, True, 3, 2.8)
    assert (f"{v:.1f}", f"{v:>6}") == ("2.8", "  2.75")
    assert f"{v}" == repr(v) == "Value(data=2.75, grad=0.0)"
    assert not Value(0.0)


@pytest.mark.parametrize("call", [math.sin, math.exp, math.sqrt, math.floor, math.ceil], ids=lambda f: f.__name__)
def test_math_functions_are_refused(call):
    with pytest.raises(TypeError):
        call(Symbol("x"))
    with pytest.raises(TypeError, match=f"microgradlib.{call.__name__}"):
        call(Value(1.0))


@pytest.mark.parametrize("label", [mg.tanh, 3, None, Value(2.0)])
def test_a_label_that_is_no_text_raises_with_an_explanation(label):
    with pytest.raises(TypeError, match="a label is text"):
        Value(1.0, label)
    with pytest.raises(TypeError, match="a label is text"):
        Value(1.0, label=label)


@pytest.mark.parametrize("length", [20_000, pytest.param(1_000_000, marks=pytest.mark.slow)])
def test_a_long_chain(length):
    x = out = Value(1.0)
    for _ in range(length):
        out = out + 1
    assert grad_table(out)[x] == 1.0
    out.backward()
    assert x.grad == 1.0
    assert out.data == length + 1


@given(st.lists(st.floats(-3, 3), max_size=5), st.sampled_from([tuple, list]), st.booleans())
def test_parents_and_local_derivatives_read_back_as_tuples(numbers, kind, derivatives_first):
    leaves = tuple(Value(x) for x in numbers)
    node = Value(1.0)
    if derivatives_first:
        node.local_derivatives, node.parents = kind(numbers), kind(leaves)
    else:
        node.parents, node.local_derivatives = kind(leaves), kind(numbers)
    assert node.parents == leaves
    assert node.local_derivatives == tuple(numbers)
    assert all(type(slot) is tuple for slot in (node.parents, node.local_derivatives))
    node.backward(2.0)
    assert [leaf.grad for leaf in leaves] == [2.0 * x for x in numbers]
    assert topological_sort(node) == [*leaves, node]


@pytest.mark.parametrize(("name", "symbol"), [("lt", "<"), ("le", "<="), ("gt", ">"), ("ge", ">=")])
def test_comparisons_have_their_own_names_and_documentation(name, symbol):
    method = getattr(Value, f"__{name}__")
    assert (method.__name__, method.__qualname__.rpartition(".")[2]) == (f"__{name}__",) * 2
    assert method.__doc__.startswith(f"Return whether self {symbol} other")

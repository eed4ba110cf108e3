"""A backward pass that is refused, as a leaf has a grad that is no number, leaves those of the others as they were."""

import pytest
from hypothesis import given, settings, strategies as st

import microgradlib as mg
from microgradlib import Value
from microgradlib.testing import graphs


@pytest.mark.parametrize("wrong", ["0", [1.0], {}, object()])
@pytest.mark.parametrize("place", range(4))
def test_other_leaves_keep_their_gradients(wrong, place):
    leaves = [Value(float(i + 1)) for i in range(4)]
    loss = mg.dot(leaves[:3], leaves[1:]) * leaves[0] + leaves[3] ** 2
    before = [0.0, 0.1, None, 2.0]
    for leaf, grad in zip(leaves, before):
        leaf.grad = grad
    leaves[place].grad = wrong
    with pytest.raises(TypeError, match=r"to which nothing can be added: write p\.grad = 0\.0"):
        loss.backward()
    kept = [leaf.grad for leaf in leaves]
    assert kept[place] is wrong
    others = [i for i in range(4) if i != place]
    assert [kept[i] or 0.0 for i in others] == pytest.approx([before[i] or 0.0 for i in others], abs=1e-14)
    assert loss.grad == 0.0

    for leaf in leaves:
        leaf.grad = 0.0
    loss.backward()
    assert [leaf.grad for leaf in leaves] == [mg.grad_table(loss)[leaf] for leaf in leaves]


def test_a_leaf_whose_grad_is_none_does_not_hide_another_whose_grad_is_text():
    x, y = Value(2.0), Value(3.0)
    x.grad, y.grad = "text", None
    with pytest.raises(TypeError, match="the grad of a leaf is 'text'"):
        (x * y).backward()
    assert (x.grad, y.grad) == ("text", None)


@given(graphs(max_nodes=20), st.data())
@settings(max_examples=60)
def test_gradients_of_leaves_are_as_they_were_to_rounding(graph, data):
    leaves = [Value(x) for x in graph.inputs]
    other = Value(0.5)
    output = graph(*leaves) * other + other
    wrong = data.draw(st.sampled_from([*leaves, other]))
    before = {leaf: data.draw(st.just(0.0) | st.floats(-10.0, 10.0)) for leaf in [*leaves, other]}
    for leaf, grad in before.items():
        leaf.grad = grad
    wrong.grad = "text"
    table = mg.grad_table(output)
    try:
        output.backward()
    except TypeError:
        for leaf in before.keys() - {wrong}:
            allowed = 1e-13 * (abs(before[leaf]) + abs(table.get(leaf, 0.0)) + 1.0) * len(table)
            assert abs(leaf.grad - before[leaf]) <= allowed
            assert leaf.grad == 0.0 or before[leaf] != 0.0
    else:
        assert table.get(wrong, 0.0) == 0.0  # nothing was to be added to it


def test_a_pass_with_infinite_gradients_is_taken_back_too():
    x, y = Value(0.0), Value(1.0)
    loss = mg.log(x) + y
    y.grad = "text"
    with pytest.raises(TypeError, match="to which nothing can be added"):
        loss.backward()
    assert x.grad == 0.0


def test_an_error_of_a_function_of_the_users_own_comes_through_and_other_leaves_keep_their_gradients():
    x, y = Value(2.0), Value(3.0)
    square = Value(4.0, (x,), "square")

    def fails():
        raise TypeError("mine")

    square._backward = fails
    loss = y * square
    y.grad = 0.25
    with pytest.raises(TypeError, match=r"^mine$"):
        loss.backward()
    assert y.grad == 0.25

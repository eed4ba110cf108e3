"""Arguments that are nodes: by the parameter of f alone, in whatever way f could reach them otherwise."""

import copy
import pickle

import pytest
from hypothesis import given, settings, strategies as st

import microgradlib as mg
from microgradlib import Symbol, Value, grad, hessian, hvp, jacobian, jvp, nn, value_and_grad, vjp
from microgradlib.core.lost_derivatives import TRANSFORMS
from microgradlib.derivatives.linearize import check_argnums

TRANSFORMED = {
    "grad": lambda f, xs: grad(f)(xs),
    "value_and_grad": lambda f, xs: value_and_grad(f)(xs),
    "jacobian": lambda f, xs: jacobian(f)(xs),
    "hessian": lambda f, xs: hessian(f)(xs),
    "hvp": lambda f, xs: hvp(f, xs, [1.0] * len(xs)),
    "jvp": lambda f, xs: jvp(f, (xs,), ([1.0] * len(xs),)),
    "vjp": lambda f, xs: vjp(f, xs),
}


@pytest.mark.parametrize("transformed", TRANSFORMED.values(), ids=TRANSFORMED)
def test_a_node_that_f_reaches_from_outside_is_refused(transformed):
    """Its derivative was 0, without notice: all of it, or the part that does not go by the parameter."""
    model = nn.MLP([2, 2, 1], activation="tanh", rng=0)
    parameters = model.parameters()
    y = Value(2.0)
    for f, xs in (
        (lambda ps: model([0.3, -0.4]) ** 2, parameters),
        (lambda ps: model([0.3, -0.4]) ** 2 + mg.sum([p * p for p in ps]), parameters),
        (lambda ps: mg.sum([p * p for p in parameters]), [*parameters, 1.0]),
        (lambda ys: y * ys[0], [y]),
        (lambda ys: y, [y]),
        (lambda ys: ys[0] * (3 * y), [y * y, y]),
        (lambda ys: ys[0] * Symbol("s") * y, [y]),
    ):
        with pytest.raises(ValueError, match=r"functional_call.* gradients\(f"):
            transformed(f, xs)
    assert TRANSFORMS.get() == ()


@pytest.mark.parametrize("transformed", TRANSFORMED.values(), ids=TRANSFORMED)
def test_other_nodes_from_outside_are_constants(transformed):
    x, w = Value(2.0), Value(3.0)
    h = x * w
    transformed(lambda ys: ys[0] * w, [x])
    transformed(lambda ys: ys[0] * ys[1] * x, [h, w])  # h was made of x and w: they are no other way to h
    transformed(lambda ys: ys[0] * ys[1], [x, h])
    transformed(lambda ys: 3.0, [x])


@given(st.lists(st.floats(-2, 2), min_size=1, max_size=3), st.randoms(use_true_random=False))
@settings(max_examples=30)
def test_by_the_parameter_or_refused(numbers, random):
    """Whatever f takes from outside: the derivative of the function of its parameter, or an error."""
    values = [Value(x) for x in numbers]
    outside = [random.random() < 0.3 for _ in values]

    def f(xs):
        terms = [(v if is_outside else x) * (i + 1.5) for i, (x, v, is_outside) in enumerate(zip(xs, values, outside))]
        return mg.sin(mg.sum(terms))

    if any(outside):
        with pytest.raises(ValueError, match="from outside"):
            grad(f)(values)
    else:
        assert [slope.data for slope in grad(f)(values)] == grad(f)(numbers)


def test_nested_calls_at_the_outer_variable_are_partial_derivatives():
    """As in JAX: the inner function may use the outer variable, and what is made of it, beside its parameter."""
    assert grad(lambda x: x * grad(lambda y: x * y)(x))(3.0) == 6.0
    assert grad(lambda x: grad(lambda y: (3 * x) * y)(2 * x))(3.0) == 3.0
    assert grad(lambda x: grad(lambda y: x * x)(x) + x)(3.0) == 1.0
    assert grad(lambda x: grad(lambda y: grad(lambda z: x * y * z)(y))(x))(2.0) == 1.0
    assert jvp(lambda x: hvp(lambda y: x[0] * y[0] ** 2, x, [1.0])[0], ([3.0],), ([1.0],))[1] == 2.0


def test_a_model_in_a_nested_call_is_refused():
    w = Value(2.0)
    with pytest.raises(ValueError, match="from outside"):
        grad(lambda a: grad(lambda ws: a * w * w)([w])[0])(3.0)


@pytest.mark.parametrize("name", [name for name in TRANSFORMED if name != "vjp"])
@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_a_copy_inside_a_transform_is_the_same_number(name, duplicate):
    """A copy of an input was a variable of its own: the derivative was 0, without notice."""

    def f(xs, same):
        inner = grad(lambda y: same(y) * same(xs[1]) * same(same(y) * y))(same(xs[0]))
        return same(xs)[0] ** 3 * same(xs[1] * xs[1]) + same({"a": [xs]})["a"][0][1] + inner

    by_copies, by_itself = (
        TRANSFORMED[name](lambda xs, same=same: f(xs, same), [2.0, 3.0]) for same in (duplicate, lambda x: x)
    )
    assert by_copies == by_itself


def test_copies_of_other_nodes_inside_a_transform_are_copies():
    w = Value(5.0, label="w")

    def f(x):
        twin = copy.deepcopy(w * x)
        assert twin.parents[0] is not w
        assert twin.parents[1] is x
        assert pickle.loads(pickle.dumps(w * w)).data == 25.0
        return twin

    assert grad(f)(2.0) == 5.0


@pytest.mark.parametrize("f", [lambda x: x, lambda x: [x * x], lambda x: grad(lambda y: pickled(x + 0 * y))(1.0)])
def test_pickles_inside_a_transform_are_refused(f):
    with pytest.raises(TypeError, match="its derivative be lost"):
        grad(lambda x: pickled(f(x)))(2.0)


def pickled(thing):
    return pickle.loads(pickle.dumps(thing))


def test_positions_that_can_be_read_once_are_refused():
    """The second call would differentiate by nothing."""
    with pytest.raises(TypeError, match=r"a tuple of positions, counted from 0, got a generator; write argnums=0"):
        check_argnums(i for i in [0])

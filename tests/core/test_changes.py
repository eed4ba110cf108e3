"""Numbers assigned after others were computed from them: never a derivative of a mixture of old and new numbers."""

import copy
import math
import pickle
import sys

import pytest
from hypothesis import given, settings, strategies as st

import microgradlib as mg
from microgradlib import Symbol, Value, evaluate, grad_table, gradients, nn, no_grad, tangent_table
from microgradlib.core.changes import check_unchanged
from microgradlib.errors import ChangedDataError
from microgradlib.krylov import hessian_products
from microgradlib.optim import SGD


def backward(y, x):
    x.grad = 0.0
    y.backward()
    return x.grad


PASSES = {
    "backward": backward,
    "grad_table": lambda y, x: grad_table(y)[x],
    "tangent_table": lambda y, x: tangent_table(y, {x: 1.0})[y],
    "gradients": lambda y, x: gradients(y, [x])[0].data,
    "hessian_products": lambda y, x: hessian_products(y, [x])([1.0])[0],
}


@pytest.mark.parametrize("derivative", PASSES.values(), ids=PASSES)
@pytest.mark.parametrize(
    "f",
    [lambda x: x * x, mg.exp, lambda x: mg.dot([x, x], [x, 2.0]), lambda x: x**3, mg.relu, lambda x: 2.0 / x],
)
def test_no_pass_differentiates_what_was_computed_from_an_old_number(derivative, f):
    x = Value(3.0, label="x")
    y = f(x)
    x.data = -5.0
    with pytest.raises(ChangedDataError, match=r"a number was assigned to x after .* Compute the output anew"):
        derivative(y, x)
    assert (x.grad, y.grad, x.data) == (0.0, 0.0, -5.0)
    assert derivative(f(x), x) is not None  # what is computed anew has its derivative


def test_a_mixture_of_old_and_new_is_refused_too():
    x = Value(3.0)
    square = x * x
    x.data = 5.0
    with pytest.raises(ChangedDataError):
        (square * x).backward()  # would give 39; x³ has 27 at 3 and 75 at 5
    assert x.grad == 0.0


def test_derivatives_that_are_the_same_at_the_new_number_are_given():
    x, w = Value(3.0), Value(2.0)
    y = x + w - mg.sum([x, w, w, w])
    x.data, w.data = 5.0, 7.0
    y.backward()
    assert (x.grad, w.grad) == (0.0, -2.0)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.floats(-10, 10), st.sampled_from([1e-3, 1e-5, 1e-7, 0.1]))
def test_a_number_that_is_moved_and_moved_back_is_the_same(number, h):
    x = Value(number)
    y = mg.sin(x) * x
    x.data += h
    _ = mg.sin(x) * x
    x.data -= h
    y.backward()
    assert x.grad == pytest.approx(mg.grad(lambda x: mg.sin(x) * x)(number))


def test_two_losses_and_a_step_between_their_passes():
    model = nn.MLP(2, [3, 1], activation="tanh", rng=0)
    first, second = model([1.0, 2.0]) ** 2, model([0.5, -1.0]) ** 2
    first.backward()
    SGD(model.parameters(), lr=0.1).step()
    with pytest.raises(ChangedDataError):
        second.backward()


def test_a_training_loop_written_by_hand_and_one_with_an_optimiser_agree():
    by_hand, by_optimiser = nn.MLP(2, [3, 1], rng=0), nn.MLP(2, [3, 1], rng=0)
    optimiser = SGD(by_optimiser.parameters(), lr=0.1)
    for _ in range(3):
        for model in (by_hand, by_optimiser):
            model.zero_grad()
            (model([1.0, 2.0]) ** 2).backward()
        optimiser.step()
        for p in by_hand.parameters():
            p.data -= 0.1 * p.grad
    assert [p.data for p in by_hand.parameters()] == [p.data for p in by_optimiser.parameters()]


def test_no_number_can_be_assigned_to_a_node_that_was_computed():
    x = Value(3.0)
    y = x * x
    with pytest.raises(ChangedDataError, match=r"this node was computed, by \*, .* Value\(number\)"):
        y.data = 100.0
    assert (y.data, y.parents) == (9.0, (x, x))
    y.data = 9.0  # the number that it has
    assert y.parents == (x, x)


def test_a_parameter_that_was_computed_becomes_a_leaf_at_its_first_step():
    drawn = Value(0.5)
    w = drawn * 0.1
    loss = w * 3.0
    loss.backward()
    w.data -= 0.01 * w.grad
    assert w.parents == ()
    assert w.op is None
    drawn.grad = w.grad = 0.0
    (w * w).backward()
    assert w.grad == 2 * w.data
    assert drawn.grad == 0.0
    with pytest.raises(ChangedDataError):  # ∂loss/∂w is the same, but the way to `drawn` is gone
        loss.backward()


@pytest.mark.skipif(not hasattr(sys, "getrefcount"), reason="references are counted by CPython")
def test_a_parameter_that_was_computed_from_what_nothing_else_holds_takes_a_number_at_once():
    w, bias = Value(0.5) * 0.1, -Value(2.0)
    early = w * w
    w.data, bias.data = 0.25, 1.0  # saved weights are loaded
    assert (w.parents, bias.parents, w.op) == ((), (), None)
    (w * w * bias).backward()
    assert (w.grad, bias.grad) == (0.5, 0.0625)
    with pytest.raises(ChangedDataError):
        early.backward()
    closed = Value(-0.5) * 1.0
    mg.relu(closed).backward()  # closed.grad stays that of a node that nothing has reached
    closed.data -= 0.1 * (closed.grad + 0.01 * closed.data)
    assert closed.data == -0.4995


@pytest.mark.parametrize(
    "computed",
    [lambda x: x * 2.0, lambda x: 2.0 * x, lambda x: -x, lambda x: mg.sum([x, 1.0, 2.0]), lambda x: -(x * x)],
)
def test_what_was_computed_from_a_number_that_others_hold_takes_none(computed):
    x = Value(3.0)
    y = computed(x)
    with pytest.raises(ChangedDataError):
        y.data = 5.0
    y.backward()
    assert x.grad != 0.0


def test_nodes_made_by_hand_keep_their_parents_and_their_functions_read_the_numbers():
    x = Value(3.0)
    square = Value(x.data**2, (x,), "square")

    def add():
        x.grad += 2 * x.data * square.grad

    square._backward = add
    x.data = 5.0
    square.data = 25.0
    square.backward()
    assert x.grad == 10.0


def test_a_node_made_by_hand_with_its_local_derivatives_is_left_to_its_program():
    x = Value(3.0)
    square = Value(9.0, (x,), (6.0,))
    x.data = 5.0
    square.backward()
    assert x.grad == 6.0


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda y: pickle.loads(pickle.dumps(y))])
def test_copies_are_watched_too(copied):
    y = copied(Value(3.0) * Value(4.0))
    y.backward()
    y.parents[0].data = 5.0
    with pytest.raises(ChangedDataError):
        y.backward()


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda y: pickle.loads(pickle.dumps(y))])
def test_a_copy_of_what_was_computed_from_an_old_number_is_refused_as_the_original_is(copied):
    x = Value(3.0, label="x")
    y, line = x * x, x + 1.0
    x.data = 5.0
    with pytest.raises(ChangedDataError, match="a number was assigned to x after"):
        copied(y).backward()  # gave 6, the derivative at 3
    copied(line).backward()
    x.data, x.grad = 3.0, 0.0
    again = copied(y)
    again.backward()
    assert again.parents[0].grad == 6.0


def test_what_needs_no_recorded_derivative_takes_the_new_numbers():
    x = Value(3.0)
    y = x * x
    x.data = 5.0
    assert evaluate(y, {}) == 25.0
    assert mg.grad(lambda v: v * x)(2.0) == 5.0


def test_symbols_have_no_numbers_to_be_changed():
    w, s = Value(2.0), Symbol("s")
    y = w * s
    w.data = 3.0
    assert evaluate(gradients(y, [s])[0], {}) == 3.0


@pytest.mark.parametrize("derivative", [v for k, v in PASSES.items() if k != "tangent_table"])
def test_what_was_computed_under_no_grad_has_no_derivatives(derivative):
    """All would be 0, without notice."""
    x = Value(3.0)
    with no_grad():
        y = x * x
    with pytest.raises(ValueError, match=r"computed under no_grad\(\), .* compute it outside"):
        derivative(y, x)
    (y * x).backward()  # as a constant of other computations it is meant
    assert x.grad == 9.0


def test_the_check_by_itself():
    x = Value(3.0)
    y = x * x
    check_unchanged([x, y])
    x.data = 3.0
    check_unchanged([x, y])
    x.data = 3.1
    with pytest.raises(ChangedDataError):
        check_unchanged([x, y])


@pytest.mark.parametrize(
    ("old", "new", "is_same"),
    [
        (2.0, 2.0 * (1 + 9e-9), True), (2.0, 2.0 * (1 - 9e-9), True), (2.0, 2.0 * (1 + 1.1e-8), False),
        (-1e300, -1e300 * (1 + 9e-9), True), (-1e300, -1e300 * (1 + 1.1e-8), False), (0.0, 9e-16, True),
        (0.0, -9e-16, True), (0.0, 1.1e-15, False), (1e-9, 1e-9 + 9e-16, True), (1e-9, 1e-9 + 1.1e-15, False),
        (math.nan, math.nan, True), (math.inf, math.inf, True), (math.nan, 1.0, False), (1.0, math.nan, False),
        (math.inf, 1e300, False), (math.inf, -math.inf, False),
    ],
)  # fmt: skip
def test_rounding_is_a_relative_1e_8_or_an_absolute_1e_15(old, new, is_same):
    """The local derivatives of y x are the numbers of x and y."""
    x, y = Value(old), Value(3.0)
    product = x * y
    x.data = new
    if is_same:
        product.backward()
        assert repr(y.grad) == repr(old)
    else:
        with pytest.raises(ChangedDataError):
            product.backward()
        assert (x.grad, y.grad) == (0.0, 0.0)


def test_a_branch_that_opens_or_closes_is_a_change_though_the_slope_is_0():
    """The slope of leaky_relu with γ = 0 is 0 on the left, as that of relu, whose branch is closed there."""
    for f, is_same in [(lambda x: mg.relu(x), False), (lambda x: mg.leaky_relu(x, 0.0) * 0.0, True)]:
        x = Value(1.0 if not is_same else -1.0)
        y = f(x)
        x.data = -2.0
        if is_same:
            y.backward()
        else:
            with pytest.raises(ChangedDataError):
                y.backward()


def test_only_the_last_assignment_to_a_parent_counts():
    """Of nodes that are younger than the last assignment to their parents, none is looked at."""
    x, other = Value(2.0), Value(1.0)
    before = x * x
    other.data = 5.0
    x.data = 3.0
    after = x * x + other
    other.grad = x.grad = 0.0
    after.backward()
    assert x.grad == 6.0
    with pytest.raises(ChangedDataError, match="assigned to a Value after"):
        before.backward()
    other.data = 6.0
    with pytest.raises(ChangedDataError):
        (before + after).backward()


@pytest.mark.parametrize("assigned_before", [0, 1, 3])
def test_what_was_computed_from_a_node_that_became_a_leaf_is_refused(assigned_before):
    """The slope of h + 1 is 1 at every number, but the way from h to w is gone."""
    w, other = Value(2.0, label="w"), Value(1.0)
    h = w * 3
    h.backward()
    y = h + 1
    for _ in range(assigned_before):
        other.data += 1
    h.data = 9.0
    with pytest.raises(ChangedDataError, match="a number was assigned to"):
        y.backward()
    again = h + 1
    again.backward()
    assert (h.parents, h.grad, w.grad) == ((), 2.0, 3.0)

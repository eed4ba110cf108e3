"""Gradients that are lent, added to and written over: whatever is shared, each number gets its own."""

from itertools import pairwise

import numpy as np
import pytest
from eager_oracle import SIZES, EagerOracle, assert_batches_match, random_columns
from hypothesis import assume, given, settings, strategies as st
from random_networks import LAYERS, UNARY, Network

import microgradlib as mg
from microgradlib import nn
from microgradlib.compiler import compile as compiled
from microgradlib.core.value import Value

FEW = [3, 64]


def parameters(seed, count):
    return [Value(x) for x in np.random.default_rng(seed).uniform(0.2, 1.0, count).tolist()]


def weighted(numbers):
    """A sum that gives each number a gradient of its own."""
    return mg.sum([mg.tanh(y) * (1.0 + 0.3 * i) for i, y in enumerate(numbers)])


def check_network(seed, layers, sizes):
    network = Network(seed, layers)
    rows = random_columns(seed, 3, *network.shapes)
    assume(EagerOracle(network, network.parameters, rows).is_moderate())
    assert_batches_match(network, network.parameters, rows, sizes)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.lists(st.sampled_from(SIZES), min_size=2, max_size=2))
def test_networks_of_all_kinds_of_layers(seed, sizes):
    check_network(seed, LAYERS, sizes)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.lists(st.sampled_from(SIZES), min_size=2, max_size=2))
def test_networks_of_chains_sums_and_residuals(seed, sizes):
    check_network(seed, ("chain", "residual", "sums", "softmax", "turned", "part", "shuffled"), sizes)


@pytest.mark.slow
@settings(max_examples=500, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(SIZES))
def test_many_networks(seed, size):
    check_network(seed, LAYERS, [size])


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32))
def test_networks_on_thousands_of_examples_in_blocks(seed):
    check_network(seed, LAYERS, [4001])


@pytest.mark.parametrize("first", UNARY)
@pytest.mark.parametrize("second", UNARY)
def test_two_ops_one_after_the_other(first, second):
    """Each op's gradient may be written over that of the one behind it, but not where that is wanted still."""
    w = parameters(0, 3)

    def chain(x):
        a = [w_i * x_i for w_i, x_i in zip(w, x)]
        b = [UNARY[first](v, 0.5) for v in a]
        c = [UNARY[second](v, -1.25) for v in b]
        return mg.sum([weighted(c), *b, weighted([u * v for u, v in zip(a, c)])])

    assert_batches_match(chain, w, random_columns(1, 2, (3,)), [17])


SHARED = {
    "x + f(x)": lambda x, f: [a + b for a, b in zip(x, f(x))],
    "f(x) + x": lambda x, f: [b + a for a, b in zip(x, f(x))],
    "x − f(x)": lambda x, f: [a - b for a, b in zip(x, f(x))],
    "f(x) − x": lambda x, f: [b - a for a, b in zip(x, f(x))],
    "x f(x)": lambda x, f: [a * b for a, b in zip(x, f(x))],
    "x / f(x)": lambda x, f: [a / (2.0 + mg.exp(b)) for a, b in zip(x, f(x))],
    "x f(x) beside x + f(x)": lambda x, f: [0.5 * (a * b) * mg.tanh(a + b) for a, b in zip(x, f(x))],
    "x − x f(x) beside f(x) − x": lambda x, f: [mg.exp(a - a * b) + mg.tanh(b - a) for a, b in zip(x, f(x))],
    "x + x": lambda x, f: [a + a for a in x],
    "x + f(x) + f(f(x))": lambda x, f: [mg.sum(three) for three in zip(x, f(x), f(f(x)))],
    "x thrice": lambda x, f: [(a + b) * c + (a + c) for a, b, c in zip(x, f(x), x)],
    "sums of sums": lambda x, f: [(a + b) + (b + c) for a, b, c in zip(x, f(x), x[1:] + x[:1])],
    "a sum, and its terms": lambda x, f: [mg.sum(x) + a for a in f(x)],
    "a sum twice": lambda x, f: [s + s * a for s in [mg.sum(f(x))] for a in x],
    "sums of neighbours": lambda x, f: [a + b for a, b in pairwise([*x, x[0]])],
    "backwards": lambda x, f: [a + b for a, b in zip(x, f(x)[::-1])],
    "detached": lambda x, f: [a + b.detach() * a for a, b in zip(x, f(x))],
    "behind a step": lambda x, f: [a * mg.step(b) + b for a, b in zip(x, f(x))],
    "the first half": lambda x, f: [*[a + b for a, b in zip(x[:2], f(x)[:2])], *x[2:]],
}
FUNCTIONS = {
    "exp": lambda x: [mg.exp(0.3 * a) for a in x],
    "neg relu": lambda x: [-mg.relu(a) for a in x],
    "product": lambda x: [mg.dot(W[4 * i : 4 * i + 4], x, W[16 + i]) for i in range(4)],
    "norm": lambda x: [a / mg.sqrt(mg.dot(x, x) + 1.0) for a in x],
}
W = parameters(5, 20)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("name", SHARED)
def test_what_is_read_several_times_gets_all_its_gradients(name, function):
    def several(x):
        start = [w * a for w, a in zip(W, x)]
        once = SHARED[name](start, FUNCTIONS[function])
        return mg.sum([weighted(SHARED[name](once, FUNCTIONS[function])), *start])

    assert_batches_match(several, W, random_columns(2, 3, (4,)), FEW)


@pytest.mark.parametrize("name", SHARED)
def test_three_times_in_a_row(name):
    def several(x):
        y = [w * a for w, a in zip(W, x)]
        for function in FUNCTIONS.values():
            y = [0.5 * a for a in SHARED[name](y, function)]
        return weighted(y)

    assert_batches_match(several, W, random_columns(3, 3, (4,)), FEW)


def test_a_lent_gradient_to_which_one_in_another_order_is_added():
    p, q, r = parameters(6, 4), parameters(7, 4), parameters(8, 4)

    def function(x):
        y = [mg.tanh(p_i * a) for p_i, a in zip(p, x)]
        one = mg.dot(q, y)
        two = mg.dot(p, [y[i] * one for i in (0, 2, 1, 3)])  # a matrix's columns for its rows, from first to last
        return mg.dot(r, [a + one * two for a in y])

    assert_batches_match(function, [*p, *q, *r], random_columns(4, 3, (4,)), FEW)


@pytest.mark.parametrize(
    "join", [lambda y, s: y - s, lambda y, s: y + s, lambda y, s: s - y, lambda y, s: mg.sum([y, s])]
)
@pytest.mark.parametrize(("rows", "units"), [(4, 3), (2, 2), (1, 3), (3, 1)])
def test_a_layer_for_several_rows_gets_its_gradient_row_by_row(join, rows, units):
    """Unit by unit is how its results lie, and how the product before it reads their gradient."""
    layer, shift = nn.Layer(2, units, "linear", rng=0), parameters(11, rows)

    def function(xs):
        outputs = [[*layer(x)] if units > 1 else [layer(x)] for x in xs]
        return weighted([join(y, s) for row, s in zip(outputs, shift) for y in row])

    assert_batches_match(function, [*layer.parameters(), *shift], random_columns(12, 3, (rows, 2)), [1, *FEW])


@pytest.mark.parametrize(("rows", "units"), [(4, 3), (2, 2), (1, 3), (3, 1)])
@pytest.mark.parametrize("softmax", [mg.log_softmax, mg.softmax, lambda xs: [mg.exp(x - mg.logsumexp(xs)) for x in xs]])
def test_softmax_over_the_units_of_a_layer_for_several_rows(softmax, rows, units):
    layer = nn.Layer(2, units, "linear", rng=0)

    def function(xs):
        return weighted([y for x in xs for y in softmax([*layer(x)] if units > 1 else [layer(x)])])

    assert_batches_match(function, layer.parameters(), random_columns(5, 3, (rows, 2)), [1, *FEW])


@pytest.mark.parametrize("size", [1, 16, 64, 600])
def test_numbers_read_over_and_over_by_many(size):
    """Scales and divisors of whole rows: their gradients are sums of products, of few numbers or of many."""
    scale, shift = parameters(9, 3), parameters(10, 3)

    def function(xs):
        rows = [[s * a for s, a in zip(scale, x)] for x in xs]
        rows = [[a / (1.0 + mg.exp(mg.sum(row))) for a in row] for row in rows]
        rows = [[a * mg.tanh(rows[0][0]) / (2.0 + s * s) for a, s in zip(row, shift)] for row in rows]
        return weighted([a for row in rows for a in row])

    assert_batches_match(function, [*scale, *shift], random_columns(6, 3, (8, 3)), [size])


@pytest.mark.parametrize("size", [1, 3, 17])
def test_no_output_sees_what_is_left_of_anothers_gradient(size):
    """The rows of a Jacobian are written one after the other into the same memory."""

    def outputs(x):
        e = [mg.exp(a) for a in x]
        s = mg.sum(e)
        return [e[1], s, -e[0], mg.relu(s - 1.0), e[1] + s, x[0] * 1.0, x[0], s * e[2], Value(2.0), mg.sum(e), e[1]]

    rows = random_columns(7, 3, (4,))
    fast = assert_batches_match(outputs, [], rows, [size])
    order = [5, 3, 1, 4, 2, 0]
    turned = compiled(lambda x: [outputs(x)[k] for k in order])
    assert np.array_equal(turned.jacobian(*rows), fast.jacobian(*rows)[:, order])

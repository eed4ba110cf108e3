"""Functions of lists: values and gradients by closed formulas, node counts, empty and wrong input."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import microgradlib as mg
from microgradlib import Symbol, Value, evaluate, grad_table, gradients

lists = st.lists(st.floats(-20, 20), min_size=1, max_size=8)


def slopes(f, numbers):
    xs = [Value(x) for x in numbers]
    out = f(xs)
    table = grad_table(out)
    return out.data, [table.get(x, 0.0) for x in xs]


def close(got, expected):
    return got == pytest.approx(expected, rel=1e-12, abs=1e-12)


def softmax_by_formula(xs):
    exponentials = [math.exp(x - max(xs)) for x in xs]
    return [e / math.fsum(exponentials) for e in exponentials]


@given(lists)
def test_sum_mean_prod(xs):
    value, gradient = slopes(mg.sum, xs)
    assert close(value, math.fsum(xs))
    assert gradient == [1.0] * len(xs)
    value, gradient = slopes(mg.mean, xs)
    assert close(value, math.fsum(xs) / len(xs))
    assert gradient == [1 / len(xs)] * len(xs)
    value, gradient = slopes(mg.prod, xs)
    assert value == pytest.approx(math.prod(xs), rel=1e-12)
    assert gradient == pytest.approx([math.prod(xs[:i] + xs[i + 1 :]) for i in range(len(xs))], rel=1e-12)


def test_prod_with_zeros():
    assert slopes(mg.prod, [2.0, 0.0, 3.0]) == (0.0, [0.0, 6.0, 0.0])
    assert slopes(mg.prod, [2.0, 0.0, 0.0]) == (0.0, [0.0, 0.0, 0.0])


@given(lists, st.none() | st.floats(-5, 5))
def test_dot(xs, bias):
    weights = [0.5 * i - 1 for i in range(len(xs))]
    w, x = [Value(a) for a in weights], [Value(a) for a in xs]
    b = None if bias is None else Value(bias)
    out = mg.dot(w, x, bias=b)
    assert close(out.data, math.fsum(a * c for a, c in zip(weights, xs)) + (bias or 0.0))
    table = grad_table(out)
    assert [table[a] for a in w] == xs
    assert [table[a] for a in x] == weights
    assert b is None or table[b] == 1.0
    assert out.parents == (*w, *x, *([] if b is None else [b]))


@given(lists)
def test_logsumexp_and_softmax(xs):
    value, gradient = slopes(mg.logsumexp, xs)
    shares = softmax_by_formula(xs)
    assert close(value, max(xs) + math.log(math.fsum(math.exp(x - max(xs)) for x in xs)))
    assert close(gradient, shares)
    assert close([p.data for p in mg.softmax([Value(x) for x in xs])], shares)
    assert close(mg.softmax(xs), shares)
    assert close(mg.log_softmax(xs), [x - value for x in xs])


@settings(max_examples=30, deadline=None)
@given(lists, st.integers(0, 7))
def test_softmax_jacobian(xs, i):
    i %= len(xs)
    p = softmax_by_formula(xs)
    value, gradient = slopes(lambda v: mg.softmax(v)[i], xs)
    assert close(value, p[i])
    assert close(gradient, [p[i] * ((i == j) - p[j]) for j in range(len(xs))])
    _, gradient = slopes(lambda v: mg.log_softmax(v)[i], xs)
    assert close(gradient, [(i == j) - p[j] for j in range(len(xs))])


def test_softmax_second_derivatives():
    xs = [Symbol("a"), Symbol("b")]
    [slope] = gradients(mg.softmax(xs)[0], xs[:1])
    [curvature] = gradients(slope, xs[:1])
    p = 1 / (1 + math.exp(-0.7))
    got = evaluate([slope, curvature], {xs[0]: 1.0, xs[1]: 0.3})
    assert close(got, [p * (1 - p), p * (1 - p) * (1 - 2 * p)])


@given(lists)
def test_maximum_and_minimum(xs):
    assert mg.maximum(xs) == mg.maximum(*xs, xs[0]) == max(xs)
    assert mg.minimum(xs) == mg.minimum(*xs, xs[0]) == min(xs)
    value, gradient = slopes(mg.maximum, xs)
    ties = xs.count(max(xs))
    assert (value, gradient) == (max(xs), [(x == max(xs)) / ties for x in xs])
    value, gradient = slopes(mg.minimum, xs)
    assert (value, gradient) == (min(xs), [(x == min(xs)) / xs.count(min(xs)) for x in xs])


@pytest.mark.parametrize("f", [mg.sum, mg.mean, mg.prod, mg.logsumexp, mg.maximum, mg.minimum])
def test_one_node_with_the_inputs_as_parents(f):
    xs = [Value(float(i)) for i in range(5)]
    out = f(xs)
    assert out.parents == tuple(xs)
    assert f(iter(xs)).parents == tuple(xs)
    assert f(tuple(xs)).data == out.data


@pytest.mark.parametrize("f", [mg.sum, mg.mean, mg.prod, mg.logsumexp, mg.maximum, mg.minimum])
def test_floats_give_floats_and_symbols_symbols(f):
    assert type(f([1, 2.0, Fraction(1, 2), True])) is float
    assert type(f(np.array([1.0, 2.0]))) is float
    assert type(f([1.0, Symbol("x")])) is Symbol
    assert type(f([1.0, Value(2.0)])) is Value


def test_sum_start_is_the_first_term():
    x = Value(1.0)
    total = mg.sum([x, 2], start=Value(5.0))
    assert total.data == 8.0
    assert total.parents[1] is x
    assert mg.sum([], start=3) == 3.0


def test_builtin_sum_starts_from_0():
    xs = [Value(1.0), Value(2.0)]
    total = sum(xs)
    assert total.data == 3.0
    assert [grad_table(total)[x] for x in xs] == [1.0, 1.0]


def test_empty_lists():
    assert (mg.sum([]), mg.prod([])) == (0.0, 1.0)
    for f in (mg.mean, mg.logsumexp, mg.softmax, mg.log_softmax, mg.maximum, mg.minimum):
        with pytest.raises(ValueError, match=f"{f.__name__} of no numbers"):
            f([])
    with pytest.raises(ValueError, match="dot of no numbers"):
        mg.dot([], [])


@pytest.mark.parametrize("f", [mg.sum, mg.mean, mg.prod, mg.logsumexp, mg.softmax, mg.log_softmax])
def test_a_number_instead_of_a_list_raises(f):
    for single in (1.0, Value(1.0)):
        with pytest.raises(
            TypeError, match=rf"{f.__name__} takes a list of numbers, as in {f.__name__}\(\[x, y, z\]\)"
        ):
            f(single)


def test_nested_lists_raise():
    with pytest.raises(TypeError, match="each row"):
        mg.sum(np.ones((2, 2)))
    with pytest.raises(TypeError, match="each row"):
        mg.softmax([np.ones(2), np.ones(2)])


def test_dot_needs_equal_lengths():
    with pytest.raises(ValueError, match="2 weights and 1 inputs"):
        mg.dot([1, 2], [3])
    with pytest.raises(ValueError, match="1 weights and 2 inputs"):
        mg.dot([Value(1.0)], [3, 4], bias=5)


def test_a_repeated_term_counts_twice():
    x = Value(3.0)
    assert grad_table(mg.sum([x, x, x]))[x] == 3.0
    assert grad_table(mg.prod([x, x]))[x] == 6.0
    assert grad_table(mg.dot([x], [x], bias=x))[x] == 7.0
    assert grad_table(mg.logsumexp([x, x]))[x] == 1.0

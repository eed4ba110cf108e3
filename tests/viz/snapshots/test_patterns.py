"""Softmax and its logarithm in a graph: what is recognised, and what only looks like it."""

import pytest

import microgradlib as mg
from microgradlib import Value, topological_sort
from microgradlib.viz.snapshots.patterns import softmaxes


def found_in(outputs, place=lambda node: ()):
    order = topological_sort(*outputs)
    return [
        (pattern.name, len(pattern.inputs))
        for pattern in softmaxes(order, {node: i for i, node in enumerate(order)}, [place(node) for node in order])
    ]


def shares(zs, shifts, extra=()):
    """Return exp(z − shift) over the sum of all of them and what is extra."""
    exponentials = [mg.exp(z - shift) for z, shift in zip(zs, shifts)]
    total = mg.sum([*exponentials, *extra])
    return [e / total for e in exponentials]


def logarithms(zs, shifts):
    moved = [z - shift for z, shift in zip(zs, shifts)]
    total = mg.logsumexp(moved)
    return [m - total for m in moved]


Z = [Value(1.0), Value(-2.0), Value(0.5)]
TOP, OTHER, ZERO = Value(1.0), Value(1.0), Value(0.0)
TOTAL = mg.sum([mg.exp(z - TOP) for z in Z])

RECOGNISED = {
    "softmax": (mg.softmax(Z), ("softmax", 3)),
    "log_softmax": (mg.log_softmax(Z), ("log softmax", 3)),
    "by hand, from a number": (shares(Z, [TOP] * 3), ("softmax", 3)),
    "by hand, from the largest": (shares(Z, [mg.maximum(*Z)] * 3), ("softmax", 3)),
    "by hand, from the largest as a constant": (shares(Z, [mg.maximum(*Z).detach()] * 3), ("softmax", 3)),
    "one of the shares": (shares(Z, [TOP] * 3)[:1], ("softmax", 3)),
    "logarithms by hand": (logarithms(Z, [TOP] * 3), ("log softmax", 3)),
}
NOT_RECOGNISED = {
    "nothing is subtracted": [mg.exp(Z[0]) / mg.sum([mg.exp(z) for z in Z])],
    "different numbers are subtracted": shares(Z, [TOP, OTHER, TOP]),
    "a term of the sum is no exponential": shares(Z, [TOP] * 3, [Value(1.0)]),
    "the number above is no term of the sum": [mg.exp(Z[0] - OTHER) / TOTAL],
    "the number above is no exponential": [Z[0] / mg.sum([*Z, Z[0]])],
    "the number below is no sum": [mg.exp(Z[0] - TOP) / mg.maximum(*[mg.exp(z - TOP) for z in Z])],
    "logarithms, from different numbers": logarithms(Z, [TOP, OTHER, TOP]),
    "another difference": [mg.logsumexp(Z) - Z[0]],
    "a leaf": [Z[0]],
}


@pytest.mark.parametrize("name", RECOGNISED)
def test_softmax_is_recognised_however_it_is_written(name):
    outputs, expected = RECOGNISED[name]
    assert found_in(outputs) == [expected]


@pytest.mark.parametrize("name", NOT_RECOGNISED)
def test_what_only_looks_like_it_is_not(name):
    assert found_in(NOT_RECOGNISED[name]) == []


def test_the_nodes_of_a_softmax_are_in_one_place():
    outputs = shares(Z, [TOP] * 3)
    assert found_in(outputs, lambda node: node in outputs) == []
    assert found_in(outputs, lambda node: node.op is not None) == [("softmax", 3)]


def test_two_softmaxes_are_two():
    assert sorted(found_in([*mg.softmax(Z), *mg.log_softmax(Z[:2])])) == [("log softmax", 2), ("softmax", 3)]


@pytest.mark.parametrize(("constant", "count"), [(0.0, 1), (1.0, 0)])
def test_one_of_the_numbers_may_be_the_largest_whose_difference_is_the_constant_0(constant, count):
    exponentials = [mg.exp(Value(constant)), mg.exp(Z[1] - Z[0]), mg.exp(Z[2] - Z[0])]
    total = mg.sum(exponentials)
    outputs = [e / total for e in exponentials]
    assert len(found_in(outputs)) == count
    twice = [mg.exp(ZERO), mg.exp(ZERO), mg.exp(Z[1] - Z[0])]
    assert found_in([e / mg.sum(twice) for e in twice[2:]]) == []

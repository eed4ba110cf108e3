"""The search for nodes in what a call was given: every container, each node as often as it occurs, to a fixed depth."""

from typing import NamedTuple

import pytest

from microgradlib import Symbol, Value
from microgradlib.core.nested import DEEPEST, nodes_in

x, y = Value(1.0), Value(2.0)
s = Symbol("s")


class Point(NamedTuple):
    x: object
    y: object


class Row(list):
    """A list of a class of its own."""


@pytest.mark.parametrize(
    ("things", "expected"),
    [
        ([x, 1.0, y, x], [x, y, x]),
        ([[x, y], (y, x)], [x, y, y, x]),
        ([[x, 1.0], (2, y)], [x, y]),
        ([[s, x]], [s, x]),
        ([Point(x, 1.0), Point([y], s)], [x, y, s]),
        ([Row([x, Row([y])])], [x, y]),
        ([{"a": x, "b": {"c": [y]}}], [x, y]),
        ([{x: 1.0}], []),
        ([1.0, 2, [3.0, 4], "x", None, {1.0}], []),
    ],
)
def test_nodes_of_every_container(things, expected):
    assert list(map(id, nodes_in(things))) == list(map(id, expected))


def test_nodes_of_arrays():
    numpy = pytest.importorskip("numpy", reason="arrays")
    array = numpy.array([[x, 1.0], [y, None]], dtype=object)
    assert nodes_in([array, numpy.array(x, dtype=object)]) == [x, y, x]
    assert nodes_in([numpy.ones((2, 2))]) == []


@pytest.mark.parametrize("wrap", [lambda inner: [inner, None], lambda inner: Row([inner]), lambda inner: {"a": inner}])
def test_nodes_are_found_down_to_a_depth(wrap):
    """The outermost iterable is at depth 0; what lies in DEEPEST containers in it is found, and no deeper."""
    deep = x
    for _ in range(DEEPEST):
        deep = wrap(deep)
    assert nodes_in([deep]) == [x]
    assert nodes_in([wrap(deep)]) == []


def test_a_list_that_contains_itself_ends():
    loop = [x]
    loop.append(loop)
    assert nodes_in([loop]) == [x] * DEEPEST

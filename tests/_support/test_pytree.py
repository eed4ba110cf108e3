"""Nested structures: flattened and rebuilt, arrays as leaves with shapes, matrices in structures."""

import subprocess
import sys
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp

from microgradlib import Value
from microgradlib._support.pytree import (
    array_of,
    flatten,
    is_ndarray,
    same_shape,
    unflatten,
    unflatten_matrix,
    with_lists_for_arrays,
)

arrays = hnp.arrays(
    st.sampled_from([float, int, object]),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=2),
    elements=st.integers(-9, 9),
)
trees = st.recursive(
    st.integers(-9, 9) | arrays,
    lambda inner: (
        st.lists(inner, max_size=3) | st.tuples(inner, inner) | st.dictionaries(st.sampled_from("abc"), inner)
    ),
    max_leaves=5,
)


class Point(NamedTuple):
    x: object
    y: object


@given(trees)
@settings(max_examples=25)
def test_rebuilt_from_its_leaves(tree):
    leaves = flatten(tree)
    rebuilt = unflatten(tree, range(len(leaves)))
    assert flatten(rebuilt) == list(range(len(leaves)))
    assert same_shape(tree, rebuilt)
    assert same_shape(rebuilt, tree)
    assert flatten(unflatten(tree, leaves)) == leaves


@given(trees, trees)
@settings(max_examples=25)
def test_a_matrix_in_structures(rows, columns):
    """Entry (i, j) is where the structures have leaf i and leaf j; arrays have the axes of both."""
    m, n = len(flatten(rows)), len(flatten(columns))
    matrix = [[100 * i + j for j in range(n)] for i in range(m)]
    nested = unflatten_matrix(rows, columns, matrix)
    assert sorted(flatten(nested)) == [entry for row in matrix for entry in row]
    if is_ndarray(rows) and is_ndarray(columns):
        assert nested.shape == rows.shape + columns.shape
        assert flatten(nested) == [entry for row in matrix for entry in row]
    elif not is_ndarray(rows) and isinstance(rows, list) and not any(map(is_ndarray, rows)):
        assert len(nested) == len(rows)


def test_arrays_of_numbers_are_float64_and_of_other_things_objects():
    assert array_of([1, True, 2.5, np.float64(3)], (4,)).dtype == float
    assert array_of([1, 2.5], (2, 1)).tolist() == [[1.0], [2.5]]
    v = Value(1.0)
    assert array_of([v, 2.0], (2,)).tolist() == [v, 2.0]
    assert array_of([[1], [2]], (2,)).tolist() == [[1], [2]]  # lists stay entries
    assert array_of([], (0, 3)).shape == (0, 3)


def test_masked_arrays_are_refused():
    with pytest.raises(TypeError, match=r"filled.*compressed"):
        flatten([np.ma.masked_array([1.0, 2.0], mask=[False, True])])


def test_namedtuples_stay_what_they_are():
    assert unflatten(Point(1, [2]), "ab") == Point("a", ["b"])


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (np.zeros(2), np.ones(2), True),
        (np.zeros(2), np.ones((2, 1)), False),
        (np.zeros(2), [1, 2], False),
        (np.array(1.0), 3.0, True),  # an array without axes is a number
        (1.0, np.array([3.0]), False),
        ({"a": np.zeros(1)}, {"a": np.ones(1)}, True),
        ({"a": 1}, {"b": 1}, False),
        ((1, 2), [1, 2], True),
    ],
)
def test_same_shape(one, other, expected):
    assert same_shape(one, other) is expected


def test_numpy_is_not_imported_for_lists():
    program = (
        "import sys; from microgradlib import grad; from microgradlib._support.pytree import is_ndarray; "
        "print(grad(lambda x: x[0] * x[1])([2.0, 3.0]), is_ndarray([1.0]), 'numpy' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.split("\n")[0] == "[3.0, 2.0] False False"


@given(trees)
@settings(max_examples=25)
def test_lists_for_arrays(tree):
    listed = with_lists_for_arrays(tree)
    assert flatten(listed) == flatten(tree)
    assert not any(map(is_ndarray, flatten(listed)))


def test_shapes_of_deep_structures_are_refused_not_recursed_over():
    deep: list = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(ValueError, match="nested too deeply"):
        same_shape(deep, deep)
    assert not same_shape([1.0], deep)
    while deep:  # from outside, as Python frees nested objects by recursion
        deep = deep[0]

"""Arrays of nodes: NumPy's functions on them are the ops of the table, element by element or as one node."""

import math
import operator
import pickle

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import microgradlib as mg
from microgradlib import Value, grad, grad_table, topological_sort
from microgradlib.core.arrays import node_array

TRAPEZOID = "trapezoid" if hasattr(np, "trapezoid") else "trapz"  # before NumPy 2


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda x: np.var(x), 1.25), (lambda x: np.std(x), math.sqrt(1.25)), (lambda x: np.mean(x), 2.5),
        (lambda x: np.sum(x), 10.0), (lambda x: np.prod(x), 24.0), (lambda x: np.linalg.norm(x), math.sqrt(30)),
        (lambda x: np.linalg.norm(x, 1), 10.0), (lambda x: np.linalg.norm(x, np.inf), 4.0),
        (lambda x: np.linalg.norm(x, 3), 100 ** (1 / 3)), (lambda x: np.vdot(x, x), 30.0),
        (lambda x: np.dot(x, x), 30.0), (lambda x: np.max(x), 4.0), (lambda x: np.min(x), 1.0),
        (lambda x: np.clip(x, 2, 3).sum(), 10.0), (lambda x: np.abs(-x).sum(), 10.0), (lambda x: np.median(x), 2.5),
        (lambda x: np.cumsum(x)[-1], 10.0), (lambda x: np.ptp(x), 3.0), (lambda x: getattr(np, TRAPEZOID)(x), 7.5),
        (lambda x: np.einsum("i,i", x, x), 30.0), (lambda x: np.diff(x).sum(), 3.0), (lambda x: np.average(x), 2.5),
        (lambda x: np.where(x > 2, x, 0.0).sum(), 7.0), (lambda x: np.outer(x, x).sum(), 100.0),
        (lambda x: np.polyval(x, 2.0), 26.0), (lambda x: np.round(x / 3, 1).sum(), 3.3),
    ],
)  # fmt: skip
def test_functions_of_arrays(function, expected):
    plain = np.array([Value(x) for x in (1.0, 2.0, 3.0, 4.0)])
    for x in (plain, node_array(plain, (4,))):
        result = function(x)
        assert isinstance(result, Value)
        assert result.data == pytest.approx(expected, rel=1e-14)


@given(st.lists(st.floats(), min_size=1, max_size=4), st.floats())
@settings(max_examples=40)
def test_an_array_of_nodes_gives_the_functions_of_the_package(numbers, y):
    """Ties, edges, nan and inf too, where NumPy's own loops over objects would compare and pick an element."""
    x = node_array(map(Value, numbers), (len(numbers),))
    low, high = min(0.0, y), max(0.0, y)
    pairs = (
        (np.maximum(x, y), [mg.maximum(v, y) for v in x]),
        (np.minimum(x, y), [mg.minimum(v, y) for v in x]),
        (np.clip(x, low, high), [mg.clip(v, low, high) for v in x]),
        (np.where(x > y, x, y), [mg.where(v > y, v, y) for v in x]),
        (np.arctan2(y, x), [mg.atan2(y, v) for v in x]),
    )
    for found, expected in pairs:
        assert [f.data for f in found] == pytest.approx([e.data for e in expected], nan_ok=True, abs=0, rel=0)
        for f, e, v in zip(found, expected, x):
            assert repr(grad_table(f).get(v)) == repr(grad_table(e).get(v))


REDUCTIONS = {np.add: mg.sum, np.multiply: mg.prod, np.maximum: mg.maximum, np.minimum: mg.minimum}
ROWS = st.lists(st.lists(st.integers(-2, 2).map(float), min_size=3, max_size=3), min_size=1, max_size=3)


@given(ROWS, st.sampled_from([None, 0, 1, -1, (0, 1), (1,)]), st.booleans(), st.sampled_from([*REDUCTIONS]))
@settings(max_examples=40)
def test_reductions_are_one_node_each_and_share_ties(rows, axis, keepdims, ufunc):
    x = node_array([Value(number) for row in rows for number in row], (len(rows), 3))
    result = ufunc.reduce(x, axis=axis, keepdims=keepdims)
    assert np.shape(result) == np.shape(ufunc.reduce(np.array(rows), axis=axis, keepdims=keepdims))
    groups = [x.ravel()] if axis in (None, (0, 1)) else x.T if axis == 0 else x
    for found, group in zip(np.ravel(np.array(result, dtype=object)), groups):
        expected = REDUCTIONS[ufunc](list(group))
        assert found.data == expected.data
        assert [grad_table(found)[v] for v in group] == [grad_table(expected)[v] for v in group]


def test_other_reductions_are_numpys():
    x = node_array([Value(1.0), Value(2.0)], (2,))
    assert np.sum(x, initial=3.0).data == 6.0
    assert np.max(x, initial=5.0).data == 5.0
    assert np.sum(x[:0]) == 0.0
    assert np.logaddexp.reduce(x).data == mg.logsumexp([1.0, 2.0])
    assert grad(lambda x: np.linalg.norm(x))(np.zeros(2)).tolist() == [0.0, 0.0]


def test_an_array_of_nodes_is_pickled_as_a_plain_one():
    x = pickle.loads(pickle.dumps(node_array([Value(1.0)], (1,))))
    assert type(x) is np.ndarray
    assert x[0].data == 1.0


@given(ROWS, st.sampled_from([None, 0, 1, (0, 1)]), st.booleans(), st.integers(0, 2), st.sampled_from(["var", "std"]))
@settings(max_examples=40)
def test_variances_are_one_node_each_and_have_slopes_at_equal_numbers(rows, axis, keepdims, ddof, name):
    numbers = np.array(rows)
    x = node_array([Value(number) for number in numbers.flat], numbers.shape)
    n = numbers.size if axis in (None, (0, 1)) else numbers.shape[axis]
    if n <= ddof:
        return
    result = getattr(np, name)(x, axis=axis, keepdims=keepdims, ddof=ddof)
    expected = getattr(np, name)(numbers, axis=axis, keepdims=keepdims, ddof=ddof)
    assert np.shape(result) == np.shape(expected)
    groups = [x.ravel()] if axis in (None, (0, 1)) else x.T if axis == 0 else x
    for found, group, number in zip(np.ravel(np.array(result, dtype=object)), groups, np.ravel(expected)):
        same = getattr(mg, name)(list(group), correction=ddof)
        assert found.data == same.data == pytest.approx(number, rel=1e-14, abs=1e-15)
        assert [grad_table(found)[v] for v in group] == [grad_table(same)[v] for v in group]


def test_sums_of_some_entries():
    mask = np.array([True, False, True])
    assert grad(lambda x: np.sum(x**2, where=mask))(np.array([1.0, 2.0, 3.0])).tolist() == [2.0, 0.0, 6.0]
    assert grad(lambda x: np.prod(x, where=mask))(np.array([4.0, 2.0, 3.0])).tolist() == [3.0, 0.0, 4.0]
    assert grad(lambda x: np.mean(x, where=x > 0))(np.array([4.0, -2.0, 3.0])).tolist() == [0.5, 0.0, 0.5]
    assert grad(lambda x: np.std(x, where=mask))(np.array([4.0, 9.0, 2.0])).tolist() == [0.5, 0.0, -0.5]


def test_an_array_of_nodes_as_an_array_of_objects_keeps_its_nodes():
    x = Value(2.0)
    array = node_array([x, x * x], (2,))
    same = array.astype(object)
    assert same is not array
    assert list(same) == list(array)


NODES = {  # of three entries; of the first and last of them; with a start of 2; with both
    "hypot": (5, 5, 7, 5), "logaddexp": (4, 5, 7, 5), "subtract": (5, None, 7, 5), "divide": (5, None, 7, 5),
    "add": (4, 3, 7, 5), "multiply": (4, 5, 7, 5),
}  # fmt: skip
SOME = np.array([True, False, True])


@pytest.mark.parametrize("name", NODES)
def test_reductions_start_from_the_first_entry_unless_told(name):
    """A start of 0 or 1 would be one more node, and the root of a sum of squares has no derivative at 0."""
    ufunc, numbers = getattr(np, name), [3.0, 4.0, 12.0]
    array = node_array([Value(x) for x in numbers], (3,))
    for count, keywords in zip(NODES[name], ({}, {"where": SOME}, {"initial": 2.0}, {"where": SOME, "initial": 2.0})):
        if count is None:
            with pytest.raises(ValueError, match="where mask"):
                ufunc.reduce(array, **keywords)
            continue
        result = ufunc.reduce(array, **keywords)
        assert result.data == pytest.approx(ufunc.reduce(np.array(numbers), **keywords), rel=1e-15)
        assert len(topological_sort(result)) == count


@pytest.mark.parametrize("name", ["hypot", "logaddexp", "add", "multiply", "subtract", "maximum"])
def test_a_reduction_of_nothing_is_the_identity(name):
    nothing, ufunc = node_array([], (0,)), getattr(np, name)
    if ufunc.identity is None:
        with pytest.raises(ValueError, match="zero-size array"):
            ufunc.reduce(nothing)
    else:
        assert ufunc.reduce(nothing) == ufunc.identity


def test_functions_of_two_results_give_two_arrays_of_nodes():
    x = Value(3.5)
    array = node_array([x, Value(-4.25)], (2,))
    quotients, rests = np.divmod(array, 2.0)
    assert type(quotients) is type(rests) is type(array)
    assert ([q.data for q in quotients], [r.data for r in rests]) == ([1.0, -3.0], [1.5, 1.75])
    assert grad_table(rests.sum())[x] == 1.0
    assert isinstance(np.std(rests), Value)


@pytest.mark.parametrize("name", ["add", "sub", "mul"])
@pytest.mark.parametrize("swapped", [False, True])
def test_masked_arrays_keep_the_derivative(name, swapped):
    """numpy.ma takes what an operand has by the name `_data` for its numbers: a Value must have nothing so named."""
    numbers, v = np.ma.array([2.0, 4.0, 8.0], mask=[False, True, False]), Value(3.0)
    join = getattr(operator, name)
    found, expected = (join(v, number) if swapped else join(number, v) for number in (numbers, 8.0))
    assert found.mask.tolist() == [False, True, False]
    assert found[2].data == expected.data
    assert grad_table(found[2])[v] == grad_table(expected)[v]

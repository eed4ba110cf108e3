"""NumPy's functions on Values and Symbols: the ops of the table, or an error that says what to write."""

import math
import operator

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import special

import microgradlib as mg
from microgradlib import Symbol, Value, evaluate, grad, grad_table
from microgradlib.core.arrays import node_array

UFUNCS = {u.__name__: u for u in vars(np).values() if isinstance(u, np.ufunc)}
REFUSED = {
    "bitwise_and", "bitwise_count", "bitwise_or", "bitwise_xor", "fmax", "fmin", "frexp", "gcd", "invert", "isnat",
    "lcm", "ldexp", "left_shift", "logaddexp2", "matmul", "matvec", "modf", "nextafter", "right_shift", "spacing",
    "vecdot", "vecmat",
}  # fmt: skip
"""The functions without a derivative, or without a meaning for one real number."""

POINTS = (0.3, -0.7, 1.5)


def numbers_for(ufunc, i):
    return [POINTS[(i + k) % 3] for k in range(ufunc.nin)]


def data_of(result):
    """Return the numbers in what a ufunc gave: a node, a bool, an array of nodes or a tuple of nodes."""
    if isinstance(result, tuple):
        return [data_of(part) for part in result]
    return [x.data if isinstance(x, Value) else x for x in np.asarray(result, dtype=object).flat]


@pytest.mark.parametrize("name", sorted(UFUNCS))
def test_every_ufunc_gives_a_node_or_says_why_not(name):
    ufunc = UFUNCS[name]
    for i in range(3):
        numbers = numbers_for(ufunc, i)
        if name in REFUSED:
            with pytest.raises(TypeError, match=rf"{name} of NumPy or SciPy is no op"):
                ufunc(*map(Value, numbers))
            continue
        with np.errstate(all="ignore"):
            expected = np.ravel(ufunc(*numbers)).tolist()
        values = [Value(x) for x in numbers]
        of_nodes, of_arrays = ufunc(*values), ufunc(node_array(values[:1], (1,)), *values[1:])
        assert not isinstance(of_nodes, np.ndarray)
        for found in (of_nodes, of_arrays):
            assert np.ravel(data_of(found)) == pytest.approx(expected, rel=1e-14, nan_ok=True)


@pytest.mark.parametrize("name", sorted(UFUNCS.keys() - REFUSED))
def test_symbols_give_symbols(name):
    ufunc = UFUNCS[name]
    if name.startswith(("is", "logical")) or name in {"signbit", "equal", "not_equal"}:
        return
    symbols = [Symbol(f"x{i}") for i in range(ufunc.nin)]
    outputs = ufunc(*symbols) if ufunc.nout > 1 else (ufunc(*symbols),)
    with np.errstate(all="ignore"):
        expected = [float(y) for y in np.ravel(ufunc(*(0.3, 0.7)[: ufunc.nin]))]
    for output, number in zip(outputs, expected):
        assert isinstance(output, Symbol)
        assert evaluate(output, dict(zip(symbols, (0.3, 0.7)))) == pytest.approx(number, rel=1e-14, nan_ok=True)


OPS = {"arctan2": mg.atan2, "power": mg.pow, "arcsin": mg.asin, "exp": mg.exp, "tanh": mg.tanh, "hypot": mg.hypot}


@pytest.mark.parametrize("name", OPS)
@given(data=st.data())
@settings(max_examples=20)
def test_derivatives_are_those_of_the_op(name, data):
    ufunc, op = UFUNCS[name], OPS[name]
    positions = tuple(range(ufunc.nin))
    numbers = [data.draw(st.floats(allow_nan=False, width=32)) for _ in positions]
    assert repr(grad(ufunc, positions)(*numbers)) == repr(grad(op, positions)(*numbers))


def test_functions_of_scipy_by_their_names():
    for function, op in ((special.expit, mg.sigmoid), (special.erf, mg.erf), (special.gammaln, mg.lgamma)):
        assert function(Value(0.4)).data == op(0.4) == pytest.approx(function(0.4), rel=1e-14)
        assert function(node_array([Value(0.4)], (1,)))[0].data == op(0.4)
    assert special.xlogy(Value(2.0), 3.0).op is mg.xlogy
    with pytest.raises(TypeError, match="hyp2f1 of NumPy or SciPy is no op"):
        special.hyp2f1(Value(0.1), 1, 1, 1)


def test_arrays_and_lists_are_taken_element_by_element():
    v = Value(2.0)
    for result in (np.arctan2(v, [1.0, 2.0]), np.arctan2(v, np.array([1.0, 2.0])), np.arctan2(v, (1, 2))):
        assert [node.op for node in result] == [mg.atan2] * 2
    assert np.multiply.outer(v, np.ones((2, 3))).shape == (2, 3)
    assert np.add.reduce(v) is v
    assert [x.data for x in np.maximum.accumulate(node_array(map(Value, (1.0, 3.0, 2.0)), (3,)))] == [1.0, 3.0, 3.0]


def test_comparisons_of_arrays_give_bools_and_of_symbols_symbols():
    v, a = Value(1.5), np.array([1.0, 2.0])
    for result, expected in ((a > v, [False, True]), (v > a, [True, False]), (a == v, [False, False])):
        assert result.dtype == bool
        assert result.tolist() == expected
    assert (np.array([v, Value(1.5)]) == v).tolist() == [True, False]  # identity
    assert all(isinstance(x, Symbol) for x in np.greater(a, Symbol("s")))
    assert all(isinstance(x, Symbol) for x in node_array([Symbol("s")], (1,)) > 0.0)
    assert (np.float64(2) > v) is True


def test_out_and_where():
    v, target = Value(2.0), np.zeros(2, dtype=object)
    assert np.multiply(v, [3.0, 4.0], out=target) is target
    assert [x.data for x in target] == [6.0, 8.0]
    np.add(v, 1.0, out=target, where=[True, False])
    assert [x.data for x in target] == [3.0, 8.0]
    target *= v
    assert [x.data for x in target] == [6.0, 16.0]
    np.add.at(target, [0, 0], v)
    assert [x.data for x in target] == [10.0, 16.0]
    x = node_array([v, v], (2,))
    y = x
    y += 1.0
    assert y is x
    assert [entry.data for entry in x] == [3.0, 3.0]


@pytest.mark.parametrize(
    "call",
    [
        lambda v, a: operator.iadd(a, v), lambda v, a: np.add(v, 1, out=a), lambda v, a: np.add(v, a, dtype=float),
        lambda v, a: np.add.at(a, [0], v), lambda v, a: operator.imul(a, node_array([v, v], (2,))),
        lambda v, a: np.add(1.0, 2.0, out=v),
    ],
)  # fmt: skip
def test_results_need_arrays_of_objects(call):
    a = np.ones(2)
    with pytest.raises(TypeError, match=r"array of objects: write a = a \+ v"):
        call(Value(1.0), a)
    assert a.tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda x: np.var(x), 1.25), (lambda x: np.std(x), math.sqrt(1.25)), (lambda x: np.mean(x), 2.5),
        (lambda x: np.sum(x), 10.0), (lambda x: np.prod(x), 24.0), (lambda x: np.linalg.norm(x), math.sqrt(30)),
        (lambda x: np.linalg.norm(x, 1), 10.0), (lambda x: np.linalg.norm(x, np.inf), 4.0),
        (lambda x: np.linalg.norm(x, 3), 100 ** (1 / 3)), (lambda x: np.vdot(x, x), 30.0),
        (lambda x: np.dot(x, x), 30.0), (lambda x: np.max(x), 4.0), (lambda x: np.min(x), 1.0),
        (lambda x: np.clip(x, 2, 3).sum(), 10.0), (lambda x: np.abs(-x).sum(), 10.0), (lambda x: np.median(x), 2.5),
        (lambda x: np.cumsum(x)[-1], 10.0), (lambda x: np.ptp(x), 3.0), (lambda x: np.trapezoid(x), 7.5),
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


def test_functions_that_convert_to_numbers_say_what_to_write():
    with pytest.raises(TypeError, match=r"np\.interp cannot compute with Values: .*write it out"):
        np.interp(Value(0.5), [0, 1], [0, 1])
    with pytest.raises(TypeError, match=r"np\.det cannot compute with Values"):
        np.linalg.det(node_array([Value(1.0)], (1, 1)))
    with pytest.raises(TypeError, match="lose their derivatives"):
        node_array([Value(1.0)], (1,)).astype(float)


def test_one_node_is_no_array():
    v, w = Value(0.5), Value(2.0)
    assert np.where(v > 0, v, w).op is mg.where
    assert np.clip(v, 0.5, 1.0).op.name == "clip"
    assert isinstance(np.where(Symbol("s") > 0, v, w), Symbol)
    assert [x.data for x in np.stack([v, w])] == [0.5, 2.0]
    assert np.shape(v) == ()
    assert np.isfinite(v)
    assert np.isclose(v, 0.5)
    inside = np.array(v, dtype=object)
    for product in (inside * w, w * inside, np.multiply(inside, w)):
        assert isinstance(product, Value)
        assert product.parents[0] in (v, w)


def test_classes_with_ufuncs_of_their_own_decide():
    class Theirs:
        def __array_ufunc__(self, *_, **__):
            return "theirs"

    assert np.multiply(Value(1.0), Theirs()) == "theirs"
    assert np.multiply(Theirs(), Value(1.0)) == "theirs"


def test_vectorised_python_functions_take_nodes():
    assert np.frompyfunc(lambda x: x * 2, 1, 1)(Value(3.0)).data == 6.0
    assert np.vectorize(lambda x: x * 2)(np.array([Value(3.0)]))[0].data == 6.0


def test_an_op_of_ones_own_is_found_by_its_name(temporary_op):
    temporary_op("spacing", lambda xp, x: 3 * x, [lambda xp, z, x: 3], formula="3 x, derivative 3")
    assert np.spacing(Value(2.0)).data == 6.0


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

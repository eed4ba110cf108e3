"""NumPy's functions on Values and Symbols: the ops of the table, or an error that says what to write."""

import operator

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import special

import microgradlib as mg
from microgradlib import Symbol, Value, evaluate, grad
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
    if np.lib.NumpyVersion(np.__version__) >= "2.0.0":  # before, a TypeError of ours that says what to write
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


@pytest.mark.parametrize(
    ("function", "advice"),
    [
        (np.fmax, "write np.maximum"),
        (np.logaddexp2, "write np.logaddexp"),
        (np.nextafter, "compute it from the functions of microgradlib, or pass value.data"),
    ],
)
def test_functions_that_are_no_op_name_another_or_the_way_out(function, advice):
    v = Value(2.0)
    for inputs in ((v, 1.0), (1.0, v), (np.float64(1.0), v), (v, v), (np.ones(2), v)):
        with pytest.raises(TypeError, match=f"the function {function.__name__} of NumPy .*: {advice}$"):
            function(*inputs)


@pytest.mark.parametrize("name", ["arctan2", "hypot", "fmod"])
def test_object_arrays_compute_functions_of_two_numbers(name):
    function, x, y = getattr(np, name), Value(2.0), Value(0.75)
    [found] = function(np.array([x], dtype=object), np.array([y], dtype=object))
    assert found.data == float(function(2.0, 0.75))
    assert found.parents == (x, y)

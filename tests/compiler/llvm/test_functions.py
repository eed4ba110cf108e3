"""Elementary functions in native code, and the rules of all ops over them, against floats, at samples and edges."""

import ctypes
import itertools
import math

import numpy as np
import pytest

from microgradlib.compiler.llvm import machine
from microgradlib.compiler.llvm.functions import FUNCTIONS, run_rule, symbols
from microgradlib.compiler.llvm.ir import Function, NotNativeError, Real
from microgradlib.ops import TABLE, ZERO

pytest.importorskip("llvmlite", reason="native code is made by llvmlite")

NAN, INF = math.nan, math.inf
EDGES = [0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 1.5, -1.5, 2.0, -2.0, 3.0, 40.0, -40.0, 1e-300, -1e-300, 5e-324, 800.0]
EDGES += [-800.0, 1e300, -1e300, INF, -INF, NAN]
TYPES = [Real("double", 1), Real("double", 8), Real("float", 1), Real("float", 16)]
VECTORS = TYPES[1::2]
each_type = pytest.mark.parametrize("real", TYPES, ids=lambda real: real.text)
each_vector = pytest.mark.parametrize("real", VECTORS, ids=lambda real: real.text)


def dtype_of(real):
    return np.float64 if real.scalar == "double" else np.float32


def run(write, real, inputs):
    """Return what `write`, of Numbers, gives at each of the inputs, rows of as many numbers; of several results rows.

    Results of Python numbers are stored as constants.
    """
    f = Function("run", "ptr %x, ptr %z, i64 %n")
    dtype = dtype_of(real)
    given = np.atleast_2d(np.asarray(inputs, dtype))
    count = given.shape[1]
    padded = np.ascontiguousarray(np.pad(given, ((0, 0), (0, -count % real.lanes)), mode="edge"))
    with f.loop("%n", step=real.lanes) as loop:
        row = lambda pointer, k: f.address(real, pointer, f.mul("%n", k), loop.index)  # noqa: E731
        results = write(*[f.load(real, row("%x", k)) for k in range(len(given))])
        for k, number in enumerate(results):
            f.store(f.number(number, real), row("%z", k))
    code = machine.load(machine.assemble("\n".join([*sorted(f.declarations), f.text()])), symbols())
    out = np.empty((len(results), padded.shape[1]), dtype)
    function = code.function("run", ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)
    function(padded.ctypes.data, out.ctypes.data, padded.shape[1])
    return out[:, :count]


def in_ulps(found, expected):
    """Return by how many units in the last place numbers differ; inf where one is nan, or signs of zeros differ."""
    dtype = found.dtype.type
    exact, found = np.asarray(expected, np.longdouble), np.asarray(found)
    with np.errstate(all="ignore"):
        rounded = exact.astype(dtype)
        unit = np.maximum(np.spacing(np.abs(rounded)), np.finfo(dtype).smallest_subnormal).astype(np.longdouble)
        errors = np.abs(found.astype(np.longdouble) - exact) / unit
    same = (found == rounded) & (np.signbit(found) == np.signbit(rounded)) | np.isnan(found) & np.isnan(rounded)
    wrong = np.isnan(found) != np.isnan(rounded)
    wrong |= np.isinf(rounded) & ~same | (rounded == 0) & (found == 0) & ~same
    return np.where(wrong, np.inf, np.where(same & ~np.isfinite(rounded), 0.0, errors))


def test_the_checker_of_ulps_rejects_wrong_answers():
    ones = np.ones(4)
    assert in_ulps(ones, [1.0, 1.0 + 2**-52, NAN, INF]).tolist() == [0.0, 1.0, INF, INF]
    assert in_ulps(np.array([0.0, -0.0, NAN, INF, 5e-324]), [-0.0, -0.0, NAN, INF, 0.0]).tolist() == [INF, 0, 0, 0, 1]
    assert in_ulps(np.float32([1.0]), [1.0 + 2**-23]).tolist() == [1.0]


def spread(low, high, count=4000):
    return np.random.default_rng(0).uniform(low, high, count)


def magnitudes(low, high):
    """Return numbers of both signs whose binary logarithms are spread evenly."""
    powers = np.exp2(spread(low, high))
    return np.concatenate([powers, -powers])


QUARTERS = np.arange(-600, 600) * (math.pi / 2)
ACCURACY = {
    "exp": (np.exp, 1.0, [spread(-1, 1), spread(-746, 710), spread(-104, 89)]),
    "expm1": (np.expm1, 1.0, [spread(-1, 1), spread(-50, 710), spread(-20, 89), spread(30, 40), magnitudes(-1074, 0)]),
    "log": (np.log, 1.0, [spread(0.5, 2), magnitudes(-1074, 1024), magnitudes(-149, 128)]),
    "log1p": (np.log1p, 1.0, [spread(-1, 1), magnitudes(-1074, 1024), magnitudes(-149, 0)]),
    "tanh": (np.tanh, 1.0, [spread(-1, 1), spread(-25, 25), spread(18, 20), spread(8, 9.5), magnitudes(-1074, 0)]),
    "sigmoid": (
        lambda x: 1 / (1 + np.exp(-x)),
        1.0,
        [spread(-40, 40), spread(-18, 18), spread(-3, 3), spread(-746, 50), spread(-104, 20)],
    ),
    "sigmoid_slope": (
        lambda x: 0.25 / np.cosh(np.minimum(np.abs(x), 5000) / 2) ** 2,
        2,
        [spread(-3, 3), spread(7, 10), spread(17, 20), spread(35, 39), spread(-746, 746), spread(-104, 104)],
    ),
    "tanh_slope": (
        lambda x: 1 / np.cosh(np.minimum(np.abs(x), 5000)) ** 2,
        2,
        [spread(-3, 3), spread(3, 5), spread(8, 10), spread(17, 20), spread(-373, 373), spread(-52, 52)],
    ),
    "sin": (np.sin, 1.0, [spread(-2, 2), spread(-1e5, 1e5), magnitudes(-1074, 40), QUARTERS]),
    "cos": (np.cos, 1.0, [spread(-2, 2), spread(-1e5, 1e5), magnitudes(-60, 40), QUARTERS]),
}
"""Functions in long double, units in the last place that ours may err by, and for which numbers."""
EXACT = np.finfo(np.longdouble).nmant > 60
"""Whether a long double has more digits than a double."""


@each_type
@pytest.mark.parametrize("name", ACCURACY)
def test_functions_are_exact_to_the_last_place(name, real):
    if real.scalar == "double" and not EXACT:
        pytest.skip("no longer numbers to compare with")
    function, ulps, numbers = ACCURACY[name]
    with np.errstate(all="ignore"):
        x = np.concatenate([*numbers, EDGES]).astype(dtype_of(real))
        expected = function(x.astype(np.longdouble))
    [found] = run(lambda y: [getattr(FUNCTIONS, name)(y)], real, x)
    errors = in_ulps(found, expected)
    worst = int(np.argmax(errors))
    assert errors[worst] <= ulps, (errors[worst], x[worst], found[worst], expected[worst])


@pytest.mark.parametrize("one", TYPES[::2], ids=lambda real: real.text)
def test_a_number_alone_has_the_same_bits_as_in_a_vector(one):
    with np.errstate(all="ignore"):
        x = np.concatenate([spread(-3, 3), magnitudes(-1074, 1024), magnitudes(-149, 128), EDGES]).astype(dtype_of(one))
    every = Real(one.scalar, 512 // one.bits)
    write = lambda y: [getattr(FUNCTIONS, name)(y) for name in [*ACCURACY, "erf", "tan"]]  # noqa: E731
    assert np.array_equal(run(write, one, x), run(write, every, x), equal_nan=True)


@each_type
def test_hypot_neither_over_nor_underflows(real):
    dtype = dtype_of(real)
    with np.errstate(all="ignore"):
        x = np.concatenate([spread(-3, 3, 8000), magnitudes(-1074, 1024), magnitudes(-149, 128)]).astype(dtype)
        y = np.concatenate([spread(-3, 3, 8000)[::-1], (x[8000:] * spread(-20, 20, 16000)).astype(dtype)]).astype(dtype)
        edges = np.array(list(itertools.product(EDGES, repeat=2)), dtype).T
        x, y = np.append(x, edges[0]), np.append(y, edges[1])
        expected = np.hypot(x.astype(np.longdouble), y.astype(np.longdouble))
    [found] = run(lambda x, y: [FUNCTIONS.hypot(x, y)], real, [x, y])
    assert in_ulps(found, expected).max() <= 1.1


SETTINGS = {
    "pow": [(half / 2,) for half in range(-8, 9)] + [(0.3,)],
    "clip": [(-1.0, 1.0)], "leaky_relu": [(0.01,)], "elu": [(1.0,)], "heaviside": [(0.5,)], "pow_log": [(1.0,)],
}  # fmt: skip
WITHOUT = {"polygamma", "digamma"}, {"gamma", "lgamma"}
"""Ops whose values have no native code; those whose derivatives have none."""
TOLERANCE = 10
"""How many units in the last place of a result, or of 1 where terms of that size cancel, rules may differ by."""
SENSITIVE = {"pow_log": 30}
"""… those whose rules magnify what the functions in them err by."""


def bound(op):
    """Return ops that are bound to settings, and the op itself: those that programs hold."""
    return [op, *[op.bind(*settings) for settings in SETTINGS.get(op.name, [])]]


OPS = [op for entry in list(TABLE.values()) for op in bound(entry) if op.name not in WITHOUT[0]]


def inputs_of(op, count, real):
    """Return rows of inputs: samples, and all combinations of edges; in single precision none that squares overflow."""
    rng = np.random.default_rng(0)
    samples = [rng.uniform(*op.sample[min(k, len(op.sample) - 1)], 64) for k in range(count)]
    edges = EDGES if count < 3 else [0.0, -0.0, 1.0, -2.0, INF, -INF, NAN]
    if real.scalar == "float":
        edges = [x for x in edges if not (0 < abs(x) < 1e-9 or 40 < abs(x) < INF)]
    grid = np.array(list(itertools.product(edges, repeat=count))).T
    with np.errstate(all="ignore"):
        return np.hstack([np.array(samples), grid]).astype(dtype_of(real))


def mask_number(slope, real, f):
    """Return 1 where a derivative is closed, else 0."""
    closed = slope is ZERO or getattr(slope, "closed", None)
    if not closed_is_mask(closed):
        return float(bool(closed))
    return f.number(1.0, real).select(closed, f.number(0.0, real))


def closed_is_mask(closed):
    return closed is not None and not isinstance(closed, bool)


@each_vector
@pytest.mark.parametrize("op", OPS, ids=str)
def test_every_op_has_the_values_and_derivatives_of_its_rule(op, real):
    arity = 3 if op.variadic else op.arity
    inputs = inputs_of(op, arity, real)
    columns = inputs.astype(float).T.tolist()
    values = [op.compute(*x) for x in columns]
    with np.errstate(all="ignore"):
        outputs = np.array([values]).astype(inputs.dtype)
    slopes = [op.local_derivatives(z, *x) for z, x in zip(outputs[0].tolist(), columns)]
    closed = np.array([[slope is ZERO for slope in each] for each in slopes]).T

    def write(z, *x):
        value = run_rule(op.value, *x, *op.settings)
        found = () if op.name in WITHOUT[1] else run_rule(op.differentiate, z, *x)
        return [value, *found, *[mask_number(slope, real, z.function) for slope in found]]

    found = run(write, real, np.vstack([outputs, inputs]))
    ulps = SENSITIVE.get(op.name, TOLERANCE)
    assert_close(found[0], np.array(values), ulps)
    derivatives = range(0 if op.name in WITHOUT[1] else arity)
    for k in derivatives:
        assert_close(np.where(closed[k], 0, found[1 + k]), np.array([each[k] for each in slopes]), ulps)
        assert np.array_equal(found[1 + arity + k] == 1, closed[k])


def assert_close(found, expected, ulps):
    errors = in_ulps(found, expected)
    with np.errstate(all="ignore"):
        small = np.abs(found.astype(float) - expected) <= ulps * np.finfo(found.dtype).eps
    errors[small & (errors < INF)] = 0
    worst = int(np.argmax(errors))
    assert errors[worst] <= ulps, (errors[worst], worst, found[worst], expected[worst])


@pytest.mark.parametrize(("name", "wrt"), [("polygamma", None), ("digamma", None), ("gamma", 0), ("lgamma", 0)])
def test_what_has_no_native_code_says_so(name, wrt):
    op, f = TABLE[name], Function("run", "")
    x = f.number(1.0, TYPES[0])
    with pytest.raises(NotNativeError, match="polygamma has no native code"):
        run_rule(op.value if wrt is None else op.derivatives[wrt], *[x] * (1 if name == "digamma" else 2))


def test_a_rule_that_asks_for_a_number_has_no_native_code():
    x = Function("run", "").number(1.0, TYPES[1])
    with pytest.raises(NotNativeError, match="not by if"):
        run_rule(lambda xp, x: x if x > 0 else -x, x)
    with pytest.raises(NotNativeError, match="no native code"):
        run_rule(lambda xp, x: xp.of_no_table(x), x)


def test_python_numbers_are_computed_as_floats():
    for name in ("exp", "tanh", "sigmoid", "sin", "pow", "maximum", "minimum", "abs", "mod", "hypot", "gamma"):
        numbers = [2.5, -1.5][: 2 if name in ("pow", "maximum", "minimum", "mod", "hypot") else 1]
        assert getattr(FUNCTIONS, name)(*numbers) == TABLE[name].compute(*numbers)
    assert math.isnan(FUNCTIONS.undefined(1.0))
    assert FUNCTIONS.where(True, ZERO, 1.0) is ZERO is FUNCTIONS.closed_at_zero(0.0)

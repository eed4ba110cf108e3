"""Every op at zeros of both signs, tiny, huge and infinite numbers: every engine gives what floats give, −0 too.

Not fixed: of 0 and −0, `maximum` and `minimum` may give either, as NumPy's do; a sum that is 0 may be −0 where all its
terms are; JAX takes subnormal numbers for 0.
"""

import itertools
import math

import numpy as np
import pytest

import microgradlib as mg
from microgradlib import Symbol, Value, evaluate
from microgradlib.ops import TABLE

TINY = 2.0**-1022
POINTS = [
    0.0, -0.0, 5e-324, -5e-324, 1e-310, TINY, -TINY, 1e-300, -1e-300, 1e-20, -1e-20, 0.5, -0.5, 1.0, -1.0, 1.5, -1.5,
    2.5, -2.5, 3.0, -3.0, 1e10, 1e300, -1e300, math.inf, -math.inf, math.nan, 709.8, -745.2, 1 - 2**-53, 2**-53 - 1,
]  # fmt: skip
FEWER = [0.0, -0.0, 5e-324, -1e-300, 1e-300, 0.5, -1.0, 1.0, 1.1, 3.0, -2.0, 1e300, math.inf, -math.inf, math.nan]
EITHER_ZERO = {"maximum", "minimum", "sum", "mean", "cross_entropy"}


def kind(x):
    """Return the sign of a zero or infinity, nan as such, and for other numbers the number."""
    x = float(x)
    if math.isnan(x):
        return "nan"
    return (math.copysign(1.0, x), x) if x == 0 or math.isinf(x) else x


def agree(x, y, name):
    if name in EITHER_ZERO and x == y == 0:
        return True
    a, b = kind(x), kind(y)
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-12, abs_tol=3 * 5e-324)
    return a == b


def ops_of(count):
    """Return the ops of so many inputs, those with settings also as ops of one, and of any number as ops of two."""
    ops = {name: op for name, op in TABLE.items() if (op.arity or 2) == count}
    if count == 1:
        ops |= {name: op.bind(*op.defaults) for name, op in TABLE.items() if op.arity == 1 + len(op.defaults) == 2}
    return ops


def by_values(ops, columns):
    return [[op(*map(Value, point)).data for point in zip(*columns)] for op in ops.values()]


def by_plain_call(ops, columns):
    return [[op(*point) for point in zip(*columns)] for op in ops.values()]


def by_evaluate(ops, columns):
    symbols = [Symbol(f"s{i}") for i in range(len(columns))]
    outputs = [op(*symbols) for op in ops.values()]
    rows = [evaluate(outputs, dict(zip(symbols, point))) for point in zip(*columns)]
    return list(zip(*rows))


def compiled(backend):
    def run(ops, columns):
        f = {1: lambda x: [op(x) for op in ops.values()], 2: lambda x, y: [op(x, y) for op in ops.values()]}
        program = mg.compile(f[len(columns)], backend=backend)
        return np.asarray(program(*map(np.array, columns))).T

    return run


def engine(name, package):
    def run(ops, columns):
        pytest.importorskip(package, reason=f"the {name} engine needs {package}")
        return compiled(name)(ops, columns)

    return run


WAYS = {
    "Values": by_values,
    "calls": by_plain_call,
    "evaluate": by_evaluate,
    "reference": compiled("reference"),
    "numpy": compiled("numpy"),
    "native": engine("native", "llvmlite"),
}


def differences(way, count, without=()):
    columns = [POINTS] if count == 1 else list(zip(*itertools.product(FEWER, repeat=2)))
    ops = {name: op for name, op in ops_of(count).items() if name not in without}
    found = way(ops, columns)
    points = list(zip(*columns))
    return [
        (name, point, op.compute(*point), float(number))
        for (name, op), numbers in zip(ops.items(), found)
        for point, number in zip(points, numbers)
        if not agree(op.compute(*point), number, name)
    ]


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("count", [1, 2])
def test_every_way_gives_the_number_of_floats(way, count):
    assert differences(way, count) == []


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2])
def test_jax_does_so_too_but_for_subnormals(count):
    different = [
        name
        for name, point, *numbers in differences(engine("jax", "jax"), count, without={"polygamma"})
        if name != "relu" and not any(0 < abs(number) <= TINY for number in (*point, *numbers))
    ]
    assert set(different) <= {"lgamma"}  # near its zero at 1


def test_a_wrong_sign_is_found():
    def absolute(ops, columns):
        return [[abs(number) for number in numbers] for numbers in by_plain_call(ops, columns)]

    found = differences(absolute, 1)
    assert ("floor", (-0.0,), -0.0, 0.0) in found
    assert {name for name, point, *_ in found if point == (-0.0,)} >= {"leaky_relu", "elu", "ceil", "selu"}


@pytest.mark.parametrize(
    "name", ["floor", "ceil", "trunc", "round", "leaky_relu", "elu", "selu", "relu", "sin", "tanh"]
)
def test_minus_zero_stays_minus_zero(name):
    op = TABLE[name]
    assert math.copysign(1.0, op(-0.0)) == math.copysign(1.0, op(Value(-0.0)).data) == -1.0
    assert math.copysign(1.0, op(0.0)) == 1.0


def test_powers_of_tiny_numbers_underflow_as_floats_do():
    program = mg.compile(lambda a: a**1.1, backend="numpy")
    assert program([1e-300]) == 1e-300**1.1 == (Value(1e-300) ** 1.1).data


@pytest.mark.parametrize("y", [3.0, -3.0, 0.75, 1e-300, math.inf, -math.inf])
@pytest.mark.parametrize("x", [0.0, -0.0, 3.0, -3.0, 0.25, -0.25, 7.5, -7.5, 1e10, -1e300, 5e-324])
def test_fmod_is_that_of_c(x, y):
    """The sign too: fmod(−0, y) was 0, and so sinpi(−0)."""
    assert repr(mg.fmod(x, y)) == repr(mg.fmod(Value(x), y).data) == repr(math.fmod(x, y))


def slopes_by(way):
    """Return a function that gives the derivatives of each op at each point, by nodes."""

    def run(ops, columns):
        return [[way(op, point) for point in zip(*columns)] for op in ops.values()]

    return run


def slopes_of_values(op, point):
    inputs = [Value(x) for x in point]
    op(*inputs).backward()
    return [x.grad for x in inputs]


def slopes_as_graph(op, point):
    inputs = [Value(x) for x in point]
    return [slope.data for slope in mg.gradients(op(*inputs), inputs)]


def slopes_of_symbols(op, point):
    symbols = [Symbol(f"s{i}") for i in range(len(point))]
    return evaluate(mg.gradients(op(*symbols), symbols), dict(zip(symbols, point)))


def compiled_slopes(backend, package=None):
    def run(ops, columns):
        if package:
            pytest.importorskip(package, reason=f"the {backend} engine needs {package}")
        f = {1: lambda x: [op(x) for op in ops.values()], 2: lambda x, y: [op(x, y) for op in ops.values()]}
        slopes = mg.compile(f[len(columns)], backend=backend).jacobian(*map(np.array, columns))
        return np.moveaxis(slopes, 1, 0).tolist()

    return run


SLOPES = {
    "backward": slopes_by(slopes_of_values),
    "gradients": slopes_by(slopes_as_graph),
    "Symbols": slopes_by(slopes_of_symbols),
    "reference": compiled_slopes("reference"),
    "numpy": compiled_slopes("numpy"),
    "native": compiled_slopes("native", "llvmlite"),
}


def different_slopes(way, columns):
    ops = ops_of(len(columns))
    points = list(zip(*columns))
    return [
        (name, point, expected, slopes)
        for (name, op), found in zip(ops.items(), way(ops, columns))
        for point, slopes in zip(points, found)
        for expected in [op.local_derivatives(op.compute(*point), *point)]
        if not all(x == y == 0 or agree(x, y, name) for x, y in zip(expected, slopes))
    ]


@pytest.mark.parametrize("way", SLOPES.values(), ids=SLOPES)
def test_every_way_gives_the_derivatives_of_the_rules(way):
    """But for the sign of a 0: gradients of Values are sums that begin with 0."""
    assert different_slopes(way, [POINTS]) == []


@pytest.mark.slow
@pytest.mark.parametrize("way", SLOPES.values(), ids=SLOPES)
def test_every_way_gives_the_derivatives_of_rules_of_two_inputs(way):
    assert different_slopes(way, list(zip(*itertools.product(FEWER, repeat=2)))) == []


def test_a_wrong_derivative_is_found():
    found = different_slopes(slopes_by(lambda op, point: [abs(x) for x in slopes_of_values(op, point)]), [POINTS])
    assert {name for name, *_ in found} >= {"neg", "cos", "abs", "reciprocal"}

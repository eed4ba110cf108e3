"""Kinks, walls, infinities and padding on every engine: documented values, and never a finite wrong number."""

import math

import numpy as np
import pytest
from eager_oracle import EagerOracle
from edge_cases import CASES
from engine_checks import engines, has_native_code

import microgradlib as mg
from microgradlib import Value
from microgradlib.compiler import compile as compiled

INF, NAN = math.inf, math.nan
BY_NUMPY = ("gamma", "lgamma")
BY_STATEMENTS = ("logsumexp", "softmax", "log_softmax")
"""What is shifted by the largest term: rounded at large terms, and nan where that is infinite."""

NAMES = [c.name for c in CASES]


def cases_together(numbers):
    """Return a function of one row that applies each case to numbers of its own, and the row."""

    def function(row):
        row = iter(row)
        return [case.f(*[next(row) for _ in case.at]) for case in numbers]

    return function, [x for case in numbers for x in case.at]


def edge_results(backend, cases, batch):
    """Return values and derivatives of the last example of a batch, by one execution, and the engine."""
    function, row = cases_together(cases)
    fast = compiled(function, backend=backend)
    engine, (parameters, columns) = fast._ready((np.vstack([np.full((batch - 1, len(row)), 0.75), row]),))
    joint = engine.joint("jacobian")
    with np.errstate(all="ignore"):
        values, (slopes,) = engine.execute(joint, parameters, columns, (np.ones((len(cases), batch)),))
    ends = np.cumsum([len(case.at) for case in cases])[:-1]
    return values[:, -1], np.split(slopes[np.argsort(engine.program.input_order), -1], ends), engine


def edge_faults(cases, values, slopes, *, is_exact):
    """Return what is wrong. Unless `is_exact`, an example with a number that is not finite will be run again."""
    found = []
    for case, value, own in zip(cases, values.tolist(), slopes):
        exact = is_exact and not case.name.startswith(BY_STATEMENTS)
        is_right = np.array_equal(value, case.value, equal_nan=True) or value == pytest.approx(case.value, rel=1e-14)
        near = np.isclose(own, case.slopes, rtol=1e-12, atol=0, equal_nan=True).all()
        if not is_right or not (near or (not exact and not np.isfinite([value, *own]).all())):
            found.append(f"{case.name}: {value}, {own} in place of {case.value}, {case.slopes}")
    return found


@pytest.mark.parametrize("backend", engines("numpy", "native", "jax", marks=[pytest.mark.slow]))
@pytest.mark.parametrize("batch", [1, 3])
def test_documented_edges_in_one_execution(backend, batch):
    """Those of native code are exact at once; elsewhere what is wrong is not finite, and seen."""
    cases = [case for case in CASES if not case.name.startswith(BY_NUMPY)]
    values, slopes, engine = edge_results(backend, cases, batch)
    assert not edge_faults(cases, values, slopes, is_exact=backend == "native")
    assert backend != "native" or has_native_code(engine)


def test_a_wrong_edge_is_a_fault():
    values = np.array([case.value for case in CASES])
    slopes = [np.array(case.slopes) for case in CASES]
    assert not edge_faults(CASES, values, slopes, is_exact=True)
    k = NAMES.index("where, unchosen log(0)")
    for wrong, expected in [(NAN, [True, False]), (1e-9, [True, True])]:
        slopes[k] = np.array([wrong])
        found = [edge_faults(CASES, values, slopes, is_exact=is_exact) for is_exact in (True, False)]
        assert list(map(bool, found)) == expected
    slopes[k] = np.array(CASES[k].slopes)
    values[k] = 1.0
    assert len(edge_faults(CASES, values, slopes, is_exact=False)) == 1


WALLS = {
    "log of what is not taken": lambda w, x: mg.where(x > 0, mg.log(w * x), w * x),
    "root at 0": lambda w, x: mg.where(x > 0, mg.sqrt(w * x), w * w * x),
    "quotient of zeros": lambda w, x: mg.where(x > 0, w * x / x, w * w),
    "power of what is negative": lambda w, x: mg.where(x > 0, (w * x) ** 1.5, w),
    "relu that is off": lambda w, x: mg.relu(mg.sqrt(mg.relu(x)) * w - 1.0) + w * w,
    "clip, outside": lambda w, x: mg.clip(mg.sqrt(abs(x)) * w, 0.5, 9.0),
    "the loser of a maximum": lambda w, x: mg.maximum(mg.sqrt(abs(x)) * w, w - x),
    "step": lambda w, x: mg.step(mg.sqrt(abs(x)) * w - 1.0) + w * x,
    "wall behind a wall": lambda w, x: mg.where(x > 0, mg.where(x > 1, mg.log(x - 1) * w, w * x), w * w),
    "exponential's overflow": lambda w, x: mg.minimum(mg.exp(900 * w * x), w),
}
"""Functions whose derivatives by w are finite for every x, behind branches in which they are not."""
OVERFLOWS = {
    "relu before inf": lambda w, x: mg.relu(x) / x * w + w * w,
    "overflow": lambda w, x: 1 / (1 + mg.exp(1000 * w * x)),
}
"""Functions of which some derivatives are nan."""


def walls(w, x):
    return mg.sum([f(w, x) for f in WALLS.values()])


@pytest.mark.parametrize("backend", engines("native"))
@pytest.mark.parametrize("batch", [1, 3, 70])
def test_walls_need_no_second_run_of_native_code(backend, batch):
    w = Value(1.5)
    column = np.array([[-2.0, 0.0, 3.0, 0.5][k % 4] for k in range(batch)])
    fast = compiled(lambda x: walls(w, x), [w], backend=backend)
    engine, (parameters, columns) = fast._ready((column,))
    with np.errstate(all="ignore"):
        outputs, (gradient,) = engine.execute(engine.joint("gradient"), parameters, columns, (1.0 / batch,))
    assert has_native_code(engine)
    eager = EagerOracle(lambda x: walls(w, x), [w], [column.tolist()])
    assert outputs[0] == pytest.approx(np.ravel(eager.values), rel=1e-12)
    assert gradient == pytest.approx(np.mean(eager.gradients, 0), rel=1e-12)


@pytest.mark.parametrize("backend", engines("numpy", "native", "jax", marks=[pytest.mark.slow]))
@pytest.mark.parametrize("batch", [1, 3, 70])
def test_what_nothing_reaches_is_a_positive_zero(backend, batch):
    """Behind a closed branch, or without influence: 0 as the eager engine has it, and prints it."""
    w, v, unused = Value(1.5), Value(-2.0), Value(1.0)
    fast = compiled(lambda x: mg.where(x > 0, v * mg.log(x), w * x) - mg.relu(v * x), [w, v, unused], backend=backend)
    found = fast.value_and_grad(np.full(batch, -1.0))[1].tolist()
    assert found[:2] == pytest.approx([-1.0, 1.0], rel=1e-15)  # the sum of 70 times 1/70 is not 1 in every order
    assert str(found[2]) == "0.0"
    fast = compiled(lambda x: mg.where(x[0] > 0, mg.log(x[0]) * v, x[1] * w), [w, v], backend=backend)
    rows = np.full((batch, 2), -1.0)
    found = fast.value_and_grad(rows)[1].tolist()
    assert found[0] == pytest.approx(-1.0, rel=1e-15)
    assert str(found[1]) == "0.0"
    assert str(fast.jacobian(rows).tolist()) == str([[[0.0, 1.5]]] * batch)


def hessian_of(function, w, column):
    eager = EagerOracle(function, [w], [column])
    slopes = mg.gradients(mg.mean([first for first, *_ in eager.outputs]), [w])
    return [[mg.grad_table(slope).get(w, 0.0)] if isinstance(slope, Value) else [0.0] for slope in slopes]


@pytest.mark.parametrize("backend", engines(marks=[pytest.mark.slow]))
@pytest.mark.parametrize("batch", [1, 70])
@pytest.mark.parametrize("functions", [WALLS, OVERFLOWS], ids=["walls", "overflows"])
def test_examples_whose_numbers_are_not_finite(backend, functions, batch):
    """First and second derivatives of calls, alone and among others."""
    w = Value(1.5)

    def function(x):
        return mg.sum([f(w, x) for f in functions.values()])

    column = [float(k % 7 - 3) for k in range(batch)]
    eager = EagerOracle(function, [w], [column])
    fast = compiled(function, [w], backend=backend)
    mean, gradient = fast.value_and_grad(column)
    assert mean == pytest.approx(np.mean(eager.values), nan_ok=True)
    assert gradient == pytest.approx(np.mean(eager.gradients, 0), nan_ok=True)
    assert fast.jacobian(column) == pytest.approx(np.array(eager.jacobian), nan_ok=True)
    assert fast.hessian(column) == pytest.approx(np.array(hessian_of(function, w, column)), nan_ok=True)


ODD = [INF, -INF, NAN, 1e308, -1e308, 1e200, 0.0]


@pytest.mark.parametrize("backend", engines("numpy", "native", "jax", marks=[pytest.mark.slow]))
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("batch", [3, 9])
def test_odd_examples_are_in_no_sum_but_their_own(backend, dtype, batch):
    """The last example, which fills up the last block, one in the middle: a weight's sum has each of them once."""
    w, v, bias = [Value(0.5), Value(-1.5)], [Value(2.0), Value(0.25)], Value(0.125)

    def function(x):
        hidden = [mg.dot([a, b], x, bias) for a, b in (w, v)]
        near = [mg.where(abs(h) < 1e30, h, bias) for h in hidden]
        return mg.dot(near, w) + mg.minimum(x[0], v[1]) * v[0]

    parameters = [*w, *v, bias]
    fast = compiled(function, parameters, backend=backend, dtype=dtype)
    exact = compiled(function, parameters, backend="reference", dtype=dtype)
    rows = np.random.default_rng(0).uniform(-1, 1, (batch, 2)).astype(dtype)
    for place in (1, 2, batch - 1):
        for odd in ODD:
            given = rows.copy()
            with np.errstate(over="ignore"):
                given[place, place % 2] = np.array(odd).astype(dtype)
            found, wanted = fast.rows_and_grad(given), exact.rows_and_grad(given)
            for got, expected in zip(found, wanted):
                np.testing.assert_allclose(got, expected, rtol=1e-5 if dtype == "float32" else 1e-13, atol=1e-6)

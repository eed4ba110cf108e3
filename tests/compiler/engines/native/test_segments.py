"""Segments: softmax and other sums over lists of several lengths, native against NumPy, with numbers of any size."""

import math
from itertools import pairwise

import numpy as np
import pytest

pytest.importorskip("llvmlite", reason="native code is made by llvmlite")

from native_kernels import Memory, layout_of

import microgradlib as mg
from microgradlib.compiler import compile as compiled
from microgradlib.compiler.engines.native import module, segments
from microgradlib.compiler.instructions import BATCHED, Instruction, Operand
from microgradlib.compiler.planning.data import Plan, Rows, Step, StridedView, rows_of
from microgradlib.compiler.planning.fusion import Flow
from microgradlib.compiler.planning.segments import segments_of
from microgradlib.core.value import Value
from microgradlib.ops import TABLE

LENGTHS = {"of any length": [5, 3, 3, 9, 1, 2], "in fours": [1] * 4 + [2] * 4 + [3] * 4}
W = Value(1.25)


def parts(x, lengths):
    ends = np.cumsum([0, *lengths]).tolist()
    return [x[start:end] for start, end in pairwise(ends)]


def quotients(xs):
    total = mg.sum(xs)
    return [x / total for x in xs]


def from_the_mean(xs):
    mean = mg.mean(xs)
    return [(x - mean) ** 2 for x in xs]


def within_limits(xs):
    low, high = mg.minimum(*xs), mg.maximum(*xs)
    return [(x - low) / (high - low + 1.0) for x in xs]


def with_walls(xs):
    """Softmax of roots: below 0 the branch is closed, and stops the nan that its slope would be."""
    return mg.softmax([mg.where(x > 0, mg.sqrt(x), 0.0) for x in xs])


def squares_of_softmax(xs):
    """Two totals, one of what is divided by the other."""
    found = mg.softmax(xs)
    total = mg.sum([p * p for p in found])
    return [p * p / total for p in found]


FUNCTIONS = [quotients, from_the_mean, within_limits, mg.softmax, with_walls, squares_of_softmax]
each_function = pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
each_dtype = pytest.mark.parametrize("dtype", ["float64", "float32"])


@pytest.fixture
def kernels(monkeypatch):
    """The links of the kernels that compute segment by segment."""
    found, write = [], segments.segments_kernel
    monkeypatch.setattr(module, "segments_kernel", lambda *given: found.append(given[0].links) or write(*given))
    monkeypatch.setattr("microgradlib.compiler.engines.native.code.cached", lambda _, make: make())
    return found


def pair_of(function, lengths, dtype):
    """Return the compiled sum of w f(w x)₁ + 2 w f(w x)₂ …, and all f(w x)ᵢ, each native and by NumPy."""

    def every(x):
        return [y for part in parts([a * W for a in x], lengths) for y in function(part)]

    def total(x):
        return mg.dot([float(k) for k in range(1, 1 + sum(lengths))], every(x)) * W

    return [[compiled(f, [W], backend=name, dtype=dtype) for name in ("native", "numpy")] for f in (total, every)]


@each_function
@each_dtype
@pytest.mark.parametrize("name", LENGTHS)
def test_values_and_gradients(function, name, dtype, kernels):
    lengths, rtol = LENGTHS[name], 1e-12 if dtype == "float64" else 2e-4
    x = np.random.default_rng(0).normal(size=(33, sum(lengths))).astype(dtype) + (function is quotients) * 4
    (ours, theirs), _ = pair_of(function, lengths, dtype)
    (value, gradient), (its_value, its_gradient) = ours.value_and_grad(x), theirs.value_and_grad(x)
    assert value == pytest.approx(its_value, rel=rtol)
    assert gradient == pytest.approx(its_gradient, rel=rtol, abs=rtol * 10)
    assert any(len(links) > 2 for links in kernels)


def ulps(x, dtype):
    """Return the units in the last place of finite numbers; of subnormal ones, that of the smallest normal one."""
    info = np.finfo(dtype)
    return np.ldexp(info.eps, np.frexp(np.maximum(np.abs(x), info.tiny))[1] - 1)


def instruction(kind, name, step, **fields):
    slots = [Operand.of(BATCHED, rows_of(place)) for place in step]
    return Step(Instruction(kind, TABLE[name], slots[0], tuple(slots[1:]), **fields), step[0], tuple(step[1:]), 0)


@each_dtype
def test_quotients_of_numbers_of_any_size_are_those_of_a_division(dtype):
    """Nine terms, divided by the sums of a total and −0, once or more often: which are the total."""
    entries, each = StridedView(BATCHED, 0, (9,), (1,)), Rows(BATCHED, np.repeat([20, 21, 22], [2, 3, 4]))
    summed = StridedView(BATCHED, 30, (9, 1), (1, 0)), StridedView(BATCHED, 20, (3, 1), (1, 0))
    steps = (
        instruction("segment_reduce", "sum", summed[::-1], counts=(2, 3, 4)),
        instruction("elementwise", "div", (StridedView(BATCHED, 40, (9,), (1,)), entries, each)),
    )
    flows = [Flow(2, (False,) * len(step.operands)) for step in steps]
    [group] = segments_of(Plan(None, steps, (2, 60), (), (), (), (), ()), flows).values()
    info = np.finfo(dtype)
    sizes = [0.0, -0.0, info.smallest_subnormal, info.tiny / 8, info.tiny, 1.0, 3.0, info.max / 8, info.max, math.inf]
    totals = np.array([*sizes, math.nan, *[-size for size in sizes]], dtype)
    terms = np.array([0.0, info.smallest_subnormal, info.tiny * 3, 1e-30, 1.0, 7.0, 1e30, info.max, math.inf, math.nan])
    pairs = [a.ravel() for a in np.meshgrid(terms.astype(dtype), totals)]
    lanes = layout_of(dtype).real.lanes
    term, total = [np.resize(a, -(-len(a) // lanes) * lanes) for a in pairs]
    memory = Memory(layout_of(dtype), len(term), rows=60)
    rows = memory.buffers.rows[BATCHED].reshape(60, -1)
    rows[0:9], rows[30:39], rows[[30, 32, 35]] = term, -0.0, total
    memory.run(segments.segments_kernel(group, layout_of(dtype)))
    with np.errstate(all="ignore"):
        expected = np.broadcast_to(term / total, (9, len(term)))
    found, is_finite = rows[40:49], np.isfinite(expected)
    np.testing.assert_array_equal(found[~is_finite], expected[~is_finite])
    found, expected = found[is_finite], expected[is_finite]
    assert (np.abs(found - expected) <= ulps(expected, dtype)).all()


@each_dtype
def test_what_is_all_of_its_total_is_1_exactly(dtype, kernels):
    """Else softmax that is saturated would have a slope: (1 − p) times a large number."""
    lengths = [3, 2, 4, 2]
    x = np.full((40, sum(lengths)), 1e-30, dtype)
    firsts = np.cumsum([0, *lengths[:-1]])
    x[:, firsts] = np.random.default_rng(2).uniform(1, 1e10, (40, 4))
    for fast in pair_of(quotients, lengths, dtype)[1]:
        assert (fast(x)[:, firsts] == 1.0).all()
    assert kernels


@each_function
@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan, -0.0, 1e308, 5e-324])
def test_numbers_that_are_not_finite_or_not_normal(function, number, kernels):
    lengths = LENGTHS["of any length"]
    x = np.random.default_rng(1).uniform(0.5, 1.5, (12, sum(lengths)))
    for row, place in enumerate(range(0, sum(lengths), 2)):
        x[row % 12, place] = number
    for ours, theirs in pair_of(function, lengths, "float64"):
        with np.errstate(all="ignore"):
            np.testing.assert_allclose(ours(x), theirs(x), rtol=1e-13, atol=1e-15)
    with np.errstate(all="ignore"):
        found, expected = (fast.value_and_grad(x) for fast in pair_of(function, lengths, "float64")[0])
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-11)
    assert kernels

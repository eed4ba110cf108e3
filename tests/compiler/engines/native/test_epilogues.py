"""Elementwise steps that tiles of a product compute: the same bits as by kernels of their own; and relu's adjoint."""

import ctypes
import itertools
import math
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("llvmlite", reason="native code is made by llvmlite")

import microgradlib as mg
from microgradlib.compiler import compile as compiled
from microgradlib.compiler.engines.native import module
from microgradlib.compiler.engines.native.code import NativeCode
from microgradlib.compiler.engines.native.epilogues import epilogue_of
from microgradlib.compiler.engines.native.flow import derivative_of
from microgradlib.compiler.instructions import BATCHED, UNBATCHED, Instruction, Operand
from microgradlib.compiler.llvm.closed import adjoint_of, adjoint_of_relu, closed_at_minus_zero
from microgradlib.compiler.llvm.ir import Function, Real
from microgradlib.compiler.llvm.machine import assemble, load
from microgradlib.compiler.planning.data import Rows, Step, StridedView
from microgradlib.compiler.planning.fusion import Flow
from microgradlib.nn import MLP, CausalSelfAttention, Conv2d
from microgradlib.ops import TABLE


def mlp():
    model = MLP(3, [17, 9, 5], rng=0)
    return lambda x: mg.sum(mg.relu(y) * y for y in model(x)), model.parameters(), (3,)


def residual():
    model = MLP(6, [6], rng=1)
    return lambda x: mg.sum(a + b - c for a, b, c in zip(model(x), x, model(x[::-1]))), model.parameters(), (6,)


def attention():
    model = CausalSelfAttention(8, 2, rng=2)
    return (
        lambda x: mg.sum(mg.relu(a + b) for y, r in zip(model(x), x) for a, b in zip(y, r)),
        model.parameters(),
        (5, 8),
    )


def convolution():
    model = Conv2d(1, 3, 3, rng=3)
    return (
        lambda x: mg.sum(mg.relu(y) for image in model([x]) for row in image for y in row),
        model.parameters(),
        (6, 6),
    )


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("batch", [1, 3, 40])
@pytest.mark.parametrize("make", [mlp, residual, attention, convolution])
def test_bits_are_those_of_kernels_of_their_own(make, batch, dtype, monkeypatch, tmp_path):
    monkeypatch.setenv("MICROGRADLIB_CACHE_DIR", str(tmp_path))
    texts, write, (loss, parameters, shape) = [], module.write_module, make()
    x = np.random.default_rng(4).normal(size=(batch, *shape)).astype(dtype)
    x[0, 0], x[-1, -1] = -0.0, np.inf if make is mlp else 1.0
    results = []
    for choose in (module.with_epilogues, lambda _plan, _flows, ends: ends):
        monkeypatch.setattr(module, "with_epilogues", choose)
        monkeypatch.setattr("microgradlib.compiler.engines.native.code.cached", lambda _, make: make())
        monkeypatch.setattr(
            "microgradlib.compiler.engines.native.code.write_module",
            lambda *given: texts.append(write(*given)) or texts[-1],
        )
        fast = compiled(loss, parameters, backend="native", dtype=dtype)
        engine, given = fast._ready((x,))
        outputs, cotangents = engine.execute(engine.joint("gradient"), *given, (1.0,))
        assert all(isinstance(code, NativeCode) for code in engine._codes.values())
        results.append([outputs, *cotangents])
    for ours, theirs in zip(*results):
        np.testing.assert_array_equal(ours, theirs)
        np.testing.assert_array_equal(np.signbit(ours[np.isfinite(ours)]), np.signbit(theirs[np.isfinite(theirs)]))
    applied = [
        "relu" in line or "add" in line
        for line in texts[0].text.split("\n")
        if line.startswith("define internal void @tile")
    ]
    assert sum(applied) > sum("relu" in line for line in texts[1].text.split("\n") if "@tile" in line) == 0


U, B = UNBATCHED, BATCHED
OWN = StridedView(B, 600, (1, 4, 6), (24, 6, 1))


def step(kind, name, results, *operands, wrt=None, reads=()):
    slots = [Operand.of(x.space, range(math.prod(x.sizes))) for x in (results, *operands)]
    return Step(Instruction(kind, TABLE[name], slots[0], tuple(slots[1:]), wrt=wrt, reads=reads), results, operands, 0)


def taken(*behind):
    """Return how many of the steps behind a product are its epilogue, and the first rows of what these read."""
    w, x = StridedView(U, 10, (1, 4, 3), (12, 3, 1)), StridedView(B, 300, (1, 3, 6), (18, 6, 1))
    steps = [step("matmul", "dot", OWN, w, x), *behind]
    epilogue, others = epilogue_of(steps, [Flow(9, (False,) * len(each.operands)) for each in steps])
    return len(epilogue.links), others


def test_steps_that_write_over_the_results_and_read_what_lies_alike_are_an_epilogue():
    flat = StridedView(B, 600, (24,), (1,))
    other, more = replace(flat, start=700), replace(OWN, start=800)
    relu = step("elementwise", "relu", flat, flat)
    steps = [relu, step("elementwise", "mul", OWN, more, OWN), step("elementwise", "sub", flat, flat, other)]
    assert taken(*steps) == (3, [800, 700])
    assert taken(step("elementwise", "add", OWN, OWN, OWN)) == (1, [])
    assert taken(relu, step("elementwise", "exp", flat, flat), relu) == (1, [])


FLAT = StridedView(B, 600, (24,), (1,))
OTHERS = {
    "results elsewhere": step("elementwise", "relu", replace(FLAT, start=700), FLAT),
    "results shifted": step("elementwise", "relu", replace(FLAT, start=601), FLAT),
    "reads the results in another order": step("elementwise", "add", FLAT, FLAT, replace(FLAT, start=623, steps=(-1,))),
    "reads results beside its own": step("elementwise", "add", FLAT, FLAT, replace(FLAT, start=612)),
    "reads a row for all": step("elementwise", "add", FLAT, FLAT, StridedView(B, 700, (24,), (0,))),
    "reads another order": step("elementwise", "mul", OWN, OWN, StridedView(B, 700, (1, 4, 6), (24, 1, 4))),
    "reads numbers without a batch": step("elementwise", "mul", FLAT, FLAT, StridedView(U, 700, (24,), (1,))),
    "of other axes": step("elementwise", "relu", *[StridedView(B, 600, (3, 8), (8, 1))] * 2),
    "a gather": Step(None, FLAT, (Rows(B, np.arange(600, 624)),), 0),
    "an op that takes long": step("elementwise", "tanh", FLAT, FLAT),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_steps_are_not(name):
    assert taken(OTHERS[name]) == (0, [])


NUMBERS = [0.0, -0.0, 1.5, -1.5, 5e-324, -5e-324, math.inf, -math.inf, math.nan, -math.nan, 1e300, -1e-300]


@pytest.mark.parametrize("lanes", [1, 8])
@pytest.mark.parametrize(("scalar", "dtype"), [("double", "float64"), ("float", "float32")])
@pytest.mark.parametrize("closes", [False, True])
def test_the_adjoint_of_relu_is_that_of_its_rule(closes, scalar, dtype, lanes):
    real, relu = Real(scalar, lanes), TABLE["relu"]
    f = Function("run", "ptr %g, ptr %x, ptr %y, i64 %n")
    with f.loop("%n", step=lanes) as loop:
        g, x = (f.load(real, f.address(real, name, loop.index)) for name in ("%g", "%x"))
        g = closed_at_minus_zero(g) if closes else g
        f.store(adjoint_of_relu(g, x), f.address(real, "%y", loop.index))
        by_rule = adjoint_of(g, derivative_of(relu, 0, (0,), [x]))
        f.store(by_rule, f.address(real, "%y", loop.index, "%n"))
    code = load(assemble("\n".join([*sorted(f.declarations), f.text()])))
    with np.errstate(over="ignore", under="ignore"):
        g, x = np.array(list(itertools.product(NUMBERS, NUMBERS))).T.astype(dtype, order="C")
    y = np.empty((2, len(x)), dtype)
    code.function("run", *[ctypes.c_void_p] * 3, ctypes.c_int64)(g.ctypes.data, x.ctypes.data, y.ctypes.data, len(x))
    np.testing.assert_array_equal(*y)
    is_number = ~np.isnan(y[0])
    np.testing.assert_array_equal(*np.signbit(y[:, is_number]))
    assert np.isnan(y[0][np.isnan(x) & ~(closes & (g == 0) & np.signbit(g))]).all()
    assert np.signbit(y[0][x <= 0]).all()

"""Lanes that change places in registers: squares are transposed, and sums of lanes are the same numbers either way."""

import ctypes

import numpy as np
import pytest

from microgradlib.compiler.llvm import machine
from microgradlib.compiler.llvm.ir import Function, Real
from microgradlib.compiler.llvm.vectors import lanes_added_up, sum_lanes, transposed

pytest.importorskip("llvmlite", reason="native code is made by llvmlite")

each_type = pytest.mark.parametrize(
    "real", [Real(scalar, lanes) for scalar in ("double", "float") for lanes in (1, 2, 4, 8, 16)], ids=lambda r: r.text
)


def run(write, real, square):
    """Return what `write` gives of the rows of a square, vectors or numbers, one behind the other."""
    f = Function("run", "ptr %x, ptr %z")
    results = write([f.load(real, f.address(real, "%x", k * real.lanes)) for k in range(real.lanes)])
    place = 0
    for number in results:
        f.store(number, f.address(real, "%z", place))
        place += number.real.lanes
    code = machine.load(machine.assemble(f.text()), {})
    out = np.empty(place, square.dtype)
    code.function("run", ctypes.c_void_p, ctypes.c_void_p)(square.ctypes.data, out.ctypes.data)
    return out


def square_of(real):
    draw = np.random.default_rng(real.lanes)
    return draw.normal(size=(real.lanes, real.lanes)).astype("float64" if real.scalar == "double" else "float32")


@each_type
def test_a_square_of_vectors_is_transposed(real) -> None:
    square = square_of(real)
    np.testing.assert_array_equal(run(transposed, real, square), square.T.ravel())


@each_type
def test_lanes_of_many_vectors_are_added_in_the_order_of_those_of_one(real) -> None:
    square = square_of(real)
    together, alone = (
        run(lambda xs: [lanes_added_up(xs)], real, square),
        run(lambda xs: map(sum_lanes, xs), real, square),
    )
    np.testing.assert_array_equal(together, alone)
    np.testing.assert_allclose(alone, square.sum(1), rtol=1e-5 if real.scalar == "float" else 1e-13, atol=1e-6)

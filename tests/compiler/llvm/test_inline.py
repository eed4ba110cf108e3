"""A function that is written where it is called does what its call does: with loops, branches, several times."""

import ctypes

import numpy as np
import pytest

pytest.importorskip("llvmlite", reason="native code is made by llvmlite")

from microgradlib.compiler.llvm import machine
from microgradlib.compiler.llvm.ir import Function, Real

REAL = Real("double", 1)


def added(linkage="internal"):
    """A function that adds i · y to each of n numbers x_i, twice; a value is carried from turn to turn."""
    f = Function("added", "ptr noalias %x, i64 %n, double %y", linkage=linkage)
    y = f.number(0.0, REAL) + 0.0
    with f.unless_zero("%n"), f.loop(2), f.loop("%n") as loop:
        carried = loop.carry(y)
        address = f.address(REAL, "%x", loop.index)
        f.store(f.load(REAL, address) + carried, address)
        given = f.emit(f"fadd double {carried.name}, %y")
        loop.update(carried, type(carried)(f, REAL, given))
    return f


def run(call, n):
    """Call `added` for two stretches of x, inside a loop and behind it."""
    f, function = Function("run", "ptr %x, i64 %m"), added()
    with f.loop(3) as loop:
        call(f, function, f.address(REAL, "%x", f.mul(loop.index, 4)), n, "0x3FF0000000000000")
    place = f.address(REAL, "%x", 1)
    call(f, function, place, f.add("%m", 0), "0x4000000000000000")
    call(f, function, place, "%m", "0x4000000000000000")
    text = f"{function.text()}\n{f.text()}"
    x = np.zeros(12)
    machine.load(machine.assemble(text)).function("run", ctypes.c_void_p, ctypes.c_int64)(x.ctypes.data, 3)
    return x, f


@pytest.mark.parametrize("n", [0, 1, 4])
def test_it_does_what_its_call_does(n):
    (called, f), (inlined, other) = run(Function.call, n), run(Function.inline, n)
    expected = np.tile([2 * i if i < n else 0 for i in range(4)], 3).astype(float)
    expected[1:4] += [0, 8, 16]
    np.testing.assert_array_equal(called, expected)
    np.testing.assert_array_equal(inlined, expected)
    assert "@added(" in f.text()
    assert "@added(" not in other.text()


def test_what_follows_stands_in_the_block_where_it_ended():
    f, function = Function("run", "ptr %x, i64 %m"), added()
    f.inline(function, "%x", "%m", "0x3FF0000000000000")
    assert f.block == function.block != "entry"
    assert f"{f.block}:" in f.lines
    again = Function("again", "ptr %x, i64 %m")
    again.emit("add i64 %m, 1")
    again.inline(function, "%x", "%m", "0x3FF0000000000000")
    assert f"{again.block}:" in again.lines


def test_declarations_come_along():
    inner, f = Function("inner", "double %x"), Function("outer", "double %y")
    inner.intrinsic("fabs", type(inner.number(0.0, REAL))(inner, REAL, "%x"))
    f.inline(inner, "%y")
    assert f.declarations == {"declare double @llvm.fabs.f64(double)"}
    assert f.lines == ["%1 = call double @llvm.fabs.f64(double %y)"]

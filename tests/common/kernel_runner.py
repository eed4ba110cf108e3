"""Kernels of native code run by themselves: on rows in memory, with numbers around them that must not change."""

import ctypes
from functools import lru_cache

import numpy as np

from microgradlib.compiler.instructions import BATCHED
from microgradlib.compiler.llvm.functions import symbols
from microgradlib.compiler.llvm.machine import assemble, load

POINTERS = ["u", "b", "l", "s", "t"]


def module_text(kernel):
    """Return a module with the kernel, what it calls, and `run`, which takes all its arguments."""
    functions = list({f.name: f for f in (*kernel.callees, kernel.function)}.values())
    declarations = sorted(set().union(*[f.declarations for f in functions]))
    own = [f"i64 %a{k}" for k in range(len(kernel.arguments))]
    parameters = ", ".join([*[f"ptr %{name}" for name in POINTERS], "i64 %B", *own])
    call = [f"define void @run({parameters}) {{", f"call void @kernel({parameters})", "ret void", "}"]
    return "\n".join([*declarations, *[f.text() for f in functions], *call])


@lru_cache(1000)
def code(text):
    """Return a module as native code."""
    return load(assemble(text), symbols())


def native(kernel):
    """Return a kernel as a function of the memory, an array for each pointer, of B, and of its own arguments."""
    counts = 1 + len(kernel.arguments)
    function = code(module_text(kernel)).function("run", *[ctypes.c_void_p] * 5, *[ctypes.c_int64] * counts)
    return lambda memory, block, *own: function(*[array.ctypes.data for array in memory], block, *own)


def strided(view, memory, block):
    """Return the numbers of a view, an array (*sizes, block), or (*sizes, 1) of an unbatched one."""
    width = block if view.space == BATCHED else 1
    steps = [width * step * memory.itemsize for step in view.steps]
    start = memory[view.start * width :]
    return np.lib.stride_tricks.as_strided(start, (*view.sizes, width), (*steps, memory.itemsize))

"""Where objects of CPython have what native code reads: the numbers of NumPy arrays, and the items of tuples."""

from __future__ import annotations

import ctypes
import sys
from functools import cache

from microgradlib.compiler.numpy_functions import numpy

__all__ = ["DATA", "FLAGS", "ITEMS", "are_arrays_known"]

DATA = getattr(object, "__basicsize__", 0)
"""Where a NumPy array has the address of its numbers: the first field behind the head that all objects have, but
not in PyPy, where `are_arrays_known` is false."""

FLAGS = DATA + 48
"""Where it has its flags, of which the lowest bit says that it is C-contiguous."""

ITEMS = getattr(tuple, "__basicsize__", 0)
"""Where a tuple has the addresses of its items."""


@cache
def are_arrays_known() -> bool:
    """Whether objects of NumPy arrays and tuples have what native code reads there, as CPython's have."""
    if sys.implementation.name != "cpython":  # an identity is an address
        return False
    np = numpy()
    arrays = np.zeros(1), np.zeros((3, 2)).T, np.zeros(6)[::2]
    return all(
        ctypes.c_void_p.from_address(id(arrays) + ITEMS + 8 * k).value == id(array)
        and ctypes.c_void_p.from_address(id(array) + DATA).value == array.ctypes.data
        and ctypes.c_int.from_address(id(array) + FLAGS).value == array.flags.num
        for k, array in enumerate(arrays)
    )

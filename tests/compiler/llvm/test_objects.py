"""Objects whose fields native code reads by their places: where they are not as expected, this is noticed."""

import ctypes

import pytest

from microgradlib.compiler.llvm import objects

pytest.importorskip("numpy", reason="the objects are NumPy's arrays")


def test_arrays_of_this_numpy_are_known():
    assert objects.are_arrays_known()


@pytest.mark.parametrize("place", ["DATA", "FLAGS", "ITEMS"])
def test_arrays_that_are_laid_out_otherwise_are_not_read(monkeypatch, place):
    """Where the fields of an array are not where they should be, addresses are asked of NumPy."""
    right = getattr(objects, place)
    monkeypatch.setattr(objects, place, right - ctypes.sizeof(ctypes.c_void_p))
    assert not objects.are_arrays_known.__wrapped__()
    monkeypatch.setattr(objects, place, right)
    assert objects.are_arrays_known.__wrapped__()
    monkeypatch.setattr(objects.sys.implementation, "name", "another")
    assert not objects.are_arrays_known.__wrapped__()

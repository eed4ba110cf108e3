"""Native code writes only to the memory that it is given: the bytes around each part of it stay as they are."""

import numpy as np
import pytest
from eager_oracle import random_columns
from engine_checks import engines
from random_networks import Network

from microgradlib.compiler import compile as compiled

GUARD, MARK = 4096, 0xA5


class Guarded:
    """Memory with guarded bytes before and behind each part."""

    def __init__(self):
        self.parts = []

    def array(self, size, dtype):
        """Return an array of zeros, which starts at a multiple of 64 bytes."""
        length = size * dtype.itemsize
        memory = np.full(length + 2 * GUARD + 64, MARK, np.uint8)
        start = GUARD + -(memory.ctypes.data + GUARD) % 64
        memory[start : start + length] = 0
        self.parts.append((memory, start, start + length))
        return memory[start : start + length].view(dtype)

    def check(self):
        """Fail if a byte beside the arrays has changed."""
        for k, (memory, start, end) in enumerate(self.parts):
            before, behind = np.flatnonzero(memory[:start] != MARK), np.flatnonzero(memory[end:] != MARK)
            assert not len(before), f"part {k}: {start - before[0]} bytes before it"
            assert not len(behind), f"part {k}: {behind[0]} bytes behind it, of {end - start}"


def check_memory(monkeypatch, seed, dtype):
    """Run a network on batches of several sizes, with memory, results and gradients in guarded bytes."""
    from microgradlib.compiler.engines.native import code  # noqa: PLC0415  needs llvmlite

    guarded, run = Guarded(), code.Workspace.run

    def run_guarded(workspace, *given):
        *read, outputs, cotangents = given
        own = [guarded.array(array.size, array.dtype).reshape(array.shape) for array in (outputs, *cotangents)]
        found = run(workspace, *read, own[0], own[1:])
        for array, written in zip((outputs, *cotangents), own):
            array[...] = written
        return found

    monkeypatch.setattr(code, "_aligned", guarded.array)
    monkeypatch.setattr(code.Workspace, "run", run_guarded)
    network = Network(seed)
    fast = compiled(network, network.parameters, backend="native", dtype=dtype)
    for size in (1, 2, 9, 17, 40):
        columns = random_columns(seed, size, *network.shapes)
        fast.rows_and_grad(*columns)
        fast.rows(*columns)
        fast.value_and_grad(*columns)
    assert len(guarded.parts) > 5
    guarded.check()


@pytest.mark.parametrize("backend", engines("native"))
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_nothing_else_is_written(backend, dtype, monkeypatch):
    check_memory(monkeypatch, 5, dtype)


@pytest.mark.slow
@pytest.mark.parametrize("backend", engines("native"))
@pytest.mark.parametrize("seed", range(40))
def test_nothing_else_is_written_by_many_networks(backend, seed, monkeypatch):
    check_memory(monkeypatch, seed, "float32" if seed % 2 else "float64")


@pytest.mark.parametrize("place", [-1, 6])
def test_a_byte_that_is_written_beside_is_seen(place):
    guarded = Guarded()
    array = guarded.array(6, np.dtype("float32"))
    memory, start, _ = guarded.parts[0]
    array[:] = 1.0
    guarded.check()
    memory[start + 4 * place] = 0
    with pytest.raises(AssertionError, match="part 0"):
        guarded.check()

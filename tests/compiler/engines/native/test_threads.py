"""Parts of a batch on several threads: what ends them, whose threads they are, and sums that overflow together."""

import os
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

from microgradlib import Value, compiler, dot, tanh
from microgradlib.compiler.engines.native import code
from microgradlib.compiler.engines.native.threads import shared

pytest.importorskip("llvmlite", reason="native code is made by llvmlite")

W = [Value(x) for x in np.random.default_rng(0).uniform(-1, 1, 5).tolist()]


def loss(x, y):
    return (tanh(dot(W[:3], x, W[3])) * W[4] - y) ** 2


@pytest.fixture
def functions(monkeypatch):
    """Return the loss, native in many parts by two threads, and by NumPy."""
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.setattr(code, "PART", 100)
    return [compiler.compile(loss, W, backend=backend) for backend in ("native", "numpy")]


def batch_of(size):
    rng = np.random.default_rng(size)
    return rng.normal(size=(size, 3)), rng.normal(size=size)


@pytest.mark.parametrize("last", [-np.inf, np.inf, np.nan, -1e200, 1.0])
def test_numbers_that_are_not_finite_in_some_parts(functions, last):
    """A warning would be an error here: sums of parts are not finite, or their memory was never written."""
    x, y = batch_of(300)
    y[0], y[-1] = np.inf, last
    for columns in ((x, y), (np.repeat(x, 2, axis=0)[::2], y)):
        (mean, gradient), (expected_mean, expected_gradient) = (f.value_and_grad(*columns) for f in functions)
        assert mean == pytest.approx(expected_mean, nan_ok=True)
        assert gradient == pytest.approx(expected_gradient, nan_ok=True)


@pytest.mark.parametrize("call", ["rows", "value_and_grad"])
def test_memory_that_was_never_written_is_not_added_up(functions, monkeypatch, call):
    """Where an array is not C-contiguous, the first try writes nothing."""

    def full(shape, dtype=float, **others):
        return np.full(shape, np.finfo(dtype).max if np.dtype(dtype).kind == "f" else 0, dtype, **others)

    x, y = batch_of(300)
    given = np.repeat(x, 2, axis=0)[::2], y
    expected = np.hstack([np.ravel(part) for part in getattr(functions[1], call)(*given)])
    functions[0].value_and_grad(x, y)
    monkeypatch.setattr(np, "empty", full)
    assert np.hstack([np.ravel(part) for part in getattr(functions[0], call)(*given)]) == pytest.approx(expected)


@pytest.mark.parametrize("size", [1, 9, 300])
def test_arrays_that_are_not_contiguous_give_the_same_bits(functions, size):
    x, y = batch_of(size)
    function = functions[0]
    given = [np.repeat(x, 2, axis=0)[::2], np.repeat(y, 2)[::2]]
    strided = np.repeat(np.linspace(-1, 1, 5), 2)[::2]
    results = []
    for parameters, columns in ((strided.copy(), (x, y)), (strided, given), (strided.copy(), (x, given[1]))):
        function.set_parameters(parameters)
        mean, gradient = function.value_and_grad(*columns)
        results.append((mean, gradient.tobytes(), function.rows(*columns).tobytes()))
    assert results[1:] == results[:1] * 2


def test_sums_of_parts_that_overflow_together(monkeypatch):
    """The sum over each part is finite, and so is that over all; that of the first half is not."""
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.setattr(code, "PART", 1)
    parameters = [Value(0.0), Value(0.0)]
    fast = compiler.compile(lambda x: (parameters[0] * x + parameters[1] * x) * 4, parameters, backend="native")
    mean, gradient = fast.value_and_grad(np.repeat([1.2e308, 1.2e308, -1.2e308, 0.0], 64))
    assert (mean, gradient.tolist()) == (0.0, pytest.approx([1.2e308, 1.2e308]))


@pytest.fixture
def two_threads(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")


def test_an_error_ends_all_parts(two_threads):
    begun, both = [], threading.Barrier(2)

    def work(k):
        begun.append(k)
        if k < 2:
            both.wait()
        if threading.current_thread() is threading.main_thread():
            raise KeyboardInterrupt
        release.wait()

    release = threading.Event()
    with pytest.raises(KeyboardInterrupt):
        shared(work, range(10))
    release.set()
    assert shared(lambda part: -part, range(10)) == [-part for part in range(10)]
    assert sorted(begun) == [0, 1]


def test_an_error_of_another_thread_is_the_callers(two_threads):
    both = threading.Barrier(2)

    def work(k):
        if k < 2:
            both.wait()
        if threading.current_thread() is not threading.main_thread():
            raise MemoryError

    with pytest.raises(MemoryError):
        shared(work, range(10))


SCRIPT = """
import atexit, os
import numpy as np
from microgradlib import Value, compiler, tanh
from microgradlib.compiler.engines.native import code
code.PART, w = 100, Value(0.5)
fast = compiler.compile(lambda x: tanh(w * x), [w], backend="native")
x = np.linspace(-1, 1, 1000)
expected = fast.value_and_grad(x)

def is_same():
    found = fast.value_and_grad(x)
    return found[0] == expected[0] and (found[1] == expected[1]).all()
"""
FORK = """
if child := os.fork():
    os.waitpid(child, 0)
else:
    print(is_same() and is_same())
"""
END = """
atexit.register(lambda: print(is_same()))
"""


@pytest.mark.parametrize(
    "end", [pytest.param(FORK, marks=pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")), END]
)
def test_other_processes_and_ends(end):
    """A forked process has none of the threads; when the interpreter ends there are none any more."""
    given = os.environ | {"OMP_NUM_THREADS": "2"}
    done = subprocess.run([sys.executable, "-c", SCRIPT + end], env=given, timeout=60, capture_output=True, check=False)
    assert done.stdout.split() == [b"True"], done.stderr


INTERRUPTS = """
import signal, sys, time

def interrupt(*_):
    raise KeyboardInterrupt

signal.signal(signal.SIGALRM, interrupt)
end, kept = time.monotonic() + float(sys.argv[1]), 0
while time.monotonic() < end:
    try:
        signal.setitimer(signal.ITIMER_REAL, 20e-6 * (1 + kept % 20))
        for _ in range(20):
            fast.value_and_grad(x)
    except KeyboardInterrupt:
        kept += 1
signal.setitimer(signal.ITIMER_REAL, 0)
print(kept > 100 and is_same())
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers")
def test_later_calls_return_after_many_interrupts():
    """Wherever Ctrl-C comes, no lock stays taken: an executor's was, in one of some ten thousand."""
    given = os.environ | {"OMP_NUM_THREADS": "2"}
    command = [sys.executable, "-c", SCRIPT + INTERRUPTS, "2"]
    done = subprocess.run(command, env=given, timeout=60, capture_output=True, check=False)
    assert done.stdout.split() == [b"True"], done.stderr

"""Threads that share the parts of a batch: what ends them, and whose they are."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from engine_checks import engines as engines_of

from microgradlib.compiler.engines import threads

engines = pytest.mark.parametrize("backend", engines_of("numpy", "native"))


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
        threads.shared(work, range(10))
    release.set()
    assert threads.shared(lambda part: -part, range(10)) == [-part for part in range(10)]
    assert sorted(begun) == [0, 1]


def test_an_error_of_another_thread_is_the_callers(two_threads):
    both = threading.Barrier(2)

    def work(k):
        if k < 2:
            both.wait()
        if threading.current_thread() is not threading.main_thread():
            raise MemoryError

    with pytest.raises(MemoryError):
        threads.shared(work, range(10))


def test_where_no_thread_can_be_started_the_caller_does_all(two_threads, monkeypatch):
    def refused(*_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threads, "start_new_thread", refused)
    monkeypatch.setattr(threads, "_queue_of", threads._queue_of.__wrapped__)
    assert threads.shared(lambda part: -part, range(5)) == [0, -1, -2, -3, -4]


def test_at_most_so_many_threads_as_it_is_told(two_threads):
    def work(_):
        time.sleep(0.001)  # another thread would take a part meanwhile
        return threading.get_ident()

    assert set(threads.shared(work, range(10), 1)) == {threading.get_ident()}
    assert len(set(threads.shared(work, range(10)))) == 2


SCRIPT = """
import atexit, os, sys
import numpy as np
from microgradlib import Value, compiler, tanh
from microgradlib.compiler.engines import numpy_engine
if sys.argv[1] == "native":
    from microgradlib.compiler.engines.native import code
    code.PART = 100
numpy_engine.BLOCK_OF_A_THREAD, numpy_engine.SMALLEST_BLOCK, numpy_engine.CACHE_BYTES, w = 1, 100, 0, Value(0.5)
fast = compiler.compile(lambda x: tanh(w * x), [w], backend=sys.argv[1])
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


@engines
@pytest.mark.parametrize(
    "end", [pytest.param(FORK, marks=pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")), END]
)
def test_other_processes_and_ends(end, backend):
    """A forked process has none of the threads; when the interpreter ends there are none any more."""
    given = os.environ | {"OMP_NUM_THREADS": "2"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT + end, backend], env=given, timeout=60, capture_output=True, check=False
    )
    assert done.stdout.split() == [b"True"], done.stderr


INTERRUPTS = """
import signal, sys, time

def interrupt(*_):
    raise KeyboardInterrupt

signal.signal(signal.SIGALRM, interrupt)
end, kept = time.monotonic() + float(sys.argv[2]), 0
while time.monotonic() < end:
    try:
        signal.setitimer(signal.ITIMER_REAL, 20e-6 * (1 + kept % 20))
        for _ in range(20):
            fast.value_and_grad(x)
    except KeyboardInterrupt:
        kept += 1
signal.setitimer(signal.ITIMER_REAL, 0)
print(kept > 20 and is_same())
"""


@engines
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers")
def test_later_calls_return_after_many_interrupts(backend):
    """Wherever Ctrl-C comes, no lock stays taken: an executor's was, in one of some ten thousand."""
    given = os.environ | {"OMP_NUM_THREADS": "2"}
    command = [sys.executable, "-c", SCRIPT + INTERRUPTS, backend, "1"]
    done = subprocess.run(command, env=given, timeout=60, capture_output=True, check=False)
    assert done.stdout.split() == [b"True"], done.stderr

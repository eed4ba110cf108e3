"""The same bits whatever ran before, in whichever thread, and however many threads share a batch."""

import os
import threading

import numpy as np
import pytest
from engine_checks import engines

from microgradlib import costs, nn
from microgradlib.compiler import compile as compiled
from microgradlib.compiler.engines import numpy_engine

both_precisions = pytest.mark.parametrize("dtype", ["float64", pytest.param("float32", marks=pytest.mark.slow)])
quick = pytest.mark.parametrize("backend", engines("numpy", "native", "jax", marks=[pytest.mark.slow]))


def model_of(backend, dtype="float64"):
    model = nn.MLP([3, 17, 5], activation="tanh", rng=0)
    return compiled(
        lambda x, k: costs.cross_entropy(model(x), k), model.parameters(), backend=backend, dtype=dtype
    )  # fmt: skip


def batch_of(size, seed=0):
    return np.random.default_rng(seed).normal(size=(size, 3)), np.arange(size) % 5


def results(fast, size, seed=0):
    """Return the bytes of all results for a batch."""
    batch = batch_of(size, seed)
    mean, gradient = fast.value_and_grad(*batch)
    arrays = [np.array(mean), gradient, *fast.rows_and_grad(*batch), fast.rows(*batch)]
    return b"".join([array.tobytes() for array in arrays])


@quick
@both_precisions
def test_calls_before_change_nothing(backend, dtype):
    fast = model_of(backend, dtype)
    first = [results(fast, size) for size in (1, 9, 65)]
    results(fast, 300, seed=1)
    batch = batch_of(3)
    fast.rows(np.full((3, 3), np.nan), batch[1])  # memory is full of nan now
    fast.rows_and_grad(np.full((3, 3), np.inf), batch[1])
    fast.rows_and_grad(np.full((1, 3), np.inf), batch[1][:1])
    assert [results(fast, size) for size in (1, 9, 65)] == first
    again = model_of(backend, dtype)
    assert [results(again, size) for size in (65, 9, 1)] == first[::-1]


@quick
def test_many_threads_at_once(backend):
    """Each thread's own batches, of the sizes for which code is compiled while others run."""
    fast, before, sizes = model_of(backend), model_of(backend), (1, 8, 3, 70, 9)
    alone = {size: results(before, size, seed=size) for size in sizes}
    wrong, start = [], threading.Barrier(8)

    def run(k):
        start.wait()
        try:
            for turn in range(10):
                size = sizes[(k + turn) % len(sizes)]
                if results(fast, size, seed=size) != alone[size]:
                    wrong.append(f"thread {k}, batch of {size}")
        except Exception as error:  # noqa: BLE001  whatever it is, the test shall show it
            wrong.append(repr(error))

    threads = [threading.Thread(target=run, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize("backend", engines("numpy", "native"))
@both_precisions
def test_sums_do_not_depend_on_the_number_of_processors(backend, dtype, monkeypatch):
    found, fast = [], model_of(backend, dtype)
    for count in (1, 2, 3, 8):
        for name in ("cpu_count", "process_cpu_count"):
            monkeypatch.setattr(os, name, lambda count=count: count, raising=False)
        monkeypatch.setattr(os, "sched_getaffinity", lambda _, count=count: set(range(count)), raising=False)
        found.append([results(fast, size) for size in (5, 1000, 5000)])
    found.append([results(model_of(backend, dtype), size) for size in (5, 1000, 5000)])
    assert found[1:] == found[:1] * 4


@quick
@both_precisions
def test_an_example_is_the_same_alone_and_among_others(backend, dtype):
    fast, (x, k) = model_of(backend, dtype), batch_of(70)
    rows, gradient = fast.rows_and_grad(x, k)
    alone = [fast.rows_and_grad(x[i : i + 1], k[i : i + 1]) for i in range(70)]
    within = 1e-14 if dtype == "float64" else 1e-6
    np.testing.assert_allclose(rows, np.concatenate([row for row, _ in alone]), rtol=10 * within)
    np.testing.assert_allclose(gradient, np.mean([g for _, g in alone], 0, dtype=float), rtol=1e3 * within, atol=within)


def test_results_see_stale_memory(monkeypatch):
    """The comparison of bits finds a single number of one result that is another."""
    fast = model_of("numpy")
    first = results(fast, 9)
    execute = numpy_engine.NumpyEngine.execute

    def wrong(*arguments):
        outputs, cotangents = execute(*arguments)
        outputs[0, 3] = np.nextafter(outputs[0, 3], 9)
        return outputs, cotangents

    monkeypatch.setattr(numpy_engine.NumpyEngine, "execute", wrong)
    assert results(fast, 9) != first

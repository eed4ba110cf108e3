"""Compiled functions called by many threads at once: every thread gets its own right answer."""

import threading

import numpy as np

import microgradlib as mg
from microgradlib import Value, costs, nn
from microgradlib.compiler import compile as compiled
from microgradlib.compiler.engines import numpy_engine

THREADS, CALLS = 20, 50


def in_threads(work):
    """Run work(k) in threads that start together; return what went wrong."""
    wrong, start = [], threading.Barrier(THREADS)

    def run(k):
        start.wait()
        try:
            wrong.extend([f"thread {k}, call {i}: a wrong answer" for i in range(CALLS) if not work(k, i)])
        except Exception as error:  # noqa: BLE001  whatever it is, the test shall show it
            wrong.append(f"thread {k}: {error!r}")

    threads = [threading.Thread(target=run, args=(k,)) for k in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return wrong


def batch_of(n, width, seed):
    return np.random.default_rng(seed).uniform(-2, 2, (n, width))


def test_one_function_with_gradients() -> None:
    model = nn.MLP([3, 8, 8, 3], activation="tanh", rng=0)

    def loss(x, y):
        return costs.cross_entropy(model(x), y)

    batches = [(batch_of(7 + k % 3, 3, seed=k), np.arange(7 + k % 3) % 3) for k in range(THREADS)]
    expected = [compiled(loss, model.parameters()).value_and_grad(*batch) for batch in batches]
    fast = compiled(loss, model.parameters())

    def work(k, _):
        mean, gradient = fast.value_and_grad(*batches[k])
        return mean == expected[k][0] and (gradient == expected[k][1]).all()

    assert not in_threads(work)


def test_batches_of_many_sizes(restless, monkeypatch) -> None:
    """More sizes than buffers are kept for: threads drop one another's while these are in use."""
    monkeypatch.setattr(numpy_engine, "SIZES_KEPT", 2)
    w = Value(2.0)
    fast = compiled(lambda x: mg.tanh(w * x), [w])
    batches = [batch_of(n + 1, 1, seed=n)[:, 0] for n in range(30)]
    expected = [np.tanh(2 * batch) for batch in batches]
    slopes = [float(np.mean(x * (1 - y * y))) for x, y in zip(batches, expected)]

    def work(k, i):
        n = (7 * k + 11 * i) % 30
        values, (_, gradient) = fast(batches[n]), fast.value_and_grad(batches[n])
        return np.allclose(values, expected[n]) and np.allclose(gradient, slopes[n])

    assert not in_threads(work)


def test_rows_of_many_shapes(restless) -> None:
    w = Value(2.0)
    fast = compiled(lambda row: w * mg.sum(row), [w])
    rows = [batch_of(3, width, seed=width) for width in range(1, 9)]

    def work(k, i):
        row = rows[(k + i) % len(rows)]
        return np.allclose(fast(row), 2 * row.sum(axis=1))

    assert not in_threads(work)


def test_the_program_is_that_of_the_threads_own_last_call():
    w = Value(2.0)
    fast, sizes, others = compiled(lambda row: w * mg.sum(row), [w]), {}, [threading.Barrier(3) for _ in range(2)]

    def run(width):
        rows = batch_of(3, width, seed=width)
        for barrier in others:
            fast.value_and_grad(rows)
            barrier.wait()  # all have called by now
            sizes.setdefault(width, []).append(fast.program.inputs)

    threads = [threading.Thread(target=run, args=(width,)) for width in (1, 2, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sizes == {width: [width, width] for width in (1, 2, 5)}
    assert fast.program.inputs in sizes  # this thread has called nothing
    fast.lower([[1.0, 2.0]])
    assert fast.program.inputs == 2

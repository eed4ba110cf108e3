"""Parts of a batch on several threads: numbers that are not finite, strided arrays, sums that overflow."""

import numpy as np
import pytest

from microgradlib import Value, compiler, dot, tanh
from microgradlib.compiler.engines.native import code

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

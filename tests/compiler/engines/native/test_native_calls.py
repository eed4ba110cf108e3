"""Calls of native programs: arrays, of parameters too, that lie in memory in any way, and batches of other sizes."""

import numpy as np
import pytest

from microgradlib import Value, compiler, dot, tanh
from microgradlib.compiler.engines.native import code

pytest.importorskip("llvmlite", reason="native code is made by llvmlite")

W = [Value(x) for x in np.random.default_rng(0).uniform(-1, 1, 5).tolist()]


def loss(x, y):
    return (tanh(dot(W[:3], x, W[3])) * W[4] - y) ** 2


@pytest.fixture(scope="module")
def functions():
    """Return the loss, native and by NumPy."""
    return [compiler.compile(loss, W, backend=backend) for backend in ("native", "numpy")]


LAYOUTS = {
    "rows": lambda a: a,
    "columns": np.asfortranarray,
    "backwards": lambda a: a[::-1].copy()[::-1],
    "with gaps": lambda a: np.repeat(a, 2, axis=0)[::2],
    "read only": lambda a: np.broadcast_to(a, a.shape),
    "not aligned": lambda a: np.frombuffer(b"\0" + a.tobytes(), a.dtype, offset=1).reshape(a.shape),
    "alike": lambda a: np.broadcast_to(a[:1], a.shape),
    "another precision": lambda a: a.astype(np.float32),
    "lists": lambda a: a.tolist(),
}


@pytest.mark.parametrize("batch", [1, 3, 40])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("place", ["parameters", "x", "y", "all"])
def test_arrays_that_lie_in_memory_in_any_way(functions, layout, place, batch):
    rng = np.random.default_rng(batch)
    plain = {"parameters": rng.normal(size=5), "x": rng.normal(size=(batch, 3)), "y": rng.normal(size=batch)}
    given = {name: LAYOUTS[layout](a) if place in (name, "all") else a for name, a in plain.items()}
    for numbers in (plain, given, given, plain, given):
        results = []
        for function in functions:
            function.set_parameters(numbers["parameters"])
            results.append(function.value_and_grad(numbers["x"], numbers["y"]))
        (mean, gradient), (expected_mean, expected_gradient) = results
        assert mean == pytest.approx(expected_mean, rel=1e-13)
        assert gradient == pytest.approx(expected_gradient, rel=1e-12, abs=1e-14)


def test_batches_of_other_sizes_one_after_the_other():
    rng = np.random.default_rng(1)
    fast, expected = (compiler.compile(loss, W, backend=backend) for backend in ("native", "numpy"))
    for batch in (5, 5, 1, 5, 1, 1, 300, 5, 17, 300):
        x, y = rng.normal(size=(batch, 3)), rng.normal(size=batch)
        mean, gradient = fast.value_and_grad(x, y)
        assert mean == pytest.approx(expected.value_and_grad(x, y)[0], rel=1e-13)
        assert gradient == pytest.approx(expected.value_and_grad(x, y)[1], rel=1e-12, abs=1e-14)


CALLS = ("__call__", "rows", "value_and_grad", "values_and_grad", "rows_and_grad")


def numbers_of(results):
    """Return all numbers of a call's results in one array."""
    return np.concatenate([np.ravel(part) for part in (results if isinstance(results, tuple) else (results,))])


@pytest.mark.parametrize("call", CALLS)
def test_results_are_the_callers_to_keep(functions, call):
    x, y = np.ones((4, 3)), np.zeros(4)
    first = getattr(functions[0], call)(x, y)
    kept = numbers_of(first).copy()
    getattr(functions[0], call)(x, y + 1)
    assert (numbers_of(first) == kept).all()
    assert numbers_of(getattr(functions[1], call)(x, y)) == pytest.approx(kept, rel=1e-13)


@pytest.mark.parametrize("order", [CALLS, CALLS[::-1], CALLS + CALLS])
@pytest.mark.parametrize("batch", [1, 40])
def test_calls_of_each_kind_one_after_the_other(functions, order, batch):
    rng = np.random.default_rng(batch)
    for layout in (LAYOUTS["rows"], LAYOUTS["with gaps"]):
        for call in order:
            x, y = layout(rng.normal(size=(batch, 3))), rng.normal(size=batch)
            found, expected = (numbers_of(getattr(function, call)(x, y)) for function in functions)
            assert found == pytest.approx(expected, rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("place", [0, 39])
def test_numbers_that_are_not_finite(functions, call, place):
    for x0 in (np.inf, -np.inf, np.nan, 1e300):
        x, y = np.ones((40, 3)), np.full(40, 0.5)
        x[place, 1] = x0
        found, expected = (numbers_of(getattr(function, call)(x, y)) for function in functions)
        assert found == pytest.approx(expected, rel=1e-12, abs=1e-14, nan_ok=True)


def test_arrays_are_not_read_where_they_are_not_known(monkeypatch):
    monkeypatch.setattr(code, "are_arrays_known", lambda: False)
    fast, expected = (compiler.compile(loss, W, backend=backend) for backend in ("native", "numpy"))
    x, y = np.random.default_rng(5).normal(size=(9, 3)), np.zeros(9)
    assert fast.value_and_grad(x, y)[1] == pytest.approx(expected.value_and_grad(x, y)[1], rel=1e-12, abs=1e-14)
    assert fast(x, y) == pytest.approx(expected(x, y), rel=1e-13)


@pytest.mark.parametrize("batch", [1, 5])
def test_programs_without_instructions(batch):
    x = np.arange(float(batch))
    for function, values, slope in ((lambda x: x, x, 0.0), (lambda x: W[1], np.full(batch, W[1].data), 1.0)):
        fast = compiler.compile(function, W[:2], backend="native")
        assert [fast(x).tolist() for _ in range(2)] == [values.tolist()] * 2
        mean, gradient = fast.value_and_grad(x)
        assert (mean, gradient.tolist()) == (pytest.approx(values.mean()), [0.0, pytest.approx(slope)])


def test_derivatives_in_the_order_of_the_parameters():
    """A program has parameters in an order of its own: weights beside biases. Every way gives them as listed."""
    model = [[Value(x) for x in row] for row in np.random.default_rng(3).normal(size=(4, 3)).tolist()]
    biases = [Value(x) for x in (0.1, 0.2, 0.3, 0.4)]

    def network(x):
        return dot([tanh(dot(row, x, bias)) for row, bias in zip(model, biases)], W[:4])

    parameters = [*biases[::-1], *[w for row in model for w in row], *W[:4], biases[0]]
    fast, expected = (compiler.compile(network, parameters, backend=backend) for backend in ("native", "numpy"))
    vector = np.random.default_rng(4).normal(size=len(parameters))
    for batch in (1, 7, 7):
        x = np.random.default_rng(batch).normal(size=(batch, 3))
        assert fast.value_and_grad(x)[1] == pytest.approx(expected.value_and_grad(x)[1], rel=1e-12)
        assert fast.rows_and_grad(x)[1] == pytest.approx(expected.rows_and_grad(x)[1], rel=1e-12)
        assert fast.hvp(x, vector=vector) == pytest.approx(expected.hvp(x, vector=vector), rel=1e-11, abs=1e-14)
        engine, reference = fast._last.engine, expected._last.engine
        given = np.array([p.data for p in fast._parameters.distinct]), [x], (1.0 / batch,)
        [found] = engine.execute(engine.joint("gradient"), *given)[1]
        assert found == pytest.approx(reference.execute(reference.joint("gradient"), *given)[1][0], rel=1e-12)
        strided = np.repeat(x, 2, axis=0)[::2]
        assert fast.value_and_grad(strided)[1] == pytest.approx(expected.value_and_grad(x)[1], rel=1e-12)
    assert list(fast.program.parameter_order) != sorted(fast.program.parameter_order)


def test_a_program_compiled_before_comes_from_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MICROGRADLIB_CACHE_DIR", str(tmp_path))
    x, y = np.ones((4, 3)), np.zeros(4)
    expected = compiler.compile(loss, W, backend="native").value_and_grad(x, y)
    kept = list((tmp_path / "native").iterdir())
    assert len(kept) == 1

    def refuse(text):
        raise AssertionError("it was compiled before")

    monkeypatch.setattr(code, "assemble", refuse)
    copy = [Value(w.data) for w in W]
    again = compiler.compile(lambda x, y: (tanh(dot(copy[:3], x, copy[3])) * copy[4] - y) ** 2, copy, backend="native")
    mean, gradient = again.value_and_grad(x, y)
    assert (mean, gradient.tolist()) == (expected[0], expected[1].tolist())
    kept[0].write_bytes(kept[0].read_bytes()[:-1])
    with pytest.raises(AssertionError, match="it was compiled before"):
        compiler.compile(loss, W, backend="native").value_and_grad(x, y)
    monkeypatch.undo()
    monkeypatch.setenv("MICROGRADLIB_CACHE_DIR", str(tmp_path))
    assert compiler.compile(loss, W, backend="native").value_and_grad(x, y)[0] == expected[0]
    assert len(list((tmp_path / "native").iterdir())) == 1


@pytest.mark.parametrize("batch", [1, 3, 300])
def test_sums_over_the_batch_have_nothing_of_the_call_before(batch):
    rng = np.random.default_rng(batch)
    layer = [[Value(w) for w in row] for row in rng.normal(size=(5, 3)).tolist()]

    def network(x):  # a product at each of two times, whose gradients are added up, and sums of squares
        return dot(W[:5], [tanh(dot(row, x[:3])) * tanh(dot(row, x[3:])) for row in layer]) + dot(W[:3], x[:3]) ** 2

    parameters = [*W, *[w for row in layer for w in row]]
    fast, expected = (compiler.compile(network, parameters, backend=backend) for backend in ("native", "numpy"))
    x = rng.normal(size=(batch, 6))
    for odd in (np.nan, np.inf, 1.0):
        fast.value_and_grad(np.full((batch, 6), odd))
        assert fast.value_and_grad(x)[1] == pytest.approx(expected.value_and_grad(x)[1], rel=1e-11, abs=1e-14)

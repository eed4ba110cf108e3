"""The NumPy engine: blocks of a batch, threads, the memory it keeps, and what is put in and taken out."""

import threading

import numpy as np
import pytest
from eager_oracle import random_columns
from random_networks import Network

import microgradlib as mg
from microgradlib import Value, costs, nn
from microgradlib.compiler import compile as compiled
from microgradlib.compiler.canonicalize import canonicalize
from microgradlib.compiler.engines import numpy_engine
from microgradlib.compiler.engines.executable import Executable
from microgradlib.compiler.engines.numpy_engine import NumpyEngine
from microgradlib.compiler.planning import plan
from microgradlib.compiler.reverse import reverse
from microgradlib.compiler.trace import trace
from microgradlib.compiler.vectorize import vectorize

WEIGHTS = [Value(x) for x in (0.5, -1.5, 2.0)]


def small(x, y):
    return [mg.tanh(WEIGHTS[0] * x[0] + WEIGHTS[1] * x[1]) * y, mg.exp(WEIGHTS[2] * x[0]), WEIGHTS[0] + WEIGHTS[2]]


def engine_of(function=small, parameters=WEIGHTS, example=((0.0, 0.0), 0.0), dtype=float):
    rows = [list(x) if isinstance(x, tuple) else x for x in example]
    return NumpyEngine(vectorize(canonicalize(trace(function, rows, parameters))), np.dtype(dtype))


def numbers_of(parameters):
    return np.array([parameter.data for parameter in parameters])


def columns_for(batch, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.uniform(-1, 1, (batch, 2)), rng.uniform(-1, 1, batch)]


def results_of(engine, columns):
    parameters = numbers_of(WEIGHTS)
    values, gradient = engine.values_and_gradient(parameters, columns)
    vector = np.array([1.0, -1.0, 0.5])
    return [values, gradient, engine.jacobian(parameters, columns), engine.hvp(parameters, columns, vector)]


@pytest.fixture
def tiny_blocks(monkeypatch):
    """Make blocks of seven examples, and start a thread for every two of them."""
    monkeypatch.setattr(numpy_engine, "SMALLEST_BLOCK", 7)
    monkeypatch.setattr(numpy_engine, "CACHE_BYTES", 0)
    monkeypatch.setattr(numpy_engine, "BLOCKS_OF_A_THREAD", 2)
    monkeypatch.setattr(numpy_engine, "BLOCK_OF_A_THREAD", 1)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")


@pytest.mark.parametrize("batch", [1, 7, 10, 11, 29, 64])
def test_blocks_by_threads_are_the_batch(batch, tiny_blocks, monkeypatch):
    columns = columns_for(batch)
    in_blocks = results_of(engine_of(), columns)
    monkeypatch.undo()
    for found, expected in zip(in_blocks, results_of(engine_of(), columns)):
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-14)


def test_results_do_not_depend_on_the_number_of_threads(tiny_blocks, monkeypatch):
    columns = columns_for(100)
    by_threads = results_of(engine_of(), columns)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    for found, expected in zip(by_threads, results_of(engine_of(), columns)):
        assert np.array_equal(found, expected)


def test_blocks_are_of_about_one_size(tiny_blocks):
    engine = engine_of()
    engine.mean_and_gradient(numbers_of(WEIGHTS), columns_for(29))  # of seven at most: 5 blocks
    [planned] = engine._planned.values()
    assert planned.free.cache_info().currsize == 2
    assert all(planned.free(size) for size in (5, 6))  # one for each thread that ran one


def test_a_fault_in_a_thread_reaches_the_caller(tiny_blocks, monkeypatch):
    monkeypatch.setattr(Executable, "run", lambda *arguments: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        engine_of().values(numbers_of(WEIGHTS), columns_for(64))


def test_memory_is_kept_for_some_sizes_of_a_batch_and_used_again():
    engine, parameters = engine_of(), numbers_of(WEIGHTS)
    for batch in range(1, 20):
        engine.values(parameters, columns_for(batch))
    [planned] = engine._planned.values()
    assert planned.free.cache_info().currsize == numpy_engine.SIZES_KEPT
    [kept] = planned.free(19)
    engine.values(parameters, columns_for(19))
    assert planned.free(19) == [kept]
    assert len(planned.free(12)) == 1
    assert planned.free(11) == []


def test_an_executable_that_failed_is_not_used_again(monkeypatch):
    engine, parameters = engine_of(), numbers_of(WEIGHTS)
    with monkeypatch.context() as failing:
        failing.setattr(Executable, "run", lambda *arguments: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            engine.values(parameters, columns_for(3))
    expected = engine_of().values(parameters, columns_for(3))
    assert np.array_equal(engine.values(parameters, columns_for(3)), expected)
    assert len(next(iter(engine._planned.values())).free(3)) == 1


def test_results_are_the_caller_s_to_keep():
    engine, parameters = engine_of(), numbers_of(WEIGHTS)
    first = results_of(engine, columns_for(3))
    copies = [array.copy() for array in first]
    results_of(engine, columns_for(3, seed=1))
    assert all(np.array_equal(array, copy) for array, copy in zip(first, copies))
    columns = columns_for(3)
    engine.values(parameters, columns)
    assert all(np.array_equal(column, again) for column, again in zip(columns, columns_for(3)))


def test_several_threads_plan_once():
    engine, plans, start = engine_of(), [], threading.Barrier(8)

    def run():
        start.wait()
        engine.values(numbers_of(WEIGHTS), columns_for(3))
        plans.append(next(iter(engine._planned.values())).plan)

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(plans) == 8
    assert all(plan is plans[0] for plan in plans)


def test_columns_of_any_layout_and_orders_of_inputs():
    """Each argument's numbers go to the rows of their own slots."""
    engine, parameters = engine_of(), numbers_of(WEIGHTS)
    columns = columns_for(5)
    expected = results_of(engine, columns)
    for layout in (np.asfortranarray, lambda x: np.repeat(x, 2, 0)[::2], lambda x: x[::-1].copy()[::-1]):
        for found, wanted in zip(results_of(engine, [layout(column) for column in columns]), expected):
            np.testing.assert_allclose(found, wanted, rtol=1e-14)
    turned = engine_of(lambda y, x: small(x, y), WEIGHTS, (0.0, (0.0, 0.0)))
    assert np.array_equal(turned.values(parameters, columns[::-1]), expected[0])


def test_seeds_may_be_numbers_or_arrays_one_after_another():
    engine = engine_of()
    joint, parameters, columns = engine.joint("gradient"), numbers_of(WEIGHTS), columns_for(4)
    weights = np.array([[1.0, 2.0, 0.0, -1.0]])
    found = {}
    for name, seed in (("one", 1.0), ("many", weights), ("two", 2.0), ("again", 1.0), ("last", weights)):
        _, (found[name],) = engine.execute(joint, parameters, columns, (seed,))
    assert np.array_equal(found["one"] * 2, found["two"])
    assert np.array_equal(found["one"], found["again"])
    assert np.array_equal(found["many"], found["last"])
    singles = [engine.execute(joint, parameters, [c[i : i + 1] for c in columns], (1.0,))[1][0] for i in range(4)]
    np.testing.assert_allclose(found["many"], weights[0] @ singles, rtol=1e-13)


def test_single_precision_stays_single():
    engine = engine_of(dtype=np.float32)
    parameters = numbers_of(WEIGHTS).astype(np.float32)
    columns = [column.astype(np.float32) for column in columns_for(6)]
    for found, expected in zip(
        (engine.values(parameters, columns), engine.mean_and_gradient(parameters, columns)[1]),
        (engine_of().values(numbers_of(WEIGHTS), columns_for(6)), results_of(engine_of(), columns_for(6))[1]),
    ):
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    large = compiled(lambda x: x * 1e300, dtype=np.float32)
    assert large([1.0, 0.0]).tolist()[0] == np.inf


def mlp():
    model = nn.MLP(8, [32, 32, 1], rng=0)
    return lambda x, y: (model(x) - y) ** 2, model.parameters(), ((0.0,) * 8, 0.0)


def lstm():
    model, out = nn.LSTM(4, 8, rng=0), nn.Layer(8, 1, "linear", rng=0)
    rows = [[0.0] * 4] * 6
    return lambda xs, y: (out(model(xs)[0][-1]) - y) ** 2, [*model.parameters(), *out.parameters()], (rows, 0.0)


def attention():
    model = nn.CausalSelfAttention(8, heads=2, rng=0)
    readout = nn.Layer(8, 3, "linear", rng=1)
    return (
        lambda xs, y: mg.mean([costs.cross_entropy(readout(row), y) for row in model(xs)]),
        [*model.parameters(), *readout.parameters()],
        ([[0.0] * 8] * 6, 1.0),
    )


def bytes_of(executable):
    """Return the bytes of all arrays that an executable owns or its calls refer to, each once."""
    owners, waiting = {}, [executable.buffers.__dict__, [arguments for _, arguments in executable.calls]]
    while waiting:
        part = waiting.pop()
        if isinstance(part, np.ndarray):
            while part.base is not None:
                part = part.base
            owners[id(part)] = part
        elif isinstance(part, dict):
            waiting += part.values()
        elif isinstance(part, (list, tuple)):
            waiting += part
    return sum(array.nbytes for array in owners.values() if isinstance(array, np.ndarray))


@pytest.mark.parametrize("model", [mlp, lstm, attention])
def test_all_arrays_are_at_most_three_times_the_forward_numbers(model):
    function, parameters, example = model()
    program = vectorize(
        canonicalize(trace(function, [list(x) if isinstance(x, tuple) else x for x in example], parameters))
    )
    executable = Executable(plan(reverse(program)), 64, float)
    assert bytes_of(executable) <= 3 * (program.batched_size * 64 + program.unbatched_size) * 8
    more = np.zeros(10**6)
    executable.calls.append((np.copyto, (more[:1], more[1:2])))
    assert bytes_of(executable) > 8 * 10**6  # none is overlooked


@pytest.mark.parametrize("seed", range(6))
def test_random_networks_in_blocks(seed, tiny_blocks):
    network = Network(seed)
    columns = [np.array(column) for column in random_columns(seed, 20, *network.shapes)]
    fast, parts = compiled(network, network.parameters), []
    values, gradient = fast.rows_and_grad(*columns)
    for i in range(20):
        one = [column[i : i + 1] for column in columns]
        parts.append(fast.rows_and_grad(*one))
    np.testing.assert_allclose(gradient, np.mean([part for _, part in parts], 0), rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(values, np.concatenate([rows for rows, _ in parts]), rtol=1e-9, atol=1e-10)

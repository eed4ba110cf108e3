"""Every engine of the registry computes, by the seam's methods, what the eager engine computes."""

import numpy as np
import pytest
from eager_oracle import EagerOracle, assert_near, flat
from engine_checks import each_engine, engines
from random_networks import Network

import microgradlib as mg
from microgradlib import Value, nn
from microgradlib.compiler import compile as compiled
from microgradlib.compiler.engines import ENGINES, engine as seam
from microgradlib.compiler.engines.engine import Engine
from microgradlib.core.autodiff import grad_table, gradients


def hessian_of(function, parameters, columns):
    """Return the Hessian of the mean of the first output by the parameters, by the eager engine."""
    eager = EagerOracle(function, parameters, columns)
    slopes = gradients(mg.mean([first for first, *_ in eager.outputs]), parameters)
    tables = [grad_table(slope) if isinstance(slope, Value) else {} for slope in slopes]
    return [[table.get(p, 0.0) for p in parameters] for table in tables]


@pytest.mark.parametrize("backend", engines(marks=[pytest.mark.slow]))
@pytest.mark.parametrize("seed", range(3))
def test_random_networks(backend, seed):
    network = Network(seed)
    rng = np.random.default_rng(seed)
    columns = [rng.uniform(-1, 1, (5, *shape)).tolist() for shape in network.shapes]
    eager = EagerOracle(network, network.parameters, columns)
    fast = compiled(network, network.parameters, backend=backend)
    assert_near(flat(fast(*columns)), eager.values, 1e-11)
    assert_near(fast.values_and_grad(*columns)[1], np.mean(eager.gradients, 0), 1e-10)
    assert_near(fast.jacobian(*columns), eager.jacobian, 1e-10)


@pytest.mark.parametrize("backend", engines(marks=[pytest.mark.slow]))
def test_gradient_hessian_and_its_products(backend):
    model = nn.MLP([2, 3, 2], activation="tanh", rng=0)
    w, outside = Value(0.5), Value(1.5)

    def loss(x, y):
        return mg.logsumexp(model(x)) * w - outside * model(x)[0] * y + mg.softplus(w * y)

    columns = [[[0.5, -1.0], [2.0, 0.25], [-1.5, 1.0]], [1.0, -1.0, 0.5]]
    parameters = [w, *model.parameters()]
    fast = compiled(loss, parameters, backend=backend)
    hessian = np.array(hessian_of(loss, parameters, columns))
    assert_near(fast.hessian(*columns), hessian, 1e-11)
    vector = np.linspace(-1.0, 1.0, len(parameters))
    assert_near(fast.hvp(*columns, vector=vector), hessian @ vector, 1e-11)
    mean, gradient = fast.value_and_grad(*columns)
    eager = EagerOracle(loss, parameters, columns)
    assert mean == pytest.approx(np.mean(eager.values))
    assert_near(gradient, np.mean(eager.gradients, 0), 1e-11)


@each_engine
def test_parameters_listed_twice(backend):
    w, v = Value(2.0), Value(3.0)
    fast = compiled(lambda x: w * w * x + w * v, [w, v, w], backend=backend)
    assert fast.value_and_grad([1.0])[1].tolist() == [7.0, 2.0, 7.0]
    hessian = [[2.0, 1.0, 2.0], [1.0, 0.0, 1.0], [2.0, 1.0, 2.0]]
    assert fast.hessian([1.0]).tolist() == hessian
    for vector in ([1.0, 0.0, 0.0], [0.5, -1.0, 2.0]):
        assert fast.hvp([1.0], vector=vector).tolist() == (np.array(hessian) @ vector).tolist()
    with pytest.raises(ValueError, match=r"3 parameters, got a vector of shape \(2,\)"):
        fast.hvp([1.0], vector=[1.0, 2.0])
    for vector in ([1.0, 2.0, 1j], "abc", None, [None] * 3):
        with pytest.raises(TypeError, match="a vector of real numbers"):
            fast.hvp([1.0], vector=vector)


@each_engine
def test_results_for_no_parameters_and_for_those_without_influence(backend):
    fast = compiled(lambda x: x * x, backend=backend)
    assert fast.hessian([1.0]).shape == (0, 0)
    assert fast.hvp([1.0], vector=[]).shape == (0,)
    w, v = Value(2.0), Value(3.0)
    fast = compiled(lambda x: v * x, [w, v], backend=backend)
    assert fast.hessian([1.0]).tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert compiled(lambda x: [w * w, 2.0, x], [w], backend=backend).jacobian([3.0]).tolist() == [[[0.0], [0.0], [1.0]]]


@each_engine
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_precision_of_results(backend, dtype):
    w = Value(2.0)
    fast = compiled(lambda x: [w * x, w * w * x], [w], dtype=dtype, backend=backend)
    batch = np.array([1.0, 2.0])
    results = [fast(batch), fast.rows(batch), *fast.rows_and_grad(batch), fast.jacobian(batch), fast.hessian(batch)]
    assert {result.dtype for result in results} == {np.dtype(dtype)}


def test_an_unknown_engine():
    with pytest.raises(
        ValueError, match="no backend 'numpyy'; did you mean 'numpy'\\? known: numpy, native, jax, reference"
    ):
        compiled(lambda x: x, backend="numpyy")


@each_engine
def test_each_name_is_an_engine_of_its_own(backend):
    engine = compiled(lambda x: x, backend=backend)._ready(([1.0],))[0]
    assert isinstance(engine, Engine)
    assert type(engine) is ENGINES[backend]()
    assert type(engine).__name__.lower() == f"{backend}engine"


def test_only_the_examples_at_fault_are_run_again(monkeypatch):
    w = Value(1.5)
    fast = compiled(lambda x: mg.where(x > 0, mg.log(w * x), w), [w])
    engine = fast._ready(([1.0],))[0]
    seen = []
    exact = engine.exact.mean_and_gradient
    monkeypatch.setattr(
        engine.exact,
        "mean_and_gradient",
        lambda numbers, columns: (seen.append(columns[0]), exact(numbers, columns))[1],
    )
    column = np.ones(3 * seam.EXAMINED)
    column[[5, 100]] = 0.0, -1.0
    fast.value_and_grad(column)
    assert np.concatenate(seen).tolist() == [0.0]  # log(−1) is nan times ZERO in both

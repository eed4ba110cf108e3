"""Every engine of the registry computes, by the seam's methods, what the eager engine computes."""

import numpy as np
import pytest
from eager_oracle import EagerOracle, assert_near, flat
from random_networks import Network

import microgradlib as mg
from microgradlib import Value, nn
from microgradlib.compiler import compile as compiled
from microgradlib.compiler.engines import ENGINES, engine as seam
from microgradlib.compiler.engines.engine import Engine
from microgradlib.core.autodiff import grad_table, gradients

each_engine = pytest.mark.parametrize("backend", ENGINES)


def hessian_of(function, parameters, columns):
    """Return the Hessian of the mean of the first output by the parameters, by the eager engine."""
    eager = EagerOracle(function, parameters, columns)
    slopes = gradients(mg.mean([first for first, *_ in eager.outputs]), parameters)
    tables = [grad_table(slope) if isinstance(slope, Value) else {} for slope in slopes]
    return [[table.get(p, 0.0) for p in parameters] for table in tables]


@each_engine
@pytest.mark.parametrize("seed", range(12))
def test_random_networks(backend, seed):
    network = Network(seed)
    rng = np.random.default_rng(seed)
    columns = [rng.uniform(-1, 1, (5, *shape)).tolist() for shape in network.shapes]
    eager = EagerOracle(network, network.parameters, columns)
    fast = compiled(network, network.parameters, backend=backend)
    assert_near(flat(fast(*columns)), eager.values, 1e-11)
    assert_near(fast.values_and_grad(*columns)[1], np.mean(eager.gradients, 0), 1e-10)
    assert_near(fast.jacobian(*columns), eager.jacobian, 1e-10)


@each_engine
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
    with pytest.raises(ValueError, match="no backend 'numpyy'; did you mean 'numpy'\\? known: numpy, reference"):
        compiled(lambda x: x, backend="numpyy")


def test_each_name_is_an_engine():
    engines = [compiled(lambda x: x, backend=name)._ready(([1.0],))[0] for name in ENGINES]
    assert all(isinstance(engine, Engine) for engine in engines)
    assert len(set(map(type, engines))) == len(ENGINES)


WALLS = {
    "log of what is not taken": lambda w, x: mg.where(x > 0, mg.log(w * x), w * x),
    "root at 0": lambda w, x: mg.where(x > 0, mg.sqrt(w * x), w * w * x),
    "relu before inf": lambda w, x: mg.relu(x) / x * w + w * w,
    "overflow": lambda w, x: 1 / (1 + mg.exp(1000 * w * x)),
}


@each_engine
@pytest.mark.parametrize("name", WALLS)
@pytest.mark.parametrize("batch", [1, 3, 70, 150])
def test_examples_whose_numbers_are_not_finite(backend, name, batch):
    """First and second derivatives behind a closed branch, alone and among others."""
    w = Value(1.5)
    column = [float(k % 7 - 3) for k in range(batch)]
    eager = EagerOracle(lambda x: WALLS[name](w, x), [w], [column])
    fast = compiled(lambda x: WALLS[name](w, x), [w], backend=backend)
    mean, gradient = fast.value_and_grad(column)
    assert mean == pytest.approx(np.mean(eager.values), nan_ok=True)
    assert gradient == pytest.approx(np.mean(eager.gradients, 0), nan_ok=True)
    assert fast.jacobian(column) == pytest.approx(np.array(eager.jacobian), nan_ok=True)
    hessian = np.array(hessian_of(lambda x: WALLS[name](w, x), [w], [column]))
    assert fast.hessian(column) == pytest.approx(hessian, nan_ok=True)


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

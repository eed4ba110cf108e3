"""fast.as_function("jax"): value, first and second derivatives equal the engines', under JAX's transformations."""

import numpy as np
import pytest
from random_networks import Network

import microgradlib as mg
from microgradlib import Value, nn

jax = pytest.importorskip("jax", reason="the JAX engine")

from microgradlib.compiler.engines.jax import float64_enabled  # noqa: E402

WALLS = {
    "log not taken": lambda w, x: mg.where(x > 0, mg.log(w * x), w * x),
    "root at 0": lambda w, x: mg.where(x > 0, mg.sqrt(w * x), w * w * x),
    "relu before inf": lambda w, x: mg.relu(x) / x * w + w * w,
    "dot with inf": lambda w, x: mg.where(x > 0, mg.dot([w, w * w], [mg.log(x), x]), w),
    "overflow": lambda w, x: 1 / (1 + mg.exp(1000 * w * x)),
    "a computed 0": lambda w, x: (w - 1.5) * mg.log(abs(x)),
    "kinks": lambda w, x: mg.relu(w * x) + abs(w * x) + mg.softplus(w * x) + mg.clip(w * x, -1.5, 1.5),
}


@pytest.mark.parametrize("name", WALLS)
@pytest.mark.parametrize("column", [[-1.0, 0.0, 1.0, 2.0], [1.0, 2.0], [0.0]])
def test_closed_branches_and_kinks(name, column):
    w, numbers = Value(1.5), np.array([1.5])
    fast = mg.compile(lambda x: WALLS[name](w, x), [w], backend="reference")
    function = fast.as_function("jax")
    mean, gradient = fast.value_and_grad(column)
    with float64_enabled():
        assert function(numbers, column) == pytest.approx(mean, nan_ok=True)
        for derivative in (jax.grad(function), jax.jacfwd(function)):
            assert jax.jit(derivative)(numbers, column) == pytest.approx(gradient, nan_ok=True)
        for outer in (jax.jacfwd, jax.jacrev):
            for inner in (jax.jacfwd, jax.jacrev):
                second = jax.jit(outer(inner(function)))(numbers, column)
                assert second == pytest.approx(fast.hessian(column), nan_ok=True), (outer, inner)


@pytest.mark.parametrize("seed", [3, 6, *[pytest.param(seed, marks=pytest.mark.slow) for seed in range(10, 22)]])
def test_random_networks(seed):
    network, rng = Network(seed), np.random.default_rng(seed)
    columns = [rng.uniform(-1, 1, (5, *shape)) for shape in network.shapes]
    fast = mg.compile(network, network.parameters)
    numbers = np.array([p.data for p in network.parameters])
    with float64_enabled():
        mean, gradient = jax.jit(jax.value_and_grad(fast.as_function("jax")))(numbers, *columns)
        rows = fast.as_function("jax", per_example=True)(numbers, *columns)
    expected, slopes = fast.value_and_grad(*columns)
    assert mean == pytest.approx(expected, rel=1e-11)
    assert np.asarray(gradient) == pytest.approx(slopes, rel=1e-10, abs=1e-10)
    assert np.asarray(rows) == pytest.approx(fast(*columns), rel=1e-11, abs=1e-12)


@pytest.fixture
def model():
    return nn.MLP([2, 3, 1], activation="tanh", rng=0)


def test_transformations_compose(model):
    fast = mg.compile(lambda x, y: (model(x) - y) ** 2, model.parameters())
    function, data = fast.as_function("jax"), (np.array([[0.5, -1.0], [2.0, 0.25]]), np.array([1.0, -1.0]))
    numbers = np.array([p.data for p in model.parameters()])
    _, gradient = fast.value_and_grad(*data)
    with float64_enabled():
        several = jax.jit(jax.vmap(jax.grad(function), (0, None, None)))(np.stack([numbers, numbers]), *data)
        assert np.asarray(several) == pytest.approx(np.stack([gradient, gradient]), abs=1e-14)
        assert np.asarray(jax.jit(jax.hessian(function))(numbers, *data)) == pytest.approx(
            fast.hessian(*data), abs=1e-13
        )
        by_data = np.asarray(jax.jit(jax.grad(function, argnums=1))(numbers, *data))
    jacobian = fast.jacobian(*data)[:, 0, :2] / 2
    assert by_data == pytest.approx(jacobian, abs=1e-14)


def test_rows_have_derivatives_by_parameters_and_data(model):
    fast = mg.compile(lambda x: [model(x), mg.where(x[0] > 0, mg.sqrt(x[1]), x[0])], model.parameters())
    function = fast.as_function("jax", per_example=True)
    numbers, data = np.array([p.data for p in model.parameters()]), np.array([[0.5, 1.0], [-2.0, 0.0]])
    with float64_enabled():
        found = jax.jit(jax.jacrev(function, argnums=1))(numbers, data)
        ahead = jax.jit(jax.jacfwd(function, argnums=(0, 1)))(numbers, data)
        back = jax.jit(jax.jacrev(function, argnums=(0, 1)))(numbers, data)
    expected = fast.jacobian(data)
    assert np.asarray(found)[0, :, 0] == pytest.approx(expected[0], abs=1e-14)
    assert np.asarray(found)[1, :, 1] == pytest.approx(expected[1], abs=1e-14)  # √0 is not taken
    for a, b in zip(ahead, back):
        assert np.asarray(a) == pytest.approx(np.asarray(b), abs=1e-14)


def test_third_derivatives_forward():
    w, column = Value(1.5), np.array([0.5, 2.0])
    function = mg.compile(lambda x: mg.tanh(w * x) + mg.relu(w * x) ** 3, [w]).as_function("jax")
    with float64_enabled():
        plain = lambda n, x: (jax.numpy.tanh(n[0] * x) + (n[0] * x) ** 3).mean()  # noqa: E731
        third = [jax.jit(jax.jacfwd(jax.hessian(f)))(np.array([1.5]), column).item() for f in (function, plain)]
    assert third[0] == pytest.approx(third[1], rel=1e-12)


def test_it_computes_in_the_precision_of_the_parameters(model):
    function = mg.compile(lambda x: model(x), model.parameters()).as_function("jax")
    numbers = np.array([p.data for p in model.parameters()], np.float32)
    function = jax.jit(function)
    assert function(numbers, np.ones((1, 2), np.float32)).dtype == np.float32
    assert jax.jit(jax.grad(function))(numbers, np.ones((1, 2), np.float32)).dtype == np.float32


def test_optax_trains_with_it(model):
    optax = pytest.importorskip("optax", reason="an optimiser for functions of JAX")
    fast = mg.compile(lambda x, y: (model(x) - y) ** 2, model.parameters())
    function, optimiser = fast.as_function("jax"), optax.adam(0.05)
    numbers = jax.numpy.array([p.data for p in model.parameters()])
    data, state = (np.array([[0.0, 1.0], [1.0, 1.0]]), np.array([0.5, -0.5])), optimiser.init(numbers)
    before, step = function(numbers, *data), jax.jit(jax.value_and_grad(function))
    for _ in range(50):
        _, gradient = step(numbers, *data)
        updates, state = optimiser.update(gradient, state)
        numbers = optax.apply_updates(numbers, updates)
    assert function(numbers, *data) < before / 20


def test_what_a_function_returns(model):
    w = Value(2.0)
    fast = mg.compile(lambda x: {"twice": w * x, "both": [x, w]}, [w])
    found = fast.as_function("jax", per_example=True)(np.array([3.0]), np.array([1.0, 2.0]))
    assert {name: np.asarray(part).tolist() for name, part in found.items() if name == "twice"} == {"twice": [3.0, 6.0]}
    assert np.asarray(found["both"][1]).tolist() == [3.0, 3.0]
    with pytest.raises(ValueError, match="returns 3 numbers, which have no mean: give per_example=True"):
        fast.as_function("jax")(np.array([3.0]), np.array([1.0]))


def test_refusals(model):
    fast = mg.compile(lambda x: model(x), model.parameters())
    with pytest.raises(ValueError, match="no framework 'torch'"):
        fast.as_function("torch")
    with pytest.raises(ValueError, match=r"13 parameters, got an array of shape \(2,\)"):
        fast.as_function("jax")(np.zeros(2), np.zeros((1, 2)))
    with pytest.raises(ValueError, match="whose first axis is the batch"):
        fast.as_function("jax")(np.zeros(13), 1.0)

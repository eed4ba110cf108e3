"""jax_loss: compiled losses inside JAX's transformations, with and without double precision."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import microgradlib as mg
from microgradlib import Value, nn
from microgradlib.compiler import compile as compiled
from microgradlib.costs import cross_entropy
from microgradlib.interop import jax_loss

jax = pytest.importorskip("jax", reason="jax_loss needs JAX")

from microgradlib.compiler.engines.jax import float64_enabled  # noqa: E402

jnp = jax.numpy

X = np.random.default_rng(0).normal(size=(6, 3))
LABELS = np.arange(6) % 4


@pytest.fixture(params=["float32", "float64"])
def dtype(request):
    if request.param == "float32":
        yield request.param
    else:
        with float64_enabled():
            yield request.param


@pytest.fixture
def fast():
    model = nn.MLP([3, 5, 4], activation="tanh", rng=0)
    return compiled(lambda x, y: cross_entropy(model(x), y), model.parameters(), backend="numpy")


@pytest.fixture
def parameters(fast, dtype):
    return jnp.array([p.data for p in fast.parameters], dtype)


def near(got, expected, dtype):
    assert got.dtype == dtype
    return np.abs(np.asarray(got) - expected).max() <= (1e-15 if dtype == "float64" else 2e-7)


@pytest.mark.parametrize("jit", [jax.jit, lambda f: f])
def test_the_mean_and_its_gradient(fast, parameters, dtype, jit):
    mean, gradient = fast.value_and_grad(X, LABELS)
    value, slopes = jit(jax.value_and_grad(lambda *given: 3 * jax_loss(fast)(*given)))(parameters, X, LABELS)
    assert value.shape == ()
    assert near(value, 3 * mean, dtype)
    assert near(slopes, 3 * gradient, dtype)


def test_gradients_by_the_data(fast, parameters, dtype):
    expected = fast.jacobian(X, LABELS)[:, 0, :3] / len(X)
    by_both = jax.jit(jax.grad(jax_loss(fast), (0, 1)))(parameters, jnp.asarray(X), LABELS)
    assert near(by_both[0], fast.value_and_grad(X, LABELS)[1], dtype)
    assert near(by_both[1], expected, dtype)
    assert near(jax.grad(jax_loss(fast), 1)(parameters, jnp.asarray(X), LABELS), expected, dtype)


def test_the_hessian(fast, parameters, dtype):
    hessian = jax.jit(jax.jacrev(jax.grad(jax_loss(fast))))(parameters, X, LABELS)
    assert near(hessian, fast.hessian(X, LABELS), dtype)


def test_vmap(fast, parameters, dtype):
    loss, several = jax_loss(fast), jnp.stack([parameters, 2 * parameters])
    means = jax.vmap(loss, (0, None, None))(several, X, LABELS)
    assert near(means, [loss(p, X, LABELS) for p in several], dtype)
    single = jax.vmap(lambda x, y: loss(parameters, x[None], y[None]))(jnp.asarray(X), jnp.asarray(LABELS))
    assert near(single, fast(X, LABELS), dtype)


def test_optax(fast, parameters):
    optax = pytest.importorskip("optax", reason="the optimizer is optax's")
    loss, optimizer = jax_loss(fast), optax.adam(0.05)
    state = optimizer.init(parameters)

    @jax.jit
    def step(parameters, state):
        updates, state = optimizer.update(jax.grad(loss)(parameters, X, LABELS), state)
        return optax.apply_updates(parameters, updates), state

    for _ in range(100):
        parameters, state = step(parameters, state)
    assert loss(parameters, X, LABELS) < 0.01


def test_the_compiled_function_keeps_its_parameters(dtype):
    w = Value(2.0)
    fast = compiled(lambda x: w * x, [w], backend="numpy")
    assert jax_loss(fast)(jnp.array([5.0]), [1.0]) == 5.0
    assert fast([1.0]).tolist() == [2.0]


def test_what_is_not_computed_is_refused(fast):
    loss, parameters, x = jax_loss(fast), jnp.zeros(44), jnp.asarray(X)
    with pytest.raises(TypeError, match="forward-mode"):
        jax.hessian(loss)(parameters, x, LABELS)
    with pytest.raises(NotImplementedError, match="differentiated by the parameters alone"):
        jax.grad(lambda x: jax.grad(loss)(parameters, x, LABELS).sum())(x)
    with pytest.raises(ValueError, match="do not support JVP"):
        jax.grad(lambda p: jax.grad(loss, 1)(p, x, LABELS).sum())(parameters)
    with pytest.raises(ValueError, match="do not support JVP"):
        jax.grad(lambda p: jax.jacrev(jax.grad(loss))(p, x, LABELS).sum())(parameters)


@pytest.mark.parametrize("given", [jnp.zeros(3), jnp.zeros((1, 44)), jnp.zeros(44, int), 1.0])
def test_parameters_of_another_kind(fast, given):
    with pytest.raises(ValueError, match="one flat array of 44 floats"):
        jax_loss(fast)(given, X, LABELS)


def test_what_is_no_compiled_loss():
    with pytest.raises(TypeError, match="give a compiled loss"):
        jax_loss(abs)


def test_a_loss_compiled_for_jax(fast):
    fast.backend = "jax"
    with pytest.raises(ValueError, match="as_function"):
        jax_loss(fast)


PROGRAM = """
import sys
for name in {missing!r}: sys.modules[name] = None
from microgradlib import Value, compile, interop
from microgradlib.errors import MissingExtraError
assert not {{"jax", "torch", "onnx", "sklearn"}} & {{name for name, module in sys.modules.items() if module}}
w = Value(1.0)
fast = compile(lambda x: w * x, [w], backend="numpy"); fast([1.0])
for use in (lambda: interop.jax_loss(fast), lambda: interop.torch_loss(fast), lambda: interop.to_onnx(fast, "x.onnx"),
            lambda: interop.MicrogradClassifier):
    try: use()
    except MissingExtraError as error: print(error)
"""


def test_missing_extras_are_named():
    program = PROGRAM.format(missing=["jax", "torch", "onnx", "sklearn"])
    root = Path(mg.__file__).parents[1]
    command = [sys.executable, "-W", "error", "-c", program]
    lines = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout.splitlines()
    assert [line.split("pip install ")[1] for line in lines] == [
        f'"microgradlib[{extra}]"' for extra in ("jax", "torch", "onnx", "data")
    ]


@pytest.mark.parametrize(
    "function",
    [
        mg.tanh,
        lambda v: mg.softmax([v, 2 * v])[0],
        lambda v: mg.costs.squared_error(v, 1.0),
        lambda v: (Value(3.0) * v).data,
        lambda v: mg.tanh(jnp.array([1.0, 2.0]) * v)[0],
        lambda v: compiled(mg.tanh, backend="numpy")(jnp.array([v])).sum(),
    ],
)
def test_what_jax_follows_is_no_number(function):
    for transform in (jax.grad, jax.jit):
        with pytest.raises(TypeError, match=r"which JAX follows: nothing flows back to it from here; jax_loss"):
            transform(function)(1.0)

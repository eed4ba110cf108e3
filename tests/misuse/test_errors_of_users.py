"""An exception of a user's own function comes through unchanged, and what was passed is as it was."""

import random

import pytest
from call_arguments import mlp
from state_snapshots import changes, snapshot

import microgradlib as mg
from microgradlib import Value, costs, data, nn, numeric, optim, testing, training

X, Y = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0.0, 1.0, 1.0, 0.0]
pytestmark = pytest.mark.usefixtures("plot_settings")


class OwnError(ValueError):
    """An exception that is not made of one text."""

    def __init__(self, code, place):
        super().__init__(f"{code} at {place}")
        self.code = code


ERRORS = [ValueError("mine"), TypeError("mine"), KeyError("mine"), ZeroDivisionError("mine"), OwnError(3, "here")]


def raising(error):
    def fails(*args, **kwargs):
        raise error

    return fails


def module(fails):
    class Failing(nn.Module):
        def __init__(self):
            self.w = Value(1.0)

        def __call__(self, x):
            return fails(x)

    return Failing()


CALLS = {
    "grad": lambda f: mg.grad(f)(1.0),
    "value_and_grad": lambda f: mg.value_and_grad(f)(1.0),
    "jacobian": lambda f: mg.jacobian(f)(1.0),
    "hessian": lambda f: mg.hessian(f)(1.0),
    "elementwise_grad": lambda f: mg.elementwise_grad(f)(1.0),
    "jvp": lambda f: mg.jvp(f, 1.0, 1.0),
    "vjp": lambda f: mg.vjp(f, 1.0),
    "hvp": lambda f: mg.hvp(f, 1.0, 1.0),
    "gradcheck": lambda f: mg.gradcheck(f, [1.0]),
    "taylor_slope": lambda f: numeric.taylor_slope(f, [1.0]),
    "complex_step_derivative": lambda f: numeric.complex_step_derivative(f, 1.0),
    "assert_gradients_close": lambda f: testing.assert_gradients_close(f, [1.0]),
    "compile": lambda f: mg.compile(f)([1.0]),
    "the value rule of define_op": lambda f: mg.define_op("failing", f, [lambda xp, z, x: 1.0], formula="x"),
    "a derivative rule of define_op": lambda f: mg.define_op("failing", lambda xp, x: x, [f], formula="x"),
    "minimize": lambda f: optim.minimize(f, [Value(1.0)]),
    "a schedule": lambda f: optim.SGD([Value(1.0)], lr=f).step(),
    "Sequential": lambda f: nn.Sequential(f)([1.0]),
    "a module": lambda f: module(f)([1.0]),
    "an activation": lambda f: nn.MLP([2, 3, 1], activation=f, rng=0)([1.0, 2.0]),
    "an initialiser": lambda f: nn.MLP([2, 3, 1], init=f, rng=0),
    "augmented": lambda f: data.augmented(data.xor(), f),
    "nll_of": lambda f: costs.nll_of(f)(1.0, 1.0),
    "score": lambda f: training.score(mlp(), f, X, Y),
    "explain": lambda f: mg.explain(mlp(), f, [1.0, 2.0], 1.0),
    "plot_loss_surface": lambda f: mg.plot_loss_surface(f, Value(1.0), Value(2.0)),
    "plot_activations": mg.plot_activations,
    "plot_decision_boundary": lambda f: mg.plot_decision_boundary(f, (X, [0, 1, 1, 0])),
}


@pytest.mark.parametrize("error", ERRORS, ids=repr)
@pytest.mark.parametrize("name", CALLS)
def test_an_exception_of_a_function_comes_through(name, error):
    if name == "minimize":
        pytest.importorskip("scipy", reason="needs SciPy")
    with pytest.raises(type(error)) as caught:
        CALLS[name](raising(error))
    assert caught.value is error


TAKERS = ["loss", "callbacks", "regulariser", "penalty", "augment", "optimizer"]


@pytest.mark.parametrize("error", ERRORS, ids=repr)
@pytest.mark.parametrize("taker", TAKERS)
@pytest.mark.parametrize("compiled", [True, False, "auto"])
def test_an_exception_during_training_comes_through_and_changes_nothing(taker, error, compiled):
    model, rng = mlp(), random.Random(3)
    before = snapshot(model, rng)
    settings = {"loss": costs.squared_error, taker: raising(error)}
    loss = settings.pop("loss")
    with pytest.raises(type(error)) as caught:
        mg.fit(model, loss, X, Y, epochs=2, rng=rng, compiled=compiled, **settings)
    assert caught.value is error
    assert changes(before, snapshot(model, rng)) == []


@pytest.mark.parametrize("error", ERRORS, ids=repr)
@pytest.mark.parametrize("compiled", [True, False, "auto"])
def test_an_exception_of_a_model_comes_through_and_changes_nothing(error, compiled):
    model = module(raising(error))
    before = snapshot(model)
    with pytest.raises(type(error)) as caught:
        mg.fit(model, costs.squared_error, X, Y, epochs=2, compiled=compiled)
    assert caught.value is error
    assert changes(before, snapshot(model)) == []

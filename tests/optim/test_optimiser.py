"""Optimisers: settings, learning rates, states; an error changes nothing."""

import math
import subprocess
import sys

import numpy as np
import pytest

from microgradlib import Symbol, Value
from microgradlib.nn import MLP
from microgradlib.optim import SGD, Adagrad, Adam, AdamW, RMSprop, linear

KINDS = [SGD, Adam, AdamW, RMSprop, Adagrad]
each = pytest.mark.parametrize("kind", KINDS)


def values(*numbers):
    return [Value(x) for x in numbers]


def numbers(parameters):
    return parameters.tolist() if isinstance(parameters, np.ndarray) else [p.data for p in parameters]


def test_pytorchs_spelling():
    model = MLP(2, [3, 1], activation="tanh", rng=0)
    optimizer = SGD(model.parameters(), lr=0.1)
    before = (model([1.0, -1.0]) - 2.0) ** 2
    optimizer.zero_grad()
    before.backward()
    expected = [p.data - 0.1 * p.grad for p in model.parameters()]
    optimizer.step()
    assert [p.data for p in model.parameters()] == expected
    assert ((model([1.0, -1.0]) - 2.0) ** 2).data < before.data
    optimizer.zero_grad()
    assert {p.grad for p in model.parameters()} == {0.0}


@each
def test_positions_of_settings_are_pytorchs(kind):
    order = {
        SGD: ["lr", "momentum", "dampening", "weight_decay", "nesterov"],
        Adam: ["lr", "betas", "eps", "weight_decay", "amsgrad"],
        AdamW: ["lr", "betas", "eps", "weight_decay", "amsgrad"],
        RMSprop: ["lr", "alpha", "eps", "weight_decay", "momentum", "centered"],
        Adagrad: ["lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps"],
    }[kind]
    given = {"betas": (0.5, 0.6), "nesterov": False, "amsgrad": True, "centered": True}
    arguments = [given.get(name, 0.25) for name in order]
    optimiser = kind(values(1.0), *arguments)
    assert [getattr(optimiser, name) for name in order] == arguments


def test_reprs():
    assert repr(Adam(values(*range(4192)))) == (
        "Adam(4,192 parameters, lr=0.001, betas=(0.9, 0.999), eps=1e-08, weight_decay=0.0, amsgrad=False)"
    )
    assert "1 parameter, lr=linear(start=0.1, end=0.0, steps=9)," in repr(SGD(np.ones(1), lr=linear(0.1, 0.0, 9)))


# What is refused


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        (SGD, {"lr": -0.1}, r"lr must be a finite number >= 0, got -0\.1; write lr=0\.01"),
        (SGD, {"lr": math.nan}, "lr .* nan"),
        (SGD, {"lr": math.inf}, "lr .* inf"),
        (SGD, {"momentum": -0.5}, "momentum .* -0.5"),
        (SGD, {"weight_decay": -1}, "weight_decay .* -1"),
        (SGD, {"nesterov": True}, "nesterov=True needs momentum"),
        (SGD, {"nesterov": True, "momentum": 0.9, "dampening": 0.1}, "nesterov=True needs .* dampening 0"),
        (Adam, {"betas": (1.0, 0.9)}, r"betas\[0\] .* < 1, got 1.0"),
        (AdamW, {"betas": (0.9, -0.1)}, r"betas\[1\] .* got -0.1"),
        (Adam, {"eps": -1e-8}, "eps .* -1e-08"),
        (RMSprop, {"alpha": 1.5}, "alpha .* 1.5"),
        (RMSprop, {"momentum": -1}, "momentum"),
        (Adagrad, {"lr_decay": -1}, "lr_decay"),
        (Adagrad, {"initial_accumulator_value": -1}, "initial_accumulator_value"),
    ],
)
def test_settings_out_of_range(kind, settings, message):
    with pytest.raises(ValueError, match=message):
        kind(values(1.0), **settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lr": "fast"}, "lr must be a finite number >= 0, got 'fast'"),
        ({"betas": 0.9}, r"betas must be a pair .* got 0\.9; write betas="),
        ({"betas": (0.9,)}, "betas must be a pair"),
        ({"eps": None}, "eps must be a finite number >= 0, got None"),
        ({"amsgrad": "yes"}, "amsgrad must be True or False, got 'yes'; write amsgrad=True"),
        ({"momentum": 0.9}, "momentum"),
    ],
)
def test_settings_of_the_wrong_kind(settings, message):
    with pytest.raises(TypeError, match=message):
        Adam(values(1.0), **settings)


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ([], ValueError, r"no parameters to change; pass model\.parameters"),
        (iter([]), ValueError, "no parameters to change"),
        (np.ones(0), ValueError, "the array is empty"),
        (3.0, TypeError, r"a list of Values, .* got 3\.0"),
        ([1.0], TypeError, "leaf Values, got 1.0 at index 0"),
        ([Value(1.0), Symbol("x")], TypeError, "at index 1"),
        ([{"params": []}], ValueError, "group 0: there are no parameters to change"),
        ({"w": Value(1.0)}, TypeError, "got {.w.: Value"),
        ([np.ones(2)], TypeError, "concatenate them"),
        ([Value(1.0) * 2], ValueError, r"parameter 0 was computed by \*"),
        ([Value(1.0)] * 2, ValueError, "parameters 0 and 1 are the same Value"),
        (np.ones(2, dtype=int), TypeError, "arrays of floats, got dtype int64"),
        (np.array(values(1.0, 2.0)), TypeError, "Values go in a list"),
        (np.broadcast_to(1.0, 3), ValueError, "read-only"),
    ],
    ids=lambda value: type(value).__name__ if hasattr(value, "__next__") else str(value),
)
def test_invalid_parameters_raise(parameters, error, message):
    with pytest.raises(error, match=message):
        SGD(parameters)


@pytest.mark.parametrize("make", [lambda: values(1.0, 2.0, 3.0), lambda: np.array([1.0, 2.0, 3.0])])
@pytest.mark.parametrize(
    ("gradient", "error"),
    [
        ([1.0, 2.0], ValueError),
        (np.ones(4), ValueError),
        (np.ones((3, 1)), (ValueError, TypeError)),
        ([[1.0], [1.0, 2.0], [3.0]], TypeError),
        (["a", "b", "c"], TypeError),
        ([1.0, 2.0, None], TypeError),
        (1.0, (ValueError, TypeError)),
        (lambda: None, TypeError),
    ],
    ids=lambda value: "a function" if callable(value) and not isinstance(value, type) else str(value),
)
def test_a_wrong_gradient_changes_nothing(make, gradient, error):
    parameters = make()
    optimiser = Adam(parameters)
    with pytest.raises(error, match="the gradient"):
        optimiser.step(gradient)
    assert numbers(parameters) == [1.0, 2.0, 3.0]
    assert optimiser.steps == 0
    assert not any(map(any, optimiser.buffers.values()))


def test_an_array_has_no_grad():
    optimiser = SGD(np.ones(2))
    with pytest.raises(TypeError, match=r"pass its gradient, as in step\(gradient\)"):
        optimiser.step()
    optimiser.zero_grad()


def test_gradients_of_any_numbers():
    w = values(1.0, 2.0)
    SGD(w, lr=1).step((np.float32(0.5), True))
    assert numbers(w) == [0.5, 1.0]
    array = np.ones((2, 2))
    gradient = np.array([[1, 2], [3, 4]])
    optimiser = SGD(array, lr=0.5, momentum=0.5)
    optimiser.step(gradient)
    gradient[:] = 0  # the velocity is not the caller's array
    optimiser.step(gradient)
    assert array.tolist() == [[0.25, -0.5], [-1.25, -2.0]]


# The learning rate


def test_the_rate_may_be_assigned():
    w = values(1.0)
    optimiser = SGD(w, lr=0.5)
    optimiser.step([1.0])
    optimiser.lr = 0.25
    optimiser.step([1.0])
    assert (w[0].data, optimiser.rate) == (0.25, 0.25)
    with pytest.raises(ValueError, match="lr"):
        optimiser.lr = -1
    assert optimiser.lr == 0.25


def test_a_schedule_is_called_with_steps_from_0():
    asked, w = [], values(1.0)
    optimiser = Adagrad(w, lr=lambda t: asked.append(t) or 0.5 - t)
    optimiser.step([1.0])
    with pytest.raises(ValueError, match=r"lr\(1\) must be a finite number >= 0, got -0\.5"):
        optimiser.step([1.0])
    assert (asked, optimiser.steps) == ([0, 1], 1)


def test_an_interrupt_in_the_rule_changes_nothing():
    class Interrupted(SGD):
        def update(self, xp, t, lr, p, g):
            if p == 2.0:
                raise KeyboardInterrupt
            return super().update(xp, t, lr, p, g)

    w = values(1.0, 2.0)
    optimiser = Interrupted(w, lr=0.1)
    with pytest.raises(KeyboardInterrupt):
        optimiser.step([1.0, 1.0])
    assert (numbers(w), optimiser.steps) == ([1.0, 2.0], 0)


def test_stepping_values_needs_no_numpy():
    program = (
        "import sys; sys.modules['numpy'] = None\n"
        "from microgradlib import Value, optim\n"
        "w = Value(3.0); o = optim.Adam([w]); (w * w).backward(); optim.clip_grad_norm([w], 1.0); o.step()\n"
        "assert w.data < 3 and o.state_dict()"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True)


def test_what_an_optimiser_shows_of_its_parameters_cannot_be_extended():
    one, two = values(1.0, 2.0)
    optimiser = Adam([one], lr=0.1)
    for shown in (optimiser.parameters, optimiser.param_groups, optimiser.param_groups[0]["params"]):
        with pytest.raises(AttributeError, match="append"):
            shown.append(two)
    optimiser.step([1.0])
    assert numbers([two]) == [2.0]

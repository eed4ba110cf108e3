"""States of optimisers: exact continuation of training; a mismatched state changes nothing."""

import copy
import json
import math
import pickle

import numpy as np
import pytest

from microgradlib import Value
from microgradlib.optim import SGD, Adagrad, Adam, AdamW, RMSprop, linear


def values(*numbers):
    return [Value(x) for x in numbers]


def numbers(parameters):
    return parameters.tolist() if isinstance(parameters, np.ndarray) else [p.data for p in parameters]


@pytest.mark.parametrize("make", [lambda: values(1.0, -2.0), lambda: np.array([1.0, -2.0])])
@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        (SGD, {}),
        (SGD, {"momentum": 0.9, "nesterov": True, "lr": linear(0.1, 0.0, 8)}),
        (Adam, {"lr": 0.1, "betas": (0.5, 0.6), "amsgrad": True}),
        (AdamW, {}),
        (RMSprop, {"centered": True, "momentum": 0.3}),
        (Adagrad, {"lr_decay": 0.5, "initial_accumulator_value": 2.0}),
    ],
)
def test_a_loaded_state_continues_training_exactly(kind, settings, make):
    whole, stopped = make(), make()
    gradients = [[math.sin(t), math.cos(3 * t)] for t in range(8)]
    one, two = kind(whole, **settings), kind(stopped, **settings)
    for gradient in gradients:
        one.step(gradient)
    for gradient in gradients[:3]:
        two.step(gradient)
    state = json.loads(json.dumps(two.state_dict()))
    later = kind(stopped, lr=settings["lr"]) if "lr" in settings else kind(stopped)
    later.load_state_dict(state)
    for gradient in gradients[3:]:
        later.step(gradient)
    assert numbers(stopped) == numbers(whole)
    assert json.dumps(later.state_dict()) == json.dumps(one.state_dict())
    assert repr(later) == repr(one)


def test_invalid_states_raise():
    with pytest.raises(TypeError, match=r"a state must be a dict, .* got \[1\.0\]"):
        Adam(values(1.0)).load_state_dict([1.0])


def test_copies_and_pickles_continue_training():
    optimiser = Adam(values(1.0, 2.0), lr=linear(0.1, 0.0, 8))
    optimiser.step([1.0, 2.0])
    for other in (copy.deepcopy(optimiser), pickle.loads(pickle.dumps(optimiser))):
        other.step([1.0, 1.0])
        assert other.steps == 2
    assert optimiser.steps == 1


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda s: s.pop("steps"), ValueError, "the state lacks steps"),
        (lambda s: s.update({"class": "SGD"}), ValueError, "state is that of 'SGD': it cannot be loaded into Adam"),
        (lambda s: s.update(steps=-1), ValueError, "steps must be a whole number >= 0"),
        (lambda s: s.update(steps=1.5), TypeError, "steps must be a whole number"),
        (lambda s: s.update(lr=None), ValueError, "set lr of this optimiser to the schedule"),
        (lambda s: s.update(lr=-1.0), ValueError, "lr"),
        (lambda s: s["settings"].update(betas=[0.9, 2.0]), ValueError, r"betas\[1\]"),
        (
            lambda s: s["settings"].update(amsgrad=True),
            ValueError,
            "the buffers of this optimiser are m, v, v_max; the state has m, v",
        ),
        (lambda s: s["settings"].update(momentum=0.9), ValueError, "the settings .* betas, .*; .* momentum"),
        (lambda s: s["buffers"].pop("v"), ValueError, "buffers .* state has m"),
        (lambda s: s.update(buffers=3), TypeError, "the buffers of a state must be a dict, as .*, got 3"),
        (lambda s: s.update(settings=[]), TypeError, "the settings of a state must be a dict"),
        (lambda s: s.update(groups=1.5), TypeError, "the groups of a state must be a list, .* got 1.5"),
        (lambda s: s.update(groups=[None]), TypeError, "the state of a group must be a dict, .* got None"),
        (lambda s: s["buffers"].update(v=[1.0]), ValueError, "the buffer v .* 2 parameters, got 1"),
        (lambda s: s["buffers"].update(v=[1.0, "2"]), TypeError, "the buffer v: .* str '2'"),
    ],
)
def test_a_mismatched_state_changes_nothing(change, error, message):
    optimiser = Adam(values(1.0, 2.0), lr=0.5)
    optimiser.step([1.0, 2.0])
    before = json.dumps(optimiser.state_dict())
    state = json.loads(before)
    state["settings"]["eps"] = 1.0
    change(state)
    with pytest.raises(error, match=message):
        optimiser.load_state_dict(state)
    assert json.dumps(optimiser.state_dict()) == before
    assert optimiser.eps == 1e-8

"""Parameter groups and maximize: each group as an optimiser of its own, on Values and arrays; states; wrong groups."""

import copy
import json
import pickle

import numpy as np
import pytest
from hypothesis import given, settings as examples, strategies as st
from peer_records import as_recorded, peer_record

from microgradlib import Value, exp, tanh, value_and_grad
from microgradlib.nn import MLP
from microgradlib.optim import SGD, Adagrad, Adam, AdamW, RMSprop, linear
from microgradlib.optim.flat import FlatOptimiser

PEER = peer_record("optim")
KINDS = [SGD, Adam, AdamW, RMSprop, Adagrad]
each = pytest.mark.parametrize("kind", KINDS)
OWN = {
    SGD: {"lr": 0.3, "momentum": 0.9, "nesterov": True},
    Adam: {"lr": linear(0.3, 0.0, 5), "amsgrad": True, "maximize": True},
    AdamW: {"weight_decay": 0.5, "betas": (0.5, 0.6)},
    RMSprop: {"centered": True, "momentum": 0.5, "eps": 1e-3},
    Adagrad: {"lr_decay": 0.5, "initial_accumulator_value": 2.0},
}
slopes = st.lists(st.floats(-1e3, 1e3), min_size=5, max_size=5)


def loss(p):
    """The function of tests/peers/record_optim.py."""
    a, b, c, d = p
    return (1 - a) ** 2 + 3 * (b - a * a) ** 2 + tanh(c * a - d) + exp(-c * d) + d**4 / 10


@pytest.mark.parametrize("case", PEER["grouped"], ids=lambda case: case["class"])
@pytest.mark.parametrize("flat", [False, True])
def test_groups_step_as_pytorchs(case, flat):
    parameters, array = [Value(x) for x in PEER["start"]], np.array(PEER["start"])
    groups = [
        {"params" if name == "places" else name: [parameters[i] for i in x] if name == "places" else x
         for name, x in group.items()}
        for group in case["groups"]
    ]  # fmt: skip
    [kind] = [kind for kind in KINDS if kind.__name__ == case["class"]]
    optimiser = kind(groups, **case["defaults"])
    on_array = FlatOptimiser(optimiser, parameters, array)
    for step in range(1, 11):
        if flat:
            on_array.start()
            on_array.step(np.array(value_and_grad(loss)(array.tolist())[1]))
        else:
            optimiser.zero_grad()
            loss(parameters).backward()
            optimiser.step()
        if str(step) in case["shown"]:
            assert (array.tolist() if flat else data(parameters)) == as_recorded(case["shown"][str(step)])


def values(*numbers):
    return [Value(x) for x in numbers]


def data(parameters):
    return [p.data for p in parameters]


@each
@examples(max_examples=8)
@given(gradients=st.lists(slopes, min_size=1, max_size=4))
def test_a_group_steps_as_an_optimiser_of_its_own(kind, gradients):
    together, apart, array = values(1, 2, 3, 4, 5), values(1, 2, 3, 4, 5), np.array([1.0, 2, 3, 4, 5])
    flat_values, flat_array = values(1, 4, 2, 5, 3), np.array([1.0, 4, 2, 5, 3])
    grouped = kind([{"params": together[:2]}, {"params": iter(together[2:]), **OWN[kind]}], lr=0.1)
    first, second = kind(apart[:2], lr=0.1), kind(apart[2:], **{"lr": 0.1, **OWN[kind]})
    arrays = kind([{"params": array[:2]}, {"params": array[2:], **OWN[kind]}], lr=0.1)
    interleaved = [flat_values[i] for i in (0, 2)], [flat_values[i] for i in (4, 1, 3)]
    behind = kind([{"params": interleaved[0]}, {"params": interleaved[1], **OWN[kind]}], lr=0.1)
    flat = FlatOptimiser(behind, flat_values, flat_array)
    assert FlatOptimiser.serves(behind)
    for k, gradient in enumerate(gradients):
        grouped.step(gradient)
        first.step(gradient[:2])
        second.step(gradient[2:])
        arrays.step(np.array(gradient) if k % 2 else [gradient[:2], np.array(gradient[2:])])
        flat.start()
        flat.step(np.array([gradient[i] for i in (0, 3, 1, 4, 2)]))
    assert data(together) == data(apart) == [flat_array[i] for i in (0, 2, 4, 1, 3)]
    np.testing.assert_allclose(array, data(together), rtol=1e-15)
    assert json.dumps(behind.state_dict()) == json.dumps(grouped.state_dict())
    assert grouped.param_groups[1].buffers == second.buffers
    assert grouped.steps == behind.steps == len(gradients)


@each
@examples(max_examples=8)
@given(gradients=st.lists(slopes, min_size=1, max_size=4))
def test_maximize_is_descent_on_the_negative(kind, gradients):
    up, down = values(1, 2, 3, 4, 5), values(1, 2, 3, 4, 5)
    array = np.array([1.0, 2, 3, 4, 5])
    settings = {"weight_decay": 0.1}
    climbing, descending = kind(up, maximize=True, **settings), kind(down, **settings)
    on_array = kind(array, maximize=True, **settings)
    for gradient in gradients:
        climbing.step(gradient)
        on_array.step(gradient)
        descending.step([-g for g in gradient])
    assert data(up) == data(down)
    np.testing.assert_allclose(array, data(up), rtol=1e-15)


def test_maximize_climbs():
    w = Value(0.0)
    optimiser = SGD([w], lr=0.25, maximize=True)
    for _ in range(30):
        optimiser.zero_grad()
        (1 - (w - 3) ** 2).backward()
        optimiser.step()
    assert w.data == pytest.approx(3.0, abs=1e-6)
    assert repr(optimiser).endswith("nesterov=False, maximize=True)")
    assert "maximize" not in repr(SGD([w]))
    with pytest.raises(TypeError, match="maximize must be True or False"):
        SGD([w], maximize="yes")


def test_numbers_assigned_to_a_group_hold_from_the_next_step():
    one, two = values(1.0, 1.0)
    optimiser = SGD([{"params": [one], "lr": 0.5, "name": "head"}, {"params": two}], lr=0.25)
    head, rest = optimiser.param_groups
    assert (head["name"], head["lr"], rest["lr"], rest["momentum"]) == ("head", 0.5, 0.25, 0.0)
    assert head["params"] == (one,)
    for group in optimiser.param_groups:
        group["lr"] *= 2
    optimiser.step([1.0, 1.0])
    assert data([one, two]) == [0.0, 0.5]
    optimiser.lr = 4.0  # of the groups without a rate of their own: both have one by now
    assert (head["lr"], rest["lr"]) == (1.0, 0.5)
    head["momentum"] = 0.5
    assert head.buffers == {"velocity": [0.0]}
    assert (rest.buffers, head.steps) == ({}, 1)
    assert "<group 'head' of 1 parameter, lr=1.0, momentum=0.5" in repr(head)
    with pytest.raises(ValueError, match="lr must be"):
        head["lr"] = -1.0
    with pytest.raises(ValueError, match=r"a group of SGD sets any of lr, momentum, .*, got 'beta'"):
        head["beta"] = 1.0
    with pytest.raises(TypeError, match="a group keeps its lr"):
        del head["lr"]


def test_the_only_group_is_the_optimiser_itself():
    [w] = values(1.0)
    for optimiser in (SGD([w], lr=0.5), SGD([{"params": [w], "lr": 0.5}])):
        assert optimiser.lr == 0.5
        [group] = optimiser.param_groups
        group["lr"] = 0.25
        group["momentum"] = 0.9
        assert (optimiser.lr, optimiser.momentum, optimiser.buffers) == (0.25, 0.9, {"velocity": [0.0]})
        optimiser.lr = 0.125
        assert group["lr"] == 0.125


def test_groups_may_be_added():
    one, two = values(1.0, 1.0)
    optimiser = Adam([one], lr=0.1)
    optimiser.step([1.0])
    optimiser.add_param_group({"params": [two], "lr": 1.0})
    optimiser.step([1.0, 1.0])
    alone = Value(1.0)
    Adam([alone], lr=1.0).step([1.0])
    assert two.data == alone.data
    assert (optimiser.steps, [group.steps for group in optimiser.param_groups]) == (2, [2, 1])
    assert optimiser.parameters == (one, two)
    before = json.dumps(optimiser.state_dict())
    for wrong, error in (({"params": [two]}, ValueError), ({"params": values(1.0), "lr": -1}, ValueError)):
        with pytest.raises(error):
            optimiser.add_param_group(wrong)
    assert json.dumps(optimiser.state_dict()) == before


@each
def test_states_of_groups_continue_exactly(kind):
    def make(parameters, **settings):
        return kind([{"params": parameters[:1]}, {"params": parameters[1:], **settings}], lr=0.1)

    whole, stopped = values(1.0, 2.0, 3.0), values(1.0, 2.0, 3.0)
    own = {**OWN[kind], "lr": 0.2}
    one, two = make(whole, **own), make(stopped, **own)
    one.step([1.0, -2.0, 3.0])
    two.step([1.0, -2.0, 3.0])
    later = make(stopped)
    later.load_state_dict(json.loads(json.dumps(two.state_dict())))
    for optimiser in (one, later):
        optimiser.step([0.5, 1.0, -1.0])
    assert data(whole) == data(stopped)
    assert json.dumps(later.state_dict()) == json.dumps(one.state_dict())
    for other in (copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
        other.step([1.0, 1.0, 1.0])
        assert other.steps == 3
    with pytest.raises(ValueError, match="this optimiser has 1 group of parameters, the state 2"):
        kind(values(1.0, 2.0, 3.0)).load_state_dict(one.state_dict())
    with pytest.raises(ValueError, match="2 groups of parameters, the state 1"):
        one.load_state_dict(kind(values(1.0, 2.0, 3.0)).state_dict())


def test_a_wrong_state_of_the_last_group_changes_nothing():
    optimiser = Adam([{"params": values(1.0)}, {"params": values(2.0), "lr": 0.5}], lr=0.1)
    optimiser.step([1.0, 2.0])
    before = optimiser.state_dict()
    wrong = json.loads(json.dumps(before))
    wrong["groups"][0]["steps"], wrong["groups"][1]["buffers"]["v"] = 7, [1.0, 2.0]
    with pytest.raises(ValueError, match="the buffer v"):
        optimiser.load_state_dict(wrong)
    assert optimiser.state_dict() == before
    old = Adam(values(1.0))
    state = old.state_dict()
    del state["settings"]["maximize"]
    old.load_state_dict(state)  # saved before there was maximize


shared = Value(1.0)


@pytest.mark.parametrize(
    ("groups", "error", "message"),
    [
        ([{"params": [shared]}, {"params": [shared]}], ValueError, "groups 0 and 1 both have the parameter"),
        ([{"params": values(1.0)}, 3], TypeError, "group 1 must be a dict such as .* got int"),
        ([{"param": values(1.0)}], TypeError, "group 0 must be .* got a dict without 'params'"),
        ([{"params": values(1.0)}, {"params": 3.0}], TypeError, "group 1: parameters must be a list of Values"),
        ([{"params": values(1.0), "betas": (1, 2)}], ValueError, r"a group of SGD sets any of .*, got 'betas'"),
        ([{"params": values(1.0), "lr": "fast"}], TypeError, "lr must be"),
        ([{"params": values(1.0), "nesterov": True}], ValueError, "nesterov=True needs momentum"),
        ([{"params": values(1.0)}, {"params": np.ones(2)}], TypeError, "all of Values or all of arrays"),
    ],
)
def test_wrong_groups_raise(groups, error, message):
    with pytest.raises(error, match=message):
        SGD(groups)


def test_groups_of_arrays():
    array = np.arange(6.0)
    with pytest.raises(ValueError, match="the arrays of groups 0 and 1 share numbers"):
        SGD([{"params": array[:4]}, {"params": array[3:]}])
    optimiser = SGD([{"params": array[::2]}, {"params": array[1::2].reshape(3, 1), "lr": 0.0}], lr=1.0)
    assert [part.shape for part in optimiser.parameters] == [(3,), (3, 1)]
    for wrong in (np.ones(5), [np.ones(3)], 3.0, [np.ones(3), np.ones(3)]):
        with pytest.raises(ValueError, match="the gradient"):
            optimiser.step(wrong)
    assert repr(optimiser).startswith("SGD(6 parameters in 2 groups, lr=1.0, ")
    optimiser.step(np.ones(6))
    assert array.tolist() == [-1.0, 1.0, 1.0, 3.0, 3.0, 5.0]


def test_an_error_in_the_last_group_changes_nothing():
    one, two = values(1.0, 1.0)
    optimiser = SGD([{"params": [one]}, {"params": [two], "lr": lambda t: -1.0}], lr=1.0)
    with pytest.raises(ValueError, match=r"lr\(0\)"):
        optimiser.step([1.0, 1.0])
    assert data([one, two]) == [1.0, 1.0]
    assert optimiser.steps == 0


def test_which_optimisers_step_on_flat_arrays():
    class Own(SGD):
        def step(self, gradient=None):
            super().step(gradient)

    patched = SGD(values(1.0))
    patched.step = lambda gradient=None: None
    assert not any(map(FlatOptimiser.serves, (Own(values(1.0)), patched, SGD(np.ones(1)), "x")))


def test_weights_decay_alone_by_groups():
    model = MLP([2, 3, 1], rng=0)
    biases = [p for name, p in model.named_parameters() if name.endswith("b")]
    weights = [p for p in model.parameters() if p not in set(biases)]
    for p in biases:
        p.data = 1.0
    before = data(weights)
    SGD([{"params": weights, "weight_decay": 0.5}, {"params": biases}], lr=0.5).step([0.0] * 13)
    assert data(weights) == [w - 0.5 * (0.5 * w) for w in before]
    assert data(biases) == [1.0] * 4


def test_a_group_is_a_mapping_of_its_settings():
    [group] = SGD([Value(1.0)], lr=0.1, momentum=0.5).param_groups
    settings = dict(group)
    assert (len(group), list(group)) == (len(settings), list(settings))
    assert (settings["lr"], settings["momentum"]) == (0.1, 0.5)
    with pytest.raises(TypeError, match="a group keeps its lr"):
        del group["lr"]

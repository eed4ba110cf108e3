"""Every setting accepts NumPy's integers, floats and bools, with the same result as Python's."""

import inspect
from functools import partial

import pytest

from microgradlib import Value, data, optim, regularisers
from microgradlib.costs import squared_error
from microgradlib.nn import MLP
from microgradlib.training import EarlyStopping, fit

np = pytest.importorskip("numpy")

TO_NUMPY = {int: np.int64, float: np.float64, bool: np.bool_}
SMALL = {int: np.int16, float: np.float32, bool: np.bool_}


def converted(settings, classes=TO_NUMPY):
    """Return the settings with NumPy's numbers in place of Python's."""
    return {
        name: tuple(classes[type(x)](x) for x in setting)
        if isinstance(setting, tuple)
        else classes.get(type(setting), lambda x: x)(setting)
        for name, setting in settings.items()
    }


def plain(thing):
    """Return whether all numbers shown in a repr are Python's."""
    return "np." not in repr(thing)


GENERATORS = {
    data.moons: {"n": 30, "noise": 0.25},
    data.circles: {"n": 30, "noise": 0.25, "factor": 0.5},
    data.spirals: {"n": 30, "noise": 0.25, "arms": 3, "turns": 0.5},
    data.sine: {"n": 30, "noise": 0.25, "low": -1.0, "high": 2.0, "even": False},
    data.blobs: {"n": 30, "noise": 0.25, "centres": 4},
    data.yin_yang: {"n": 30, "noise": 0.25},
    partial(data.split, data.iris()): {"held_out": 0.25},
    partial(data.augmented, data.xor(), data.gaussian_noise(0.5)): {"copies": 2},
}


@pytest.mark.parametrize("classes", [TO_NUMPY, SMALL], ids=["64 bits", "fewer bits"])
@pytest.mark.parametrize("make", GENERATORS, ids=lambda make: getattr(make, "func", make).__name__)
def test_data(make, classes):
    settings = {**GENERATORS[make], "rng": 7}
    given = converted(settings, classes)
    points = make(**given)
    assert points == make(**settings)
    assert plain(points)
    every = set(inspect.signature(getattr(make, "func", make)).parameters) - {"dataset", "augmentation"}
    assert every == set(settings)


@pytest.mark.parametrize(
    ("make", "settings"),
    [
        (data.gaussian_noise, {"std": 0.5}),
        (data.shift, {"pixels": 1, "width": 4}),
        (data.mirror, {"width": 4}),
        (data.rotate, {"max_degrees": 30.0, "width": 4}),
    ],
)
def test_augmentations(make, settings):
    image = [float(i) for i in range(16)]
    assert make(**converted(settings))(image, np.int64(3)) == make(**settings)(image, 3)
    assert data.as_image(image, np.int64(4)) == data.as_image(image, 4)


OPTIMISERS = {
    optim.SGD: {"lr": 0.5, "momentum": 0.5, "dampening": 0.0, "weight_decay": 0.25, "nesterov": True},
    optim.Adam: {"lr": 0.5, "betas": (0.5, 0.75), "eps": 0.25, "weight_decay": 0.5, "amsgrad": True},
    optim.AdamW: {"lr": 0.5, "betas": (0.5, 0.75), "eps": 0.25, "weight_decay": 0.5, "amsgrad": True},
    optim.RMSprop: {"lr": 0.5, "alpha": 0.5, "eps": 0.25, "weight_decay": 0.5, "momentum": 0.5, "centered": True},
    optim.Adagrad: {"lr": 0.5, "lr_decay": 0.5, "weight_decay": 0.5, "initial_accumulator_value": 1.0, "eps": 0.25},
}


@pytest.mark.parametrize("kind", OPTIMISERS, ids=lambda kind: kind.__name__)
def test_optimisers(kind):
    settings = OPTIMISERS[kind]
    assert set(inspect.signature(kind).parameters) - {"parameters", "maximize"} == set(settings)
    results = []
    for given in (settings, converted(settings), converted(settings, SMALL)):
        w = Value(3.0)
        optimiser = kind([w], **given)
        for gradient in (1.0, -2.0):
            optimiser.step([np.float64(gradient)])
        assert plain(optimiser)
        assert plain(optimiser.state_dict())
        results.append((w.data, optimiser.state_dict()))
    assert results[0] == results[1] == results[2]


SCHEDULES = {
    optim.constant: {"rate": 0.5},
    optim.linear: {"start": 0.5, "end": 0.25, "steps": 4},
    optim.cosine: {"start": 0.5, "end": 0.25, "steps": 4},
    optim.step_decay: {"rate": 0.5, "every": 2, "factor": 0.5},
    optim.warm_up: {"steps": 3, "then": 0.5},
}


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda schedule: schedule.__name__)
def test_schedules(schedule):
    settings = SCHEDULES[schedule]
    for classes in (TO_NUMPY, SMALL):
        rate = schedule(**converted(settings, classes))
        assert rate == schedule(**settings)
        assert plain(rate)
        assert [rate(t) for t in range(6)] == [schedule(**settings)(t) for t in range(6)]


def test_clipping():
    clipped, norm = optim.clip_by_norm([np.float64(3.0), 4.0], np.float32(1.0))
    assert (clipped, norm) == optim.clip_by_norm([3.0, 4.0], 1.0)
    assert optim.clip_by_value([3.0], np.int64(1)) == [1.0]


def test_regularisers():
    model = MLP([2, 3, 1], rng=0)
    for kind in (regularisers.L1, regularisers.L2):
        assert kind(np.float64(0.5)) == kind(0.5)
        assert kind(np.float64(0.5))(model).data == kind(0.5)(model).data
        assert kind({"layers.0": np.float64(0.5)})(model).data == kind({"layers.0": 0.5})(model).data
    penalty = regularisers.TangentPropagation([np.float64(1.0), 0.0], np.int64(2))
    assert penalty(model, [0.5, 0.5]).data == regularisers.TangentPropagation([1.0, 0.0], 2.0)(model, [0.5, 0.5]).data


@pytest.mark.parametrize("compiled", [False, True])
def test_fit(compiled):
    settings = {
        "epochs": 3,
        "batch_size": 4,
        "validation": 0.25,
        "early_stopping": 2,
        "clip_norm": 0.5,
        "clip_value": 0.25,
        "compiled": compiled,
        "rng": 7,
        "progress": False,
    }
    points = data.sine(12)
    histories = []
    for given in (settings, converted(settings), converted(settings, SMALL)):
        model = MLP([1, 3, 1], rng=0)
        histories.append(fit(model, squared_error, points.inputs, points.targets, **given))
        assert plain(vars(histories[-1]))
    assert histories[0] == histories[1] == histories[2]
    functions = {"optimizer", "callbacks", "regulariser", "penalty", "augment"}
    others = functions | {"model", "loss", "X", "y", "live", "backend", "devices"}  # live is for notebooks only
    assert set(inspect.signature(fit).parameters) - others == set(settings)


def test_early_stopping():
    rule = EarlyStopping(patience=np.int64(3), min_delta=np.float64(0.5))
    assert rule == EarlyStopping(3, 0.5)
    assert plain(rule)

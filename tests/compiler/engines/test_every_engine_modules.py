"""Every module of nn on every engine: those of the same input in one program, whose gradient has a part of each."""

import inspect
import random

import numpy as np
import pytest
from eager_oracle import assert_near
from engine_checks import engines, has_native_code

import microgradlib as mg
from microgradlib import nn
from microgradlib._support.pytree import flatten
from microgradlib.compiler import compile as compiled

GROUPS = {
    "vectors": ((3,), [
        *[nn.MLP([3, 4, 2], activation=activation, rng=0) for activation in (*nn.ACTIVATIONS, "prelu")],
        *[nn.MLP([3, 3], output=output, rng=1) for output in ("sigmoid", "softmax", "log_softmax", "gaussian")],
        nn.Neuron(3, "tanh", rng=0), nn.Layer(3, 5, "relu", rng=0), nn.Maxout(3, 2, pieces=3, rng=0),
        nn.RBF(3, 4, rng=0), nn.GaussianOutput(3, 2, rng=0), nn.Softmax(), nn.LogSoftmax(), nn.LayerNorm(3),
        nn.RMSNorm(3), nn.Dropout(0.5).eval(), nn.Sequential(nn.Layer(3, 4, "tanh", rng=0), nn.LayerNorm(4)),
    ]),
    "signals": ((2, 7), [
        nn.Conv1d(2, 2, 3, stride=2, padding=1, activation="relu", rng=0),
        nn.Conv1d(2, 2, 3, padding="same", dilation=2, padding_mode="circular", rng=0),
        nn.MaxPool1d(3, stride=2, padding=1), nn.AvgPool1d(3, stride=2),
    ]),
    "images": ((2, 4, 5), [
        nn.Conv2d(2, 3, (2, 3), stride=(1, 2), padding=(1, 2), activation="tanh", rng=0), nn.MaxPool2d(2),
        nn.Conv2d(2, 2, 2, stride=(1, 2), padding=2, dilation=(2, 3), bias=False, rng=0),
        nn.AvgPool2d(3, 2, padding=1), nn.Subsampling(2, 2), nn.Flatten(),
    ]),
    "sequences": ((4, 4), [
        nn.RNN(4, 3, "tanh", rng=0), nn.LSTM(4, 3, rng=0, forget_bias=1.0), nn.GRU(4, 3, rng=0),
        nn.GRU(4, 2, num_layers=2, bidirectional=True, rng=1), nn.CausalSelfAttention(4, heads=2, rng=0, init="fan_in"),
    ]),
}  # fmt: skip
INSIDE = {"Cell", "Gate", "GRUCell", "LSTMCell", "Module", "PReLU", "RNNCell", "Unfolded", "Embedding"}
"""Parts of those above, and a table of indices, which is in another test."""


class Together:
    """A function of one input: the sum of weighted outputs of all modules, and the outputs."""

    def __init__(self, group):
        self.shape, self.modules = GROUPS[group]
        self.parameters = [p for module in self.modules for p in module.parameters()]
        rng = random.Random(2)
        for p in self.parameters:
            p.data += rng.uniform(-0.2, 0.2)

    def __call__(self, x):
        outputs = flatten([module(x) for module in self.modules])
        return [mg.sum([y * y * 0.5 + y * (0.3 + 0.01 * k) for k, y in enumerate(outputs)]), *outputs]


def compare(backend, dtype, group, sizes):
    """Hold values, gradients and products with the Hessian to the reference engine's."""
    function = Together(group)
    fast, exact = (compiled(function, function.parameters, backend=b, dtype=dtype) for b in (backend, "reference"))
    within, rng = 1e-11 if dtype == "float64" else 2e-4, np.random.default_rng(0)
    for size in sizes:
        batch = rng.uniform(-1.5, 1.5, (size, *function.shape))
        for found, wanted in zip(fast.rows_and_grad(batch), exact.rows_and_grad(batch)):
            assert_near(found, wanted, within)
    assert backend != "native" or has_native_code(fast._latest().engine)
    return fast, exact, batch, within


@pytest.mark.parametrize("backend", engines("numpy", "native", "jax", marks=[pytest.mark.slow]))
@pytest.mark.parametrize("group", GROUPS)
def test_modules(backend, group):
    compare(backend, "float64", group, (11,))


@pytest.mark.slow
@pytest.mark.parametrize("backend", engines("numpy", "native", "jax"))
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("group", GROUPS)
def test_modules_in_both_precisions_and_their_second_derivatives(backend, dtype, group):
    fast, exact, batch, within = compare(backend, dtype, group, (1, 8, 3))
    vector = np.linspace(-1, 1, len(fast.parameters))
    assert_near(fast.hvp(batch, vector=vector), exact.hvp(batch, vector=vector), 10 * within)
    assert_near(fast.jacobian(batch[:1]), exact.jacobian(batch[:1]), within)


def test_every_module_is_in_a_group():
    classes = {name for name, c in vars(nn).items() if inspect.isclass(c) and issubclass(c, nn.Module)}
    assert classes - INSIDE == {type(module).__name__ for _, modules in GROUPS.values() for module in modules}

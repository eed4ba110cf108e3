"""Sizes and settings as NumPy's numbers give the same layers, and are stored as Python's."""

import numpy as np
import pytest

from microgradlib.nn import (
    GRU,
    LSTM,
    MLP,
    RBF,
    RNN,
    AvgPool1d,
    CausalSelfAttention,
    Conv1d,
    Conv2d,
    Dropout,
    Embedding,
    GaussianOutput,
    Layer,
    LayerNorm,
    Maxout,
    MaxPool2d,
    Neuron,
    RMSNorm,
    Subsampling,
)


@pytest.mark.parametrize(
    "make",
    [
        lambda i, f: Neuron(i(2), rng=i(0)),
        lambda i, f: Layer(i(2), i(3), rng=i(0)),
        lambda i, f: MLP(i(2), [i(3), i(1)], rng=i(0)),
        lambda i, f: MLP(np.array([2, 3, 1]) if i is not int else [2, 3, 1], rng=i(0)),
        lambda i, f: GaussianOutput(i(2), i(1), rng=i(0)),
        lambda i, f: Maxout(i(2), i(1), i(3), rng=i(0)),
        lambda i, f: RBF(i(2), i(1), rng=i(0)),
        lambda i, f: Embedding(i(3), i(2), rng=i(0)),
        lambda i, f: LayerNorm(i(3), f(0.5)),
        lambda i, f: RMSNorm(i(3), f(0.5)),
        lambda i, f: Dropout(f(0.5), rng=i(0)),
        lambda i, f: CausalSelfAttention(i(4), i(2), rng=i(0)),
        lambda i, f: Conv1d(i(1), i(2), i(3), stride=i(2), padding=i(1), rng=i(0)),
        lambda i, f: Conv2d(i(1), i(2), (i(3), i(2)), stride=i(2), padding=(i(1), i(0)), rng=i(0)),
        lambda i, f: AvgPool1d(i(2), i(1)),
        lambda i, f: MaxPool2d((i(2), i(1)), i(1)),
        lambda i, f: Subsampling(i(2), i(2)),
        lambda i, f: RNN(i(2), i(3), rng=i(0), bias_start=f(0.5)),
        lambda i, f: LSTM(i(2), i(3), rng=i(0), forget_bias=f(0.5)),
        lambda i, f: GRU(i(2), i(3), rng=i(0)),
    ],
)
def test_numpy_settings(make):
    model, expected = make(np.int64, np.float64), make(int, float)
    assert model.state_dict() == expected.state_dict()
    assert model.summary() == expected.summary()
    assert repr(model) == repr(expected)
    for name, module in model.named_modules():
        kept = [thing for value in vars(module).values() for thing in (value if isinstance(value, tuple) else [value])]
        assert not any(isinstance(thing, np.generic) for thing in kept), name

"""Pooling: values, ties, subsampling with weights, flattening, a convolutional network, errors."""

import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import microgradlib as mg
from microgradlib import Symbol, Value, evaluate, grad_table
from microgradlib.nn import Layer, Sequential
from microgradlib.nn.convolution import Conv2d
from microgradlib.nn.pooling import AvgPool1d, AvgPool2d, Flatten, MaxPool1d, MaxPool2d, Subsampling
from microgradlib.numeric.differences import numeric_gradient

IMAGE = [[[1.0, 2.0, 3.0], [6.0, 5.0, 4.0], [9.0, 9.0, 9.0]]]


def numbers(nodes):
    return [numbers(node) for node in nodes] if isinstance(nodes, list) else nodes.data


def test_incomplete_windows_are_dropped():
    assert numbers(MaxPool2d(2)(IMAGE)) == [[[6.0]]]
    assert numbers(MaxPool2d((1, 2))(IMAGE)) == [[[2.0], [6.0], [9.0]]]
    assert numbers(AvgPool2d(2, (1, 1))(IMAGE)) == [[[3.5, 3.5], [7.25, 6.75]]]
    assert numbers(MaxPool1d(2)([[1.0, 3.0, 9.0]])) == [[3.0]]
    assert numbers(AvgPool1d(1, stride=2)([[1.0, 3.0, 9.0]])) == [[1.0, 9.0]]


def test_ties_share_the_derivative():
    x = [Value(n) for n in (2.0, 7.0, 7.0, 7.0)]
    [[[y]]] = MaxPool2d(2)([[x[:2], x[2:]]])
    assert (y.op.name, len(y.parents)) == ("maximum", 4)
    table = grad_table(y)
    assert [table[x_i] for x_i in x] == [0.0, 1 / 3, 1 / 3, 1 / 3]
    assert mg.kinks(y) == [y]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-5, 5), min_size=24, max_size=24), st.integers(1, 3), st.integers(1, 2))
def test_max_and_mean_of_windows(x, size, stride):
    x = np.reshape(x, (2, 3, 4))
    windows = np.lib.stride_tricks.sliding_window_view(x, (size, size), (1, 2))[:, ::stride, ::stride]
    assert numbers(MaxPool2d(size, stride)(x)) == windows.max(axis=(3, 4)).tolist()
    mean = np.array(numbers(AvgPool2d(size, stride)(x)))
    assert mean == pytest.approx(windows.mean(axis=(3, 4)), rel=1e-12, abs=1e-12)


def test_subsampling():
    layer = Subsampling(2, 2)
    layer.w[0].data, layer.b[0].data, layer.w[1].data, layer.b[1].data = 2.0, -1.0, -0.5, 0.25
    x = [[[1.0, 2.0], [3.0, 4.0]], [[0.0, 1.0], [0.0, 1.0]]]
    [[[first]], [[second]]] = layer(x)
    assert first.data == pytest.approx(1 / (1 + math.exp(-(2 * 2.5 - 1))), rel=1e-12)
    assert second.data == pytest.approx(0.5, rel=1e-12)
    assert [name for name, _ in layer.named_parameters()] == ["w.0", "w.1", "b.0", "b.1"]
    with pytest.raises(ValueError, match="takes 2 channels, got 1"):
        layer(IMAGE)
    symbols = {Symbol(f"x{i}"): float(n) for i, n in enumerate(np.ravel(x))}
    outputs = layer(np.reshape(list(symbols), (2, 2, 2)).tolist())
    assert evaluate([outputs[0][0][0], outputs[1][0][0]], symbols) == [first.data, second.data]


def test_flatten():
    assert numbers(Flatten()([[[1, 2], [3, 4]], [[5, 6]]])) == [1, 2, 3, 4, 5, 6]
    assert numbers(Flatten()(np.arange(4.0).reshape(2, 1, 2))) == [0, 1, 2, 3]
    nodes = [Value(1.0), Symbol("x")]
    assert Flatten()([[nodes[0]], (nodes[1],)]) == nodes


def test_a_convolutional_network():
    """Convolution, subsampling and a linear layer: gradients equal finite differences."""
    model = Sequential(
        Conv2d(1, 2, 3, activation="tanh", rng=0), MaxPool2d(2), Flatten(), Layer(8, 2, "softmax", rng=1)
    )
    image = np.random.default_rng(0).normal(size=(1, 6, 6)).tolist()
    parameters = model.parameters()
    start = [p.data for p in parameters]
    assert len(parameters) == 2 * 10 + 2 * 9

    def loss(*at):
        for p, number in zip(parameters, at):
            p.data = number
        return -mg.log(model(image)[1])

    table = grad_table(loss(*start))
    assert [table[p] for p in parameters] == pytest.approx(numeric_gradient(loss, start), rel=1e-7, abs=1e-9)
    assert [row.shape for row in model.summary().rows] == ["1 → 2, 3×3 tanh", "2×2", "nested → flat", "8 → 2 softmax"]


def test_descriptions():
    assert repr(MaxPool2d(2)) == "MaxPool2d(2×2)"
    assert repr(AvgPool2d((2, 3), 1)) == "AvgPool2d(2×3, stride 1×1)"
    assert repr(MaxPool1d(3, 2)) == "MaxPool1d(3, stride 2)"
    assert repr(AvgPool1d(3)) == "AvgPool1d(3)"
    assert repr(Subsampling(4)) == "Subsampling(4 channels, 2×2 sigmoid)"
    assert repr(Flatten()) == "Flatten()"


@pytest.mark.parametrize("pool", [MaxPool2d, AvgPool2d])
def test_invalid_images_raise(pool):
    with pytest.raises(ValueError, match=r"got 2 levels of lists; write \[image\]"):
        pool(2)([[1.0, 2.0], [3.0, 4.0]])
    with pytest.raises(ValueError, match="size 4 does not fit on an axis of length 3"):
        pool(4)(IMAGE)
    with pytest.raises(ValueError, match="size must be a whole number >= 1"):
        pool(0)
    with pytest.raises(ValueError, match="stride must be a whole number >= 1"):
        pool(2, stride=0)
    with pytest.raises(TypeError, match="size must be a whole number"):
        pool("2")


@pytest.mark.parametrize("pool", [MaxPool1d, AvgPool1d])
def test_invalid_signals_raise(pool):
    with pytest.raises(ValueError, match=r"got 1 level of lists; write \[signal\]"):
        pool(2)([1.0, 2.0])
    with pytest.raises(TypeError, match="size must be a whole number"):
        pool((2, 2))

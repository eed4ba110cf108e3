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


@st.composite
def pools(draw):
    """Return size, stride, padding and dilation of a pool that fits on an image of 4 × 5."""
    size, stride, dilation = (draw(st.tuples(st.integers(1, 3), st.integers(1, 3))) for _ in range(3))
    padding = tuple(draw(st.integers(0, n // 2)) for n in size)
    fits = ((n - 1) * d + 1 <= length + 2 * p for n, d, length, p in zip(size, dilation, (4, 5), padding))
    return size, stride, padding, dilation if all(fits) else (1, 1)


def windows_by_numpy(x, pool, fill):
    """Return an array [channel][row][column] of windows of numbers, with `fill` in the padding."""
    size, stride, (above, left), dilation = pool
    x = np.pad(x, ((0, 0), (above, above), (left, left)), constant_values=fill)
    span = tuple((n - 1) * d + 1 for n, d in zip(size, dilation))
    windows = np.lib.stride_tricks.sliding_window_view(x, span, (1, 2))[:, :: stride[0], :: stride[1]]
    return windows[..., :: dilation[0], :: dilation[1]]


@settings(max_examples=40, deadline=None)
@given(pools(), st.integers(0, 99))
def test_max_and_mean_of_windows(drawn, seed):
    size, stride, padding, dilation = drawn
    x = np.random.default_rng(seed).normal(size=(2, 4, 5))
    settings = {"padding": padding, "dilation": dilation}
    largest = windows_by_numpy(x, drawn, -np.inf).max(axis=(3, 4))
    assert numbers(MaxPool2d(size, stride, **settings)(x)) == largest.tolist()
    within = windows_by_numpy(np.ones(x.shape), drawn, 0.0).sum(axis=(3, 4))
    total = windows_by_numpy(x, drawn, 0.0).sum(axis=(3, 4))
    with np.errstate(invalid="ignore"):
        means = {True: total / (size[0] * size[1]), False: total / within}
    for include, mean in means.items():
        pooled = np.array(numbers(AvgPool2d(size, stride, count_include_pad=include, **settings)(x)))
        assert pooled == pytest.approx(mean, rel=1e-12, abs=1e-12, nan_ok=True)


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 4), st.integers(1, 3), st.data())
def test_one_dimension_is_an_image_of_one_row(size, stride, data):
    padding, dilation = data.draw(st.integers(0, size // 2)), data.draw(st.integers(1, 2))
    x = np.random.default_rng(size).normal(size=(2, 7))
    for line, plane in ((MaxPool1d, MaxPool2d), (AvgPool1d, AvgPool2d)):
        of_line = line(size, stride, padding=padding, dilation=dilation)(x)
        of_plane = plane((1, size), stride, padding=(0, padding), dilation=(1, dilation))(x[:, None])
        assert numbers(of_line) == [rows[0] for rows in numbers(of_plane)]


def test_windows_that_lie_in_the_padding():
    assert numbers(MaxPool1d(2, 1, padding=1, dilation=2)([[5.0]])) == [[-math.inf]]
    assert numbers(AvgPool1d(2, 1, padding=1, dilation=2)([[5.0]])) == [[0.0]]
    [[none]] = AvgPool1d(2, 1, padding=1, dilation=2, count_include_pad=False)([[5.0]])
    assert math.isnan(none.data)


def test_padding_holds_no_number_that_could_be_the_largest():
    x = [[Value(-3.0), Value(-2.0)]]
    [first, last] = MaxPool1d(2, padding=1)(x)[0]
    assert (first.data, last.data) == (-3.0, -2.0)
    assert [grad_table(first + 2 * last)[x_i] for x_i in x[0]] == [1.0, 2.0]


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
    assert repr(MaxPool2d(3, padding=(0, 1), dilation=2)) == "MaxPool2d(3×3, padding 0×1, dilation 2×2)"
    assert repr(AvgPool1d(3, 2, padding=1)) == "AvgPool1d(3, stride 2, padding 1)"
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
    with pytest.raises(ValueError, match=r"at most half of the window 3×2, rounded down, .* got 2×0"):
        pool((3, 2), padding=(2, 0))
    with pytest.raises(ValueError, match="dilation must be a whole number >= 1"):
        pool(2, dilation=0)
    with pytest.raises(ValueError, match="size 3 with dilation 2 does not fit on an axis of length 3"):
        pool(3, dilation=2)(IMAGE)


@pytest.mark.parametrize("pool", [MaxPool1d, AvgPool1d])
def test_invalid_signals_raise(pool):
    with pytest.raises(ValueError, match=r"got 1 level of lists; write \[signal\]"):
        pool(2)([1.0, 2.0])
    with pytest.raises(TypeError, match="size must be a whole number"):
        pool((2, 2))
    with pytest.raises(ValueError, match="at most half of the window 3, rounded down"):
        pool(3, padding=2)


def test_count_include_pad_is_a_bool():
    with pytest.raises(TypeError, match="count_include_pad must be True or False"):
        AvgPool1d(2, count_include_pad=1)

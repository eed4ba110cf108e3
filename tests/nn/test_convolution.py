"""Convolutions: the formula in NumPy, linearity and shifts, node counts, errors."""

import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from microgradlib import Value, topological_sort
from microgradlib._support.pytree import flatten
from microgradlib.nn.convolution import Conv1d, Conv2d

FEW = settings(max_examples=25, deadline=None)


NUMPY_MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def by_formula(x, w, b, *, stride, padding, dilation=(1, 1), mode="zeros"):
    """y_o(r, c) = b_o + the sum of w_o times every d-th entry of the padded image from (s r, s c) on."""
    (down, right), (below, beside) = stride, dilation
    (above, left), (under, after) = padding if isinstance(padding[0], tuple) else (padding, padding)
    x = np.pad(x, ((0, 0), (above, under), (left, after)), mode=NUMPY_MODES[mode])
    rows, columns = (w.shape[2] - 1) * below + 1, (w.shape[3] - 1) * beside + 1
    height, width = (x.shape[1] - rows) // down + 1, (x.shape[2] - columns) // right + 1
    y = np.empty((len(w), height, width))
    for r in range(height):
        for c in range(width):
            patch = x[:, r * down : r * down + rows : below, c * right : c * right + columns : beside]
            y[:, r, c] = (w * patch).sum(axis=(1, 2, 3)) + b
    return y


def numbers(nodes):
    return [[[y.data for y in row] for row in plane] for plane in nodes]


def randomised(model, seed):
    rng = np.random.default_rng(seed)
    for parameter in model.parameters():
        parameter.data = rng.uniform(-1, 1)
    return model


@st.composite
def settings_of_2d(draw):
    size, stride, dilation = (draw(st.tuples(st.integers(1, 3), st.integers(1, 3))) for _ in range(3))
    mode = draw(st.sampled_from(list(NUMPY_MODES)))
    span = [(k - 1) * d + 1 for k, d in zip(size, dilation)]
    padding = tuple(draw(st.integers(0, n - 1)) for n in span)
    least = {"zeros": 1, "replicate": 1, "circular": max(padding), "reflect": max(padding) + 1}[mode]
    shape = tuple(draw(st.integers(max(1, least, n - 2 * p), 7)) for n, p in zip(span, padding))
    return draw(st.integers(1, 2)), draw(st.integers(1, 2)), size, stride, padding, dilation, mode, shape


@settings(max_examples=40, deadline=None)
@given(settings_of_2d(), st.integers(0, 99))
def test_the_formula_in_two_dimensions(drawn, seed):
    nin, nout, size, stride, padding, dilation, mode, shape = drawn
    model = Conv2d(nin, nout, size, stride=stride, padding=padding, dilation=dilation, padding_mode=mode)
    randomised(model, seed)
    x = np.random.default_rng(seed + 1).normal(size=(nin, *shape))
    w = np.reshape([p.data for p in model.parameters()[:-nout]], (nout, nin, *size))
    how = {"stride": stride, "padding": padding, "dilation": dilation, "mode": mode}
    expected = by_formula(x, w, [b.data for b in model.b], **how)
    assert np.array(numbers(model(x.tolist()))) == pytest.approx(expected, rel=1e-12, abs=1e-12)


@FEW
@given(st.tuples(st.integers(1, 4), st.integers(1, 4)), st.tuples(st.integers(1, 3), st.integers(1, 3)))
def test_same_padding_keeps_the_size_and_puts_the_odd_zero_last(size, dilation):
    model = randomised(Conv2d(1, 1, size, padding="same", dilation=dilation), seed=1)
    x = np.random.default_rng(0).normal(size=(1, 4, 5))
    w = np.reshape([p.data for p in model.weights()], (1, 1, *size))
    total = [(k - 1) * d for k, d in zip(size, dilation)]
    padding = tuple(n // 2 for n in total), tuple(n - n // 2 for n in total)
    expected = by_formula(x, w, [model.b[0].data], stride=(1, 1), padding=padding, dilation=dilation)
    maps = np.array(numbers(model(x)))
    assert maps.shape == x.shape
    assert maps == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_valid_padding_is_none():
    model = Conv1d(1, 1, 3, padding="valid", rng=0)
    assert model([[1.0, 2.0, 3.0]])[0][0].data == Conv1d(1, 1, 3, rng=0)([[1.0, 2.0, 3.0]])[0][0].data
    assert len(model([[1.0] * 4])[0]) == 2


def test_a_unit_whose_inputs_all_lie_in_the_padding_is_its_bias():
    model = Conv1d(1, 1, 2, dilation=4, padding=3, activation="tanh", rng=0)
    model.b[0].data = 0.5
    [maps] = model([[2.0, 3.0]])
    assert [y.data for y in maps[1:3]] == [math.tanh(0.5)] * 2
    maps[1].backward()
    assert model.b[0].grad == pytest.approx(1 - math.tanh(0.5) ** 2, rel=1e-14)
    plain = Conv1d(1, 1, 2, dilation=4, padding=3, bias=False, rng=0)
    assert [y.data for y in plain([[2.0, 3.0]])[0][1:3]] == [0.0, 0.0]


@FEW
@given(st.integers(0, 99), st.integers(1, 3), st.integers(0, 2), st.integers(5, 7), st.integers(1, 2))
def test_one_dimension_is_an_image_of_one_row(seed, stride, padding, length, dilation):
    line, plane = (
        Conv1d(2, 3, 3, stride=stride, padding=padding, dilation=dilation, padding_mode="circular"),
        Conv2d(2, 3, (1, 3), stride=stride, padding=(0, padding), dilation=dilation, padding_mode="circular"),
    )
    assert line.summary_shape.split(", ")[0] == plane.summary_shape.split(", ")[0] == "2 → 3"
    randomised(line, seed), randomised(plane, seed)
    x = np.random.default_rng(seed).normal(size=(2, length))
    assert [[y.data for y in row] for row in line(x)] == [plane_[0] for plane_ in numbers(plane(x[:, None, :]))]


# Laws


images = st.lists(st.floats(-2, 2), min_size=16, max_size=16).map(lambda x: np.reshape(x, (1, 4, 4)))


@FEW
@given(images, images, st.floats(-2, 2), st.integers(0, 99))
def test_without_bias_it_is_linear(x, y, scale, seed):
    model = randomised(Conv2d(1, 2, 2, padding=1, bias=False), seed)
    together = np.array(numbers(model(x + scale * y)))
    apart = np.array(numbers(model(x))) + scale * np.array(numbers(model(y)))
    assert together == pytest.approx(apart, rel=1e-9, abs=1e-9)


@FEW
@given(images, st.integers(0, 2), st.integers(0, 2), st.integers(0, 99))
def test_a_shifted_image_gives_shifted_maps(x, down, right, seed):
    model = randomised(Conv2d(1, 2, 3, activation="tanh"), seed)
    at = np.zeros((2, 1, 12, 12))
    at[0, :, 4:8, 4:8] = x
    at[1] = np.roll(at[0], (down, right), axis=(1, 2))
    first, second = (np.array(numbers(model(image))) for image in at)
    assert (second == np.roll(first, (down, right), axis=(1, 2))).all()


def test_a_1x1_kernel_is_linear_in_the_channels():
    model = Conv2d(2, 1, 1, init="zeros")
    model.w[0][0][0][0].data, model.w[0][1][0][0].data, model.b[0].data = 2.0, 3.0, 1.0
    assert numbers(model([[[1.0, 2.0]], [[10.0, 20.0]]])) == [[[33.0, 65.0]]]


# The graph


def test_a_node_for_each_unit_and_none_for_the_padding():
    model = Conv2d(1, 2, 3, padding=1, activation="relu", rng=0)
    maps = model([[[1.0, 2.0, 3.0]] * 3])
    assert [[[y.op.name for y in row] for row in plane] for plane in maps] == [[["relu"] * 3] * 3] * 2
    terms = [[len(y.parents[0].parents) // 2 for y in row] for row in maps[0]]
    assert terms == [[4, 6, 4], [6, 9, 6], [4, 6, 4]]
    pixels = {p for y in flatten(maps) for p in topological_sort(y) if p.op is None} - set(model.parameters())
    assert len(pixels) == 9


def test_weights_are_shared_and_counted_once():
    model = Conv2d(3, 4, (5, 2), rng=0)
    assert len(model.parameters()) == 4 * (3 * 5 * 2 + 1)
    assert len(model.weights()) == 4 * 3 * 5 * 2
    assert model.named_parameters()[0][0] == "w.0.0.0.0"
    assert model.named_parameters()[-1][0] == "b.3"
    plain = Conv2d(3, 4, (5, 2), bias=False, rng=0)
    assert plain.weights() == plain.parameters()


def test_initial_weights():
    weights = [w.data for w in Conv2d(4, 20, 3, rng=0).weights()]
    assert 0.95 / 6 < max(weights) <= 1 / math.sqrt(4 * 9)
    assert [w.data for w in Conv2d(4, 20, 3, rng=0).weights()] == weights
    assert {b.data for b in Conv2d(4, 20, 3, rng=0).b} == {0.0}


def test_prelu_has_a_slope_for_each_map():
    model = Conv1d(1, 3, 2, activation="prelu", rng=0)
    assert [name for name, _ in model.named_parameters()][-3:] == ["f.0.slope", "f.1.slope", "f.2.slope"]


def test_descriptions():
    assert repr(Conv2d(1, 4, 3)) == "Conv2d(1 → 4, 3×3 linear)"
    assert repr(Conv2d(2, 4, (3, 2), stride=2, padding=(1, 0))) == "Conv2d(2 → 4, 3×2 linear, stride 2×2, padding 1×0)"
    assert repr(Conv2d(1, 4, 3, dilation=(1, 2))) == "Conv2d(1 → 4, 3×3 linear, dilation 1×2)"
    shape = Conv1d(1, 2, 2, padding="same", dilation=3, padding_mode="circular").summary().rows[0].shape
    assert shape == "1 → 2, 2 linear, padding same, dilation 3, padding mode circular"
    assert repr(Conv1d(1, 2, 4, stride=3, padding=1, activation="relu")) == "Conv1d(1 → 2, 4 relu, stride 3, padding 1)"
    assert Conv1d(1, 2, 4).summary().rows[0].shape == "1 → 2, 4 linear"


# Refusals


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ([1.0, 2.0], r"\[channel\]\[row\]\[column\], got 1 level of lists; write \[image\]"),
        ([[1.0, 2.0], [3.0, 4.0]], r"got 2 levels of lists; write \[image\]"),
        ([[[[1.0]]]], "got 4 levels"),
        ([[[1.0, 2.0], [3.0]]], "the rows must have equal lengths, got 2, 1"),
        ([[[1.0, 2.0]], [[1.0, 2.0], [3.0, 4.0]]], "takes 1 channel, got 2"),
        ([[[1.0, 2.0], 3.0]], "lists beside numbers at level 3"),
        ([[[1.0, 2.0]]], "size 2 does not fit on an axis of length 1"),
        ([[[]]], "does not fit"),
        ([], "got 1 level"),
    ],
)
def test_images_of_other_shapes_raise(x, message):
    with pytest.raises(ValueError, match=message):
        Conv2d(1, 1, 2)(x)


def test_signals_of_other_shapes_raise():
    with pytest.raises(ValueError, match=r"\[channel\]\[position\], got 1 level of lists; write \[signal\]"):
        Conv1d(1, 1, 2)([1.0, 2.0])
    with pytest.raises(ValueError, match="takes 2 channels, got 1"):
        Conv1d(2, 1, 2)([[1.0, 2.0]])
    with pytest.raises(ValueError, match="the rows must have equal lengths, got 2, 1"):
        Conv1d(2, 1, 1)([[1.0, 2.0], [3.0]])
    with pytest.raises(ValueError, match="size 5 does not fit on an axis of length 4 with its padding"):
        Conv1d(1, 1, 5, padding=1)([[1.0, 2.0]])
    with pytest.raises(ValueError, match="size 3 with dilation 2 does not fit on an axis of length 4 with its padding"):
        Conv1d(1, 1, 3, padding=1, dilation=2)([[1.0, 2.0]])
    with pytest.raises(ValueError, match="reflect padding of an axis of length 2 is at most 1, got 2"):
        Conv1d(1, 1, 3, padding=2, padding_mode="reflect")([[1.0, 2.0]])
    with pytest.raises(ValueError, match="circular padding of an axis of length 2 is at most 2, got 3"):
        Conv1d(1, 1, 3, padding=3, padding_mode="circular")([[1.0, 2.0]])
    with pytest.raises(ValueError, match="the channels must have equal lengths, got 2, 1"):
        Conv2d(2, 1, 1)([[[1.0], [2.0]], [[3.0]]])
    with pytest.raises(TypeError, match=r"nested \[channel\]\[row\]\[column\], got Value"):
        Conv2d(1, 1, 1)(Value(1.0))
    with pytest.raises(TypeError, match="expected a real number, got str"):
        Conv1d(1, 1, 1)([["1"]])


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"size": 0}, ValueError, "size must be a whole number >= 1"),
        ({"size": (2, 0)}, ValueError, r"size\[1\] must be a whole number >= 1"),
        ({"size": (2, 2, 2)}, ValueError, r"one number or a pair \(rows, columns\)"),
        ({"size": 2.0}, TypeError, "size must be a whole number"),
        ({"stride": 0}, ValueError, "stride must be a whole number >= 1"),
        ({"padding": -1}, ValueError, "padding must be a whole number >= 0"),
        ({"padding": 2}, ValueError, "padding must be less than the kernel size 2×2"),
        ({"padding": 3, "dilation": 2}, ValueError, "padding must be less than the kernel size 3×3, dilated, as"),
        ({"padding": "sane"}, ValueError, "no padding 'sane'; did you mean 'same'"),
        ({"padding": "same", "stride": 2}, ValueError, r"needs stride 1, got 2×2"),
        (
            {"padding_mode": "cyclic"},
            ValueError,
            "no padding mode 'cyclic'; known: zeros, reflect, replicate, circular",
        ),
        ({"dilation": 0}, ValueError, "dilation must be a whole number >= 1"),
        ({"dilation": (1, 1.5)}, TypeError, r"dilation\[1\] must be a whole number"),
        ({"nin": 0}, ValueError, "nin must be a whole number >= 1"),
        ({"nout": True}, TypeError, "nout must be a whole number"),
        ({"activation": "rleu"}, ValueError, "did you mean 'relu'"),
        ({"init": "glorot_"}, ValueError, "did you mean 'glorot'"),
    ],
)
def test_arguments_out_of_range_raise(arguments, error, message):
    with pytest.raises(error, match=message):
        Conv2d(**{"nin": 1, "nout": 1, "size": 2, **arguments})

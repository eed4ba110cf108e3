"""The digits of scikit-learn, and rows of pixels as images."""

import sys

import pytest
from hypothesis import given, strategies as st

from microgradlib import Value
from microgradlib.data import as_image, digits
from microgradlib.errors import MissingExtraError


def test_the_digits_are_those_of_scikit_learn():
    bunch = pytest.importorskip("sklearn.datasets").load_digits()
    data = digits()
    assert [list(row) for row in data.inputs] == (bunch.data / 16).tolist()
    assert list(data.targets) == bunch.target.tolist()
    assert [as_image(row)[0] for row in data.inputs[::100]] == (bunch.images[::100] / 16).tolist()
    assert data.class_names == tuple("0123456789")
    assert (data.feature_names[0], data.feature_names[10], data.feature_names[63]) == (
        "pixel 0 0",
        "pixel 1 2",
        "pixel 7 7",
    )


def test_pixels_are_plain_numbers_from_0_to_1():
    pytest.importorskip("sklearn")
    data = digits()
    assert {type(pixel) for row in data.inputs for pixel in row} == {float}
    assert {type(target) for target in data.targets} == {int}
    assert {pixel * 16 for row in data.inputs for pixel in row} == set(range(17))


def test_without_scikit_learn_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(MissingExtraError, match=r'pip install "microgradlib\[data\]"'):
        digits()


@given(st.integers(1, 9), st.integers(1, 9))
def test_an_image_has_its_pixels_row_by_row(height, width):
    image = as_image(range(height * width), width)
    assert len(image) == 1
    assert [[r * width + c for c in range(width)] for r in range(height)] == image[0]


def test_an_image_of_nodes_holds_the_nodes():
    row = [Value(float(k)) for k in range(4)]
    [[upper, lower]] = as_image(row, width=2)
    assert all(a is b for a, b in zip(upper + lower, row))


@pytest.mark.parametrize(("length", "width"), [(7, 2), (64, 7), (0, 8), (4, 8)])
def test_a_width_that_does_not_divide_raises(length, width):
    with pytest.raises(ValueError, match=f"{length} pixels cannot be arranged in rows of width {width}"):
        as_image([0.0] * length, width)


def test_an_invalid_width_raises():
    with pytest.raises(ValueError, match="width must be a whole number >= 1"):
        as_image([0.0], 0)
    with pytest.raises(TypeError, match="width must be a whole number"):
        as_image([0.0], 1.0)

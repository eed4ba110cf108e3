"""The convolutional network on digits: its parameters by formula, moved images and maps, beside a dense network."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from microgradlib.nn import Conv2d


def test_parameters_by_formula(script):
    digits = script("cnn_digits")
    assert len(digits.convolutional().parameters()) == 4 * (3 * 3 + 1) + (4 * 3 * 3 + 1) * 10 == 410
    assert len(digits.dense().parameters()) == 5 * (64 + 1) + (5 + 1) * 10 == 385
    assert len(digits.linear().parameters()) == 65 * 10


pixels = st.lists(st.integers(1, 9).map(float), min_size=20, max_size=20)


@settings(max_examples=20, deadline=None)
@given(image=pixels, down=st.integers(-2, 2), right=st.integers(-2, 2))
def test_moved_by_numpy(script, image, down, right):
    rows = np.reshape(image, (4, 5))
    padded = np.pad(rows, 2)
    expected = padded[2 - down : 6 - down, 2 - right : 7 - right]
    assert np.array_equal(script("cnn_digits").shifted([rows.tolist()], down, right)[0], expected)


@pytest.mark.parametrize("move", [(-1, 0), (1, 0), (0, -1), (0, 1)])
def test_the_maps_of_a_moved_image_are_the_moved_maps(script, move):
    image = np.zeros((8, 8))
    image[3:5, 3:5] = [[0.3, 1.0], [0.7, 0.2]]  # far enough from the edge that nothing leaves the image
    maps = Conv2d(1, 2, 3, activation="relu", bias=False, rng=0)
    moved_maps = maps(script("cnn_digits").shifted([image.tolist()], *move))
    for before, after in zip(maps([image.tolist()]), moved_maps, strict=True):
        numbers = [[y.data for y in row] for row in before]
        assert [[y.data for y in row] for row in after] == script("cnn_digits").shifted([numbers], *move)[0]


def test_accuracy_of_known_models(script):
    xs, targets = [[[[k / 10.0]]] for k in range(4)], [0, 1, 2, 0]
    assert script("cnn_digits").accuracy_on(lambda x: [0.15, x[0][0][0]], xs, [0, 0, 1, 0]) == 0.75
    assert script("cnn_digits").accuracy_on(lambda x: [1.0, 0.0, 0.0], xs, targets) == 0.5


def test_a_short_training_is_better_than_chance(script):
    pytest.importorskip("sklearn")
    digits = script("cnn_digits")
    result = digits.train_and_evaluate(digits.convolutional(), examples=80, tests=50, epochs=6)
    # Chance is 10 per cent; measured with four seeds: 62 to 70, and 38 to 43 where images are moved.
    assert result.parameters == 410
    assert result.accuracy > 0.5
    assert result.accuracy > result.shifted_accuracy > 0.25


@pytest.mark.slow
def test_it_beats_a_dense_network_of_as_many_parameters(script):
    pytest.importorskip("sklearn")
    digits = script("cnn_digits")
    convolutional = digits.train_and_evaluate(digits.convolutional(), tests=150)
    dense = digits.train_and_evaluate(digits.dense(), tests=150)
    # Measured: 89 against 75 per cent; moved by a pixel, 51 against 35.
    assert convolutional.accuracy > 0.8
    assert convolutional.accuracy > dense.accuracy + 0.03
    assert convolutional.shifted_accuracy > dense.shifted_accuracy + 0.08


def test_main(script, capsys):
    pytest.importorskip("sklearn")
    script("cnn_digits").main(examples=20, tests=10, epochs=1)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "20 digits, 1 epochs"
    assert [line.split()[:2] for line in lines[2:]] == [["convolutional", "410"], ["dense", "385"], ["linear", "650"]]

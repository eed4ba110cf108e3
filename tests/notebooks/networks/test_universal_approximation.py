"""Width: the error of fitted networks against what no narrow one can reach. Depth: linear pieces by formula."""

import math

import numpy as np
import pytest

from microgradlib import relu


def test_largest_error_of_known_functions(script):
    depth_and_width = script("universal_approximation")
    xs = np.linspace(-2, 2, 201)
    assert depth_and_width.points(201) == pytest.approx(xs, abs=1e-15)
    assert depth_and_width.largest_error(lambda x: x[0]) == pytest.approx(np.abs(xs - np.sin(3 * xs)).max(), rel=1e-12)
    assert depth_and_width.largest_error(lambda x: 2 * x[0], lambda x: 2 * x) == 0


def test_units_begin_in_different_places(script):
    model = script("universal_approximation").tanh_network(4, rng=0)
    for neuron, place in zip(model.layers[0].neurons, [-1.5, -0.5, 0.5, 1.5]):
        assert float(neuron([place])) == pytest.approx(0, abs=1e-15)
        assert 1 <= abs(neuron.w[0].data) <= 3


def test_one_unit_cannot_and_four_come_nearer(script):
    depth_and_width = script("universal_approximation")
    # One unit is monotone, and sin 3x has 1 before −1 and −1 before 1: no monotone function is nearer than 1.
    assert depth_and_width.error_after_training(1, epochs=60) >= 0.999
    # Measured: 0.52.
    assert depth_and_width.error_after_training(4, epochs=120) < 0.9


@pytest.mark.slow
def test_the_error_falls_with_the_width(script):
    errors = [
        min(script("universal_approximation").error_after_training(width, rng) for rng in range(2))
        for width in (1, 4, 16)
    ]
    # Measured: 1.15, 0.46, 0.03.
    assert errors[0] > 1
    assert 0.3 < errors[1] < 0.7
    assert errors[2] < 0.1


def test_folding_makes_the_tent_map(script):
    network = script("universal_approximation").folding_network(5)
    for x in np.linspace(0, 1, 23):
        y = x
        for _ in range(5):
            y = abs(2 * y - 1)
        assert network([float(x)]).data == y


@pytest.mark.parametrize("units", [1, 2, 3, 4, 5, 6])
def test_linear_pieces_double_with_each_layer_and_grow_by_one_with_each_unit(script, units):
    depth_and_width = script("universal_approximation")
    assert depth_and_width.linear_pieces(depth_and_width.folding_network(units), resolution=256) == 2**units
    assert depth_and_width.linear_pieces(depth_and_width.shallow_network(units), resolution=256) == units + 1


def test_linear_pieces_of_known_functions(script):
    pieces = script("universal_approximation").linear_pieces
    assert pieces(lambda x: 3 * x[0] + 1, resolution=64) == 1
    assert pieces(lambda x: relu(x[0] - 0.3), resolution=64) == 2
    assert pieces(lambda x: x[0] ** 2, resolution=64) == 64


def test_a_slope_that_returns_counts_as_a_piece_of_its_own(script):
    zigzag = script("universal_approximation").folding_network(3)
    slopes = {abs(script("universal_approximation").grad(lambda x: zigzag([x]))(x)) for x in (0.05, 0.3, 0.55, 0.8)}
    assert slopes == {8.0}  # ±2³ alone, in eight pieces


def test_main(script, capsys):
    script("universal_approximation").main(widths=(1,))
    text = capsys.readouterr().out
    assert text.split()[-3:] == ["6", str(2**6), "7"]
    assert math.isclose(float(text.splitlines()[2].split()[1]), 1.15, abs_tol=0.1)

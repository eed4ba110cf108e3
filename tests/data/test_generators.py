"""Generated data sets: positions by their formulas, classes, noise."""

import math
from itertools import pairwise
from statistics import fmean, pstdev

import numpy as np
import pytest
from hypothesis import given, strategies as st

from microgradlib.data import RegressionDataset, blobs, circles, moons, sine, spirals, xor, yin_yang


def members(dataset, label):
    return [row for row, target in zip(dataset.inputs, dataset.targets) if target == label]


def test_xor_is_the_truth_table():
    assert dict(zip(xor().inputs, xor().targets)) == {(0, 0): 0, (0, 1): 1, (1, 0): 1, (1, 1): 0}


@given(st.integers(2, 60))
def test_moons_without_noise_lie_on_their_circles(n):
    points = moons(n, noise=0.0)
    assert points.targets.count(1) == n // 2
    for (x, y), target in zip(points.inputs, points.targets):
        centre = (0.0, 0.0) if target == 0 else (1.0, 0.5)
        assert math.dist((x, y), centre) == pytest.approx(1.0)
        assert (y > -1e-12) if target == 0 else (y < 0.5 + 1e-12)


@given(st.integers(2, 60), st.floats(0.01, 0.99))
def test_circles_without_noise_have_their_radii_and_even_spacing(n, factor):
    points = circles(n, noise=0.0, factor=factor)
    assert points.targets.count(1) == n // 2
    for label, radius in enumerate((1.0, factor)):
        z = np.array([complex(*row) for row in members(points, label)])
        np.testing.assert_allclose(z, radius * np.exp(2j * np.pi * np.arange(len(z)) / len(z)), atol=1e-14)


@given(st.integers(1, 5), st.integers(0, 40), st.floats(-3, 3))
def test_spirals_without_noise_follow_archimedes(arms, more, turns):
    points = spirals(arms + more, noise=0.0, arms=arms, turns=turns)
    assert [points.targets.count(j) for j in range(arms)] == [
        len(part) for part in np.array_split(points.targets, arms)
    ]
    for j in range(arms):
        z = np.array([complex(*row) for row in members(points, j)])
        t = np.linspace(0.1, 1.0, len(z))
        np.testing.assert_allclose(z, t * np.exp(2j * np.pi * (turns * t + j / arms)), atol=1e-13)


def test_spiral_arms_keep_their_distance():
    points = spirals(600, noise=0.0, arms=3)
    gaps = [math.dist(p, q) for j in range(3) for p in members(points, j) for q in members(points, (j + 1) % 3)]
    assert min(gaps) > 0.12


@pytest.mark.parametrize("even", [True, False])
def test_sine_without_noise_is_the_sine(even):
    wave = sine(50, noise=0.0, low=-2.0, high=5.0, even=even, rng=4)
    assert isinstance(wave, RegressionDataset)
    xs = [x for (x,) in wave.inputs]
    assert wave.targets == tuple(math.sin(x) for x in xs)
    assert all(-2.0 <= x <= 5.0 for x in xs)
    assert (xs == sorted(xs)) is even


def test_sine_spaces_x_evenly_or_draws_it_uniformly():
    np.testing.assert_allclose([x for (x,) in sine(11, low=0.1, high=0.7).inputs], np.linspace(0.1, 0.7, 11))
    assert (sine(11).inputs[0], sine(11).inputs[-1]) == ((-math.pi,), (math.pi,))
    shares = np.histogram([x for (x,) in sine(5000, even=False).inputs], bins=5, range=(-math.pi, math.pi))[0] / 5000
    np.testing.assert_allclose(shares, 0.2, atol=0.03)


def test_blobs_without_noise_are_their_centres_shared_evenly():
    centres = [(0.0, 1.0, 2.0), (5.0, 5.0, 5.0), (-1.0, 0.0, 0.5)]
    points = blobs(11, noise=0.0, centres=centres)
    assert points.inputs == (centres[0],) * 4 + (centres[1],) * 4 + (centres[2],) * 3
    assert points.targets == (0,) * 4 + (1,) * 4 + (2,) * 3
    assert points.feature_names == ("x0", "x1", "x2")


@given(st.integers(1, 6), st.integers(0, 100))
def test_drawn_centres_lie_in_the_square_and_are_separated(count, seed):
    points = blobs(count, noise=0.0, rng=seed, centres=count)
    assert points.targets == tuple(range(count))
    assert all(-3.0 <= x <= 3.0 for row in points.inputs for x in row)
    assert len(set(points.inputs)) == count


def test_blobs_have_the_given_standard_deviation():
    points = blobs(4000, noise=0.5, centres=[(1.0, -2.0), (7.0, 3.0)])
    for label, centre in enumerate([(1.0, -2.0), (7.0, 3.0)]):
        for column, mean in zip(zip(*members(points, label)), centre):
            assert fmean(column) == pytest.approx(mean, abs=0.05)
            assert pstdev(column) == pytest.approx(0.5, rel=0.06)


def part_by_areas(x, y):
    """Return the class of a point by areas: a half disc, without the other's head, with its own, without the dots."""
    for sign in (1, -1):
        away = math.dist((x, y), (0, sign / 2))
        if away < 0.5:
            return "dot" if away < 0.25 else {1: "yang", -1: "yin"}[sign]
    return "yang" if x < 0 else "yin"


def test_yin_and_yang_are_the_symbol():
    symbol = yin_yang(3000, rng=2)
    for row, target in zip(symbol.inputs, symbol.targets):
        assert math.hypot(*row) <= 1.0
        assert symbol.class_names[target] == part_by_areas(*row)


@pytest.mark.parametrize(
    ("point", "name"),
    [
        ((0.0, 0.5), "dot"),
        ((0.0, -0.5), "dot"),
        ((0.24, 0.5), "dot"),
        ((0.26, 0.5), "yang"),
        ((0.26, -0.5), "yin"),
        ((-0.9, 0.0), "yang"),
        ((0.9, 0.0), "yin"),
        ((0.0, 0.9), "yang"),
        ((0.0, -0.9), "yin"),
        ((0.0, 1.0), "yin"),  # the border is yin's
        ((0.49, 0.5), "yang"),
        ((0.51, 0.5), "yin"),
        ((-0.49, -0.5), "yin"),
        ((-0.51, -0.5), "yang"),
    ],
)
def test_known_points_of_the_symbol(point, name, fixed_draws):
    symbol = yin_yang(1, rng=fixed_draws(0.9, 0.9, *point))  # the first pair lies outside the disc and is rejected
    assert symbol.inputs == (point,)
    assert symbol.class_names[symbol.targets[0]] == name


def test_yin_and_yang_have_points_by_area():
    symbol = yin_yang(8000)
    assert [symbol.targets.count(k) / 8000 for k in range(3)] == pytest.approx([7 / 16, 7 / 16, 1 / 8], abs=0.02)
    radii = [math.hypot(*row) for row in symbol.inputs]
    assert fmean(r < 0.5 for r in radii) == pytest.approx(0.25, abs=0.02)


@pytest.mark.parametrize("make", [moons, circles, spirals, blobs])
def test_classes_come_in_order_and_share_evenly(make):
    points = make(61)
    assert all(b - a in (0, 1) for a, b in pairwise(points.targets))
    counts = [points.targets.count(k) for k in range(len(points.class_names))]
    assert max(counts) - min(counts) <= 1


@pytest.mark.parametrize("make", [moons, circles, spirals])
def test_noise_is_the_given_standard_deviation(make):
    clean, noisy = make(4000, noise=0.0), make(4000, noise=0.3)
    off = [a - b for p, q in zip(noisy.inputs, clean.inputs) for a, b in zip(p, q)]
    assert fmean(off) == pytest.approx(0.0, abs=0.02)
    assert pstdev(off) == pytest.approx(0.3, rel=0.05)


def test_noise_of_a_sine_is_in_y_alone():
    clean, noisy = sine(4000, noise=0.0), sine(4000, noise=0.3)
    assert clean.inputs == noisy.inputs
    off = [a - b for a, b in zip(noisy.targets, clean.targets)]
    assert fmean(off) == pytest.approx(0.0, abs=0.02)
    assert pstdev(off) == pytest.approx(0.3, rel=0.05)

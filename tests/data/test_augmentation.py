"""Augmentations against NumPy's shifts, flips and rotations; targets are unchanged."""

import math
import random
from statistics import fmean, pstdev

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy import ndimage

from microgradlib.data import (
    Dataset,
    augmented,
    chain,
    gaussian_noise,
    mirror,
    moons,
    mu_law,
    rotate,
    scale,
    shift,
    sine,
    spirals,
)

IMAGE = tuple(float(k) for k in range(1, 13))  # 3 rows of 4, no pixel 0
seeds = st.integers(0, 10_000)


def shifted_by_numpy(image, down, right):
    """Pad with zeros all around and cut the window out."""
    far = max(image.shape)
    height, width = image.shape
    padded = np.pad(image, far)
    return padded[far - down : far - down + height, far - right : far - right + width]


@pytest.mark.parametrize("down", range(-3, 4))
@pytest.mark.parametrize("right", range(-3, 4))
def test_a_shift_moves_down_and_right_and_fills_with_zeros(down, right, fixed_draws):
    moved = shift(3, width=4)(IMAGE, fixed_draws(down, right))
    np.testing.assert_array_equal(np.reshape(moved, (3, 4)), shifted_by_numpy(np.reshape(IMAGE, (3, 4)), down, right))


def test_shifts_of_all_sizes_are_equally_likely():
    source = random.Random(0)
    known = {
        tuple(shifted_by_numpy(np.reshape(IMAGE, (3, 4)), d, e).ravel()): (d, e) for d in (-1, 0, 1) for e in (-1, 0, 1)
    }
    drawn = [known[shift(1, width=4)(IMAGE, source)] for _ in range(4500)]
    assert [drawn.count(move) for move in known.values()] == pytest.approx([500] * 9, abs=105)  # five deviations


@given(seeds)
def test_flips_equal_numpys(seed):
    flipped = tuple(np.reshape(IMAGE, (3, 4))[:, ::-1].ravel())
    assert mirror(4)(IMAGE, seed) == (flipped if random.Random(seed).random() < 0.5 else IMAGE)


def test_half_of_the_images_are_flipped():
    source = random.Random(0)
    assert sum(mirror(4)(IMAGE, source) != IMAGE for _ in range(2000)) == pytest.approx(1000, abs=112)


@given(st.floats(-5, 5), st.floats(-5, 5), st.floats(-180, 180))
def test_rotation_of_a_point_equals_complex_multiplication(fixed_draws, x, y, degrees):
    turned = complex(*rotate(180)((x, y), fixed_draws(degrees)))
    assert abs(turned - complex(x, y) * np.exp(1j * math.radians(degrees))) < 1e-13


def test_angles_are_within_plus_or_minus_the_maximum():
    source = random.Random(0)
    angles = [math.degrees(math.atan2(*rotate(30)((1.0, 0.0), source)[::-1])) for _ in range(3000)]
    assert -30 <= min(angles) < -29
    assert 29 < max(angles) <= 30
    assert pstdev(angles) == pytest.approx(30 / math.sqrt(3), rel=0.03)


@pytest.mark.parametrize("quarters", [-2, -1, 0, 1, 2])
def test_quarter_turns_of_an_image_equal_numpys(quarters, fixed_draws):
    image = np.arange(25.0).reshape(5, 5)
    turned = rotate(180, width=5)(image.ravel().tolist(), fixed_draws(90.0 * quarters))
    np.testing.assert_allclose(np.reshape(turned, (5, 5)), np.rot90(image, quarters), atol=1e-13)


@given(st.floats(-90, 90), st.integers(2, 7), st.integers(2, 7))
def test_rotated_images_equal_scipys(fixed_draws, degrees, height, width):
    image = np.random.default_rng(0).uniform(0, 1, (height, width))
    turned = rotate(90, width=width)(image.ravel().tolist(), fixed_draws(degrees))
    # Padded, as SciPy takes all of a pixel beyond the edge for 0, where the edge fades over one pixel here.
    expected = ndimage.rotate(np.pad(image, 4), degrees, reshape=False, order=1, mode="constant")[4:-4, 4:-4]
    np.testing.assert_allclose(np.reshape(turned, (height, width)), expected, atol=1e-9)


@given(st.lists(st.floats(-1e100, 1e100), min_size=1, max_size=5), st.floats(1, 10), seeds)
def test_a_scaled_point_stays_on_its_ray(point, factor, seed):
    moved = scale(factor)(point, seed)
    s = math.exp(random.Random(seed).uniform(-math.log(factor), math.log(factor)))
    assert moved == tuple(s * x for x in point)
    assert 1 / factor * (1 - 1e-15) <= s <= factor * (1 + 1e-15)
    assert [math.copysign(1, a) for a in moved] == [math.copysign(1, b) for b in point]


def test_scales_are_uniform_in_their_logarithm():
    source = random.Random(0)
    logs = [math.log(scale(1.5)((1.0,), source)[0], 1.5) for _ in range(3000)]
    assert -1 <= min(logs) < -0.99
    assert 0.99 < max(logs) <= 1 + 1e-12
    assert fmean(logs) == pytest.approx(0.0, abs=0.04)
    assert pstdev(logs) == pytest.approx(1 / math.sqrt(3), rel=0.03)
    assert scale(1.0)((2.0, -3.0), source) == (2.0, -3.0)


@given(st.floats(-1.5, 1.5), st.integers(2, 7), st.integers(2, 7))
def test_scaled_images_equal_scipys(fixed_draws, log_scale, height, width):
    image = np.random.default_rng(0).uniform(0, 1, (height, width))
    scaled = scale(5, width=width)(image.ravel().tolist(), fixed_draws(log_scale))
    centre, s = np.array([(height - 1) / 2, (width - 1) / 2]), math.exp(log_scale)
    matrix = np.eye(2) / s
    far = ndimage.affine_transform(
        np.pad(image, 20), matrix, offset=(centre + 20) - matrix @ (centre + 20), order=1, mode="constant"
    )
    np.testing.assert_allclose(np.reshape(scaled, (height, width)), far[20:-20, 20:-20], atol=1e-9)


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=9), st.floats(1e-3, 1e3))
def test_the_mu_law_keeps_signs_ends_and_order(samples, mu):
    low, high = mu_law(mu)(samples, 1), mu_law(mu)(samples, 0)  # seed 1 draws below ½, seed 0 above
    assert high == tuple(samples)
    for x, y in zip(samples, low):
        assert abs(x) <= abs(y) * (1 + 1e-12) + 1e-300
        assert abs(y) <= 1
        assert math.copysign(1, x) == math.copysign(1, y)
        assert (math.exp(abs(y) * math.log1p(mu)) - 1) / mu == pytest.approx(abs(x), rel=1e-9, abs=1e-12)
    assert [b for _, b in sorted(zip(samples, low))] == sorted(low)


def test_noise_has_the_given_standard_deviation():
    noisy = gaussian_noise(0.25)([3.0] * 10_000, 0)
    assert fmean(noisy) == pytest.approx(3.0, abs=0.0125)
    assert pstdev(noisy) == pytest.approx(0.25, rel=0.04)


def test_noise_on_a_line_acts_as_tikhonov_s_regulariser():
    """For y = w · x and the error ½(y − t)², the mean over the noise is E + ½ std² ‖w‖² exactly."""
    w, x, target, std = (1.5, -2.0), (0.3, 0.8), 0.4, 0.5
    noise, source = gaussian_noise(std), random.Random(0)

    def error(x):
        return 0.5 * (sum(a * b for a, b in zip(w, x)) - target) ** 2

    mean = fmean(error(noise(x, source)) for _ in range(40_000))
    assert mean - error(x) == pytest.approx(0.5 * std**2 * (1.5**2 + 2.0**2), rel=0.05)


@given(seeds)
def test_a_chain_applies_all_in_order_with_one_generator(seed):
    source = random.Random(seed)
    by_hand = gaussian_noise(0.1)(mirror(4)(shift(1, 4)(IMAGE, source), source), source)
    assert chain(shift(1, 4), mirror(4), gaussian_noise(0.1))(IMAGE, seed) == by_hand
    assert chain()(IMAGE, seed) == IMAGE


@pytest.mark.parametrize(
    "change", [gaussian_noise(0.1), shift(1, 4), mirror(4), rotate(20, 4), scale(1.5), scale(2, 4), mu_law()]
)
def test_a_seed_is_reproducible_and_the_input_unchanged(change):
    row = list(IMAGE)
    assert change(row, 5) == change(tuple(row), random.Random(5))
    assert len({change(row, seed) for seed in range(20)}) > 1
    assert row == list(IMAGE)


@pytest.mark.parametrize("dataset", [moons(9), spirals(9, arms=3), sine(9)])
def test_augmented_adds_changed_copies_with_the_same_targets(dataset):
    noise = gaussian_noise(0.1)
    more = augmented(dataset, noise, copies=2, rng=4)
    source = random.Random(4)
    assert more.inputs == dataset.inputs + tuple(noise(row, source) for _ in range(2) for row in dataset.inputs)
    assert more.targets == dataset.targets * 3
    assert type(more) is type(dataset)
    assert augmented(dataset, noise, 2, rng=4) == more != augmented(dataset, noise, 2, rng=5)


def test_augmented_accepts_a_user_function():
    points = Dataset(((1.0,), (2.0,)), (0, 1), ("x",), ("a", "b"))
    assert augmented(points, lambda x, rng: [-x[0]]).inputs == ((1.0,), (2.0,), (-1.0,), (-2.0,))


@pytest.mark.parametrize(
    ("error", "make", "words"),
    [
        (ValueError, lambda: gaussian_noise(-1.0), "std must be a finite number >= 0, a standard deviation"),
        (ValueError, lambda: gaussian_noise(math.nan), "std must be a finite number >= 0, a standard deviation"),
        (ValueError, lambda: shift(0, 8), "pixels must be a whole number >= 1"),
        (TypeError, lambda: shift(1.5, 8), "pixels must be a whole number"),
        (ValueError, lambda: shift(1, 0), "width must be a whole number >= 1"),
        (ValueError, lambda: shift(1, 5)(IMAGE, 0), "12 pixels cannot be arranged in rows of width 5"),
        (TypeError, lambda: mirror("4"), "width must be a whole number"),
        (ValueError, lambda: mirror(5)(IMAGE, 0), "12 pixels cannot be arranged in rows of width 5"),
        (ValueError, lambda: rotate(-1.0), "max_degrees must be a finite number >= 0, the largest angle"),
        (ValueError, lambda: rotate(math.inf), "max_degrees must be a finite number >= 0, the largest angle"),
        (ValueError, lambda: rotate(10.0, 0), "width must be a whole number >= 1"),
        (ValueError, lambda: scale(0.5), "factor must be a finite number >= 1, the largest scale, got 0.5"),
        (ValueError, lambda: scale(math.inf), "factor must be a finite number >= 1"),
        (ValueError, lambda: scale(1.5, 5)(IMAGE, 0), "12 pixels cannot be arranged in rows of width 5"),
        (ValueError, lambda: mu_law(0.0), "mu must be a finite number > 0"),
        (ValueError, lambda: rotate(10.0)(IMAGE, 0), "two coordinates, got 12; for an image give rotate its width"),
        (ValueError, lambda: rotate(10.0, 5)(IMAGE, 0), "12 pixels cannot be arranged in rows of width 5"),
        (ValueError, lambda: augmented(moons(), mirror(2), copies=0), "copies must be a whole number >= 1"),
        (TypeError, lambda: augmented(moons(), mirror(2), copies=1.0), "copies must be a whole number"),
        (ValueError, lambda: augmented(moons(4), lambda x, rng: x[:1]), "row 4 has 1 numbers"),
        (TypeError, lambda: augmented(moons(), mirror(2), rng=None), "rng must be a seed"),
        (TypeError, lambda: mirror(4)(IMAGE, None), "rng must be a seed"),
    ],
)
def test_invalid_input_raises_with_a_remedy(error, make, words):
    with pytest.raises(error, match=words):
        make()

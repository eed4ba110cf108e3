"""The estimated rounding error of a function, told from oscillation, curvature and kinks."""

import itertools
import math
import random

import pytest

from microgradlib.numeric.noise import Noise, _explanation, estimate_noise


@pytest.mark.parametrize(
    ("f", "x", "least", "most"),
    [
        (math.sin, 1.0, 1e-17, 1e-15),
        (lambda x: (x + 1e8) - 1e8, 0.3, 1e-9, 1e-7),
        (lambda x: x * ((x + 1e8) - 1e8), 0.3, 1e-10, 1e-7),
        (lambda x: math.exp(100 * x), 1.0, 1e27, 1e31),
        (lambda x: 3 * x + 1, -0.33203125, 1e-17, 1e-15),  # the intermediate results are larger than f
        (lambda x: (1 - math.cos(x)) / x**2, 1e-3, 1e-12, 1e-9),
        (lambda x: 5.0, 2.0, 0.0, 1e-300),
    ],
)
def test_rounding_is_estimated_within_two_orders(f, x, least, most):
    noise = Noise(f, x, max(abs(x), 1.0))
    assert noise.kind == "rounding"
    assert least <= noise.bound <= most


@pytest.mark.parametrize(
    ("f", "x", "kind"),
    [
        (math.sin, 1e12, "oscillation"),
        (math.sin, 1e14, "oscillation"),
        (math.sin, 1e18, "irregular"),
        (lambda x: math.sin(1e40 * x), 0.7, "irregular"),
        (abs, 0.0, "rounding"),  # a kink
        (lambda x: abs(x - 0.5) * math.exp(x), 0.5, "rounding"),
        (math.exp, 1.0, "rounding"),
        (math.sqrt, 0.0, "rounding"),
        (lambda x: math.fmod(x, 1.65), -20527007.97, "irregular"),  # a sawtooth: the slope of no secant is 1
    ],
)
def test_the_kind(f, x, kind):
    def number(at):
        try:
            return f(at)
        except ValueError:
            return math.nan

    assert Noise(number, x, max(abs(x), 1.0)).kind == kind


def test_an_oscillation_of_numbers_rounded_to_a_grid_has_the_rounding_error_of_the_grid():
    noise = Noise(lambda x: math.cos(1e6 * ((x + 2e6) - 2e6)), 0.7309, 1.0)  # in steps of 2⁻³² · 1e6 = 2e-4
    assert noise.kind == "rounding"
    assert 1e-5 < noise.bound < 1e-3


def test_the_point_itself_does_not_count():
    def f(x):
        return 1.0 if x == 0.25 else x * x

    assert estimate_noise(f, 0.25, 2.0**-40) < 1e-15
    assert estimate_noise(f, 0.25 + 2.0**-41, 2.0**-40) > 0.1


def test_slopes_that_are_not_finite_say_nothing_of_an_oscillation():
    assert _explanation(lambda _: math.inf, 0.0, 1e-3, 1e-9, 0.0) == "curvature"
    assert _explanation(lambda x: x * x, 1.0, 1e-3, 1e-9, 0.0) == "curvature"
    assert _explanation(lambda x: math.sin(1e8 * x), 1.0, 1e-3, 1e-10, 0.0) == "oscillation"


def test_the_estimate_of_what_alternates_is_hammings():
    numbers = itertools.cycle([1.0, -1.0])  # fourth differences of ±16
    assert estimate_noise(lambda _: next(numbers), 1.0, 2.0**-40) == pytest.approx(2 * 16 / math.sqrt(70), rel=1e-12)


@pytest.mark.parametrize("side", [1, -1])
def test_a_curve_has_the_rounding_error_of_the_largest_number_a_sixteenth_aside(side):
    def f(x):
        h = x - 1
        return math.exp(2e8 * h) if abs(h) < 1e-6 else 100.0 if h * side == 1 / 16 else 0.0

    assert Noise(f, 1.0, 1.0).bound == pytest.approx(2.0**-52 * 100, rel=1e-9, abs=0)


def test_points_of_estimates_are_odd_numbers_of_floats_from_x():
    points = []
    noise = Noise(lambda x: points.append(x) or 0.0, 1.0, 1.0)
    assert noise.widest == 2.0**-38  # a quarter of the step, a power of two
    for point in points[3:19]:  # after x and the points a sixteenth aside: two steps of eight points
        assert abs(point - 1) < 2.0**-32
        assert math.fmod((point - 1) * 2.0**52, 2) in {1, -1}


@pytest.mark.parametrize(("size", "kind"), [(1e-4, "rounding"), (1e4, "irregular")])
def test_numbers_are_irregular_if_they_scatter_by_much_of_their_range(size, kind):
    noise = Noise(lambda x: 1e6 * math.sin(x) + size * random.Random(x).random(), 1.0, 1.0)
    assert noise.kind == kind
    assert size / 10 < noise.bound < size * 10


@pytest.mark.parametrize("halvings", [0, 1, 2, 3, 4])
def test_an_oscillation_that_is_an_alias_is_another_where_floats_are_denser(halvings):
    x = 1e12 + 0.25
    steady = x / 2**halvings if halvings else math.inf

    def f(at):
        return 0.0 if abs(at - steady) < 1000 else math.sin(at)

    assert Noise(f, x, x).kind == ("irregular" if halvings else "oscillation")


@pytest.mark.parametrize("rate", [1e4, 2e4])
@pytest.mark.parametrize("spacing", [2.0**-25, 2.0**-28, 2.0**-32])
def test_a_grid_is_seen_where_the_function_curves_over_wider_steps(spacing, rate):
    rng = random.Random(0)
    places = [rng.uniform(0.5, 1) for _ in range(100)]
    bounds = [Noise(lambda x: round(x / spacing) * spacing + 1e-8 * math.sin(rate * x), x, 1.0).bound for x in places]
    assert sum(spacing / 20 < bound < spacing * 20 for bound in bounds) > 90

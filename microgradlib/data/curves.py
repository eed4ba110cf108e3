"""Generators of data sets whose points lie along curves: moons, circles, spirals, and a sine for regression."""

import math
from collections.abc import Sequence

from microgradlib._support.calling import in_plain_words
from microgradlib._support.checks import WholeNumber, boolean, fraction, non_negative, real_number, whole_number
from microgradlib._support.rng import Rng, as_random, restored_on_error
from microgradlib._support.shown import shown
from microgradlib.data.dataset import Dataset, RegressionDataset


@in_plain_words
def moons(n: WholeNumber = 100, noise: float = 0.1, rng: Rng = 0) -> Dataset:
    """Return n points on two interleaving half circles, with Gaussian noise: two classes that no line separates.

    With t evenly spaced from 0 to π, class 0 lies on (cos t, sin t), an arch open below, and class 1 on
    (1 − cos t, ½ − sin t), an arch open above. Each class has half of the points (class 0 one more where n is
    odd); class 0 comes first.

    Args:
        n: how many points, at least 2.
        noise: standard deviation of the noise on both coordinates, 0 or more; the radius is 1.
        rng: a seed or a `random.Random`; the same seed gives the same points.

    Raises:
        TypeError: `n` is not a whole number, `noise` not a number, or `rng` neither a seed nor a `random.Random`.
        ValueError: `n` is below 2, or `noise` is negative, infinite or nan.

    >>> moons(4, noise=0.0).inputs[:2] == ((1.0, 0.0), (math.cos(math.pi), math.sin(math.pi)))
    True
    >>> moons(100, rng=3) == moons(100, rng=3)
    True
    """
    n = whole_number(n, "n", 2, reason="one point per moon")
    upper = [(math.cos(t), math.sin(t)) for t in _half_circle(n - n // 2)]
    lower = [(1.0 - math.cos(t), 0.5 - math.sin(t)) for t in _half_circle(n // 2)]
    return _with_noise([upper, lower], ("upper moon", "lower moon"), noise, rng)


@in_plain_words
def circles(n: WholeNumber = 100, noise: float = 0.05, rng: Rng = 0, *, factor: float = 0.5) -> Dataset:
    """Return n points on two concentric circles around the origin, with Gaussian noise.

    With t evenly spaced in [0, 2π), class 0 lies on (cos t, sin t) and class 1 on `factor` · (cos t, sin t).
    Each class has half of the points (class 0 one more where n is odd); class 0 comes first. No line separates
    the classes; with x² + y² as a third feature, a plane does.

    Args:
        n: how many points, at least 2.
        noise: standard deviation of the noise on both coordinates, 0 or more.
        rng: a seed or a `random.Random`; the same seed gives the same points.
        factor: the radius of the inner circle, 0 < factor < 1.

    Raises:
        TypeError: `n` is not a whole number, `noise` or `factor` not a number, or `rng` neither a seed nor a
            `random.Random`.
        ValueError: `n` is below 2, `noise` is negative, infinite or nan, or `factor` is not between 0 and 1.

    >>> rings = circles(100, noise=0.0, factor=0.25)
    >>> [round(math.hypot(*rings.inputs[i]), 12) for i in (0, 49, 50, 99)]
    [1.0, 1.0, 0.25, 0.25]
    """
    n = whole_number(n, "n", 2, reason="one point per circle")
    factor = fraction(factor, "factor", zero=False, reason="the radius of the inner circle", example=0.5)
    outer = [(math.cos(t), math.sin(t)) for t in _full_circle(n - n // 2)]
    inner = [(factor * math.cos(t), factor * math.sin(t)) for t in _full_circle(n // 2)]
    return _with_noise([outer, inner], ("outer circle", "inner circle"), noise, rng)


@in_plain_words
def spirals(
    n: WholeNumber = 200, noise: float = 0.02, rng: Rng = 0, *, arms: WholeNumber = 2, turns: float = 1.0
) -> Dataset:
    """Return n points on intertwined spiral arms, one class per arm, with Gaussian noise.

    With t evenly spaced from 0.1 to 1, arm j of k arms lies on (t cos θ, t sin θ),
    θ = 2π (turns · t + j/k): Archimedes' spiral, whose radius grows linearly with the angle. The points are
    divided evenly among the arms (the first arms get one more where k does not divide n), in order of the arms.
    Neighbouring arms are 1/(k · turns) apart along a ray, so keep `noise` well below that.

    Args:
        n: how many points, at least one per arm.
        noise: standard deviation of the noise on both coordinates, 0 or more; the radius at the end is 1.
        rng: a seed or a `random.Random`; the same seed gives the same points.
        arms: how many arms and classes, at least 1.
        turns: how many revolutions each arm makes, counter-clockwise; a negative number goes clockwise.

    Raises:
        TypeError: `n` or `arms` is not a whole number, `noise` or `turns` not a number, or `rng` neither a seed
            nor a `random.Random`.
        ValueError: `n` is below `arms`, `arms` below 1, `turns` infinite or nan, or `noise` negative, infinite
            or nan.

    >>> three = spirals(90, noise=0.0, arms=3)
    >>> three.class_names, [three.targets.count(j) for j in range(3)]
    (('arm 0', 'arm 1', 'arm 2'), [30, 30, 30])
    >>> x, y = three.inputs[29]  # the end of the first arm: t = 1, θ = 2π
    >>> x, round(y, 12) + 0.0
    (1.0, 0.0)
    """
    arms = whole_number(arms, "arms", reason="a class each")
    n = whole_number(n, "n", arms, reason="one point per arm")
    turns = real_number(turns, "turns", example=1.0)
    curves = []
    for j in range(arms):
        m = n // arms + (j < n % arms)
        radii = [0.1 + 0.9 * i / max(m - 1, 1) for i in range(m)]  # not from 0, where all arms meet
        polar = [(t, math.tau * (turns * t + j / arms)) for t in radii]
        curves.append([(t * math.cos(theta), t * math.sin(theta)) for t, theta in polar])
    return _with_noise(curves, [f"arm {j}" for j in range(arms)], noise, rng)


@in_plain_words
def sine(
    n: WholeNumber = 100,
    noise: float = 0.1,
    rng: Rng = 0,
    *,
    low: float = -math.pi,
    high: float = math.pi,
    even: bool = True,
) -> RegressionDataset:
    """Return n points of a noisy sine, for regression: y = sin x + ε, ε ~ N(0, noise²).

    The x are evenly spaced from `low` to `high`, both included, or drawn uniformly between them.
    The least expected (y − ŷ)² of any model on new points is noise², the variance of ε.

    Args:
        n: how many points, at least 2.
        noise: standard deviation of ε, 0 or more; x has no noise.
        rng: a seed or a `random.Random`; the same seed gives the same points.
        low: the smallest x.
        high: the largest x.
        even: whether the x are evenly spaced, in ascending order; `False` draws them, in random order.

    Raises:
        TypeError: `n` is not a whole number, another setting not of its type, or `rng` neither a seed nor a
            `random.Random`.
        ValueError: `n` is below 2, `noise` is negative, infinite or nan, or `low` < `high` does not hold with both
            finite.

    >>> wave = sine(5, noise=0.0, low=0.0, high=2 * math.pi)
    >>> [round(y, 12) + 0.0 for y in wave.targets]
    [0.0, 1.0, 0.0, -1.0, 0.0]
    """
    n = whole_number(n, "n", 2, reason="the two ends")
    noise = non_negative(noise, "noise", reason="a standard deviation", example=0.1)
    low, high = real_number(low, "low", example=-3.0), real_number(high, "high", example=3.0)
    if not low < high:
        message = f"low must be less than high, got low={shown(low)} and high={shown(high)}; write low=-3.0, high=3.0"
        raise ValueError(message)
    even = boolean(even, "even")
    generator = as_random(rng)
    with restored_on_error(generator):  # overflow shows itself in what was drawn
        positions = [k / (n - 1) if even else generator.random() for k in range(n)]
        xs = [low * (1.0 - t) + high * t for t in positions]
        return RegressionDataset(
            inputs=tuple((x,) for x in xs),
            targets=tuple(math.sin(x) + generator.gauss(0.0, noise) for x in xs),
            feature_names=("x",),
            target_name="sin x",
        )


def _half_circle(count: int) -> list[float]:
    """Return `count` angles, evenly spaced from 0 to π."""
    return [math.pi * k / max(count - 1, 1) for k in range(count)]


def _full_circle(count: int) -> list[float]:
    """Return `count` angles, evenly spaced in [0, 2π)."""
    return [math.tau * k / count for k in range(count)]


def _with_noise(
    curves: Sequence[Sequence[tuple[float, float]]], class_names: Sequence[str], noise: float, rng: Rng
) -> Dataset:
    """Return the data set whose class k are the points of curve k, with Gaussian noise on both coordinates."""
    noise = non_negative(noise, "noise", reason="a standard deviation", example=0.1)
    generator = as_random(rng)
    with restored_on_error(generator):  # overflow shows itself in what was drawn
        return Dataset(
            inputs=tuple(
                (x + generator.gauss(0.0, noise), y + generator.gauss(0.0, noise)) for c in curves for x, y in c
            ),
            targets=tuple(label for label, curve in enumerate(curves) for _ in curve),
            feature_names=("x", "y"),
            class_names=tuple(class_names),
        )

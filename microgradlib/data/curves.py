"""Data sets whose points lie along curves: moons, circles, spirals, and the sine to be fitted."""

import math
from collections.abc import Sequence

from microgradlib._support.rng import Rng, as_random
from microgradlib.data.checks import check_spread, check_whole
from microgradlib.data.dataset import Dataset, RegressionDataset


def moons(n: int = 100, noise: float = 0.1, rng: Rng = 0) -> Dataset:
    """Return n points on two half circles that reach into each other, blurred by Gaussian noise.

    With t evenly spaced from 0 to π, class 0 lies on (cos t, sin t), an arch, and class 1 on
    (1 − cos t, ½ − sin t), a bowl whose rim stands inside the arch. Each class has half of the
    points (class 0 one more where n is odd); class 0 comes first.

    Args:
        n: how many points, at least 2.
        noise: standard deviation added to both coordinates, 0 or more; the radius is 1.
        rng: a seed or a `random.Random`; the same seed gives the same points.

    Raises:
        TypeError: an `n` that is no whole number, or an `rng` that is no source of random numbers.
        ValueError: `n` below 2, or a `noise` that is negative, infinite or nan.

    >>> moons(4, noise=0.0).inputs[:2] == ((1.0, 0.0), (math.cos(math.pi), math.sin(math.pi)))
    True
    >>> moons(100, rng=3) == moons(100, rng=3)
    True
    """
    check_whole("n", n, 2, "one point per moon")
    arch = [(math.cos(t), math.sin(t)) for t in _half_turn(n - n // 2)]
    bowl = [(1.0 - math.cos(t), 0.5 - math.sin(t)) for t in _half_turn(n // 2)]
    return _blurred([arch, bowl], ("upper moon", "lower moon"), noise, rng)


def circles(n: int = 100, noise: float = 0.05, rng: Rng = 0, *, factor: float = 0.5) -> Dataset:
    """Return n points on two circles around the origin, one inside the other, blurred by Gaussian noise.

    With t evenly spaced from 0 to 2π, the end left out, class 0 lies on (cos t, sin t) and class 1
    on `factor` · (cos t, sin t). Each class has half of the points (class 0 one more where n is
    odd); class 0 comes first. No line parts them, but x² + y² as one more feature would.

    Args:
        n: how many points, at least 2.
        noise: standard deviation added to both coordinates, 0 or more.
        rng: a seed or a `random.Random`; the same seed gives the same points.
        factor: the radius of the inner circle, between 0 and 1, neither included.

    Raises:
        TypeError: an `n` that is no whole number, or an `rng` that is no source of random numbers.
        ValueError: `n` below 2, a `noise` that is negative, infinite or nan, or a `factor` outside.

    >>> rings = circles(100, noise=0.0, factor=0.25)
    >>> [round(math.hypot(*rings.inputs[i]), 12) for i in (0, 49, 50, 99)]
    [1.0, 1.0, 0.25, 0.25]
    """
    check_whole("n", n, 2, "one point per circle")
    if not 0.0 < factor < 1.0:
        message = f"factor is the inner radius and must lie between 0 and 1, got {factor!r}; write factor=0.5"
        raise ValueError(message)
    outer = [(math.cos(t), math.sin(t)) for t in _whole_turn(n - n // 2)]
    inner = [(factor * math.cos(t), factor * math.sin(t)) for t in _whole_turn(n // 2)]
    return _blurred([outer, inner], ("outer circle", "inner circle"), noise, rng)


def spirals(n: int = 200, noise: float = 0.02, rng: Rng = 0, *, arms: int = 2, turns: float = 1.0) -> Dataset:
    """Return n points on spiral arms wound into each other, one class per arm, blurred by Gaussian noise.

    With t evenly spaced from 0.1 to 1, arm j of k arms lies on (t cos θ, t sin θ),
    θ = 2π (turns · t + j/k): Archimedes' spiral, whose radius grows evenly with the angle. The
    arms share the points evenly (the first ones have one more where k does not divide n), in order.
    Neighbouring arms lie 1/(k · turns) apart along a ray, so keep `noise` well below that.

    Args:
        n: how many points, at least one per arm.
        noise: standard deviation added to both coordinates, 0 or more; the radius at the end is 1.
        rng: a seed or a `random.Random`; the same seed gives the same points.
        arms: how many arms and classes, at least 1.
        turns: how many times each arm goes around, counter-clockwise; a negative number goes clockwise.

    Raises:
        TypeError: an `n` or `arms` that is no whole number, or an `rng` that is no source of random numbers.
        ValueError: `n` below `arms`, `arms` below 1, a `turns` that is not finite, or a `noise` that
            is negative, infinite or nan.

    >>> three = spirals(90, noise=0.0, arms=3)
    >>> three.class_names, [three.targets.count(j) for j in range(3)]
    (('arm 0', 'arm 1', 'arm 2'), [30, 30, 30])
    >>> x, y = three.inputs[29]  # where the first arm ends: t = 1, θ = 2π
    >>> x, round(y, 12) + 0.0
    (1.0, 0.0)
    """
    check_whole("arms", arms, 1, "a class each")
    check_whole("n", n, arms, "one point per arm")
    if not math.isfinite(turns):
        message = f"turns must be finite, got {turns!r}; write turns=1.0"
        raise ValueError(message)
    curves = []
    for j in range(arms):
        m = n // arms + (j < n % arms)
        radii = [0.1 + 0.9 * i / max(m - 1, 1) for i in range(m)]  # all arms would meet at 0
        polar = [(t, math.tau * (turns * t + j / arms)) for t in radii]
        curves.append([(t * math.cos(theta), t * math.sin(theta)) for t, theta in polar])
    return _blurred(curves, [f"arm {j}" for j in range(arms)], noise, rng)


def sine(
    n: int = 100,
    noise: float = 0.1,
    rng: Rng = 0,
    *,
    low: float = -math.pi,
    high: float = math.pi,
    even: bool = True,
) -> RegressionDataset:
    """Return n points of a noisy sine, to be fitted: y = sin x + ε, ε Gaussian with mean 0.

    The x are evenly spaced from `low` to `high`, both included, or drawn uniformly between them.
    With squared error the best any model can do on new points is noise², the variance of ε.

    Args:
        n: how many points, at least 2.
        noise: standard deviation of ε, 0 or more; x has no noise.
        rng: a seed or a `random.Random`; the same seed gives the same points.
        low: the smallest x.
        high: the largest x.
        even: whether x is evenly spaced, in rising order; `False` draws it, in no order.

    Raises:
        TypeError: an `n` that is no whole number, or an `rng` that is no source of random numbers.
        ValueError: `n` below 2, a `noise` that is negative, infinite or nan, or limits that are not
            finite with `low` < `high`.

    >>> wave = sine(5, noise=0.0, low=0.0, high=2 * math.pi)
    >>> [round(y, 12) + 0.0 for y in wave.targets]
    [0.0, 1.0, 0.0, -1.0, 0.0]
    """
    check_whole("n", n, 2, "the two ends")
    check_spread("noise", noise)
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        message = f"low must lie below high, both finite, got {low!r} and {high!r}; write low=-3.0, high=3.0"
        raise ValueError(message)
    source = as_random(rng)
    steps = [k / (n - 1) if even else source.random() for k in range(n)]
    xs = [low * (1.0 - t) + high * t for t in steps]
    return RegressionDataset(
        inputs=tuple((x,) for x in xs),
        targets=tuple(math.sin(x) + source.gauss(0.0, noise) for x in xs),
        feature_names=("x",),
        target_name="sin x",
    )


def _half_turn(count: int) -> list[float]:
    return [math.pi * k / max(count - 1, 1) for k in range(count)]


def _whole_turn(count: int) -> list[float]:
    return [math.tau * k / count for k in range(count)]


def _blurred(
    curves: Sequence[Sequence[tuple[float, float]]], class_names: Sequence[str], noise: float, rng: Rng
) -> Dataset:
    check_spread("noise", noise)
    source = as_random(rng)
    return Dataset(
        inputs=tuple((x + source.gauss(0.0, noise), y + source.gauss(0.0, noise)) for c in curves for x, y in c),
        targets=tuple(label for label, curve in enumerate(curves) for _ in curve),
        feature_names=("x", "y"),
        class_names=tuple(class_names),
    )

"""Data sets made by formula: xor and two moons."""

import math

from microgradlib.data.dataset import Dataset
from microgradlib.randomness import Rng, as_random


def xor() -> Dataset:
    """Return the four points of exclusive or: class 1 where exactly one input is 1.

    No straight line parts the classes, so a network needs a hidden layer (*Deep Learning*, 6.1).

    >>> list(zip(xor().inputs, xor().targets))
    [((0.0, 0.0), 0), ((0.0, 1.0), 1), ((1.0, 0.0), 1), ((1.0, 1.0), 0)]
    """
    corners = [(a, b) for a in (0, 1) for b in (0, 1)]
    return Dataset(
        inputs=tuple((float(a), float(b)) for a, b in corners),
        targets=tuple(a ^ b for a, b in corners),
        feature_names=("a", "b"),
        class_names=("equal", "different"),
    )


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
        ValueError: `n` below 2, or a `noise` that is negative, infinite or nan.

    >>> moons(4, noise=0.0).inputs[:2] == ((1.0, 0.0), (math.cos(math.pi), math.sin(math.pi)))
    True
    >>> moons(100, rng=3) == moons(100, rng=3)
    True
    """
    if n < 2:  # one point per moon
        message = f"moons needs n of at least 2, one point per moon, got {n!r}; write moons(n=100)"
        raise ValueError(message)
    if not (math.isfinite(noise) and noise >= 0.0):
        message = f"noise is a standard deviation and must be 0 or more, got {noise!r}; write noise=0.1"
        raise ValueError(message)
    source = as_random(rng)
    arch = [(math.cos(t), math.sin(t)) for t in _angles(n - n // 2)]
    bowl = [(1.0 - math.cos(t), 0.5 - math.sin(t)) for t in _angles(n // 2)]
    return Dataset(
        inputs=tuple((x + source.gauss(0.0, noise), y + source.gauss(0.0, noise)) for x, y in arch + bowl),
        targets=(0,) * len(arch) + (1,) * len(bowl),
        feature_names=("x", "y"),
        class_names=("upper moon", "lower moon"),
    )


def _angles(count: int) -> list[float]:
    return [math.pi * k / max(count - 1, 1) for k in range(count)]

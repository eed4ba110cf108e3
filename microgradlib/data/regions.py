"""Generators of data sets whose points fill regions: the corners of xor, Gaussian blobs, the yin-yang symbol."""

import math
import random
from collections.abc import Iterable, Sequence

from microgradlib._support.calling import in_plain_words
from microgradlib._support.checks import WholeNumber, non_negative, whole_number
from microgradlib._support.rng import Rng, as_random, restored_on_error
from microgradlib._support.shown import shown
from microgradlib.data.dataset import Dataset, Row

DOT_RADIUS = 0.25
"""The radius of the dots of `yin_yang`, half that of the half discs they lie in."""


def xor() -> Dataset:
    """Return the four points of exclusive or: class 1 where exactly one input is 1.

    No straight line separates the classes, so a network needs a hidden layer (*Deep Learning*, 6.1).

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


@in_plain_words
def blobs(
    n: WholeNumber = 100, noise: float = 0.4, rng: Rng = 0, *, centres: WholeNumber | Sequence[Sequence[float]] = 3
) -> Dataset:
    """Return n points in Gaussian clusters, one class per cluster: x = μ_k + ε, ε ~ N(0, noise² I).

    The points are divided evenly among the clusters (the first ones get one more where their number does not
    divide n), in order of the clusters. With equal variances and class sizes the optimal boundaries are straight
    lines, each halfway between two centres: softmax regression, a network without hidden layer, is enough.

    Args:
        n: how many points, at least one per cluster.
        noise: standard deviation of every coordinate around its centre, 0 or more.
        rng: a seed or a `random.Random`; the same seed gives the same points.
        centres: the centres μ_k, of any dimension; or how many to draw in the square from −3 to 3, each as the one
            of ten uniformly drawn points that is furthest from the earlier centres.

    Raises:
        TypeError: `n` is not a whole number, `noise` not a number, or `rng` neither a seed nor a `random.Random`.
        ValueError: `n` is below the number of centres, there are no centres, they differ in dimension or have
            dimension 0, or `noise` is negative, infinite or nan.

    >>> two = blobs(4, noise=0.0, centres=[(0.0, 0.0, 1.0), (5.0, 5.0, 5.0)])
    >>> two.inputs, two.targets
    (((0.0, 0.0, 1.0), (0.0, 0.0, 1.0), (5.0, 5.0, 5.0), (5.0, 5.0, 5.0)), (0, 0, 1, 1))
    >>> [blobs(100).targets.count(k) for k in range(3)]
    [34, 33, 33]
    """
    noise = non_negative(noise, "noise", reason="a standard deviation", example=0.1)
    generator = as_random(rng)
    with restored_on_error(generator):  # overflow shows itself in what was drawn
        if isinstance(centres, Iterable):
            means = _checked_centres(centres)
            n = whole_number(n, "n", len(means), reason="one point per centre")
        else:
            count = whole_number(centres, "centres", reason="a class each", example=3)
            n = whole_number(n, "n", count, reason="one point per centre")
            means = _draw_centres(count, generator)
        targets = [label for label in range(len(means)) for _ in range(n // len(means) + (label < n % len(means)))]
        return Dataset(
            inputs=tuple(tuple(m + generator.gauss(0.0, noise) for m in means[label]) for label in targets),
            targets=tuple(targets),
            feature_names=("x", "y") if len(means[0]) == 2 else tuple(f"x{i}" for i in range(len(means[0]))),
            class_names=tuple(f"blob {label}" for label in range(len(means))),
        )


@in_plain_words
def yin_yang(n: WholeNumber = 300, noise: float = 0.0, rng: Rng = 0) -> Dataset:
    """Return n points of the yin-yang symbol: class 0 yin (dark), class 1 yang (light), class 2 the two dots.

    The symbol is the disc x² + y² ≤ 1. An S-curve through the origin divides it, made of two half
    circles of radius ½, around (0, ½) on the right and around (0, −½) on the left:
    x = √(y(1 − y)) for y ≥ 0, x = −√(−y(1 + y)) for y < 0. Yang lies left of the curve and contains most of the
    upper half; yin lies right of it. The dots, of radius ¼, are centred at (0, ½) and (0, −½).

    Points are drawn uniformly from the square around the disc, and those outside the disc are rejected, so the number
    of points of each class is proportional to its area: the dots ⅛ of them, yin and yang 7/16 each.
    The order of the classes is random. A point's class is decided before noise is added to it.

    Args:
        n: how many points, at least 1.
        noise: standard deviation of the noise on both coordinates, 0 or more.
        rng: a seed or a `random.Random`; the same seed gives the same points.

    Raises:
        TypeError: `n` is not a whole number, `noise` not a number, or `rng` neither a seed nor a `random.Random`.
        ValueError: `n` is below 1, or `noise` is negative, infinite or nan.

    >>> symbol = yin_yang(400)
    >>> symbol.class_names
    ('yin', 'yang', 'dot')
    >>> all(math.hypot(x, y) <= 1.0 for x, y in symbol.inputs)
    True
    """
    n = whole_number(n, "n", reason="a data set is not empty", example=300)
    noise = non_negative(noise, "noise", reason="a standard deviation", example=0.1)
    generator = as_random(rng)
    with restored_on_error(generator):  # overflow shows itself in what was drawn
        inputs: list[Row] = []
        targets: list[int] = []
        while len(inputs) < n:
            x, y = generator.uniform(-1.0, 1.0), generator.uniform(-1.0, 1.0)
            if math.hypot(x, y) <= 1.0:
                targets.append(_yin_yang_class(x, y))
                inputs.append((x + generator.gauss(0.0, noise), y + generator.gauss(0.0, noise)))
        return Dataset(tuple(inputs), tuple(targets), feature_names=("x", "y"), class_names=("yin", "yang", "dot"))


def _checked_centres(centres: Sequence[Sequence[float]]) -> list[Row]:
    """Return the centres as rows of floats. Raises `ValueError` unless they are one or more, of one dimension >= 1."""
    try:
        means = [tuple(map(float, centre)) for centre in centres]
    except (TypeError, ValueError):  # such as a number instead of a point, or text
        means = []
    if not means or not means[0] or len(set(map(len, means))) > 1:
        message = (
            f"centres must be one point or more, all of one dimension, got {shown(centres)}; write [(0, 0), (3, 0)]"
        )
        raise ValueError(message)
    return means


def _draw_centres(count: int, generator: random.Random) -> list[Row]:
    """Draw centres: each is the one of ten uniform points that is furthest from the earlier centres."""
    centres: list[Row] = []
    for _ in range(count):
        candidates = [(generator.uniform(-3.0, 3.0), generator.uniform(-3.0, 3.0)) for _ in range(10)]
        centres.append(max(candidates, key=lambda point: min((math.dist(point, c) for c in centres), default=0.0)))
    return centres


def _yin_yang_class(x: float, y: float) -> int:
    """Return the class of a point of the disc: 0 right of the S-curve, 1 left of it, 2 in a dot."""
    if math.hypot(x, abs(y) - 0.5) <= DOT_RADIUS:
        return 2
    return int(x < math.copysign(math.sqrt(abs(y) * (1.0 - abs(y))), y))

"""Data sets whose points fill regions: the corners of xor, Gaussian blobs, yin and yang."""

import math
import random
from collections.abc import Sequence

from microgradlib._support.rng import Rng, as_random
from microgradlib.data.checks import check_spread, check_whole
from microgradlib.data.dataset import Dataset, Row

DOT_RADIUS = 0.25
"""The radius of the dots of `yin_yang`, half that of the heads they stand in."""


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


def blobs(n: int = 100, noise: float = 0.4, rng: Rng = 0, *, centres: int | Sequence[Sequence[float]] = 3) -> Dataset:
    """Return n points in Gaussian clusters, one class per cluster: x = μ_k + ε, ε ~ N(0, noise² I).

    The clusters share the points evenly (the first ones have one more where their number does not
    divide n), in order. With equal spreads and shares the best boundaries are straight lines, each
    halfway between two centres: softmax regression, a network without hidden layer, is enough.

    Args:
        n: how many points, at least one per cluster.
        noise: standard deviation of every coordinate around its centre, 0 or more.
        rng: a seed or a `random.Random`; the same seed gives the same points.
        centres: the centres μ_k, of any dimension; or how many to draw in the square from −3 to 3, where
            each is, of ten points drawn uniformly, the one furthest from the centres before it.

    Raises:
        TypeError: an `n` that is no whole number, or an `rng` that is no source of random numbers.
        ValueError: `n` below the number of centres, no centres, centres of different or no
            dimension, or a `noise` that is negative, infinite or nan.

    >>> two = blobs(4, noise=0.0, centres=[(0.0, 0.0, 1.0), (5.0, 5.0, 5.0)])
    >>> two.inputs, two.targets
    (((0.0, 0.0, 1.0), (0.0, 0.0, 1.0), (5.0, 5.0, 5.0), (5.0, 5.0, 5.0)), (0, 0, 1, 1))
    >>> [blobs(100).targets.count(k) for k in range(3)]
    [34, 33, 33]
    """
    check_spread("noise", noise)
    source = as_random(rng)
    if isinstance(centres, int):
        check_whole("centres", centres, 1, "a class each")
        check_whole("n", n, centres, "one point per centre")
        means = _spread_out(centres, source)
    else:
        means = [tuple(map(float, centre)) for centre in centres]
        if not means or not means[0] or len(set(map(len, means))) > 1:
            message = (
                f"centres must be one point or more, all of one dimension, got {centres!r}; write [(0, 0), (3, 0)]"
            )
            raise ValueError(message)
        check_whole("n", n, len(means), "one point per centre")
    targets = [label for label in range(len(means)) for _ in range(n // len(means) + (label < n % len(means)))]
    return Dataset(
        inputs=tuple(tuple(m + source.gauss(0.0, noise) for m in means[label]) for label in targets),
        targets=tuple(targets),
        feature_names=("x", "y") if len(means[0]) == 2 else tuple(f"x{i}" for i in range(len(means[0]))),
        class_names=tuple(f"blob {label}" for label in range(len(means))),
    )


def yin_yang(n: int = 300, noise: float = 0.0, rng: Rng = 0) -> Dataset:
    """Return n points of the yin-yang symbol: class 0 yin (dark), class 1 yang (light), class 2 the two dots.

    The symbol is the disc x² + y² ≤ 1. An S-curve through the origin parts it, made of two half
    circles of radius ½, around (0, ½) on the right and around (0, −½) on the left:
    x = √(y(1 − y)) for y ≥ 0, x = −√(−y(1 + y)) for y < 0. Yang lies left of the curve, so it
    has the upper head; yin lies right of it and has the lower head. The dots, of radius ¼, stand
    in the middles of the heads, at (0, ½) and (0, −½).

    Points are drawn uniformly from the square around the disc and rejected outside it, so each
    class has points in proportion to its area: the dots ⅛ of them, yin and yang 7/16 each.
    Classes are mixed in order. Noise moves a point after it got its class.

    Args:
        n: how many points, at least 1.
        noise: standard deviation added to both coordinates, 0 or more.
        rng: a seed or a `random.Random`; the same seed gives the same points.

    Raises:
        TypeError: an `n` that is no whole number, or an `rng` that is no source of random numbers.
        ValueError: `n` below 1, or a `noise` that is negative, infinite or nan.

    >>> symbol = yin_yang(400)
    >>> symbol.class_names
    ('yin', 'yang', 'dot')
    >>> all(math.hypot(x, y) <= 1.0 for x, y in symbol.inputs)
    True
    """
    check_whole("n", n, 1, "a data set is not empty")
    check_spread("noise", noise)
    source = as_random(rng)
    inputs: list[Row] = []
    targets: list[int] = []
    while len(inputs) < n:
        x, y = source.uniform(-1.0, 1.0), source.uniform(-1.0, 1.0)
        if math.hypot(x, y) <= 1.0:
            targets.append(_part_of_symbol(x, y))
            inputs.append((x + source.gauss(0.0, noise), y + source.gauss(0.0, noise)))
    return Dataset(tuple(inputs), tuple(targets), feature_names=("x", "y"), class_names=("yin", "yang", "dot"))


def _spread_out(count: int, source: random.Random) -> list[Row]:
    centres: list[Row] = []
    for _ in range(count):
        candidates = [(source.uniform(-3.0, 3.0), source.uniform(-3.0, 3.0)) for _ in range(10)]
        centres.append(max(candidates, key=lambda point: min((math.dist(point, c) for c in centres), default=0.0)))
    return centres


def _part_of_symbol(x: float, y: float) -> int:
    if math.hypot(x, abs(y) - 0.5) <= DOT_RADIUS:
        return 2
    return int(x < math.copysign(math.sqrt(abs(y) * (1.0 - abs(y))), y))

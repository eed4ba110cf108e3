"""Transformed copies of examples, with the same target: shifts, mirror images, rotations, noise.

A classifier should answer alike to an input and to the same input moved, turned or blurred a little: be
invariant. Four ways lead there (lecture 8 of the course; *Deep Learning*, 7.4; Bishop, *Pattern Recognition
and Machine Learning*, 5.5.3): copies of the examples with such changes, a penalty on how the output changes
(tangent propagation), features that do not change, and a network built that way (convolution). Here is the
first.

Each function returns an augmentation f(x, rng) → x′ of one example, drawn anew at each call. Give one to
`augmented` for a larger data set, or use it in training to meet each example changed in every epoch. Use only
changes that leave the target true: a digit may move by a pixel, but its mirror image is no digit, and a 6
turned by 180° is a 9.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import replace

from microgradlib._support.rng import Rng, as_random
from microgradlib.data.checks import check_spread, check_whole
from microgradlib.data.dataset import AnyDataset, Row
from microgradlib.data.digits import as_image

Augmentation = Callable[[Sequence[float], Rng], Row]
"""What the functions here return; `rng` may be a seed."""

OwnAugmentation = Callable[[Sequence[float], random.Random], Sequence[float]]
"""What the functions here take: an `Augmentation`, or any function of a row and a `random.Random`."""


def gaussian_noise(std: float) -> Augmentation:
    """Return x → x + ξ, ξ ~ N(0, std² I): noise on every number of the input.

    For small noise, training on ½(y(x + ξ) − t)² is on average training on E + λΩ without noise, with
    λ = std² and Ω = ½ ∫ ‖∇y(x)‖² p(x) dx, Tikhonov's regulariser: it keeps the output smooth
    (lecture 8; *Deep Learning*, 7.5; Bishop, "Training with noise is equivalent to Tikhonov
    regularization", 1995).

    Raises:
        ValueError: `std` is negative, infinite or nan.

    >>> gaussian_noise(0.0)([1.0, 2.0], 0)
    (1.0, 2.0)
    """
    check_spread("std", std)

    def noisy(x: Sequence[float], rng: Rng) -> Row:
        source = as_random(rng)
        return tuple(number + source.gauss(0.0, std) for number in x)

    return noisy


def shift(pixels: int, width: int) -> Augmentation:
    """Return a move of an image, given row by row: down and to the right by up to `pixels`, or up and to the left.

    image′[r][c] = image[r − d][c − e], with 0 where that lies outside; d and e are whole numbers drawn
    from −pixels to pixels, each equally likely.

    Args:
        pixels: the furthest move, at least 1.
        width: how many pixels a row of the image has.

    Raises:
        TypeError: `pixels` or `width` is no whole number.
        ValueError: `pixels` or `width` below 1; from the augmentation, a `width` that does not divide the pixels.

    >>> shift(1, width=3)([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 1)  # seed 1 draws d = -1, e = 1
    (0.0, 4.0, 5.0, 0.0, 0.0, 0.0)
    """
    check_whole("pixels", pixels, 1, "the furthest move")
    check_whole("width", width, 1, "one pixel in each row")

    def shifted(x: Sequence[float], rng: Rng) -> Row:
        [image] = as_image(x, width)
        source = as_random(rng)
        down, right = source.randint(-pixels, pixels), source.randint(-pixels, pixels)
        return tuple(_pixel(image, r - down, c - right) for r in range(len(image)) for c in range(width))

    return shifted


def mirror(width: int) -> Augmentation:
    """Return the mirror image, left for right, of an image given row by row; of every second one, by chance.

    With probability ½ image′[r][c] = image[r][width − 1 − c], else the image stays.

    Raises:
        TypeError: `width` is no whole number.
        ValueError: `width` below 1; from the augmentation, a `width` that does not divide the pixels.

    >>> [mirror(3)([1.0, 2.0, 3.0], seed) for seed in (0, 1)]
    [(1.0, 2.0, 3.0), (3.0, 2.0, 1.0)]
    """
    check_whole("width", width, 1, "one pixel in each row")

    def mirrored(x: Sequence[float], rng: Rng) -> Row:
        [image] = as_image(x, width)
        step = -1 if as_random(rng).random() < 0.5 else 1
        return tuple(pixel for row in image for pixel in row[::step])

    return mirrored


def rotate(max_degrees: float, width: int | None = None) -> Augmentation:
    """Return a turn by an angle drawn uniformly from −max_degrees to max_degrees, counter-clockwise.

    Without `width` the example is a point of the plane, turned about the origin by θ:
    (x cos θ − y sin θ, x sin θ + y cos θ). With it the example is an image, given row by row, turned
    about its middle: each pixel of the result is read where it came from, between four pixels in
    proportion (bilinear), 0 outside.

    Raises:
        TypeError: `width` is no whole number.
        ValueError: `max_degrees` is negative or not finite, or `width` below 1; from the augmentation, a
            point that has not two coordinates, or a `width` that does not divide the pixels.

    >>> x, y = rotate(90.0)((3.0, 4.0), 0)
    >>> round(math.hypot(x, y), 12)
    5.0
    """
    check_spread("max_degrees", max_degrees, "the largest angle")
    if width is not None:
        check_whole("width", width, 1, "one pixel in each row")

    def rotated(x: Sequence[float], rng: Rng) -> Row:
        if width is None and len(x) != 2:
            message = f"a point to turn has two coordinates, got {len(x)}; for an image give rotate its width"
            raise ValueError(message)
        image = None if width is None else as_image(x, width)[0]  # before anything is drawn
        angle = math.radians(as_random(rng).uniform(-max_degrees, max_degrees))
        cos, sin = math.cos(angle), math.sin(angle)
        if image is None:
            return (x[0] * cos - x[1] * sin, x[0] * sin + x[1] * cos)
        return _turned(image, cos, sin)

    return rotated


def chain(*augmentations: OwnAugmentation) -> Augmentation:
    """Return the augmentation that applies all of these, one after the other; of none, it leaves x as it is.

    >>> chain(mirror(2), gaussian_noise(0.0))([1.0, 2.0], 1)
    (2.0, 1.0)
    """

    def chained(x: Sequence[float], rng: Rng) -> Row:
        source = as_random(rng)
        for augmentation in augmentations:
            x = augmentation(x, source)
        return tuple(x)

    return chained


def augmented(
    dataset: AnyDataset,
    augmentation: OwnAugmentation,
    copies: int = 1,
    rng: Rng = 0,
) -> AnyDataset:
    """Return the examples of `dataset` and after them `copies` changed copies of all, with the same targets.

    Augment the training part alone, after `split`: copies of one example on both sides of the split
    would make the held-out error look smaller than it is.

    Args:
        dataset: what to copy; stays as it is.
        augmentation: a function (x, rng) → x′, of this module or your own.
        copies: how many of each example, at least 1.
        rng: a seed or a `random.Random`; the same seed gives the same copies.

    Raises:
        TypeError: `copies` is no whole number, or `rng` no source of random numbers.
        ValueError: `copies` below 1, or an x′ that is no row of the data set.

    >>> from microgradlib.data import xor
    >>> more = augmented(xor(), gaussian_noise(0.1), copies=3)
    >>> len(more), more.inputs[:4] == xor().inputs, more.targets == xor().targets * 4
    (16, True, True)
    """
    check_whole("copies", copies, 1, "or there is nothing to do")
    source = as_random(rng)
    changed = [tuple(augmentation(row, source)) for _ in range(copies) for row in dataset.inputs]
    return replace(dataset, inputs=dataset.inputs + tuple(changed), targets=dataset.targets * (copies + 1))


def _pixel(image: list[list[float]], r: int, c: int) -> float:
    return image[r][c] if 0 <= r < len(image) and 0 <= c < len(image[0]) else 0.0


def _turned(image: list[list[float]], cos: float, sin: float) -> Row:
    height, width = len(image), len(image[0])
    middle_r, middle_c = (height - 1) / 2, (width - 1) / 2
    pixels = []
    for r in range(height):
        for c in range(width):
            right, up = c - middle_c, middle_r - r
            # The turn back, by −θ, of where the pixel stands; rows count downwards.
            from_c, from_r = middle_c + right * cos + up * sin, middle_r - (up * cos - right * sin)
            r0, c0 = math.floor(from_r), math.floor(from_c)
            dr, dc = from_r - r0, from_c - c0
            upper = (1 - dc) * _pixel(image, r0, c0) + dc * _pixel(image, r0, c0 + 1)
            lower = (1 - dc) * _pixel(image, r0 + 1, c0) + dc * _pixel(image, r0 + 1, c0 + 1)
            pixels.append((1 - dr) * upper + dr * lower)
    return tuple(pixels)

"""Data augmentation: transformed copies of examples with the same target (shifts, mirror images, rotations, noise).

A classifier should be invariant: its output should not change if the input is shifted or rotated a little, or if some
noise is added. Four methods achieve that (lecture 8 of the course; *Deep Learning*, 7.4; Bishop, *Pattern
Recognition and Machine Learning*, 5.5.3): transformed copies of the examples, a penalty on how the output changes
(tangent propagation), invariant features, and invariance built into the network (convolution). This module is the
first.

Each function returns an augmentation f(x, rng) → x′ of one example, which draws a new transformation at each call. Pass
it to `augmented` for a larger data set, or to `fit(..., augment=...)` to transform each example anew in every epoch.
Use only transformations that preserve the target: a digit may move by a pixel, but its mirror image is no digit, and a
6 rotated by 180° is a 9.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import replace

from microgradlib._support.checks import WholeNumber, non_negative, whole_number
from microgradlib._support.rng import Rng, as_random
from microgradlib.data.dataset import AnyDataset, Row
from microgradlib.data.digits import as_image

Augmentation = Callable[[Sequence[float], Rng], Row]
"""The type of the functions returned here; `rng` may be a seed."""

AugmentationLike = Callable[[Sequence[float], random.Random], Sequence[float]]
"""The type of the functions accepted here: an `Augmentation`, or any function of a row and a `random.Random`."""


def gaussian_noise(std: float) -> Augmentation:
    """Return x → x + ξ, ξ ~ N(0, std² I): noise on every number of the input.

    For small noise the expected cost, E of ½(y(x + ξ) − t)² over ξ, is the cost without noise plus λΩ, with
    λ = std² and Ω = ½ ∫ ‖∇y(x)‖² p(x) dx, Tikhonov's regulariser, which keeps the output smooth
    (lecture 8; *Deep Learning*, 7.5; Bishop, "Training with noise is equivalent to Tikhonov
    regularization", 1995).

    Raises:
        TypeError: `std` is not a number.
        ValueError: `std` is negative, infinite or nan.

    >>> gaussian_noise(0.0)([1.0, 2.0], 0)
    (1.0, 2.0)
    """
    std = non_negative(std, "std", reason="a standard deviation", example=0.1)

    def add_noise(x: Sequence[float], rng: Rng) -> Row:
        generator = as_random(rng)
        return tuple(number + generator.gauss(0.0, std) for number in x)

    return add_noise


def shift(pixels: WholeNumber, width: WholeNumber) -> Augmentation:
    """Return a translation of an image, given row by row, by up to `pixels` in each direction.

    image′[r][c] = image[r − d][c − e], with 0 outside the image; d (down) and e (right) are drawn uniformly from the
    whole numbers −pixels to pixels.

    Args:
        pixels: the largest translation, at least 1.
        width: the number of pixels in a row of the image.

    Raises:
        TypeError: `pixels` or `width` is not a whole number.
        ValueError: `pixels` or `width` is below 1; from the augmentation, `width` does not divide the number of pixels.

    >>> shift(1, width=3)([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 1)  # seed 1 draws d = -1, e = 1
    (0.0, 4.0, 5.0, 0.0, 0.0, 0.0)
    """
    pixels = whole_number(pixels, "pixels", reason="the largest translation")
    width = _checked_width(width)

    def translate(x: Sequence[float], rng: Rng) -> Row:
        [image] = as_image(x, width)
        generator = as_random(rng)
        down, right = generator.randint(-pixels, pixels), generator.randint(-pixels, pixels)
        return tuple(_pixel(image, r - down, c - right) for r in range(len(image)) for c in range(width))

    return translate


def mirror(width: WholeNumber) -> Augmentation:
    """Return a random horizontal flip of an image given row by row.

    With probability ½ image′[r][c] = image[r][width − 1 − c], else the image is unchanged.

    Raises:
        TypeError: `width` is not a whole number.
        ValueError: `width` is below 1; from the augmentation, `width` does not divide the number of pixels.

    >>> [mirror(3)([1.0, 2.0, 3.0], seed) for seed in (0, 1)]
    [(1.0, 2.0, 3.0), (3.0, 2.0, 1.0)]
    """
    width = _checked_width(width)

    def flip(x: Sequence[float], rng: Rng) -> Row:
        [image] = as_image(x, width)
        step = -1 if as_random(rng).random() < 0.5 else 1
        return tuple(pixel for row in image for pixel in row[::step])

    return flip


def rotate(max_degrees: float, width: WholeNumber | None = None) -> Augmentation:
    """Return a rotation by an angle drawn uniformly from −max_degrees to max_degrees, counter-clockwise.

    Without `width` the example is a point of the plane, rotated about the origin by θ:
    (x cos θ − y sin θ, x sin θ + y cos θ). With it the example is an image, given row by row, rotated
    about its centre: each pixel of the result is interpolated bilinearly at its source position, with 0 outside
    the image.

    Raises:
        TypeError: `max_degrees` is not a number, or `width` not a whole number.
        ValueError: `max_degrees` is negative or not finite, or `width` is below 1; from the augmentation, a point
            does not have two coordinates, or `width` does not divide the number of pixels.

    >>> x, y = rotate(90.0)((3.0, 4.0), 0)
    >>> round(math.hypot(x, y), 12)
    5.0
    """
    max_degrees = non_negative(max_degrees, "max_degrees", reason="the largest angle", example=10.0)
    if width is not None:
        width = _checked_width(width)

    def rotate_example(x: Sequence[float], rng: Rng) -> Row:
        if width is None and len(x) != 2:
            message = f"a point to rotate has two coordinates, got {len(x)}; for an image give rotate its width"
            raise ValueError(message)
        image = None if width is None else as_image(x, width)[0]  # checked before the angle is drawn
        angle = math.radians(as_random(rng).uniform(-max_degrees, max_degrees))
        cos, sin = math.cos(angle), math.sin(angle)
        if image is None:
            return (x[0] * cos - x[1] * sin, x[0] * sin + x[1] * cos)
        return _rotated(image, cos, sin)

    return rotate_example


def chain(*augmentations: AugmentationLike) -> Augmentation:
    """Return the composition of these augmentations, applied from first to last; with none it returns x unchanged.

    >>> chain(mirror(2), gaussian_noise(0.0))([1.0, 2.0], 1)
    (2.0, 1.0)
    """

    def apply_all(x: Sequence[float], rng: Rng) -> Row:
        generator = as_random(rng)
        for augmentation in augmentations:
            x = augmentation(x, generator)
        return tuple(x)

    return apply_all


def augmented(
    dataset: AnyDataset,
    augmentation: AugmentationLike,
    copies: WholeNumber = 1,
    rng: Rng = 0,
) -> AnyDataset:
    """Return the examples of `dataset`, followed by `copies` transformed copies of all of them, with the same targets.

    Augment only the training part, after `split`: copies of one example in both parts would make the held-out error too
    small.

    Args:
        dataset: the data set; it is not changed.
        augmentation: a function (x, rng) → x′, of this module or your own.
        copies: the number of copies of each example, at least 1.
        rng: a seed or a `random.Random`; the same seed gives the same copies.

    Raises:
        TypeError: `copies` is not a whole number, or `rng` neither a seed nor a `random.Random`.
        ValueError: `copies` is below 1, or an x′ does not have one finite number per feature.

    >>> from microgradlib.data import xor
    >>> more = augmented(xor(), gaussian_noise(0.1), copies=3)
    >>> len(more), more.inputs[:4] == xor().inputs, more.targets == xor().targets * 4
    (16, True, True)
    """
    copies = whole_number(copies, "copies", reason="how many of each example")
    generator = as_random(rng)
    transformed = [tuple(augmentation(row, generator)) for _ in range(copies) for row in dataset.inputs]
    return replace(dataset, inputs=dataset.inputs + tuple(transformed), targets=dataset.targets * (copies + 1))


def _checked_width(width: WholeNumber) -> int:
    return whole_number(width, "width", reason="one pixel in each row", example=8)


def _pixel(image: list[list[float]], r: int, c: int) -> float:
    """Return image[r][c], or 0 outside the image."""
    return image[r][c] if 0 <= r < len(image) and 0 <= c < len(image[0]) else 0.0


def _rotated(image: list[list[float]], cos: float, sin: float) -> Row:
    """Return the pixels of the image rotated about its centre by θ, row by row."""
    height, width = len(image), len(image[0])
    centre_r, centre_c = (height - 1) / 2, (width - 1) / 2
    pixels = []
    for r in range(height):
        for c in range(width):
            right, up = c - centre_c, centre_r - r
            # The source position: this pixel rotated by −θ; row numbers grow downwards.
            source_c, source_r = centre_c + right * cos + up * sin, centre_r - (up * cos - right * sin)
            r0, c0 = math.floor(source_r), math.floor(source_c)
            dr, dc = source_r - r0, source_c - c0
            upper = (1 - dc) * _pixel(image, r0, c0) + dc * _pixel(image, r0, c0 + 1)
            lower = (1 - dc) * _pixel(image, r0 + 1, c0) + dc * _pixel(image, r0 + 1, c0 + 1)
            pixels.append((1 - dr) * upper + dr * lower)
    return tuple(pixels)

"""Data augmentation: transformed copies of examples with the same target (shifts, rotations, scales, noise, …).

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

from microgradlib._support.calling import in_plain_words
from microgradlib._support.checks import WholeNumber, non_negative, positive, real_number, whole_number
from microgradlib._support.rng import Rng, as_random, restored_on_error
from microgradlib.data.checks import check_augmentation, check_dataset, checked_row, transformed_row
from microgradlib.data.dataset import AnyDataset, Row
from microgradlib.data.digits import as_image
from microgradlib.data.resampling import pixel, resampled

Augmentation = Callable[[Sequence[float], Rng], Row]
"""The type of the functions returned here; `rng` may be a seed."""

AugmentationLike = Callable[[Sequence[float], random.Random], Sequence[float]]
"""The type of the functions accepted here: an `Augmentation`, or any function of a row and a `random.Random`."""


@in_plain_words
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
        numbers, generator = checked_row(x), as_random(rng)
        return tuple(number + generator.gauss(0.0, std) for number in numbers)

    return in_plain_words(add_noise)


@in_plain_words
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
        [image] = as_image(checked_row(x), width)
        generator = as_random(rng)
        down, right = generator.randint(-pixels, pixels), generator.randint(-pixels, pixels)
        return tuple(pixel(image, r - down, c - right) for r in range(len(image)) for c in range(width))

    return in_plain_words(translate)


@in_plain_words
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
        [image] = as_image(checked_row(x), width)
        step = -1 if as_random(rng).random() < 0.5 else 1
        return tuple(pixel for row in image for pixel in row[::step])

    return in_plain_words(flip)


@in_plain_words
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
        numbers = checked_row(x)
        if width is None and len(numbers) != 2:
            message = f"a point to rotate has two coordinates, got {len(numbers)}; for an image give rotate its width"
            raise ValueError(message)
        image = None if width is None else as_image(numbers, width)[0]
        angle = math.radians(as_random(rng).uniform(-max_degrees, max_degrees))
        cos, sin = math.cos(angle), math.sin(angle)
        if image is None:
            return (numbers[0] * cos - numbers[1] * sin, numbers[0] * sin + numbers[1] * cos)
        return resampled(image, cos, sin)

    return in_plain_words(rotate_example)


@in_plain_words
def scale(factor: float, width: WholeNumber | None = None) -> Augmentation:
    """Return a scaling by a number s drawn from 1/factor to factor, uniformly in log s.

    Without `width` the example is a point, of any dimension: s · x, which lies on the same ray from the origin. With it
    the example is an image, given row by row, enlarged by s about its centre: each pixel of the result is interpolated
    bilinearly at its source position, with 0 outside the image.

    Raises:
        TypeError: `factor` is not a number, or `width` not a whole number.
        ValueError: `factor` is below 1 or not finite, or `width` is below 1; from the augmentation, `width` does not
            divide the number of pixels.

    >>> x, y = scale(1.5)((3.0, 4.0), 0)
    >>> 2 / 3 <= x / 3 <= 1.5, round(y / x, 12)
    (True, 1.333333333333)
    """
    largest = math.log(real_number(factor, "factor", ge=1, reason="the largest scale", example=1.5))
    if width is not None:
        width = _checked_width(width)

    def scale_example(x: Sequence[float], rng: Rng) -> Row:
        numbers = checked_row(x)
        image = None if width is None else as_image(numbers, width)[0]
        s = math.exp(as_random(rng).uniform(-largest, largest))
        return tuple(number * s for number in numbers) if image is None else resampled(image, 1 / s, 0.0)

    return in_plain_words(scale_example)


@in_plain_words
def mu_law(mu: float = 255.0) -> Augmentation:
    """Return the µ-law of telephony, applied at random to a recording of samples from −1 to 1.

        F(x) = sgn(x) ln(1 + µ |x|) / ln(1 + µ)

    With probability ½ x′ = F(x), which makes the quiet parts louder, else x is unchanged: speech is to be understood
    over the telephone too. µ = 255 in North America and Japan (ITU-T, Recommendation G.711).

    Raises:
        TypeError: `mu` is not a number.
        ValueError: `mu` is not above 0, or not finite.

    >>> [round(x, 6) for x in mu_law()([0.0, 0.01, -1.0], 1)]
    [0.0, 0.228477, -1.0]
    """
    mu = positive(mu, "mu", example=255.0)

    def compress(x: Sequence[float], rng: Rng) -> Row:
        numbers = checked_row(x)
        if as_random(rng).random() >= 0.5:
            return tuple(numbers)
        return tuple(math.copysign(math.log1p(mu * abs(number)) / math.log1p(mu), number) for number in numbers)

    return in_plain_words(compress)


def chain(*augmentations: AugmentationLike) -> Augmentation:
    """Return the composition of these augmentations, applied from first to last; with none it returns x unchanged.

    Raises `TypeError` for anything but functions.

    >>> chain(mirror(2), gaussian_noise(0.0))([1.0, 2.0], 1)
    (2.0, 1.0)
    """
    for augmentation in augmentations:
        check_augmentation(augmentation, "an augmentation")

    def apply_all(x: Sequence[float], rng: Rng) -> Row:
        generator = as_random(rng)
        for augmentation in augmentations:  # to keep the generator's state for an error would take a tenth of the time
            x = transformed_row(augmentation, "augmentation", x, generator)
        return tuple(x)

    return in_plain_words(apply_all)


@in_plain_words
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
        TypeError: `dataset` is no data set, `augmentation` no function, `copies` not a whole number, or `rng` neither a
            seed nor a `random.Random`.
        ValueError: `copies` is below 1, or an x′ does not have one finite number per feature.

    >>> from microgradlib.data import xor
    >>> more = augmented(xor(), gaussian_noise(0.1), copies=3)
    >>> len(more), more.inputs[:4] == xor().inputs, more.targets == xor().targets * 4
    (16, True, True)
    """
    check_dataset(dataset)
    check_augmentation(augmentation, "augmentation")
    copies = whole_number(copies, "copies", reason="how many of each example")
    generator = as_random(rng)
    with restored_on_error(generator):
        transformed = [
            tuple(transformed_row(augmentation, "augmentation", row, generator))
            for _ in range(copies)
            for row in dataset.inputs
        ]
        return replace(dataset, inputs=dataset.inputs + tuple(transformed), targets=dataset.targets * (copies + 1))


def _checked_width(width: WholeNumber) -> int:
    return whole_number(width, "width", reason="one pixel in each row", example=8)

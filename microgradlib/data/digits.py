"""Handwritten digits as rows of 64 pixels, and a row of pixels as an image."""

from collections.abc import Sequence
from typing import TypeVar

from microgradlib._support.calling import in_plain_words
from microgradlib._support.checks import WholeNumber, whole_number
from microgradlib._support.optional import import_optional
from microgradlib._support.shown import shown
from microgradlib.data.dataset import Dataset

Pixel = TypeVar("Pixel")


def digits() -> Dataset:
    """Return 1,797 handwritten digits, 8 × 8 pixels each, row by row, from 0 (paper) to 1 (ink).

    The data are part of scikit-learn: `pip install "microgradlib[data]"`. Each pixel counts the black pixels,
    0 to 16, in a 4 × 4 square of a 32 × 32 scan, here divided by 16. They are the test part of
    E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI repository (1998).
    The target is the digit. Feature `pixel r c` is row r from the top, column c from the left.

    Raises:
        MissingExtraError: scikit-learn is not installed.

    >>> data = digits()
    >>> len(data), len(data.feature_names), data.targets[:12]
    (1797, 64, (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1))
    >>> for row in as_image(data.inputs[0])[0]:
    ...     print("".join("#" if pixel > 0.5 else "-" for pixel in row))
    ---##---
    --####--
    --#--#--
    --#-----
    -----#--
    --#--#--
    --#-##--
    ---##---
    """
    bunch = import_optional("sklearn.datasets", "digits").load_digits()
    return Dataset(
        inputs=tuple(map(tuple, (bunch.data / 16.0).tolist())),
        targets=tuple(bunch.target.tolist()),
        feature_names=tuple(f"pixel {r} {c}" for r in range(8) for c in range(8)),
        class_names=tuple(map(str, range(10))),
    )


@in_plain_words
def as_image(row: Sequence[Pixel], width: WholeNumber = 8) -> list[list[list[Pixel]]]:
    """Return a row of pixels as [channel][row][column] with one channel: what a convolution takes.

    image[0][r][c] = row[r · width + c]. The pixels may be numbers or nodes; they are not copied.

    Raises:
        TypeError: `width` is not a whole number.
        ValueError: `width` is below 1, or does not divide the number of pixels, or there are no pixels.

    >>> as_image([1, 2, 3, 4, 5, 6], width=3)
    [[[1, 2, 3], [4, 5, 6]]]
    """
    width = whole_number(width, "width", reason="one pixel in each row", example=8)
    if not hasattr(row, "__len__"):
        message = f"an image is a list of its pixels, row by row, got {shown(row)}"
        raise TypeError(message)
    if len(row) % width or not len(row):
        message = (
            f"{len(row)} pixels cannot be arranged in rows of width {width}; give a width that divides their number"
        )
        raise ValueError(message)
    return [[list(row[start : start + width]) for start in range(0, len(row), width)]]

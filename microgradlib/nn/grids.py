"""Check signals [channel][position] and images [channel][row][column]; compute where windows on them start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from microgradlib._support.checks import whole_number
from microgradlib.core.value import Value, as_node
from microgradlib.nn.sequences import is_sequence

if TYPE_CHECKING:
    from collections.abc import Collection

    from microgradlib.nn.vectors import Vector

__all__ = ["Image", "ImageInput", "SignalInput", "checked_image", "checked_signal", "row_column_pair", "window_starts"]

Image: TypeAlias = list[list[list[Value]]]
"""An image [channel][row][column] of nodes."""

SignalInput: TypeAlias = "Collection[Vector]"
"""A signal [channel][position], as lists, tuples or a NumPy array."""

ImageInput: TypeAlias = "Collection[Collection[Vector]]"
"""An image [channel][row][column], as lists, tuples or a NumPy array."""


def row_column_pair(size: Any, name: str, *, least: int = 1) -> tuple[int, int]:
    """Return a size as (rows, columns); one number is used for both. Raises as `whole_number`, naming it `name`.

    >>> row_column_pair(3, "size"), row_column_pair((1, 2), "size")
    ((3, 3), (1, 2))
    """
    if isinstance(size, (list, tuple)):
        if len(size) != 2:
            message = f"{name} must be one number or a pair (rows, columns), got {size!r}"
            raise ValueError(message)
        return whole_number(size[0], f"{name}[0]", least), whole_number(size[1], f"{name}[1]", least)
    both = whole_number(size, name, least)
    return both, both


def checked_signal(x: Any, channels: int | None = None) -> Image:
    """Return a signal [channel][position] as an image of one row, its numbers as nodes. Raises as `checked_image`.

    >>> [[[x, _]]] = checked_signal([[5.0, 6.0]])
    >>> x.data
    5.0
    """
    _check_axes(x, 2, "a signal must be nested [channel][position]", "write [signal] for one channel")
    return checked_image([[channel] for channel in x], channels)


def checked_image(x: Any, channels: int | None = None) -> Image:
    """Return an image [channel][row][column], its numbers as nodes.

    Raises `TypeError` for anything but a list, tuple or array, `ValueError` for another number of axes, for channels or
    rows of different lengths, and for a number of channels other than `channels`, if that is given.

    >>> checked_image([[1.0, 2.0], [3.0, 4.0]])
    Traceback (most recent call last):
    ValueError: an image must be nested [channel][row][column], got 2 levels of lists; write [image] for one channel
    """
    _check_axes(x, 3, "an image must be nested [channel][row][column]", "write [image] for one channel")
    if channels is not None and len(x) != channels:
        message = f"this layer takes {channels} channel{'s' * (channels != 1)}, got {len(x)}"
        raise ValueError(message)
    _check_equal([len(channel) for channel in x], "the channels")
    _check_equal([len(row) for channel in x for row in channel], "the rows")
    return [[[as_node(number) for number in row] for row in channel] for channel in x]


def window_starts(length: int, size: int, stride: int, padding: int = 0) -> range:
    """Return the first index of each window of `size` entries, on an axis with `padding` zeros at either end.

    Indices count from the first entry of the axis itself, so those in the padding are negative. Raises `ValueError` if
    the padded axis is shorter than a window.

    >>> list(window_starts(5, 3, 2)), list(window_starts(5, 3, 2, padding=1))
    ([0, 2], [-1, 1, 3])
    """
    if length + 2 * padding < size:
        padded = " with its padding" if padding else ""
        message = f"a kernel or window of size {size} does not fit on an axis of length {length + 2 * padding}{padded}"
        raise ValueError(message)
    return range(-padding, length + padding - size + 1, stride)


def _check_axes(x: Any, axes: int, expected: str, advice: str) -> None:
    if not is_sequence(x):
        message = f"{expected}, got {x!r}"
        raise TypeError(message)
    levels, level = 0, [x]
    while any(map(is_sequence, level)):
        levels += 1
        if not all(map(is_sequence, level)):
            message = f"{expected}, got lists beside numbers at level {levels}"
            raise ValueError(message)
        level = [entry for entries in level for entry in entries]
    if levels != axes:
        message = f"{expected}, got {levels} level{'s' * (levels != 1)} of lists; {advice}"
        raise ValueError(message)


def _check_equal(lengths: list[int], name: str) -> None:
    if len(set(lengths)) > 1:
        message = f"{name} must have equal lengths, got {', '.join(map(str, dict.fromkeys(lengths)))}"
        raise ValueError(message)

"""Check signals [channel][position] and images [channel][row][column]; compute what the windows on them read."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from microgradlib._support.checks import WholeNumber, whole_number
from microgradlib._support.shown import shown
from microgradlib.core.value import Value, as_node
from microgradlib.nn.sequences import is_sequence

if TYPE_CHECKING:
    from collections.abc import Collection

    from microgradlib.nn.vectors import Vector

__all__ = [
    "PADDING_MODES", "Image", "ImageInput", "Pair", "SignalInput", "checked_image", "checked_signal",
    "row_column_pair", "windows",
]  # fmt: skip

Pair: TypeAlias = WholeNumber | tuple[WholeNumber, WholeNumber]
"""A size: one number for both axes, or a pair (rows, columns)."""

Image: TypeAlias = list[list[list[Value]]]
"""An image [channel][row][column] of nodes."""

SignalInput: TypeAlias = "Collection[Vector]"
"""A signal [channel][position], as lists, tuples or a NumPy array."""

ImageInput: TypeAlias = "Collection[Collection[Vector]]"
"""An image [channel][row][column], as lists, tuples or a NumPy array."""


PADDING_MODES: dict[str, Callable[[int, int], int | None]] = {
    "zeros": lambda _i, _n: None,
    "reflect": lambda i, n: -i if i < 0 else 2 * (n - 1) - i,
    "replicate": lambda i, n: 0 if i < 0 else n - 1,
    "circular": lambda i, n: i % n,
}
"""Functions that return the index of the entry repeated at index i in the padding of an axis of n entries.

- `zeros`: none, the number there is 0.
- `reflect`: the axis reflected at its first and last entry, which are not repeated: c b | a b c d | c b.
- `replicate`: its first and last entry: a a | a b c d | d d.
- `circular`: the axis continued periodically: c d | a b c d | a b.
"""


def row_column_pair(size: Any, name: str, *, least: int = 1) -> tuple[int, int]:
    """Return a size as (rows, columns); one number is used for both. Raises as `whole_number`, naming it `name`.

    >>> row_column_pair(3, "size"), row_column_pair((1, 2), "size")
    ((3, 3), (1, 2))
    """
    if isinstance(size, (list, tuple)):
        if len(size) != 2:
            message = f"{name} must be one number or a pair (rows, columns), got {shown(size)}"
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


def windows(
    length: int,
    size: int,
    stride: int = 1,
    *,
    padding: tuple[int, int] = (0, 0),
    dilation: int = 1,
    mode: str = "zeros",
) -> list[tuple[list[int], list[int]]]:
    """Return for each window on an axis of `length` entries which of its `size` entries read the axis, and which index.

    Entry k of the window that starts at s, counted from the first index of the axis, reads index s + k `dilation`;
    windows start at −p, −p + `stride`, … if `padding` is p entries before the axis and q after it. In the padding
    nothing is read if `mode` is "zeros"; otherwise the index that the function in `PADDING_MODES` returns.
    Raises `ValueError` if the padded axis is shorter than a window, and if the padding is too wide for its mode.

    >>> windows(5, 3, 2)
    [([0, 1, 2], [0, 1, 2]), ([0, 1, 2], [2, 3, 4])]
    >>> windows(2, 2, padding=(1, 0)), windows(2, 2, padding=(1, 0), mode="circular")
    ([([1], [0]), ([0, 1], [0, 1])], [([0, 1], [1, 0]), ([0, 1], [0, 1])])
    """
    before, after = padding
    padded, span = before + length + after, (size - 1) * dilation + 1
    if padded < span or not length:
        message = (
            f"a kernel or window of size {size}{f' with dilation {dilation}' if dilation > 1 else ''} does not fit on "
            f"an axis of length {padded}{' with its padding' if before or after else ''}"
        )
        raise ValueError(message)
    widest = {"reflect": length - 1, "circular": length}.get(mode, before + after)
    if max(padding) > widest:
        message = f"{mode} padding of an axis of length {length} is at most {widest}, got {max(padding)}"
        raise ValueError(message)
    index_in_padding = PADDING_MODES[mode]
    read = [i if 0 <= i < length else index_in_padding(i, length) for i in range(-before, length + after)]
    windows = []
    for start in range(0, padded - span + 1, stride):
        pairs = [(k, i) for k, i in enumerate(read[start : start + span : dilation]) if i is not None]
        windows.append(([k for k, _ in pairs], [i for _, i in pairs]))
    return windows


def _check_axes(x: Any, axes: int, expected: str, advice: str) -> None:
    if not is_sequence(x):
        message = f"{expected}, got {shown(x)}"
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

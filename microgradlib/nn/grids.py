"""Signals [channel][position] and images [channel][row][column] as nested lists, and where a window on them lies."""

from __future__ import annotations

from typing import Any, TypeAlias

from microgradlib.core.value import as_node
from microgradlib.nn.labels import is_many
from microgradlib.nn.sizes import count

__all__ = ["Image", "image", "nested_lists", "pair", "signal", "starts"]

Image: TypeAlias = "list[list[list[Any]]]"


def nested_lists(x: Any) -> Any:
    """Return `x` with every tuple and array in it, at whatever depth, as a list; a number stays itself.

    >>> nested_lists(((1, 2), [3]))
    [[1, 2], [3]]
    """
    return [nested_lists(entry) for entry in x] if is_many(x) else x


def pair(size: Any, what: str, *, least: int = 1) -> tuple[int, int]:
    """Return a size as (rows, columns); one number stands for both. Raises `TypeError` or `ValueError`, naming `what`.

    >>> pair(3, "size"), pair((1, 2), "size")
    ((3, 3), (1, 2))
    """
    if isinstance(size, (list, tuple)):
        if len(size) != 2:
            message = f"{what} is one number or a pair (rows, columns), got {size!r}"
            raise ValueError(message)
        return count(size[0], f"{what}[0]", least=least), count(size[1], f"{what}[1]", least=least)
    both = count(size, what, least=least)
    return both, both


def signal(x: Any, channels: int | None = None) -> Image:
    """Return a signal [channel][position] as an image of one row, its numbers as nodes; further as `image`.

    >>> [[[x, _]]] = signal([[5.0, 6.0]])
    >>> x.data
    5.0
    """
    _check_axes(x, 2, "a signal is nested [channel][position]", "write [signal] for a single channel")
    return image([[channel] for channel in x], channels)


def image(x: Any, channels: int | None = None) -> Image:
    """Return an image [channel][row][column], its numbers as nodes.

    Raises `TypeError` for what is no list, `ValueError` for other axes, for channels or rows of different lengths, and
    for a number of channels other than `channels`, if that is given.

    >>> image([[1.0, 2.0], [3.0, 4.0]])
    Traceback (most recent call last):
    ValueError: an image is nested [channel][row][column], got 2 levels of lists; write [image] for a single channel
    """
    _check_axes(x, 3, "an image is nested [channel][row][column]", "write [image] for a single channel")
    if channels is not None and len(x) != channels:
        message = f"this layer takes {channels} channel{'s' * (channels != 1)}, got {len(x)}"
        raise ValueError(message)
    _check_equal([len(channel) for channel in x], "the channels")
    _check_equal([len(row) for channel in x for row in channel], "the rows")
    return [[[as_node(number) for number in row] for row in channel] for channel in x]


def starts(length: int, size: int, stride: int, padding: int = 0) -> range:
    """Return where a kernel of this size begins, on an axis of this length with `padding` zeros at either end.

    Raises `ValueError` if the axis is shorter than the kernel.

    >>> list(starts(5, 3, 2)), list(starts(5, 3, 2, padding=1))
    ([0, 2], [-1, 1, 3])
    """
    if length + 2 * padding < size:
        padded = " with its padding" if padding else ""
        message = f"a kernel or window of size {size} does not fit on an axis of length {length + 2 * padding}{padded}"
        raise ValueError(message)
    return range(-padding, length + padding - size + 1, stride)


def _check_axes(x: Any, axes: int, wanted: str, advice: str) -> None:
    if not is_many(x):
        message = f"{wanted}, got {x!r}"
        raise TypeError(message)
    levels, level = 0, [x]
    while any(map(is_many, level)):
        levels += 1
        if not all(map(is_many, level)):
            message = f"{wanted}, got lists beside numbers at level {levels}"
            raise ValueError(message)
        level = [entry for entries in level for entry in entries]
    if levels != axes:
        message = f"{wanted}, got {levels} level{'s' * (levels != 1)} of lists; {advice}"
        raise ValueError(message)


def _check_equal(lengths: list[int], what: str) -> None:
    if len(set(lengths)) > 1:
        message = f"{what} are of one length, got lengths {', '.join(map(str, dict.fromkeys(lengths)))}"
        raise ValueError(message)

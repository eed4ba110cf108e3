"""Pooling, also called subsampling: reduce each window of a signal or an image to one number; and Flatten."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from microgradlib._support.checks import WholeNumber, whole_number
from microgradlib._support.pytree import flatten
from microgradlib.core.value import Value, as_node
from microgradlib.nn.activation import Activation, activation_function, activation_name
from microgradlib.nn.grids import (
    Image,
    ImageInput,
    SignalInput,
    checked_image,
    checked_signal,
    row_column_pair,
    window_starts,
)
from microgradlib.nn.module import Module
from microgradlib.nn.sequences import nested_lists
from microgradlib.ops import reductions

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["AvgPool1d", "AvgPool2d", "Flatten", "MaxPool1d", "MaxPool2d", "Subsampling"]

Pair: TypeAlias = WholeNumber | tuple[WholeNumber, WholeNumber]


def _pooled(x: Image, size: tuple[int, int], stride: tuple[int, int], pool: Callable[..., Any]) -> Image:
    """Return pool(*window) for every window of every channel; rows and columns beyond the last window are dropped."""
    (rows, columns), (row_stride, column_stride) = size, stride
    tops, lefts = window_starts(len(x[0]), rows, row_stride), window_starts(len(x[0][0]), columns, column_stride)
    return [
        [
            [
                pool(*[number for row in channel[top : top + rows] for number in row[left : left + columns]])
                for left in lefts
            ]
            for top in tops
        ]
        for channel in x
    ]


class _Pool2d(Module):
    _pool: Callable[..., Any]

    def __init__(self, size: Pair, stride: Pair | None = None) -> None:
        self.size = row_column_pair(size, "size")
        self.stride = self.size if stride is None else row_column_pair(stride, "stride")
        shown_stride = "" if self.stride == self.size else f", stride {self.stride[0]}×{self.stride[1]}"
        self.summary_shape = f"{self.size[0]}×{self.size[1]}{shown_stride}"

    def __call__(self, x: ImageInput) -> Image:
        """Return the pooled image [channel][row][column]."""
        return _pooled(checked_image(x), self.size, self.stride, self._pool)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.summary_shape})"


class _Pool1d(Module):
    _pool: Callable[..., Any]

    def __init__(self, size: WholeNumber, stride: WholeNumber | None = None) -> None:
        self.size = whole_number(size, "size")
        self.stride = self.size if stride is None else whole_number(stride, "stride")
        self.summary_shape = f"{size}" if self.stride == self.size else f"{size}, stride {stride}"

    def __call__(self, x: SignalInput) -> list[list[Value]]:
        """Return the pooled signal [channel][position]."""
        return [rows[0] for rows in _pooled(checked_signal(x), (1, self.size), (1, self.stride), self._pool)]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.summary_shape})"


class MaxPool2d(_Pool2d):
    """y_k(r, c) = max over the window of x_k that begins at (s r, s c): a small shift of the image changes little.

    `size`, that of the windows, and `stride` s are numbers or pairs (rows, columns); by default s is the size, so that
    windows do not overlap. Rows and columns beyond the last window are dropped. Each window is one n-ary `maximum`,
    whose derivative is 1 for the largest number; numbers that tie share it equally. Raises `ValueError` for a size or
    stride below 1, and when called with another number of axes or an image smaller than the window. (*Deep Learning*,
    9.3.)

    >>> [[[y]]] = MaxPool2d(2)([[[1.0, 2.0], [4.0, 3.0]]])
    >>> y.data
    4.0
    """

    _pool = reductions.maximum


class MaxPool1d(_Pool1d):
    """y_k(t) = max over the window of x_k that begins at s t, of a signal [channel][position]; see `MaxPool2d`.

    >>> [[first, second]] = MaxPool1d(2)([[1.0, 2.0, 4.0, 3.0]])
    >>> first.data, second.data
    (2.0, 4.0)
    """

    _pool = reductions.maximum


class AvgPool2d(_Pool2d):
    """y_k(r, c) = mean over the window of x_k that begins at (s r, s c); arguments and errors are those of `MaxPool2d`.

    >>> [[[y]]] = AvgPool2d(2)([[[1.0, 2.0], [4.0, 3.0]]])
    >>> y.data
    2.5
    """

    _pool = reductions.mean


class AvgPool1d(_Pool1d):
    """y_k(t) = mean over the window of x_k that begins at s t, of a signal [channel][position]; see `MaxPool2d`.

    >>> [[first, second]] = AvgPool1d(2)([[1.0, 2.0, 4.0, 3.0]])
    >>> first.data, second.data
    (1.5, 3.5)
    """

    _pool = reductions.mean


class Subsampling(Module):
    """y_k(r, c) = f(w_k · mean over the window of x_k that begins at (s r, s c) + b_k), s the size of the window.

    The subsampling layer of the first convolutional networks: an average with a learned weight and bias for each
    channel, and an activation. w_k is initially 1 and b_k 0. Raises `ValueError` as `AvgPool2d` does, and for an
    image with other than `channels` channels. (LeCun et al., 1998.)

    >>> [[[y]]] = Subsampling(1, 2, activation="linear")([[[1.0, 2.0], [4.0, 3.0]]])
    >>> y.data
    2.5
    """

    def __init__(self, channels: WholeNumber, size: Pair = 2, activation: Activation = "sigmoid") -> None:
        channels = whole_number(channels, "channels")
        self.pool = AvgPool2d(size)
        self.w = [Value(1.0, label="w") for _ in range(channels)]
        self.b = [Value(0.0, label="b") for _ in range(channels)]
        self.f = [activation_function(activation) for _ in range(channels)]
        self.summary_shape = f"{channels} channels, {self.pool.summary_shape} {activation_name(activation)}"

    def __call__(self, x: ImageInput) -> Image:
        """Return the subsampled image [channel][row][column]."""
        means = self.pool(checked_image(x, len(self.w)))
        return [
            [[f(w * mean + b) for mean in row] for row in channel]
            for channel, w, b, f in zip(means, self.w, self.b, self.f)
        ]

    def __repr__(self) -> str:
        return f"Subsampling({self.summary_shape})"


class Flatten(Module):
    """All numbers of nested lists as one list, the last index fastest: connects feature maps to a `Layer`.

    >>> [y.data for y in Flatten()([[[1.0, 2.0]], [[3.0, 4.0]]])]
    [1.0, 2.0, 3.0, 4.0]
    """

    summary_shape = "nested → flat"

    def __call__(self, x: Any) -> list[Value]:
        """Return the numbers of x, a number or lists nested to any depth, as nodes."""
        return [as_node(number) for number in flatten(nested_lists(x))]

    def __repr__(self) -> str:
        return "Flatten()"

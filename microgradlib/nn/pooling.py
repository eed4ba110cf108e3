"""Pooling, also called subsampling: reduce each window of a signal or an image to one number; and Flatten."""

from __future__ import annotations

import math
from typing import Any

from microgradlib._support.calling import in_plain_words
from microgradlib._support.checks import WholeNumber, boolean, whole_number
from microgradlib._support.pytree import flatten
from microgradlib.core.recorded_calls import note
from microgradlib.core.scopes import begin
from microgradlib.core.value import Value, as_node
from microgradlib.nn.activation import Activation, activation_function, activation_name
from microgradlib.nn.grids import (
    Image,
    ImageInput,
    Pair,
    SignalInput,
    checked_image,
    checked_signal,
    row_column_pair,
    windows,
)
from microgradlib.nn.module import Module
from microgradlib.nn.sequences import nested_lists
from microgradlib.ops import reductions

__all__ = ["AvgPool1d", "AvgPool2d", "Flatten", "MaxPool1d", "MaxPool2d", "Subsampling"]


class Pool(Module):
    """The base of the pools: windows on an image, each reduced to one node."""

    @in_plain_words
    def __init__(
        self, size: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int], dilation: tuple[int, int]
    ) -> None:
        if padding[0] > size[0] // 2 or padding[1] > size[1] // 2:
            message = (
                f"padding must be at most half of the window {self._size_text(size)}, rounded down, as otherwise some "
                f"windows would lie in the padding, got {self._size_text(padding)}"
            )
            raise ValueError(message)
        self.size, self.stride, self.padding, self.dilation = size, stride, padding, dilation
        settings = [("stride", stride, size), ("padding", padding, (0, 0)), ("dilation", dilation, (1, 1))]
        changed = [(name, n) for name, n, default in settings if self._size_text(n) != self._size_text(default)]
        self.summary_shape = ", ".join(
            [self._size_text(size), *[f"{name} {self._size_text(n)}" for name, n in changed]]
        )

    @staticmethod
    def _size_text(size: tuple[int, int]) -> str:
        return f"{size[0]}×{size[1]}"

    def _reduced(self, numbers: list[Value]) -> Value:
        """Return the node of one window, for those of its entries that do not lie in the padding."""
        raise NotImplementedError

    def _pooled(self, x: Image) -> Image:
        lengths = (len(x[0]), len(x[0][0]))
        vertical, horizontal = (
            windows(length, size, stride, padding=(padding, padding), dilation=dilation)
            for length, size, stride, padding, dilation in zip(
                lengths, self.size, self.stride, self.padding, self.dilation
            )
        )
        return [
            [
                [self._reduced([channel[i][j] for i in rows for j in columns]) for _, columns in horizontal]
                for _, rows in vertical
            ]
            for channel in x
        ]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.summary_shape})"


class Pool2d(Pool):
    is_recorded = False  # it notes its calls itself, with the places of its inputs

    @in_plain_words
    def __init__(self, size: Pair, stride: Pair | None = None, padding: Pair = 0, *, dilation: Pair = 1) -> None:
        sizes = row_column_pair(size, "size")
        super().__init__(
            sizes,
            sizes if stride is None else row_column_pair(stride, "stride"),
            row_column_pair(padding, "padding", least=0),
            row_column_pair(dilation, "dilation"),
        )

    def __call__(self, x: ImageInput) -> Image:
        """Return the pooled image [channel][row][column]."""
        began, image = begin(), checked_image(x)
        return note(began, self, tuple(image), self._pooled(image))


class Pool1d(Pool):
    is_recorded = False

    @in_plain_words
    def __init__(
        self,
        size: WholeNumber,
        stride: WholeNumber | None = None,
        padding: WholeNumber = 0,
        *,
        dilation: WholeNumber = 1,
    ) -> None:
        size = whole_number(size, "size")
        super().__init__(
            (1, size),
            (1, size if stride is None else whole_number(stride, "stride")),
            (0, whole_number(padding, "padding", 0)),
            (1, whole_number(dilation, "dilation")),
        )

    @staticmethod
    def _size_text(size: tuple[int, int]) -> str:
        return str(size[1])

    def __call__(self, x: SignalInput) -> list[list[Value]]:
        """Return the pooled signal [channel][position]."""
        began, signal = begin(), checked_signal(x)
        return note(began, self, tuple([rows[0] for rows in signal]), [rows[0] for rows in self._pooled(signal)])


class MaxPool(Pool):
    @property
    def scope_formula(self) -> str:  # type: ignore[override]
        """The largest number of a window: max 2×2."""
        return f"max {self.summary_shape}"

    def _reduced(self, numbers: list[Value]) -> Value:
        return reductions.maximum(*numbers) if numbers else Value(-math.inf)


class AvgPool(Pool):
    count_include_pad: bool

    @property
    def scope_formula(self) -> str:  # type: ignore[override]
        """The mean of a window: mean 2×2."""
        return f"mean {self.summary_shape}"

    def _reduced(self, numbers: list[Value]) -> Value:
        count = self.size[0] * self.size[1] if self.count_include_pad else len(numbers)
        if len(numbers) == count:
            return reductions.mean(*numbers) if numbers else Value(math.nan)
        return reductions.sum(*numbers) / count if numbers else Value(0.0)


class MaxPool2d(MaxPool, Pool2d):
    """y_k(r, c) = max of x_k(s r + d i − p, s c + d j − p) over the window: a small shift of the image changes little.

    `size`: that of the windows. `stride` s: the distance between neighbouring windows, by default the size, so that
    they do not overlap. `padding` p: how far the first and the last windows may reach beyond the image, where there are
    no numbers. `dilation` d: the distance between neighbouring entries of a window. These are numbers or pairs (rows,
    columns). A side of length n gives ⌊(n + 2p − d (size − 1) − 1)/s⌋ + 1 windows; rows and columns beyond the last
    window are dropped. Each window is one n-ary `maximum`, whose derivative is 1 for the largest number; numbers that
    tie share it equally; a window without numbers, which some dilations give, is −∞.

    Raises `ValueError` for a size, stride or dilation below 1, for a padding of more than half of the size, and when
    called with another number of axes or an image smaller than the window. (*Deep Learning*, 9.3.)

    >>> [[[y]]] = MaxPool2d(2)([[[1.0, 2.0], [4.0, 3.0]]])
    >>> y.data
    4.0
    """


class MaxPool1d(MaxPool, Pool1d):
    """y_k(t) = max of x_k(s t + d i − p) over the window, of a signal [channel][position]; see `MaxPool2d`.

    >>> [[first, second]] = MaxPool1d(2)([[1.0, 2.0, 4.0, 3.0]])
    >>> first.data, second.data
    (2.0, 4.0)
    """


class AvgPool2d(AvgPool, Pool2d):
    """y_k(r, c) = mean of x_k(s r + d i − p, s c + d j − p) over the window; arguments and errors as for `MaxPool2d`.

    Padding counts as zeros, so the sum is divided by the size of the window everywhere, as in PyTorch; with
    `count_include_pad=False` it is divided by how many numbers of the image there are in the window.

    >>> [[[y]]] = AvgPool2d(2)([[[1.0, 2.0], [4.0, 3.0]]])
    >>> y.data
    2.5
    """

    @in_plain_words
    def __init__(
        self,
        size: Pair,
        stride: Pair | None = None,
        padding: Pair = 0,
        *,
        dilation: Pair = 1,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__(size, stride, padding, dilation=dilation)
        self.count_include_pad = boolean(count_include_pad, "count_include_pad")


class AvgPool1d(AvgPool, Pool1d):
    """y_k(t) = mean of x_k(s t + d i − p) over the window, of a signal [channel][position]; see `AvgPool2d`.

    >>> [[first, second]] = AvgPool1d(2)([[1.0, 2.0, 4.0, 3.0]])
    >>> first.data, second.data
    (1.5, 3.5)
    >>> [y.data for y in AvgPool1d(2, padding=1)([[1.0, 2.0]])[0]]
    [0.5, 1.0]
    >>> [y.data for y in AvgPool1d(2, padding=1, count_include_pad=False)([[1.0, 2.0]])[0]]
    [1.0, 2.0]
    """

    @in_plain_words
    def __init__(
        self,
        size: WholeNumber,
        stride: WholeNumber | None = None,
        padding: WholeNumber = 0,
        *,
        dilation: WholeNumber = 1,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__(size, stride, padding, dilation=dilation)
        self.count_include_pad = boolean(count_include_pad, "count_include_pad")


class Subsampling(Module):
    """y_k(r, c) = f(w_k · mean over the window of x_k that begins at (s r, s c) + b_k), s the size of the window.

    The subsampling layer of the first convolutional networks: an average with a learned weight and bias for each
    channel, and an activation. w_k is initially 1 and b_k 0. Raises `ValueError` as `AvgPool2d` does, and for an
    image with other than `channels` channels. (LeCun et al., 1998.)

    >>> [[[y]]] = Subsampling(1, 2, activation="linear")([[[1.0, 2.0], [4.0, 3.0]]])
    >>> y.data
    2.5
    """

    @in_plain_words
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

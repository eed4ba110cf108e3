"""Convolution: the same weights at every position of a signal or an image."""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict

from microgradlib._support.checks import WholeNumber, whole_number
from microgradlib._support.rng import Rng
from microgradlib.core.hot_paths import weighted_sum
from microgradlib.core.value import Value
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
from microgradlib.nn.initialisers import Init, weight_drawer
from microgradlib.nn.module import Module

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["Conv1d", "Conv2d", "ConvolutionOptions"]

Pair: TypeAlias = WholeNumber | tuple[WholeNumber, WholeNumber]


class ConvolutionOptions(TypedDict, total=False):
    """The keyword arguments that `Conv1d` and `Conv2d` share."""

    activation: Activation
    bias: bool
    rng: Rng | None
    init: Init


class _Convolution(Module):
    """The base of Conv1d and Conv2d: weights w[out][in][row][column], biases b[out], and the sum over the kernel."""

    w: list[Any]

    def __init__(
        self,
        nin: WholeNumber,
        nout: WholeNumber,
        *,
        size: tuple[int, int],
        stride: tuple[int, int],
        padding: tuple[int, int],
        activation: Activation = "linear",
        bias: bool = True,
        rng: Rng | None = None,
        init: Init = "fan_in",
    ) -> None:
        if padding[0] >= size[0] or padding[1] >= size[1]:
            message = (
                f"padding must be less than the kernel size {self._size_text(size)}, as otherwise some units would "
                f"have no inputs, got {self._size_text(padding)}"
            )
            raise ValueError(message)
        nin, nout = whole_number(nin, "nin"), whole_number(nout, "nout")
        draw = weight_drawer(init, rng)
        rows, columns = size
        fan_in, fan_out = nin * rows * columns, nout * rows * columns
        self.w = [
            [
                [[Value(draw(fan_in, fan_out), label=f"w{i}_{j}") for j in range(columns)] for i in range(rows)]
                for _ in range(nin)
            ]
            for _ in range(nout)
        ]
        self.b = [Value(0.0, label="b") for _ in range(nout)] if bias else None
        self.f = [activation_function(activation) for _ in range(nout)]
        self.size, self.stride, self.padding = size, stride, padding
        settings = [("stride", stride, (1, 1)), ("padding", padding, (0, 0))]
        non_default = "".join([f", {name} {self._size_text(n)}" for name, n, default in settings if n != default])
        self.summary_shape = f"{nin} → {nout}, {self._size_text(size)} {activation_name(activation)}{non_default}"

    @staticmethod
    def _size_text(size: tuple[int, int]) -> str:
        return f"{size[0]}×{size[1]}"

    def _feature_maps(self, x: Image, w: list[Image]) -> Image:
        """Return the feature maps [out][row][column] of the image x for the kernels w[out][in][row][column]."""
        lengths = (len(x[0]), len(x[0][0]))
        vertical, horizontal = (
            _overlapping_slices(window_starts(length, size, stride, padding), size, length)
            for length, size, stride, padding in zip(lengths, self.size, self.stride, self.padding)
        )
        patches = [[_flat_slice(x, on_rows, on_columns) for _, on_columns in horizontal] for _, on_rows in vertical]
        maps = []
        for kernel, b, f in zip(w, self.b or repeat(None), self.f):
            weights = [
                [_flat_slice(kernel, of_rows, of_columns) for of_columns, _ in horizontal] for of_rows, _ in vertical
            ]
            maps.append([[f(weighted_sum(w, patch, b)) for w, patch in zip(*row)] for row in zip(weights, patches)])
        return maps

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.summary_shape})"


class Conv2d(_Convolution):
    """Feature maps of an image: y_o(r, c) = f(b_o + Σ_k Σ_i Σ_j w_{o,k,i,j} x_k(s r + i − p, s c + j − p)).

    All units of a map share their weights, and the inputs of each are a small region of the image, its receptive field.
    So there are few weights, and a shifted image gives shifted maps. As usual in deep learning the kernel is not
    flipped, so this is strictly a cross-correlation. Images and results are [channel][row][column].

    `nin`, `nout`: the number of input channels and of maps. `size`: the size of the kernel. `stride` s: the distance
    between neighbouring receptive fields. `padding` p: the width of the border around the image in which x_k is taken
    as 0. These three are numbers or pairs (rows, columns). A side of length n gives ⌊(n + 2p − size)/s⌋ + 1 units.
    `activation`, `bias`, `rng`, `init`: as in `Neuron`; the weights are `w[out][in][row][column]`, biases `b[out]`, and
    "prelu" has one slope for each map. Raises `ValueError` for padding as large as the kernel, and when called with
    another number of axes, ragged rows, other than `nin` channels or an image smaller than the kernel. (*Deep
    Learning*, 9.1 to 9.5; LeCun et al., 1998.)

    >>> edges = Conv2d(1, 1, (1, 2), init="zeros")
    >>> edges.w[0][0][0][0].data, edges.w[0][0][0][1].data = -1.0, 1.0
    >>> [[row]] = edges([[[0.0, 0.0, 5.0, 5.0]]])
    >>> [y.data for y in row]
    [0.0, 5.0, 0.0]
    """

    w: list[list[list[list[Value]]]]

    def __init__(
        self,
        nin: WholeNumber,
        nout: WholeNumber,
        size: Pair,
        *,
        stride: Pair = 1,
        padding: Pair = 0,
        **options: Unpack[ConvolutionOptions],
    ) -> None:
        super().__init__(
            nin,
            nout,
            size=row_column_pair(size, "size"),
            stride=row_column_pair(stride, "stride"),
            padding=row_column_pair(padding, "padding", least=0),
            **options,
        )

    def __call__(self, x: ImageInput) -> Image:
        """Return the feature maps [out][row][column] of an image [in][row][column]."""
        return self._feature_maps(checked_image(x, len(self.w[0])), self.w)


class Conv1d(_Convolution):
    """Feature maps of a signal [channel][position]: y_o(t) = f(b_o + Σ_k Σ_i w_{o,k,i} x_k(s t + i − p)).

    The one-dimensional `Conv2d`, with weights `w[out][in][position]`; arguments and errors are as described there. If
    positions are points in time, it is a time-delay network: the same neuron at every time. (*Deep Learning*, 10:
    introduction.)

    >>> difference = Conv1d(1, 1, 2, init="zeros")
    >>> difference.w[0][0][0].data, difference.w[0][0][1].data = -1.0, 1.0
    >>> [y.data for y in difference([[1.0, 4.0, 9.0]])[0]]
    [3.0, 5.0]
    """

    w: list[list[list[Value]]]

    def __init__(
        self,
        nin: WholeNumber,
        nout: WholeNumber,
        size: WholeNumber,
        *,
        stride: WholeNumber = 1,
        padding: WholeNumber = 0,
        **options: Unpack[ConvolutionOptions],
    ) -> None:
        super().__init__(
            nin,
            nout,
            size=(1, whole_number(size, "size")),
            stride=(1, whole_number(stride, "stride")),
            padding=(0, whole_number(padding, "padding", 0)),
            **options,
        )
        one_row_kernels: Any = self.w  # [out][in][0][position]
        self.w = [[kernel[0] for kernel in kernels] for kernels in one_row_kernels]

    @staticmethod
    def _size_text(size: tuple[int, int]) -> str:
        return str(size[1])

    def __call__(self, x: SignalInput) -> list[list[Value]]:
        """Return the feature maps [out][position] of a signal [in][position]."""
        kernels = [[[kernel] for kernel in kernels] for kernels in self.w]
        return [rows[0] for rows in self._feature_maps(checked_signal(x, len(self.w[0])), kernels)]


def _overlapping_slices(starts: range, size: int, length: int) -> list[tuple[slice, slice]]:
    """Return (slice of the kernel, slice of the axis) for each start of a kernel of `size` on an axis of `length`.

    The entries of a kernel that lie in the padding are left out, as they would be multiplied by zeros.
    """
    return [
        (slice(max(-start, 0), min(size, length - start)), slice(max(start, 0), min(start + size, length)))
        for start in starts
    ]


def _flat_slice(planes: Image, rows: slice, columns: slice) -> list[Value]:
    """Return the entries [:][rows][columns] of an image or kernel as one list."""
    return [number for plane in planes for row in plane[rows] for number in row[columns]]

"""Convolution: the same weights at every position of a signal or an image."""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING, Any, TypedDict

from microgradlib._support.checks import WholeNumber, boolean, whole_number
from microgradlib._support.lookup import check_options, lookup
from microgradlib._support.rng import Rng
from microgradlib.core.hot_paths import weighted_sum
from microgradlib.core.recorded_calls import note
from microgradlib.core.scopes import begin
from microgradlib.core.value import Value
from microgradlib.nn.activation import Activation, activation_function, activation_name
from microgradlib.nn.grids import (
    PADDING_MODES,
    Image,
    ImageInput,
    Pair,
    SignalInput,
    checked_image,
    checked_signal,
    row_column_pair,
    windows,
)
from microgradlib.nn.initialisers import Init, weight_drawer
from microgradlib.nn.module import Module

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Unpack

__all__ = ["Conv1d", "Conv2d", "ConvolutionOptions"]


class ConvolutionOptions(TypedDict, total=False):
    """The keyword arguments that `Conv1d` and `Conv2d` share."""

    padding_mode: str
    activation: Activation
    bias: bool
    rng: Rng | None
    init: Init


class Convolution(Module):
    """The base of Conv1d and Conv2d: weights w[out][in][row][column], biases b[out], and the sum over the kernel."""

    w: list[Any]

    def __init__(
        self,
        nin: WholeNumber,
        nout: WholeNumber,
        *,
        size: tuple[int, int],
        stride: tuple[int, int],
        padding: tuple[int, int] | str,
        dilation: tuple[int, int],
        padding_mode: str = "zeros",
        activation: Activation = "linear",
        bias: bool = True,
        rng: Rng | None = None,
        init: Init = "fan_in",
    ) -> None:
        lookup(padding_mode, PADDING_MODES, "padding mode")
        self.size, self.stride, self.dilation, self.padding_mode = size, stride, dilation, padding_mode
        self.padding = self._both_ends(padding)
        nin, nout = whole_number(nin, "nin"), whole_number(nout, "nout")
        draw, with_bias = weight_drawer(init, rng), boolean(bias, "bias", numbers=True)
        rows, columns = size
        fan_in, fan_out = nin * rows * columns, nout * rows * columns
        self.w = [
            [
                [[Value(draw(fan_in, fan_out), label=f"w{i}_{j}") for j in range(columns)] for i in range(rows)]
                for _ in range(nin)
            ]
            for _ in range(nout)
        ]
        self.b = [Value(0.0, label="b") for _ in range(nout)] if with_bias else None
        self.f = [activation_function(activation) for _ in range(nout)]
        shown_padding = padding if isinstance(padding, str) else self._size_text(padding)
        settings = [("stride", self._size_text(stride), self._size_text((1, 1)))]
        settings += [("padding", shown_padding, self._size_text((0, 0)))]
        settings += [("dilation", self._size_text(dilation), self._size_text((1, 1)))]
        settings += [("padding mode", padding_mode, "zeros")]
        non_default = "".join([f", {name} {text}" for name, text, default in settings if text != default])
        self.summary_shape = f"{nin} → {nout}, {self._size_text(size)} {activation_name(activation)}{non_default}"

    @staticmethod
    def _size_text(size: tuple[int, int]) -> str:
        return f"{size[0]}×{size[1]}"

    def _both_ends(self, padding: tuple[int, int] | str) -> list[tuple[int, int]]:
        """Return the padding (before, after) of each axis. Raises `ValueError` for one too wide or an unknown name."""
        span = ((self.size[0] - 1) * self.dilation[0] + 1, (self.size[1] - 1) * self.dilation[1] + 1)
        if isinstance(padding, str):
            lookup(padding, {"same": None, "valid": None}, "padding")
            if padding == "valid":
                return [(0, 0), (0, 0)]
            if self.stride != (1, 1):
                stride = self._size_text(self.stride)
                message = f'padding="same" keeps the length of an axis, which needs stride 1, got {stride}'
                raise ValueError(message)
            return [((extent - 1) // 2, extent // 2) for extent in span]
        if self.padding_mode == "zeros" and (padding[0] >= span[0] or padding[1] >= span[1]):
            dilated = "" if self.dilation == (1, 1) else ", dilated"
            message = (
                f"padding must be less than the kernel size {self._size_text(span)}{dilated}, as otherwise some units "
                f"would have no inputs, got {self._size_text(padding)}"
            )
            raise ValueError(message)
        return [(p, p) for p in padding]

    def _feature_maps(self, x: Image, w: list[Image]) -> Image:
        """Return the feature maps [out][row][column] of the image x for the kernels w[out][in][row][column]."""
        (kernel_rows, input_rows), (kernel_columns, input_columns) = (
            zip(*windows(length, size, stride, padding=padding, dilation=dilation, mode=self.padding_mode))
            for length, size, stride, padding, dilation in zip(
                (len(x[0]), len(x[0][0])), self.size, self.stride, self.padding, self.dilation
            )
        )
        patches = _entries(x, input_rows, input_columns)
        maps = []
        for kernel, b, f in zip(w, self.b or repeat(None), self.f):
            weights = _entries(kernel, kernel_rows, kernel_columns)
            maps.append([[f(_net_input(w, patch, b)) for w, patch in zip(*row)] for row in zip(weights, patches)])
        return maps

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.summary_shape})"


class Conv2d(Convolution):
    """Feature maps of an image: y_o(r, c) = f(b_o + Σ_k Σ_i Σ_j w_{o,k,i,j} x_k(s r + d i − p, s c + d j − p)).

    All units of a map share their weights, and the inputs of each are a small region of the image, its receptive field.
    So there are few weights, and a shifted image gives shifted maps. As usual in deep learning the kernel is not
    flipped, so this is strictly a cross-correlation. Images and results are [channel][row][column].

    `nin`, `nout`: the number of input channels and of maps. `size`: the size of the kernel. `stride` s: the distance
    between neighbouring receptive fields. `padding` p: the width of the border around the image. `dilation` d: the
    distance between neighbouring inputs of a unit, 1 if they touch. These four are numbers or pairs (rows, columns). A
    side of length n gives ⌊(n + 2p − d (size − 1) − 1)/s⌋ + 1 units. `padding="same"` gives n units at stride 1 (if
    d (size − 1) is odd, the border after the image is one wider); `padding="valid"` is 0. `padding_mode`: what x_k is
    in the border of an axis a b c d: 0 ("zeros"; products with these zeros are left out), the image reflected
    ("reflect": c b | a b c d | c b), its last entries ("replicate": a a | a b c d | d d) or the image again
    ("circular": c d | a b c d | a b).

    `activation`, `bias`, `rng`, `init`: as in `Neuron`; the weights are `w[out][in][row][column]`, biases `b[out]`, and
    "prelu" has one slope for each map. Raises `ValueError` for zero padding as large as the kernel, d (size − 1) + 1,
    and when called with another number of axes, ragged rows, other than `nin` channels, an image smaller than the
    kernel, or one that "reflect" (p < n) or "circular" (p ≤ n) cannot continue so far. (*Deep Learning*, 9.1 to 9.5;
    LeCun et al., 1998; dilation: Yu and Koltun, 2016.)

    >>> edges = Conv2d(1, 1, (1, 2), init="zeros")
    >>> edges.w[0][0][0][0].data, edges.w[0][0][0][1].data = -1.0, 1.0
    >>> [[row]] = edges([[[0.0, 0.0, 5.0, 5.0]]])
    >>> [y.data for y in row]
    [0.0, 5.0, 0.0]
    """

    w: list[list[list[list[Value]]]]
    is_recorded = False  # it notes its calls itself, with the places of its inputs
    is_kept = True

    def __init__(
        self,
        nin: WholeNumber,
        nout: WholeNumber,
        size: Pair,
        *,
        stride: Pair = 1,
        padding: Pair | str = 0,
        dilation: Pair = 1,
        **options: Unpack[ConvolutionOptions],
    ) -> None:
        check_options(options, ConvolutionOptions, type(self))
        super().__init__(
            nin,
            nout,
            size=row_column_pair(size, "size"),
            stride=row_column_pair(stride, "stride"),
            padding=padding if isinstance(padding, str) else row_column_pair(padding, "padding", least=0),
            dilation=row_column_pair(dilation, "dilation"),
            **options,
        )

    def __call__(self, x: ImageInput) -> Image:
        """Return the feature maps [out][row][column] of an image [in][row][column]."""
        began, image = begin(), checked_image(x, len(self.w[0]))
        return note(began, self, tuple(image), self._feature_maps(image, self.w))


class Conv1d(Convolution):
    """Feature maps of a signal [channel][position]: y_o(t) = f(b_o + Σ_k Σ_i w_{o,k,i} x_k(s t + d i − p)).

    The one-dimensional `Conv2d`, with weights `w[out][in][position]`; arguments and errors are as described there. If
    positions are points in time, it is a time-delay network: the same neuron at every time. (*Deep Learning*, 10:
    introduction.)

    >>> difference = Conv1d(1, 1, 2, init="zeros")
    >>> difference.w[0][0][0].data, difference.w[0][0][1].data = -1.0, 1.0
    >>> [y.data for y in difference([[1.0, 4.0, 9.0]])[0]]
    [3.0, 5.0]
    """

    is_recorded = False  # it notes its calls itself, with the places of its inputs
    is_kept = True

    w: list[list[list[Value]]]

    def __init__(
        self,
        nin: WholeNumber,
        nout: WholeNumber,
        size: WholeNumber,
        *,
        stride: WholeNumber = 1,
        padding: WholeNumber | str = 0,
        dilation: WholeNumber = 1,
        **options: Unpack[ConvolutionOptions],
    ) -> None:
        check_options(options, ConvolutionOptions, type(self))
        super().__init__(
            nin,
            nout,
            size=(1, whole_number(size, "size")),
            stride=(1, whole_number(stride, "stride")),
            padding=padding if isinstance(padding, str) else (0, whole_number(padding, "padding", 0)),
            dilation=(1, whole_number(dilation, "dilation")),
            **options,
        )
        one_row_kernels: Any = self.w  # [out][in][0][position]
        self.w = [[kernel[0] for kernel in kernels] for kernels in one_row_kernels]

    @staticmethod
    def _size_text(size: tuple[int, int]) -> str:
        return str(size[1])

    def __call__(self, x: SignalInput) -> list[list[Value]]:
        """Return the feature maps [out][position] of a signal [in][position]."""
        began, signal = begin(), checked_signal(x, len(self.w[0]))
        kernels = [[[kernel] for kernel in kernels] for kernels in self.w]
        maps = [rows[0] for rows in self._feature_maps(signal, kernels)]
        return note(began, self, tuple([rows[0] for rows in signal]), maps)


def _entries(planes: Image, rows: Sequence[list[int]], columns: Sequence[list[int]]) -> list[list[list[Value]]]:
    """Return for each unit [row][column] the entries of an image or kernel at its rows and columns, as one list."""
    return [[[plane[i][j] for plane in planes for i in at_i for j in at_j] for at_j in columns] for at_i in rows]


def _net_input(w: list[Value], patch: list[Value], b: Value | None) -> Value:
    """Return Σ wᵢ xᵢ + b as one node; b or 0 for a unit all of whose inputs lie in the padding."""
    if patch:
        z: Value = weighted_sum(w, patch, b)
        return z
    return Value(0.0) if b is None else b

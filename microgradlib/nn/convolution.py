"""Convolution: the same weights at every position of a signal or an image."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from microgradlib._support.rng import Rng, as_random
from microgradlib.core.hot_paths import weighted_sum
from microgradlib.core.value import Value
from microgradlib.nn.activation import Activation, activation_name, activation_named
from microgradlib.nn.grids import Image, image, pair, signal, starts
from microgradlib.nn.initialisers import initialiser_named
from microgradlib.nn.module import Module
from microgradlib.nn.sizes import count

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Conv1d", "Conv2d"]

Pair = int | tuple[int, int]


class _Convolution(Module):
    """What both share: weights w[out][in][row][column], biases b[out], and the sum over the kernel."""

    def __init__(
        self,
        nin: int,
        nout: int,
        *,
        size: tuple[int, int],
        stride: tuple[int, int],
        padding: tuple[int, int],
        activation: Activation = "linear",
        bias: bool = True,
        rng: Rng | None = None,
        init: str | Callable[..., float] = "fan_in",
    ) -> None:
        if padding[0] >= size[0] or padding[1] >= size[1]:
            message = (
                f"padding is less than the kernel's size, {self._words(size)}, or units would see only zeros; "
                f"got {self._words(padding)}"
            )
            raise ValueError(message)
        generator: Any = random if rng is None else as_random(rng)
        draw = initialiser_named(init)
        rows, columns = size
        fan_in, fan_out = count(nin, "nin") * rows * columns, count(nout, "nout") * rows * columns
        self.w: list[Any] = [
            [
                [
                    [Value(draw(generator, fan_in, fan_out), label=f"w{i}_{j}") for j in range(columns)]
                    for i in range(rows)
                ]
                for _ in range(nin)
            ]
            for _ in range(nout)
        ]
        self.b: list[Any] | None = [Value(0.0, label="b") for _ in range(nout)] if bias else None
        self.f = [activation_named(activation) for _ in range(nout)]
        self.size, self.stride, self.padding = size, stride, padding
        further = [(stride, (1, 1), ", stride "), (padding, (0, 0), ", padding ")]
        extras = "".join([what + self._words(n) for n, usual, what in further if n != usual])
        self.summary_shape = f"{nin} → {nout}, {self._words(size)} {activation_name(activation)}{extras}"

    @staticmethod
    def _words(size: tuple[int, int]) -> str:
        return f"{size[0]}×{size[1]}"

    def _maps(self, x: Image, w: list[Image]) -> Image:
        (rows, columns), (down, right), (above, left) = self.size, self.stride, self.padding
        height, width = len(x[0]), len(x[0][0])
        tops = _laid(starts(height, rows, down, above), rows, height)
        lefts = _laid(starts(width, columns, right, left), columns, width)
        patches = [[_inside(x, on_rows, on_columns) for _, on_columns in lefts] for _, on_rows in tops]
        maps = []
        for kernel, b, f in zip(w, self.b or [None] * len(w), self.f):
            parts = [[_inside(kernel, of_rows, of_columns) for of_columns, _ in lefts] for of_rows, _ in tops]
            maps.append([[f(weighted_sum(part, patch, b)) for part, patch in zip(*row)] for row in zip(parts, patches)])
        return maps

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.summary_shape})"


class Conv2d(_Convolution):
    """Feature maps of an image: y_o(r, c) = f(b_o + Σ_k Σ_i Σ_j w_{o,k,i,j} x_k(s r + i − p, s c + j − p)).

    Every unit of a map has the same weights and sees only its own small part of the image, its receptive field: there
    are few weights, and a shifted image gives shifted maps. As everywhere in deep learning the kernel is not turned
    round, so this is strictly a cross-correlation. An image is [channel][row][column], here and in what is returned.

    `nin`, `nout`: how many channels there are and how many maps to make. `size`: of the kernel. `stride` s: the step
    between neighbouring receptive fields. `padding` p: how many zeros are thought around the image; x_k is 0 there.
    These three are numbers or pairs (rows, columns). A side of length n gives ⌊(n + 2p − size)/s⌋ + 1 units.
    `activation`, `bias`, `rng`, `init`: as in `Neuron`; the weights are `w[out][in][row][column]`, biases `b[out]`, and
    "prelu" has one slope for each map. Raises `ValueError` for padding as large as the kernel, and when called with
    other axes, ragged rows, other than `nin` channels or an image smaller than the kernel. (*Deep Learning*, 9.1 to
    9.5; LeCun et al., 1998.)

    >>> edges = Conv2d(1, 1, (1, 2), init="zeros")
    >>> edges.w[0][0][0][0].data, edges.w[0][0][0][1].data = -1.0, 1.0
    >>> [[row]] = edges([[[0.0, 0.0, 5.0, 5.0]]])
    >>> [y.data for y in row]
    [0.0, 5.0, 0.0]
    """

    def __init__(self, nin: int, nout: int, size: Pair, *, stride: Pair = 1, padding: Pair = 0, **unit: Any) -> None:
        frame = pair(padding, "padding", least=0)
        super().__init__(nin, nout, size=pair(size, "size"), stride=pair(stride, "stride"), padding=frame, **unit)

    def __call__(self, x: Any) -> Image:
        """Return the feature maps [out][row][column] of an image [in][row][column]."""
        return self._maps(image(x, len(self.w[0])), self.w)


class Conv1d(_Convolution):
    """Feature maps of a signal [channel][position]: y_o(t) = f(b_o + Σ_k Σ_i w_{o,k,i} x_k(s t + i − p)).

    The one-dimensional `Conv2d`, with weights `w[out][in][position]`; there, arguments and errors are described. Over
    time it is a time-delay network: the same neuron at every moment. (*Deep Learning*, 10: introduction.)

    >>> difference = Conv1d(1, 1, 2, init="zeros")
    >>> difference.w[0][0][0].data, difference.w[0][0][1].data = -1.0, 1.0
    >>> [y.data for y in difference([[1.0, 4.0, 9.0]])[0]]
    [3.0, 5.0]
    """

    def __init__(self, nin: int, nout: int, size: int, *, stride: int = 1, padding: int = 0, **unit: Any) -> None:
        size, stride, padding = count(size, "size"), count(stride, "stride"), count(padding, "padding", least=0)
        super().__init__(nin, nout, size=(1, size), stride=(1, stride), padding=(0, padding), **unit)
        self.w = [[kernel[0] for kernel in kernels] for kernels in self.w]

    @staticmethod
    def _words(size: tuple[int, int]) -> str:
        return str(size[1])

    def __call__(self, x: Any) -> list[list[Any]]:
        """Return the feature maps [out][position] of a signal [in][position]."""
        kernels = [[[kernel] for kernel in kernels] for kernels in self.w]
        return [rows[0] for rows in self._maps(signal(x, len(self.w[0])), kernels)]


def _laid(firsts: range, size: int, length: int) -> list[tuple[slice, slice]]:
    """Return, for each start of the kernel, which part of it lies on the image, and on which part of the image.

    What lies beside it would be multiplied by the zeros of the padding, and is left out.
    """
    return [
        (slice(max(-first, 0), min(size, length - first)), slice(max(first, 0), min(first + size, length)))
        for first in firsts
    ]


def _inside(planes: Image, rows: slice, columns: slice) -> list[Any]:
    return [number for plane in planes for row in plane[rows] for number in row[columns]]

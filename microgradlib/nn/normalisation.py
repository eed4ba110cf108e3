"""Normalisation of a layer's outputs: LayerNorm and RMSNorm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from microgradlib._support.number import as_float
from microgradlib.core.hot_paths import weighted_sum
from microgradlib.core.value import Value, as_node
from microgradlib.nn.module import Module
from microgradlib.nn.sizes import check_length, count
from microgradlib.ops import reductions

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["LayerNorm", "RMSNorm"]


def _scaled(x: list[Any], eps: float) -> list[Any]:
    """Return xᵢ / √(mean of x² + ε)."""
    factor = (weighted_sum(x, x) / len(x) + eps) ** -0.5
    return [x_i * factor for x_i in x]


def _positive(eps: Any) -> float:
    number = as_float(eps)
    if not number > 0:
        message = f"eps keeps the root away from 0 and is above it, got {eps!r}"
        raise ValueError(message)
    return number


def _nodes(x: Any, width: int) -> list[Any]:
    check_length(x, width, "the input of this layer")
    return [as_node(x_i) for x_i in x]


class LayerNorm(Module):
    """yᵢ = gᵢ (xᵢ − μ)/√(v + ε) + bᵢ, with μ the mean of x₁ … x_n and v = Σ (xᵢ − μ)²/n: mean 0, variance 1, then g, b.

    `width` is n. The gains g (`gain`) are 1 and the biases b (`bias`) 0 at the start, and both are learned; `eps` is ε.
    Raises `ValueError` for ε ≤ 0, and when called with other than n numbers. (Ba, Kiros and Hinton, 2016.)

    >>> [round(y.data, 3) for y in LayerNorm(4)([1.0, 1.0, 3.0, 3.0])]
    [-1.0, -1.0, 1.0, 1.0]
    """

    not_weights = ("gain", "bias")

    def __init__(self, width: int, eps: float = 1e-5) -> None:
        self.gain = [Value(1.0, label="g") for _ in range(count(width, "width"))]
        self.bias = [Value(0.0, label="b") for _ in range(width)]
        self.eps = _positive(eps)
        self.summary_shape = f"{width} → {width}"

    def __call__(self, x: Sequence[Any]) -> list[Any]:
        """Return y for a list of n numbers."""
        inputs = _nodes(x, len(self.gain))
        mean = reductions.mean(*inputs)
        normalised = _scaled([x_i - mean for x_i in inputs], self.eps)
        return [g * y + b for g, y, b in zip(self.gain, normalised, self.bias)]

    def __repr__(self) -> str:
        return f"LayerNorm({len(self.gain)})"


class RMSNorm(Module):
    """yᵢ = gᵢ xᵢ/√(Σ xⱼ²/n + ε): x₁ … x_n divided by their root mean square.

    `width` is n. The gains g (`gain`) are 1 at the start and learned; with `gain=False` there are none. `eps` is ε.
    Raises `ValueError` for ε ≤ 0, and when called with other than n numbers. (Zhang and Sennrich, 2019.)

    >>> [round(y.data, 3) for y in RMSNorm(2, gain=False)([3.0, 3.0])]
    [1.0, 1.0]
    """

    not_weights = ("gain",)

    def __init__(self, width: int, eps: float = 1e-5, *, gain: bool = True) -> None:
        self.width = count(width, "width")
        self.gain = [Value(1.0, label="g") for _ in range(width)] if gain else None
        self.eps = _positive(eps)
        self.summary_shape = f"{width} → {width}"

    def __call__(self, x: Sequence[Any]) -> list[Any]:
        """Return y for a list of n numbers."""
        normalised = _scaled(_nodes(x, self.width), self.eps)
        return normalised if self.gain is None else [g * y for g, y in zip(self.gain, normalised)]

    def __repr__(self) -> str:
        return f"RMSNorm({self.width}{'' if self.gain else ', gain=False'})"

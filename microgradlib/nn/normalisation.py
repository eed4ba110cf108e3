"""LayerNorm and RMSNorm: normalise the outputs of a layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from microgradlib._support.calling import in_plain_words
from microgradlib._support.checks import WholeNumber, boolean, positive, whole_number
from microgradlib.core.hot_paths import weighted_sum
from microgradlib.core.recorded_calls import note_inside
from microgradlib.core.scopes import begin
from microgradlib.core.value import Value
from microgradlib.nn.module import Module
from microgradlib.nn.sequences import nodes_of_length
from microgradlib.ops import reductions

if TYPE_CHECKING:
    from microgradlib.nn.vectors import Vector

__all__ = ["LayerNorm", "RMSNorm"]


def _divide_by_rms(x: list[Value], eps: float) -> list[Value]:
    """Return xᵢ / √(mean of x² + ε) for each i."""
    factor = (weighted_sum(x, x) / len(x) + eps) ** -0.5
    return [x_i * factor for x_i in x]


def _checked_eps(eps: float) -> float:
    return positive(eps, "eps", reason="so that the root is not 0", example=1e-5)


class LayerNorm(Module):
    """yᵢ = gᵢ (xᵢ − μ)/√(v + ε) + bᵢ, for x₁ … x_n of mean μ and variance v = Σ (xᵢ − μ)²/n.

    `width` is n. The gains g (`gain`) are initially 1, the biases b (`bias`) 0, and both are learned; `eps` is ε.
    Raises `ValueError` for ε ≤ 0, and when called with other than n numbers. (Ba, Kiros and Hinton, 2016.)

    >>> [round(y.data, 3) for y in LayerNorm(4)([1.0, 1.0, 3.0, 3.0])]
    [-1.0, -1.0, 1.0, 1.0]
    """

    is_recorded = False  # it notes its calls itself
    is_kept = True
    not_weights = ("gain", "bias")

    @in_plain_words
    def __init__(self, width: WholeNumber, eps: float = 1e-5) -> None:
        width = whole_number(width, "width")
        self.gain = [Value(1.0, label="g") for _ in range(width)]
        self.bias = [Value(0.0, label="b") for _ in range(width)]
        self.eps = _checked_eps(eps)
        self.summary_shape = f"{width} → {width}"

    def __call__(self, x: Vector) -> list[Value]:
        """Return y, a list of n nodes."""
        began, inputs = begin(), nodes_of_length(x, len(self.gain), "the input of this layer")
        mean = reductions.mean(*inputs)
        normalised = _divide_by_rms([x_i - mean for x_i in inputs], self.eps)
        scaled = [g * y for g, y in zip(self.gain, normalised)]
        outputs = [y + b for y, b in zip(scaled, self.bias)]
        note_inside(began, self, tuple(inputs), [scaled], [outputs[0], outputs[-1]])
        return outputs

    def __repr__(self) -> str:
        return f"LayerNorm({len(self.gain)})"


class RMSNorm(Module):
    """yᵢ = gᵢ xᵢ/√(Σ xⱼ²/n + ε): x₁ … x_n divided by their root mean square.

    `width` is n. The gains g (`gain`) are initially 1 and learned; with `gain=False` there are none. `eps` is ε.
    Raises `ValueError` for ε ≤ 0, and when called with other than n numbers. (Zhang and Sennrich, 2019.)

    >>> [round(y.data, 3) for y in RMSNorm(2, gain=False)([3.0, 3.0])]
    [1.0, 1.0]
    """

    is_recorded = False  # it notes its calls itself
    is_kept = True
    not_weights = ("gain",)

    @in_plain_words
    def __init__(self, width: WholeNumber, eps: float = 1e-5, *, gain: bool = True) -> None:
        self.width = whole_number(width, "width")
        self.gain = [Value(1.0, label="g") for _ in range(self.width)] if boolean(gain, "gain", numbers=True) else None
        self.eps = _checked_eps(eps)
        self.summary_shape = f"{self.width} → {self.width}"

    def __call__(self, x: Vector) -> list[Value]:
        """Return y, a list of n nodes."""
        began, inputs = begin(), nodes_of_length(x, self.width, "the input of this layer")
        normalised = _divide_by_rms(inputs, self.eps)
        if self.gain is None:
            return normalised
        outputs = [g * y for g, y in zip(self.gain, normalised)]
        note_inside(began, self, tuple(inputs), [normalised], [outputs[0], outputs[-1]])
        return outputs

    def __repr__(self) -> str:
        return f"RMSNorm({self.width}{'' if self.gain else ', gain=False'})"

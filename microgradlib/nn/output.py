"""GaussianOutput: an output unit with a learned mean and a learned precision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from microgradlib._support.checks import check_order
from microgradlib._support.lookup import check_options
from microgradlib._support.rng import Rng, as_random
from microgradlib.core.value import as_node
from microgradlib.nn.module import Module
from microgradlib.nn.neuron import Layer, NeuronOptions

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from microgradlib._support.checks import WholeNumber
    from microgradlib.nn.vectors import Vector

__all__ = ["GaussianOutput"]


class GaussianOutput(Module):
    """The parameters of a Gaussian for each output: its mean μ = wᵀh + b and its precision β = ζ(vᵀh + c) = 1/σ².

    Softplus ζ keeps β positive. The precision is learned rather than the variance, so that the cost `gaussian_nll` has
    no division. The arguments are those of `Layer`. (*Deep Learning*, 6.2.2.4.)

    >>> mean, precision = GaussianOutput(2, 1, init="zeros")([0.5, -0.5])
    >>> mean.data, precision.data
    (0.0, 0.6931471805599453)
    """

    def __init__(
        self, nin: WholeNumber, nout: WholeNumber, *, rng: Rng | None = None, **neuron: Unpack[NeuronOptions]
    ) -> None:
        check_options(neuron, NeuronOptions, type(self))
        generator = None if rng is None else as_random(rng)  # one generator for both layers
        self.mean = Layer(nin, nout, "linear", rng=generator, **neuron)
        self.precision = Layer(nin, nout, "softplus", rng=generator, **neuron)
        self.summary_shape = f"{nin} → {nout} means and precisions"

    def __call__(self, x: Vector) -> tuple[Any, Any]:
        """Return (μ, β): two nodes for one output, two lists for several."""
        check_order(x, "the input of a layer")
        inputs: Any = [as_node(x_d) for x_d in x] if hasattr(x, "__iter__") else x  # one leaf for each plain number
        return self.mean(inputs), self.precision(inputs)

    def __repr__(self) -> str:
        return f"GaussianOutput({self.summary_shape})"

"""MLP: the multilayer perceptron."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from microgradlib._support.lookup import lookup
from microgradlib._support.rng import Rng, as_random
from microgradlib.nn.activation import ACTIVATIONS, LAYER_ACTIVATIONS, Activation
from microgradlib.nn.module import Module
from microgradlib.nn.neuron import Layer
from microgradlib.nn.output import GaussianOutput

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["MLP"]


class MLP(Module):
    """A multilayer perceptron: layers of neurons, each fed by the one before; the last is linear.

    Two spellings of the same network: `MLP(2, [16, 16, 1])`, as micrograd has it, and `MLP([2, 16, 16, 1])`.
    `activation` is that of the hidden layers, or a list with one for each. `output` is that of the last layer, the
    output unit: "linear" (a Gaussian's mean), "sigmoid" (a Bernoulli's probability), "softmax" (a Multinoulli's
    probabilities), "gaussian" (mean and learned precision, see `GaussianOutput`), or any activation. Further arguments
    are those of `Neuron`. (*Deep Learning*, 6.2.2.)

    >>> model = MLP([2, 3, 1], activation="tanh", rng=0)
    >>> len(model.parameters()), model([0.5, -0.5]).op.name
    (13, 'dot')
    >>> MLP([2, 4, 3], output="softmax", rng=0).summary().rows[1].shape
    '4 → 3 softmax'
    """

    def __init__(
        self,
        nin: int | Sequence[int],
        nouts: int | Sequence[int] = (),
        *,
        activation: Activation | Sequence[Activation] = "relu",
        output: Activation = "linear",
        rng: Rng | None = None,
        **neuron: Any,
    ) -> None:
        sizes = [*(nin if isinstance(nin, Iterable) else [nin]), *(nouts if isinstance(nouts, Iterable) else [nouts])]
        if len(sizes) < 2:
            message = f"an MLP has at least an input and an output size, as in MLP([2, 16, 1]), got {sizes}"
            raise ValueError(message)
        hidden = _one_each(activation, len(sizes) - 2)
        neuron["rng"] = None if rng is None else as_random(rng)
        self.layers: list[Any] = [Layer(n, m, f, **neuron) for n, m, f in zip(sizes, sizes[1:], hidden)]
        if isinstance(output, str) and output == "gaussian":
            self.layers.append(GaussianOutput(sizes[-2], sizes[-1], **neuron))
        else:
            if isinstance(output, str):
                lookup(output, dict.fromkeys([*ACTIVATIONS, "prelu", *LAYER_ACTIVATIONS, "gaussian"]), "output unit")
            self.layers.append(Layer(sizes[-2], sizes[-1], output, **neuron))

    def __call__(self, x: Sequence[Any]) -> Any:
        """Return the output for inputs x: one node, or a list if there are several outputs."""
        for layer in self.layers:
            x = layer(x if hasattr(x, "__len__") else [x])
        return x

    def __repr__(self) -> str:
        return f"MLP of [{', '.join(map(str, self.layers))}]"


def _one_each(activation: Activation | Sequence[Activation], hidden: int) -> Sequence[Activation]:
    if isinstance(activation, str) or callable(activation):
        return [activation] * hidden
    if len(activation) != hidden:
        message = f"activation has one entry for each of the {hidden} hidden layers, got {list(activation)!r}"
        raise ValueError(message)
    return activation

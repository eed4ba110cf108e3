"""MLP: a network of fully connected layers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

from microgradlib._support.checks import check_order
from microgradlib._support.listing import listed
from microgradlib._support.lookup import check_options, lookup
from microgradlib._support.pytree import flatten
from microgradlib._support.rng import Rng, as_random, restored_on_error
from microgradlib._support.shown import shown
from microgradlib.nn.activation import ACTIVATIONS, LAYER_ACTIVATIONS, UNITS, Activation
from microgradlib.nn.module import Module
from microgradlib.nn.neuron import Layer, NeuronOptions
from microgradlib.nn.output import GaussianOutput
from microgradlib.nn.units import RBF, Maxout

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from microgradlib._support.checks import WholeNumber
    from microgradlib.nn.vectors import Vector

__all__ = ["MLP"]

LayerActivation: TypeAlias = "Activation | Sequence[Activation]"
"""The activation of all units of a layer, or a list of one for each."""


class MLP(Module):
    """A multilayer perceptron: each layer's outputs are the inputs of the next; the last layer is linear by default.

    `MLP(2, [16, 16, 1])`, micrograd's spelling, and `MLP([2, 16, 16, 1])` make the same network. `activation` is the
    activation of the hidden layers, or a list of one for each; `output` is that of the last layer: "linear" (a
    Gaussian's mean), "sigmoid" (a Bernoulli's probability), "softmax" (a Multinoulli's probabilities), "gaussian" (mean
    and learned precision, see `GaussianOutput`), or any activation; "maxout" and "rbf", for hidden layers too, make
    layers of `Maxout` and of `RBF` units. Without `output`, the list may have one entry more, f_l for each layer l.
    Instead of an activation there may be a list of one for each unit of the layer, such as `output=["linear",
    "sigmoid"]`. The other arguments are those of `Neuron`. Raises `ValueError` for fewer than two sizes, a list of
    another length or an unknown name. (*Deep Learning*, 6.2.2.)

    >>> model = MLP([2, 3, 1], activation="tanh", rng=0)
    >>> len(model.parameters()), model([0.5, -0.5]).op.name
    (13, 'dot')
    >>> MLP([2, 4, 3], output="softmax", rng=0).summary().rows[1].shape
    '4 → 3 softmax'

    The cost of units of different kinds is the sum of theirs, each the −log p(y | x) of its unit: here that of a number
    and that of a class. In each pair of unit and cost, the gradient of the net input is ŷ_k − y_k. For K units of one
    kind, as K independent probabilities with `output="sigmoid"`, the costs take the lists ŷ and y.

    >>> from microgradlib.costs import binary_cross_entropy, squared_error
    >>> model = MLP([2, 3, 2], activation="tanh", output=["linear", "sigmoid"], rng=0)
    >>> y_hat, y = model([0.5, -1.0]), [0.3, 1.0]
    >>> cost = squared_error(y_hat[0], y[0]) + binary_cross_entropy(y_hat[1], y[1])
    """

    is_kept = True

    def __init__(
        self,
        nin: WholeNumber | Iterable[WholeNumber],
        nouts: WholeNumber | Iterable[WholeNumber] = (),
        *more: NoReturn,
        activation: Activation | Sequence[LayerActivation] = "relu",
        output: LayerActivation | None = None,
        rng: Rng | None = None,
        **neuron: Unpack[NeuronOptions],
    ) -> None:
        check_options(neuron, NeuronOptions, type(self))
        for given, name in ((nin, "nin"), (nouts, "nouts")):
            check_order(given, name, iterators=True)
        sizes = [*(nin if isinstance(nin, Iterable) else [nin]), *(nouts if isinstance(nouts, Iterable) else [nouts])]
        if more:
            sizes += flatten(list(more))
            message = f"MLP takes its sizes as a list: write MLP({shown(sizes)}) or MLP({sizes[0]}, {shown(sizes[1:])})"
            raise TypeError(message)
        if len(sizes) < 2:
            message = f"an MLP needs at least an input and an output size, as in MLP([2, 16, 1]), got {shown(sizes)}"
            raise ValueError(message)
        *activations, output = _activation_of_each_layer(activation, output, len(sizes) - 2)
        generator = None if rng is None else as_random(rng)  # one generator for all layers
        if isinstance(output, str):
            known = [*ACTIVATIONS, "prelu", *LAYER_ACTIVATIONS, *UNITS, "gaussian"]
            lookup(output, dict.fromkeys(known), "output unit")
        with restored_on_error(generator):
            self.layers: list[Layer] = [
                _layer(n, m, f, generator, neuron) for n, m, f in zip(sizes, sizes[1:], activations)
            ]
            if isinstance(output, str) and output == "gaussian":
                gaussian: Any = GaussianOutput(sizes[-2], sizes[-1], rng=generator, **neuron)
                self.layers.append(gaussian)
            else:
                self.layers.append(_layer(sizes[-2], sizes[-1], output, generator, neuron))

    def __call__(self, x: Vector) -> Any:
        """Return the output for inputs x: one node, or a list if there are several outputs.

        With `output="gaussian"` it is a pair of these, the means and the precisions.
        """
        outputs: Any = x
        for layer in self.layers:
            outputs = layer(outputs if hasattr(outputs, "__len__") else [outputs])
        return outputs

    def __repr__(self) -> str:
        return f"MLP of [{listed(self.layers)}]"


def _layer(n: WholeNumber, m: WholeNumber, activation: LayerActivation, rng: Rng | None, neuron: Any) -> Any:
    """Return a layer of m units with n inputs: of neurons, or of maxout or radial units."""
    if activation == "maxout":
        return Maxout(n, m, rng=rng, **neuron)
    if activation == "rbf":  # without net inputs, so neither with a bias
        return RBF(n, m, rng=rng, **{name: setting for name, setting in neuron.items() if name == "init"})
    return Layer(n, m, activation, rng=rng, **neuron)


def _activation_of_each_layer(
    activation: Activation | Sequence[LayerActivation], output: LayerActivation | None, hidden: int
) -> list[LayerActivation]:
    """Return one activation for each hidden layer, and that of the output. Raises `ValueError` for too many or few."""
    if isinstance(activation, str) or not isinstance(activation, Sequence):
        return [*[activation] * hidden, "linear" if output is None else output]
    if len(activation) == hidden + 1 and output is None:
        return list(activation)
    if len(activation) != hidden:
        message = (
            f"activation must have one entry for each of the {hidden} hidden layers, got {shown(list(activation))}; "
            "without output=…, one more entry is that of the output"
        )
        raise ValueError(message)
    return [*activation, "linear" if output is None else output]

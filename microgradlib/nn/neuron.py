"""Neuron and Layer: fully connected units of scalar Values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypedDict

from microgradlib._support.calling import in_plain_words
from microgradlib._support.checks import WholeNumber, boolean, check_order, whole_number
from microgradlib._support.listing import listed
from microgradlib._support.lookup import check_options
from microgradlib._support.rng import Rng, as_random, restored_on_error
from microgradlib._support.shown import shown
from microgradlib.core.hot_paths import weighted_sum
from microgradlib.core.recorded_calls import Unit
from microgradlib.core.value import Value, as_node
from microgradlib.nn.activation import (
    LAYER_ACTIVATIONS,
    Activation,
    LogSoftmax,
    Softmax,
    activation_function,
    activation_name,
    net_formula,
    op_name,
)
from microgradlib.nn.initialisers import Init, weight_drawer
from microgradlib.nn.module import Module
from microgradlib.nn.sequences import nodes_of_length, refuse_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from typing_extensions import Unpack

    from microgradlib.nn.vectors import Vector

__all__ = ["Layer", "Neuron", "NeuronOptions"]

MICROGRAD_NAMES = {"linear": "Linear", "relu": "ReLU"}
"""The names of activations in the reprs of micrograd's neurons."""


class NeuronOptions(TypedDict, total=False):
    """The keyword arguments of `Neuron` that a `Layer` passes on."""

    bias: bool
    expand: bool
    nonlin: bool
    init: Init


class Neuron(Module):
    """a = f(z) with net input z = Σ_d w_d x_d + b.

    `nin`: how many inputs. `activation`: f, by name or as a function of z. `bias`: whether there is a b. `rng`: a seed
    or a `random.Random`, by default Python's global generator, which `random.seed` seeds. `init`: how weights are
    drawn, by default uniform in (−1, 1), see `INITIALISERS`; b is initially 0. The net input is one n-ary `dot` node;
    with `expand=True` every product and sum is a node of its own, for drawings. `Neuron(nin, False)` and `nonlin=False`
    are micrograd's spellings of `activation="linear"`; `nout`, how many neurons the layer has, is used by some
    initialisers.

    Raises `ValueError` for an unknown activation, and when called with a number of inputs other than `nin`.

    >>> neuron = Neuron(2, activation="tanh", rng=0)
    >>> for w, number in zip(neuron.w, [3.0, -2.0]):
    ...     w.data = number
    >>> neuron([1.0, 1.5]).data
    0.0
    """

    is_recorded = False

    @in_plain_words
    def __init__(
        self,
        nin: WholeNumber,
        activation: Activation | bool = "relu",
        *,
        bias: bool = True,
        rng: Rng | None = None,
        expand: bool = False,
        nonlin: bool = True,
        init: Init = "uniform",
        nout: WholeNumber = 1,
    ) -> None:
        nin, nout = whole_number(nin, "nin"), whole_number(nout, "nout")
        draw, with_bias = weight_drawer(init, rng), boolean(bias, "bias", numbers=True)
        expand, nonlin = boolean(expand, "expand", numbers=True), boolean(nonlin, "nonlin", numbers=True)
        if isinstance(activation, bool):
            activation = "relu" if activation else "linear"
        f = activation_function(activation if nonlin else "linear")
        self.activation = activation_name(activation) if nonlin else "linear"
        self.w = [Value(draw(nin, nout), label=f"w{d}") for d in range(nin)]
        self.b = Value(0.0, label="b") if with_bias else None
        self.f = f  # behind w and b: an activation may have parameters, and they are listed in order of assignment
        self.expand = expand
        self.summary_shape = f"{nin} → 1 {self.activation}"

    @property
    def nonlin(self) -> bool:
        """Whether f is another function than the identity: micrograd's attribute. Set, it makes f relu or linear."""
        return self.activation not in {"linear", "identity"}

    @nonlin.setter
    def nonlin(self, nonlin: bool) -> None:
        nonlin = boolean(nonlin, "nonlin", numbers=True)
        if nonlin != self.nonlin:
            self.activation = "relu" if nonlin else "linear"
            self.f = activation_function(self.activation)
            self.summary_shape = f"{len(self.w)} → 1 {self.activation}"

    def net_input(self, x: Vector) -> Value:
        """Return z = Σ_d w_d x_d + b for the inputs x."""
        if x.__class__ is not list:
            check_order(x, "the input of a neuron")
        if not hasattr(x, "__len__") or len(x) != len(self.w):
            given = len(x) if hasattr(x, "__len__") else f"{shown(x)}; write [x] for a single input"
            message = f"this neuron takes a list of {len(self.w)} input{'s' * (len(self.w) != 1)}, got {given}"
            raise ValueError(message)
        inputs: Any = x
        if not self.expand:
            try:
                z: Value = weighted_sum(self.w, inputs, self.b)
            except TypeError:
                refuse_rows(x, "a neuron")
                raise
            return z
        products: list[Value] = [w * x_d for w, x_d in zip(self.w, inputs)]
        return sum(products[1:], products[0]) if self.b is None else sum(products, self.b)

    @property
    def scope_formula(self) -> str:  # type: ignore[override]
        """f(w x + b)."""
        return net_formula(self.activation, "w x" if self.b is None else "w x + b")

    unit_formula = scope_formula

    def scope_units(self) -> list[Unit]:
        """Return the neuron as the only unit of a layer."""
        inputs = [f"x.{d}" for d in range(len(self.w))]
        return [Unit("", self.w, self.b, op_name(self.f), inputs, self.expand)]

    def __call__(self, x: Vector) -> Value:
        """Return f(z) for the inputs x."""
        output: Value = self.f(self.net_input(x))
        return output

    def __repr__(self) -> str:
        return f"{MICROGRAD_NAMES.get(self.activation, self.activation)}Neuron({len(self.w)})"


class Layer(Module):
    """`nout` neurons with the same `nin` inputs; the other arguments are those of `Neuron`.

    `activation` may also be "softmax" or "log_softmax" (or `Softmax()`, `LogSoftmax()`), functions of the net inputs of
    all the neurons; or a list of one activation for each neuron, `ValueError` if there are more or fewer.

    >>> len(Layer(3, 4, activation="tanh", rng=0)([1.0, 2.0, 3.0]))
    4
    >>> Layer(3, 2, ["linear", "sigmoid"], rng=0).summary_shape
    '3 → 2 linear, sigmoid'
    >>> [p.data for p in Layer(1, 2, "softmax", init="zeros")([1.0])]
    [0.5, 0.5]
    """

    is_recorded = False

    def __init__(
        self,
        nin: WholeNumber,
        nout: WholeNumber,
        activation: Activation | Sequence[Activation] = "relu",
        *,
        rng: Rng | None = None,
        **neuron: Unpack[NeuronOptions],
    ) -> None:
        check_options(neuron, NeuronOptions, type(self))
        nout = whole_number(nout, "nout")
        generator = None if rng is None else as_random(rng)  # one generator for all neurons
        self.layer_activation: Callable[[Collection[Any]], list[Any]] | None = None
        if isinstance(activation, type) and issubclass(activation, (Softmax, LogSoftmax)):
            activation = activation()
        if isinstance(activation, (Softmax, LogSoftmax)):
            self.layer_activation = activation
        elif isinstance(activation, str):
            self.layer_activation = LAYER_ACTIVATIONS.get(activation)
        kinds = ["linear"] * nout if self.layer_activation else _activation_of_each(activation, nout)
        with restored_on_error(generator):
            self.neurons = [Neuron(nin, kind, rng=generator, nout=nout, **neuron) for kind in kinds]
        self.summary_shape = f"{nin} → {nout} {_activation_names(activation)}"

    def net_inputs(self, x: Vector) -> list[Value]:
        """Return z = Wx + b, one net input for each neuron: the nodes whose gradients are the δ of backpropagation."""
        check_order(x, "the input of a layer")
        if not hasattr(x, "__iter__") or getattr(x, "shape", None) == ():
            message = f"a layer takes a list of inputs, got {shown(x)}; write [x] for a single input"
            raise TypeError(message)
        try:
            inputs = [as_node(x_d) for x_d in x]  # one leaf for each plain number, shared by all neurons
        except TypeError:
            refuse_rows(x, "a layer")
            raise
        return [neuron.net_input(inputs) for neuron in self.neurons]

    def activated(self, z: Vector) -> list[Value]:
        """Return f(z), one output for each neuron, from their net inputs.

        Raises `ValueError` for another number of them, `TypeError` for what is no number.
        """
        return self._activated(nodes_of_length(z, len(self.neurons), "the net inputs of this layer"))

    def _activated(self, z: list[Value]) -> list[Value]:
        if self.layer_activation:
            return self.layer_activation(z)
        return [neuron.f(z_i) for neuron, z_i in zip(self.neurons, z)]

    @property
    def scope_formula(self) -> str:  # type: ignore[override]
        """f(W x + b), with softmax and the like around the net inputs of all neurons."""
        names = {neuron.activation for neuron in self.neurons}
        name = names.pop() if len(names) == 1 else "f"
        if self.layer_activation:
            name = next((name for name, f in LAYER_ACTIVATIONS.items() if f is self.layer_activation), "softmax")
            name = "log_softmax" if isinstance(self.layer_activation, LogSoftmax) else name
        return net_formula(name.replace("_", " "), "W x" if self.neurons[0].b is None else "W x + b")

    @property
    def unit_formula(self) -> str:  # type: ignore[override]
        """f(w x + b), of the neurons that have the same f."""
        formulas = {neuron.scope_formula for neuron in self.neurons}
        return formulas.pop() if len(formulas) == 1 else ""

    def scope_units(self) -> list[Unit]:
        """Return the neurons."""
        return [unit._replace(name=f"neurons.{i}") for i, n in enumerate(self.neurons) for unit in n.scope_units()]

    def outputs(self, x: Vector) -> list[Value]:
        """Return the neurons' outputs, always as a list."""
        return self._activated(self.net_inputs(x))

    def __call__(self, x: Vector) -> Any:
        """Return the neurons' outputs as a list; a layer of one neuron returns its output, one node."""
        outputs = self.outputs(x)
        return outputs[0] if len(outputs) == 1 else outputs

    def __repr__(self) -> str:
        return f"Layer of [{listed(self.neurons)}]"


def _activation_of_each(activation: Activation | Sequence[Activation], nout: int) -> Sequence[Activation]:
    """Return one activation for each of `nout` neurons. Raises `ValueError` for a list of another length."""
    if isinstance(activation, str) or not isinstance(activation, Sequence):
        return [activation] * nout
    if len(activation) != nout:
        given = shown(list(activation))
        message = f"activation must be one for all neurons or a list of {nout}, one for each, got {given}"
        raise ValueError(message)
    return activation


def _activation_names(activation: Activation | Sequence[Activation]) -> str:
    if isinstance(activation, str) or not isinstance(activation, Sequence):
        return activation_name(activation)
    return ", ".join(map(activation_name, activation))

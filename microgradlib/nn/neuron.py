"""Neuron and Layer, out of scalar Values."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from microgradlib._support.rng import Rng, as_random
from microgradlib.core.hot_paths import weighted_sum
from microgradlib.core.value import Value, as_node
from microgradlib.nn.activation import (
    LAYER_ACTIVATIONS,
    Activation,
    LogSoftmax,
    Softmax,
    activation_name,
    activation_named,
)
from microgradlib.nn.initialisers import initialiser_named
from microgradlib.nn.module import Module
from microgradlib.nn.sizes import count

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Layer", "Neuron"]

_SPELLING = {"linear": "Linear", "relu": "ReLU"}


class Neuron(Module):
    """a = f(z) with net input z = Σ_d w_d x_d + b.

    `nin`: how many inputs. `activation`: f, by name or as a function of z. `bias`: whether there is a b. `rng`: a seed
    or `random.Random`; without one, Python's own generator draws, as `random.seed` set it. `init`: how weights are
    drawn, by default uniform in (−1, 1), see `INITIALISERS`; b is 0. The net input is one n-ary `dot` node; with
    `expand=True` every product and sum is a node of its own, to be drawn. `nonlin=False` is micrograd's word for
    `activation="linear"`; `nout`, how many neurons the layer has, matters to some initialisers.

    Raises `ValueError` for an unknown activation, and when called with a number of inputs other than `nin`.

    >>> neuron = Neuron(2, activation="tanh", rng=0)
    >>> for w, number in zip(neuron.w, [3.0, -2.0]):
    ...     w.data = number
    >>> neuron([1.0, 1.5]).data
    0.0
    """

    def __init__(
        self,
        nin: int,
        activation: Activation = "relu",
        *,
        bias: bool = True,
        rng: Rng | None = None,
        expand: bool = False,
        nonlin: bool = True,
        init: str | Callable[..., float] = "uniform",
        nout: int = 1,
    ) -> None:
        generator: Any = random if rng is None else as_random(rng)
        self.activation = activation_name(activation) if nonlin else "linear"
        draw = initialiser_named(init)
        self.w = [Value(draw(generator, nin, nout), label=f"w{d}") for d in range(count(nin, "nin"))]
        self.b = Value(0.0, label="b") if bias else None
        self.f = activation_named(activation if nonlin else "linear")
        self.expand = expand
        self.summary_shape = f"{nin} → 1 {self.activation}"

    def net_input(self, x: Sequence[Any]) -> Value:
        """Return z = Σ_d w_d x_d + b."""
        if not hasattr(x, "__len__") or len(x) != len(self.w):
            given = len(x) if hasattr(x, "__len__") else f"{x!r}; write [x] for a single one"
            message = f"this neuron has {len(self.w)} weights and takes as many inputs, got {given}"
            raise ValueError(message)
        if not self.expand:
            return weighted_sum(self.w, x, self.b)  # type: ignore[no-any-return]
        products = [w * x_d for w, x_d in zip(self.w, x)]
        return sum(products[1:], products[0]) if self.b is None else sum(products, self.b)

    def __call__(self, x: Sequence[Any]) -> Any:
        """Return f(z) for the inputs x, floats or Values."""
        return self.f(self.net_input(x))

    def __repr__(self) -> str:
        return f"{_SPELLING.get(self.activation, self.activation)}Neuron({len(self.w)})"


class Layer(Module):
    """`nout` neurons that see the same `nin` inputs; further arguments are those of `Neuron`.

    `activation` may also be one that takes the net inputs of all the neurons together: "softmax" or "log_softmax".

    >>> len(Layer(3, 4, activation="tanh", rng=0)([1.0, 2.0, 3.0]))
    4
    >>> [p.data for p in Layer(1, 2, "softmax", init="zeros")([1.0])]
    [0.5, 0.5]
    """

    def __init__(
        self, nin: int, nout: int, activation: Activation = "relu", *, rng: Rng | None = None, **neuron: Any
    ) -> None:
        generator = None if rng is None else as_random(rng)
        self.together: Any = LAYER_ACTIVATIONS.get(activation) if isinstance(activation, str) else None
        if isinstance(activation, (Softmax, LogSoftmax)):
            self.together = activation
        each = "linear" if self.together else activation
        neuron.setdefault("nout", nout)
        self.neurons = [Neuron(nin, each, rng=generator, **neuron) for _ in range(count(nout, "nout"))]
        self.summary_shape = f"{nin} → {nout} {activation_name(activation)}"

    def net_inputs(self, x: Sequence[Any]) -> list[Any]:
        """Return z = Wx + b, one net input for each neuron: the nodes whose gradients are the δ of backpropagation."""
        inputs = [as_node(x_d) for x_d in x]  # one leaf for a number, which all neurons share
        return [neuron.net_input(inputs) for neuron in self.neurons]

    def activated(self, z: Sequence[Any]) -> list[Any]:
        """Return f(z), one output for each neuron, from their net inputs."""
        return self.together(z) if self.together else [neuron.f(z_i) for neuron, z_i in zip(self.neurons, z)]

    def outputs(self, x: Sequence[Any]) -> list[Any]:
        """Return the neurons' outputs, always as a list."""
        return self.activated(self.net_inputs(x))

    def __call__(self, x: Sequence[Any]) -> Any:
        """Return the neurons' outputs as a list; a layer of one neuron returns its output itself."""
        outputs = self.outputs(x)
        return outputs[0] if len(outputs) == 1 else outputs

    def __repr__(self) -> str:
        return f"Layer of [{', '.join(map(str, self.neurons))}]"

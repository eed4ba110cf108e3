"""Neuron, Layer and MLP, out of scalar Values."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from microgradlib.nn.activation import activation_named
from microgradlib.nn.module import Module
from microgradlib.randomness import Rng, as_random
from microgradlib.value import Value, as_node, weighted_sum

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["MLP", "Layer", "Neuron"]

_SPELLING = {"linear": "Linear", "relu": "ReLU"}


def _count(number: Any, what: str) -> int:
    if isinstance(number, bool) or not isinstance(number, int):
        message = f"{what} is a whole number, got {number!r}"
        raise TypeError(message)
    if number < 1:
        message = f"{what} is at least 1, got {number}"
        raise ValueError(message)
    return number


class Neuron(Module):
    """a = f(z) with net input z = Σ_d w_d x_d + b.

    `nin`: how many inputs. `activation`: the name of f. `bias`: whether there is a b. `rng`: a seed or `random.Random`;
    without one, Python's own generator draws, as `random.seed` set it. Weights are uniform in (−1, 1), b is 0. The net
    input is one n-ary `dot` node; with `expand=True` every product and sum is a node of its own, to be drawn.
    `nonlin=False` is micrograd's word for `activation="linear"`.

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
        activation: str = "relu",
        *,
        bias: bool = True,
        rng: Rng | None = None,
        expand: bool = False,
        nonlin: bool = True,
    ) -> None:
        generator = random if rng is None else as_random(rng)
        self.activation = activation if nonlin else "linear"
        self._f = activation_named(self.activation)
        self.w = [Value(generator.uniform(-1, 1), label=f"w{d}") for d in range(_count(nin, "nin"))]
        self.b = Value(0.0, label="b") if bias else None
        self.expand = expand

    def net_input(self, x: Sequence[Any]) -> Value:
        """Return z = Σ_d w_d x_d + b."""
        if len(x) != len(self.w):
            message = f"this neuron has {len(self.w)} weights and takes as many inputs, got {len(x)}"
            raise ValueError(message)
        if not self.expand:
            return weighted_sum(self.w, x, self.b)  # type: ignore[no-any-return]
        products = [w * x_d for w, x_d in zip(self.w, x)]
        return sum(products[1:], products[0]) if self.b is None else sum(products, self.b)

    def __call__(self, x: Sequence[Any]) -> Any:
        """Return f(z) for the inputs x, floats or Values."""
        return self._f(self.net_input(x))

    def __repr__(self) -> str:
        return f"{_SPELLING.get(self.activation, self.activation)}Neuron({len(self.w)})"


class Layer(Module):
    """`nout` neurons that see the same `nin` inputs; further arguments are those of `Neuron`.

    >>> len(Layer(3, 4, activation="tanh", rng=0)([1.0, 2.0, 3.0]))
    4
    """

    def __init__(self, nin: int, nout: int, activation: str = "relu", *, rng: Rng | None = None, **neuron: Any) -> None:
        generator = None if rng is None else as_random(rng)
        self.neurons = [Neuron(nin, activation, rng=generator, **neuron) for _ in range(_count(nout, "nout"))]

    def __call__(self, x: Sequence[Any]) -> Any:
        """Return the neurons' outputs as a list; a layer of one neuron returns its output itself."""
        inputs = [as_node(x_d) for x_d in x]  # one leaf for a number, which all neurons share
        outputs = [neuron(inputs) for neuron in self.neurons]
        return outputs[0] if len(outputs) == 1 else outputs

    def __repr__(self) -> str:
        return f"Layer of [{', '.join(map(str, self.neurons))}]"


class MLP(Module):
    """A multilayer perceptron: layers of neurons, each fed by the one before; the last is linear.

    Two spellings of the same network: `MLP(2, [16, 16, 1])`, as micrograd has it, and `MLP([2, 16, 16, 1])`.
    `activation` is that of the hidden layers, `output` that of the last.

    >>> model = MLP([2, 3, 1], activation="tanh", rng=0)
    >>> len(model.parameters()), model([0.5, -0.5]).op.name
    (13, 'dot')
    """

    def __init__(
        self,
        nin: int | Sequence[int],
        nouts: Sequence[int] = (),
        *,
        activation: str = "relu",
        output: str = "linear",
        rng: Rng | None = None,
        **neuron: Any,
    ) -> None:
        sizes = [nin, *nouts] if isinstance(nin, int) else [*nin, *nouts]
        if len(sizes) < 2:
            message = f"an MLP has at least an input and an output size, as in MLP([2, 16, 1]), got {sizes}"
            raise ValueError(message)
        generator = None if rng is None else as_random(rng)
        hidden = [activation] * (len(sizes) - 2)
        self.layers = [Layer(n, m, f, rng=generator, **neuron) for n, m, f in zip(sizes, sizes[1:], [*hidden, output])]

    def __call__(self, x: Sequence[Any]) -> Any:
        """Return the output for inputs x: one node, or a list if there are several outputs."""
        for layer in self.layers:
            x = layer(x if hasattr(x, "__len__") else [x])
        return x

    def __repr__(self) -> str:
        return f"MLP of [{', '.join(map(str, self.layers))}]"

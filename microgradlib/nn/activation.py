"""Activation functions by name: f of one net input, or of a whole layer's net inputs."""

from __future__ import annotations

from operator import methodcaller
from typing import TYPE_CHECKING, Any, TypeAlias

from microgradlib._support.lookup import lookup
from microgradlib.core.list_functions import log_softmax, softmax
from microgradlib.core.value import Value
from microgradlib.nn.module import Module
from microgradlib.ops import activations, selection, trigonometric

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "ACTIVATIONS", "LAYER_ACTIVATIONS", "Activation", "LogSoftmax", "PReLU", "Softmax", "activation_name",
    "activation_named",
]  # fmt: skip

Activation: TypeAlias = "str | Callable[[Any], Any]"
"""An activation, by name or as a function of the net input."""


class PReLU(Module):
    """The parametric rectifier f(z) = max(0, z) + γ min(0, z), whose slope γ is learned, with ∂f/∂γ = min(0, z).

    `Neuron(nin, "prelu")` gives each neuron its own γ. `slope` is γ at the start. (*Deep Learning*, 6.3.1; He et al.,
    2015.)

    >>> f = PReLU(slope=0.5)
    >>> y = f(Value(-4.0))
    >>> y.backward()
    >>> y.data, f.slope.grad
    (-2.0, -4.0)
    """

    not_weights = ("slope",)

    def __init__(self, slope: float = 0.25) -> None:
        self.slope = Value(slope, label="slope")

    def __call__(self, z: Any) -> Any:
        """Return f(z) for a net input z."""
        return activations.leaky_relu(z, self.slope)

    def __repr__(self) -> str:
        return f"PReLU(slope={self.slope.data:g})"


class Softmax(Module):
    """p_i = exp(z_i)/Σ_j exp(z_j): probabilities, as a module of its own for `Sequential`. Raises as `softmax` does.

    >>> [p.data for p in Softmax()([Value(1.0), Value(1.0)])]
    [0.5, 0.5]
    """

    shape = "scores → probabilities"

    def __call__(self, z: Any) -> list[Any]:
        """Return the probabilities for a list of net inputs."""
        return softmax(z)

    def __repr__(self) -> str:
        return "Softmax()"


class LogSoftmax(Module):
    """ln p_i = z_i − ln Σ_j exp(z_j), as a module of its own for `Sequential`. Raises as `log_softmax` does.

    >>> [round(p.data, 3) for p in LogSoftmax()([Value(1.0), Value(1.0)])]
    [-0.693, -0.693]
    """

    shape = "scores → log-probabilities"

    def __call__(self, z: Any) -> list[Any]:
        """Return the logarithms of the probabilities for a list of net inputs."""
        return log_softmax(z)

    def __repr__(self) -> str:
        return "LogSoftmax()"


def _linear(x: Any) -> Any:
    return x


def _sgn(x: Any) -> Any:
    return 2 * selection.step(x) - 1


ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "linear": _linear,
    "identity": _linear,
    "sigmoid": activations.sigmoid,
    "tanh": trigonometric.tanh,
    "relu": methodcaller("relu"),  # the method is a hot path
    "leaky_relu": activations.leaky_relu,
    "elu": activations.elu,
    "softplus": activations.softplus,
    "hard_sigmoid": activations.hard_sigmoid,
    "hard_tanh": activations.hard_tanh,
    "abs": selection.abs,
    "step": selection.step,
    "sgn": _sgn,
}
"""What a neuron may do with its net input, by name.

`step` is the neuron of McCulloch and Pitts, `sgn` (1 if z ≥ 0, else −1) the perceptron's, `abs` the absolute value
rectification of *Deep Learning*, 6.3.1. `"prelu"` names the one with a parameter, `PReLU`.
"""

LAYER_ACTIVATIONS: dict[str, Callable[[Any], Any]] = {"softmax": softmax, "log_softmax": log_softmax}
"""What a layer may do with all its net inputs at once, by name."""


def activation_name(activation: Activation) -> str:
    """Return what to call an activation: its name, or that of the function.

    >>> activation_name(activations.sigmoid)
    'sigmoid'
    """
    if isinstance(activation, str):
        return activation
    name = getattr(activation, "name", getattr(activation, "__name__", type(activation).__name__))
    return "a function" if name == "<lambda>" else str(name)


def activation_named(name: Any) -> Callable[[Any], Any]:
    """Return the activation function `name` (a new `PReLU` for "prelu"); a function stays itself.

    Raises `ValueError`, listing the known ones and the nearest, for another name.

    >>> activation_named("rleu")
    Traceback (most recent call last):
    ValueError: no activation 'rleu'; did you mean 'relu'? ...
    """
    if isinstance(name, type) and issubclass(name, Module):
        return name()  # type: ignore[return-value]  # a module that can be called
    if callable(name):
        return name  # type: ignore[no-any-return]
    if not isinstance(name, str):
        message = f"an activation is a name, as in 'tanh', or a function, got {name!r}"
        raise TypeError(message)
    if name in LAYER_ACTIVATIONS:
        message = f"{name} needs the net inputs of a whole layer: Layer(nin, nout, {name!r}), or nn.Softmax()"
        raise ValueError(message)
    activation: Any = lookup(name, {**ACTIVATIONS, "prelu": PReLU, **LAYER_ACTIVATIONS}, "activation")
    return PReLU() if activation is PReLU else activation

"""Activation functions by name: functions of one net input, or of all the net inputs of a layer."""

from __future__ import annotations

from operator import methodcaller
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias, overload

from microgradlib._support.calling import in_plain_words, parameters_of, takes
from microgradlib._support.checks import real_number
from microgradlib._support.lookup import lookup
from microgradlib._support.shown import shown
from microgradlib.core.softmax import log_softmax, softmax
from microgradlib.core.value import Value
from microgradlib.nn.module import Module
from microgradlib.ops import Op, activations, rounding, selection, smooth_activations, trigonometric

if TYPE_CHECKING:
    from collections.abc import Callable

    from microgradlib.core.list_functions import Floats, Symbols, Untyped, Values
    from microgradlib.core.symbol import Symbol

__all__ = [
    "ACTIVATIONS", "LAYER_ACTIVATIONS", "UNITS", "Activation", "LogSoftmax", "PReLU", "Softmax", "activation_function",
    "activation_name", "net_formula", "op_name",
]  # fmt: skip

Activation: TypeAlias = "str | Callable[[Any], Any]"
"""An activation, by name or as a function of the net input."""


class PReLU(Module):
    """The parametric rectifier f(z) = max(0, z) + γ min(0, z), with a learned slope γ; ∂f/∂γ = min(0, z).

    `Neuron(nin, "prelu")` gives each neuron its own γ. `slope` is the initial γ, a number; another
    object raises `TypeError`. (*Deep Learning*, 6.3.1; He et al.,
    2015.)

    >>> f = PReLU(slope=0.5)
    >>> y = f(Value(-4.0))
    >>> y.backward()
    >>> y.data, f.slope.grad
    (-2.0, -4.0)
    """

    is_recorded = False
    summary_shape = "learned slope"
    not_weights = ("slope",)

    @in_plain_words
    def __init__(self, slope: float = 0.25) -> None:
        self.slope = Value(real_number(slope, "slope", finite=False, example=0.25), label="slope")

    def __call__(self, z: Any) -> Value:
        """Return f(z) for a net input z."""
        y: Value = activations.leaky_relu(z, self.slope)
        return y

    def __repr__(self) -> str:
        return f"PReLU(slope={self.slope.data:g})"


class _OfNetInputs(Module):
    """A function of a list of net inputs, as a module."""

    is_recorded = False

    _function: ClassVar[Any]
    """The function, overloaded as `__call__` is."""

    @overload
    def __call__(self, z: Untyped) -> list[Any]: ...
    @overload
    def __call__(self, z: Floats) -> list[float]: ...
    @overload
    def __call__(self, z: Values) -> list[Value]: ...
    @overload
    def __call__(self, z: Symbols) -> list[Symbol]: ...
    def __call__(self, z: Any) -> list[Any]:
        """Return the function of a list of net inputs."""
        values: list[Any] = self._function(z)
        return values

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class Softmax(_OfNetInputs):
    """p_i = exp(z_i)/Σ_j exp(z_j): softmax as a module, for `Sequential`. Raises as `softmax` does.

    >>> [p.data for p in Softmax()([Value(1.0), Value(1.0)])]
    [0.5, 0.5]
    """

    summary_shape = "logits → probabilities"
    _function = staticmethod(softmax)


class LogSoftmax(_OfNetInputs):
    """ln p_i = z_i − ln Σ_j exp(z_j), log-softmax as a module, for `Sequential`. Raises as `log_softmax` does.

    >>> [round(p.data, 3) for p in LogSoftmax()([Value(1.0), Value(1.0)])]
    [-0.693, -0.693]
    """

    summary_shape = "logits → log-probabilities"
    _function = staticmethod(log_softmax)


def _linear(z: Any) -> Any:
    return z


ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "linear": _linear,
    "identity": _linear,
    "sigmoid": activations.sigmoid,
    "tanh": trigonometric.tanh,
    "relu": methodcaller("relu"),  # the method is a hot path
    "leaky_relu": activations.leaky_relu,
    "elu": activations.elu,
    "selu": smooth_activations.selu,
    "silu": smooth_activations.silu,
    "gelu": smooth_activations.gelu,
    "gelu_tanh": smooth_activations.gelu_tanh,
    "mish": smooth_activations.mish,
    "softplus": activations.softplus,
    "log_sigmoid": smooth_activations.log_sigmoid,
    "softsign": smooth_activations.softsign,
    "hard_sigmoid": activations.hard_sigmoid,
    "hard_tanh": activations.hard_tanh,
    "abs": selection.abs,
    "step": selection.step,
    "sgn": rounding.sgn,
    "perceptron": rounding.sgn,
    "logistic": activations.sigmoid,
    "hard_logistic": activations.hard_sigmoid,
}
"""The activations of one net input, by name.

`step` is that of McCulloch and Pitts's neuron, `sgn` (1 if z ≥ 0, else −1) the perceptron's, `abs` the absolute value
rectification of *Deep Learning*, 6.3.1. `logistic`, `hard_logistic` and `perceptron` are further names of `sigmoid`,
`hard_sigmoid` and `sgn`. `"prelu"`, which has a parameter, is not in this table: it makes a new `PReLU`; nor are
`"maxout"` and `"rbf"`, whose units have weights of their own: `MLP` makes layers of them (`Maxout`, `RBF`).
"""

SHORT_NAMES = {"sigmoid": "σ", "logistic": "σ", "a function": "f"}
"""How formulas write activations with long names."""

LAYER_ACTIVATIONS: dict[str, Callable[[Any], Any]] = {"softmax": softmax, "log_softmax": log_softmax}
"""The activations of all the net inputs of a layer, by name."""

UNITS = {"maxout": "Maxout", "rbf": "RBF"}
"""Hidden units that are no function of one net input, and their classes in `nn.units`."""


def activation_name(activation: Activation) -> str:
    """Return the name of an activation for summaries: a function's own name, "a function" for a lambda.

    >>> activation_name(activations.sigmoid)
    'sigmoid'
    """
    if isinstance(activation, str):
        return activation
    name = getattr(activation, "name", getattr(activation, "__name__", type(activation).__name__))
    return "a function" if name == "<lambda>" else str(name)


def op_name(f: Any) -> str | None:
    """Return the name of the op that a function from `activation_function` makes: "" for none, None if it is unknown.

    >>> op_name(activation_function("logistic")), op_name(activation_function("linear")), op_name(lambda z: z * z)
    ('sigmoid', '', None)
    """
    if f is _linear:
        return ""
    if isinstance(f, PReLU):
        return "leaky_relu"
    if isinstance(f, methodcaller):
        return "relu" if f.__reduce__() == ACTIVATIONS["relu"].__reduce__() else None  # a copied model has copies of it
    return f.name if isinstance(f, Op) else None


def net_formula(f: str, net: str) -> str:
    """Return f(net) as text, for drawings.

    >>> net_formula("sigmoid", "W x + b"), net_formula("linear", "W x")
    ('σ(W x + b)', 'W x')
    """
    return net if f in {"linear", "identity"} else f"{SHORT_NAMES.get(f, f)}({net})"


def activation_function(activation: Any) -> Callable[[Any], Any]:
    """Return the function that an activation names; a function is returned as it is, a Module class instantiated.

    For "prelu" each call returns a new `PReLU`. Raises `ValueError` for an unknown name, listing the known ones and the
    nearest, for an activation of a whole layer, and for a unit with weights of its own; `TypeError` for anything but a
    name or a function.

    >>> activation_function("rleu")
    Traceback (most recent call last):
    ValueError: no activation 'rleu'; did you mean 'relu'? ...
    """
    if isinstance(activation, type) and issubclass(activation, Module):
        activation = activation()
    if isinstance(activation, _OfNetInputs):
        activation = "softmax" if isinstance(activation, Softmax) else "log_softmax"
    if callable(activation):
        if not takes(activation, [None]):
            given = f"{shown(activation)} {parameters_of(activation)}"
            message = f"activation must be a function of one net input, got {given}"
            raise TypeError(message)
        return activation  # type: ignore[no-any-return]
    if not isinstance(activation, str):
        message = f"activation must be a name, as in 'tanh', or a function, got {shown(activation)}"
        raise TypeError(message)
    if activation in LAYER_ACTIVATIONS:
        message = (
            f"{activation} needs the net inputs of a whole layer: Layer(nin, nout, {shown(activation)}), or "
            f"nn.{'Softmax' if activation == 'softmax' else 'LogSoftmax'}()"
        )
        raise ValueError(message)
    if activation in UNITS:
        message = (
            f"a unit of {activation} has weights of its own: write nn.{UNITS[activation]}(nin, nout), or "
            f"MLP([2, 4, 1], activation={shown(activation)})"
        )
        raise ValueError(message)
    known: dict[str, Callable[[Any], Any]] = {**ACTIVATIONS, "prelu": PReLU, **LAYER_ACTIVATIONS}
    function = lookup(activation, known, "activation")
    return PReLU() if function is PReLU else function

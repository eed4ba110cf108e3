"""Activation functions by name."""

from __future__ import annotations

import difflib
from operator import methodcaller
from typing import TYPE_CHECKING, Any

from microgradlib.ops import activations, selection, trigonometric

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ACTIVATIONS", "activation_named"]


def _linear(x: Any) -> Any:
    return x


ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "linear": _linear,
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
}
"""What a neuron may do with its net input, by name."""


def activation_named(name: str) -> Callable[[Any], Any]:
    """Return the activation function `name`. Raises `ValueError`, listing the known ones, for another.

    >>> activation_named("rleu")
    Traceback (most recent call last):
    ValueError: no activation 'rleu'; did you mean 'relu'? ...
    """
    if name in ACTIVATIONS:
        return ACTIVATIONS[name]
    near = difflib.get_close_matches(str(name), ACTIVATIONS, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ";"
    message = f"no activation {name!r}{hint} known: {', '.join(ACTIVATIONS)}"
    raise ValueError(message)

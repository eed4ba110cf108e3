"""The parameters of a model by layer, as rows of its summary."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from microgradlib.core.value import Value
    from microgradlib.nn.module import Module

__all__ = ["parameters_by_layer"]


def parameters_by_layer(model: Module) -> dict[str, list[Value]]:
    """Return the parameters of each row of `model.summary()`; others are listed by the first name of their path.

    >>> from microgradlib.nn import MLP
    >>> {name: len(parameters) for name, parameters in parameters_by_layer(MLP([2, 3, 1], rng=0)).items()}
    {'layers.0': 9, 'layers.1': 4}
    """
    names = [row.layer for row in model.summary().rows]
    layers: dict[str, list[Value]] = {}
    for path, parameter in model.named_parameters():
        layer = next((name for name in names if not name or path.startswith(f"{name}.")), path.split(".")[0])
        layers.setdefault(layer or "model", []).append(parameter)
    return layers

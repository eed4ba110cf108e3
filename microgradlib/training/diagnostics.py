"""What to watch in training besides the loss: gradients by layer, dead rectifiers, the origin of a nan."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from microgradlib._support.pytree import flatten
from microgradlib.core.graph import topological_sort
from microgradlib.core.modes import detect_anomaly
from microgradlib.core.value import Value
from microgradlib.errors import AnomalyError
from microgradlib.ops import activations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.nn import Module
    from microgradlib.training.examples import Examples
    from microgradlib.training.risk import Risk

__all__ = ["dead_relus", "gradient_norms", "layers_of", "origin_of_nan"]

SAMPLE = 64
"""How many examples `dead_relus` looks at."""


def layers_of(model: Module) -> dict[str, list[Value]]:
    """Return the parameters by layer, the rows of `model.summary()`; those in no layer under their own first name."""
    names = [row.layer for row in model.summary().rows]
    layers: dict[str, list[Value]] = {}
    for path, parameter in model.named_parameters():
        layer = next((name for name in names if not name or path.startswith(f"{name}.")), path.split(".")[0])
        layers.setdefault(layer or "model", []).append(parameter)
    return layers


def gradient_norms(layers: dict[str, list[Value]]) -> dict[str, float]:
    """Return ‖∂R/∂(parameters)‖, the Euclidean norm, for each layer.

    >>> w, b = Value(0.0), Value(0.0)
    >>> w.grad, b.grad = 3.0, 4.0
    >>> gradient_norms({"neuron": [w, b]})
    {'neuron': 5.0}
    """
    return {name: math.hypot(*[p.grad for p in parameters]) for name, parameters in layers.items()}


def dead_relus(model: Any, inputs: Sequence[Any]) -> float | None:
    """Return the share, 0 to 1, of the rectifiers that are 0 at all of the first 64 inputs; None if there are none.

    A dead rectifier learns nothing more: its derivative is 0 at every example. The n-th rectifier of one example's
    graph is that of every other's, as the graphs are built alike; where they are not, None is returned too.
    """
    alive: list[bool] = []
    for x in inputs[:SAMPLE]:
        outputs = [y for y in flatten(model(x)) if isinstance(y, Value)]
        units = [node.data > 0 for node in topological_sort(*outputs) if node.op is activations.relu]
        if not units or len(units) != len(alive or units):
            return None
        alive = [a or b for a, b in zip(alive or units, units)]
    return alive.count(False) / len(alive) if alive else None


def origin_of_nan(risk: Risk, examples: Examples) -> str:
    """Return which of the examples, and which op on which line, first gives nan or inf, in words."""
    for position, i in enumerate(examples.indices):
        try:
            with detect_anomaly():
                risk.backward(examples.chosen([position]))
        except AnomalyError as anomaly:  # noqa: PERF203  looked for once, when training has failed
            return f"at example {i}, {anomaly}"
    return "though each example alone has a finite loss and gradient; they overflow together"

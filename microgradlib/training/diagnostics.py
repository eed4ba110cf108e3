"""Diagnostics of training besides the loss: gradient norms by layer, dead rectifiers, the origin of a nan."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from microgradlib._support.pytree import flatten
from microgradlib.core.graph import topological_sort
from microgradlib.core.modes import detect_anomaly
from microgradlib.core.node import Node
from microgradlib.core.value import Value
from microgradlib.errors import AnomalyError
from microgradlib.ops import activations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.training.examples import Examples
    from microgradlib.training.risk import Risk

__all__ = ["dead_relus", "gradient_norms", "origin_of_nan", "relus_of"]

SAMPLE_SIZE = 64
"""The number of examples that `dead_relus` evaluates."""


def gradient_norms(layers: dict[str, list[Value]]) -> dict[str, float]:
    """Return ‖∂R/∂(parameters)‖, the Euclidean norm, for each layer.

    >>> w, b = Value(0.0), Value(0.0)
    >>> w.grad, b.grad = 3.0, 4.0
    >>> gradient_norms({"neuron": [w, b]})
    {'neuron': 5.0}
    """
    return {name: math.hypot(*[p.grad for p in parameters]) for name, parameters in layers.items()}


def dead_relus(model: Any, inputs: Sequence[Any]) -> float | None:
    """Return the fraction, 0 to 1, of the rectifiers that are 0 at all of the first 64 inputs; None without any.

    A dead rectifier no longer learns: its derivative is 0 at every example. Rectifiers of different examples are
    matched by their order in the graphs; if the graphs differ in the number of rectifiers, None is returned too.
    """
    active: list[bool] = []
    for x in inputs[:SAMPLE_SIZE]:
        units = [node.data > 0 for node in relus_of(model(x))]
        if not units or len(units) != len(active or units):
            return None
        active = [a or b for a, b in zip(active or units, units)]
    return active.count(False) / len(active) if active else None


def relus_of(output: Any) -> list[Any]:
    """Return the rectifiers in the graph of an output, numbers or nodes nested in lists."""
    outputs = [y for y in flatten(output) if isinstance(y, Node)]
    return [node for node in topological_sort(*outputs) if node.op is activations.relu]


def origin_of_nan(risk: Risk, examples: Examples) -> str:
    """Return, as text, the first example that gives nan or inf, with the op and its source line."""
    for position, i in enumerate(examples.indices):
        try:
            with detect_anomaly():
                risk.backward(examples.subset([position]))
        except AnomalyError as anomaly:  # noqa: PERF203  runs once, after training has failed
            return f"at example {i}, {anomaly}"
    return "each example alone has a finite loss and gradient, but their sum overflows"

"""A training step: forward, backward, update, and the loss with the new parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from microgradlib.core.autodiff import evaluate, grad_table
from microgradlib.core.modes import no_grad
from microgradlib.core.value import Value
from microgradlib.errors import MissingRuleError
from microgradlib.viz.stepper.frames import new_parameters
from microgradlib.viz.stepper.tape import encode, step_inputs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from microgradlib.viz.stepper.contracted import StepGraph

__all__ = ["build_loss", "training_numbers"]

_BELOW = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def build_loss(model: Callable[[Any], Any], loss: Callable[[Any, Any], Any], x: Any, y: Any) -> Value:
    """Return loss(model(x), y) as a graph, with the inputs x as leaves named x₀, x₁, …; a single one is x.

    Raises:
        TypeError: the loss is not a Value.

    """
    result = loss(model(_as_inputs(x)), y)
    if not isinstance(result, Value):
        message = f"loss(model(x), y) must be a Value, got {result!r}; does the model have parameters?"
        raise TypeError(message)
    return result


def _as_inputs(x: Any) -> Any:
    if not hasattr(x, "__len__"):
        return x if isinstance(x, Value) else Value(x, label="x")
    elements = [_as_inputs(element) if hasattr(element, "__len__") else element for element in x]
    return [
        Value(element, label=f"x{str(i).translate(_BELOW)}") if _is_number(element) else element
        for i, element in enumerate(elements)
    ]


def _is_number(element: Any) -> bool:
    return not isinstance(element, (Value, list))


def training_numbers(graph: StepGraph, live: Sequence[Any], rate: float, seed: float = 1.0) -> dict[str, Any]:
    """Return the numbers of one step of gradient descent, w ← w − η · ∂L/∂w: new parameters, and the loss with them.

    Parameters are named by their places in `graph`. The loss after it is None if a node was made by hand.
    """
    gradients = grad_table(live[-1], seed)
    parameters = [i for i in step_inputs(graph) if graph.snapshot_node(i).kind == "parameter"]
    values = {i: live[graph.nodes[i].of].data for i in parameters}
    by_place = [gradients[live[node.of]] for node in graph.nodes]
    new = new_parameters(values, by_place, rate)
    try:
        with no_grad():
            after = float(evaluate(live[-1], {live[graph.nodes[i].of]: number for i, number in new.items()}))
    except MissingRuleError:
        after = None
    return {
        "rate": rate,
        "parameters": parameters,
        "new": {str(i): encode(number) for i, number in new.items()},
        "before": encode(live[-1].data),
        "after": encode(after),
    }

"""A training step: forward, backward, update, and the loss with the new parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from microgradlib._support.pytree import is_ndarray
from microgradlib._support.shown import shown
from microgradlib.core.autodiff import evaluate, grad_table
from microgradlib.core.modes import no_grad
from microgradlib.core.value import Value
from microgradlib.errors import MissingRuleError
from microgradlib.viz.stepper.tapes.encoding import encode
from microgradlib.viz.stepper.tapes.frames import new_parameters
from microgradlib.viz.stepper.tapes.level import step_inputs
from microgradlib.viz.stepper.tapes.names import below

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from microgradlib.viz.stepper.tapes.contracted import StepGraph

__all__ = ["build_loss", "training_numbers"]


def build_loss(model: Callable[[Any], Any], loss: Callable[[Any, Any], Any], x: Any, y: Any) -> Value:
    """Return loss(model(x), y) as a graph.

    The floats in x become leaves named x₀, x₁, …, a single one x; whole numbers, which may be indices, stay as they
    are.

    Raises:
        TypeError: the loss is not a Value.

    """
    result = loss(model(_as_inputs(x)), y)
    if not isinstance(result, Value):
        message = f"loss(model(x), y) must be a Value, got {shown(result)}; does the model have parameters?"
        raise TypeError(message)
    return result


def _as_inputs(x: Any, *indices: int) -> Any:
    if isinstance(x, float):
        return Value(x, label=f"x{below(*map(str, indices))}")
    if is_ndarray(x):
        x = x.tolist()
    if isinstance(x, (list, tuple)):
        return [_as_inputs(element, *indices, i) for i, element in enumerate(x)]
    return x


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

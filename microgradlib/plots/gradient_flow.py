"""plot_gradient_flow: how large gradients are from layer to layer, or from time step to time step."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from microgradlib._support.pytree import flatten
from microgradlib._support.shown import shown
from microgradlib.core.scopes import last_call
from microgradlib.core.value import Value
from microgradlib.nn import Module
from microgradlib.nn.by_layer import parameters_by_layer
from microgradlib.ops import ZERO
from microgradlib.plots.axes import axes_of, caption_text, closing_on_error, label_plainly
from microgradlib.viz.captions import Language, captions
from microgradlib.viz.snapshots.capture import capture

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["plot_gradient_flow"]

LONGEST_LAYER: Final = 24
"""Longer names of layers are shortened."""
MOST_NOTED: Final = 3
"""Of more layers in the title, the rest are counted."""


@closing_on_error
def plot_gradient_flow(model: Module | Sequence[Any], *, lang: Language = "en", ax: Any = None) -> Any:
    """Plot the size of gradients by layer or by time step, on a logarithmic axis, and return the Axes.

    For a Module, after a backward pass: for each layer the root mean square of ∂L/∂w over its parameters, and of δ,
    the gradients of what the layer returned in its last call, while that graph is alive. For a list, such as the
    hidden states of a recurrent network (or all that it returned), one entry for each time step, each a Value or a list
    of them: the root mean square and the largest of |∂L/∂h| at each step. Gradients that shrink by a factor from step
    to step are a falling straight line. A layer whose gradients are all 0 has no point; layers that no gradient has
    reached are named in the title. Captions are in English or, with lang="zh", Chinese. (*Deep Learning*, 8.2.5, 10.7.)

    Raises:
        MissingExtraError: matplotlib is not installed.
        TypeError: neither a Module nor a list of Values.
        ValueError: there has been no backward pass, or an unknown language.

    >>> from microgradlib import tanh
    >>> states = [Value(0.5)]
    >>> for _ in range(5):
    ...     states.append(tanh(0.5 * states[-1]))
    >>> states[-1].backward()
    >>> plot_gradient_flow(states).get_xlabel()
    'time step'
    """
    say = captions(lang)
    if isinstance(model, Module):
        names, curves = _by_layer(model)
    else:
        names, curves = _by_step(model)
    names = [caption_text(name, LONGEST_LAYER) for name in names]
    sizes = {label: [_size(values, label) for values in groups] for label, groups in curves.items()}
    if all(math.isnan(size) for numbers in sizes.values() for size in numbers):
        raise ValueError("no gradient has reached anything here: call loss.backward() first, then plot")
    axes = axes_of(ax, "plot_gradient_flow")
    positions = list(range(len(names)))
    for (label, numbers), marker, line in zip(sizes.items(), "os^", ("-", "--", ":"), strict=False):
        shown = [size if size > 0 else math.nan for size in numbers]
        axes.plot(positions, shown, marker=marker, linestyle=line, label=say(label))
    axes.set_yscale("log")
    label_plainly(axes.yaxis)
    unreached = [name for i, name in enumerate(names) if all(math.isnan(numbers[i]) for numbers in sizes.values())]
    zero = [name for i, name in enumerate(names) if all(numbers[i] == 0 for numbers in sizes.values())]
    notes = [say("not reached: {names}", names=_listed(unreached))] if unreached else []
    notes += [say("all 0: {names}", names=_listed(zero))] if zero else []
    axes.set_ylabel(say("gradient, root mean square"))
    axes.set_title("; ".join(notes), wrap=True)
    if isinstance(model, Module):
        turned = {"rotation": 30, "rotation_mode": "anchor", "ha": "right"} if max(map(len, names)) > 8 else {}
        axes.set_xticks(positions, names, **turned)
        axes.set_xlabel(say("layer"))
    else:
        axes.set_xlabel(say("time step"))
    axes.legend(fontsize="small")
    return axes


def _listed(names: list[str]) -> str:
    """Return the names; of many, the first and how many they are."""
    return ", ".join(names) if len(names) <= MOST_NOTED else f"{', '.join(names[:MOST_NOTED])}, … ({len(names)})"


def _by_layer(model: Module) -> tuple[list[str], dict[str, list[list[Value]]]]:
    layers = parameters_by_layer(model)
    outputs = _outputs_by_layer(model)
    curves = {"parameters, ∂L/∂w": list(layers.values())}
    if outputs:
        curves["outputs, δ"] = [outputs.get(name, []) for name in layers]
    return list(layers), curves


def _outputs_by_layer(model: Module) -> dict[str, list[Value]]:
    """Return by the paths of modules the nodes that they returned in the model's last call, if its graph is alive."""
    call = last_call(model)
    if call is None:
        return {}
    results = [node for reference in call.outputs if (node := reference()) is not None]
    described, nodes = capture(*results, model=model)
    leaving: dict[str, dict[int, None]] = {}
    readers: dict[int, list[Any]] = {index: [None] for index in described.outputs}
    for node in described.nodes:
        for parent in node.parents:
            readers.setdefault(parent, []).append(node)
    for node in described.nodes:
        for scope in node.scopes:
            leaves = any(reader is None or scope not in reader.scopes for reader in readers.get(node.index, ()))
            if scope.path and node.parents and leaves:
                leaving.setdefault(scope.path, {})[node.index] = None
    return {path: [nodes[index] for index in indices] for path, indices in leaving.items()}


def _by_step(steps: Any) -> tuple[list[str], dict[str, list[list[Value]]]]:
    if isinstance(steps, tuple) and len(steps) == 2 and isinstance(steps[0], list) and _are_lists(steps[0]):
        steps = steps[0]  # what RNN, LSTM and GRU return: the list of their states, and the last state
    groups = [flatten([step]) for step in steps] if isinstance(steps, (list, tuple)) else []
    if not groups or not all(isinstance(value, Value) for group in groups for value in group):
        message = f"plot_gradient_flow takes a Module, or a list with the Values of each time step, got {shown(steps)}"
        raise TypeError(message)
    several = any(len(group) > 1 for group in groups)
    return [str(i) for i in range(len(groups))], {"∂L/∂h": groups, **({"largest": groups} if several else {})}


def _are_lists(steps: list[Any]) -> bool:
    return bool(steps) and all(isinstance(step, list) for step in steps)


def _size(values: list[Value], label: str) -> float:
    """Return the root mean square of the gradients, or the largest of them; nan if none has been reached."""
    gradients = [abs(value.grad) for value in values if value.grad is not ZERO]
    if not gradients:
        return math.nan
    if label == "largest":
        return max(gradients)
    return math.hypot(*gradients) / math.sqrt(len(values))

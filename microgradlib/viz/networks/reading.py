"""Read a model as a network picture: its layers as columns, with the numbers that passes have left."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from microgradlib import nn
from microgradlib._support.printable import one_line
from microgradlib._support.shown import shown
from microgradlib.core.graph import descendants, topological_sort
from microgradlib.core.nested import nodes_in
from microgradlib.core.node import Node
from microgradlib.core.scopes import last_call
from microgradlib.nn.activation import activation_name
from microgradlib.nn.sequences import is_sequence, nested_lists
from microgradlib.viz.networks.layers import Layer, WeightedSum, layers_of
from microgradlib.viz.networks.network import Column, ColumnKind, FeatureMap, Grid, Network, Unit
from microgradlib.viz.networks.values import (
    Passes,
    grids,
    image_read,
    map_values,
    shape_after,
    square_input,
    unit_values,
)
from microgradlib.viz.numbers import counted
from microgradlib.viz.snapshots.bindings import Bindings
from microgradlib.viz.snapshots.capture import capture
from microgradlib.viz.snapshots.frames import users_frame, users_variables

if TYPE_CHECKING:
    from types import FrameType

MANY: int = 16
"""More inputs than these, if they are a square number, are drawn as an image."""

_NO_VALUES = "no forward pass is known: call the model and keep its output, or pass inputs=[…] or outputs=loss"
_OTHERS = "these outputs do not depend on the model's weights"
_STALE = "values and δ are those from before the last change of the parameters"


def network(model: Any, *, inputs: Any = None, outputs: Any = None, frame: FrameType | None = None) -> Network | None:
    """Return the network picture of a model as plain data, or None for a model of which there is none.

    There is one for `Neuron`, `Layer`, `MLP`, a `Sequential` of layers, convolutions and pools, an `RNNCell` (one
    step), and modules of your own of such layers or of weights `w` and biases `b`. The values are those of one forward
    pass: of `inputs`, if given; else that of the graph of `outputs`; else the model's last call, if its outputs still
    exist, or what variables of the frame hold of its results. After `backward()`, δ is the gradient of a net input.

    Args:
        model: a module.
        inputs: what to call the model with.
        outputs: Values computed from the model's outputs, such as the loss.
        frame: the frame whose variables give names to inputs.

    Raises:
        TypeError: there are no Values in `outputs`.
        ValueError: both inputs and outputs are given; and what the model raises for these inputs.

    >>> model = nn.MLP([2, 3, 1], activation="tanh", rng=0)
    >>> network(model, inputs=[0.5, -1.0]).summary
    'Network picture of MLP: 2 inputs, then 3 tanh (layers.0), then 1 linear (layers.1). 13 parameters.'
    """
    if inputs is not None and outputs is not None:
        raise ValueError("give inputs=… for a new forward pass, or outputs=… for the graph of one, not both")
    layers = layers_of(model)
    if layers is None:
        return None
    ends = nodes_in([model(inputs) if inputs is not None else outputs])
    if outputs is not None and not ends:
        message = f"outputs are Values computed by the model, as in draw(model, outputs=loss), got {shown(outputs)}"
        raise TypeError(message)
    if inputs is None and outputs is None:
        ends = _last_outputs(model, layers, frame)
    passes = Passes(capture(*ends, model=model, frame=frame)) if ends else None
    if passes and type(model).__call__ not in {nn.MLP.__call__, nn.Sequential.__call__} and not passes.in_a_row(layers):
        return None
    columns = (
        _maps_first(layers, passes, inputs) if layers[0].kernels or layers[0].pool else _units(layers, passes, inputs)
    )
    notes = [_NO_VALUES] if passes is None else _notes(passes, model, is_new=inputs is not None)
    return Network(one_line(type(model).__name__), columns, len(model.parameters()), ". ".join(notes))


def _notes(passes: Passes, model: Any, *, is_new: bool) -> list[str]:
    parameters = model.parameters()
    if parameters and not any(parameter in passes.index for parameter in parameters):
        return ["no graph of this pass was recorded (no_grad)" if is_new else _OTHERS]
    several = [f"of {passes.uses:,} uses of the same weights, the last one is shown"] if passes.uses > 1 else []
    return several + [_STALE] * passes.is_stale


def _last_outputs(model: Any, layers: list[Layer], frame: FrameType | None) -> list[Node]:
    """Return the living outputs of the model's last call; else what the user's variables hold of its results."""
    for module in (model, layers[-1].module):
        call = last_call(module)
        living = [node for node in (output() for output in call.outputs) if node is not None] if call else []
        if living:
            return living
    variables = users_variables(frame or users_frame())
    bound = list(dict.fromkeys([node for seen in variables for node in Bindings(seen).nodes]))
    if not any(node.parents for node in bound):
        return []
    reached = descendants(topological_sort(*bound), model.parameters())
    return [node for node in bound if node in reached and node.parents]


def _units(layers: list[Layer], passes: Passes | None, given: Any) -> tuple[Column, ...]:
    first = _input_units(layers[0], passes, given)
    image = len(first) > MANY and math.isqrt(len(first)) ** 2 == len(first)
    side = f", {math.isqrt(len(first))} × {math.isqrt(len(first))}" if image else ""
    recurrent = isinstance(layers[0].module, nn.Gate)
    caption = f"{layers[0].module.nin} x, {layers[0].module.nhidden} s" if recurrent else f"{len(first):,}{side}"
    columns = [Column("x and the state before" if recurrent else "inputs", caption, "input", first, image=image)]
    for k, layer in enumerate(layers):
        columns += _layer_columns(layer, passes, "output" if k == len(layers) - 1 else "hidden")
    return tuple(columns)


def _input_units(layer: Layer, passes: Passes | None, given: Any) -> tuple[Unit, ...]:
    found = passes.net_input(layer.units[0]) if passes else None
    count = len(layer.units[0].weights)
    nin = layer.module.nin if isinstance(layer.module, nn.Gate) else count
    names = [f"x.{i}" if i < nin else f"s.{i - nin}" for i in range(count)]
    if not found or len(found[1]) != count:
        numbers = nested_lists(given) if is_sequence(given) and len(given) == count else [None] * count
        return tuple([Unit(name, None if x is None else float(x)) for name, x in zip(names, numbers)])
    return tuple([Unit(node.name or name, node.data) for node, name in zip(found[1], names)])


def _layer_columns(layer: Layer, passes: Passes | None, kind: ColumnKind) -> list[Column]:
    nodes = [passes.net_input(unit) if passes else None for unit in layer.units]
    z = [found[0].data if found else None for found in nodes]
    deltas = [found[0].grad if found else None for found in nodes]
    caption = f"{layer.outputs:,} {_what(layer)}".strip()
    if layer.pieces > 1:
        best = [_largest(z[i : i + layer.pieces]) for i in range(0, len(z), layer.pieces)]
        pieces = [_unit(unit, value, delta) for unit, value, delta in zip(layer.units, z, deltas)]
        reads = [tuple(range(i, i + layer.pieces)) for i in range(0, len(z), layer.pieces)]
        maxima = [Unit(value=value, reads=read) for value, read in zip(best, reads)]
        linear = Column(layer.title, f"{len(pieces):,} linear pieces", "hidden", tuple(pieces))
        return [linear, Column("", caption, kind, tuple(maxima))]
    values = unit_values(layer, z, passes) if passes else [None] * layer.outputs
    if layer.after:
        last = passes.outputs_of(layer.after[-1], layer.outputs) if passes else None
        values = [node.data for node in last] if last else [None] * layer.outputs
    units = [_unit(unit, value, delta) for unit, value, delta in zip(layer.units, values, deltas)]
    return [Column(layer.title, caption, kind, tuple(units))]


def _unit(unit: WeightedSum, value: float | None, delta: float | None) -> Unit:
    bias = None if unit.bias is None else unit.bias.data
    return Unit("", value, delta, bias, tuple([w.data for w in unit.weights]))


def _largest(numbers: list[float | None]) -> float | None:
    known = [x for x in numbers if x is not None]
    return max(known) if len(known) == len(numbers) else None


def _what(layer: Layer) -> str:
    names = [activation_name(part) if not isinstance(part, nn.Module) else repr(part) for part in layer.after]
    after = ": the state after" if isinstance(layer.module, nn.Gate) else ""
    return ", ".join(name for name in [layer.what, *names] if name) + after


def _maps_first(layers: list[Layer], passes: Passes | None, given: Any) -> tuple[Column, ...]:
    """Return the columns of a model that begins with convolutions or pools."""
    channels = len(layers[0].kernels[0]) if layers[0].kernels else None
    image = _image(given)
    shape = (len(image[0]), len(image[0][0])) if image else square_input(layers, passes) if passes else None
    if not image and passes and shape:
        image = image_read(layers[0], shape, passes)
    maps = [FeatureMap(grid) for grid in image] if image else [FeatureMap() for _ in range(channels or 1)]
    size = f", {shape[0]} × {shape[1]}" if shape else ""
    columns = [Column("image", counted(len(maps), "channel") + size, "input", maps=tuple(maps))]
    count = len(maps)
    for k, layer in enumerate(layers):
        kind: ColumnKind = "output" if k == len(layers) - 1 else "hidden"
        if not (layer.kernels or layer.pool):
            columns += _layer_columns(layer, passes, kind)
            continue
        shape = shape_after(layer.module, shape) if shape else None
        count = len(layer.kernels) or count
        values = map_values(layer, count, shape, passes) if passes else None
        size = f", {shape[0]} × {shape[1]}" if shape else ""
        caption = f"{counted(count, 'map')}{size}, {_what(layer)}"
        columns.append(Column(layer.title, caption, kind, maps=_maps(layer, count, values)))
    return tuple(columns)


def _maps(layer: Layer, count: int, values: list[Grid] | None) -> tuple[FeatureMap, ...]:
    kernels: list[tuple[Grid, ...]] = [
        tuple([tuple([tuple([w.data for w in row]) for row in kernel]) for kernel in of_map])
        for of_map in layer.kernels
    ]
    biases = [b.data for b in layer.biases] if layer.biases else [None] * count
    return tuple(
        [
            FeatureMap(values[k] if values else None, kernels[k] if kernels else (), biases[k] if kernels else None)
            for k in range(count)
        ]
    )


def _image(given: Any) -> list[Grid] | None:
    """Return an image [channel][row][column], or a signal as images of one row, as grids of numbers."""
    nested = nested_lists(given) if given is not None else None
    if not isinstance(nested, list) or not nested or not isinstance(nested[0], list):
        return None
    planes = nested if isinstance(nested[0][0], list) else [[channel] for channel in nested]
    rows, columns = len(planes[0]), len(planes[0][0])
    numbers = [float(x) for plane in planes for row in plane for x in row]
    return grids(numbers, len(planes), rows, columns)

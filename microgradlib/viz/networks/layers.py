"""The layers of a model in the order in which they are applied, as its class or its attributes tell."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from microgradlib import nn
from microgradlib.core.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_PASSING = (nn.Softmax, nn.LogSoftmax, nn.PReLU, nn.Dropout, nn.LayerNorm, nn.RMSNorm)
"""Modules with one output for each input: they are named in the caption of the layer before them."""
_POOLS = (nn.MaxPool1d, nn.MaxPool2d, nn.AvgPool1d, nn.AvgPool2d)


class WeightedSum(NamedTuple):
    """The net input of a unit: its weights, one for each input, and its bias or None."""

    weights: list[Value]
    bias: Value | None


@dataclass
class Layer:
    """One layer of the picture.

    Args:
        title: its path in the model.
        module: what computes it.
        what: how its units are computed, such as `tanh`.
        units: those that read every unit of the layer before with weights of their own.
        pieces: if more than 1, each output is the largest of so many of the units.
        kernels: of a convolution, `kernels[out][in]` as rows of Values, with `biases[out]`.
        pool: whether it pools feature maps.
        after: modules and functions applied to each of its outputs afterwards.

    """

    title: str
    module: Any
    what: str = ""
    units: list[WeightedSum] = field(default_factory=list)
    pieces: int = 1
    kernels: list[list[list[list[Value]]]] = field(default_factory=list)
    biases: list[Value] | None = None
    pool: bool = False
    after: list[Any] = field(default_factory=list)

    @property
    def outputs(self) -> int:
        """How many units the next layer reads, if this one has units."""
        return len(self.units) // self.pieces


def layers_of(model: Any) -> list[Layer] | None:
    """Return the layers of a model, or None if its class and attributes do not tell them.

    A model of a class of your own is read as the layers among its attributes, those in lists included, in the order of
    assignment, if each takes as many inputs as the one before has outputs and there are no other parameters.

    >>> from microgradlib.nn import MLP
    >>> [(layer.title, len(layer.units), layer.what) for layer in layers_of(MLP([2, 3, 1], activation="tanh"))]
    [('layers.0', 3, 'tanh'), ('layers.1', 1, 'linear')]
    """
    found: list[Layer] = []
    if not all(_add(found, path, module) for path, module in _parts(model, "", set())):
        return None
    return found if found and _fits(found) and _complete(model, found) else None


def _parts(model: Any, path: str, around: set[int]) -> Iterator[tuple[str, Any]]:
    """Yield the modules and functions that are applied one after another, each with its path.

    `around` holds the ids of the modules that this one is in; a module that contains itself is yielded whole.
    """
    prefix = f"{path}." if path else ""
    cell = getattr(model, "cell", None) if isinstance(model, (nn.RNN, nn.Unfolded)) else None
    if isinstance(cell, nn.RNNCell):
        yield f"{prefix}cell", cell
        return
    is_whole = not isinstance(model, nn.Module) or isinstance(model, _PASSING) or id(model) in around
    inner = [] if is_whole or _own_layer(model, path) or not _is_a_chain(model) else list(_attributes(model))
    if not inner:
        yield path, model
    for name, part in inner:
        yield from _parts(part, prefix + name, around | {id(model)})


def _is_a_chain(model: Any) -> bool:
    """Return whether a module applies the modules in it one after another: not, if it is of another of our classes."""
    ours = [kind for kind in type(model).__mro__ if kind.__module__.startswith("microgradlib.nn")]
    return all(kind in {nn.MLP, nn.Sequential, nn.Module} for kind in ours)


def _attributes(model: Any) -> Iterator[tuple[str, Any]]:
    """Yield the modules among a module's attributes, and those in its lists; of a Sequential its functions too."""
    for name, value in vars(model).items():
        if isinstance(value, nn.Module):
            yield name, value
        elif isinstance(value, (list, tuple)) and any(isinstance(part, nn.Module) for part in value):
            yield from ((f"{name}.{k}", part) for k, part in enumerate(value))


def _add(found: list[Layer], path: str, module: Any) -> bool:
    """Add a part to the layers; return whether it is of a known kind, and its place is one where it can stand."""
    if isinstance(module, nn.Flatten):
        return bool(found)
    if isinstance(module, _PASSING) or not isinstance(module, nn.Module):
        if not found or not callable(module):
            return False
        found[-1].after.append(module)
        return True
    layer = _own_layer(module, path)
    if layer is not None:
        found.append(layer)
    return layer is not None


def _own_layer(module: Any, path: str) -> Layer | None:
    """Return a module as one layer, or None if it is none by itself."""
    name = type(module).__name__.lower()
    if isinstance(module, nn.GaussianOutput):
        units = [*_units(module.mean), *_units(module.precision)]
        return Layer(path or name, module, "means and precisions", units)
    if isinstance(module, nn.Maxout):
        pieces = [_units(layer) for layer in module.pieces]
        units = [unit for of_one in zip(*pieces) for unit in of_one]
        return Layer(path or name, module, f"max of {len(pieces)}", units, pieces=len(pieces))
    if isinstance(module, nn.RBF):
        return Layer(path or name, module, "radial", [WeightedSum(row, None) for row in module.w])
    if isinstance(module, (nn.Conv1d, nn.Conv2d)):
        kernels: Any = module.w if isinstance(module, nn.Conv2d) else [[[k] for k in kernel] for kernel in module.w]
        return Layer(path or name, module, _words(module.summary_shape), kernels=kernels, biases=module.b)
    if isinstance(module, _POOLS):
        kind = "max" if isinstance(module, (nn.MaxPool1d, nn.MaxPool2d)) else "mean"
        return Layer(path or name, module, f"{kind} over {module.summary_shape}", pool=True)
    units = _units(module) or _hand_written(module)
    return Layer(path or name, module, _activation(module), units) if units else None


def _units(module: Any) -> list[WeightedSum]:
    units = module.scope_units() if isinstance(module, nn.Module) else []
    return [WeightedSum(unit.weights, unit.bias) for unit in units]


def _words(summary_shape: str) -> str:
    """Return the settings of a convolution: `1 → 4, 3×3 relu` without its channels."""
    return summary_shape.split(", ", 1)[-1]


def _activation(module: Any) -> str:
    shape = getattr(module, "summary_shape", "")
    return str(shape).rpartition("→")[2].strip().partition(" ")[2]


def _hand_written(module: Any) -> list[WeightedSum]:
    """Return the units of a module of one's own: with weights `w` and perhaps biases `b`, or a list of such neurons."""
    if not isinstance(module, nn.Module) or not _is_a_chain(module):
        return []
    inner = list(_attributes(module))
    if not inner:
        return _weighted_sums(module)
    of_each = [_weighted_sums(part) if not list(_attributes(part)) else [] for _, part in inner]
    in_parallel = all(len(units) == 1 for units in of_each) and _is_one_layer(inner[0][0], of_each)
    return [units[0] for units in of_each] if in_parallel else []


def _weighted_sums(module: Any) -> list[WeightedSum]:
    """Return the rows of a module's weights with their biases, if it has no other parameters."""
    held = {name: value for name, value in vars(module).items() if _is_values(value)}
    names = [name for name in ("w", "weights", "weight", "W") if name in held]
    biases = [name for name in ("b", "bias", "biases") if name in held]
    if not _is_a_chain(module) or len(names) != 1 or len(biases) > 1 or len(held) != len(names) + len(biases):
        return []
    weights, b = held[names[0]], held[biases[0]] if biases else None
    if isinstance(weights, Value):
        return []
    rows = weights if isinstance(weights[0], (list, tuple)) else [weights]
    offsets = b if isinstance(b, (list, tuple)) else [b] * len(rows) if len(rows) == 1 or b is None else None
    if offsets is None or len(offsets) != len(rows) or len({len(row) for row in rows}) != 1:
        return []
    return [WeightedSum(list(row), offset) for row, offset in zip(rows, offsets)]


def _is_one_layer(path: str, units: list[list[WeightedSum]]) -> bool:
    """Return whether neurons in a list read the same inputs, rather than each the one before it."""
    counts = {len(of_one[0].weights) for of_one in units}
    return len(counts) == 1 and (path.partition(".")[0] in {"neurons", "units"} or (len(units) > 1 and counts != {1}))


def _is_values(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return bool(value) and (
            all(isinstance(x, Value) for x in value)
            or all(isinstance(x, (list, tuple)) and x and all(isinstance(y, Value) for y in x) for x in value)
        )
    return isinstance(value, Value)


def _fits(layers: Iterable[Layer]) -> bool:
    """Return whether each layer takes as many inputs as the one before it has outputs, as far as that is known."""
    before: Layer | None = None
    for layer in layers:
        if layer.kernels or layer.pool:
            if before is not None and before.units:
                return False
            if before is not None and before.kernels and layer.kernels and len(layer.kernels[0]) != len(before.kernels):
                return False
        elif before is not None and before.units and len(layer.units[0].weights) != before.outputs:
            return False
        before = layer
    return True


def _complete(model: Any, layers: Iterable[Layer]) -> bool:
    """Return whether the layers, and what is applied after them, hold every parameter of the model."""
    if type(model) is nn.MLP:
        return True  # what it holds is known, and there may be very many
    held: set[Value] = set()
    for layer in layers:
        for module in [layer.module, *layer.after]:
            held.update(module.parameters() if isinstance(module, nn.Module) else ())
    return not isinstance(model, nn.Module) or held.issuperset(model.parameters())

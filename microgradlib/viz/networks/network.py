"""The network picture of a model as plain data: columns of units or feature maps, and the weights into them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from microgradlib.viz.numbers import counted, number

ColumnKind = Literal["input", "hidden", "output"]

Grid = tuple[tuple[float | None, ...], ...]
"""Rows of numbers."""


@dataclass(frozen=True)
class Unit:
    """One unit: a circle.

    Args:
        name: that of an input, such as `x.0`; may be empty.
        value: its output in the forward pass shown; None if there is none.
        delta: δ, the gradient of its net input; None if no gradient has reached it.
        bias: None for a unit without one.
        weights: one for each unit of the column before; empty for inputs, and for units that only select.
        reads: the units of the column before that it reads without weights, as the maximum of some pieces does.

    """

    name: str = ""
    value: float | None = None
    delta: float | None = None
    bias: float | None = None
    weights: tuple[float, ...] = ()
    reads: tuple[int, ...] = ()


@dataclass(frozen=True)
class FeatureMap:
    """One map of a convolution or a pool, or one channel of an image: its numbers, kernels and bias.

    `values` is None if no forward pass is known. There is one kernel for each map of the column before; pools and
    images have none.
    """

    values: Grid | None = None
    kernels: tuple[Grid, ...] = ()
    bias: float | None = None


@dataclass(frozen=True)
class Column:
    """The units of one layer, or its feature maps, under a title.

    Args:
        title: such as `layers.0`.
        caption: what it is, such as `3 tanh`.
        kind: "input" for the first column, "output" for the last.
        units: empty if there are maps.
        maps: empty if there are units.
        image: whether the units are the pixels of a square image, drawn as such.

    """

    title: str
    caption: str = ""
    kind: ColumnKind = "hidden"
    units: tuple[Unit, ...] = ()
    maps: tuple[FeatureMap, ...] = ()
    image: bool = False

    @property
    def size(self) -> int:
        """How many units or maps it has."""
        return len(self.units) or len(self.maps)


@dataclass(frozen=True)
class Network:
    """A model as columns from left to right, and a note, such as that the values are older than the weights.

    >>> inputs = Column("inputs", "1", "input", (Unit("x", 0.5),))
    >>> neuron = Column("neuron", "1 tanh", "output", (Unit(value=0.76, bias=0.5, weights=(1.0,)),))
    >>> Network("Neuron", (inputs, neuron), parameters=2).summary
    'Network picture of Neuron: 1 input, then 1 tanh (neuron). 2 parameters.'
    """

    name: str
    columns: tuple[Column, ...]
    parameters: int
    note: str = ""

    @property
    def summary(self) -> str:
        """One or two sentences for screen readers."""
        first, *others = self.columns
        layers = "".join(f", then {column.caption}" + f" ({column.title})" * bool(column.title) for column in others)
        note = f" {self.note}." if self.note else ""
        return (
            f"Network picture of {self.name}: {_inputs(first)}{layers}. {counted(self.parameters, 'parameter')}.{note}"
        )

    @property
    def text(self) -> str:
        """The network in words, one line for each unit or map, for terminals; long layers are cut.

        >>> column = Column("neuron", "1 tanh", "output", (Unit(value=0.5, delta=-0.25, bias=1.0, weights=(2.0,)),))
        >>> print(Network("Neuron", (Column("inputs", "1", "input", (Unit("x"),)), column), 2).text)
        <Network picture of Neuron: 2 parameters>
        inputs  1
          x
        neuron  1 tanh
          0  value 0.5  δ −0.25  b 1  w 2
        """
        lines = [f"<Network picture of {self.name}: {counted(self.parameters, 'parameter')}>"]
        for column in self.columns:
            lines.append(f"{column.title}  {column.caption}".strip())
            lines += [_unit_text(k, unit) for k, unit in enumerate(column.units[:_LINES])]
            lines += [_map_text(k, found) for k, found in enumerate(column.maps[:_LINES])]
            if column.size > _LINES:
                lines.append(f"  … {column.size - _LINES:,} more")
        return "\n".join([*lines, self.note] if self.note else lines)


_LINES = 12
"""Of so many units of a layer there is a line in the text, and so many weights in a line."""


def _inputs(column: Column) -> str:
    if column.maps:
        return f"an image of {counted(len(column.maps), 'channel')}"
    return counted(column.size, "input")


def _unit_text(k: int, unit: Unit) -> str:
    words = [unit.name or str(k)]
    words += [f"value {number(unit.value)}"] if unit.value is not None else []
    words += [f"δ {number(unit.delta)}"] if unit.delta is not None else []
    words += [f"b {number(unit.bias)}"] if unit.bias is not None else []
    if unit.weights:
        more = ", …" if len(unit.weights) > _LINES else ""
        words.append("w " + ", ".join(number(w, 3) for w in unit.weights[:_LINES]) + more)
    return "  " + "  ".join(words)


def _map_text(k: int, found: FeatureMap) -> str:
    size = f"{len(found.values)} × {len(found.values[0])}" if found.values else "size not known"
    kernels = f"  {counted(len(found.kernels), 'kernel')}" if found.kernels else ""
    bias = f"  b {number(found.bias)}" if found.bias is not None else ""
    return f"  {k}  {size}{kernels}{bias}"

"""What the columns of a network picture share: a column's marks around its middle, and weights as grids of squares."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from microgradlib.viz.numbers import number

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from microgradlib.viz.networks.marks import Mark
    from microgradlib.viz.networks.network import Column, Grid, Unit

LONGEST_ROW: Final = 64
"""A longer row of weights is shown by so many squares, each for the largest of some neighbours."""
LARGEST_SIDE: Final = 14
"""The same for the side of an image."""


@dataclass
class Body:
    """A column's marks, its left side at x = 0 and its middle at y = 0.

    Args:
        marks: what is drawn.
        width: in pixels.
        height: above and below the middle together.
        circles: the middle and radius of each unit's circle, if it has circles.
        arrow: whether one thick line leads to it, not a line for each weight.
        uses: the kinds of marks that the legend explains.

    """

    marks: list[Mark] = field(default_factory=list)
    width: float = 0.0
    height: float = 0.0
    circles: list[tuple[float, float, float]] = field(default_factory=list)
    arrow: bool = False
    uses: set[str] = field(default_factory=set)


def look_of(column: Column) -> str:
    """Return the role of the colours of a column's units."""
    return {"input": "input", "hidden": "op", "output": "output"}[column.kind]


def tip(k: int, unit: Unit, column: Column) -> str:
    """Return the tooltip of the unit with index k: its numbers in words."""
    words = [unit.name or f"{column.title} unit {k}".strip()]
    words += [f"value {number(unit.value)}"] if unit.value is not None else []
    words += [f"δ {number(unit.delta)}"] if unit.delta is not None else []
    words += [f"b {number(unit.bias)}"] if unit.bias is not None else []
    return "  ".join(words)


def side_of(column: Column) -> int:
    """Return the side of a column that is a square image, else 0."""
    return math.isqrt(len(column.units)) if column.image else 0


def largest_of(rows: Iterable[Iterable[float | None]]) -> float:
    """Return the largest size of the numbers in some rows, by which they are drawn; 1 if all are 0 or unknown."""
    return max((abs(x) for row in rows for x in row if x is not None and math.isfinite(x)), default=0.0) or 1.0


def pooled(row: Sequence[float], most: int) -> tuple[float, ...]:
    """Return at most `most` numbers: of neighbours, the one with the largest size stands for all."""
    step = -(-len(row) // most)
    return tuple(max(row[i : i + step], key=abs) for i in range(0, len(row), step))


def pooling(count: int, side: int) -> set[str]:
    """Return what the legend has to say of so many weights: whether a square stands for several of them."""
    return {"pooled"} if side > LARGEST_SIDE or (not side and count > LONGEST_ROW) else set()


def weight_image(weights: Sequence[float], side: int) -> Grid:
    """Return the weights of an image's pixels as a grid of at most 14 × 14, the largest of neighbours for all of them.

    >>> weight_image([1.0, -2.0, 3.0, 0.5], 2)
    ((1.0, -2.0), (3.0, 0.5))
    """
    step = -(-side // LARGEST_SIDE)
    rows = [weights[i * side : (i + 1) * side] for i in range(side)]
    return tuple(
        tuple(max((x for row in rows[i : i + step] for x in row[j : j + step]), key=abs) for j in range(0, side, step))
        for i in range(0, side, step)
    )


def glyph_of(unit: Unit, side: int) -> Grid:
    """Return the weights of a unit as a row, or as an image if it reads a square image with this side."""
    return weight_image(unit.weights, side) if side else (pooled(unit.weights, LONGEST_ROW),)


def cell_of(glyph: Grid, side: int) -> float:
    """Return the side of a square of such a row or image, in pixels."""
    if side:
        return float(min(max(round(48 / len(glyph)), 3), 8))
    return float(min(max(280 // max(len(glyph[0]), 1), 4), 10))

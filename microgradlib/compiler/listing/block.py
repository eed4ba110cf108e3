"""Blocks: numbers with one name, and how parts of them are written."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Block", "rectangle", "runs", "subscript"]


@dataclass
class Block:
    """Numbers with one name: an argument, a family of parameters, or an instruction's results, from place `start` on.

    `lengths`: of its axes. Of a matrix by columns, the rows' number comes first all the same.
    """

    kind: str
    name: str
    start: int
    size: int
    lengths: tuple[int, ...]
    by_columns: bool = False

    @property
    def inner(self) -> int:
        """How many numbers lie together: a row, or a column of a matrix by columns."""
        return self.lengths[0] if self.by_columns else prod(self.lengths[1:])


def rectangle(block: Block, places: Sequence[int]) -> tuple[range, range] | None:
    """Return the (outer, inner) ranges of a rectangular part of a block, or None if the places are none, in order."""
    inner = max(block.inner, 1)
    first, last = places[0] - block.start, places[-1] - block.start
    outer_range, inner_range = range(first // inner, last // inner + 1), range(first % inner, last % inner + 1)
    several_parts = len(outer_range) > 1 and len(inner_range) < inner and len(block.lengths) > 2
    if len(outer_range) * len(inner_range) != len(places) or several_parts:
        return None
    expected = [block.start + i * inner + j for i in outer_range for j in inner_range]
    return (outer_range, inner_range) if list(places) == expected else None


def subscript(block: Block, outer: range, inner: range) -> str:
    """Write a rectangle as a subscript, nothing for the whole block."""
    lines, width = block.size // max(block.inner, 1), block.inner
    first, second = _span(outer, lines), _span(inner, width)
    if block.by_columns:
        first, second = second, first
    elif len(block.lengths) > 2 and second != ":":
        return f".flat[{outer.start * width + inner.start}:{outer.start * width + inner.stop}]"
    if second == ":":
        return "" if first == ":" else f"[{first}]"
    return f"[{first}, {second}]"


def _span(part: range, length: int) -> str:
    if len(part) == length:
        return ":"
    return str(part.start) if len(part) == 1 else f"{part.start}:{part.stop}"


def runs(block: Block, places: list[int], most: int) -> list[str] | None:
    """Write places as subscripts of runs of equal step; None where they are more than `most` or go across a matrix."""
    found: list[str] = []
    start = 0
    while start < len(places):
        end = _end_of_run(places, start)
        part = _run(block, places[start:end])
        if part is None or len(found) == most:
            return None
        found.append(part)
        start = end
    return found


def _end_of_run(places: list[int], start: int) -> int:
    """Return where a run of equal steps ends: of steps above 1 only if it is longer than two."""
    end = start + 1
    while end < len(places) and places[end] - places[end - 1] == places[start + 1] - places[start] > 0:
        end += 1
    return end if end - start > 2 or places[end - 1] - places[start] == 1 else start + 1


def _run(block: Block, places: list[int]) -> str | None:
    """Write places of equal step as a subscript; None where they are no part of a matrix."""
    index = rectangle(block, places)
    if index is not None:
        return subscript(block, *index)
    if block.inner not in {1, block.size}:
        return None
    first, last, step = places[0] - block.start, places[-1] - block.start, places[1] - places[0]
    end = "" if last + step >= block.size else last + 1
    return f"[{first}:{end}:{step}]"

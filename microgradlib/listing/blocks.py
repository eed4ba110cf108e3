"""Blocks: numbers with one name, and how parts of them are written."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from microgradlib.compiler.numpy_functions import numpy

if TYPE_CHECKING:
    from microgradlib.compiler.instructions import Slots

__all__ = ["Block", "rectangle", "runs", "subscript"]


@dataclass
class Block:
    """Numbers with one name: an argument, a group of parameters, or an instruction's results, from `start` on.

    `lengths`: of its axes. A matrix is numbered row by row, or column by column: its number of rows comes first all the
    same.
    """

    kind: str
    name: str
    start: int
    lengths: tuple[int, ...]
    by_columns: bool = False

    @property
    def size(self) -> int:
        """How many numbers there are."""
        return prod(self.lengths)

    @property
    def inner(self) -> int:
        """How many numbers lie together: a row, or a column of a matrix by columns."""
        return max(self.lengths[0] if self.by_columns else prod(self.lengths[1:]), 1)


def rectangle(block: Block, symbols: Slots) -> tuple[range, range] | None:
    """Return the (outer, inner) ranges of a rectangular part of a block, or None if these are none, in order."""
    first, last = int(symbols[0]) - block.start, int(symbols[-1]) - block.start
    outer = range(first // block.inner, last // block.inner + 1)
    inner = range(first % block.inner, last % block.inner + 1)
    several_parts = len(outer) > 1 and len(inner) < block.inner and len(block.lengths) > 2
    if len(outer) * len(inner) != len(symbols) or several_parts:
        return None
    np = numpy()
    expected = block.start + np.add.outer(np.array(outer) * block.inner, np.array(inner)).ravel()
    return (outer, inner) if (symbols == expected).all() else None


def subscript(block: Block, outer: range, inner: range) -> str:
    """Write a rectangle as a subscript, nothing for the whole block.

    >>> block = Block("result", "h", 0, (4, 6), by_columns=True)
    >>> subscript(block, *rectangle(block, range(8, 12))), subscript(block, range(2, 4), range(1, 3))
    ('[:, 2]', '[1:3, 2:4]')
    """
    lines, width = block.size // block.inner, block.inner
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


def runs(block: Block, symbols: Slots, most: int) -> list[str] | None:
    """Write numbers as subscripts of runs of equal step; None where they are more than `most` or go across a matrix.

    >>> from microgradlib.compiler.instructions import slot_array
    >>> runs(Block("result", "h", 0, (9,)), slot_array([4, 5, 6, 0, 2, 4, 8]), 3)
    ['[4:7]', '[0:5:2]', '[8]']
    """
    found: list[str] = []
    steps = numpy().append(numpy().diff(symbols), 0).tolist()
    start = 0
    while start < len(symbols):
        end = start + 1
        while steps[end - 1] == steps[start] > 0:
            end += 1
        if end - start == 2 and steps[start] > 1:
            end = start + 1
        part = _run(block, symbols[start:end])
        if part is None or len(found) == most:
            return None
        found.append(part)
        start = end
    return found


def _run(block: Block, symbols: Slots) -> str | None:
    """Write numbers of equal step as a subscript; None where they are no part of a matrix."""
    index = rectangle(block, symbols)
    if index is not None:
        return subscript(block, *index)
    if block.inner not in {1, block.size}:
        return None
    first, last, step = symbols[0] - block.start, symbols[-1] - block.start, symbols[1] - symbols[0]
    end = "" if last + step >= block.size else last + 1
    return f"[{first}:{end}:{step}]"

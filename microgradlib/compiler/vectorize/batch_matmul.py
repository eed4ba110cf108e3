"""Hulls: dots of two factors that both vary, as the matrix products they are part of, attention's scores for one."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from microgradlib.compiler.instructions import BATCH
from microgradlib.compiler.numpy_functions import numpy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.compiler.instructions import Instruction

    Slots = tuple[int, ...]
    Cells = dict[tuple[Slots, Slots], int]

__all__ = ["Hull", "hull"]

SMALLEST = 64
"""Matrix products of fewer multiplications are not worth the copies that they need."""

MOST_WASTE = 2.5
"""How many times the multiplications that are wanted a hull may have."""


@dataclass(frozen=True)
class Hull:
    """`count` matrix products Z = W X, some of whose entries are missing; -1 stands for these.

    `w`, of shape (count, rows, terms), and `x`, (count, terms, columns), are slots; `z`, (count, rows, columns), says
    which of the instruction's results an entry is. Missing factors count as 0, missing results are not kept.
    """

    w: Any
    x: Any
    z: Any


def hull(instruction: Instruction) -> Hull | None:
    """Return the matrix products of which an instruction's dots are part, or None if they are too few in them.

    Dots of different lengths belong together where the shorter's factors are the first of the longer's: the rows of
    causal attention.
    """
    if instruction.op.name != "dot" or [operand.bank for operand in instruction.operands] != [BATCH, BATCH]:
        return None
    w, x = _factors(instruction)
    if len(set(map(len, w))) > 1:
        longer = _completed(w), _completed(x)
        if len(set(longer[0])) * len(set(x)) < len(set(w)) * len(set(longer[1])):
            w = longer[0]
        else:
            x = longer[1]
    cells = {pair: i for i, pair in enumerate(zip(w, x))}
    parts = _parts(cells)
    terms = {max(map(len, [*rows, *columns])) for rows, columns in parts}
    shapes = {(len(rows), len(columns)) for rows, columns in parts}
    if len(cells) < len(w) or len(shapes) > 1 or len(terms) > 1:
        return None
    [(height, width)], [most] = shapes, terms
    size = height * most * width
    if min(height, width) < 2 or size < SMALLEST or size * len(parts) > MOST_WASTE * len(instruction.operands[0].slots):
        return None
    np = numpy()
    return Hull(
        np.array([[_filled(row, most) for row in rows] for rows, _ in parts]),
        np.array([[_filled(column, most) for column in columns] for _, columns in parts]).swapaxes(1, 2),
        np.array([[[cells.get((r, c), -1) for c in columns] for r in rows] for rows, columns in parts]),
    )


def _factors(instruction: Instruction) -> tuple[list[Slots], list[Slots]]:
    counts = instruction.counts or (instruction.terms,) * instruction.size
    ends = list(accumulate(counts))
    first, second = (operand.slots for operand in instruction.operands)
    spans = [slice(end - count, end) for end, count in zip(ends, counts)]
    return [first[span] for span in spans], [second[span] for span in spans]


def _completed(lists: Sequence[Slots]) -> list[Slots]:
    """Replace each list by the longest that begins with it."""
    lengths = sorted(set(map(len, lists)))
    longest: dict[Slots, Slots] = {}
    for slots in sorted(set(lists), key=len, reverse=True):
        for length in lengths:
            if length <= len(slots):
                longest.setdefault(slots[:length], slots)
    return [longest[slots] for slots in lists]


def _parts(cells: Cells) -> list[tuple[list[Slots], list[Slots]]]:
    """Return the rows and columns of each set of cells that hang together, in the order in which they come first."""
    of_row: dict[Slots, list[Slots]] = defaultdict(list)
    of_column: dict[Slots, list[Slots]] = defaultdict(list)
    for row, column in cells:
        of_row[row].append(column)
        of_column[column].append(row)
    place: dict[Slots, int] = {}
    count = 0
    for start in of_row:
        if start not in place:
            waiting = [start]
            place[start] = count
            while waiting:
                for column in of_row[waiting.pop()]:
                    for row in of_column.pop(column, ()):  # seen once is enough
                        if row not in place:
                            place[row] = count
                            waiting.append(row)
            count += 1
    parts: list[tuple[dict[Slots, None], dict[Slots, None]]] = [({}, {}) for _ in range(count)]
    for row, column in cells:
        rows, columns = parts[place[row]]
        rows[row] = columns[column] = None
    return [(list(rows), list(columns)) for rows, columns in parts]


def _filled(slots: Slots, length: int) -> list[int]:
    return [*slots, *[-1] * (length - len(slots))]

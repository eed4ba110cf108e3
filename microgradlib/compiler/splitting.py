"""Split a reduction into pieces whose operands lie evenly, so that large batches are read in place, not gathered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from microgradlib.compiler.instructions import Operand
from microgradlib.compiler.numpy_functions import numpy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.compiler.instructions import Instruction

__all__ = ["split"]

ROWS_A_PIECE = 4
"""Pieces must hold this many results on average: a piece costs a few calls, whatever its size."""


def split(instruction: Instruction) -> list[Instruction]:
    """Return the instruction in pieces that together do the same, or alone if pieces would be too small or it is even.

    Segments come apart where their number of terms changes, as the rows of a triangle do.
    """
    if instruction.kind not in {"reduce", "segments"}:
        return [instruction]
    np = numpy()
    counts = np.array(instruction.counts or (instruction.terms,) * instruction.size)
    starts = np.concatenate([[0], np.cumsum(counts)])
    firsts = [np.asarray(operand.slots)[starts[:-1]] for operand in instruction.operands[:2]]
    runs = _even_runs(firsts, counts)
    if len(runs) == 1 and not instruction.counts:
        return [instruction]
    if len(runs) * ROWS_A_PIECE > instruction.size or not _evenly(instruction, runs, starts):
        return [instruction]
    return [_piece(instruction, start, end, int(counts[start]), starts) for start, end in runs]


def _even_runs(firsts: Sequence[Any], counts: Any) -> list[tuple[int, int]]:
    """Part the results into runs with one number of terms, in which each operand's first slots form a grid."""
    n, steps = len(counts), [numpy().diff(first) for first in firsts]
    runs = []
    start = 0
    while start < n:
        width = 1
        while start + width < n and counts[start + width] == counts[start] and _same(steps, start + width - 1, start):
            width += 1
        end = start + width
        while (
            end + width <= n
            and (counts[end : end + width] == counts[start]).all()
            and _repeats(firsts, start, end, width)
        ):
            end += width
        runs.append((start, end))
        start = end
    return runs


def _same(steps: Sequence[Any], i: int, j: int) -> bool:
    return all(step[i] == step[j] for step in steps)


def _repeats(firsts: Sequence[Any], start: int, end: int, width: int) -> bool:
    """Say whether the next `width` first slots continue those before them by the same step as the ones before did."""
    for first in firsts:
        shift = first[end : end + width] - first[end - width : end]
        earlier = first[start + width] - first[start] if end > start + width else shift[0]
        if (shift != earlier).any():
            return False
    return True


def _evenly(instruction: Instruction, runs: Sequence[tuple[int, int]], starts: Any) -> bool:
    """Say whether within each result the operands' slots have one step, the same for all results of a run."""
    np = numpy()
    for operand in instruction.operands[:2]:
        slots = np.asarray(operand.slots)
        for start, end in runs:
            rows = slots[starts[start] : starts[end]].reshape(end - start, -1)
            if (np.diff(rows, n=2, axis=1) != 0).any() or (np.diff(rows, axis=1) != np.diff(rows[:1], axis=1)).any():
                return False
    return True


def _piece(instruction: Instruction, start: int, end: int, terms: int, starts: Any) -> Instruction:
    operands = [
        Operand(operand.bank, operand.slots[starts[start] : starts[end]]) for operand in instruction.operands[:2]
    ]
    operands += [Operand(operand.bank, operand.slots[start:end]) for operand in instruction.operands[2:]]
    return replace(
        instruction, kind="reduce", start=instruction.start + start, size=end - start, operands=tuple(operands),
        terms=terms, counts=(),
    )  # fmt: skip

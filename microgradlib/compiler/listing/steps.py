"""Steps: the instructions with their operands as places, in an order that reads well, folded where one line will do."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING

from microgradlib.compiler.instructions import FIXED
from microgradlib.compiler.printing.block import Block
from microgradlib.compiler.printing.formula import ArrayFormula
from microgradlib.compiler.printing.places import Places, spread
from microgradlib.compiler.printing.rules import slope

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.compiler.instructions import Instruction, ProgramData
    from microgradlib.ops import Op

__all__ = ["Step", "steps_of"]

SYMMETRIC = {"sum", "mean", "prod", "dot", "maximum", "minimum", "logsumexp"}
"""Ops whose terms may be read in any order."""


@dataclass
class Step:
    """One instruction: `reads[k]` are the places of operand k, `folded[k]` the step written in its place, if any.

    `counts`: how many terms each result of a reduction has. `wanted`: which operands pass a gradient on to a parameter.
    """

    kind: str
    op: Op
    bank: int
    block: Block
    reads: list[list[int]]
    counts: list[int]
    terms: int = 1
    rows: int = 1
    columns: int = 1
    wanted: list[bool] = field(default_factory=list)
    folded: dict[int, Step] = field(default_factory=dict)
    reader: Step | None = None

    @property
    def needed(self) -> bool:
        """Whether a gradient of the results goes on to a parameter."""
        return any(self.wanted)

    @property
    def results(self) -> list[int]:
        """The places of the results."""
        return list(range(self.block.start, self.block.start + self.block.size))

    @property
    def is_function(self) -> bool:
        """Whether it is f(x) of one operand, as an activation is."""
        return self.kind == "map" and len(self.reads) == 1 and self.op.symbol[-1].isalnum()


def steps_of(program: ProgramData, places: Places) -> list[Step]:
    """Return the steps of a program; the copies between its banks are none: what they copy is read instead."""
    steps = []
    needed: set[int] = set()
    for block in places.blocks:
        if block.kind == "parameter":
            needed.update(range(block.start, block.start + block.size))
    for instruction in program.instructions:
        reads = [[places.at[operand.bank][slot] for slot in operand.slots] for operand in instruction.operands]
        if instruction.kind == "map" and instruction.op.name == "identity":
            places.at[instruction.bank][instruction.start : instruction.start + instruction.size] = reads[0]
            continue
        step, order = _ordered(instruction, reads, places)
        for new, old in enumerate(order):
            places.at[instruction.bank][instruction.start + old] = step.block.start + new
        step.wanted = [not needed.isdisjoint(read) and not _is_flat(step, k) for k, read in enumerate(step.reads)]
        if step.needed:
            needed.update(step.results)
        steps.append(step)
    return steps


def _is_flat(step: Step, k: int) -> bool:
    """Say whether the derivative by operand k is 0 whatever the numbers, as that of a comparison."""
    names = [ArrayFormula("x")] * len(step.reads)
    return step.kind == "map" and slope(step.op, k, names[0], names).literal == 0


def _ordered(instruction: Instruction, reads: list[list[int]], places: Places) -> tuple[Step, list[int]]:
    """Return the step and, result by result, which of the instruction's it is: those that read first come first."""
    if instruction.kind == "product":
        both_fixed = all(operand.bank == FIXED for operand in instruction.operands)
        if not (instruction.size == 1 and both_fixed):
            return _product(instruction, reads, places)
        counts = [instruction.terms]  # of numbers alone it is a sum of products, without a matrix
    elif instruction.kind == "map":
        return _map(instruction, reads, places)
    else:
        counts = list(instruction.counts) or [instruction.terms] * instruction.size
    return _reduction(instruction, reads, counts, places)


def _product(instruction: Instruction, reads: list[list[int]], places: Places) -> tuple[Step, list[int]]:
    terms, rows = instruction.terms, instruction.rows
    w = [reads[0][i : i + terms] for i in range(0, len(reads[0]), terms)]
    columns = len(reads[1]) // terms
    x = [reads[1][c::columns] for c in range(columns)]
    across = sorted(range(terms), key=lambda t: (w[0][t], x[0][t]))
    down = sorted(range(rows), key=lambda r: [w[r][t] for t in across])
    along = sorted(range(columns), key=lambda c: [x[c][t] for t in across])
    order = [r * columns + c for c in along for r in down]
    ordered = [[w[r][t] for r in down for t in across], [x[c][t] for c in along for t in across]]
    ordered += [[read[i] for i in order] for read in reads[2:]]
    lengths = (rows, columns) if columns > 1 else (rows,)
    block = places.add("result", "", rows * columns, lengths, by_columns=columns > 1)
    step = Step("product", instruction.op, instruction.bank, block, ordered, [], terms, rows, columns)
    return step, order


def _map(instruction: Instruction, reads: list[list[int]], places: Places) -> tuple[Step, list[int]]:
    once = [read for read in reads if len(set(read)) == len(read)]
    keys = list(zip(*(once[:1] or reads)))
    order = sorted(range(instruction.size), key=lambda i: keys[i])
    ordered = [[read[i] for i in order] for read in reads]
    lengths = _lengths(ordered, places)
    block = places.add("result", "", instruction.size, lengths, by_columns=len(lengths) > 1)
    return Step("map", instruction.op, instruction.bank, block, ordered, []), order


def _lengths(reads: Sequence[list[int]], places: Places) -> tuple[int, ...]:
    """Return (rows, columns) where an operand is a matrix by columns or has one number for a column or row."""
    size = len(reads[0])
    heights = [places.rows(read) if places.owner(read[0]).by_columns else 0 for read in reads]
    spreads = [spread(read) for read in reads]
    for pattern, base, times in spreads:
        rows = {"each": times, "tile": len(base)}.get(pattern, 0)
        if rows and all(other != "all" or places.rows(read) == rows for (other, _, _), read in zip(spreads, reads)):
            return (rows, size // rows)
    return next(((rows, size // rows) for rows in heights if 0 < rows < size), (size,))


def _reduction(
    instruction: Instruction, reads: list[list[int]], counts: list[int], places: Places
) -> tuple[Step, list[int]]:
    starts = accumulate(counts[:-1], initial=0)
    width = min(len(instruction.operands), 2)
    terms = [
        list(zip(*[read[start : start + count] for read in reads[:width]])) for start, count in zip(starts, counts)
    ]
    if instruction.op.name in SYMMETRIC:
        terms = [sorted(result) for result in terms]
    order = sorted(range(len(terms)), key=lambda i: terms[i])
    ordered = [[term[k] for i in order for term in terms[i]] for k in range(width)]
    ordered += [[read[i] for i in order] for read in reads[width:]]
    block = places.add("result", "", len(counts), (len(counts),))
    return Step("reduce", instruction.op, instruction.bank, block, ordered, [counts[i] for i in order]), order

"""In place: results that take the slots of an operand nobody else reads, so that less memory is gone through."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.program import BATCH, FIXED, Operand

if TYPE_CHECKING:
    from microgradlib.compiler.program import Instruction, Program

__all__ = ["in_place"]

BY_RESULT = {"relu", "exp", "sqrt", "neg", "add", "sub"}
"""Ops of which neither the result nor a derivative needs the operand, once the result is there."""

BY_OPERANDS = {"add", "sub", "mul", "neg", "dot", "sum", "mean"}
"""Ops of whose derivatives none needs the result."""


def in_place(program: Program) -> Program:
    """Return the program with some results in the slots of what they are computed from.

    These must be all results of one instruction, in order, that nothing else reads. Then what the result is, and all
    derivatives by the fast kernels, are the same; those by the table's own rules may not be.

    >>> from microgradlib.compiler.canonical import canonical
    >>> from microgradlib.compiler.roll import roll
    >>> from microgradlib.compiler.trace import trace
    >>> from microgradlib.nn import MLP
    >>> model = MLP(2, [3, 1])
    >>> program = roll(canonical(trace(lambda x: model(x), [[0.0, 0.0]], model.parameters())))
    >>> [(i.op.name, i.start) for i in in_place(program).instructions]
    [('dot', 3), ('relu', 3), ('dot', 7)]
    """
    readers = _readers(program)
    makers = {(i.start, i.size): i for i in program.instructions if i.bank == BATCH}
    taken: dict[int, Operand] = {}
    for instruction in program.instructions:
        operand = _free_operand(program, instruction, makers, readers)
        if operand is not None:
            taken[instruction.start] = operand
    return _renumbered(program, taken) if taken else program


def _readers(program: Program) -> list[list[Operand]]:
    """Return for each slot of the batch bank the operands that read it, once for each time."""
    readers: list[list[Operand]] = [[] for _ in range(program.batch_size)]
    for operand in [operand for i in program.instructions for operand in i.operands] + list(program.outputs):
        if operand.bank == BATCH:
            for slot in operand.slots:
                readers[slot].append(operand)
    return readers


def _free_operand(
    program: Program, instruction: Instruction, makers: dict[tuple[int, int], Instruction], readers: list[list[Operand]]
) -> Operand | None:
    """Return the operand whose slots the results may take, if there is one."""
    if instruction.kind != "map" or instruction.bank != BATCH or not _stays_whole(program, instruction, readers):
        return None
    for k, operand in enumerate(instruction.operands):
        start, size = operand.slots[0], len(operand.slots)
        maker = makers.get((start, size))
        if (
            operand.bank == BATCH
            and maker is not None
            and maker.op.name in BY_OPERANDS
            and operand.slots == tuple(range(start, start + size))
            and all(len(readers[slot]) == 1 for slot in operand.slots)
            and (instruction.op.name in BY_RESULT or _is_scaling(program, instruction, k))
        ):
            return operand
    return None


def _is_scaling(program: Program, instruction: Instruction, k: int) -> bool:
    """Say whether operand k is multiplied by constants."""
    if instruction.op.name != "mul":
        return False
    other, first = instruction.operands[1 - k], len(program.parameter_order)
    return other.bank == FIXED and first <= min(other.slots) <= max(other.slots) < first + len(program.constants)


def _stays_whole(program: Program, instruction: Instruction, readers: list[list[Operand]]) -> bool:
    """Say whether nothing is read together with the results, or lies behind them as ones do behind an X."""
    start, end = instruction.start, instruction.start + instruction.size
    alone = all(start <= min(o.slots) and max(o.slots) < end for slot in range(start, end) for o in readers[slot])
    return alone and (end not in program.ones or instruction.operands[0].slots[-1] == start - 1)


def _renumbered(program: Program, taken: dict[int, Operand]) -> Program:
    np = numpy()
    new = np.full(program.batch_size, -1)
    spans = {i.start: i for i in program.instructions if i.bank == BATCH}
    size = slot = 0
    while slot < program.batch_size:
        n = spans[slot].size if slot in spans else 1
        if slot in taken:
            new[slot : slot + n] = new[list(taken[slot].slots)]
        else:
            new[slot : slot + n] = np.arange(size, size + n)
            size += n
        slot += n

    def moved(operand: Operand) -> Operand:
        return Operand(BATCH, tuple(new[list(operand.slots)].tolist())) if operand.bank == BATCH else operand

    return replace(
        program,
        instructions=tuple([_moved(i, tuple(map(moved, i.operands)), new) for i in program.instructions]),
        outputs=tuple(map(moved, program.outputs)),
        batch_size=size,
        ones=tuple(new[list(program.ones)].tolist()),
    )


def _moved(instruction: Instruction, operands: tuple[Operand, ...], new: Any) -> Instruction:
    start = int(new[instruction.start]) if instruction.bank == BATCH else instruction.start
    return replace(instruction, start=start, operands=operands)

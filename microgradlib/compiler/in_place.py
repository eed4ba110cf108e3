"""In place: results that take the slots of an operand nobody else reads, so that less memory is gone through."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from microgradlib.compiler.instructions import BATCH, FIXED, Operand
from microgradlib.compiler.numpy_functions import numpy

if TYPE_CHECKING:
    from microgradlib.compiler.instructions import Instruction
    from microgradlib.compiler.program import Program

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
    uses, apart = _uses(program)
    makers = {(i.start, i.size): i for i in program.instructions if i.bank == BATCH}
    taken: dict[int, Operand] = {}
    apart_from_it: set[int] = set()  # results whose slots lie further back than just before them
    for i in program.instructions:
        results = slice(i.start, i.start + i.size)
        if i.kind == "map" and i.bank == BATCH and (apart[results] == uses[results]).all():
            operand = _free_operand(program, i, makers, uses)
            if operand is None:
                continue
            is_far = operand.slots[-1] != i.start - 1 or operand.slots[0] in apart_from_it
            if is_far and i.start + i.size in program.ones:
                continue  # the ones would no longer lie behind the results
            taken[i.start] = operand
            if is_far:
                apart_from_it.add(i.start)
    return _renumbered(program, taken) if taken else program


def _uses(program: Program) -> tuple[Any, Any]:
    """Return how often each slot of the batch bank is read, and how often with none but those of its instruction."""
    np = numpy()
    uses, apart = np.zeros((2, program.batch_size), int)
    starts = np.array([0, *[i.start for i in program.instructions if i.bank == BATCH]])
    for operand in [operand for i in program.instructions for operand in i.operands] + list(program.outputs):
        if operand.bank == BATCH:
            slots = np.array(operand.slots)
            np.add.at(uses, slots, 1)
            first, last = np.searchsorted(starts, [slots.min(), slots.max()], side="right")
            if first == last:
                np.add.at(apart, slots, 1)
    return uses, apart


def _free_operand(
    program: Program, instruction: Instruction, makers: dict[tuple[int, int], Instruction], uses: Any
) -> Operand | None:
    """Return the operand whose slots the results may take, if there is one."""
    for k, operand in enumerate(instruction.operands):
        start, size = operand.slots[0], len(operand.slots)
        maker = makers.get((start, size))
        if (
            operand.bank == BATCH
            and maker is not None
            and maker.op.name in BY_OPERANDS
            and operand.slots == tuple(range(start, start + size))
            and (uses[start : start + size] == 1).all()
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

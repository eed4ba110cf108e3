"""Check that a program from elsewhere can be executed: its slots, and the operands of its instructions."""

from __future__ import annotations

from microgradlib.compiler.instructions import BATCHED, NOT_REACHED, UNBATCHED, Instruction, ProgramData
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.vectorize.packs import OF_ANY_LENGTH

__all__ = ["check_program"]


def check_program(program: ProgramData) -> None:
    """Raise `ValueError` for a forward program that reads slots before they are written, or whose parts do not fit.

    >>> from dataclasses import replace
    >>> from microgradlib import compile
    >>> program = compile(lambda x: x * x).lower([1.0])
    >>> check_program(replace(program, instructions=()))
    Traceback (most recent call last):
    ValueError: the slots that are written are not those of the spaces, each once
    """
    for order, what in ((program.parameter_order, "parameters"), (program.input_order, "inputs")):
        if sorted(order) != list(range(len(order))):
            message = f"the order of the {what} does not fit their number"
            raise ValueError(message)
    if len(program.constants) != len(program.constant_slots):
        raise ValueError("the constants are not as many as their slots")
    leaves = [[*range(len(program.parameter_order)), *program.constant_slots], [*range(program.inputs), *program.ones]]
    known, written = [set(slots) for slots in leaves], leaves
    for i in program.instructions:
        written[i.space].extend(i.results.slots.tolist())
    if any(len(slots) != size or sorted(slots) != list(range(size)) for slots, size in zip(written, program.sizes)):
        raise ValueError("the slots that are written are not those of the spaces, each once")
    for i in program.instructions:
        if not _fits(i):
            message = f"the operands or results of {i.kind} {i.op.name} do not fit it"
            raise ValueError(message)
        padding = {NOT_REACHED} if i.kind == "matmul" and i.operands[0].space == BATCHED else set()
        if not all(set(operand.slots.tolist()) - padding <= known[operand.space] for operand in i.operands):
            raise ValueError("a slot is read before it is written")
        known[i.space].update(i.results.slots.tolist())
    if not program.outputs or any(len(output.slots) != 1 for output in program.outputs):
        raise ValueError("an output is no single number, or there is none")
    if not all(output.slots[0] in known[output.space] for output in program.outputs):
        raise ValueError("an output is no slot that is written")


def _fits(i: Instruction) -> bool:
    """Say whether the op is computed by this kind of instruction, and the operands have its lengths and spaces."""
    spaces, lengths = [operand.space for operand in i.operands], [len(operand.slots) for operand in i.operands]
    if (numpy().diff(i.results.slots) != 1).any() or bool(i.counts) != (i.kind == "segment_reduce"):
        return False
    if max(spaces, default=-1) != i.space and i.op.name != "identity":
        return False
    if i.kind == "elementwise":
        return i.terms == 1 and lengths == [i.size] * (i.op.arity or 0)
    if i.kind == "matmul":
        count, rows, terms, columns = i.shape
        fits = lengths == [count * rows * terms, count * terms * columns] and i.size == count * rows * columns
        return fits and i.op.name == "dot" and min(i.shape) > 0 and spaces in ([UNBATCHED, i.space], [BATCHED, BATCHED])
    if i.kind not in {"reduce", "segment_reduce"}:
        message = f"there is no instruction {i.kind!r}"
        raise ValueError(message)
    counts = i.counts or (i.terms,) * i.size
    if len(counts) != i.size or min(counts) < 1 or (i.counts and i.op.name not in OF_ANY_LENGTH):
        return False
    operands = {"dot": (2,), "cross_entropy": (1, 2)}.get(i.op.name, (1,))
    one_space = i.op.name == "dot" or len(set(spaces)) == 1
    return one_space and i.op.variadic and len(lengths) in operands and set(lengths) == {sum(counts)}

"""Check that a program from elsewhere can be executed: its slots, and the operands of its instructions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from microgradlib.compiler.instructions import BATCHED, NOT_REACHED, UNBATCHED
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.vectorize.packs import OF_ANY_LENGTH

if TYPE_CHECKING:
    from microgradlib.compiler.instructions import Instruction, ProgramData

__all__ = ["check_program"]


def check_program(program: ProgramData) -> None:
    """Raise `ValueError` for a forward program that reads slots before they are written, or whose parts do not fit.

    >>> from dataclasses import replace
    >>> from microgradlib import compile
    >>> program = compile(lambda x: x * x).lower([1.0])
    >>> check_program(replace(program, instructions=()))
    Traceback (most recent call last):
    ValueError: the sizes of the spaces are not those of what is written to them
    """
    np = numpy()
    for order, what in ((program.parameter_order, "parameters"), (program.input_order, "inputs")):
        if sorted(order) != list(range(len(order))):
            message = f"the order of the {what} does not fit their number"
            raise ValueError(message)
    if len(program.constants) != len(program.constant_slots):
        raise ValueError("the constants are not as many as their slots")
    leaves = [[*range(len(program.parameter_order)), *program.constant_slots], [*range(program.inputs), *program.ones]]
    sizes = [len(slots) + sum(i.size for i in program.instructions if i.space == s) for s, slots in enumerate(leaves)]
    if sizes != list(program.sizes):
        raise ValueError("the sizes of the spaces are not those of what is written to them")
    written = [np.zeros(size, bool) for size in sizes]
    for space, slots in enumerate(leaves):
        _write(written[space], np.array(slots, np.intp))
    for i in program.instructions:
        if not _fits(i) or (np.diff(i.results.slots) != 1).any():
            message = f"the operands or results of {i.kind} {i.op.name} do not fit it"
            raise ValueError(message)
        for operand in i.operands:
            padded = i.kind == "matmul" and i.operands[0].space == BATCHED
            _check_read(
                written[operand.space], operand.slots[operand.slots != NOT_REACHED] if padded else operand.slots
            )
        _write(written[i.space], i.results.slots)
    for output in program.outputs:
        _check_read(written[output.space], output.slots)
    if not program.outputs or any(len(output.slots) != 1 for output in program.outputs):
        raise ValueError("an output is no single number, or there is none")


def _fits(i: Instruction) -> bool:
    """Say whether the op is computed by this kind of instruction, and the operands have its lengths and spaces."""
    spaces, lengths = [operand.space for operand in i.operands], [len(operand.slots) for operand in i.operands]
    if (max(spaces, default=-1) != i.space and i.op.name != "identity") or bool(i.counts) != (
        i.kind == "segment_reduce"
    ):
        return False
    if i.kind == "elementwise":
        return lengths == [i.size] * (i.op.arity or 0)
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


def _write(written: Any, slots: Any) -> None:
    in_range = ((slots >= 0) & (slots < len(written))).all()
    if not in_range or written[slots].any() or len(set(slots.tolist())) < len(slots):
        raise ValueError("a slot is written twice, or there is no such slot")
    written[slots] = True


def _check_read(written: Any, slots: Any) -> None:
    if not ((slots >= 0) & (slots < len(written))).all() or not written[slots].all():
        raise ValueError("a slot is read before it is written")

"""Check that a program from elsewhere can be executed: its slots, the kinds of its instructions, their operands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from microgradlib.compiler.instructions import BATCHED, NOT_REACHED
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.vectorize.packs import OF_ANY_LENGTH, PAIRED

if TYPE_CHECKING:
    from microgradlib.compiler.instructions import Instruction, Operand, ProgramData

__all__ = ["check_program"]

KINDS = ("elementwise", "reduce", "segment_reduce", "matmul")


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
        _check_kind(i)
        _check_operands(i, written)
        if (np.diff(i.results.slots) != 1).any():
            raise ValueError("the results of an instruction do not lie together")
        _write(written[i.space], i.results.slots)
    if not program.outputs or any(len(output.slots) != 1 for output in program.outputs):
        raise ValueError("an output is no single number, or there is none")
    for output in program.outputs:
        _check_read(output, written)


def _write(written: Any, slots: Any) -> None:
    np = numpy()
    in_range = ((slots >= 0) & (slots < len(written))).all()
    if not in_range or written[slots].any() or len(np.unique(slots)) < len(slots):
        raise ValueError("a slot is written twice, or there is no such slot")
    written[slots] = True


def _check_kind(i: Instruction) -> None:
    """Refuse an instruction of a kind that its op is not computed by, or with too few operands or too many."""
    if i.kind not in KINDS:
        message = f"there is no instruction {i.kind!r}"
        raise ValueError(message)
    counts, fits = {1, 2} if i.op.name in PAIRED else {1}, i.op.variadic
    if i.op.name == "dot":
        counts = {2}
    if i.kind == "elementwise":
        counts, fits = {i.op.arity or 0}, not i.op.variadic
    elif i.kind == "segment_reduce":
        fits = i.op.name in OF_ANY_LENGTH and len(i.counts) == i.size and min(i.counts) > 0
    elif i.kind == "matmul":
        fits = i.op.name == "dot"
    fits = fits and bool(i.counts) == (i.kind == "segment_reduce")
    if not fits or len(i.operands) not in counts or i.terms < 1 or min(i.shape) < 1:
        message = f"{len(i.operands)} operands and {i.size} results do not fit {i.kind} {i.op.name}"
        raise ValueError(message)


def _check_operands(i: Instruction, written: list[Any]) -> None:
    """Refuse operands that are of the wrong lengths or spaces, or that are not yet written."""
    spaces, (count, rows, terms, columns) = [operand.space for operand in i.operands], i.shape
    mixed = i.kind == "elementwise" or i.op.name == "dot"
    if (i.space not in spaces or max(spaces) > i.space or not (mixed or len(set(spaces)) == 1)) and (
        i.op.name != "identity"
    ):
        message = f"{i.kind} {i.op.name} reads other spaces than it can"
        raise ValueError(message)
    expected = {
        "elementwise": [i.size] * len(spaces),
        "reduce": [i.size * i.terms] * len(spaces),
        "segment_reduce": [sum(i.counts)] * len(spaces),
        "matmul": [count * rows * terms, count * terms * columns],
    }[i.kind]
    results = count * rows * columns if i.kind == "matmul" else i.size
    if [len(operand.slots) for operand in i.operands] != expected or results != i.size:
        message = f"the operands of {i.kind} {i.op.name} do not fit its size"
        raise ValueError(message)
    padded = i.kind == "matmul" and spaces == [BATCHED, BATCHED]
    if i.kind == "matmul" and spaces[0] == BATCHED != spaces[1]:
        raise ValueError("the unbatched factor of a matmul stands first")
    for operand in i.operands:
        _check_read(operand, written, padded=padded)


def _check_read(operand: Operand, written: list[Any], *, padded: bool = False) -> None:
    slots = operand.slots[operand.slots != NOT_REACHED] if padded else operand.slots
    known = written[operand.space]
    if not ((slots >= 0) & (slots < len(known))).all() or not known[slots].all():
        raise ValueError("a slot is read before it is written")

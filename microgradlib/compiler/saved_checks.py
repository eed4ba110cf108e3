"""Check a program from a file: what passes can be executed, within the memory that its slots take."""

from __future__ import annotations

import math
from typing import Any, Final

from microgradlib._support.pytree import flatten
from microgradlib._support.shown import shown
from microgradlib.compiler.instructions import BATCHED, NOT_REACHED, UNBATCHED, Instruction, ProgramData, slot_array
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.vectorize.packs import OF_ANY_LENGTH

__all__ = ["check_program"]

_OPERANDS: Final = {"dot": (2,), "cross_entropy": (1, 2)}
"""How many operands a reduction has, where it is not one."""
_KINDS: Final = frozenset({"elementwise", "matmul", "reduce", "segment_reduce"})


def check_program(program: ProgramData, parameters: int) -> None:
    """Raise `ValueError` for a program that could not be executed: slots or lengths of instructions do not fit.

    Nothing is allocated for a size before as many slots have been found in the file.
    """
    inputs = sum([math.prod(shape) for _, shape in program.arguments])
    orders = (program.parameter_order, parameters, "parameters"), (program.input_order, inputs, "inputs")
    for order, count, what in orders:
        if len(order) != count or not _is_permutation(order, count):
            message = f"the order of the {what} does not fit their number"
            raise ValueError(message)
    names = [name for name, _ in program.arguments]
    if not all(map(str.isidentifier, names)) or len(set(names)) < len(names):
        raise ValueError("the names of the arguments are no names, or one occurs twice")
    if len(program.constants) != len(program.constant_slots):
        raise ValueError("the constants are not as many as their slots")
    _check_order(program, [[range(parameters), program.constant_slots], [range(inputs), program.ones]])
    if any(len(output.slots) != 1 for output in program.outputs):
        raise ValueError("an output is no single number that is computed")
    if not 0 < len(program.outputs) == len(flatten(program.shape)):
        raise ValueError("the outputs are not as many as the result has numbers, or there is none")


def _check_order(program: ProgramData, leaves: list[list[Any]]) -> None:
    """Raise `ValueError` unless each slot is written once, before it is read, by instructions that can be executed."""
    results = [[i.results.slots for i in program.instructions if i.space == space] for space in (UNBATCHED, BATCHED)]
    for slots, more, size in zip(leaves, results, program.sizes):
        written = numpy().concatenate([*map(slot_array, slots), *more])
        if len(written) != size or not _is_permutation(written, size):
            raise ValueError("the slots that are written are not those of the spaces, each once")
    last = len(program.instructions)
    written_at = [numpy().full(size, -1) for size in program.sizes]
    for position, i in enumerate(program.instructions):
        written_at[i.space][i.results.slots] = position
    for position, i in enumerate(program.instructions):
        if not _fits(i):
            message = f"the operands or results of {i.kind} {i.op.name} do not fit it"
            raise ValueError(message)
        may_pad = i.kind == "matmul" and i.operands[0].space == BATCHED
        if not all(_are_written(o.slots, written_at[o.space], position, may_pad=may_pad) for o in i.operands):
            raise ValueError("a slot is read before it is written")
    if not all(_are_written(output.slots, written_at[output.space], last) for output in program.outputs):
        raise ValueError("an output is no single number that is computed")


def _is_permutation(numbers: Any, count: int) -> bool:
    """Say whether these `count` numbers are 0, 1, …, count - 1 in any order."""
    return bool((numpy().sort(numbers) == numpy().arange(count)).all())


def _are_written(slots: Any, written_at: Any, position: int, *, may_pad: bool = False) -> bool:
    """Say whether all slots are in the space, and written before this position; padding is in no space."""
    if may_pad:
        slots = slots[slots != NOT_REACHED]
    if not len(slots):
        return True
    return bool(slots.min() >= 0 and slots.max() < len(written_at) and written_at[slots].max() < position)


def _fits(i: Instruction) -> bool:
    """Say whether the op is computed by this kind of instruction, and the operands have its lengths and spaces."""
    if i.kind not in _KINDS:
        message = f"there is no instruction {shown(i.kind)}"
        raise ValueError(message)
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
    counts = i.counts or (i.terms,) * i.size
    if len(counts) != i.size or min(counts) < 1 or (i.counts and i.op.name not in OF_ANY_LENGTH):
        return False
    operands = _OPERANDS.get(i.op.name, (1,))
    one_space = i.op.name == "dot" or len(set(spaces)) == 1
    return one_space and i.op.variadic and len(lengths) in operands and set(lengths) == {sum(counts)}

"""Holds a program to single assignment: each slot is written once, before it is read, and operands fit their kind."""

from microgradlib.compiler.instructions import BATCHED, NOT_REACHED, UNBATCHED


def check_program(program):
    """Raise `ValueError` for a program that no engine could execute."""
    written = {
        UNBATCHED: {*range(len(program.parameter_order)), *program.constant_slots},
        BATCHED: {*range(program.inputs), *program.ones},
    }
    for operand in program.seeds:
        _write(written, operand, "a seed")
    for position, instruction in enumerate(program.instructions):
        what = f"instruction {position}, {instruction}"
        for operand in instruction.operands:
            _check_read(written, operand, what, padded=instruction.kind == "matmul")
        lengths = [len(operand.slots) for operand in instruction.operands]
        if lengths != _lengths(instruction):
            msg = f"operands of {lengths} numbers in {what}"
            raise ValueError(msg)
        _write(written, instruction.results, what)
    for operand in program.outputs:
        _check_read(written, operand, "the outputs", padded=False)
    for operand in program.cotangents:
        _check_read(written, operand, "the cotangents", padded=True)
    for space, size in enumerate(program.sizes):
        if max(written[space], default=-1) >= size:
            msg = f"space {space} has {size} slots, but {max(written[space])} is written"
            raise ValueError(msg)


def _lengths(i):
    """Return how many numbers each operand of an instruction has."""
    if i.kind == "elementwise":
        return [i.size] * (len(i.reads) + 1 if i.wrt is not None else i.op.arity)
    if i.kind == "matmul":
        count, rows, terms, columns = i.shape
        return [count * rows * terms, count * terms * columns] if i.size == count * rows * columns else []
    lists = len(i.operands) - 2 if i.wrt is not None else len(i.operands)
    terms = sum(i.counts) * i.width if i.counts else i.size * (1 if i.wrt is not None else i.terms)
    return [i.size // i.terms] * 2 + [terms] * lists if i.wrt is not None else [terms] * lists


def _check_read(written, operand, what, *, padded):
    slots = set(operand.slots.tolist())
    if padded:
        slots.discard(NOT_REACHED)
    missing = slots - written[operand.space]
    if missing:
        msg = f"slots {sorted(missing)[:5]} of space {operand.space} are read before they are written: {what}"
        raise ValueError(msg)


def _write(written, operand, what):
    slots = operand.slots.tolist()
    if len(set(slots)) < len(slots) or not written[operand.space].isdisjoint(slots):
        msg = f"slots are written twice: {what}"
        raise ValueError(msg)
    written[operand.space].update(slots)

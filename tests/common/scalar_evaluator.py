"""Evaluates forward programs one scalar after another, by the op table: what `vectorize` writes, without any engine."""

from itertools import accumulate

from microgradlib._support.pytree import flatten, unflatten
from microgradlib.compiler.canonicalize import canonicalize
from microgradlib.compiler.instructions import BATCHED, UNBATCHED
from microgradlib.compiler.trace import trace
from microgradlib.compiler.vectorize import vectorize
from microgradlib.core.value import as_node


def vectorized(function, parameters, *row):
    """Return the forward program of a function for rows shaped like this one."""
    return vectorize(canonicalize(trace(function, row, parameters)))


def evaluate(program, parameters, numbers):
    """Return the outputs for the numbers of the parameters and of one example."""
    spaces = {UNBATCHED: {}, BATCHED: dict.fromkeys(program.ones, 1.0)}
    spaces[UNBATCHED].update(zip(program.constant_slots, program.constants, strict=True))
    spaces[UNBATCHED].update((slot, parameters[i]) for slot, i in enumerate(program.parameter_order))
    spaces[BATCHED].update((slot, numbers[i]) for slot, i in enumerate(program.input_order))
    for instruction in program.instructions:
        operands = [
            [0.0 if slot < 0 else spaces[operand.space][slot] for slot in operand.slots.tolist()]
            for operand in instruction.operands
        ]
        results = [instruction.op.compute(*arguments) for arguments in _arguments(instruction, operands)]
        spaces[instruction.space].update(zip(instruction.results.slots.tolist(), results, strict=True))
    return [spaces[operand.space][int(operand.slots[0])] for operand in program.outputs]


def _arguments(instruction, operands):
    """Yield the arguments of each result."""
    if instruction.kind == "elementwise":
        yield from zip(*operands, strict=True)
    elif instruction.kind == "matmul":
        count, rows, terms, columns = instruction.shape
        for i in range(count * rows):
            for j in range(columns):
                yield (
                    *operands[0][i * terms : (i + 1) * terms],
                    *[operands[1][(i // rows * terms + k) * columns + j] for k in range(terms)],
                )
    else:
        counts = instruction.counts or (instruction.terms,) * instruction.size
        for end, terms in zip(accumulate(counts), counts):
            yield [number for operand in operands for number in operand[end - terms : end]]


def outputs_by_both(function, parameters, *row):
    """Return the outputs of the vectorized program and of the eager engine."""
    traced = trace(function, row, parameters)
    program = vectorize(canonicalize(traced))
    numbers = list(map(float, flatten(list(row))))
    eager = [as_node(y).data for y in flatten(function(*unflatten(list(row), numbers)))]
    return evaluate(program, [p.data for p in (*parameters, *traced.captured)], numbers), eager

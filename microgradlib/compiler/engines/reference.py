"""The reference engine: plain floats and the table's own rules, one instruction after another, exact at every edge."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from microgradlib._support.floats import evaluate_rule
from microgradlib.compiler.arguments import rounded
from microgradlib.compiler.engines.engine import Engine
from microgradlib.compiler.instructions import BATCHED, UNBATCHED
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.slopes import rule_arguments
from microgradlib.ops import TABLE, ZERO

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.compiler.instructions import Instruction, ProgramData
    from microgradlib.ops import Op

__all__ = ["ReferenceEngine"]

DOT, SUM = TABLE["dot"], TABLE["sum"]
PRODUCTS = {"mul", "strong_mul"}


class ReferenceEngine(Engine):
    """What every other engine is held to, and an example of how one is written: slow, but right for all numbers.

    A number that is `ZERO` stops all that it is multiplied by, inf and nan too: a cotangent that nothing reaches or
    that stands behind a closed branch, a seed of 0, padding. A 0 that is computed is a number, for which 0 · inf is nan.

    >>> from microgradlib import Value, compile, sqrt, where
    >>> w = Value(3.0)
    >>> fast = compile(lambda x: where(x > 0, sqrt(x), w * x), [w], backend="reference")
    >>> fast.value_and_grad([0.0, 4.0]), fast.jacobian([[0.0], [4.0]]).tolist()
    ((1.0, array([0.])), [[[3.0]], [[0.25]]])
    """

    def execute(
        self, program: ProgramData, parameters: Any, columns: Sequence[Any], seeds: Sequence[Any] = ()
    ) -> tuple[Any, tuple[Any, ...]]:
        np, batch = numpy(), len(columns[0])
        rows = np.hstack([column.reshape(batch, -1) for column in columns]).tolist()
        unbatched, examples = _leaves(program, parameters.tolist(), rows)
        for operand, seed in zip(program.seeds, seeds):
            if operand.space == UNBATCHED:
                _write(unbatched, operand.slots, [number or ZERO for number in seed.tolist()])
            else:
                table = np.broadcast_to(seed, (len(operand.slots), batch)).T.tolist()
                for numbers, column in zip(examples, table):
                    _write(numbers, operand.slots, [number or ZERO for number in column])
        for instruction in program.instructions:
            _run(instruction, unbatched, examples)

        def read(operand: Any) -> Any:
            numbers = [_read([unbatched, numbers][operand.space], operand.slots) for numbers in examples]
            return rounded(np.array(numbers, float).T, self.dtype)

        outputs = np.concatenate([read(operand) for operand in program.outputs])
        cotangents = [read(operand) for operand in program.cotangents]
        return outputs, tuple([c if o.space == BATCHED else c[:, 0] for c, o in zip(cotangents, program.cotangents)])


def _leaves(program: ProgramData, parameters: list[float], rows: list[list[float]]) -> tuple[list[float], Any]:
    """Return the numbers of all unbatched slots, and for each example those of the batched ones: leaves, else nan.

    One more number, the last, is `ZERO`: it is read by the slot −1, `NOT_REACHED`.
    """
    unbatched = [math.nan] * program.unbatched_size + [ZERO]
    unbatched[: len(parameters)] = [parameters[i] for i in program.parameter_order]
    _write(unbatched, program.constant_slots, program.constants)
    examples = []
    for row in rows:
        numbers = [math.nan] * program.batched_size + [ZERO]
        numbers[: len(row)] = [row[i] for i in program.input_order]
        _write(numbers, program.ones, [1.0] * len(program.ones))
        examples.append(numbers)
    return unbatched, examples


def _read(numbers: list[float], slots: Any) -> list[float]:
    return [numbers[slot] for slot in slots]


def _write(numbers: list[float], slots: Any, results: Sequence[float]) -> None:
    for slot, result in zip(slots, results):
        numbers[slot] = result


def _run(instruction: Instruction, unbatched: list[float], examples: list[list[float]]) -> None:
    """Execute one instruction: once, or for each example, whose results are added up if they have no batch axis."""
    operands = [(operand.space, operand.slots.tolist()) for operand in instruction.operands]
    target = instruction.results.slots.tolist()

    def results(numbers: list[float]) -> list[float]:
        return _results(instruction, [_read([unbatched, numbers][space], slots) for space, slots in operands])

    if instruction.space == BATCHED:
        for numbers in examples:
            _write(numbers, target, results(numbers))
    elif instruction.sums_batch:
        _write(unbatched, target, list(map(_total, zip(*map(results, examples)))))
    else:
        _write(unbatched, target, results([]))


def _results(instruction: Instruction, operands: list[list[float]]) -> list[float]:
    """Return the results of one instruction on the numbers that its operands read."""
    op, wrt = instruction.op, instruction.wrt
    if instruction.kind == "matmul":
        return _matmul(instruction.shape, *operands)
    if instruction.kind == "elementwise":
        if wrt is None:
            return [_value(op, inputs) for inputs in zip(*operands)]
        return [_adjoint(op, wrt, g, instruction.reads, numbers) for g, *numbers in zip(*operands)]
    segments = _segments(instruction)
    if wrt is None:
        return [_value(op, [x for part in operands for x in part[segment]]) for segment in segments]
    cotangents, outputs, *terms = operands
    adjoints = [ZERO] * len(terms[wrt])
    for g, output, segment in zip(cotangents, outputs, segments):
        adjoints[segment] = _adjoints_of_terms(op, wrt, g, output, [part[segment] for part in terms])
    return adjoints


def _segments(instruction: Instruction) -> list[slice]:
    """Return for each result of a reduction, or each cotangent of its results, where its terms are in an operand."""
    width, start, found = instruction.width, 0, []
    size = len(instruction.operands[0].slots) if instruction.wrt is not None else instruction.size
    for count in instruction.counts or (instruction.terms,) * size:
        end = start + count * width
        found += [slice(start + place, end, width) for place in range(width)]
        start = end
    return found


def _matmul(shape: tuple[int, int, int, int], w: list[float], x: list[float]) -> list[float]:
    """Return the products of pairs of matrices, row by row."""
    count, rows, terms, columns = shape
    left = [w[start : start + terms] for start in range(0, len(w), terms)]
    pairs = [x[start : start + terms * columns] for start in range(0, len(x), terms * columns)]
    right = [pair[column::columns] for pair in pairs for column in range(columns)]
    return [
        _value(DOT, left[pair * rows + row] + right[pair * columns + column])
        for pair in range(count)
        for row in range(rows)
        for column in range(columns)
    ]


def _value(op: Op, inputs: Sequence[float]) -> float:
    """Return op(*inputs), where inputs that are `ZERO` take no part in sums and stop products."""
    if type(ZERO) not in map(type, inputs):
        return op.compute(*inputs)
    if op is DOT:
        n = len(inputs) // 2
        pairs = [pair for pair in zip(inputs[:n], inputs[n:]) if pair[0] is not ZERO and pair[1] is not ZERO]
        return op.compute(*[w for w, _ in pairs], *[x for _, x in pairs]) if pairs else ZERO
    if op.name in {"add", "sum"}:
        return _total(inputs)
    if op.name in PRODUCTS or all(x is ZERO for x in inputs):
        return ZERO
    return op.compute(*inputs)


def _total(terms: Sequence[float]) -> float:
    """Return the sum of those that are reached, `ZERO` if none is."""
    reached = [x for x in terms if x is not ZERO]
    return SUM.compute(*reached) if reached else ZERO


def _times(gradient: float, derivative: float) -> float:
    return ZERO if gradient is ZERO or derivative is ZERO else gradient * derivative


def _adjoint(op: Op, wrt: int, gradient: float, reads: Sequence[int], numbers: Sequence[float]) -> float:
    """Return cotangent · derivative by input `wrt`, from those of (output, *inputs) that are named in `reads`."""
    if gradient is ZERO:
        return ZERO
    given = [math.nan if x is None else x for x in rule_arguments(op, reads, numbers)]
    return _times(gradient, evaluate_rule(op.derivatives[wrt], *given, *op.settings))  # type: ignore[index]


def _adjoints_of_terms(op: Op, wrt: int, gradient: float, output: float, parts: list[list[float]]) -> list[float]:
    """Return cotangent · derivative by each term of operand `wrt` of one reduction."""
    if gradient is ZERO:
        return [ZERO] * len(parts[wrt])
    derivatives = evaluate_rule(op.differentiate, output, *[x for part in parts for x in part])
    start = sum(map(len, parts[:wrt]))
    return [_times(gradient, derivative) for derivative in derivatives[start : start + len(parts[wrt])]]

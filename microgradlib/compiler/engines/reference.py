"""The reference engine: plain floats and the table's own rules, one instruction after another, exact at every edge."""

from __future__ import annotations

import math
from contextvars import Context
from typing import TYPE_CHECKING, Any

from microgradlib._support.floats import evaluate_rule
from microgradlib.compiler.arguments import rounded
from microgradlib.compiler.engines.engine import Engine
from microgradlib.compiler.instructions import BATCHED, UNBATCHED
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.slopes import rule_arguments
from microgradlib.core.autodiff import grad_table, gradients
from microgradlib.core.value import Value, as_node
from microgradlib.ops import TABLE, ZERO

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.compiler.instructions import Instruction, Operand, ProgramData
    from microgradlib.ops import Op

__all__ = ["ReferenceEngine"]

DOT, MEAN, SUM = (TABLE[name] for name in ("dot", "mean", "sum"))
SUMS, PRODUCTS = {"add", "sum"}, {"mul", "strong_mul"}


class ReferenceEngine(Engine):
    """What every other engine is held to, and an example of how one is written: slow, but right for all numbers.

    A number that is `ZERO` stops all that it is multiplied by, inf and nan too: a cotangent that nothing reaches or
    that stands behind a closed branch, a seed of 0, padding. A 0 that is computed is a number: 0 · inf is nan.

    >>> from microgradlib import Value, compile, sqrt, where
    >>> w = Value(3.0)
    >>> fast = compile(lambda x: where(x > 0, sqrt(x), w * x), [w], backend="reference")
    >>> fast.value_and_grad([0.0, 4.0]), fast.jacobian([0.0, 4.0]).tolist()
    ((1.0, array([0.])), [[[3.0]], [[0.25]]])
    """

    def execute(
        self, program: ProgramData, parameters: Any, columns: Sequence[Any], seeds: Sequence[Any] = ()
    ) -> tuple[Any, tuple[Any, ...]]:
        """Run a program on a batch; see `Engine.execute`."""
        np, memory = numpy(), _Memory(program, parameters.tolist(), columns)
        for operand, seed in zip(program.seeds, seeds):
            shape = (len(operand.slots), len(columns[0]))
            table = [seed.tolist()] if operand.space == UNBATCHED else np.broadcast_to(seed, shape).T.tolist()
            memory.write(operand, [[number or ZERO for number in numbers] for numbers in table])
        memory.run(program)
        outputs = np.hstack([memory.read(operand) for operand in program.outputs])
        cotangents = [np.array(memory.read(operand), float) for operand in program.cotangents]
        found = [c.T if o.space == BATCHED else c[0] for o, c in zip(program.cotangents, cotangents)]
        return rounded(outputs.T, self.dtype), tuple([rounded(c, self.dtype) for c in found])

    def hvp(self, parameters: Any, columns: Sequence[Any], vector: Any) -> Any:
        """Return H v: the forward program makes a graph of Values, which the eager engine differentiates twice.

        It knows for second derivatives too which branches are closed; a joint program, written out, does not.
        """
        return Context().run(self._hvp, list(map(Value, parameters.tolist())), columns, vector.tolist())

    def _hvp(self, leaves: list[Value], columns: Sequence[Any], vector: list[float]) -> Any:
        memory = _Memory(self.program, leaves, columns)
        memory.run(self.program)
        mean = as_node(MEAN(*[first for (first,) in memory.read(self.program.outputs[0])]))
        slopes = [v * slope for v, slope in zip(vector, gradients(mean, leaves)) if v]
        table = grad_table(as_node(SUM(*slopes) if slopes else 0.0))
        return rounded(numpy().array([table.get(leaf, 0.0) for leaf in leaves], float), self.dtype)


class _Memory:
    """The numbers of all unbatched slots, and for each example those of the batched ones: first leaves, else nan.

    One more number, the last of each, is `ZERO`: it is read by the slot −1, `NOT_REACHED`.
    """

    def __init__(self, program: ProgramData, parameters: list[Any], columns: Sequence[Any]) -> None:
        self.unbatched: list[Any] = [math.nan] * program.unbatched_size + [ZERO]
        self.unbatched[: len(parameters)] = [parameters[i] for i in program.parameter_order]
        for slot, number in zip(program.constant_slots, program.constants):
            self.unbatched[slot] = number
        self.examples: list[list[Any]] = []
        for row in numpy().hstack([column.reshape(len(column), -1) for column in columns]).tolist():
            numbers = [math.nan] * program.batched_size + [ZERO]
            numbers[: len(row)] = [row[i] for i in program.input_order]
            for slot in program.ones:
                numbers[slot] = 1.0
            self.examples.append(numbers)

    def read(self, operand: Operand) -> list[list[Any]]:
        """Return what an operand reads, for each example."""
        slots = operand.slots.tolist()
        if operand.space == UNBATCHED:
            return [[self.unbatched[slot] for slot in slots]] * len(self.examples)
        return [[numbers[slot] for slot in slots] for numbers in self.examples]

    def write(self, operand: Operand, results: Sequence[list[Any]]) -> None:
        """Write results, those of each example or, without a batch axis, one list."""
        slots = operand.slots.tolist()
        for numbers, found in zip([self.unbatched] if operand.space == UNBATCHED else self.examples, results):
            for slot, number in zip(slots, found):
                numbers[slot] = number

    def run(self, program: ProgramData) -> None:
        """Execute all instructions. Results without a batch axis are computed once, or summed over the examples."""
        for instruction in program.instructions:
            read = list(zip(*map(self.read, instruction.operands)))
            once = instruction.space == UNBATCHED and not instruction.sums_batch
            results = [_results(instruction, operands) for operands in (read[:1] if once else read)]
            self.write(instruction.results, [list(map(_total, zip(*results)))] if instruction.sums_batch else results)


def _results(instruction: Instruction, operands: Sequence[list[Any]]) -> list[Any]:
    """Return the results of one instruction on the numbers that its operands read."""
    op, wrt = instruction.op, instruction.wrt
    if instruction.kind == "matmul":
        return _matmul(instruction.shape, *operands)
    if instruction.kind == "elementwise":
        if wrt is None:
            return [_value(op, inputs) for inputs in zip(*operands)]
        return [_adjoint(op, wrt, g, instruction.reads, numbers) for g, *numbers in zip(*operands)]
    if wrt is None:
        segments = _segments(instruction, instruction.size)
        return [_value(op, [x for part in operands for x in part[segment]]) for segment in segments]
    cotangents, outputs, *terms = operands
    adjoints: list[float] = [ZERO] * len(terms[wrt])
    for g, output, segment in zip(cotangents, outputs, _segments(instruction, len(outputs))):
        adjoints[segment] = _adjoints_of_terms(op, wrt, g, output, [part[segment] for part in terms])
    return adjoints


def _segments(instruction: Instruction, size: int) -> list[slice]:
    """Return where the terms of each result of a reduction are in an operand."""
    width, start, found = instruction.width, 0, []
    for count in instruction.counts or (instruction.terms,) * size:
        end = start + count * width
        found += [slice(start + place, end, width) for place in range(width)]
        start = end
    return found


def _matmul(shape: tuple[int, int, int, int], w: list[Any], x: list[Any]) -> list[Any]:
    """Return the products of pairs of matrices, row by row."""
    _, rows, terms, columns = shape
    left = [w[start : start + terms] for start in range(0, len(w), terms)]
    right = [x[start : start + terms * columns] for start in range(0, len(x), terms * columns)]
    return [
        _value(DOT, row + right[i // rows][column::columns]) for i, row in enumerate(left) for column in range(columns)
    ]


def _value(op: Op, inputs: Sequence[Any]) -> Any:
    """Return op(*inputs), where inputs that are `ZERO` take no part in sums and stop products."""
    if type(ZERO) not in map(type, inputs):
        return op(*inputs)
    if op is DOT:
        n = len(inputs) // 2
        pairs = [(w, x) for w, x in zip(inputs[:n], inputs[n:]) if w is not ZERO and x is not ZERO]
        return op(*[w for w, _ in pairs], *[x for _, x in pairs]) if pairs else ZERO
    if op.name in SUMS:
        return _total(inputs)
    return ZERO if op.name in PRODUCTS or all(x is ZERO for x in inputs) else op(*inputs)


def _total(terms: Sequence[Any]) -> Any:
    """Return the sum of those that are reached, `ZERO` if none is."""
    reached = [x for x in terms if x is not ZERO]
    return SUM(*reached) if reached else ZERO


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


def _times(gradient: float, derivative: float) -> float:
    return ZERO if derivative is ZERO else gradient * derivative

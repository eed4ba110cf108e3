"""The reference engine: plain floats and the table's own rules, one instruction after another, exact at every edge."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextvars import Context
from functools import partial
from typing import Any

from microgradlib._support.floats import evaluate_rule
from microgradlib.compiler.arguments import rounded
from microgradlib.compiler.engines.engine import Engine
from microgradlib.compiler.instructions import BATCHED, UNBATCHED, Instruction, ProgramData
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.slopes import rule_arguments
from microgradlib.core.autodiff import grad_table, gradients
from microgradlib.core.value import Value, as_node
from microgradlib.ops import TABLE, ZERO, Op

__all__ = ["ReferenceEngine"]

DOT, MEAN, MUL, SUM = (TABLE[name] for name in ("dot", "mean", "mul", "sum"))
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

    def execute(self, program: ProgramData, parameters: Any, columns: Sequence[Any], seeds: Sequence[Any] = ()) -> Any:
        """Run a program on a batch; see `Engine.execute`."""
        np, memory = numpy(), _loaded(program, parameters, columns)
        for operand, seed in zip(program.seeds, seeds):
            numbers = np.array(seed, object, ndmin=1)
            numbers[numbers == 0] = ZERO
            memory[operand.space][operand.slots] = numbers[:, None] if operand.space == UNBATCHED else numbers
        _run(program, memory)
        outputs = [np.broadcast_to(memory[y.space][y.slots[0]], len(columns[0])) for y in program.outputs]
        found = [
            memory[c.space][c.slots] if c.space == BATCHED else memory[c.space][c.slots, 0] for c in program.cotangents
        ]
        return self._rounded(outputs), tuple(map(self._rounded, found))

    def _rounded(self, numbers: Any) -> Any:
        return rounded(numpy().array(numbers, float), self.dtype)

    def hvp(self, parameters: Any, columns: Sequence[Any], vector: Any) -> Any:
        """Return H v: the forward program makes a graph of Values, which the eager engine differentiates twice.

        It knows for second derivatives too which branches are closed; a joint program, written out, does not.
        """
        return Context().run(self._hvp, list(map(Value, parameters.tolist())), columns, vector.tolist())

    def _hvp(self, leaves: list[Value], columns: Sequence[Any], vector: list[float]) -> Any:
        memory, first = _loaded(self.program, numpy().array(leaves, object), columns), self.program.outputs[0]
        _run(self.program, memory)
        mean = as_node(MEAN(*memory[first.space][first.slots[0]]))
        slopes = [v * slope for v, slope in zip(vector, gradients(mean, leaves)) if v]
        table = grad_table(as_node(SUM(*slopes) if slopes else 0.0))
        return self._rounded([table.get(leaf, 0.0) for leaf in leaves])


def _loaded(program: ProgramData, parameters: Any, columns: Sequence[Any]) -> list[Any]:
    """Return the numbers of the slots, arrays of objects (slots, 1) and (slots, batch): of the leaves, elsewhere nan.

    Behind the last slot stands `ZERO`, which is read by the slot −1, `NOT_REACHED`.
    """
    np, batch = numpy(), len(columns[0])
    memory = [np.full((size + 1, width), math.nan, object) for size, width in zip(program.sizes, (1, batch))]
    unbatched, batched = memory
    unbatched[-1] = batched[-1] = ZERO
    unbatched[: len(parameters), 0] = parameters[list(program.parameter_order)]
    unbatched[list(program.constant_slots), 0] = program.constants
    inputs = np.hstack([column.reshape(batch, -1) for column in columns])
    batched[: program.inputs] = inputs.T[list(program.input_order)]
    batched[list(program.ones)] = 1.0
    return memory


def _run(program: ProgramData, memory: list[Any]) -> None:
    """Execute all instructions. Results without a batch axis are computed once, or summed over the examples."""
    for instruction in program.instructions:
        read = [memory[operand.space][operand.slots] for operand in instruction.operands]
        width = max(numbers.shape[1] for numbers in read)
        results = _results(instruction, [numpy().broadcast_to(numbers, (len(numbers), width)) for numbers in read])
        if instruction.sums_batch:
            results = [[_total(examples)] for examples in results.tolist()]
        memory[instruction.space][instruction.results.slots] = results


def _results(i: Instruction, operands: list[Any]) -> Any:
    """Return the results of one instruction, (results, examples), from what is read, (slots, examples) each.

    All kinds are scalar operations: each takes a group of the numbers that are read to a result, or an adjoint to one
    for each term.
    """
    np, examples = numpy(), operands[0].shape[1]
    if i.kind == "matmul":
        count, rows, terms, columns = i.shape
        w = operands[0].reshape(count, rows, 1, terms, examples)
        x = operands[1].reshape(count, 1, terms, columns, examples).swapaxes(2, 3)
        groups = np.stack(np.broadcast_arrays(w, x), 3).reshape(i.size, -1, examples)
    elif i.kind == "segment_reduce":
        runs = np.stack(operands).reshape(len(operands), -1, i.width, examples)
        segments = np.split(runs, np.cumsum(i.counts)[:-1], 1)
        groups = [segment[:, :, k].reshape(-1, examples) for segment in segments for k in range(i.width)]
    else:
        size = i.size if i.wrt is None else len(operands[0])
        groups = np.concatenate([numbers.reshape(size, -1, examples) for numbers in operands], 1)
    rule = partial(_value, i.op) if i.wrt is None else partial(_adjoints, i)
    found = np.array([[rule(*numbers) for numbers in group.T.tolist()] for group in groups], object)
    return found if i.wrt is None else found.swapaxes(1, 2).reshape(i.size, examples)


def _value(op: Op, *inputs: Any) -> Any:
    """Return op(*inputs), where inputs that are `ZERO` take no part in sums and stop products."""
    if type(ZERO) not in map(type, inputs):
        return op(*inputs)
    if op is DOT:
        half = len(inputs) // 2
        return _total([_value(MUL, *pair) for pair in zip(inputs[:half], inputs[half:])])
    if op.name in SUMS:
        return _total(inputs)
    return ZERO if op.name in PRODUCTS or all(x is ZERO for x in inputs) else op(*inputs)


def _total(terms: Sequence[Any]) -> Any:
    """Return the sum of those that are reached, `ZERO` if none is."""
    reached = [x for x in terms if x is not ZERO]
    return SUM(*reached) if reached else ZERO


def _adjoints(i: Instruction, gradient: float, *numbers: float) -> list[float]:
    """Return cotangent · derivative by each number of operand `wrt`, where `numbers` are those of its rule."""
    op, wrt = i.op, i.wrt or 0
    if gradient is ZERO:
        return [ZERO] * i.terms
    if i.kind == "elementwise":
        given = [math.nan if x is None else x for x in rule_arguments(op, i.reads, numbers)]
        derivatives = [evaluate_rule(op.derivatives[wrt], *given, *op.settings)]  # type: ignore[index]
    else:
        derivatives = evaluate_rule(op.differentiate, *numbers)[wrt * i.terms : (wrt + 1) * i.terms]
    return [ZERO if derivative is ZERO else gradient * derivative for derivative in derivatives]

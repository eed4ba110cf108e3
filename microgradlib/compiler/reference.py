"""Run a program for one example on Values: each instruction by the op table, derivatives by `grad_table`.

The answer where numbers are infinite or nan: the eager engine knows which branches are closed.
"""

from __future__ import annotations

from contextvars import Context
from typing import TYPE_CHECKING, Any, NamedTuple

from microgradlib.compiler.instructions import BATCH, FIXED
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.spread import PAIRED
from microgradlib.core.autodiff import grad_table
from microgradlib.core.value import Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.compiler.instructions import Instruction, ProgramData

__all__ = ["Example", "run_example"]


class Example(NamedTuple):
    """One example as a graph: its outputs, and the leaves of the parameters and of the inputs in their own order."""

    outputs: list[Value]
    parameters: list[Value]
    inputs: list[Value]

    def gradient(self) -> Any:
        """Return the gradient of the first output by the parameters, a flat array."""
        return _gradient(self.outputs[0], self.parameters)

    def jacobian(self) -> Any:
        """Return ∂outputs/∂inputs, an array (outputs, inputs)."""
        return numpy().array([_gradient(output, self.inputs) for output in self.outputs])


def run_example(program: ProgramData, parameters: Sequence[float], inputs: Sequence[float]) -> Example:
    """Return the graph of a program at the flat parameters and one example's inputs, outside all modes.

    >>> from microgradlib import compile, sqrt, where
    >>> fast = compile(lambda x: where(x[0] > 0, sqrt(x[0]), x[1]))
    >>> values = fast([[0.0, 3.0]])
    >>> example = run_example(fast.program, [], [0.0, 3.0])
    >>> example.outputs[0].data, example.jacobian().tolist()
    (3.0, [[0.0, 1.0]])
    """
    return Context().run(_run, program, parameters, inputs)


def _run(program: ProgramData, parameters: Sequence[float], inputs: Sequence[float]) -> Example:
    leaves = list(map(Value, parameters))
    arguments = list(map(Value, inputs))
    banks: list[list[Any]] = [[None] * program.fixed_size, [None] * program.batch_size]
    for bank, numbers, order in ((FIXED, leaves, program.parameter_order), (BATCH, arguments, program.input_order)):
        banks[bank][: len(order)] = [numbers[place] for place in order]
    n = len(program.parameter_order)
    banks[FIXED][n : n + len(program.constants)] = map(Value, program.constants)
    for slot in program.ones:
        banks[BATCH][slot] = Value(1.0)
    for instruction in program.instructions:
        terms = [[banks[operand.bank][slot] for slot in operand.slots] for operand in instruction.operands]
        results = [instruction.op(*arguments) for arguments in _arguments(instruction, terms)]
        banks[instruction.bank][instruction.start : instruction.start + instruction.size] = results
    return Example([banks[y.bank][y.slots[0]] for y in program.outputs], leaves, arguments)


def _arguments(instruction: Instruction, terms: list[list[Any]]) -> list[tuple[Any, ...]]:
    """Return the arguments of each result of an instruction, whose operands read the nodes `terms`."""
    if instruction.kind == "map":
        return list(zip(*terms))
    if instruction.kind == "product":
        return _product_arguments(instruction, *terms)
    counts = instruction.counts or (instruction.terms,) * instruction.size
    reduced = 2 if instruction.op.name in PAIRED and len(terms) > 1 else 1
    found = []
    start = 0
    for k, count in enumerate(counts):
        parts = [operand[start : start + count] for operand in terms[:reduced]]
        found.append((*[x for part in parts for x in part], *[operand[k] for operand in terms[reduced:]]))
        start += count
    return found


def _product_arguments(instruction: Instruction, w: list[Any], x: list[Any], *bias: list[Any]) -> list[tuple[Any, ...]]:
    """Return the arguments of each dot of Z = W X + b, row by row."""
    length, columns = instruction.terms, instruction.size // instruction.rows
    return [
        (*w[row * length : (row + 1) * length], *x[column::columns], *[b[row * columns + column] for b in bias])
        for row in range(instruction.rows)
        for column in range(columns)
    ]


def _gradient(output: Value, leaves: Sequence[Value]) -> Any:
    table = grad_table(output)
    return numpy().array([table.get(leaf, 0.0) for leaf in leaves], float)

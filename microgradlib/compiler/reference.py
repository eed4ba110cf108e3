"""Run a program on Values, a few examples as one graph: instructions by the op table, derivatives by `grad_table`.

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
from microgradlib.ops import reductions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.compiler.instructions import Instruction, ProgramData

__all__ = ["Examples", "run_examples"]


class Examples(NamedTuple):
    """Some examples as one graph, in which they share what is the same for all of them.

    `total` is the sum of their first outputs; `outputs` and `inputs` have a list for each example.
    """

    total: Value
    outputs: list[list[Value]]
    parameters: list[Value]
    inputs: list[list[Value]]

    def gradient(self) -> Any:
        """Return the gradient of the sum of the first outputs by the parameters, a flat array."""
        return _gradient(self.total, self.parameters)

    def jacobian(self) -> Any:
        """Return ∂outputs/∂inputs of the first example, an array (outputs, inputs)."""
        return numpy().array([_gradient(output, self.inputs[0]) for output in self.outputs[0]])


def run_examples(program: ProgramData, parameters: Sequence[float], rows: Sequence[Sequence[float]]) -> Examples:
    """Return the graph of a program at the flat parameters and the inputs of one example or more, outside all modes.

    >>> from microgradlib import compile, sqrt, where
    >>> fast = compile(lambda x: where(x[0] > 0, sqrt(x[0]), x[1]))
    >>> values = fast([[0.0, 3.0]])
    >>> examples = run_examples(fast.program, [], [[0.0, 3.0]])
    >>> examples.total.data, examples.jacobian().tolist()
    (3.0, [[0.0, 1.0]])
    """
    return Context().run(_run, program, parameters, rows)


def _run(program: ProgramData, parameters: Sequence[float], rows: Sequence[Sequence[float]]) -> Examples:
    leaves = list(map(Value, parameters))
    fixed: list[Any] = [leaves[place] for place in program.parameter_order]
    fixed += [*map(Value, program.constants), *[None] * program.fixed_size]
    outputs: list[list[Value]] = []
    inputs: list[list[Value]] = []
    for row in rows:
        arguments = list(map(Value, row))
        batch: list[Any] = [arguments[place] for place in program.input_order] + [None] * program.batch_size
        for slot in program.ones:
            batch[slot] = Value(1.0)
        banks = {FIXED: fixed, BATCH: batch}
        for instruction in program.instructions:
            if instruction.bank == BATCH or not outputs:  # what all examples share is computed with the first
                terms = [[banks[operand.bank][slot] for slot in operand.slots] for operand in instruction.operands]
                results = [instruction.op(*given) for given in _arguments(instruction, terms)]
                banks[instruction.bank][instruction.start : instruction.start + instruction.size] = results
        outputs.append([banks[y.bank][y.slots[0]] for y in program.outputs])
        inputs.append(arguments)
    firsts = [first for first, *_ in outputs]
    return Examples(firsts[0] if len(firsts) == 1 else reductions.sum(*firsts), outputs, leaves, inputs)


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

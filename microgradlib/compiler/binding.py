"""Bind a program to arrays of one batch size: the steps of the forward and the backward pass, ready to be run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from microgradlib.compiler.adjoint import add_adjoint
from microgradlib.compiler.banks import Banks, Read
from microgradlib.compiler.kernels import Applied, forward_steps
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.program import BATCH, FIXED
from microgradlib.compiler.reading import even_shape
from microgradlib.compiler.reductions import reduction_steps
from microgradlib.compiler.segments import Segments
from microgradlib.compiler.splitting import split

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.compiler.kernels import Step
    from microgradlib.compiler.program import Instruction, Operand, Program

__all__ = ["Binding"]


LARGE_BATCH = 16
"""From here on the time goes into the numbers rather than into the calls, and reductions are split."""


class Binding:
    """A program with its buffers for one batch size. One thread at a time may run it.

    `exact` runs the table's own rules with strong zeros throughout; otherwise the fast kernels, which agree with them
    where all numbers are finite.
    """

    def __init__(self, program: Program, batch: int, dtype: Any, *, gradients: str = "", exact: bool = False) -> None:
        np = numpy()
        self.program, self.batch, self.exact = program, batch, exact
        self.banks = Banks((program.fixed_size, program.batch_size), batch, dtype)
        fixed = self.banks.numbers[FIXED]
        n = len(program.parameter_order)
        self.order = np.array(program.parameter_order, dtype=np.intp)
        self.back = np.argsort(self.order)
        self.parameters = fixed[:n, 0]
        with np.errstate(over="ignore"):  # a constant beyond single precision
            fixed[n : n + len(program.constants), 0] = program.constants
        self.inputs = self.banks.numbers[BATCH][: program.inputs]
        pieces = [piece for i in program.instructions for piece in (split(i) if batch >= LARGE_BATCH else [i])]
        self.reads = [(i, *_forward(self.banks, i)) for i in pieces]
        self.outputs = [self.banks.numbers[y.bank][y.slots[0]] for y in program.outputs]
        if gradients == "parameters":
            self.banks.needed = _needed(program, parameters=True)
            self.backward = self._reversed(program.outputs[0], share=1.0 / batch)
            self.gradient = self.banks.gradients[FIXED][:n, 0]
        elif gradients == "inputs":
            self.banks.needed = _needed(program, parameters=False)
            self.rows = []
            for output in program.outputs:
                self.rows.append(self._reversed(output, share=1.0))
                self.banks.clear_the_rest(BATCH, range(program.inputs))  # an input that the output does not depend on

    def _reversed(self, output: Operand, *, share: float) -> list[Step]:
        """Return the steps of the backward pass from one output, whose mean, or whose each value, is differentiated."""
        banks, (slot,) = self.banks, output.slots
        banks.backward, banks.written = [], [numpy().zeros_like(written) for written in banks.written]
        banks.backward.append((banks.gradients[output.bank][slot].fill, (share if output.bank == BATCH else 1.0,)))
        banks.written[output.bank][slot] = True
        for instruction, operands, out in reversed(self.reads):
            add_adjoint(banks, instruction, operands, out, exact=self.exact)
        return banks.backward

    def run(self, parameters: Any, columns: Sequence[Any]) -> None:
        """Compute the outputs, from the flat parameters and each argument's numbers, (batch, numbers)."""
        self.parameters[:] = parameters.take(self.order)
        start = 0
        for column in columns:
            self.inputs[start : start + column.shape[1]] = column.T
            start += column.shape[1]
        for function, arguments in self.banks.forward:
            function(*arguments)

    def write_outputs(self, result: Any) -> None:
        """Write the outputs of the last run into an array (batch, outputs)."""
        for k, output in enumerate(self.outputs):
            result[:, k] = output

    def run_backward(self) -> Any:
        """Return the gradient of the mean of the first output, flat in the parameters' own order, after `run`."""
        for function, arguments in self.backward:
            function(*arguments)
        return self.gradient.take(self.back)  # those that nothing was written to are 0 from the beginning

    def run_jacobian_row(self, output: int) -> Any:
        """Return ∂output/∂inputs of each example, (batch, inputs), after `run`."""
        for function, arguments in self.rows[output]:
            function(*arguments)
        return self.banks.gradients[BATCH][: self.program.inputs].T


def _forward(banks: Banks, instruction: Instruction) -> tuple[list[Read], Any]:
    """Add an instruction's forward steps; return its operands and its results, (rows, width, batch)."""
    results = banks.numbers[instruction.bank][instruction.start : instruction.start + instruction.size]
    if instruction.kind == "product":
        return _forward_product(banks, instruction, results)
    if instruction.kind == "reduce":
        return _forward_reduction(banks, instruction, results)
    if instruction.kind == "segments":
        return _forward_segments(banks, instruction, results)
    shape = even_shape([operand.slots for operand in instruction.operands])
    reads = [banks.read(operand, shape) for operand in instruction.operands]
    out = results.reshape(*shape, results.shape[1])
    banks.forward += forward_steps(Applied(instruction.op, [read.array for read in reads], out))
    return reads, out


def _forward_product(banks: Banks, instruction: Instruction, results: Any) -> tuple[list[Read], Any]:
    """Z = W X + b, for each column of X an array of (terms, batch)."""
    np = numpy()
    rows, terms = instruction.rows, instruction.terms
    w = banks.read(instruction.operands[0], (rows, terms))
    x = banks.read(instruction.operands[1], (instruction.size // rows, terms))
    out = results.reshape(-1, rows, results.shape[1])
    banks.forward.append((np.matmul, (w.array[:, :, 0], x.array, out)))
    reads = [w, x]
    if len(instruction.operands) == 3:
        bias = banks.read(instruction.operands[2], (instruction.size // rows, rows))
        banks.forward.append((np.add, (out, bias.array, out)))
        reads.append(bias)
    return reads, out


def _forward_reduction(banks: Banks, instruction: Instruction, results: Any) -> tuple[list[Read], Any]:
    """Reduce the terms, the last axis but the batch, to one."""
    terms = instruction.terms
    rows = even_shape([operand.slots[::terms] for operand in instruction.operands[:2]])
    shapes = ((*rows, terms), (*rows, terms), (*rows, 1))
    reads = [banks.read(operand, shape) for operand, shape in zip(instruction.operands, shapes)]
    out = results.reshape(*rows, 1, results.shape[1])
    banks.forward += reduction_steps(Applied(instruction.op, [read.array for read in reads], out))
    return reads, out


def _forward_segments(banks: Banks, instruction: Instruction, results: Any) -> tuple[list[Read], Any]:
    reads = [banks.read(operand, (1, len(operand.slots))) for operand in instruction.operands]
    out = results.reshape(1, -1, results.shape[1])
    applied = Applied(instruction.op, [read.array for read in reads], out)
    banks.forward += Segments(instruction.counts).forward_steps(applied)
    return reads, out


def _needed(program: Program, *, parameters: bool) -> list[Any]:
    """Say for each slot of both banks whether it depends on a parameter, or else on an input, and has a gradient."""
    np = numpy()
    needed = [np.zeros(program.fixed_size, bool), np.zeros(program.batch_size, bool)]
    needed[FIXED][: len(program.parameter_order)] = parameters
    needed[BATCH][: program.inputs] = not parameters
    for instruction in program.instructions:
        if any(needed[operand.bank][list(operand.slots)].any() for operand in instruction.operands):
            needed[instruction.bank][instruction.start : instruction.start + instruction.size] = True
    return needed

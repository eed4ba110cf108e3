"""Bind a program to arrays of one batch size: the steps of the forward and the backward pass, ready to be run."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from microgradlib.compiler.adjoint import add_adjoint
from microgradlib.compiler.banks import Banks, Bound
from microgradlib.compiler.batched_products import add_batched_products
from microgradlib.compiler.fusion import add_sum_of_products, products_under_sums
from microgradlib.compiler.gradients import Gradients
from microgradlib.compiler.hull import hull
from microgradlib.compiler.inputs import loads
from microgradlib.compiler.instructions import BATCH, FIXED
from microgradlib.compiler.kernels import Applied, constant_derivative, forward_steps
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.products import add_product
from microgradlib.compiler.reading import even_shape
from microgradlib.compiler.reductions import reduction_steps
from microgradlib.compiler.segments import Segments
from microgradlib.compiler.splitting import split

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.compiler.inputs import Load
    from microgradlib.compiler.instructions import Instruction, Operand
    from microgradlib.compiler.kernels import Step
    from microgradlib.compiler.program import Program

__all__ = ["Binding"]


MANY_OUTPUTS = 6
"""From so many outputs on they are gathered in one call."""

LARGE_BATCH, LARGE_BATCH_OF_SUMS = 16, 48
"""From here on the time goes into the numbers rather than into the calls, and reductions are split: dots, which are
gathered otherwise, earlier than others."""


class Binding:
    """A program with its buffers for one batch size. One thread at a time may run it.

    Derivatives are those of the op table where all numbers are finite. Elsewhere a closed branch does not stop inf and
    nan, and `Runner` takes the derivatives of `reference`.
    """

    def __init__(self, program: Program, batch: int, dtype: Any, *, gradients: str = "") -> None:
        np = numpy()
        self.program, self.batch = program, batch
        self.banks = Banks((program.fixed_size, program.batch_size), batch, dtype, program.ones)
        fixed = self.banks.numbers[FIXED]
        n = len(program.parameter_order)
        self.order = _order(program.parameter_order)
        self.back = None if self.order is None else np.argsort(self.order)
        self.parameters = fixed[:n, 0]
        with np.errstate(over="ignore"):  # a constant beyond single precision
            fixed[n : n + len(program.constants), 0] = program.constants
        self.input_order = np.array(program.input_order, dtype=np.intp)
        self.inputs = self.banks.numbers[BATCH][: program.inputs]
        self.loads: list[Load] = []
        self.bound = self._bind()
        self.forward = self.banks.forward
        self.outputs = [self.banks.numbers[y.bank][y.slots[0]] for y in program.outputs]
        if gradients:
            needed = _needed(program, parameters=gradients == "parameters")
            self.gradients = Gradients(self.banks, needed, self.bound)
        if gradients == "parameters":
            self.backward = self._reversed(program.outputs[0], share=1.0 / batch)
            self.gradient = self.gradients.arrays[FIXED][:n, 0]
        elif gradients == "inputs":
            self.rows = []
            for output in program.outputs:
                self._reversed(output, share=1.0)
                self.gradients.clear_the_rest(BATCH, range(program.inputs))  # those the output does not depend on
                self.rows.append(self.gradients.steps)

    def _bind(self) -> list[Bound]:
        sums = {} if self.batch < LARGE_BATCH else products_under_sums(self.program)
        unwritten = {product.start for product in sums.values()}
        bound: list[Bound] = []
        for position, i in enumerate(self.program.instructions):
            results = self.banks.numbers[i.bank][i.start : i.start + i.size]
            products = hull(i)
            if products is not None:
                bound.append(add_batched_products(self.banks, i, products, results))
            elif position in sums:
                bound.append(add_sum_of_products(self.banks, i, sums[position], results))
            elif i.bank == BATCH and i.start in unwritten:
                bound.append(_bound_map(self.banks, i, results))
            else:
                large = self.batch >= (LARGE_BATCH if i.op.name == "dot" else LARGE_BATCH_OF_SUMS)
                bound += [_bound(self.banks, piece) for piece in (split(i) if large else [i])]
        return bound

    def _reversed(self, output: Operand, *, share: float) -> list[Step]:
        """Return the steps of the backward pass from one output, whose mean, or whose each value, is differentiated."""
        gradients, (slot,) = self.gradients, output.slots
        gradients.start()
        first = share if output.bank == BATCH else 1.0
        gradients.steps.append((gradients.arrays[output.bank][slot].fill, (first,)))
        gradients.written[output.bank][slot] = True
        for bound in reversed(self.bound):
            add_adjoint(gradients, bound)
        return gradients.steps

    def run(self, parameters: Any, columns: Sequence[Any]) -> None:
        """Compute the outputs, from the flat parameters and each argument's numbers, (batch,) or (batch, numbers)."""
        self.parameters[:] = parameters if self.order is None else parameters.take(self.order)
        if not self.loads:
            self.loads = loads(self.input_order, self.inputs, columns)
        for column, (target, source) in zip(columns, self.loads):
            target[...] = column.T if source is None else source(column.T)
        for function, arguments in self.forward:
            function(*arguments)

    def write_outputs(self, result: Any) -> None:
        """Write the outputs of the last run into an array (batch, outputs)."""
        if self._output_slots is not None:
            result.T[...] = self.banks.numbers[BATCH].take(self._output_slots, 0)
            return
        for k, output in enumerate(self.outputs):
            result[:, k] = output

    @cached_property
    def _output_slots(self) -> Any:
        """The slots of the outputs as an array, if they are many and all batched; else None: they are copied singly."""
        outputs = self.program.outputs
        if len(outputs) < MANY_OUTPUTS or any(output.bank != BATCH for output in outputs):
            return None
        return numpy().array([output.slots[0] for output in outputs], dtype=numpy().intp)

    def mean(self) -> float:
        """Return the mean of the first output of the last run."""
        first = self.outputs[0]
        return float(numpy().add.reduce(first)) / len(first)

    def run_backward(self) -> Any:
        """Return the gradient of the mean of the first output, flat in the parameters' own order, after `run`."""
        for function, arguments in self.backward:
            function(*arguments)
        # those that nothing was written to are 0 from the beginning
        return self.gradient.copy() if self.back is None else self.gradient.take(self.back)

    def write_jacobian_row(self, output: int, result: Any) -> None:
        """Write ∂output/∂inputs of each example into an array (batch, inputs), after `run`."""
        for function, arguments in self.rows[output]:
            function(*arguments)
        result[:, self.input_order] = self.gradients.arrays[BATCH][: self.program.inputs].T


def _order(places: Sequence[int]) -> Any:
    """Return a permutation as an array, None for that which leaves everything in its place."""
    order = numpy().array(places, dtype=numpy().intp)
    return None if (order == numpy().arange(len(order))).all() else order


def _bound(banks: Banks, instruction: Instruction) -> Bound:
    """Add an instruction's forward steps; return its operands and its results, (…, batch)."""
    results = banks.numbers[instruction.bank][instruction.start : instruction.start + instruction.size]
    if instruction.kind == "product":
        return add_product(banks, instruction, results)
    if instruction.kind == "reduce":
        return _bound_reduction(banks, instruction, results)
    if instruction.kind == "segments":
        return _bound_segments(banks, instruction, results)
    bound = _bound_map(banks, instruction, results)
    arrays = [read.array for read in bound.reads]
    banks.forward += forward_steps(Applied(instruction.op, arrays, bound.z, banks.scratch))
    return bound


def _bound_map(banks: Banks, instruction: Instruction, results: Any) -> Bound:
    """Return an element-wise op bound to its arrays, without the steps that compute it."""
    shape = even_shape([operand.slots for operand in instruction.operands])
    reads = [banks.read(operand, shape) for operand in instruction.operands]
    return Bound(instruction, reads, results.reshape(*shape, results.shape[1]))


def _bound_reduction(banks: Banks, instruction: Instruction, results: Any) -> Bound:
    """Reduce the terms, the last axis but the batch, to one."""
    terms = instruction.terms
    rows = even_shape([operand.slots[::terms] for operand in instruction.operands[:2]])
    shapes = ((*rows, terms), (*rows, terms), (*rows, 1))
    reads = [banks.read(operand, shape) for operand, shape in zip(instruction.operands, shapes)]
    bound = Bound(instruction, reads, results.reshape(*rows, 1, results.shape[1]))
    applied = Applied(instruction.op, [read.array for read in reads], bound.z, banks.scratch, kept=bound.kept)
    banks.forward += reduction_steps(applied)
    return bound


def _bound_segments(banks: Banks, instruction: Instruction, results: Any) -> Bound:
    reads = [banks.read(operand, (1, len(operand.slots))) for operand in instruction.operands]
    bound = Bound(instruction, reads, results.reshape(1, -1, results.shape[1]))
    applied = Applied(instruction.op, [read.array for read in reads], bound.z, banks.scratch)
    segments = bound.kept["segments"] = Segments(instruction.counts)
    banks.forward += segments.forward_steps(applied)
    return bound


def _needed(program: Program, *, parameters: bool) -> list[Any]:
    """Say for each slot of both banks whether it depends on a parameter, or else on an input, and has a gradient."""
    np = numpy()
    needed = [np.zeros(program.fixed_size, bool), np.zeros(program.batch_size, bool)]
    needed[FIXED][: len(program.parameter_order)] = parameters
    needed[BATCH][: program.inputs] = not parameters
    for instruction in program.instructions:
        operands = [operand for k, operand in enumerate(instruction.operands) if not _is_flat(instruction, k)]
        if any(needed[operand.bank][list(operand.slots)].any() for operand in operands):
            needed[instruction.bank][instruction.start : instruction.start + instruction.size] = True
    return needed


def _is_flat(instruction: Instruction, index: int) -> bool:
    """Say whether nothing passes to this operand, as it was detached or stands behind a step."""
    return instruction.kind == "map" and constant_derivative(instruction.op, index) == 0

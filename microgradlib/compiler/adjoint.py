"""The backward pass: what each instruction gives back to its operands, in the matrix form of Algorithm 6.4."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from microgradlib.compiler.kernels import Applied, adjoint_steps, constant_derivative
from microgradlib.compiler.numpy_functions import array_functions, numpy
from microgradlib.compiler.reductions import adjoint_of_terms
from microgradlib.compiler.segments import Segments

if TYPE_CHECKING:
    from microgradlib.compiler.banks import Banks, Read
    from microgradlib.compiler.kernels import Step
    from microgradlib.compiler.program import Instruction

__all__ = ["add_adjoint"]


def add_adjoint(banks: Banks, instruction: Instruction, reads: list[Read], z: Any, *, exact: bool) -> None:
    """Add the steps that pass the gradient of an instruction's results on to those operands that need it.

    Where no reader of the results passed a gradient on (they were detached, or stand behind a step), nothing is done.
    """
    span = slice(instruction.start, instruction.start + instruction.size)
    if not banks.written[instruction.bank][span].any():
        return
    banks.clear_the_rest(instruction.bank, range(instruction.start, instruction.start + instruction.size))
    g = banks.gradients[instruction.bank][span].reshape(z.shape)
    wanted = [read for read in reads if banks.is_needed(read.operand)]
    if instruction.kind == "product":
        _product(banks, reads, g, wanted, exact=exact)
        return
    applied = Applied(instruction.op, [read.array for read in reads], z, g)
    for index, read in enumerate(reads):
        if read in wanted:
            if instruction.kind == "map":
                _map(banks, applied, index, read, exact=exact)
            elif instruction.kind == "segments" and index < 2:
                shape = (1, sum(instruction.counts), g.shape[2])
                write = Segments(instruction.counts).adjoint_steps
                banks.give(read, shape, partial(write, applied, index, exact))
            else:
                _reduction(banks, applied, index, read, exact=exact)


def _map(banks: Banks, applied: Applied, index: int, read: Read, *, exact: bool) -> None:
    constant, g = constant_derivative(applied.op, index), applied.g
    if constant == 1:
        banks.add(read, g)
    elif constant == -1:
        banks.give(read, g.shape, lambda out: [(numpy().multiply, (g, -1.0, out))])
    elif constant != 0:
        banks.give(read, g.shape, partial(adjoint_steps, applied, index, exact))


def _reduction(banks: Banks, applied: Applied, index: int, read: Read, *, exact: bool) -> None:
    g = applied.g
    if index == 2:  # the bias of a dot
        banks.add(read, g)
        return
    shape = (*g.shape[:-2], read.array.shape[-2], g.shape[-1])
    if applied.op.name == "sum":
        banks.add(read, numpy().broadcast_to(g, shape))
    else:
        banks.give(read, shape, partial(adjoint_of_terms, applied, index, exact))


def _product(banks: Banks, reads: list[Read], g: Any, wanted: list[Read], *, exact: bool) -> None:
    """∇_X = Wᵀ G, ∇_W = Σ G Xᵀ over columns and batch, ∇_b = G."""
    np = numpy()
    w, x = reads[0].array[:, :, 0], reads[1].array
    multiply = _strong_matmul if exact else np.matmul
    if reads[1] in wanted:
        if len(w) == 1 and not exact:  # an outer product
            banks.give(reads[1], x.shape, lambda out: [(np.multiply, (w.T, g, out))])
        else:
            banks.give(reads[1], x.shape, lambda out: [(multiply, (w.T, g, out))])
    if reads[0] in wanted:
        banks.give(reads[0], (*w.shape, 1), lambda out: _weight_steps(g, x, out[:, :, 0], multiply))
    if len(reads) == 3 and reads[2] in wanted:
        banks.add(reads[2], g)


def _weight_steps(g: Any, x: Any, out: Any, multiply: Any) -> list[Step]:
    """Return the steps that write Σ G Xᵀ, over columns and batch, into `out`."""
    np = numpy()
    if len(g) == 1:
        return [(multiply, (g[0], x[0].T, out))]
    if g.shape[2] == 1 and x.shape[2] == 1:
        return [(multiply, (g[:, :, 0].T, x[:, :, 0], out))]
    part = np.empty((len(g), *out.shape), out.dtype)
    return [(multiply, (g, x.transpose(0, 2, 1), part)), (np.add.reduce, (part, 0, None, out))]


def _strong_matmul(a: Any, b: Any, out: Any) -> None:
    """Write a @ b with strong zeros, 0·inf = 0·nan = 0."""
    products = array_functions().strong_mul(a[..., :, :, None], b[..., None, :, :])
    numpy().add.reduce(products, -2, None, out)

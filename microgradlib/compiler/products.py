"""Matrix products Z = W X + b: one product of BLAS forward and two backward, columns and batch side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from microgradlib.compiler.banks import Bound, Read
from microgradlib.compiler.instructions import FIXED, Operand
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.reading import grid

if TYPE_CHECKING:
    from microgradlib.compiler.banks import Banks
    from microgradlib.compiler.gradients import Gradients
    from microgradlib.compiler.instructions import Instruction
    from microgradlib.compiler.kernels import Step

__all__ = ["add_product", "add_product_adjoint"]

SMALL = 4096
"""Of results of so few numbers np.dot is the faster, as it is called at less cost; but it clears its result first."""


def add_product(banks: Banks, instruction: Instruction, results: Any) -> Bound:
    """Add the forward steps of Z = W X + b; where b is the same along each row, as [W b] [X; 1]."""
    rows, terms = instruction.rows, instruction.terms
    columns = instruction.size // rows
    z = results.reshape(rows, columns, -1)
    weights, inputs, *biases = instruction.operands
    beside = None if not biases else _beside(weights, biases[0], (rows, terms, columns))
    x, x2 = banks.matrix(inputs, terms, columns, ones=beside is not None)
    w = banks.read(beside or weights, (rows, terms + (beside is not None)))
    z2 = z.reshape(rows, -1)
    banks.forward.append(_multiplication(w.array[:, :, 0], x2, z2))
    reads = [w, x]
    if biases and beside is None:
        bias = banks.read(biases[0], (rows, columns))
        banks.forward.append((numpy().add, (z, bias.array, z)))
        reads.append(bias)
    return Bound(instruction, reads, z, {"x": x2})


def _beside(weights: Operand, bias: Operand, lengths: tuple[int, int, int]) -> Operand | None:
    """Return [W b] if b is the same along each row and stands beside W, evenly."""
    np = numpy()
    rows, terms, columns = lengths
    b = np.asarray(bias.slots).reshape(rows, columns)
    if bias.bank != FIXED or (b != b[:, :1]).any():
        return None
    slots = np.hstack([np.asarray(weights.slots).reshape(rows, terms), b[:, :1]]).ravel()
    return Operand(FIXED, tuple(slots.tolist())) if grid(slots, (rows, terms + 1)) else None


def add_product_adjoint(gradients: Gradients, bound: Bound, wanted: list[Read]) -> None:
    """Add ∇_X = Wᵀ G, ∇_W = G Xᵀ, which sums over columns and batch, and ∇_b = G."""
    w, x, *biases = bound.reads
    terms = bound.instruction.terms
    x2 = bound.kept["x"]
    g2 = gradients.of(bound, (len(bound.z), x2.shape[1]))
    if g2 is None:
        return

    if x in wanted:
        turned = w.array[:, :terms, 0].T
        gradients.give(x, x.array.shape, lambda out: [_multiplication(turned, g2, out.reshape(terms, -1))])
    if w in wanted:
        gradients.give(w, w.array.shape, lambda out: [_multiplication(g2, x2.T, out[:, :, 0])])
    for bias in biases:
        if bias in wanted:
            gradients.pass_on(bias, g2.reshape(bound.z.shape))


def _multiplication(a: Any, b: Any, out: Any) -> Step:
    """Return the step that writes a @ b: by the quicker of NumPy's two ways to BLAS.

    A matrix of one number is multiplied without BLAS, which skips a 0 even if it meets inf.
    """
    np = numpy()
    if 1 in (a.size, b.size):
        return np.multiply, (a, b, out)
    quick = out.flags.c_contiguous and (a.shape[1] == 1 or out.size <= SMALL)
    return (np.dot if quick else np.matmul), (a, b, out)

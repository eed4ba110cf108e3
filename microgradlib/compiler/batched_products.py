"""Matrix products of each example by itself, by BLAS on copies whose first axis is the batch."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from microgradlib.compiler.banks import Bound, Read
from microgradlib.compiler.instructions import BATCH, Operand
from microgradlib.compiler.numpy_functions import is_finite, numpy
from microgradlib.compiler.reading import grid

if TYPE_CHECKING:
    from microgradlib.compiler.banks import Banks
    from microgradlib.compiler.gradients import Gradients
    from microgradlib.compiler.hull import Hull
    from microgradlib.compiler.instructions import Instruction
    from microgradlib.compiler.kernels import Step

__all__ = ["add_batched_products", "add_batched_products_adjoint"]


class Table:
    """Matrices whose entries lie in rows of an array (rows, batch), some of them perhaps missing."""

    def __init__(self, places: Any) -> None:
        np, flat = numpy(), places.ravel()
        self.places, self.shape = places, places.shape
        self.present = np.flatnonzero(flat >= 0)
        self.grid = grid(flat, self.shape) if len(self.present) == len(flat) else None
        if self.grid is None:
            self.present = self.present[np.argsort(flat[self.present])]  # in the order of their rows
        self.rows = flat[self.present]
        self.inverse = np.full(len(flat), len(self.present))
        self.inverse[self.present] = np.arange(len(self.present))

    def loaded(self, array: Any) -> tuple[list[Step], Any]:
        """Return the steps that copy the entries from an array, and the copy, (batch, …); what is missing is 0."""
        np, batch = numpy(), array.shape[1]
        if self.grid is not None:
            axes = sorted(range(3), key=lambda axis: -abs(self.grid.steps[axis]))  # type: ignore[union-attr]
            copy = np.empty((batch, *[self.shape[axis] for axis in axes]), array.dtype)
            view = self.grid.view(array).transpose(3, *axes)
            return [(np.copyto, (copy, view))], copy.transpose(0, *[1 + axes.index(axis) for axis in range(3)])
        steps: list[Step] = []
        source = array[self.rows[0] : self.rows[0] + len(self.rows)]
        if (np.diff(self.rows) != 1).any():
            source = np.empty((len(self.rows), batch), array.dtype)
            steps.append((array.take, (self.rows, 0, source, "clip")))
        turned, copy = np.zeros((batch, len(self.rows) + 1), array.dtype), np.empty((batch, *self.shape), array.dtype)
        steps.append((np.copyto, (turned[:, :-1], source.T)))
        steps.append((turned.take, (self.inverse, 1, copy.reshape(batch, -1), "clip")))
        return steps, copy

    def kept(self, copy: Any, spare: Any) -> tuple[list[Step], Any]:
        """Return the steps that pick the entries present in matrices (batch, …), and these, (…, batch)."""
        if self.grid is not None:
            return [], copy.transpose(1, 2, 3, 0)
        flat = copy.reshape(len(copy), -1)
        return [(flat.take, (self.present, 1, spare, "clip"))], spare.T

    def read(self) -> Read:
        """Return the entries present, as an operand to which a gradient may be given."""
        operand = Operand(BATCH, tuple(self.rows.tolist()))
        place = self.grid or grid(operand.slots, (len(self.rows),))
        return Read(operand, None, place, in_place=False)


def add_batched_products(banks: Banks, instruction: Instruction, hull: Hull, results: Any) -> Bound:
    """Add the forward steps of Z = W X, for each example and each of the hull's products."""
    np = numpy()
    bank = banks.numbers[BATCH]
    w, x, z = Table(hull.w), Table(hull.x), Table(hull.z)
    steps_w, w_copy = w.loaded(bank)
    steps_x, x_copy = x.loaded(bank)
    banks.forward += [*steps_w, *steps_x]
    products = banks.scratch("part", (banks.batch, *hull.z.shape))
    banks.forward.append((np.matmul, (w_copy, x_copy, products)))
    steps, part = z.kept(products, banks.scratch("picked", (banks.batch, len(z.rows))))
    banks.forward += steps
    banks.forward.append((np.copyto, (z.grid.view(results) if z.grid else results, part)))
    if min(w.places.min(), x.places.min()) < 0:
        banks.forward.append((partial(_without_the_missing, instruction, bank), (results,)))
    return Bound(instruction, [w.read(), x.read()], results, {"w": w_copy, "x": x_copy, "tables": (w, x, z)})


def _without_the_missing(instruction: Instruction, bank: Any, results: Any) -> None:
    """Compute the dots anew if a missing factor's 0 has met something infinite."""
    np = numpy()
    if not is_finite(results):
        first, second = (list(operand.slots) for operand in instruction.operands)
        counts = np.array(instruction.counts or (instruction.terms,) * instruction.size)
        results[...] = np.add.reduceat(bank[first] * bank[second], np.cumsum(counts) - counts, axis=0)


def add_batched_products_adjoint(gradients: Gradients, bound: Bound, g: Any, wanted: list[Read]) -> None:
    """Add ∇_W = G Xᵀ and ∇_X = Wᵀ G."""
    np, scratch = numpy(), gradients.banks.scratch
    w, x, z = bound.kept["tables"]
    w_copy, x_copy = bound.kept["w"], bound.kept["x"]
    steps, g_copy = z.loaded(g)
    gradients.steps += steps
    factors = ((w, g_copy, x_copy.swapaxes(2, 3)), (x, w_copy.swapaxes(2, 3), g_copy))
    for read, (table, a, b) in zip(bound.reads, factors):
        if read in wanted:
            product = scratch("part", (len(g_copy), *table.shape))
            gradients.steps.append((np.matmul, (a, b, product)))
            steps, part = table.kept(product, scratch("picked", (len(g_copy), len(table.rows))))
            gradients.steps += steps
            gradients.add(read, part)

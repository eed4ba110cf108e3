"""Fusion: products that only one sum reads are summed as they are made, and never written down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from microgradlib.compiler.banks import Bound
from microgradlib.compiler.instructions import BATCH, Operand
from microgradlib.compiler.numpy_functions import array_functions, is_finite, numpy
from microgradlib.compiler.reading import even_shape, grid
from microgradlib.compiler.reductions import sum_products

if TYPE_CHECKING:
    from microgradlib.compiler.banks import Banks
    from microgradlib.compiler.instructions import Instruction
    from microgradlib.compiler.program import Program

__all__ = ["add_sum_of_products", "products_under_sums"]


def products_under_sums(program: Program) -> dict[int, Instruction]:
    """Return, by the position of a sum, the products x y that are its terms and that nothing else reads."""
    np = numpy()
    uses = np.zeros(program.batch_size, int)
    for operand in [operand for i in program.instructions for operand in i.operands] + list(program.outputs):
        if operand.bank == BATCH:
            np.add.at(uses, list(operand.slots), 1)
    maps = [i for i in program.instructions if i.kind == "map" and i.bank == BATCH]
    products = {i.start: i for i in maps if i.op.name in {"mul", "strong_mul"}}
    found = {}
    for position, instruction in enumerate(program.instructions):
        if instruction.kind == "reduce" and instruction.op.name == "sum" and instruction.bank == BATCH:
            slots = instruction.operands[0].slots
            product = products.get(min(slots))
            if product is not None and product.bank == BATCH and len(slots) == product.size:
                span = slice(product.start, product.start + product.size)
                if max(slots) < span.stop and (uses[span] == 1).all() and _terms(instruction, product) is not None:
                    found[position] = product
    return found


def _terms(instruction: Instruction, product: Instruction) -> list[tuple[Operand, tuple[int, ...]]] | None:
    """Return the factors in the order in which the sum reads their products, and their shape, if they lie evenly."""
    places = [slot - product.start for slot in instruction.operands[0].slots]
    factors = [Operand(o.bank, tuple([o.slots[place] for place in places])) for o in product.operands]
    shape = (*even_shape([factor.slots[:: instruction.terms] for factor in factors]), instruction.terms)
    return [(f, shape) for f in factors] if all(grid(f.slots, shape) is not None for f in factors) else None


def add_sum_of_products(banks: Banks, instruction: Instruction, product: Instruction, results: Any) -> Bound:
    """Add the forward steps of Σ x y; nothing is written for the products themselves."""
    factors = _terms(instruction, product)
    [x, y] = [banks.read(factor, shape).array for factor, shape in factors or []]
    shape = x.shape[:-2]
    z = results.reshape(*shape, 1, -1)
    banks.forward.append((sum_products, (x, y, z)))
    if product.op.name == "strong_mul":
        banks.forward.append((_strongly, (x, y, z)))
    operand = instruction.operands[0]
    return Bound(instruction, [banks.read(operand, (*shape, instruction.terms))], z)


def _strongly(x: Any, y: Any, z: Any) -> None:
    """Compute the sums anew, with zeros that are strong, if they are not finite."""
    if not is_finite(z):
        numpy().add.reduce(array_functions().strong_mul(x, y), -2, None, z, keepdims=True)

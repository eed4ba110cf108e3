"""Matrix products of plans: where their matrices lie, along which axis vectors lie, and what of them is needed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from microgradlib.compiler.engines.native.epilogues import Epilogue, epilogue_of
from microgradlib.compiler.engines.native.kernel import Kernel, Layout, NotNativeError, kernel_function, starts_sums
from microgradlib.compiler.instructions import BATCHED, UNBATCHED
from microgradlib.compiler.llvm.ir import Function
from microgradlib.compiler.llvm.matrices import MANY_REGISTERS, Matrices, Product, multiply
from microgradlib.compiler.llvm.one_example import of_one_example
from microgradlib.compiler.planning.data import Rows, Step, StridedView
from microgradlib.compiler.planning.fusion import Flow

__all__ = ["matmul_kernel"]


def matmul_kernel(steps: Sequence[Step], layout: Layout, flows: Sequence[Flow] = ()) -> Kernel:
    """Return the kernel of a "matmul" step, and of its epilogue, if other steps follow.

    What is summed over the batch is added to lane sums, in the order of the results, from %a0 on: the first argument is
    to be replaced, and the last, see `starts_sums`. In a layout for one example these are numbers, not vectors.
    """
    step, flow = steps[0], flows[0] if flows else None
    w, x = step.operands
    if isinstance(w, Rows) or isinstance(x, Rows):
        message = f"a matrix product of rows in any order, got {step}"
        raise NotNativeError(message)
    spaces, vector = (w.space, x.space, step.results.space), layout.real.lanes
    is_added = spaces == (BATCHED, BATCHED, UNBATCHED)
    if spaces[2] == UNBATCHED and BATCHED in spaces and not is_added:
        message = f"a product summed over the batch has two batched operands, got {step}"
        raise NotNativeError(message)
    epilogue, others = epilogue_of(steps, flows) if len(steps) > 1 else (Epilogue(), [])
    f, (count, rows, terms), columns = kernel_function(3 + is_added + len(others)), w.sizes, x.sizes[2]
    z_, w_, x_ = [_place(f, layout, view, k) for k, view in enumerate((step.results, w, x))]
    if is_added:
        width = layout.sum_lanes
        first = f.address(layout.real, "%l", f.mul("%a0", width))
        z_ = Matrices(first, rows * columns * width, columns * width, width)
    product = Product(rows, terms, columns, w_, x_, z_, layout.real, is_added=is_added, lanes=vector)
    if is_added:
        product = product._replace(starts=starts_sums(f, layout, "%a3"))
    ahead = [f.mul(f.emit(f"sub i64 %a{3 + k}, %a0"), layout.block) for k in range(len(others))]
    product = product._replace(after=epilogue if epilogue.links else None, ahead=tuple(ahead))
    if spaces[:2] == (BATCHED, UNBATCHED):
        product = product.T
    one = layout.is_single or BATCHED not in spaces
    if flow is not None and flow.has_ones and not one:
        if is_added:
            product = product._replace(has_ones=layout.registers >= MANY_REGISTERS)
        elif spaces[0] == UNBATCHED:
            product = product._replace(terms=terms - 1, has_start=True)
    product = of_one_example(product, terms) if one else _of_a_block(f, product, spaces)
    if flow is not None and product.is_vector and not product.along:
        product = product._replace(needed=_needed(step, flow))
    callees = multiply(f, product, count, layout.registers)
    scratch = terms * -(-int(product.x.row) // product.real.lanes) if product.turned else 0
    more = [step.results.start] if is_added else others
    arguments = step.results.start, w.start, x.start, *more
    return Kernel(f, arguments, scratch, callees, is_short=product.products == 1)


def _needed(step: Step, flow: Flow) -> tuple[Any, Any, Any] | None:
    """Return what is needed of W, X and Z for any of the products of a step; None if it is all.

    Attention to what came before takes half of the time so: of the scores of what comes behind nothing is read.
    """
    count, rows, terms, columns = step.instruction.shape  # type: ignore[union-attr]
    entries = [*[operand.slots >= 0 for operand in step.instruction.operands], flow.read]  # type: ignore[union-attr]
    shapes = (rows, terms), (terms, columns), (rows, columns)
    w, x, z = [own.reshape(count, *shape).any(0) for own, shape in zip(entries, shapes)]
    return None if w.all() and x.all() and z.all() else (w, x, z)


def _place(f: Function, layout: Layout, view: StridedView, argument: int) -> Matrices:
    """Return where the matrices of a view lie, of which an argument of the kernel is the first row."""
    pointer, unit = layout.rows(view.space)
    first = f.address(layout.real, pointer, f.mul(f"%a{argument}", unit))
    return Matrices(first, *[f.mul(step, unit) for step in view.steps])


def _of_a_block(f: Function, product: Product, spaces: tuple[int, ...]) -> Product:
    """Let vectors lie along the examples of a block, where it can be along the columns, or terms, of all of them."""
    _, terms, columns, w, x, z, real, *_ = product
    lanes, vectors = real.lanes, f.emit(f"udiv i64 %B, {real.lanes}")
    if product.is_added:
        w, x = w._replace(column=lanes), x._replace(row=lanes)
        return product._replace(terms=f.mul(terms, vectors), w=w, x=x, is_vector=True, along="terms")
    if UNBATCHED in spaces and (columns == 1 or x.column == z.column == "%B"):
        x, z = x._replace(column=lanes), z._replace(column=lanes)
        total = f.mul(columns, vectors)
        return product._replace(columns=total, multiple=int(columns), x=x, z=z, along="columns")
    return product._replace(is_vector=UNBATCHED not in spaces, products=vectors)

"""Products of matrices without a batch axis: along which of their axes vectors lie."""

from __future__ import annotations

from microgradlib.compiler.llvm.ir import Real
from microgradlib.compiler.llvm.matrices import Matrices, Product

__all__ = ["of_one_example"]

TURNED = 16
"""A product of fewer terms than so many times its rows is quicker by a copy of X whose columns lie side by side."""


def of_one_example(product: Product, terms: int) -> Product:
    """Let vectors lie along the longer of columns and rows, if their numbers follow one another in memory.

    Otherwise X is turned, so that they do, or vectors lie along the terms and their lanes are summed; or they are
    single numbers.
    """
    sides = [product, product.T]
    sizes = [int(side.columns) if side.x.column == side.z.column == 1 else 1 for side in sides]
    size, real, w, x = max(sizes), product.real, product.w, product.x
    if size > 1:
        product = sides[sizes.index(size)]
        real = Real(real.scalar, min(real.lanes, 1 << (size - 1).bit_length()))
        x, z = product.x._replace(column=real.lanes), product.z._replace(column=real.lanes)
        left = (size - 1) % real.lanes + 1
        return product._replace(columns=-(-size // real.lanes), x=x, z=z, real=real, lanes=left, along="columns")
    turned = max(sides, key=lambda side: int(side.columns) * (side.z.column == side.x.row == 1))
    columns = int(turned.columns)
    if turned.z.column == turned.x.row == 1 < columns and terms < TURNED * int(turned.rows):
        width = min(real.lanes, 1 << (columns - 1).bit_length())
        copy = Matrices("%s", 0, -(-columns // width) * width, 1)
        return of_one_example(turned._replace(x=copy, turned=turned.x.T), terms)
    if terms > 1 and w.column == x.row == 1:
        real = Real(real.scalar, min(real.lanes, 1 << (terms.bit_length() - 1)))
        product = product._replace(is_vector=True, along="summed", terms=terms // real.lanes)
        w, x = w._replace(column=real.lanes), x._replace(row=real.lanes)
        return product._replace(w=w, x=x, real=real, lanes=terms % real.lanes)
    return product._replace(real=real.one, lanes=1)

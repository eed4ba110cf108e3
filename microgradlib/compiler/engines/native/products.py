"""Matrix products: along which axis vectors lie, and the calls of tiles' functions that compute all results."""

from __future__ import annotations

from contextlib import ExitStack
from typing import NamedTuple

from microgradlib.compiler.engines.native.kernel import Kernel, Layout, NotNativeError, kernel_function
from microgradlib.compiler.instructions import BATCHED, UNBATCHED
from microgradlib.compiler.llvm.ir import Function, Real
from microgradlib.compiler.llvm.tiles import Tile, tile_function, transposing_function
from microgradlib.compiler.planning.data import Rows, Step, StridedView

__all__ = ["matmul_kernel"]

Integer = int | str
"""An integer of the IR: itself, or the name of a value."""
_Piece = tuple[int, Integer, Integer]

MANY_REGISTERS = 32
"""So many vector registers hold a tile of 4 rows by 4 columns and what it is made of; fewer, one of 12 vectors."""
TURNED = 16
"""A product of fewer terms than so many times its rows is quicker by a copy of X whose columns lie side by side."""


class _Matrices(NamedTuple):
    """Matrices in memory: their first number, and how many numbers it is to the next matrix, row and column."""

    pointer: str
    pair: Integer
    row: Integer
    column: Integer

    def behind(self, f: Function, real: Real, numbers: Integer) -> _Matrices:
        """Return the same matrices so many numbers further on."""
        return self._replace(pointer=f.address(real, self.pointer, numbers))

    @property
    def T(self) -> _Matrices:  # noqa: N802  as in NumPy
        """The transposed matrices."""
        return self._replace(row=self.column, column=self.row)


class _Product(NamedTuple):
    """Products Z = W X of `rows` by `terms` and `terms` by `columns`; fields as those of `Tile` hold for all tiles.

    W, X and Z do not overlap: tiles are written before others are computed.
    """

    rows: Integer
    terms: Integer
    columns: Integer
    """How many vectors, where they lie along the columns; likewise the terms."""
    w: _Matrices
    x: _Matrices
    z: _Matrices
    real: Real
    along: str = ""
    is_vector: bool = False
    is_added: bool = False
    lanes: int = 0
    """So many lanes of the last column, or behind the last term, are there."""
    multiple: int = 1
    """Of columns whose number is not known here: what it is a multiple of."""
    products: Integer = 1
    """So many products, in vectors."""
    turned: _Matrices | None = None
    """Xᵀ, if X is a copy in scratch memory whose columns lie side by side."""

    @property
    def T(self) -> _Product:  # noqa: N802  as in NumPy
        """The product Zᵀ = Xᵀ Wᵀ."""
        rows, columns = self.columns, self.rows
        return self._replace(rows=rows, columns=columns, w=self.x.T, x=self.w.T, z=self.z.T)


def matmul_kernel(step: Step, layout: Layout) -> Kernel:
    """Return the kernel of a "matmul" step.

    What is summed over the batch is added to lane sums, in the order of the results, from %a0 on: the first argument is
    to be replaced. In a layout for one example these are numbers, not vectors.
    """
    w, x = step.operands
    if isinstance(w, Rows) or isinstance(x, Rows):
        message = f"a matrix product of rows in any order, got {step}"
        raise NotNativeError(message)
    spaces, vector = (w.space, x.space, step.results.space), layout.real.lanes
    is_added = spaces == (BATCHED, BATCHED, UNBATCHED)
    if spaces[2] == UNBATCHED and BATCHED in spaces and not is_added:
        message = f"a product summed over the batch has two batched operands, got {step}"
        raise NotNativeError(message)
    f, (count, rows, terms), columns = kernel_function(3), w.sizes, x.sizes[2]
    z_, w_, x_ = [_place(f, layout, view, k) for k, view in enumerate((step.results, w, x))]
    if is_added:
        width = layout.sum_lanes
        first = f.address(layout.real, "%l", f.mul("%a0", width))
        z_ = _Matrices(first, rows * columns * width, columns * width, width)
    product = _Product(rows, terms, columns, w_, x_, z_, layout.real, is_added=is_added, lanes=vector)
    if spaces[:2] == (BATCHED, UNBATCHED):
        product = product.T
    one = layout.is_single or BATCHED not in spaces
    product = _of_one_example(product, terms) if one else _of_a_block(f, product, spaces)
    callees = _calls(f, product, count, layout.registers)
    scratch = terms * -(-int(product.x.row) // product.real.lanes) if product.turned else 0
    return Kernel(f, (step.results.start, w.start, x.start), scratch, callees)


def _place(f: Function, layout: Layout, view: StridedView, argument: int) -> _Matrices:
    """Return where the matrices of a view lie, of which an argument of the kernel is the first row."""
    pointer, unit = layout.rows(view.space)
    first = f.address(layout.real, pointer, f.mul(f"%a{argument}", unit))
    return _Matrices(first, *[f.mul(step, unit) for step in view.steps])


def _of_a_block(f: Function, product: _Product, spaces: tuple[int, ...]) -> _Product:
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


def _of_one_example(product: _Product, terms: int) -> _Product:
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
        copy = _Matrices("%s", 0, -(-columns // width) * width, 1)
        return _of_one_example(turned._replace(x=copy, turned=turned.x.T), terms)
    if terms > 1 and w.column == x.row == 1:
        real = Real(real.scalar, min(real.lanes, 1 << (terms.bit_length() - 1)))
        product = product._replace(is_vector=True, along="summed", terms=terms // real.lanes)
        w, x = w._replace(column=real.lanes), x._replace(row=real.lanes)
        return product._replace(w=w, x=x, real=real, lanes=terms % real.lanes)
    return product._replace(real=real.one, lanes=1)


def _calls(f: Function, product: _Product, count: int, registers: int) -> tuple[Function, ...]:
    """Call functions of tiles for all products; return these functions."""
    real, functions = product.real, list[Function]()
    most_rows, most_columns = (4, 3) if product.is_vector else (6, 2)
    if registers >= MANY_REGISTERS:
        most_rows, most_columns = 4, 4
    with ExitStack() as loops:
        if count > 1:
            pair = loops.enter_context(f.loop(count)).index
            w, x, z = [m.behind(f, real, f.mul(pair, m.pair)) for m in (product.w, product.x, product.z)]
            source = product.turned and product.turned.behind(f, real, f.mul(pair, product.turned.pair))
            product = product._replace(w=w, x=x, z=z, turned=source)
        if product.turned:
            functions += _transpose(f, product, product.turned)
        if product.products != 1:
            vector = f.mul(loops.enter_context(f.loop(product.products)).index, real.lanes)
            w = product.w.behind(f, real, vector) if product.is_vector else product.w
            product = product._replace(w=w, x=product.x.behind(f, real, vector), z=product.z.behind(f, real, vector))
        for down in _pieces(f, product.rows, most_rows, 1):
            for across, lanes in _with_tail(f, _pieces(f, product.columns, most_columns, product.multiple), product):
                functions.append(_call(f, product, down, across, lanes))
    return tuple(dict.fromkeys(functions))


def _call(f: Function, product: _Product, down: _Piece, across: _Piece, lanes: int) -> Function:
    """Call the function of a tile for panels of rows and groups of columns; return it."""
    w, x, z, real = product.w, product.x, product.z, product.real
    (rows, panels, row), (columns, groups, column) = down, across
    tile = Tile(real, rows, columns, product.along, product.is_vector, product.is_added, lanes)
    pointers = [
        f.address(real, w.pointer, f.mul(row, w.row)),
        f.address(real, x.pointer, f.mul(column, x.column)),
        f.address(real, z.pointer, f.mul(row, z.row), f.mul(column, z.column)),
    ]
    strides = {"wr": w.row, "wt": w.column, "xt": x.row, "xc": x.column, "zr": z.row, "zc": z.column}
    function = tile_function(tile)
    f.call(function, *pointers, product.terms, panels, groups, *[strides[name] for name in tile.strides])
    return function


def _transpose(f: Function, product: _Product, source: _Matrices) -> list[Function]:
    """Call functions that copy Xᵀ to X; return them."""
    real, terms, functions = product.real, int(product.terms), list[Function]()
    columns = (int(product.columns) - 1) * real.lanes + product.lanes
    for rows, down, i in _blocks(columns, real.lanes):
        for lanes, across, j in _blocks(terms, real.lanes):
            function = transposing_function(real, rows, lanes)
            place = f.address(real, source.pointer, f.add(f.mul(i, source.row), j))
            copy = f.address(real, product.x.pointer, f.add(f.mul(j, product.x.row), i))
            f.call(function, place, copy, source.row, product.x.row, down, across)
            functions.append(function)
    return functions


def _blocks(size: int, most: int) -> list[tuple[int, int, int]]:
    """Return (entries of one, how many, where they start) of blocks as large as possible, and what is left."""
    whole = size // most
    return [block for block in ((most, whole, 0), (size % most, 1, whole * most)) if block[0] and block[1]]


def _pieces(f: Function, size: Integer, most: int, multiple: int) -> list[_Piece]:
    """Return pieces of an axis, of at most so many entries: (entries of one, how many, where they start).

    They are about as large as one another; if the size is not known, but what it is a multiple of, as large as
    possible, and single entries.
    """
    if isinstance(size, int):
        count = -(-size // most)
        smaller, larger = divmod(size, count)
        pieces: list[_Piece] = [(smaller + 1, larger, 0), (smaller, count - larger, larger * (smaller + 1))]
        return [piece for piece in pieces if piece[1]]
    times = f.emit(f"udiv i64 {size}, {most}")
    if multiple % most == 0:
        return [(most, times, 0)]
    return [(most, times, 0), (1, f.emit(f"urem i64 {size}, {most}"), f.mul(times, most))]


def _with_tail(f: Function, pieces: list[_Piece], product: _Product) -> list[tuple[_Piece, int]]:
    """Return the pieces of the columns, each with the lanes of its last vector; or with those of the last term."""
    if product.along == "summed" or product.lanes == product.real.lanes:
        return [(piece, product.lanes) for piece in pieces]
    *whole, (size, count, start) = pieces
    if isinstance(count, int) and count > 1:
        whole.append((size, count - 1, start))
        start = f.add(start, size * (count - 1))
    return [*[(piece, product.real.lanes) for piece in whole], ((size, 1, start), product.lanes)]

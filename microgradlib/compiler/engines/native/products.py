"""Matrix products: tiles of the result are held in registers while the terms are added up.

A tile is R rows by C columns of vectors. Each turn of its loop over the terms loads C vectors of X and R factors of W,
each a number that all lanes are multiplied by or a vector itself, for R·C vectors of products: so memory is seldom what
it waits for. Functions of tiles have their places and strides as arguments, and serve all products of a program.
"""

from __future__ import annotations

from contextlib import ExitStack
from functools import lru_cache
from typing import NamedTuple

from microgradlib.compiler.engines.native.ir import Function, Number, Real
from microgradlib.compiler.engines.native.kernel import Kernel, Layout, NotNativeError, kernel_function
from microgradlib.compiler.instructions import BATCHED, UNBATCHED
from microgradlib.compiler.planning.data import Rows, Step, StridedView

__all__ = ["matmul_kernel"]

STRIDES = ("wr", "wt", "xt", "xc", "xg", "zr", "zc", "zg")
"""Numbers from one row, term, column or group to the next, in W, X and Z."""

Integer = int | str
"""An integer of the IR: itself, or the name of a value."""
_Piece = tuple[int, Integer, Integer]

MANY_REGISTERS = 32


class _Tile(NamedTuple):
    """A function that computes panels of tiles, one below the other, for each of several groups of columns."""

    real: Real
    rows: int
    columns: int
    is_vector: bool
    """Whether the factors of W are vectors, multiplied lane by lane; else numbers."""
    is_added: bool
    """Whether the results are added to what is there."""
    is_summed: bool
    """Whether the lanes are terms too, and the results are single numbers."""
    lanes: int
    """So many lanes of the last column are there; if `is_summed`, of the last term, behind the `terms` whole ones."""

    @property
    def name(self) -> str:
        """The name of the function."""
        kinds = f"{'vector' if self.is_vector else 'number'}{'.added' * self.is_added}{'.summed' * self.is_summed}"
        return f"tile.{self.real.suffix}.{self.rows}x{self.columns}.{self.lanes}.{kinds}"


@lru_cache(256)
def _tile_function(tile: _Tile) -> Function:
    """Return the function of a tile: for each group of columns and each panel of rows, Z = W X or Z + W X."""
    strides = ", ".join([f"i64 %{name}" for name in STRIDES])
    parameters = f"ptr %w, ptr %x, ptr %z, i64 %terms, i64 %panels, i64 %groups, {strides}"
    f, real = Function(tile.name, parameters, linkage="internal"), tile.real
    with f.unless_zero("%groups"), f.loop("%groups") as group, f.loop("%panels") as panel:
        first = f.mul(panel.index, tile.rows)
        w, x = f.address(real, "%w", f.mul(first, "%wr")), f.address(real, "%x", f.mul(group.index, "%xg"))
        z = f.address(real, "%z", f.mul(group.index, "%zg"), f.mul(first, "%zr"))
        ws = [f.address(real, w, f.mul(r, "%wr")) for r in range(tile.rows)]
        xs = [f.address(real, x, f.mul(c, "%xc")) for c in range(tile.columns)]
        for r, row in enumerate(_sums(f, tile, ws, xs)):
            for c, total in enumerate(row):
                _write(f, tile, total, f.address(real, z, f.mul(r, "%zr"), f.mul(c, "%zc")), c)
    return f


def _sums(f: Function, tile: _Tile, ws: list[str], xs: list[str]) -> list[list[Number]]:
    """Return the sums of the products of all terms, for rows and columns that start at these addresses."""

    def products(sums: list[list[Number]], term: Integer, lanes: int) -> list[list[Number]]:
        real, result = tile.real, []
        every = [lanes if tile.is_summed or c == tile.columns - 1 else real.lanes for c in range(tile.columns)]
        at = f.mul(term, "%xt")
        columns = [f.load_first(real, f.address(real, x, at), n) for x, n in zip(xs, every)]
        at = f.mul(term, "%wt")
        for w, row in zip(ws, sums):
            place = f.address(real, w, at)
            factor = f.load_first(real, place, every[0]) if tile.is_vector else f.broadcast(real, place)
            result.append([f.fma(factor, column, total) for column, total in zip(columns, row)])
        return result

    zero = f.number(0.0, tile.real)
    with f.loop("%terms") as loop:
        before = [[loop.carry(zero) for _ in xs] for _ in ws]
        sums = products(before, loop.index, tile.real.lanes if tile.is_summed else tile.lanes)
        for row, after in zip(before, sums):
            for total, following in zip(row, after):
                loop.update(total, following)
    if tile.is_summed and tile.lanes:
        sums = products(sums, "%terms", tile.lanes)
    return sums


def _write(f: Function, tile: _Tile, total: Number, place: str, column: int) -> None:
    """Write the result of one row and one column."""
    lanes = tile.lanes if column == tile.columns - 1 else tile.real.lanes
    if tile.is_summed:
        total, lanes = f.sum_lanes(total), 1
    if tile.is_added:
        total = f.load_first(total.real, place, lanes) + total
    f.store_first(total, place, lanes)


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
    """Z = W X, with vectors along the columns, or the terms if `is_summed`, or across several products."""

    rows: Integer
    terms: Integer
    columns: Integer
    """How many vectors, where they lie along the columns; likewise the terms."""
    w: _Matrices
    x: _Matrices
    z: _Matrices
    real: Real
    is_vector: bool = False
    is_added: bool = False
    is_summed: bool = False
    lanes: int = 0
    """So many lanes of the last column, or behind the last term, are there."""
    products: Integer = 1
    """So many products, in vectors."""

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
    return Kernel(f, (step.results.start, w.start, x.start), callees=callees)


def _place(f: Function, layout: Layout, view: StridedView, argument: int) -> _Matrices:
    """Return where the matrices of a view lie, of which an argument of the kernel is the first row."""
    pointer, first = layout.row(f, view.space, f"%a{argument}")
    strides = [layout.row(f, view.space, step)[1] for step in view.steps]
    return _Matrices(f.address(layout.real, pointer, first), *strides)


def _of_a_block(f: Function, product: _Product, spaces: tuple[int, ...]) -> _Product:
    """Let vectors lie along the examples of a block, where it can be along the columns, or terms, of all of them."""
    _, terms, columns, w, x, z, real, *_ = product
    lanes, vectors = real.lanes, f.emit(f"udiv i64 %B, {real.lanes}")
    if product.is_added:
        w, x = w._replace(column=lanes), x._replace(row=lanes)
        return product._replace(terms=f.mul(terms, vectors), w=w, x=x, is_vector=True)
    if UNBATCHED in spaces and (columns == 1 or x.column == z.column == "%B"):
        x, z = x._replace(column=lanes), z._replace(column=lanes)
        return product._replace(columns=f.mul(columns, vectors), x=x, z=z)
    return product._replace(is_vector=UNBATCHED not in spaces, products=vectors)


def _of_one_example(product: _Product, terms: int) -> _Product:
    """Let vectors lie along the longer of columns and rows, or along the terms, whose numbers follow one another."""
    sides = [product, product.T]
    sizes = [int(side.columns) if side.x.column == side.z.column == 1 else 1 for side in sides]
    size, real, w, x = max(sizes), product.real, product.w, product.x
    if size > 1:
        product = sides[sizes.index(size)]
        real = Real(real.scalar, min(real.lanes, 1 << (size - 1).bit_length()))
        x, z = product.x._replace(column=real.lanes), product.z._replace(column=real.lanes)
        left = (size - 1) % real.lanes + 1
        return product._replace(columns=-(-size // real.lanes), x=x, z=z, real=real, lanes=left)
    if terms > 1 and w.column == x.row == 1:
        real = Real(real.scalar, min(real.lanes, 1 << (terms.bit_length() - 1)))
        product = product._replace(is_vector=True, is_summed=True, terms=terms // real.lanes)
        w, x = w._replace(column=real.lanes), x._replace(row=real.lanes)
        return product._replace(w=w, x=x, real=real, lanes=terms % real.lanes)
    return product._replace(real=real.one, lanes=1)


def _calls(f: Function, product: _Product, count: int, registers: int) -> tuple[Function, ...]:
    """Call functions of tiles for all products; return these functions."""
    real, tiles = product.real, list[_Tile]()
    most_rows, most_columns = (4, 4) if registers >= MANY_REGISTERS else (4, 3)
    with ExitStack() as loops:
        if count > 1:
            pair = loops.enter_context(f.loop(count)).index
            w, x, z = [m.behind(f, real, f.mul(pair, m.pair)) for m in (product.w, product.x, product.z)]
            product = product._replace(w=w, x=x, z=z)
        if product.products != 1:
            vector = f.mul(loops.enter_context(f.loop(product.products)).index, real.lanes)
            moves = (product.is_vector, True, True)
            w, x, z = [m.behind(f, real, vector) if moved else m for m, moved in zip(product[3:6], moves)]
            product = product._replace(w=w, x=x, z=z)
        for down in _pieces(f, product.rows, most_rows):
            for across, lanes in _with_tail(f, _pieces(f, product.columns, most_columns), product):
                tiles.append(_call(f, product, down, across, lanes))
    return tuple(map(_tile_function, dict.fromkeys(tiles)))


def _call(f: Function, product: _Product, down: _Piece, across: _Piece, lanes: int) -> _Tile:
    """Call the function of a tile for panels of rows and groups of columns."""
    w, x, z, real = product.w, product.x, product.z, product.real
    (rows, panels, row), (columns, groups, column) = down, across
    tile = _Tile(real, rows, columns, product.is_vector, product.is_added, product.is_summed, lanes)
    pointers = [
        f.address(real, w.pointer, f.mul(row, w.row)),
        f.address(real, x.pointer, f.mul(column, x.column)),
        f.address(real, z.pointer, f.mul(row, z.row), f.mul(column, z.column)),
    ]
    strides = [w.row, w.column, x.row, x.column, f.mul(columns, x.column), z.row, z.column, f.mul(columns, z.column)]
    given = [*[f"ptr {p}" for p in pointers], *[f"i64 {n}" for n in (product.terms, panels, groups, *strides)]]
    f.do(f"call void @{tile.name}({', '.join(given)})")
    return tile


def _pieces(f: Function, size: Integer, most: int) -> list[_Piece]:
    """Return pieces of an axis, of at most so many entries: (entries of one, how many, where they start).

    They are about as large as one another, or if the size is not known before, as large as possible.
    """
    if isinstance(size, int):
        count = -(-size // most)
        smaller, larger = divmod(size, count)
        pieces: list[_Piece] = [(smaller + 1, larger, 0), (smaller, count - larger, larger * (smaller + 1))]
        return [piece for piece in pieces if piece[1]]
    start: Integer = 0
    pieces, left = [], size
    while most:
        times = f.emit(f"udiv i64 {left}, {most}")
        pieces.append((most, times, start))
        start, left = f.add(start, f.mul(times, most)), f.emit(f"urem i64 {left}, {most}")
        most //= 2
    return pieces


def _with_tail(f: Function, pieces: list[_Piece], product: _Product) -> list[tuple[_Piece, int]]:
    """Return the pieces of the columns, each with the lanes of its last vector; or with those of the last term."""
    if product.is_summed or product.lanes == product.real.lanes:
        return [(piece, product.lanes) for piece in pieces]
    *whole, (size, count, start) = pieces
    if isinstance(count, int) and count > 1:
        whole.append((size, count - 1, start))
        start = f.add(start, size * (count - 1))
    return [*[(piece, product.real.lanes) for piece in whole], ((size, 1, start), product.lanes)]

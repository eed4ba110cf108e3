"""Products of matrices in memory: the calls of tiles' functions that compute all results, or those that are needed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from itertools import groupby, product as pairs
from typing import Any, NamedTuple

from microgradlib.compiler.llvm.ir import Function, Real
from microgradlib.compiler.llvm.tiles import Tile, tile_function, transposing_function
from microgradlib.compiler.numpy_functions import numpy

__all__ = ["MANY_REGISTERS", "Integer", "Matrices", "Product", "multiply"]

Integer = int | str
"""An integer of the IR: itself, or the name of a value."""
_Piece = tuple[int, Integer, Integer]

MANY_REGISTERS = 32
"""So many vector registers hold a tile of 4 rows by 4 columns and what it is made of; fewer, one of 12 vectors."""


class Matrices(NamedTuple):
    """Matrices in memory: their first number, and how many numbers it is to the next matrix, row and column."""

    pointer: str
    pair: Integer
    row: Integer
    column: Integer

    def behind(self, f: Function, real: Real, numbers: Integer) -> Matrices:
        """Return the same matrices so many numbers further on."""
        return self._replace(pointer=f.address(real, self.pointer, numbers))

    @property
    def T(self) -> Matrices:  # noqa: N802  as in NumPy
        """The transposed matrices."""
        return self._replace(row=self.column, column=self.row)


class Product(NamedTuple):
    """Products Z = W X of `rows` by `terms` and `terms` by `columns`; fields as those of `Tile` hold for all tiles.

    W, X and Z do not overlap: tiles are written before others are computed.
    """

    rows: Integer
    terms: Integer
    columns: Integer
    """How many vectors, where they lie along the columns; likewise the terms."""
    w: Matrices
    x: Matrices
    z: Matrices
    real: Real
    along: str = ""
    is_vector: bool = False
    is_added: bool = False
    starts: str = "false"
    """A condition: if it holds, results are not added to Z, but to 0."""
    lanes: int = 0
    """So many lanes of the last column, or behind the last term, are there."""
    multiple: int = 1
    """Of columns whose number is not known here: what it is a multiple of."""
    products: Integer = 1
    """So many products, in vectors."""
    turned: Matrices | None = None
    """Xᵀ, if X is a copy in scratch memory whose columns lie side by side."""
    needed: tuple[Any, Any, Any] | None = None
    """Which entries of W and X may be other than 0, and which of Z are read; None: all."""
    has_start: bool = False
    has_ones: bool = False
    """Whether the last column of X is made of ones."""
    after: Any = None
    ahead: tuple[Integer, ...] = ()
    """How many numbers behind Z those lie that `after` reads beside it."""

    @property
    def T(self) -> Product:  # noqa: N802  as in NumPy
        """The product Zᵀ = Xᵀ Wᵀ."""
        rows, columns = self.columns, self.rows
        return self._replace(rows=rows, columns=columns, w=self.x.T, x=self.w.T, z=self.z.T)


def multiply(f: Function, product: Product, count: int, registers: int) -> tuple[Function, ...]:
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
        downs = _pieces(f, product.rows, most_rows, 1)
        width = f.add(product.columns, -1) if product.has_ones else product.columns
        acrosses = _with_tail(f, _pieces(f, width, most_columns, product.multiple), product)
        if product.has_ones:
            acrosses = _with_ones(acrosses)
        for part, down, across, lanes in _parts(f, product, downs, acrosses):
            functions.append(_call(f, part, down, across, lanes))
    return tuple(dict.fromkeys(functions))


def _parts(
    f: Function, product: Product, downs: list[_Piece], acrosses: list[tuple[_Piece, int]]
) -> Iterator[tuple[Product, _Piece, _Piece, int]]:
    """Yield the products of pieces of the rows and of the columns; where not all is needed, of the terms that are."""
    if product.needed is None:
        yield from [(product, down, across, lanes) for down in downs for across, lanes in acrosses]
        return
    w, x, real = product.w, product.x, product.real
    for (rows, _, row), ((columns, groups, first), lanes) in pairs(_single(downs), acrosses):
        places = range(int(first), int(first) + columns * int(groups), columns)
        for terms, run in groupby(places, partial(_terms, product.needed, slice(row, int(row) + rows), columns)):
            if terms:
                own = w.behind(f, real, f.mul(terms[0], w.column)), x.behind(f, real, f.mul(terms[0], x.row))
                part = product._replace(terms=len(terms), w=own[0], x=own[1])
                column, *others = run
                yield part, (rows, 1, row), (columns, 1 + len(others), column), lanes


def _single(pieces: list[_Piece]) -> list[_Piece]:
    """Return pieces as single ones."""
    return [(size, 1, int(start) + size * k) for size, count, start in pieces for k in range(int(count))]


def _terms(needed: tuple[Any, Any, Any], rows: slice, columns: int, column: int) -> range:
    """Return the terms that are needed for rows and columns of Z, at least one; none if nothing reads these."""
    w, x, z = needed
    span = slice(column, column + columns)
    used = numpy().flatnonzero(w[rows].any(0) & x[:, span].any(1)).tolist() or [0]
    return range(used[0], used[-1] + 1 if z[rows, span].any() else used[0])


def _call(f: Function, product: Product, down: _Piece, across: _Piece, lanes: int) -> Function:
    """Call the function of a tile for panels of rows and groups of columns; return it."""
    w, x, z, real = product.w, product.x, product.z, product.real
    (rows, panels, row), (columns, groups, column) = down, across
    tile = Tile(real, rows, columns, product.along, product.is_vector, product.is_added, lanes, product.has_start)
    has_ones = product.has_ones and int(column) + columns * int(groups) == product.columns
    tile = tile._replace(has_ones=has_ones, after=product.after)
    pointers = [
        f.address(real, w.pointer, f.mul(row, w.row)),
        f.address(real, x.pointer, f.mul(column, x.column)),
        f.address(real, z.pointer, f.mul(row, z.row), f.mul(column, z.column)),
    ]
    strides = {"wr": w.row, "wt": w.column, "xt": x.row, "xc": x.column, "zr": z.row, "zc": z.column}
    function = tile_function(tile)
    steps = [strides[name] for name in tile.strides]
    more = [*product.ahead, *[product.starts] * tile.is_added]
    f.call(function, *pointers, product.terms, panels, groups, *steps, *more)
    return function


def _transpose(f: Function, product: Product, source: Matrices) -> list[Function]:
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


def _with_ones(acrosses: list[tuple[_Piece, int]]) -> list[tuple[_Piece, int]]:
    """Return the pieces of columns with one more column, in the last group."""
    *whole, ((size, count, start), lanes) = acrosses
    before = int(count) - 1
    if before:
        whole.append(((size, before, start), lanes))
    return [*whole, ((size + 1, 1, int(start) + size * before), lanes)]


def _with_tail(f: Function, pieces: list[_Piece], product: Product) -> list[tuple[_Piece, int]]:
    """Return the pieces of the columns, each with the lanes of its last vector; or with those of the last term."""
    if product.along == "summed" or product.lanes == product.real.lanes:
        return [(piece, product.lanes) for piece in pieces]
    *whole, (size, count, start) = pieces
    if isinstance(count, int) and count > 1:
        whole.append((size, count - 1, start))
        start = f.add(start, size * (count - 1))
    return [*[(piece, product.real.lanes) for piece in whole], ((size, 1, start), product.lanes)]

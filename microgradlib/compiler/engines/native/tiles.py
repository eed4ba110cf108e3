"""Tiles of matrix products: R rows by C columns of vectors of the result, in registers while the terms are added up.

Each turn of a tile's loop over the terms loads C vectors of X and R factors of W, each a number that all lanes are
multiplied by or a vector itself, for R·C vectors of products: so memory is seldom what it waits for. Functions of tiles
have places, strides and sizes as arguments, and serve all products of a program.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import chain
from typing import NamedTuple

from microgradlib.compiler.engines.native.epilogues import EpilogueCode
from microgradlib.compiler.engines.native.transfers import transposed
from microgradlib.compiler.llvm.ir import Function, Number, Real

__all__ = ["Integer", "Piece", "Tile", "Tiles", "blocks", "pieces", "tile_function", "transposing_function"]

Integer = int | str
"""An integer of the IR: itself, or the name of a value."""
Piece = tuple[int, Integer, Integer]
"""Pieces of an axis: how many entries one has, how many they are, and where they start."""

STRIDES = ("wr", "wt", "xt", "xc", "zr", "zc")
"""Numbers from one row, term or column to the next, in W, X and Z."""


class Tile(NamedTuple):
    """A function that computes Z = W X in tiles: panels of rows below one another, for several groups of columns.

    Its arguments: where W, X and Z start, how many terms, panels and groups there are, and the `strides`.

    >>> tile = Tile(Real("double", 8), 4, 4, "columns", is_vector=False, is_added=False, lanes=8)
    >>> tile.name, tile.strides
    ('tile.v8f64.4x4.8.columns', ('wr', 'wt', 'xt', 'zr'))
    """

    real: Real
    rows: int
    columns: int
    along: str
    """What vectors of numbers that follow one another lie along: the "columns", of X and Z; the "terms", of W and X, in
    lanes of Z that stay apart; the "summed" terms, whose lanes are added up to one number of Z; "" none of these."""
    is_vector: bool
    """Whether the factors of W are vectors too."""
    is_added: bool
    """Whether the results are added to Z."""
    lanes: int
    """So many lanes of the last column are there; of "summed" terms, behind the last whole vector."""

    @property
    def name(self) -> str:
        """The name of the function."""
        kinds = f".{self.along or 'across'}{'.vector' * self.is_vector}{'.added' * self.is_added}"
        return f"tile.{self.real.suffix}.{self.rows}x{self.columns}.{self.lanes}{kinds}"

    @property
    def fixed(self) -> tuple[str, ...]:
        """The strides that are one vector."""
        return {"columns": ("xc", "zc"), "terms": ("wt", "xt", "zc"), "summed": ("wt", "xt"), "": ()}[self.along]

    @property
    def strides(self) -> tuple[str, ...]:
        """The strides that are arguments."""
        return tuple([name for name in STRIDES if name not in self.fixed])


_Matrix = tuple[str, Integer, Integer]

Tiles = dict[Tile, dict["EpilogueCode | None", int]]
"""Tiles that are called, with the epilogues that they are called with, None of them too, and the numbers of these."""


@lru_cache(256)
def tile_function(tile: Tile, epilogues: tuple[EpilogueCode | None, ...] = (None,)) -> Function:
    """Return the function of a tile.

    Behind the strides it is given at which row and column of all the first tile is; the number of an epilogue; and the
    address of three numbers for each view of that: where it starts, and its strides.
    """
    strides = "".join([f", i64 %{name}" for name in tile.strides])
    parameters = f"ptr %w, ptr %x, ptr %z, i64 %terms, i64 %panels, i64 %groups{strides}"
    parameters += ", i64 %row, i64 %column, i64 %epilogue, ptr %views"
    f, real = Function(tile.name, parameters, linkage="internal"), tile.real
    rows, columns, is_summed = range(tile.rows), range(tile.columns), tile.along == "summed"
    wr, wt, xt, xc, zr, zc = [real.lanes if name in tile.fixed else f"%{name}" for name in STRIDES]
    with f.unless_zero("%groups"), f.loop("%groups") as group, f.loop("%panels") as panel:
        row, column = f.mul(panel.index, tile.rows), f.mul(group.index, tile.columns)
        w, x = f.address(real, "%w", f.mul(row, wr)), f.address(real, "%x", f.mul(column, xc))
        z = f.address(real, "%z", f.mul(row, zr), f.mul(column, zc))
        ws = [f.address(real, w, f.mul(r, wr)) for r in rows]
        xs = [f.address(real, x, f.mul(c, xc)) for c in columns]
        width = [1] * tile.columns if is_summed else [real.lanes] * (tile.columns - 1) + [tile.lanes]

        is_loaded = tile.is_added and tile.along == "columns"
        sums = [[f.number(0.0, real)] * tile.columns] * tile.rows
        if is_loaded:
            sums = [[f.load_first(real, *at) for at in zip(row, width)] for row in _places(f, tile, z, zr, zc)]
        sums = _sums(f, tile, (ws, wt), (xs, xt), sums)
        with f.cases("%epilogue", len(epilogues)) as cases:
            for code, _ in zip(epilogues, cases):
                if code:
                    views = _views(f, tile, code, f.add(row, "%row"), f.add(column, "%column"))
                    _finish(f, tile, code, sums, views)
                    continue
                finished = [f.sum_lanes(total) if is_summed else total for total in chain(*sums)]
                for total, place, lanes in zip(finished, chain(*_places(f, tile, z, zr, zc)), width * tile.rows):
                    is_more = tile.is_added and not is_loaded
                    f.store_first(f.load(total.real, place) + total if is_more else total, place, lanes)
    return f


def _places(f: Function, tile: Tile, start: str, down: Integer, across: Integer) -> list[list[str]]:
    """Return where the rows of a tile have their columns."""
    rows = [f.address(tile.real, start, f.mul(r, down)) for r in range(tile.rows)]
    return [[f.address(tile.real, row, f.mul(c, across)) for c in range(tile.columns)] for row in rows]


def _finish(f: Function, tile: Tile, code: EpilogueCode, sums: list[list[Number]], views: list[_Matrix]) -> None:
    """Apply an epilogue to a tile that is at these places, row after row.

    The code for a row of several columns is there once, in a loop in which the rows that are left move up.
    """

    def apply(row: list[Number], r: Integer) -> None:
        starts = [f.address(tile.real, start, f.mul(r, down)) for start, down, _ in views]
        for c, total in enumerate(row):
            code.emit(total, [f.address(tile.real, x, f.mul(c, view[2])) for x, view in zip(starts, views)])

    if tile.columns == 1:
        for r, row in enumerate(sums):
            apply(row, r)
        return
    with f.loop(tile.rows) as loop:
        carried = [[loop.carry(total) for total in row] for row in sums]
        apply(carried[0], loop.index)
        for old, new in zip(chain(*carried), chain(*carried[1:], carried[0])):
            loop.update(old, new)


def _views(f: Function, tile: Tile, code: EpilogueCode, row: Integer, column: Integer) -> list[_Matrix]:
    """Return where a tile is in each view of an epilogue, with the numbers from row to row, and column to column."""
    found = list[_Matrix]()

    def given(kind: str, place: int) -> str:
        return f.emit(f"load {kind}, ptr {f.emit(f'getelementptr i64, ptr %views, i64 {place}')}, align 8")

    for k, alike in enumerate(code.alike):
        start, down, across = given("ptr", 3 * k), given("i64", 3 * k + 1), 0 if alike else tile.real.lanes
        step = across if tile.along == "columns" else given("i64", 3 * k + 2)
        found.append((f.address(tile.real, start, f.mul(row, down), f.mul(column, step)), down, step))
    return found


def _sums(
    f: Function,
    tile: Tile,
    w: tuple[list[str], int | str],
    x: tuple[list[str], int | str],
    sums: list[list[Number]],
) -> list[list[Number]]:
    """Add the products of all terms to sums, with rows of W and columns of X that start at these places; return them.

    With each go the numbers from one term to the next.
    """
    real, is_summed = tile.real, tile.along == "summed"

    def after(sums: list[list[Number]], term: int | str, width: list[int]) -> list[list[Number]]:
        moved = [(places, f.mul(term, stride)) for places, stride in (w, x)]
        factors, there = [[f.address(real, place, numbers) for place in places] for places, numbers in moved]
        columns = [f.load_first(real, place, lanes) for place, lanes in zip(there, width)]
        found = []
        for place, row in zip(factors, sums):
            factor = f.load_first(real, place, width[0]) if tile.is_vector else f.broadcast(real, place)
            found.append([f.fma(factor, column, total) for column, total in zip(columns, row)])
        return found

    with f.loop("%terms") as loop:
        before = [[loop.carry(total) for total in row] for row in sums]
        following = after(
            before, loop.index, [real.lanes] * (tile.columns - 1) + [real.lanes if is_summed else tile.lanes]
        )
        for old, new in zip(before, following):
            for total, then in zip(old, new):
                loop.update(total, then)
    if is_summed and tile.lanes:
        return after(following, "%terms", [tile.lanes] * tile.columns)
    return following


@lru_cache(256)
def transposing_function(real: Real, rows: int, lanes: int) -> Function:
    """Return a function that writes the transposed matrix Y of X, in blocks.

    A block of X is `rows` rows of so many lanes, at most a vector has; %down blocks lie below one another, %across side
    by side. Y has whole vectors: 0 stands where there are no rows of X.
    """
    name = f"transposed.{real.suffix}.{rows}x{lanes}"
    f = Function(name, "ptr %x, ptr %y, i64 %xr, i64 %yr, i64 %down, i64 %across", linkage="internal")
    with f.loop("%down") as down, f.loop("%across") as across:
        i, j = f.mul(down.index, real.lanes), f.mul(across.index, real.lanes)
        places = [f.address(real, "%x", f.mul(f.add(i, r), "%xr"), j) for r in range(rows)]
        block = [f.load_first(real, place, lanes) for place in places]
        block += [f.number(0.0, real)] * (real.lanes - rows)
        for k, vector in enumerate(transposed(block)[:lanes]):
            f.store(vector, f.address(real, "%y", f.mul(f.add(j, k), "%yr"), i))
    return f


def blocks(size: int, most: int) -> list[tuple[int, int, int]]:
    """Return pieces of an axis as large as possible, and what is left."""
    whole = size // most
    return [block for block in ((most, whole, 0), (size % most, 1, whole * most)) if block[0] and block[1]]


def pieces(f: Function, size: Integer, most: int, multiple: int) -> list[Piece]:
    """Return pieces of an axis, of at most so many entries each.

    They are about as large as one another; if the size is not known, but what it is a multiple of, as large as
    possible, and single entries.
    """
    if isinstance(size, int):
        count = -(-size // most)
        smaller, larger = divmod(size, count)
        found: list[Piece] = [(smaller + 1, larger, 0), (smaller, count - larger, larger * (smaller + 1))]
        return [piece for piece in found if piece[1]]
    times = f.emit(f"udiv i64 {size}, {most}")
    if multiple % most == 0:
        return [(most, times, 0)]
    return [(most, times, 0), (1, f.emit(f"urem i64 {size}, {most}"), f.mul(times, most))]
